#pragma once

#include <map>
#include <set>
#include <string_view>
#include <utility>
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
  struct Search {
    std::string_view filter;
    std::string_view after = {};  // topics behind this one only
    std::string_view up_to = {};  // and up to this one; empty: to the end
    // It stops when so many were looked at, or found, or when those found take so many bytes.
    std::size_t looks_max = SIZE_MAX;
    std::size_t count_max = SIZE_MAX;
    std::size_t bytes_max = SIZE_MAX;
  };
  struct Found {
    std::string_view last;  // looked at; lives in its message. Empty: there was none to look at
    bool is_all = true;     // nothing is left to look at
  };
  // Appends those that the filter matches, expired ones as well, in the order of their topics.
  Found match(const Search& search, std::vector<MessagePtr>& out) const;
  // The one that expires first, if it has by now; null if none has.
  MessagePtr first_expired(Timestamp now) const;

  const std::map<std::string_view, MessagePtr>& all() const { return messages_; }
  std::size_t size() const { return messages_.size(); }
  std::size_t bytes() const { return bytes_; }

 private:
  const RetainedLimits limits_;
  std::map<std::string_view, MessagePtr> messages_;            // keys live in the messages
  std::set<std::pair<Timestamp, std::string_view>> expiries_;  // of those that have one
  std::size_t bytes_ = 0;
};

}  // namespace ficus::connect
