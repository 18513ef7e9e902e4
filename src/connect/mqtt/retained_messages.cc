#include "connect/mqtt/retained_messages.h"

#include "codec/mqtt/topic.h"

namespace ficus::connect {

bool RetainedMessages::has_room(const Message& message) const {
  if (message.publish().payload.empty()) return true;
  const auto found = messages_.find(message.topic());
  const std::size_t others =
      bytes_ - (found == messages_.end() ? 0 : found->second->bytes().size());
  const bool fits = others + message.bytes().size() <= limits_.bytes_max;
  return fits && (found != messages_.end() || messages_.size() < limits_.count_max);
}

void RetainedMessages::remove(std::string_view topic) {
  const auto found = messages_.find(topic);
  if (found == messages_.end()) return;
  bytes_ -= found->second->bytes().size();
  messages_.erase(found);
}

void RetainedMessages::set(const MessagePtr& message) {
  remove(message->topic());  // its key lives in the old message
  if (message->publish().payload.empty()) return;
  bytes_ += message->bytes().size();
  messages_.emplace(message->topic(), message);
}

void RetainedMessages::match(std::string_view filter, std::vector<MessagePtr>& out) const {
  const std::string_view literal = filter.substr(0, filter.find_first_of("+#"));
  for (auto at = messages_.lower_bound(literal); at != messages_.end(); ++at) {
    // "a/#" matches "a" as well, which stands before "a/".
    if (!at->first.starts_with(literal)) break;
    if (mqtt::matches(filter, at->first)) out.push_back(at->second);
  }
  if (filter.ends_with("/#")) {
    const auto parent = messages_.find(filter.substr(0, filter.size() - 2));
    if (parent != messages_.end() && mqtt::matches(filter, parent->first)) {
      out.push_back(parent->second);
    }
  }
}

void RetainedMessages::find_expired(Timestamp now, std::vector<MessagePtr>& out) const {
  for (const auto& [topic, message] : messages_) {
    if (message->is_expired(now)) out.push_back(message);
  }
}

}  // namespace ficus::connect
