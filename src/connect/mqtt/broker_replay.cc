// How the broker's state is written as a snapshot, and read from snapshots and the log.

#include <algorithm>

#include "connect/mqtt/broker_facts.h"
#include "connect/mqtt/broker_state.h"

namespace ficus::connect {

using facts::Kind;

LogFold::Sections BrokerState::encode() const {
  std::string out(1, static_cast<char>(facts::kVersion));
  for (const auto& [topic, message] : retained_.all()) facts::write_retained(*message, out);
  for (const auto& [id, session] : sessions_) {
    if (!session->is_persistent()) continue;
    facts::write_opened(*session, out);
    for (const auto& [filter, options] : session->subscriptions) {
      facts::write_subscribed(*session, filter, options, out);
    }
  }
  // Behind all subscriptions, as messages may name a group.
  for (const auto& [id, session] : sessions_) {
    if (!session->is_persistent()) continue;
    for (const mqtt::PacketId packet_id : session->received()) {
      facts::write_number(Kind::received, *session, static_cast<std::uint16_t>(packet_id), out);
    }
    for (const QueuedMessage& queued : session->queue) {
      if (!queued.is_logged) continue;
      if (queued.message == nullptr) {
        facts::write_number(Kind::taken, *session, queued.number, out);
      } else {
        facts::write_queued(*session, queued, out);
      }
    }
    if (session->connection == nullptr && !session->was_online_in_log) {
      facts::write_closed(*session, out);
    }
  }
  for (const auto& [number, held] : held_) {
    facts::write_held(number, held.received_at, *held.message, out);
  }
  for (const auto& [client_id, will] : wills_.all()) facts::write_will(client_id, will, out);
  return {{"broker", std::move(out)}};
}

Status BrokerState::restore(const Sections& sections) {
  for (const auto& [name, bytes] : sections) {
    if (name != "broker") return fail(ErrorCode::corrupt, "unknown section '" + name + "'");
    FICUS_TRY_VOID(replay_facts(bytes));
  }
  return {};
}

Status BrokerState::replay(std::string_view payload, Timestamp, log::Position) {
  return replay_facts(payload);
}

Status BrokerState::replay_facts(std::string_view facts) {
  fact::ByteReader in(facts);
  if (facts.empty()) return {};
  if (in.u8() != facts::kVersion) {
    return fail(ErrorCode::corrupt, "the broker's log is of another version of Ficus");
  }
  while (!in.done()) {
    if (!replay_fact(in) || !in.ok()) {
      return fail(ErrorCode::corrupt, "damaged fact in the broker's log");
    }
  }
  return {};
}

// False if it cannot be read.
bool BrokerState::replay_fact(fact::ByteReader& in) {
  const auto kind = static_cast<Kind>(in.u8());
  switch (kind) {
    case Kind::retained:
    case Kind::queued:
    case Kind::held:
    case Kind::will_set:
      return replay_message_fact(kind, in);
    case Kind::session_opened:
    case Kind::session_closed:
    case Kind::session_ended:
    case Kind::subscribed:
    case Kind::unsubscribed:
    case Kind::will_due:
    case Kind::will_removed: {
      const std::string_view client_id = in.text();
      return in.ok() && replay_session_fact(kind, client_id, in);
    }
    case Kind::retained_removed: {
      const std::string_view topic = in.text();
      if (in.ok()) retained_.remove(topic);
      return true;
    }
    case Kind::retained_queued:
    case Kind::taken:
    case Kind::gone:
    case Kind::received:
    case Kind::released:
    case Kind::handed_over: {
      const std::string_view client_id = in.text();
      return in.ok() && replay_queue_fact(kind, client_id, in);
    }
  }
  return false;  // of no kind that we know
}

bool BrokerState::replay_message_fact(Kind kind, fact::ByteReader& in) {
  const MessagePtr message = facts::read_message(in);
  if (message == nullptr) return false;
  if (kind == Kind::retained) {
    retained_.set(message);  // it had room then
    return true;
  }
  if (kind == Kind::held) {
    const std::uint64_t number = in.varint();
    const Timestamp received_at{in.i64()};
    next_held_ = std::max(next_held_, number + 1);
    if (in.ok()) held_[number] = {message, received_at};
    return true;
  }
  if (kind == Kind::will_set) {
    const std::string_view client_id = in.text();
    const Micros delay{in.i64()};
    if (in.ok()) wills_.put(client_id, {.message = message, .delay = delay, .due = std::nullopt});
    return true;
  }
  for (std::size_t left = in.count(3); left > 0 && in.ok(); --left) {
    facts::QueuedFor wanted = facts::read_queued_for(in);
    Session* const session = find(wanted.client_id);
    if (session == nullptr || !in.ok()) continue;
    wanted.queued.message = message;
    if (!wanted.group.empty()) {
      // One without members any more is kept for its name only.
      const auto group = groups_.find(wanted.group);
      wanted.queued.group = group != groups_.end()
                                ? group->second
                                : std::make_shared<SharedGroup>(std::string(wanted.group));
    }
    enqueue(*session, std::move(wanted.queued));
  }
  return true;
}

bool BrokerState::replay_session_fact(Kind kind, std::string_view client_id, fact::ByteReader& in) {
  if (kind == Kind::will_due) {
    wills_.set_due(client_id, Timestamp{in.i64()});
    return true;
  }
  if (kind == Kind::will_removed) {
    wills_.remove(client_id);
    return true;
  }
  Session* session = find(client_id);
  if (kind == Kind::session_opened) {
    const Micros expiry{in.i64()};
    const std::string_view owner = in.text();
    if (!in.ok()) return false;
    if (session == nullptr) session = &insert_session(client_id, expiry);
    session->expiry = expiry;
    session->owner = owner;
    session->was_online_in_log = true;
  } else if (kind == Kind::session_closed) {
    const Timestamp since{in.i64()};
    const std::uint64_t last_sent = in.varint();
    if (session == nullptr) return true;
    session->offline_since = since;
    session->was_online_in_log = false;
    for (QueuedMessage& queued : session->queue) queued.was_sent = queued.number <= last_sent;
  } else if (kind == Kind::session_ended) {
    if (session != nullptr) remove_session(*session);
  } else if (kind == Kind::subscribed) {
    const std::string_view filter = in.text();
    const SubscriptionOptions options = facts::read_options(in);
    if (session == nullptr || !in.ok()) return true;
    session->subscriptions[std::string(filter)] = options;
    add_to_tree(*session, filter, options);
  } else {
    const std::string_view filter = in.text();
    if (session == nullptr) return true;
    const auto found = session->subscriptions.find(filter);
    if (found == session->subscriptions.end()) return true;
    remove_from_tree(*session, filter);
    session->subscriptions.erase(found);
  }
  return true;
}

bool BrokerState::replay_queue_fact(Kind kind, std::string_view client_id, fact::ByteReader& in) {
  Session* const session = find(client_id);
  if (kind == Kind::retained_queued) {
    const std::string_view filter = in.text();
    const SubscriptionOptions options = facts::read_options(in);
    const Timestamp now{in.i64()};
    const std::uint64_t first = in.varint();
    if (session == nullptr || !in.ok()) return true;
    session->next_number = std::max(session->next_number, first);
    queue_retained(*session, {filter, options, now}, true);
    return true;
  }
  const std::uint64_t number = in.varint();
  if (kind == Kind::handed_over) {
    held_.erase(number);
    return true;
  }
  if (session == nullptr) return true;
  if (kind == Kind::received || kind == Kind::released) {
    const auto packet_id = static_cast<mqtt::PacketId>(static_cast<std::uint16_t>(number));
    if (number == 0 || number > 65'535) return false;
    if (kind == Kind::received) {
      session->add_received(packet_id);
    } else {
      session->remove_received(packet_id);
    }
    return true;
  }
  const auto found = std::find_if(session->queue.begin(), session->queue.end(),
                                  [&](const QueuedMessage& m) { return m.number == number; });
  if (kind == Kind::gone) {
    if (found != session->queue.end()) erase_queued(*session, found);
  } else if (found == session->queue.end()) {  // a snapshot keeps only this of it
    QueuedMessage taken;
    taken.number = number;
    taken.qos = mqtt::Qos::exactly_once;
    taken.is_logged = true;
    taken.was_sent = true;
    enqueue(*session, std::move(taken));
  } else if (found->message != nullptr) {
    session->queued_bytes -= found->message->bytes().size();
    found->message = nullptr;
  }
  return true;
}

}  // namespace ficus::connect
