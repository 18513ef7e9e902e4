#include "connect/mqtt/broker_facts.h"

#include <algorithm>

#include "connect/mqtt/shared_group.h"

namespace ficus::connect::facts {
namespace {

using fact::ByteReader;
using fact::ByteWriter;

constexpr unsigned kNoLocal = 4;
constexpr unsigned kRetainAsPublished = 8;

constexpr unsigned kRetain = 4;
constexpr unsigned kHasIds = 8;
constexpr unsigned kHasGroup = 16;
constexpr unsigned kQosBits = 3;

}  // namespace

ByteWriter begin(Kind kind, std::string_view first, std::string& out) {
  ByteWriter writer(out);
  writer.u8(static_cast<std::uint8_t>(kind));
  writer.text(first);
  return writer;
}

void write_message(const Message& message, ByteWriter& fact) {
  fact.text(message.bytes());
  fact.i64(message.expires_at().micros);
}

MessagePtr read_message(ByteReader& in) {
  const std::string_view bytes = in.text();
  const Timestamp expires_at{in.i64()};
  return in.ok() ? Message::from_bytes(bytes, expires_at) : nullptr;
}

void write_options(const SubscriptionOptions& options, ByteWriter& fact) {
  fact.u8(static_cast<std::uint8_t>(static_cast<unsigned>(options.qos) |
                                    (options.no_local ? kNoLocal : 0U) |
                                    (options.retain_as_published ? kRetainAsPublished : 0U)));
  fact.varint(static_cast<std::uint32_t>(options.id));
}

SubscriptionOptions read_options(ByteReader& in) {
  const unsigned bits = in.u8();
  const auto id = static_cast<std::uint32_t>(in.varint());
  return {.qos = static_cast<mqtt::Qos>(std::min(bits & kQosBits, 2U)),
          .no_local = (bits & kNoLocal) != 0,
          .retain_as_published = (bits & kRetainAsPublished) != 0,
          .id = mqtt::SubscriptionId{std::min(id, mqtt::kSubscriptionIdMax)}};
}

void write_how(const QueuedMessage& queued, ByteWriter& fact) {
  const mqtt::SubscriptionIds ids = queued.subscription_ids.view();
  fact.u8(static_cast<std::uint8_t>(static_cast<unsigned>(queued.qos) |
                                    (queued.retain ? kRetain : 0U) | (ids.empty() ? 0U : kHasIds) |
                                    (queued.group == nullptr ? 0U : kHasGroup)));
  if (!ids.empty()) {
    fact.varint(ids.size());
    for (const mqtt::SubscriptionId id : ids) fact.varint(static_cast<std::uint32_t>(id));
  }
  if (queued.group != nullptr) fact.text(queued.group->name());
}

std::string_view read_how(ByteReader& in, QueuedMessage& queued) {
  const unsigned bits = in.u8();
  queued.qos = static_cast<mqtt::Qos>(std::min(bits & kQosBits, 2U));
  queued.retain = (bits & kRetain) != 0;
  queued.is_logged = true;
  if ((bits & kHasIds) != 0) {
    for (std::size_t left = in.count(1); left > 0 && in.ok(); --left) {
      // One that is out of range is left out: the bytes may be anything.
      (void)queued.subscription_ids.add(
          mqtt::SubscriptionId{static_cast<std::uint32_t>(in.varint())});
    }
  }
  return (bits & kHasGroup) != 0 ? in.text() : std::string_view();
}

void write_queued_for(const Session& session, const QueuedMessage& queued, ByteWriter& fact) {
  fact.text(session.client_id());
  fact.varint(queued.number);
  write_how(queued, fact);
}

QueuedFor read_queued_for(ByteReader& in) {
  QueuedFor result;
  result.client_id = in.text();
  result.queued.number = in.varint();
  result.group = read_how(in, result.queued);
  return result;
}

void write_opened(const Session& session, std::string& out) {
  ByteWriter fact = begin(Kind::session_opened, session.client_id(), out);
  fact.i64(session.expiry.count);
  fact.text(session.owner);
}

void write_closed(const Session& session, std::string& out) {
  // What was sent stands before what was not.
  std::uint64_t last_sent = 0;
  for (const QueuedMessage& queued : session.queue) {
    if (!queued.was_sent) break;
    last_sent = queued.number;
  }
  ByteWriter fact = begin(Kind::session_closed, session.client_id(), out);
  fact.i64(session.offline_since.micros);
  fact.varint(last_sent);
}

void write_subscribed(const Session& session, std::string_view filter,
                      const SubscriptionOptions& options, std::string& out) {
  ByteWriter fact = begin(Kind::subscribed, session.client_id(), out);
  fact.text(filter);
  write_options(options, fact);
}

void write_queued(const Session& session, const QueuedMessage& queued, std::string& out) {
  ByteWriter fact(out);
  fact.u8(static_cast<std::uint8_t>(Kind::queued));
  write_message(*queued.message, fact);
  fact.varint(1);
  write_queued_for(session, queued, fact);
}

void write_moved(const Session& from, std::uint64_t number, const Session& to,
                 const QueuedMessage& moved, std::string& out) {
  ByteWriter fact = begin(Kind::moved, from.client_id(), out);
  fact.varint(number);
  write_queued_for(to, moved, fact);
}

void write_wish(const Session& session, const RetainedWish& wish, std::string& out) {
  ByteWriter fact = begin(Kind::retained_wanted, session.client_id(), out);
  fact.text(wish.filter);
  write_options(wish.options, fact);
  fact.text(wish.after);
}

void write_number(Kind kind, const Session& session, std::uint64_t number, std::string& out) {
  begin(kind, session.client_id(), out).varint(number);
}

void write_retained(const Message& message, std::string& out) {
  ByteWriter fact(out);
  fact.u8(static_cast<std::uint8_t>(Kind::retained));
  write_message(message, fact);
}

void write_held(std::uint64_t number, Timestamp received_at, const Message& message,
                std::string& out) {
  ByteWriter fact(out);
  fact.u8(static_cast<std::uint8_t>(Kind::held));
  write_message(message, fact);
  fact.varint(number);
  fact.i64(received_at.micros);
}

void write_will(std::string_view client_id, const Will& will, std::string& out) {
  ByteWriter fact(out);
  fact.u8(static_cast<std::uint8_t>(Kind::will_set));
  write_message(*will.message, fact);
  fact.text(client_id);
  fact.text(will.owner);
  fact.i64(will.delay.count);
  if (will.due) write_will_due(client_id, *will.due, out);
}

void write_will_due(std::string_view client_id, Timestamp due, std::string& out) {
  begin(Kind::will_due, client_id, out).i64(due.micros);
}

}  // namespace ficus::connect::facts
