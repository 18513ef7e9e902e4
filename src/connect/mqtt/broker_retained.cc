// Retained messages: kept, and given to new subscriptions (MQTT 5.0, 3.3.1.3 and 3.8.4).

#include <algorithm>

#include "connect/mqtt/broker_state.h"

namespace ficus::connect {

using facts::Kind;
using mqtt::Qos;

void BrokerState::send_retained(Session& session, std::string_view filter,
                                SubscriptionOptions options, Timestamp now) {
  const std::uint64_t first = session.next_number;
  if (session.is_persistent()) {
    fact::ByteWriter fact = facts::begin(Kind::retained_queued, session.client_id(), facts());
    fact.text(filter);
    facts::write_options(options, fact);
    fact.i64(now.micros);
    fact.varint(first);
  }
  queue_retained(session, {filter, options, now}, false);
  if (session.next_number != first && session.connection != nullptr) {
    session.connection->send_queued();
  }
}

void BrokerState::queue_retained(Session& session, const Retaining& wanted, bool is_replay) {
  std::vector<MessagePtr> messages;
  retained_.match(wanted.filter, messages);
  for (MessagePtr& message : messages) {
    if (message->is_expired(wanted.now)) continue;
    const Qos qos = std::min(message->qos(), wanted.options.qos);
    const std::uint64_t number = session.next_number++;
    if (is_replay && qos == Qos::at_most_once) continue;  // not kept, but it had a number
    QueuedMessage queued;
    queued.number = number;
    queued.message = std::move(message);
    queued.qos = qos;
    queued.retain = true;
    queued.is_logged = session.is_persistent() && qos != Qos::at_most_once;
    queued.record =
        queued.is_logged && qos == Qos::exactly_once && !is_replay ? journal_.step() : 0;
    if (wanted.options.id != mqtt::SubscriptionId{}) {
      (void)queued.subscription_ids.add(wanted.options.id);
    }
    enqueue(session, std::move(queued));
  }
}

bool BrokerState::has_room_to_retain(const Message& message, Timestamp now) {
  if (retained_.has_room(message)) return true;
  std::vector<MessagePtr> expired;
  retained_.find_expired(now, expired);
  for (const MessagePtr& old : expired) {
    facts::begin(Kind::retained_removed, old->topic(), facts());
    retained_.remove(old->topic());
  }
  return retained_.has_room(message);
}

}  // namespace ficus::connect
