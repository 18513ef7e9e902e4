#include "connect/mqtt/broker_state.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "base/check.h"
#include "codec/fact/bytes.h"

namespace ficus::connect {
namespace {

using fact::ByteReader;
using fact::ByteWriter;

// The kinds of facts, as they stand in the log: never renumber.
enum class FactKind : std::uint8_t {
  session_opened = 1,  // client id, expiry
  session_ended = 2,   // client id
  subscribed = 3,      // client id, filter, options
  unsubscribed = 4,    // client id, filter
  retained = 5,        // message; an empty payload removes
  queued = 6,          // message, then for each session: client id, number, options
  acknowledged = 7,    // client id, number
};

std::uint8_t pack(SubscriptionOptions options) {
  return static_cast<std::uint8_t>(static_cast<unsigned>(options.qos) |
                                   (options.no_local ? 4U : 0U) |
                                   (options.retain_as_published ? 8U : 0U));
}

SubscriptionOptions unpack(std::uint8_t bits) {
  return {.qos = static_cast<mqtt::Qos>(bits & 3U),
          .no_local = (bits & 4U) != 0,
          .retain_as_published = (bits & 8U) != 0};
}

constexpr std::uint8_t kQueuedRetain = 1;

ByteWriter begin_fact(FactKind kind, std::string& out) {
  ByteWriter writer(out);
  writer.u8(static_cast<std::uint8_t>(kind));
  return writer;
}

void write_opened(const Session& session, std::string& out) {
  ByteWriter fact = begin_fact(FactKind::session_opened, out);
  fact.text(session.client_id());
  fact.i64(session.expiry.count);
}

void write_subscribed(const Session& session, std::string_view filter, SubscriptionOptions options,
                      std::string& out) {
  ByteWriter fact = begin_fact(FactKind::subscribed, out);
  fact.text(session.client_id());
  fact.text(filter);
  fact.u8(pack(options));
}

void write_retained(const Message& message, std::string& out) {
  begin_fact(FactKind::retained, out).text(message.bytes());
}

void write_queued_session(const Session& session, std::uint64_t number, bool retain,
                          ByteWriter& fact) {
  fact.text(session.client_id());
  fact.varint(number);
  fact.u8(retain ? kQueuedRetain : 0);
}

void write_acknowledged(const Session& session, std::uint64_t number, std::string& out) {
  ByteWriter fact = begin_fact(FactKind::acknowledged, out);
  fact.text(session.client_id());
  fact.varint(number);
}

}  // namespace

BrokerState::BrokerState(const BrokerLimits& limits)
    : limits_(limits), retained_(limits.retained_messages_max) {}

BrokerState::~BrokerState() = default;

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
  for (const auto& [filter, options] : session.subscriptions) tree_.remove(filter, session);
  sessions_.erase(session.client_id());
}

Result<BrokerState::Opened> BrokerState::open(std::string_view client_id, bool clean_start,
                                              Micros expiry) {
  expiry = std::min(expiry, limits_.session_expiry_max);
  Session* session = find(client_id);
  if (session != nullptr && clean_start) {
    FICUS_CHECK(session->connection == nullptr);
    if (session->is_persistent()) {
      begin_fact(FactKind::session_ended, facts_).text(client_id);
    }
    remove_session(*session);
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
  }
  const bool was_persistent = was_present && session->is_persistent();
  session->expiry = expiry;
  if (session->is_persistent()) {
    write_opened(*session, facts_);
  } else if (was_persistent) {
    begin_fact(FactKind::session_ended, facts_).text(client_id);
  }
  return Opened{session, was_present};
}

void BrokerState::go_offline(Session& session, Timestamp now) {
  session.connection = nullptr;
  forget_in_flight(session);
  if (!session.is_persistent()) return remove_session(session);
  session.offline_since = now;
}

void BrokerState::expire(Timestamp now) {
  std::vector<Session*> ended;
  for (const auto& [id, session] : sessions_) {
    if (session->connection == nullptr && now - session->offline_since > session->expiry) {
      ended.push_back(session.get());
    }
  }
  for (Session* const session : ended) {
    begin_fact(FactKind::session_ended, facts_).text(session->client_id());
    remove_session(*session);
  }
}

void BrokerState::all_offline(Timestamp now) {
  for (const auto& [id, session] : sessions_) session->offline_since = now;
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
    if (session.is_persistent()) write_subscribed(session, filter, options, facts_);
  }
  tree_.add(filter, session, options);
  return {};
}

