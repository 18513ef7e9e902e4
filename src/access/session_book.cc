#include "access/session_book.h"

#include <algorithm>
#include <utility>

namespace ficus::access {

std::string SessionBook::start(PrincipalPtr who, const Digest& secret, Micros now) {
  if (sessions_.size() >= options_.sessions_max) sweep(now);
  std::size_t of_user = 0;
  auto idle_of_user = sessions_.end();
  auto idle = sessions_.end();
  for (auto entry = sessions_.begin(); entry != sessions_.end(); ++entry) {
    const auto is_idler = [&](auto other) {
      return other == sessions_.end() || entry->second.used < other->second.used;
    };
    if (is_idler(idle)) idle = entry;
    if (entry->second.who->name() != who->name()) continue;
    ++of_user;
    if (is_idler(idle_of_user)) idle_of_user = entry;
  }
  // So that nobody can push the others out by logging in again and again.
  if (of_user >= options_.sessions_per_user_max) {
    sessions_.erase(idle_of_user);
  } else if (sessions_.size() >= options_.sessions_max) {
    sessions_.erase(idle);
  }
  std::string cookie = to_hex(secret);
  sessions_[sha256(cookie)] = {.who = std::move(who), .started = now, .used = now};
  return cookie;
}

PrincipalPtr SessionBook::find(std::string_view cookie, Micros now) {
  // Looking a hash up tells nothing about the secret by its time: nobody can steer the hash.
  const auto found = sessions_.find(sha256(cookie));
  if (found == sessions_.end()) return nullptr;
  if (is_over(found->second, now)) {
    sessions_.erase(found);
    return nullptr;
  }
  found->second.used = now;
  return found->second.who;
}

bool SessionBook::end(std::string_view cookie) { return sessions_.erase(sha256(cookie)) > 0; }

void SessionBook::sweep(Micros now) {
  std::erase_if(sessions_, [&](const auto& entry) { return is_over(entry.second, now); });
}

bool SessionBook::is_over(const Session& session, Micros now) const {
  return now - session.used > options_.idle_max || now - session.started > options_.age_max;
}

}  // namespace ficus::access
