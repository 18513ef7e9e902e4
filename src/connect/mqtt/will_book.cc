#include "connect/mqtt/will_book.h"

namespace ficus::connect {

void WillBook::put(std::string_view client_id, Will will) {
  remove(client_id);
  if (will.due) due_.emplace(*will.due, client_id);
  bytes_ += will.message->bytes().size();
  wills_.emplace(client_id, std::move(will));
}

bool WillBook::remove(std::string_view client_id) {
  const auto found = wills_.find(client_id);
  if (found == wills_.end()) return false;
  if (found->second.due) due_.erase({*found->second.due, found->first});
  bytes_ -= found->second.message->bytes().size();
  wills_.erase(found);
  return true;
}

void WillBook::set_due(std::string_view client_id, Timestamp due) {
  const auto found = wills_.find(client_id);
  if (found == wills_.end()) return;
  Will& will = found->second;
  if (will.due) due_.erase({*will.due, found->first});
  will.due = due;
  due_.emplace(due, found->first);
}

const Will* WillBook::find(std::string_view client_id) const {
  const auto found = wills_.find(client_id);
  return found == wills_.end() ? nullptr : &found->second;
}

std::optional<std::string> WillBook::first_due(Timestamp now) const {
  if (due_.empty() || due_.begin()->first > now) return std::nullopt;
  return due_.begin()->second;
}

}  // namespace ficus::connect
