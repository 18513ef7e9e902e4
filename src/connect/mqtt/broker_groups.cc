// Shared subscriptions: what a member leaves behind goes to another (MQTT 5.0, 4.8.2).

#include <algorithm>

#include "connect/mqtt/broker_state.h"

namespace ficus::connect {

using facts::Kind;
using mqtt::Qos;

// The session has lost its connection, or has ended: what it had by shared subscriptions goes to
// other members, as far as 4.8.2 allows. A message of QoS 2 that was sent stays with it for ever
// ([MQTT-4.8.2-4], [MQTT-4.8.2-5]), one of QoS 1 until its session ends.
void BrokerState::share_again(Session& from, bool has_ended, Timestamp now) {
  const bool has_shared = std::any_of(from.queue.begin(), from.queue.end(),
                                      [](const QueuedMessage& q) { return q.group != nullptr; });
  if (!has_shared) return;
  work_ += from.queue.size();
  FrontQueue<QueuedMessage> queue = take_queue(from);
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
    ids_.clear();
    if (to->options.id != mqtt::SubscriptionId{}) (void)ids_.add(to->options.id);
    const std::size_t before = delivered_.size();
    deliver(queued.message, *to->session, to->options, group->second, now);
    const QueuedMessage* const moved =
        delivered_.size() == before ? nullptr : to->session->find_recent(delivered_.back().number);
    write_moved(from, queued, to->session, moved);
  }
  wake_delivered();
}

// `moved`: as it now waits for `to`, or null if it does not.
void BrokerState::write_moved(const Session& from, const QueuedMessage& queued, const Session* to,
                              const QueuedMessage* moved) {
  const bool is_kept = moved != nullptr && moved->is_logged;
  if (!is_kept) return write_gone(from, queued);
  // The message stands in the log already: a queue of many megabytes is handed on in few bytes.
  if (from.is_persistent() && queued.is_logged) {
    return facts::write_moved(from, queued.number, *to, *moved, facts());
  }
  facts::write_queued(*to, *moved, facts());
}

}  // namespace ficus::connect
