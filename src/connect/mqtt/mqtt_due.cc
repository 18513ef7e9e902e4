// What is due by the clock: keep-alives, wills, sessions, and rights that were withdrawn.

#include "access/access_control.h"
#include "connect/mqtt/mqtt_connection.h"
#include "connect/mqtt/mqtt_server.h"

namespace ficus::connect {
namespace {

// Done in shares of this size (BrokerState::work), a few milliseconds each; then whoever else has
// something to say comes first.
constexpr std::uint64_t kShareOfWork = 1000;

}  // namespace

void MqttServer::tick() {
  begin_turn();
  const Micros now = parts_.clock.monotonic();
  std::vector<MqttConnection*> overdue;
  for (const auto& connection : connections_) {
    if (connection->is_overdue(now, options_.connect_timeout)) overdue.push_back(connection.get());
  }
  for (MqttConnection* const connection : overdue) {
    ++(connection->is_connected() ? counts_.keep_alives_missed : counts_.connects_slow);
    connection->end({mqtt::ReasonCode::keep_alive_timeout, "nothing heard in time"});
  }
  end_forbidden();
  if (!work_posted_) work_off();
  held_.insert(held_.end(), held_failed_.begin(), held_failed_.end());
  held_failed_.clear();
  hand_over_held();
  log_->mark_if_idle(parts_.clock.now());
  if (state_.has_facts() || is_stalled_ || !held_back_.empty()) end_turn_later();
}

// ---- rights

// Connections whose user is no longer there, or has other rights now.
void MqttServer::end_forbidden() {
  access::AccessControl* const access = parts_.access;
  if (access == nullptr || access->is_open()) return;
  if (generation_ != access->generation()) {
    generation_ = access->generation();
    reviewed_.emplace();  // those who are away come next, in shares
  }
  std::vector<MqttConnection*> forbidden;
  for (const auto& connection : connections_) {
    if (!connection->is_connected()) continue;
    const access::Principal* const principal = connection->principal();
    if (principal == nullptr || !access->is_current(*principal)) {
      forbidden.push_back(connection.get());
    }
  }
  for (MqttConnection* const connection : forbidden) {
    const std::string client_id = connection->client_id();
    connection->end({mqtt::ReasonCode::administrative_action, "the users' rights have changed"});
    if (Session* const session = state_.find(client_id)) review(*session);
  }
}

void MqttServer::review(Session& session) {
  const access::PrincipalPtr user = parts_.access->user(session.owner);
  if (user != nullptr) {
    drop_forbidden(session, *user);
  } else if (session.connection == nullptr) {
    state_.end(session, now_);
    note_subscriptions_changed();
  }
}

void MqttServer::drop_forbidden(Session& session, const access::Principal& user) {
  std::vector<std::string> forbidden;
  for (const auto& [filter, options] : session.subscriptions) {
    if (!user.may_subscribe(filter, session.client_id())) forbidden.push_back(filter);
  }
  if (forbidden.empty()) return;
  for (const std::string& filter : forbidden) state_.unsubscribe(session, filter);
  // What came by them while the client was away, also after the right was withdrawn.
  state_.drop_unless(session, [&](std::string_view topic) {
    return user.may_subscribe(topic, session.client_id());
  });
  note_subscriptions_changed();
}

bool MqttServer::may_publish(const BrokerState::DueWill& will) {
  access::AccessControl* const access = parts_.access;
  if (access == nullptr || access->is_open()) return true;
  const access::PrincipalPtr user = access->user(will.owner);
  const std::string_view topic = will.message->topic();
  if (user != nullptr && user->may_publish(topic, will.client_id)) return true;
  (void)access->deny(user.get(), {}, topic, "publish");
  return false;
}

// ---- wills and sessions

void MqttServer::work_off() {
  begin_turn();
  const std::uint64_t end = state_.work() + kShareOfWork;
  // On a full disk, or while the engine is behind, it waits for a later second: what is due is
  // known, and takes no more memory then.
  bool has_more = true;
  while (has_more && state_.work() < end && !has_many_facts()) {
    if (is_stalled_ || is_draining_ || parts_.ingest.is_congested()) return end_turn_later();
    has_more = work_off_one();
  }
  if (state_.has_facts()) end_turn_later();
  if (!has_more) return;
  work_posted_ = true;
  parts_.loop.post([this] {
    work_posted_ = false;
    work_off();
  });
}

bool MqttServer::work_off_one() {
  if (const auto will = state_.take_due_will(now_)) {
    publish_will(*will);
    return true;
  }
  const std::uint64_t before = state_.work();
  state_.expire(now_, 1);  // whose will is due then
  if (state_.work() != before || state_.forget_expired_retained(now_)) return true;
  if (!reviewed_) return false;
  Session* const session = state_.next_offline(*reviewed_);
  if (session == nullptr) {
    reviewed_.reset();
    return false;
  }
  review(*session);
  return true;
}

void MqttServer::publish_due_will(std::string_view client_id) {
  if (const auto will = state_.take_due_will(client_id, now_)) publish_will(*will);
}

void MqttServer::publish_will(const BrokerState::DueWill& due) {
  const mqtt::Publish& publish = due.message->publish();
  // Its expiry begins now (3.1.3.2.4).
  const MessagePtr will = Message::create(publish, now_);
  if (will == nullptr) return;
  if (!may_publish(due)) {
    ++counts_.messages_refused;
    return;
  }
  ingest(publish, routes_.find(publish.topic), nullptr);
  state_.publish(will, state_.find(due.client_id), now_);
  end_turn_later();
}

}  // namespace ficus::connect
