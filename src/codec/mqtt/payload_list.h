#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "codec/mqtt/bytes.h"
#include "codec/mqtt/packet_type.h"
#include "codec/mqtt/reason_code.h"

// The payloads of SUBSCRIBE, UNSUBSCRIBE, SUBACK and UNSUBACK, read from the packet while
// iterating.

namespace ficus::mqtt {

enum class RetainHandling : std::uint8_t {  // MQTT 5.0, 3.8.3.1
  send_at_subscribe = 0,
  send_if_new = 1,
  do_not_send = 2,
};

// One request of a SUBSCRIBE. MQTT 3.1.1 knows the filter and the QoS only.
struct Subscription {
  std::string_view filter{};
  Qos qos_max = Qos::at_most_once;
  bool no_local = false;
  bool retain_as_published = false;
  RetainHandling retain_handling = RetainHandling::send_at_subscribe;

  // REQUIRES: a whole, checked entry at `at`.
  static Subscription from_wire(const std::byte* at);
  static std::size_t wire_bytes(const Subscription& item) { return item.filter.size() + 3; }
  friend bool operator==(const Subscription&, const Subscription&) = default;
};

struct UnsubscribeEntry {
  // REQUIRES: a whole, checked entry at `at`.
  static std::string_view from_wire(const std::byte* at);
  static std::size_t wire_bytes(std::string_view filter) { return filter.size() + 2; }
};

// A list as it lies in the packet. Borrows.
template <typename Entry>
class PayloadList {
 public:
  using Value = decltype(Entry::from_wire(nullptr));

  class Iterator {
   public:
    using value_type = Value;
    using difference_type = std::ptrdiff_t;
    Iterator() = default;
    explicit Iterator(const std::byte* at) : at_(at) {}

    Value operator*() const { return Entry::from_wire(at_); }
    Iterator& operator++() {
      at_ += Entry::wire_bytes(**this);
      return *this;
    }
    Iterator operator++(int) {
      Iterator old = *this;
      ++*this;
      return old;
    }
    friend bool operator==(const Iterator&, const Iterator&) = default;

   private:
    const std::byte* at_ = nullptr;
  };

  PayloadList() = default;
  // REQUIRES: `wire` holds `count` whole, checked entries and nothing else.
  PayloadList(Bytes wire, std::size_t count) : wire_(wire), count_(count) {}

  Iterator begin() const { return Iterator(wire_.data()); }
  Iterator end() const { return Iterator(wire_.data() + wire_.size()); }
  bool empty() const { return count_ == 0; }
  std::size_t size() const { return count_; }
  Bytes wire() const { return wire_; }

  friend bool operator==(const PayloadList& a, const PayloadList& b) { return a.wire_ == b.wire_; }

 private:
  Bytes wire_;
  std::size_t count_ = 0;
};

using Subscriptions = PayloadList<Subscription>;
using TopicFilters = PayloadList<UnsubscribeEntry>;

// One code for each request, in the order of the requests (3.9.3, 3.11.3). Borrows.
class ReasonCodes {
 public:
  ReasonCodes() = default;
  explicit ReasonCodes(Bytes wire) : wire_(wire) {}
  explicit ReasonCodes(std::span<const ReasonCode> codes) : wire_(std::as_bytes(codes)) {}

  std::size_t size() const { return wire_.size(); }
  bool empty() const { return wire_.empty(); }
  // REQUIRES: index < size().
  ReasonCode operator[](std::size_t index) const { return static_cast<ReasonCode>(wire_[index]); }
  Bytes wire() const { return wire_; }

  friend bool operator==(const ReasonCodes&, const ReasonCodes&) = default;

 private:
  Bytes wire_;
};

// Owns what a sender puts into Subscriptions.
class SubscriptionBuffer {
 public:
  // False, and nothing added, when the filter is longer than 65 535 bytes.
  [[nodiscard]] bool add(const Subscription& subscription);
  // Valid until the next change of this buffer.
  Subscriptions view() const { return Subscriptions(Bytes(bytes_), count_); }

 private:
  std::vector<std::byte> bytes_;
  std::size_t count_ = 0;
};

// Owns what a sender puts into TopicFilters.
class TopicFilterBuffer {
 public:
  // False, and nothing added, when the filter is longer than 65 535 bytes.
  [[nodiscard]] bool add(std::string_view filter);
  // Valid until the next change of this buffer.
  TopicFilters view() const { return TopicFilters(Bytes(bytes_), count_); }

 private:
  std::vector<std::byte> bytes_;
  std::size_t count_ = 0;
};

}  // namespace ficus::mqtt
