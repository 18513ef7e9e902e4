// Who wants which topics (MQTT 5.0, 3.8 and 3.10).

#include "codec/mqtt/topic.h"
#include "connect/mqtt/broker_state.h"

namespace ficus::connect {

using facts::Kind;
using mqtt::Qos;

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

bool BrokerState::has_room_in_group(std::string_view filter) const {
  const auto found = groups_.find(filter);
  return found == groups_.end() || found->second->size() < limits_.group_members_max;
}

void BrokerState::put_subscription(Session& session, std::string_view filter,
                                   SubscriptionOptions options) {
  const auto [at, is_new] = session.subscriptions.insert_or_assign(std::string(filter), options);
  if (is_new) session.filter_bytes += filter.size();
}

Status BrokerState::subscribe(Session& session, std::string_view filter,
                              SubscriptionOptions options, bool& is_new) {
  const auto found = session.subscriptions.find(filter);
  is_new = found == session.subscriptions.end();
  if (is_new && session.subscriptions.size() >= limits_.subscriptions_per_session_max) {
    return fail(ErrorCode::overloaded, "the session has its full number of subscriptions");
  }
  if (is_new && !has_room_in_group(filter)) {
    return fail(ErrorCode::overloaded, "the shared subscription has its full number of members");
  }
  if (is_new && session.filter_bytes + filter.size() > limits_.filter_bytes_per_session_max) {
    return fail(ErrorCode::overloaded, "the session's topic filters are too long together");
  }
  if (is_new || found->second != options) {
    put_subscription(session, filter, options);
    if (session.is_persistent()) facts::write_subscribed(session, filter, options, facts());
  }
  add_to_tree(session, filter, options);
  return {};
}

bool BrokerState::unsubscribe(Session& session, std::string_view filter) {
  const auto found = session.subscriptions.find(filter);
  if (found == session.subscriptions.end()) return false;
  remove_from_tree(session, filter);
  forget_wish(session, filter);
  session.filter_bytes -= filter.size();
  session.subscriptions.erase(found);
  if (session.is_persistent()) {
    facts::begin(Kind::unsubscribed, session.client_id(), facts()).text(filter);
  }
  return true;
}

}  // namespace ficus::connect
