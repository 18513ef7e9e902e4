// Retained messages: kept, and given to new subscriptions (MQTT 5.0, 3.3.1.3 and 3.8.4).

#include <algorithm>

#include "connect/mqtt/broker_state.h"

namespace ficus::connect {
namespace {

// A share of what a subscription wants, so that a search through a million takes nobody's turn.
constexpr std::size_t kLooksMax = 500;
// So many wait in a queue at most before the next are fetched: the rest of it is for new messages.
constexpr std::size_t kQueuedMax = 500;

}  // namespace

using facts::Kind;
using mqtt::Qos;

bool BrokerState::has_room_to_retain(const Message& message, Timestamp now) {
  if (retained_.has_room(message)) return true;
  while (forget_expired_retained(now)) {
  }
  return retained_.has_room(message);
}

bool BrokerState::forget_expired_retained(Timestamp now) {
  const MessagePtr expired = retained_.first_expired(now);
  if (expired == nullptr) return false;
  facts::begin(Kind::retained_removed, expired->topic(), facts());
  retained_.remove(expired->topic());
  ++work_;
  return true;
}

void BrokerState::forget_wish(Session& session, std::string_view filter) {
  std::erase_if(session.retained_wishes,
                [&](const RetainedWish& wish) { return wish.filter == filter; });
}

void BrokerState::put_wish(Session& session, RetainedWish wish) {
  forget_wish(session, wish.filter);  // who asks again begins again
  session.retained_wishes.push_back(std::move(wish));
}

void BrokerState::send_retained(Session& session, std::string_view filter,
                                SubscriptionOptions options, Timestamp now) {
  put_wish(session, {.filter = std::string(filter), .options = options, .after = {}});
  if (session.is_persistent()) {
    facts::write_wish(session, session.retained_wishes.back(), facts());
  }
  const bool is_first = session.retained_wishes.size() == 1;
  if (is_first) fetch_retained(session, now);
  if (is_first && session.connection != nullptr) session.connection->send_queued();
}

bool BrokerState::fetch_retained(Session& session, Timestamp now) {
  const std::size_t queued_max = std::min(kQueuedMax, (limits_.session_messages_max + 1) / 2);
  const std::size_t bytes_max = std::max<std::size_t>(1, limits_.session_bytes_max / 4);
  if (session.retained_wishes.empty() || session.queue.size() >= queued_max ||
      session.queued_bytes >= bytes_max) {
    return false;
  }
  const RetainedWish& wish = session.retained_wishes.front();
  std::vector<MessagePtr> found;
  const RetainedMessages::Found looked =
      retained_.match({.filter = wish.filter,
                       .after = wish.after,
                       .looks_max = kLooksMax,
                       .count_max = limits_.session_messages_max - session.queue.size(),
                       .bytes_max = bytes_max},
                      found);
  const Fetched fetched{.filter = wish.filter,
                        .up_to = looked.last,
                        .is_all = looked.is_all,
                        .now = now,
                        .first_number = session.next_number};
  if (session.is_persistent()) {
    fact::ByteWriter fact = facts::begin(Kind::retained_queued, session.client_id(), facts());
    fact.text(fetched.filter);
    fact.i64(now.micros);
    fact.varint(fetched.first_number);
    fact.text(fetched.up_to);
    fact.u8(fetched.is_all ? 1 : 0);
  }
  work_ += 1 + found.size();
  queue_retained(session, fetched, std::move(found), false);
  return true;
}

void BrokerState::queue_retained(Session& session, const Fetched& fetched,
                                 std::vector<MessagePtr> messages, bool is_replay) {
  const auto wish = std::find_if(session.retained_wishes.begin(), session.retained_wishes.end(),
                                 [&](const RetainedWish& w) { return w.filter == fetched.filter; });
  if (wish == session.retained_wishes.end()) return;
  const SubscriptionOptions options = wish->options;
  if (fetched.is_all) {
    session.retained_wishes.erase(wish);
  } else {
    wish->after = fetched.up_to;
  }
  for (MessagePtr& message : messages) {
    if (message->is_expired(fetched.now)) continue;
    const Qos qos = std::min(message->qos(), options.qos);
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
    if (options.id != mqtt::SubscriptionId{}) (void)queued.subscription_ids.add(options.id);
    enqueue(session, std::move(queued));
  }
}

bool BrokerState::replay_fetched(Session* session, fact::ByteReader& in) {
  Fetched fetched;
  fetched.filter = in.text();
  fetched.now = Timestamp{in.i64()};
  fetched.first_number = in.varint();
  fetched.up_to = in.text();
  fetched.is_all = in.u8() != 0;
  if (session == nullptr || !in.ok()) return in.ok();
  session->next_number = std::max(session->next_number, fetched.first_number);
  const auto wish = std::find_if(session->retained_wishes.begin(), session->retained_wishes.end(),
                                 [&](const RetainedWish& w) { return w.filter == fetched.filter; });
  std::vector<MessagePtr> found;
  if (wish != session->retained_wishes.end() && !fetched.up_to.empty()) {
    retained_.match({.filter = wish->filter, .after = wish->after, .up_to = fetched.up_to}, found);
  }
  queue_retained(*session, fetched, std::move(found), true);
  return true;
}

}  // namespace ficus::connect
