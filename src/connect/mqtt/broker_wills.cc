// Wills: kept from CONNECT on, published when they are due (MQTT 5.0, 3.1.2.5).

#include "connect/mqtt/broker_state.h"

namespace ficus::connect {

using facts::Kind;

bool BrokerState::has_room_for_will(std::string_view client_id, const Message& message) const {
  const Will* const earlier = wills_.find(client_id);
  const std::size_t others =
      wills_.bytes() - (earlier == nullptr ? 0 : earlier->message->bytes().size());
  return others + message.bytes().size() <= limits_.wills_bytes_max;
}

void BrokerState::set_will(const Session& session, const MessagePtr& message, Micros delay) {
  const Will will{.message = message, .owner = session.owner, .delay = delay, .due = std::nullopt};
  facts::write_will(session.client_id(), will, facts());
  wills_.put(session.client_id(), will);
}

void BrokerState::remove_will(std::string_view client_id) {
  if (wills_.remove(client_id)) facts::begin(Kind::will_removed, client_id, facts());
}

std::optional<BrokerState::DueWill> BrokerState::take_due_will(Timestamp now) {
  const std::optional<std::string> client_id = wills_.first_due(now);
  return client_id ? take_due_will(*client_id, now) : std::nullopt;
}

std::optional<BrokerState::DueWill> BrokerState::take_due_will(std::string_view client_id,
                                                               Timestamp now) {
  const Will* const will = wills_.find(client_id);
  if (will == nullptr || !will->due || *will->due > now) return std::nullopt;
  DueWill due{.client_id = std::string(client_id), .owner = will->owner, .message = will->message};
  ++work_;
  remove_will(due.client_id);
  return due;
}

}  // namespace ficus::connect
