#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "codec/mqtt/bytes.h"
#include "codec/mqtt/property_id.h"

namespace ficus::mqtt {

struct UserProperty {
  std::string_view key{};
  std::string_view value{};

  static constexpr PropertyId kId = PropertyId::user_property;
  // REQUIRES: a whole user property at `at`.
  static UserProperty from_wire(const std::byte* at);
  friend bool operator==(const UserProperty&, const UserProperty&) = default;
};

// 1 to 268 435 455 (MQTT 5.0, 3.8.2.1.2).
enum class SubscriptionId : std::uint32_t {};
inline constexpr std::uint32_t kSubscriptionIdMax = 268'435'455;

struct SubscriptionIdProperty {
  static constexpr PropertyId kId = PropertyId::subscription_identifier;
  // REQUIRES: a whole subscription identifier at `at`.
  static SubscriptionId from_wire(const std::byte* at);
};

// All occurrences of one repeatable property, in the order of the wire, read from the packet while
// iterating: no allocation, whatever their number. Other properties may lie between them. Borrows.
template <typename Property>
class RepeatedProperty {
 public:
  using Value = decltype(Property::from_wire(nullptr));

  class Iterator {
   public:
    using value_type = Value;
    using difference_type = std::ptrdiff_t;
    Iterator() = default;
    Iterator(const std::byte* at, const std::byte* end) : at_(at), end_(end) {}

    Value operator*() const { return Property::from_wire(at_); }
    // Where the occurrence begins, its identifier included.
    const std::byte* wire() const { return at_; }
    Iterator& operator++() {
      do {
        at_ += property_bytes(at_);
      } while (at_ != end_ && static_cast<PropertyId>(*at_) != Property::kId);
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
    const std::byte* end_ = nullptr;
  };

  Iterator begin() const { return {range_.data(), range_.data() + range_.size()}; }
  Iterator end() const { return {range_.data() + range_.size(), range_.data() + range_.size()}; }
  bool empty() const { return count_ == 0; }
  std::size_t size() const { return count_; }
  // What they take together in a packet.
  std::size_t wire_bytes() const { return wire_bytes_; }
  // From the first to the last occurrence; only they when its size is wire_bytes().
  Bytes wire_range() const { return range_; }

  // Takes one more occurrence. REQUIRES: it is whole, lies after the earlier ones in the same
  // buffer, and between them are only whole properties.
  void extend(Bytes occurrence) {
    const std::byte* const first = count_ == 0 ? occurrence.data() : range_.data();
    range_ = Bytes(first, occurrence.data() + occurrence.size());
    wire_bytes_ += occurrence.size();
    ++count_;
  }

  friend bool operator==(const RepeatedProperty& a, const RepeatedProperty& b) {
    if (a.count_ != b.count_) return false;
    for (Iterator i = a.begin(), j = b.begin(); i != a.end(); ++i, ++j) {
      if (!(*i == *j)) return false;
    }
    return true;
  }

 private:
  Bytes range_;
  std::size_t wire_bytes_ = 0;
  std::size_t count_ = 0;
};

using UserProperties = RepeatedProperty<UserProperty>;
using SubscriptionIds = RepeatedProperty<SubscriptionIdProperty>;

// Owns what a sender puts into UserProperties.
class UserPropertyBuffer {
 public:
  // False, and nothing added, when a text is longer than 65 535 bytes.
  [[nodiscard]] bool add(std::string_view key, std::string_view value);
  void clear() { bytes_.clear(); }
  // Valid until the next change of this buffer.
  UserProperties view() const;

 private:
  std::vector<std::byte> bytes_;
};

// Owns what a sender puts into SubscriptionIds: one for each subscription that matched (3.3.4).
class SubscriptionIdBuffer {
 public:
  // False, and nothing added, when it is zero or above kSubscriptionIdMax.
  [[nodiscard]] bool add(SubscriptionId id);
  void clear() { bytes_.clear(); }
  // Valid until the next change of this buffer.
  SubscriptionIds view() const;

 private:
  std::vector<std::byte> bytes_;
};

}  // namespace ficus::mqtt
