#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "codec/fact/bytes.h"
#include "connect/mqtt/session.h"
#include "connect/mqtt/subscriber_list.h"
#include "connect/mqtt/will_book.h"

// The facts of the broker's log as bytes: one list of what is written, next to what reads it
// (broker_replay.cc). Internal to this folder.

namespace ficus::connect::facts {

// Every record of the log and every section of a snapshot begins with it: raise it when the form of
// a fact changes. (In a record a byte of FactJournal follows.)
constexpr std::uint8_t kVersion = 0x83;

enum class Kind : std::uint8_t {
  session_opened = 1,    // client id, expiry, owner: it is connected
  session_closed = 2,    // client id, time, number of the last message that was sent
  session_ended = 3,     // client id
  subscribed = 4,        // client id, filter, options, subscription id
  unsubscribed = 5,      // client id, filter
  retained = 6,          // message; an empty payload removes
  retained_removed = 7,  // topic: it has expired
  queued = 8,            // message, then for each session: client id, number, how
  retained_queued = 9,   // client id, filter, time, first number, up to this topic, whether all
  taken = 10,            // client id, number: PUBREC came, PUBCOMP is owed
  gone = 11,             // client id, number: acknowledged, or dropped
  received = 12,         // client id, packet identifier of a QoS 2 PUBLISH
  released = 13,         // client id, packet identifier
  held = 14,             // number, time, message: the engine must hear it
  handed_over = 15,      // number: the engine has it
  will_set = 16,         // message, client id, owner, delay
  will_due = 17,         // client id, time
  will_removed = 18,     // client id
  moved = 19,            // client id, number of what is gone there; client id, number, how
  // In snapshots only, where each message stands once, in a section of its own:
  queue = 20,            // client id, then for each: number, place of the message, how
  retained_at = 21,      // place of the message
  held_at = 22,          // place of the message, number, time
  retained_wanted = 23,  // client id, filter, options, behind this topic; in the log as well
};

// A fact about one client, or whatever its first field names.
fact::ByteWriter begin(Kind kind, std::string_view first, std::string& out);

void write_message(const Message& message, fact::ByteWriter& fact);
MessagePtr read_message(fact::ByteReader& in);  // null if it is damaged

void write_options(const SubscriptionOptions& options, fact::ByteWriter& fact);
SubscriptionOptions read_options(fact::ByteReader& in);

// What a `queued` fact says of one session.
struct QueuedFor {
  std::string_view client_id;
  std::string_view group;  // empty: not by a shared subscription
  QueuedMessage queued;    // without its message and group
};
// How a queued message is to be sent.
void write_how(const QueuedMessage& queued, fact::ByteWriter& fact);
// Returns its group, empty if none.
std::string_view read_how(fact::ByteReader& in, QueuedMessage& queued);
void write_queued_for(const Session& session, const QueuedMessage& queued, fact::ByteWriter& fact);
QueuedFor read_queued_for(fact::ByteReader& in);

void write_opened(const Session& session, std::string& out);
void write_closed(const Session& session, std::string& out);
void write_subscribed(const Session& session, std::string_view filter,
                      const SubscriptionOptions& options, std::string& out);
void write_queued(const Session& session, const QueuedMessage& queued, std::string& out);
void write_moved(const Session& from, std::uint64_t number, const Session& to,
                 const QueuedMessage& moved, std::string& out);
void write_wish(const Session& session, const RetainedWish& wish, std::string& out);
void write_number(Kind kind, const Session& session, std::uint64_t number, std::string& out);
void write_retained(const Message& message, std::string& out);
void write_held(std::uint64_t number, Timestamp received_at, const Message& message,
                std::string& out);
void write_will(std::string_view client_id, const Will& will, std::string& out);
void write_will_due(std::string_view client_id, Timestamp due, std::string& out);

}  // namespace ficus::connect::facts
