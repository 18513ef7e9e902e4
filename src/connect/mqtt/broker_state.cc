#include "connect/mqtt/broker_state.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/check.h"
#include "codec/mqtt/topic.h"

namespace ficus::connect {

using facts::Kind;
using mqtt::Qos;

BrokerState::BrokerState(const BrokerLimits& limits)
    : limits_(limits), retained_(limits.retained) {}

BrokerState::~BrokerState() = default;

std::string& BrokerState::facts() {
  if (facts_.empty()) facts_ += static_cast<char>(facts::kVersion);
  return facts_;
}

std::string BrokerState::take_facts() {
  std::string facts = std::move(facts_);
  facts_.clear();
  ++record_;
  return facts;
}

// ---- sessions

Session* BrokerState::find(std::string_view client_id) {
  const auto found = sessions_.find(client_id);
  return found == sessions_.end() ? nullptr : found->second.get();
}

Session& BrokerState::insert_session(std::string_view client_id, Micros expiry) {
  auto session = std::make_unique<Session>(std::string(client_id));
  session->expiry = expiry;
  Session& inserted = *session;
  sessions_.emplace(inserted.client_id(), std::move(session));
  return inserted;
}

void BrokerState::remove_session(Session& session) {
  for (const auto& [filter, options] : session.subscriptions) remove_from_tree(session, filter);
  sessions_.erase(session.client_id());
}

void BrokerState::end_session(Session& session, Timestamp now) {
  // A will waits for its delay or the end of the session, whichever is first (3.1.3.2.2).
  if (wills_.find(session.client_id()) != nullptr) {
    wills_.set_due(session.client_id(), now);
    facts::write_will_due(session.client_id(), now, facts());
  }
  if (session.is_persistent()) facts::begin(Kind::session_ended, session.client_id(), facts());
  for (const auto& [filter, options] : session.subscriptions) remove_from_tree(session, filter);
  session.subscriptions.clear();
  share_again(session, true, now);
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
  session.offline_since = now;
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

void BrokerState::expire(Timestamp now) {
  std::vector<std::string> ended;  // names, as ending one session may change others
  for (const auto& [id, session] : sessions_) {
    if (session->connection == nullptr && now - session->offline_since > session->expiry) {
      ended.emplace_back(id);
    }
  }
  for (const std::string& id : ended) end_session(*find(id), now);
}

void BrokerState::all_offline(Timestamp now) {
  for (const auto& [id, session] : sessions_) {
    if (!session->was_online_in_log) continue;
    session->was_online_in_log = false;
    session->offline_since = now;
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

// ---- subscriptions

std::shared_ptr<SharedGroup> BrokerState::group_of(std::string_view filter) {
  auto found = groups_.find(filter);
  if (found == groups_.end()) {
    std::string name(filter);
    auto group = std::make_shared<SharedGroup>(name);
    found = groups_.emplace(std::move(name), std::move(group)).first;
  }
  return found->second;
}

void BrokerState::add_to_tree(Session& session, std::string_view filter,
                              SubscriptionOptions options) {
  const auto parsed = mqtt::parse_filter(filter);
  if (!parsed || !parsed->is_shared()) return tree_.add(filter, session, options);
  const std::shared_ptr<SharedGroup> group = group_of(filter);
  if (group->empty()) tree_.add(parsed->filter, *group);
  group->add(session, options);
}

void BrokerState::remove_from_tree(Session& session, std::string_view filter) {
  const auto parsed = mqtt::parse_filter(filter);
  if (!parsed || !parsed->is_shared()) return tree_.remove(filter, session);
  const auto found = groups_.find(filter);
  if (found == groups_.end()) return;
  SharedGroup& group = *found->second;
  group.remove(session);
  if (!group.empty()) return;
  tree_.remove(parsed->filter, group);
  groups_.erase(found);  // messages on their way may still hold it
}

Status BrokerState::subscribe(Session& session, std::string_view filter,
                              SubscriptionOptions options, bool& is_new) {
  const auto found = session.subscriptions.find(filter);
  is_new = found == session.subscriptions.end();
  if (is_new && session.subscriptions.size() >= limits_.subscriptions_per_session_max) {
    return fail(ErrorCode::overloaded, "the session has its full number of subscriptions");
  }
  if (is_new || found->second != options) {
    session.subscriptions[std::string(filter)] = options;
    if (session.is_persistent()) facts::write_subscribed(session, filter, options, facts());
  }
  add_to_tree(session, filter, options);
  return {};
}

bool BrokerState::unsubscribe(Session& session, std::string_view filter) {
  const auto found = session.subscriptions.find(filter);
  if (found == session.subscriptions.end()) return false;
  remove_from_tree(session, filter);
  session.subscriptions.erase(found);
  if (session.is_persistent()) {
    facts::begin(Kind::unsubscribed, session.client_id(), facts()).text(filter);
  }
  return true;
}

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
    queued.record = queued.is_logged && qos == Qos::exactly_once && !is_replay ? record_ : 0;
    if (wanted.options.id != mqtt::SubscriptionId{}) {
      (void)queued.subscription_ids.add(wanted.options.id);
    }
    enqueue(session, std::move(queued));
  }
}

// ---- messages to clients

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

void BrokerState::publish(const MessagePtr& message, const Session* origin, Timestamp now) {
  if (message->publish().retain) {
    if (has_room_to_retain(*message, now)) {
      retained_.set(message);
      facts::write_retained(*message, facts());
    } else {
      ++counts_.retained_refused;
    }
  }
  matched_.clear();
  delivered_.clear();
  tree_.match(message->topic(), matched_);
  // A session with several fitting filters gets the message once, at the highest QoS, with the
  // identifiers of all (MQTT 5.0, 3.3.4).
  std::sort(matched_.begin(), matched_.end(), [](const Subscriber& a, const Subscriber& b) {
    return std::pair(a.session, b.options.qos) < std::pair(b.session, a.options.qos);
  });
  for (std::size_t i = 0; i < matched_.size();) {
    const Subscriber first = matched_[i];
    if (first.session == nullptr) {
      deliver_to_group(message, *first.group, now);
      ++i;
      continue;
    }
    ids_.clear();
    const SubscriptionOptions* options = nullptr;
    for (; i < matched_.size() && matched_[i].session == first.session; ++i) {
      const SubscriptionOptions& one = matched_[i].options;
      if (one.no_local && first.session == origin) continue;
      if (options == nullptr) options = &one;
      if (one.id != mqtt::SubscriptionId{}) (void)ids_.add(one.id);
    }
    if (options != nullptr) deliver(message, *first.session, *options, nullptr, now);
  }
  write_delivered(*message);
  wake_delivered();
}

void BrokerState::deliver_to_group(const MessagePtr& message, SharedGroup& group, Timestamp now) {
  const SharedGroup::Member* const member = group.choose([&](const SharedGroup::Member& m) {
    const bool is_kept = std::min(message->qos(), m.options.qos) != Qos::at_most_once;
    return is_kept ? has_room(*m.session, *message, now) : m.session->connection != nullptr;
  });
  if (member == nullptr) {
    ++counts_.messages_dropped;
    return;
  }
  ids_.clear();
  if (member->options.id != mqtt::SubscriptionId{}) (void)ids_.add(member->options.id);
  const auto found = groups_.find(group.name());
  deliver(message, *member->session, member->options, found->second, now);
}

void BrokerState::deliver(const MessagePtr& message, Session& session,
                          const SubscriptionOptions& options,
                          const std::shared_ptr<SharedGroup>& group, Timestamp now) {
  // Unless asked for otherwise, a message that is passed on as it comes is not a retained one
  // (3.3.1.3).
  const bool retain = options.retain_as_published && message->publish().retain;
  const Qos qos = std::min(message->qos(), options.qos);
  if (qos == Qos::at_most_once) {
    if (session.connection != nullptr) session.connection->send_now(message, retain, ids_);
    return;
  }
  if (!has_room(session, *message, now)) {
    ++session.dropped;
    ++counts_.messages_dropped;
    return;
  }
  QueuedMessage queued;
  queued.number = session.next_number;
  queued.message = message;
  queued.group = group;
  if (!ids_.view().empty()) queued.subscription_ids = ids_;
  queued.qos = qos;
  queued.retain = retain;
  queued.is_logged = session.is_persistent();
  queued.record = queued.is_logged && qos == Qos::exactly_once ? record_ : 0;
  delivered_.push_back({&session, queued.number});
  enqueue(session, std::move(queued));
}

void BrokerState::write_delivered(const Message& message) {
  // One fact for all: the message stands in the log once.
  const auto logged = [](const Delivered& d) -> const QueuedMessage* {
    const QueuedMessage* const queued = d.session->find_recent(d.number);
    return queued != nullptr && queued->is_logged ? queued : nullptr;
  };
  const auto count = std::count_if(delivered_.begin(), delivered_.end(),
                                   [&](const Delivered& d) { return logged(d) != nullptr; });
  if (count == 0) return;
  fact::ByteWriter fact(facts());
  fact.u8(static_cast<std::uint8_t>(Kind::queued));
  facts::write_message(message, fact);
  fact.varint(static_cast<std::uint64_t>(count));
  for (const Delivered& d : delivered_) {
    if (const QueuedMessage* const queued = logged(d)) {
      facts::write_queued_for(*d.session, *queued, fact);
    }
  }
}

void BrokerState::wake_delivered() {
  // Sending comes last: a message that the client cannot take is dropped at once, and that fact
  // must stand behind the one that it was queued.
  for (const Delivered& d : delivered_) {
    if (d.session->connection != nullptr) d.session->connection->send_queued();
  }
}

// The session has lost its connection, or has ended: what it had by shared subscriptions goes to
// other members, as far as 4.8.2 allows. A message of QoS 2 that was sent stays with it for ever
// ([MQTT-4.8.2-4], [MQTT-4.8.2-5]), one of QoS 1 until its session ends.
void BrokerState::share_again(Session& from, bool has_ended, Timestamp now) {
  const bool has_shared = std::any_of(from.queue.begin(), from.queue.end(),
                                      [](const QueuedMessage& q) { return q.group != nullptr; });
  if (!has_shared) return;
  FrontQueue<QueuedMessage> queue;
  queue.swap(from.queue);
  from.queued_bytes = 0;
  delivered_.clear();
  for (QueuedMessage& queued : queue) {
    const SharedGroup::Member* to = nullptr;
    const bool is_bound = queued.was_sent && (queued.qos == Qos::exactly_once || !has_ended);
    const auto group = queued.group == nullptr ? groups_.end() : groups_.find(queued.group->name());
    if (group != groups_.end() && queued.message != nullptr && !is_bound) {
      to = group->second->choose([&](const SharedGroup::Member& m) {
        if (m.session == &from) return false;
        const bool is_online = m.session->connection != nullptr;
        const bool is_kept = std::min(queued.message->qos(), m.options.qos) != Qos::at_most_once;
        if (!is_kept) return is_online;
        return (has_ended || is_online) && has_room(*m.session, *queued.message, now);
      });
    }
    if (to == nullptr) {
      enqueue(from, std::move(queued));
      continue;
    }
    ++counts_.messages_moved;
    if (!has_ended) write_gone(from, queued);
    ids_.clear();
    if (to->options.id != mqtt::SubscriptionId{}) (void)ids_.add(to->options.id);
    const std::size_t before = delivered_.size();
    deliver(queued.message, *to->session, to->options, group->second, now);
    if (delivered_.size() == before) continue;
    const QueuedMessage* const moved = to->session->find_recent(delivered_.back().number);
    if (moved != nullptr && moved->is_logged) facts::write_queued(*to->session, *moved, facts());
  }
  wake_delivered();
}

bool BrokerState::has_room(Session& session, std::size_t bytes, Timestamp now) {
  const auto fits = [&] {
    return session.queue.size() < limits_.session_messages_max &&
           session.queued_bytes + bytes <= limits_.session_bytes_max;
  };
  if (fits()) return true;
  drop_expired(session, now);
  return fits();
}

void BrokerState::enqueue(Session& session, QueuedMessage message) {
  session.next_number = std::max(session.next_number, message.number + 1);
  if (message.message != nullptr) session.queued_bytes += message.message->bytes().size();
  session.queue.push_back(std::move(message));
}

void BrokerState::erase_queued(Session& session, FrontQueue<QueuedMessage>::iterator at) {
  const auto place = static_cast<std::size_t>(at - session.queue.begin());
  if (place < session.in_flight) --session.in_flight;
  if (at->message != nullptr) session.queued_bytes -= at->message->bytes().size();
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
  session.queued_bytes -= found->message->bytes().size();
  found->message = nullptr;
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

// ---- wills

void BrokerState::set_will(const Session& session, const MessagePtr& message, Micros delay) {
  const Will will{.message = message, .delay = delay, .due = std::nullopt};
  facts::write_will(session.client_id(), will, facts());
  wills_.put(session.client_id(), will);
}

void BrokerState::remove_will(std::string_view client_id) {
  if (wills_.remove(client_id)) facts::begin(Kind::will_removed, client_id, facts());
}

std::optional<std::pair<std::string, MessagePtr>> BrokerState::take_due_will(Timestamp now) {
  const std::optional<std::string> client_id = wills_.first_due(now);
  if (!client_id) return std::nullopt;
  MessagePtr message = wills_.find(*client_id)->message;
  remove_will(*client_id);
  return std::pair(*client_id, std::move(message));
}

}  // namespace ficus::connect