bool BrokerState::unsubscribe(Session& session, std::string_view filter) {
  const auto found = session.subscriptions.find(filter);
  if (found == session.subscriptions.end()) return false;
  tree_.remove(filter, session);
  session.subscriptions.erase(found);
  if (session.is_persistent()) {
    ByteWriter fact = begin_fact(FactKind::unsubscribed, facts_);
    fact.text(session.client_id());
    fact.text(filter);
  }
  return true;
}

std::vector<BrokerState::Target> BrokerState::targets_of(const Message& message,
                                                         const Session* origin) {
  matched_.clear();
  tree_.match(message.topic(), matched_);
  // A session with several fitting filters gets the message once, at the highest QoS
  // (MQTT 5.0, 3.3.4).
  std::sort(matched_.begin(), matched_.end(), [](const Subscriber& a, const Subscriber& b) {
    return std::pair(a.session, b.options.qos) < std::pair(b.session, a.options.qos);
  });
  std::vector<Target> targets;
  for (const Subscriber& subscriber : matched_) {
    if (subscriber.options.no_local && subscriber.session == origin) continue;
    if (!targets.empty() && targets.back().session == subscriber.session) continue;
    targets.push_back({subscriber.session, subscriber.options});
  }
  return targets;
}

void BrokerState::publish(const MessagePtr& message, const Session* origin) {
  if (message->publish().retain) {
    if (retained_.set(message)) {
      write_retained(*message, facts_);
    } else {
      ++counts_.retained_refused;
    }
  }
  deliver(message, targets_of(*message, origin));
}

void BrokerState::deliver(const MessagePtr& message, const std::vector<Target>& targets) {
  struct Durable {
    const Session* session;
    std::uint64_t number;
    bool retain;
  };
  std::vector<Durable> durable;
  std::vector<Session*> queued;
  for (const auto& [session, options] : targets) {
    // Unless asked for otherwise, a message that is passed on as it comes is not a retained one
    // (3.3.1.3).
    const bool retain = options.retain_as_published && message->publish().retain;
    if (std::min(message->qos(), options.qos) == mqtt::Qos::at_most_once) {
      if (session->connection != nullptr) session->connection->send_now(message, retain);
      continue;
    }
    if (!has_room(*session, *message)) {
      ++session->dropped;
      ++counts_.messages_dropped;
      continue;
    }
    const std::uint64_t number = session->next_number;
    enqueue(*session, {.number = number,
                       .message = message,
                       .qos = mqtt::Qos::at_least_once,
                       .retain = retain,
                       .is_logged = session->is_persistent()});
    if (session->is_persistent()) durable.push_back({session, number, retain});
    queued.push_back(session);
  }
  if (!durable.empty()) {
    ByteWriter fact = begin_fact(FactKind::queued, facts_);
    fact.text(message->bytes());
    fact.varint(durable.size());
    for (const Durable& d : durable) write_queued_session(*d.session, d.number, d.retain, fact);
  }
  // Sending comes last: a message that the client cannot take is dropped at once, and that fact
  // must stand behind the one that it was queued.
  for (Session* const session : queued) {
    if (session->connection != nullptr) session->connection->send_queued();
  }
}

bool BrokerState::has_room(const Session& session, const Message& message) const {
  return session.queue.size() < limits_.session_messages_max &&
         session.queued_bytes + message.bytes().size() <= limits_.session_bytes_max;
}

void BrokerState::enqueue(Session& session, QueuedMessage message) {
  session.next_number = std::max(session.next_number, message.number + 1);
  session.queued_bytes += message.message->bytes().size();
  session.queue.push_back(std::move(message));
}

void BrokerState::erase_queued(Session& session, std::deque<QueuedMessage>::iterator at) {
  const auto place = static_cast<std::size_t>(at - session.queue.begin());
  if (place < session.in_flight) --session.in_flight;
  session.queued_bytes -= at->message->bytes().size();
  session.queue.erase(at);
}

bool BrokerState::acknowledge(Session& session, mqtt::PacketId packet_id) {
  const auto end = session.queue.begin() + static_cast<std::ptrdiff_t>(session.in_flight);
  const auto found = std::find_if(session.queue.begin(), end,
                                  [&](const QueuedMessage& m) { return m.packet_id == packet_id; });
  if (found == end) return false;
  if (session.is_persistent() && found->is_logged) {
    write_acknowledged(session, found->number, facts_);
  }
  erase_queued(session, found);
  return true;
}

void BrokerState::set_expiry(Session& session, Micros expiry) {
  if (!session.is_persistent()) return;  // MQTT 5.0, 3.14.2.2.2: zero at CONNECT stays zero
  session.expiry = std::min(expiry, limits_.session_expiry_max);
  if (session.is_persistent()) {
    write_opened(session, facts_);
  } else {
    begin_fact(FactKind::session_ended, facts_).text(session.client_id());
  }
}

