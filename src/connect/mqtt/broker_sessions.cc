// Sessions: how they begin, wait for their client, and end.

#include <fmt/format.h>

#include <algorithm>

#include "base/check.h"
#include "connect/mqtt/broker_state.h"

namespace ficus::connect {

using facts::Kind;
using mqtt::Qos;

Session& BrokerState::insert_session(std::string_view client_id, Micros expiry) {
  auto session = std::make_unique<Session>(std::string(client_id), next_session_++);
  session->expiry = expiry;
  Session& inserted = *session;
  sessions_.emplace(inserted.client_id(), std::move(session));
  return inserted;
}

void BrokerState::begin_waiting(Session& session, Timestamp since) {
  stop_waiting(session);
  session.offline_since = since;
  deadlines_.emplace(since + session.expiry, session.client_id());
}

void BrokerState::stop_waiting(Session& session) {
  deadlines_.erase({session.offline_since + session.expiry, session.client_id()});
}

void BrokerState::remove_session(Session& session) {
  stop_waiting(session);
  for (const auto& [filter, options] : session.subscriptions) remove_from_tree(session, filter);
  (void)take_queue(session);
  sessions_.erase(session.client_id());
}

void BrokerState::end_session(Session& session, Timestamp now) {
  // A will waits for its delay or the end of the session, whichever is first (3.1.3.2.2).
  if (wills_.find(session.client_id()) != nullptr) {
    wills_.set_due(session.client_id(), now);
    facts::write_will_due(session.client_id(), now, facts());
  }
  for (const auto& [filter, options] : session.subscriptions) remove_from_tree(session, filter);
  work_ += 1 + session.subscriptions.size() + session.queue.size();
  session.subscriptions.clear();
  share_again(session, true, now);
  // Behind what others took over from it: a replay finds those messages in its queue.
  if (session.is_persistent()) facts::begin(Kind::session_ended, session.client_id(), facts());
  remove_session(session);
}

Result<BrokerState::Opened> BrokerState::open(const Opening& opening, Timestamp now) {
  const std::string_view client_id = opening.client_id;
  const Micros expiry = std::min(opening.expiry, limits_.session_expiry_max);
  Session* session = find(client_id);
  if (session != nullptr && opening.clean_start) {
    FICUS_CHECK(session->connection == nullptr);
    end_session(*session, now);
    session = nullptr;
  }
  const bool was_present = session != nullptr;
  if (session == nullptr) {
    if (sessions_.size() >= limits_.sessions_max) {
      return fail(ErrorCode::overloaded, fmt::format("there are {} sessions already, the most "
                                                     "allowed",
                                                     limits_.sessions_max));
    }
    session = &insert_session(client_id, expiry);
  } else {
    remove_will(client_id);
  }
  stop_waiting(*session);
  const bool was_persistent = was_present && session->is_persistent();
  session->expiry = expiry;
  session->owner = opening.owner;
  if (session->is_persistent()) {
    facts::write_opened(*session, facts());
  } else if (was_persistent) {
    facts::begin(Kind::session_ended, client_id, facts());
  }
  return Opened{session, was_present};
}

void BrokerState::go_offline(Session& session, Timestamp now) {
  session.connection = nullptr;
  session.in_flight = 0;  // sent again on the next connection (MQTT 5.0, 4.4)
  if (!session.is_persistent()) return end_session(session, now);
  begin_waiting(session, now);
  facts::write_closed(session, facts());
  if (const Will* const will = wills_.find(session.client_id())) {
    const Timestamp due = now + std::min(will->delay, session.expiry);
    wills_.set_due(session.client_id(), due);
    facts::write_will_due(session.client_id(), due, facts());
  }
  share_again(session, false, now);
}

void BrokerState::set_expiry(Session& session, Micros expiry) {
  if (!session.is_persistent()) return;  // MQTT 5.0, 3.14.2.2.2: zero at CONNECT stays zero
  session.expiry = std::min(expiry, limits_.session_expiry_max);
  if (session.is_persistent()) {
    facts::write_opened(session, facts());
  } else {
    facts::begin(Kind::session_ended, session.client_id(), facts());
  }
}

bool BrokerState::expire(Timestamp now, std::size_t sessions_max) {
  for (; !deadlines_.empty() && deadlines_.begin()->first < now; --sessions_max) {
    if (sessions_max == 0) return false;
    end_session(*find(deadlines_.begin()->second), now);
  }
  return true;
}

void BrokerState::end(Session& session, Timestamp now) {
  FICUS_CHECK(session.connection == nullptr);
  remove_will(session.client_id());
  end_session(session, now);
}

Session* BrokerState::next_offline(Place& place) {
  const auto next = deadlines_.upper_bound({place.deadline, place.client_id});
  if (next == deadlines_.end()) return nullptr;
  ++work_;
  place = {.deadline = next->first, .client_id = std::string(next->second)};
  return find(next->second);
}

void BrokerState::all_offline(Timestamp now) {
  steps_.forget_unfinished();
  for (const auto& [id, session] : sessions_) {
    if (!session->was_online_in_log) continue;
    session->was_online_in_log = false;
    begin_waiting(*session, now);
    // Whether it was sent before the end is not known: as if it had been.
    for (QueuedMessage& queued : session->queue) queued.was_sent = true;
    facts::write_closed(*session, facts());
  }
  std::vector<std::pair<std::string, Timestamp>> due;
  for (const auto& [id, will] : wills_.all()) {
    if (will.due) continue;
    const Session* const session = find(id);
    const Micros expiry = session == nullptr ? Micros{} : session->expiry;
    due.emplace_back(id, now + std::min(will.delay, expiry));
  }
  for (const auto& [id, time] : due) {
    wills_.set_due(id, time);
    facts::write_will_due(id, time, facts());
  }
}

}  // namespace ficus::connect
