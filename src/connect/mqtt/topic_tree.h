#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "codec/mqtt/packet.h"
#include "connect/mqtt/message.h"

namespace ficus::connect {

class Session;

struct SubscriptionOptions {
  mqtt::Qos qos = mqtt::Qos::at_most_once;
  bool no_local = false;
  bool retain_as_published = false;

  friend bool operator==(const SubscriptionOptions&, const SubscriptionOptions&) = default;
};

struct Subscriber {
  Session* session = nullptr;
  SubscriptionOptions options;
};

// Which sessions want which topics: a tree of topic levels (MQTT 5.0, 4.7). Sessions are borrowed:
// remove them before they go. One thread.
class TopicTree {
 public:
  TopicTree();
  ~TopicTree();

  // Replaces the options if the session has this filter already. REQUIRES: a valid filter.
  void add(std::string_view filter, Session& session, SubscriptionOptions options);
  void remove(std::string_view filter, const Session& session);
  // Appends every subscription that matches; a session with overlapping filters appears several
  // times.
  void match(std::string_view topic, std::vector<Subscriber>& out) const;
  bool matches_any(std::string_view topic) const;
  // Whether somebody's filter can match a topic that begins with these levels ("ficus/entity").
  bool has_any_under(std::string_view levels) const;
  std::size_t size() const { return size_; }

 private:
  struct Node;
  void match(const Node& node, std::string_view rest, bool is_first,
             std::vector<Subscriber>& out) const;

  std::unique_ptr<Node> root_;
  std::size_t size_ = 0;
};

// The retained messages by topic, in order, so that a filter with literal first levels looks at its
// part only.
class RetainedMessages {
 public:
  explicit RetainedMessages(std::size_t count_max) : count_max_(count_max) {}

  // An empty payload removes (MQTT 5.0, 3.3.1.3). False if there is no room for one more topic.
  bool set(const MessagePtr& message);
  void match(std::string_view filter, std::vector<MessagePtr>& out) const;
  const std::map<std::string_view, MessagePtr>& all() const { return messages_; }
  std::size_t size() const { return messages_.size(); }

 private:
  const std::size_t count_max_;
  std::map<std::string_view, MessagePtr> messages_;  // keys live in the messages
};

}  // namespace ficus::connect
