// What the brain itself tells its subscribers, and for whom a message need not be made.

#include <algorithm>

#include "connect/mqtt/mqtt_connection.h"
#include "connect/mqtt/mqtt_server.h"

namespace ficus::connect {

using mqtt::Qos;

bool MqttServer::has_taker(const Route& route, Qos qos, const Session* origin, std::size_t count) {
  const auto takes = [&](Session& session, Qos subscribed) {
    if (session.connection != nullptr && session.connection->takes_now()) return true;
    return std::min(qos, subscribed) != Qos::at_most_once && state_.has_room(session, now_);
  };
  for (Session* const session : route.sessions) {
    // Whether its own message is for it at all is found out when the message is passed on.
    if (session == origin && !route.is_plain) return true;
    if (takes(*session, route.qos_max)) return true;
  }
  for (const SharedGroup* const group : route.groups) {
    for (const SharedGroup::Member& member : group->members()) {
      if (takes(*member.session, member.options.qos)) return true;
    }
  }
  if (state_.has_facts()) end_turn_later();  // what had expired made no room
  for (Session* const session : route.sessions) {
    // At QoS 0 nothing is for those who are away.
    const bool is_kept = std::min(qos, route.qos_max) != Qos::at_most_once;
    if (session->connection == nullptr && !is_kept) continue;
    session->dropped += count;
    counts_.messages_dropped.add(is_kept ? state_.why_no_room(*session) : DropCause::slow_client,
                                 count);
  }
  counts_.messages_dropped.add(DropCause::no_member, route.groups.size() * count);
  return false;
}

bool MqttServer::has_taker_below(std::string_view levels, std::size_t count) {
  begin_turn();
  if (routes_.find_subscribers_below(levels, own_route_)) return true;
  return has_taker(own_route_, Qos::at_least_once, nullptr, count);
}

bool MqttServer::has_taker(std::string_view topic) {
  routes_.find_subscribers(topic, own_route_);
  return own_route_.has_subscriber && has_taker(own_route_, Qos::at_least_once, nullptr, 1);
}

void MqttServer::publish(std::string_view topic, std::string_view payload) {
  const mqtt::Publish publish{.qos = Qos::at_least_once,
                              .topic = topic,
                              .packet_id = mqtt::PacketId{1},
                              .payload = mqtt::Bytes(std::as_bytes(std::span(payload)))};
  if (own_route_.is_plain && own_route_.qos_max == Qos::at_most_once) {
    plain_.begin(publish, {}, mqtt::ProtocolVersion::v5);
    for (Session* const session : own_route_.sessions) {
      if (session->connection != nullptr) session->connection->send_plain(plain_);
    }
    return;
  }
  const MessagePtr message = Message::create(publish, now_);
  if (message == nullptr) return;
  state_.publish(message, nullptr, now_);
  flush_if_large();
  if (state_.has_facts()) end_turn_later();
}

}  // namespace ficus::connect
