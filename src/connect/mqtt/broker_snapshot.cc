// The broker's state as a snapshot: the shortest list of facts that makes the same state. Each
// message stands in it once, in a section of its own, however many sessions have it queued.

#include <unordered_map>

#include "connect/mqtt/broker_facts.h"
#include "connect/mqtt/broker_state.h"

namespace ficus::connect {

using facts::Kind;

namespace {

constexpr const char* kMessages = "messages";
constexpr const char* kFacts = "broker";

// The messages of one snapshot, numbered in the order in which they are first asked for.
class MessageTable {
 public:
  explicit MessageTable(std::string& out) : out_(out) {}

  std::uint64_t place_of(const Message& message) {
    const auto [at, is_new] = places_.emplace(&message, places_.size());
    if (is_new) {
      fact::ByteWriter writer(out_);
      facts::write_message(message, writer);
    }
    return at->second;
  }

 private:
  std::string& out_;
  std::unordered_map<const Message*, std::uint64_t> places_;
};

fact::ByteWriter begin_at(Kind kind, std::uint64_t place, std::string& out) {
  fact::ByteWriter fact(out);
  fact.u8(static_cast<std::uint8_t>(kind));
  fact.varint(place);
  return fact;
}

void write_session(const Session& session, std::string& out) {
  facts::write_opened(session, out);
  for (const auto& [filter, options] : session.subscriptions) {
    facts::write_subscribed(session, filter, options, out);
  }
  for (const RetainedWish& wish : session.retained_wishes) facts::write_wish(session, wish, out);
}

void write_queue(const Session& session, MessageTable& messages, std::string& out) {
  std::size_t count = 0;
  for (const QueuedMessage& queued : session.queue) count += queued.is_logged ? 1 : 0;
  if (count == 0) return;
  fact::ByteWriter fact = facts::begin(Kind::queue, session.client_id(), out);
  fact.varint(count);
  for (const QueuedMessage& queued : session.queue) {
    if (!queued.is_logged) continue;
    fact.varint(queued.number);
    // 0: the client has taken it and owes its PUBCOMP.
    fact.varint(queued.message == nullptr ? 0 : 1 + messages.place_of(*queued.message));
    facts::write_how(queued, fact);
  }
}

}  // namespace

LogFold::Sections BrokerState::encode() const {
  std::string messages(1, static_cast<char>(facts::kVersion));
  std::string out(1, static_cast<char>(facts::kVersion));
  MessageTable table(messages);
  for (const auto& [topic, message] : retained_.all()) {
    begin_at(Kind::retained_at, table.place_of(*message), out);
  }
  for (const auto& [id, session] : sessions_) {
    if (session->is_persistent()) write_session(*session, out);
  }
  // Behind all subscriptions, as messages may name a group.
  for (const auto& [id, session] : sessions_) {
    if (!session->is_persistent()) continue;
    for (const mqtt::PacketId packet_id : session->received()) {
      facts::write_number(Kind::received, *session, static_cast<std::uint16_t>(packet_id), out);
    }
    write_queue(*session, table, out);
    if (session->connection == nullptr && !session->was_online_in_log) {
      facts::write_closed(*session, out);
    }
  }
  for (const auto& [number, held] : held_) {
    fact::ByteWriter fact = begin_at(Kind::held_at, table.place_of(*held.message), out);
    fact.varint(number);
    fact.i64(held.received_at.micros);
  }
  for (const auto& [client_id, will] : wills_.all()) facts::write_will(client_id, will, out);
  return {{kMessages, std::move(messages)}, {kFacts, std::move(out)}};
}

Status BrokerState::restore(const Sections& sections) {
  for (const auto& [name, bytes] : sections) {
    if (name != kMessages && name != kFacts) {
      return fail(ErrorCode::corrupt, "unknown section '" + name + "'");
    }
    if (bytes.empty() || static_cast<std::uint8_t>(bytes[0]) != facts::kVersion) {
      return fail(ErrorCode::corrupt, "the broker's snapshot is of another version of Ficus");
    }
    const std::string_view rest = std::string_view(bytes).substr(1);
    if (name == kFacts) {
      FICUS_TRY_VOID(replay_facts(rest));
    } else {
      FICUS_TRY_VOID(restore_messages(rest));
    }
  }
  std::vector<MessagePtr>().swap(restored_);
  return {};
}

Status BrokerState::restore_messages(std::string_view bytes) {
  fact::ByteReader in(bytes);
  while (!in.done()) {
    restored_.push_back(facts::read_message(in));
    if (restored_.back() == nullptr || !in.ok()) {
      return fail(ErrorCode::corrupt, "damaged message in the broker's snapshot");
    }
  }
  return {};
}

// False if it cannot be read.
bool BrokerState::restore_fact(Kind kind, fact::ByteReader& in) {
  const auto message_at = [&](std::uint64_t place) {
    return in.ok() && place < restored_.size() ? restored_[place] : nullptr;
  };
  if (kind == Kind::queue) {
    const std::string_view client_id = in.text();
    for (std::size_t left = in.count(3); left > 0 && in.ok(); --left) {
      facts::QueuedFor wanted;
      wanted.client_id = client_id;
      wanted.queued.number = in.varint();
      const std::uint64_t place = in.varint();
      wanted.group = facts::read_how(in, wanted.queued);
      wanted.queued.message = place == 0 ? nullptr : message_at(place - 1);
      if (place != 0 && wanted.queued.message == nullptr) return false;
      wanted.queued.was_sent = place == 0;
      replay_queued(std::move(wanted));
    }
    return in.ok();
  }
  const MessagePtr message = message_at(in.varint());
  if (message == nullptr) return false;
  if (kind == Kind::retained_at) {
    retained_.set(message);
    return true;
  }
  const std::uint64_t number = in.varint();
  const Timestamp received_at{in.i64()};
  next_held_ = std::max(next_held_, number + 1);
  if (in.ok()) held_[number] = {message, received_at};
  return in.ok();
}

}  // namespace ficus::connect
