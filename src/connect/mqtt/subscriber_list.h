#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <unordered_map>
#include <vector>

#include "codec/mqtt/packet_type.h"
#include "codec/mqtt/repeated_property.h"

namespace ficus::connect {

class Session;
class SharedGroup;

struct SubscriptionOptions {
  mqtt::Qos qos = mqtt::Qos::at_most_once;
  bool no_local = false;
  bool retain_as_published = false;
  mqtt::SubscriptionId id{};  // told with each message that matches (3.8.2.1.2); 0: none

  friend bool operator==(const SubscriptionOptions&, const SubscriptionOptions&) = default;
};

// A session, or a group that shares a subscription and has its members' options itself.
struct Subscriber {
  Session* session = nullptr;
  SharedGroup* group = nullptr;
  std::uint64_t order = 0;  // of the session, beside it to be sorted by; 0: a group
  SubscriptionOptions options;
};

// Those who have one filter, in no order of their own. A long list knows where everybody stands, so
// that a hundred thousand may subscribe to the same and go again. A value but for copies.
class SubscriberList {
 public:
  // Replaces the options if they are there; true if they were not.
  bool put(const Subscriber& subscriber);
  bool remove(const Subscriber& subscriber);  // false: was not there
  bool empty() const { return items_.empty(); }
  const std::vector<Subscriber>& items() const { return items_; }

 private:
  static constexpr std::size_t kShort = 16;  // looked through
  static const void* key_of(const Subscriber& subscriber);
  std::size_t find(const Subscriber& subscriber) const;  // size() if there is none

  std::vector<Subscriber> items_;
  std::unique_ptr<std::unordered_map<const void*, std::uint32_t>> places_;  // of a long list
};

}  // namespace ficus::connect
