// What the broker's log says, read again.

#include <algorithm>

#include "base/planted.h"
#include "connect/mqtt/broker_facts.h"
#include "connect/mqtt/broker_state.h"

namespace ficus::connect {

using facts::Kind;

Status BrokerState::replay(std::string_view payload, Timestamp, log::Position) {
  std::vector<std::string_view> step;
  FICUS_TRY_VOID(steps_.add(payload, step));
  for (const std::string_view facts : step) FICUS_TRY_VOID(replay_facts(facts));
  return {};
}

Status BrokerState::replay_facts(std::string_view facts) {
  fact::ByteReader in(facts);
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
    case Kind::retained_wanted:
    case Kind::taken:
    case Kind::gone:
    case Kind::moved:
    case Kind::received:
    case Kind::released:
    case Kind::handed_over: {
      const std::string_view client_id = in.text();
      return in.ok() && replay_queue_fact(kind, client_id, in);
    }
    case Kind::queue:
    case Kind::retained_at:
    case Kind::held_at:
      return restore_fact(kind, in);
  }
  return false;  // of no kind that we know
}

bool BrokerState::replay_message_fact(Kind kind, fact::ByteReader& in) {
  const MessagePtr message = facts::read_message(in);
  if (message == nullptr) return false;
  if (kind == Kind::retained) {
    if (FICUS_PLANTED(forget_retained_at_restart)) return true;
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
    std::string owner(in.text());
    const Micros delay{in.i64()};
    if (in.ok()) {
      wills_.put(
          client_id,
          {.message = message, .owner = std::move(owner), .delay = delay, .due = std::nullopt});
    }
    return true;
  }
  for (std::size_t left = in.count(3); left > 0 && in.ok(); --left) {
    facts::QueuedFor wanted = facts::read_queued_for(in);
    if (FICUS_PLANTED(lose_queued_at_restart) && wanted.queued.number % 16 == 5) continue;
    wanted.queued.message = message;
    if (in.ok()) replay_queued(std::move(wanted));
  }
  return true;
}

void BrokerState::replay_queued(facts::QueuedFor wanted) {
  Session* const session = find(wanted.client_id);
  if (session == nullptr) return;
  if (!wanted.group.empty()) {
    // One without members any more is kept for its name only.
    const auto group = groups_.find(wanted.group);
    wanted.queued.group = group != groups_.end()
                              ? group->second
                              : std::make_shared<SharedGroup>(std::string(wanted.group));
  }
  enqueue(*session, std::move(wanted.queued));
}

bool BrokerState::replay_moved(std::string_view from, std::uint64_t number, fact::ByteReader& in) {
  facts::QueuedFor wanted = facts::read_queued_for(in);
  Session* const session = find(from);
  if (!in.ok() || session == nullptr) return in.ok();
  const auto found = session->find_number(number);
  if (found == session->queue.end()) return true;
  wanted.queued.message = found->message;
  erase_queued(*session, found);
  if (wanted.queued.message != nullptr) replay_queued(std::move(wanted));
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
    stop_waiting(*session);
    session->expiry = expiry;
    session->owner = owner;
    session->was_online_in_log = true;
  } else if (kind == Kind::session_closed) {
    const Timestamp since{in.i64()};
    const std::uint64_t last_sent = in.varint();
    if (session == nullptr) return true;
    begin_waiting(*session, since);
    session->was_online_in_log = false;
    for (QueuedMessage& queued : session->queue) queued.was_sent = queued.number <= last_sent;
  } else if (kind == Kind::session_ended) {
    if (session != nullptr) remove_session(*session);
  } else if (kind == Kind::subscribed) {
    const std::string_view filter = in.text();
    const SubscriptionOptions options = facts::read_options(in);
    if (session == nullptr || !in.ok()) return true;
    put_subscription(*session, filter, options);
    add_to_tree(*session, filter, options);
  } else {
    const std::string_view filter = in.text();
    if (session == nullptr) return true;
    const auto found = session->subscriptions.find(filter);
    if (found == session->subscriptions.end()) return true;
    remove_from_tree(*session, filter);
    forget_wish(*session, filter);
    session->filter_bytes -= filter.size();
    session->subscriptions.erase(found);
  }
  return true;
}

bool BrokerState::replay_queue_fact(Kind kind, std::string_view client_id, fact::ByteReader& in) {
  Session* const session = find(client_id);
  if (kind == Kind::retained_queued) return replay_fetched(session, in);
  if (kind == Kind::retained_wanted) {
    RetainedWish wish;
    wish.filter = in.text();
    wish.options = facts::read_options(in);
    wish.after = in.text();
    if (session != nullptr && in.ok()) put_wish(*session, std::move(wish));
    return in.ok();
  }
  const std::uint64_t number = in.varint();
  if (kind == Kind::handed_over) {
    held_.erase(number);
    return true;
  }
  if (kind == Kind::moved) return replay_moved(client_id, number, in);
  if (session == nullptr) return true;
  if (kind == Kind::received || kind == Kind::released) {
    const auto packet_id = static_cast<mqtt::PacketId>(static_cast<std::uint16_t>(number));
    if (number == 0 || number > 65'535) return false;
    if (FICUS_PLANTED(forget_packet_id_at_restart)) return true;
    if (kind == Kind::received) {
      session->add_received(packet_id);
    } else {
      session->remove_received(packet_id);
    }
    return true;
  }
  const auto found = session->find_number(number);
  if (kind == Kind::gone) {
    if (found != session->queue.end()) erase_queued(*session, found);
  } else if (found != session->queue.end() && found->message != nullptr) {
    forget_message(*session, *found);
  }
  return true;
}

}  // namespace ficus::connect
