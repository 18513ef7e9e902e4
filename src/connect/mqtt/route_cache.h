#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "codec/mqtt/packet_type.h"
#include "connect/ingest/source_set.h"
#include "connect/mqtt/topic_tree.h"

namespace ficus::connect {

// Where the messages of one topic go.
struct Route {
  std::string topic;
  std::uint64_t tree_generation = 0;  // 0: nothing was worked out yet
  std::uint64_t sources_generation = 0;
  const Source* source = nullptr;              // null: it belongs to none
  std::vector<std::string_view> placeholders;  // of the source; views into `topic`
  bool has_subscriber = false;
  // Every subscriber has the message as it came: none shares a subscription, is not to hear its own
  // messages, or has given an identifier.
  bool is_plain = false;
  mqtt::Qos qos_max = mqtt::Qos::at_most_once;  // of the sessions' subscriptions
  std::vector<Session*> sessions;               // each once, those first that began first
  std::vector<SharedGroup*> groups;
  std::size_t bytes = 0;  // as it counts in its cache
};

// Remembers routes: a device publishes to the same topic all its life, so that topics come again
// far more often than subscriptions or sources change. A route is worked out again when they have.
// Topics that fall on one place share it, and the one that comes twice in a row has it: so of far
// more topics than places most are worked out each time, which costs less than fetching an old
// route from memory to replace it. When all together take more than kBytesMax (a route names
// everybody who is to have the message), they are forgotten. One thread.
class RouteCache {
 public:
  // Both are borrowed for the cache's life.
  RouteCache(const TopicTree& tree, const SourceSet& sources);

  static constexpr std::size_t kBytesMax = std::size_t{64} << 20;

  // Valid until the next call, or a change of the tree.
  const Route& find(std::string_view topic);
  // The subscribers of a topic of the brain's own, which is not remembered: there are as many as
  // entities, and nobody publishes to them.
  void find_subscribers(std::string_view topic, Route& route);
  // Those of all topics of one level more than `levels`; true if others want some of them.
  bool find_subscribers_below(std::string_view levels, Route& route);
  std::size_t bytes() const { return bytes_; }  // that the routes take, about

 private:
  static constexpr std::size_t kPlaces = std::size_t{1} << 15;

  struct Place {
    std::uint32_t tag = 0;        // of the route's topic: other bits of its hash than the place's
    std::uint32_t candidate = 0;  // of the topic that came last and has no place
    std::unique_ptr<Route> route;
  };

  Route& place_of(std::string_view topic);
  void set_subscribers(Route& route);  // from matched_
  void forget_others(const Route& route);

  const TopicTree& tree_;
  const SourceSet& sources_;
  std::vector<Place> places_;
  Route passing_;  // of a topic without a place
  std::size_t bytes_ = 0;
  std::vector<Subscriber> matched_;  // scratch
};

}  // namespace ficus::connect
