// The queue of one session: in, out, acknowledged; and QoS 2 from clients (MQTT 5.0, 4.3).

#include <algorithm>

#include "base/check.h"
#include "connect/mqtt/broker_state.h"

namespace ficus::connect {

using facts::Kind;
using mqtt::Qos;

bool BrokerState::fits_its_queue(const Session& session, std::size_t bytes) const {
  return session.queue.size() < limits_.session_messages_max &&
         session.queued_bytes + bytes <= limits_.session_bytes_max;
}

DropCause BrokerState::why_no_room(const Session& session, std::size_t bytes) const {
  return fits_its_queue(session, bytes) ? DropCause::queues_full : DropCause::queue_full;
}

bool BrokerState::has_room(Session& session, std::size_t bytes, Timestamp now) {
  const auto fits = [&] {
    return fits_its_queue(session, bytes) &&
           queue_memory_.bytes() + QueueMemory::most_of(bytes) <= limits_.queued_bytes_max;
  };
  if (fits()) return true;
  drop_expired(session, now);
  return fits();
}

void BrokerState::enqueue(Session& session, QueuedMessage message) {
  session.next_number = std::max(session.next_number, message.number + 1);
  session.queued_bytes += message.bytes();
  queue_memory_.add(message);
  session.queue.push_back(std::move(message));
}

FrontQueue<QueuedMessage> BrokerState::take_queue(Session& session) {
  FrontQueue<QueuedMessage> queue;
  queue.swap(session.queue);
  session.queued_bytes = 0;
  for (const QueuedMessage& queued : queue) queue_memory_.remove(queued);
  return queue;
}

// The client has it; its place in the queue stays until all is said.
void BrokerState::forget_message(Session& session, QueuedMessage& queued) {
  session.queued_bytes -= queued.bytes();
  queue_memory_.remove_message(queued);
  queued.message = nullptr;
}

void BrokerState::erase_queued(Session& session, FrontQueue<QueuedMessage>::iterator at) {
  const auto place = static_cast<std::size_t>(at - session.queue.begin());
  if (place < session.in_flight) --session.in_flight;
  session.queued_bytes -= at->bytes();
  queue_memory_.remove(*at);
  session.queue.erase(at);
}

void BrokerState::write_gone(const Session& session, const QueuedMessage& queued) {
  if (session.is_persistent() && queued.is_logged) {
    facts::write_number(Kind::gone, session, queued.number, facts());
  }
}

void BrokerState::drop_next(Session& session) {
  FICUS_CHECK(session.has_waiting());
  const auto next = session.queue.begin() + static_cast<std::ptrdiff_t>(session.in_flight);
  write_gone(session, *next);
  erase_queued(session, next);
}

void BrokerState::drop_expired(Session& session, Timestamp now) {
  while (session.has_waiting()) {
    const QueuedMessage& next = session.queue[session.in_flight];
    // What was sent once is sent again ([MQTT-4.3.3-7]).
    if (next.was_sent || !next.message->is_expired(now)) return;
    ++counts_.messages_expired;
    drop_next(session);
  }
}

bool BrokerState::acknowledge(Session& session, mqtt::PacketId packet_id) {
  const auto found = session.find_in_flight(packet_id);
  if (found == session.queue.end() || found->message == nullptr) return false;
  write_gone(session, *found);
  erase_queued(session, found);
  return true;
}

bool BrokerState::take(Session& session, mqtt::PacketId packet_id) {
  const auto found = session.find_in_flight(packet_id);
  if (found == session.queue.end() || found->qos != Qos::exactly_once) return false;
  if (found->message == nullptr) return true;  // the client says it again
  forget_message(session, *found);
  if (session.is_persistent() && found->is_logged) {
    facts::write_number(Kind::taken, session, found->number, facts());
  }
  return true;
}

bool BrokerState::complete(Session& session, mqtt::PacketId packet_id) {
  const auto found = session.find_in_flight(packet_id);
  if (found == session.queue.end() || found->message != nullptr) return false;
  write_gone(session, *found);
  erase_queued(session, found);
  return true;
}

// ---- QoS 2 messages from clients

bool BrokerState::receive(Session& session, mqtt::PacketId packet_id) {
  if (!session.add_received(packet_id)) return false;
  if (session.is_persistent()) {
    facts::write_number(Kind::received, session, static_cast<std::uint16_t>(packet_id), facts());
  }
  return true;
}

bool BrokerState::release(Session& session, mqtt::PacketId packet_id) {
  if (!session.remove_received(packet_id)) return false;
  if (session.is_persistent()) {
    facts::write_number(Kind::released, session, static_cast<std::uint16_t>(packet_id), facts());
  }
  return true;
}

std::uint64_t BrokerState::hold(const MessagePtr& message, Timestamp received_at) {
  const std::uint64_t number = next_held_++;
  held_.emplace(number, HeldMessage{message, received_at});
  facts::write_held(number, received_at, *message, facts());
  return number;
}

void BrokerState::handed_over(std::uint64_t number) {
  if (held_.erase(number) == 0) return;
  fact::ByteWriter fact(facts());
  fact.u8(static_cast<std::uint8_t>(Kind::handed_over));
  fact.text({});
  fact.varint(number);
}

}  // namespace ficus::connect
