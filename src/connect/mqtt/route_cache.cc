#include "connect/mqtt/route_cache.h"

#include <algorithm>
#include <utility>

#include "base/hash.h"

namespace ficus::connect {

RouteCache::RouteCache(const TopicTree& tree, const SourceSet& sources)
    : tree_(tree), sources_(sources), places_(kPlaces) {}

Route& RouteCache::place_of(std::string_view topic) {
  const std::uint64_t hash = hash64(topic);
  Place& place = places_[hash % kPlaces];
  const auto tag = static_cast<std::uint32_t>(hash >> 32);
  if (place.route == nullptr) {
    place.route = std::make_unique<Route>();
  } else if (place.tag != tag && std::exchange(place.candidate, tag) != tag) {
    return passing_;
  }
  place.tag = tag;
  return *place.route;
}

const Route& RouteCache::find(std::string_view topic) {
  Route& route = place_of(topic);
  const bool is_known = route.topic == topic && route.tree_generation != 0;
  if (!is_known || route.sources_generation != sources_.generation()) {
    route.topic = topic;
    route.sources_generation = sources_.generation();
    route.source = sources_.find_by_topic(route.topic, route.placeholders);
  }
  if (!is_known || route.tree_generation != tree_.generation()) {
    find_subscribers(route.topic, route);
    const std::size_t bytes = sizeof(Route) + route.topic.capacity() +
                              sizeof(void*) * (route.sessions.capacity() + route.groups.capacity());
    bytes_ += bytes - route.bytes;
    route.bytes = bytes;
    if (bytes_ > kBytesMax) forget_others(route);
  }
  return route;
}

void RouteCache::forget_others(const Route& route) {
  for (Place& place : places_) {
    if (place.route.get() != &route) place = {};
  }
  bytes_ = route.bytes + (&route == &passing_ ? 0 : passing_.bytes);
}

void RouteCache::find_subscribers(std::string_view topic, Route& route) {
  matched_.clear();
  tree_.match(topic, matched_);
  set_subscribers(route);
}

bool RouteCache::find_subscribers_below(std::string_view levels, Route& route) {
  matched_.clear();
  const bool has_others = tree_.match_below(levels, matched_);
  set_subscribers(route);
  return has_others;
}

void RouteCache::set_subscribers(Route& route) {
  route.tree_generation = tree_.generation();
  route.has_subscriber = !matched_.empty();
  route.is_plain = true;
  route.qos_max = mqtt::Qos::at_most_once;
  route.sessions.clear();
  route.groups.clear();
  std::sort(matched_.begin(), matched_.end(),
            [](const Subscriber& a, const Subscriber& b) { return a.order < b.order; });
  for (const Subscriber& subscriber : matched_) {
    const SubscriptionOptions& options = subscriber.options;
    if (subscriber.session == nullptr || options.no_local || options.id != mqtt::SubscriptionId{}) {
      route.is_plain = false;
    }
    if (subscriber.session == nullptr) {
      route.groups.push_back(subscriber.group);
      continue;
    }
    route.qos_max = std::max(route.qos_max, options.qos);
    // A session with several fitting filters gets the message once (MQTT 5.0, 3.3.4).
    if (!route.sessions.empty() && route.sessions.back() == subscriber.session) continue;
    route.sessions.push_back(subscriber.session);
  }
}

}  // namespace ficus::connect
