#include "connect/mqtt/route_cache.h"

#include <algorithm>

#include "base/hash.h"

namespace ficus::connect {

RouteCache::RouteCache(const TopicTree& tree, const SourceSet& sources)
    : tree_(tree), sources_(sources), places_(kPlaces) {}

const Route& RouteCache::find(std::string_view topic) {
  std::unique_ptr<Route>& place = places_[hash64(topic) % kPlaces];
  if (place == nullptr) place = std::make_unique<Route>();
  Route& route = *place;
  const bool is_known = route.topic == topic && route.tree_generation != 0;
  if (!is_known || route.sources_generation != sources_.generation()) {
    route.topic = topic;
    route.sources_generation = sources_.generation();
    route.source = sources_.find_by_topic(route.topic, route.placeholders);
  }
  if (!is_known || route.tree_generation != tree_.generation()) find_subscribers(route);
  return route;
}

void RouteCache::find_subscribers(Route& route) {
  route.tree_generation = tree_.generation();
  matched_.clear();
  tree_.match(route.topic, matched_);
  route.has_subscriber = !matched_.empty();
  route.is_plain = true;
  route.qos_max = mqtt::Qos::at_most_once;
  route.sessions.clear();
  for (const Subscriber& subscriber : matched_) {
    const SubscriptionOptions& options = subscriber.options;
    if (subscriber.session == nullptr || options.no_local || options.id != mqtt::SubscriptionId{}) {
      route.is_plain = false;
    }
    route.qos_max = std::max(route.qos_max, options.qos);
    route.sessions.push_back(subscriber.session);
  }
  // A session with several fitting filters gets the message once (MQTT 5.0, 3.3.4).
  std::sort(route.sessions.begin(), route.sessions.end());
  route.sessions.erase(std::unique(route.sessions.begin(), route.sessions.end()),
                       route.sessions.end());
}

}  // namespace ficus::connect
