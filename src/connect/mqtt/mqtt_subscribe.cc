// SUBSCRIBE and UNSUBSCRIBE (MQTT 5.0, 3.8 to 3.11).

#include <algorithm>

#include "access/access_control.h"
#include "codec/mqtt/topic.h"
#include "connect/mqtt/mqtt_connection.h"
#include "connect/mqtt/mqtt_server.h"

namespace ficus::connect {
namespace {

// Of a topic filter: each costs a node of the tree, and a step down when it is looked through.
constexpr int kLevelsMax = 128;

}  // namespace

using mqtt::ReasonCode;

ReasonCode MqttConnection::subscribe_one(const mqtt::Subscription& wish, mqtt::SubscriptionId id) {
  // The decoder has checked a 5.0 client's; to a 3.1.1 client "$share/" is the same, if it is
  // valid.
  const auto filter = mqtt::parse_filter(wish.filter);
  if (!filter || std::count(wish.filter.begin(), wish.filter.end(), '/') >= kLevelsMax) {
    return ReasonCode::topic_filter_invalid;
  }
  if (principal_ != nullptr && !principal_->may_subscribe(wish.filter, session_->client_id())) {
    if (!was_denied_) {
      was_denied_ = true;
      (void)server_.parts_.access->deny(principal_.get(), link_->peer().text(), wish.filter,
                                        "subscribe");
    }
    return ReasonCode::not_authorized;
  }
  if (server_.refuses() && session_->is_persistent()) return ReasonCode::quota_exceeded;
  const SubscriptionOptions options{.qos = wish.qos_max,
                                    .no_local = wish.no_local,
                                    .retain_as_published = wish.retain_as_published,
                                    .id = id};
  bool is_new = false;
  if (!server_.state_.subscribe(*session_, wish.filter, options, is_new)) {
    return ReasonCode::quota_exceeded;
  }
  // None for a shared subscription: they were not published to the group (4.8.2).
  const bool wants_retained =
      !filter->is_shared() &&
      (wish.retain_handling == mqtt::RetainHandling::send_at_subscribe ||
       (wish.retain_handling == mqtt::RetainHandling::send_if_new && is_new));
  if (wants_retained) server_.state_.send_retained(*session_, wish.filter, options, server_.now_);
  return static_cast<ReasonCode>(wish.qos_max);  // granted QoS 0 to 2 are 0x00 to 0x02
}

MqttConnection::Outcome MqttConnection::on_subscribe(const mqtt::Subscribe& subscribe) {
  const mqtt::SubscriptionId id =
      subscribe.properties.subscription_id.value_or(mqtt::SubscriptionId{});
  std::vector<ReasonCode> reasons;
  for (const mqtt::Subscription& wish : subscribe.subscriptions) {
    reasons.push_back(subscribe_one(wish, id));
  }
  server_.note_subscriptions_changed();
  mqtt::Suback suback{.packet_id = subscribe.packet_id,
                      .properties = {},
                      .reasons = mqtt::ReasonCodes(std::span<const ReasonCode>(reasons))};
  if (std::find(reasons.begin(), reasons.end(), ReasonCode::not_authorized) != reasons.end()) {
    suback.properties.reason_string = reason_string("no right to subscribe to some of them");
  }
  reply(suback);
  return std::nullopt;
}

MqttConnection::Outcome MqttConnection::on_unsubscribe(const mqtt::Unsubscribe& unsubscribe) {
  std::vector<ReasonCode> reasons;
  for (const std::string_view filter : unsubscribe.filters) {
    reasons.push_back(server_.state_.unsubscribe(*session_, filter)
                          ? ReasonCode::success
                          : ReasonCode::no_subscription_existed);
  }
  server_.note_subscriptions_changed();
  reply(mqtt::Unsuback{.packet_id = unsubscribe.packet_id,
                       .properties = {},
                       .reasons = mqtt::ReasonCodes(std::span<const ReasonCode>(reasons))});
  return std::nullopt;
}

}  // namespace ficus::connect
