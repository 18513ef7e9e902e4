#pragma once

#include <map>
#include <string_view>
#include <vector>

#include "connect/mqtt/message.h"

namespace ficus::connect {

struct RetainedLimits {
  std::size_t count_max = 1'000'000;
  std::size_t bytes_max = std::size_t{1} << 30;
};

// The retained messages by topic, in order, so that a filter with literal first levels looks at its
// part only. One thread.
class RetainedMessages {
 public:
  explicit RetainedMessages(const RetainedLimits& limits) : limits_(limits) {}

  // Whether the message fits beside the others, or in place of an older one.
  bool has_room(const Message& message) const;
  // Keeps the message whatever the limits; an empty payload removes (MQTT 5.0, 3.3.1.3).
  void set(const MessagePtr& message);
  void remove(std::string_view topic);
  // Appends those that the filter matches, expired ones as well.
  void match(std::string_view filter, std::vector<MessagePtr>& out) const;
  // Appends those whose expiry has passed.
  void find_expired(Timestamp now, std::vector<MessagePtr>& out) const;

  const std::map<std::string_view, MessagePtr>& all() const { return messages_; }
  std::size_t size() const { return messages_.size(); }
  std::size_t bytes() const { return bytes_; }

 private:
  const RetainedLimits limits_;
  std::map<std::string_view, MessagePtr> messages_;  // keys live in the messages
  std::size_t bytes_ = 0;
};

}  // namespace ficus::connect
