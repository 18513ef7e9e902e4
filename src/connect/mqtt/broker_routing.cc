// A message on its way to everybody who wants it (MQTT 5.0, 3.3.4 and 4.8).

#include <algorithm>

#include "connect/mqtt/broker_state.h"

namespace ficus::connect {
namespace {

constexpr std::size_t kRefsBytesMax = std::size_t{2} << 20;  // of one fact
constexpr std::size_t kRefsBytesKept = 64 << 10;

}  // namespace

using facts::Kind;
using mqtt::Qos;

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
    return std::pair(a.order, b.options.qos) < std::pair(b.order, a.options.qos);
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
    counts_.messages_dropped.add(DropCause::no_member);
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
  ++work_;
  if (qos == Qos::at_most_once) {
    if (session.connection != nullptr) session.connection->send_now(message, retain, ids_);
    return;
  }
  const std::size_t bytes = message->bytes().size() + 4 * ids_.view().size();
  if (!has_room(session, bytes, now)) {
    ++session.dropped;
    counts_.messages_dropped.add(why_no_room(session, bytes));
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
  queued.record = queued.is_logged && qos == Qos::exactly_once ? journal_.step() : 0;
  delivered_.push_back({&session, queued.number});
  enqueue(session, std::move(queued));
}

void BrokerState::write_delivered(const Message& message) {
  // One fact for all: the message stands in the log once; or a few times, if those who want it
  // would make a fact too long for a record.
  std::size_t count = 0;
  refs_.clear();
  const auto write = [&] {
    if (count == 0) return;
    fact::ByteWriter fact(facts());
    fact.u8(static_cast<std::uint8_t>(Kind::queued));
    facts::write_message(message, fact);
    fact.varint(count);
    fact.raw(refs_.data(), refs_.size());
    count = 0;
    refs_.clear();
  };
  fact::ByteWriter ref(refs_);
  for (const Delivered& d : delivered_) {
    const QueuedMessage* const queued = d.session->find_recent(d.number);
    if (queued == nullptr || !queued->is_logged) continue;
    facts::write_queued_for(*d.session, *queued, ref);
    ++count;
    if (refs_.size() >= kRefsBytesMax) write();
  }
  write();
  if (refs_.capacity() > kRefsBytesKept) std::string().swap(refs_);
}

void BrokerState::wake_delivered() {
  // Sending comes last: a message that the client cannot take is dropped at once, and that fact
  // must stand behind the one that it was queued.
  for (const Delivered& d : delivered_) {
    if (d.session->connection != nullptr) d.session->connection->send_queued();
  }
}

}  // namespace ficus::connect
