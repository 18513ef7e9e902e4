#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "connect/mqtt/subscriber_list.h"

namespace ficus::connect {

// Which sessions and groups want which topics: a tree of topic levels (MQTT 5.0, 4.7). They are
// borrowed: remove them before they go. One thread.
class TopicTree {
 public:
  TopicTree();
  ~TopicTree();

  // Replaces the options if the session has this filter already. REQUIRES: a valid filter.
  void add(std::string_view filter, Session& session, SubscriptionOptions options);
  void remove(std::string_view filter, Session& session);
  // The same for a group; `filter` is without its "$share/NAME/".
  void add(std::string_view filter, SharedGroup& group);
  void remove(std::string_view filter, SharedGroup& group);
  // Appends every subscription that matches; a session with overlapping filters appears several
  // times.
  void match(std::string_view topic, std::vector<Subscriber>& out) const;
  bool matches_any(std::string_view topic) const;
  // Whether somebody's filter can match a topic that begins with these levels ("ficus/entity").
  bool has_any_under(std::string_view levels) const;
  // Who wants the topics of one level more than these ("ficus/entity/Vehicle"): appends those that
  // want all of them. True if others want some of them. REQUIRES: `levels` does not begin with '$'.
  bool match_below(std::string_view levels, std::vector<Subscriber>& out) const;
  std::size_t size() const { return size_; }
  // Counts changes, from 1 on: what was found in an earlier generation must be looked for again.
  std::uint64_t generation() const { return generation_; }

 private:
  struct Node;
  // The nodes that fit these levels; appends the subscribers of "#" on the way to them.
  std::vector<const Node*> nodes_at(std::string_view levels, std::vector<Subscriber>& all) const;
  void put(std::string_view filter, const Subscriber& subscriber);
  void take(std::string_view filter, const Subscriber& subscriber);
  void match(const Node& node, std::string_view rest, bool is_first,
             std::vector<Subscriber>& out) const;

  std::unique_ptr<Node> root_;
  std::size_t size_ = 0;
  std::uint64_t generation_ = 1;
};

}  // namespace ficus::connect
