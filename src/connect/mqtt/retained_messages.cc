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
  expiries_.erase({found->second->expires_at(), found->first});
  messages_.erase(found);
}

void RetainedMessages::set(const MessagePtr& message) {
  remove(message->topic());  // its key lives in the old message
  if (message->publish().payload.empty()) return;
  bytes_ += message->bytes().size();
  messages_.emplace(message->topic(), message);
  if (message->expires_at() != Message::kNeverExpires) {
    expiries_.emplace(message->expires_at(), message->topic());
  }
}

RetainedMessages::Found RetainedMessages::match(const Search& search,
                                                std::vector<MessagePtr>& out) const {
  const std::string_view filter = search.filter;
  const std::string_view literal = filter.substr(0, filter.find_first_of("+#"));
  Found found;
  std::size_t looks = 0;
  std::size_t bytes = 0;
  const std::size_t before = out.size();
  const auto look_at = [&](const auto& entry) {
    ++looks;
    found.last = entry.first;
    if (!mqtt::matches(filter, entry.first)) return;
    out.push_back(entry.second);
    bytes += entry.second->bytes().size();
  };
  // "a/#" matches "a" as well, which stands before "a/".
  if (filter.ends_with("/#") && search.after.empty()) {
    const auto parent = messages_.find(filter.substr(0, filter.size() - 2));
    if (parent != messages_.end() && parent->first < literal) look_at(*parent);
  }
  auto at = messages_.lower_bound(literal);
  if (search.after >= literal && !search.after.empty()) at = messages_.upper_bound(search.after);
  for (; at != messages_.end() && at->first.starts_with(literal); ++at) {
    if (!search.up_to.empty() && at->first > search.up_to) break;
    if (looks >= search.looks_max || out.size() - before >= search.count_max ||
        bytes >= search.bytes_max) {
      found.is_all = false;
      break;
    }
    look_at(*at);
  }
  return found;
}

MessagePtr RetainedMessages::first_expired(Timestamp now) const {
  if (expiries_.empty() || expiries_.begin()->first > now) return nullptr;
  return messages_.at(expiries_.begin()->second);
}

}  // namespace ficus::connect