void BrokerState::send_retained(Session& session, std::string_view filter,
                                SubscriptionOptions options) {
  std::vector<MessagePtr> messages;
  retained_.match(filter, messages);
  if (messages.empty()) return;
  for (MessagePtr& message : messages) {
    const mqtt::Qos qos = std::min(message->qos(), options.qos);
    const std::uint64_t number = session.next_number;
    enqueue(session, {.number = number, .message = std::move(message), .qos = qos, .retain = true});
  }
  if (session.connection != nullptr) session.connection->send_queued();
}

void BrokerState::drop_next(Session& session) {
  FICUS_CHECK(session.in_flight < session.queue.size());
  const auto next = session.queue.begin() + static_cast<std::ptrdiff_t>(session.in_flight);
  if (session.is_persistent() && next->is_logged) {
    write_acknowledged(session, next->number, facts_);
  }
  erase_queued(session, next);
}

void BrokerState::forget_in_flight(Session& session) {
  // The identifiers stay: a message sent again carries the one it had (4.4).
  session.in_flight = 0;
}

std::string BrokerState::take_facts() {
  std::string facts = std::move(facts_);
  facts_.clear();
  return facts;
}

LogFold::Sections BrokerState::encode() const {
  std::string facts;
  for (const auto& [topic, message] : retained_.all()) write_retained(*message, facts);
  for (const auto& [id, session] : sessions_) {
    if (!session->is_persistent()) continue;
    write_opened(*session, facts);
    for (const auto& [filter, options] : session->subscriptions) {
      write_subscribed(*session, filter, options, facts);
    }
    for (const QueuedMessage& queued : session->queue) {
      if (!queued.is_logged) continue;
      ByteWriter fact = begin_fact(FactKind::queued, facts);
      fact.text(queued.message->bytes());
      fact.varint(1);
      write_queued_session(*session, queued.number, queued.retain, fact);
    }
  }
  return {{"broker", std::move(facts)}};
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
  ByteReader in(facts);
  while (!in.done()) {
    const auto kind = static_cast<FactKind>(in.u8());
    const std::string_view first = in.text();  // a client id, or a message
    if (!in.ok()) break;
    Session* const session =
        kind == FactKind::retained || kind == FactKind::queued ? nullptr : find(first);
    switch (kind) {
      case FactKind::session_opened: {
        const Micros expiry{in.i64()};
        (session != nullptr ? *session : insert_session(first, expiry)).expiry = expiry;
        break;
      }
      case FactKind::session_ended:
        if (session != nullptr) remove_session(*session);
        break;
      case FactKind::subscribed: {
        const std::string_view filter = in.text();
        const SubscriptionOptions options = unpack(in.u8());
        if (session == nullptr || !in.ok()) break;
        session->subscriptions[std::string(filter)] = options;
        tree_.add(filter, *session, options);
        break;
      }
      case FactKind::unsubscribed: {
        const std::string_view filter = in.text();
        if (session == nullptr) break;
        tree_.remove(filter, *session);
        if (const auto found = session->subscriptions.find(filter);
            found != session->subscriptions.end()) {
          session->subscriptions.erase(found);
        }
        break;
      }
      case FactKind::retained: {
        const MessagePtr message = Message::from_bytes(first);
        if (message == nullptr) return fail(ErrorCode::corrupt, "damaged retained message");
        retained_.set(message);
        break;
      }
      case FactKind::queued: {
        const MessagePtr message = Message::from_bytes(first);
        if (message == nullptr) return fail(ErrorCode::corrupt, "damaged queued message");
        for (std::size_t left = in.count(3); left > 0 && in.ok(); --left) {
          Session* const target = find(in.text());
          const std::uint64_t number = in.varint();
          const bool retain = (in.u8() & kQueuedRetain) != 0;
          if (target == nullptr || !in.ok()) continue;
          enqueue(*target, {.number = number,
                            .message = message,
                            .qos = mqtt::Qos::at_least_once,
                            .retain = retain,
                            .is_logged = true});
        }
        break;
      }
      case FactKind::acknowledged: {
        const std::uint64_t number = in.varint();
        if (session == nullptr) break;
        const auto found = std::find_if(session->queue.begin(), session->queue.end(),
                                        [&](const QueuedMessage& m) { return m.number == number; });
        if (found != session->queue.end()) erase_queued(*session, found);
        break;
      }
      default:
        return fail(ErrorCode::corrupt, "unknown kind of fact in the broker's log");
    }
  }
  if (!in.ok()) return fail(ErrorCode::corrupt, "damaged fact in the broker's log");
  return {};
}

}  // namespace ficus::connect
