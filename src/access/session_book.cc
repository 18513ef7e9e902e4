#include "access/session_book.h"

#include <iterator>
#include <utility>

namespace ficus::access {

std::string SessionBook::start(PrincipalPtr who, const Digest& secret, Micros now) {
  if (sessions_.size() >= options_.sessions_max) sweep(now);
  // So that nobody can push the others out by logging in again and again.
  const auto of_user = counts_.find(who->name());
  if (of_user != counts_.end() && of_user->second >= options_.sessions_per_user_max) {
    erase(longest_idle(who.get()));
  } else if (sessions_.size() >= options_.sessions_max) {
    erase(longest_idle(nullptr));
  }
  std::string cookie = to_hex(secret);
  ++counts_[who->name()];
  sessions_[sha256(cookie)] = {.who = std::move(who), .started = now, .used = now};
  return cookie;
}

SessionBook::Iterator SessionBook::longest_idle(const Principal* of) {
  ++walks_;
  auto idle = sessions_.end();
  for (auto entry = sessions_.begin(); entry != sessions_.end(); ++entry) {
    if (of != nullptr && entry->second.who->name() != of->name()) continue;
    if (idle == sessions_.end() || entry->second.used < idle->second.used) idle = entry;
  }
  return idle;
}

SessionBook::Iterator SessionBook::erase(Iterator session) {
  if (session == sessions_.end()) return session;
  const auto count = counts_.find(session->second.who->name());
  if (--count->second == 0) counts_.erase(count);
  return sessions_.erase(session);
}

PrincipalPtr SessionBook::find(std::string_view cookie, Micros now) {
  // Looking a hash up tells nothing about the secret by its time: nobody can steer the hash.
  const auto found = sessions_.find(sha256(cookie));
  if (found == sessions_.end()) return nullptr;
  if (is_over(found->second, now)) {
    erase(found);
    return nullptr;
  }
  found->second.used = now;
  return found->second.who;
}

bool SessionBook::end(std::string_view cookie) {
  const auto found = sessions_.find(sha256(cookie));
  if (found == sessions_.end()) return false;
  erase(found);
  return true;
}

void SessionBook::sweep(Micros now) {
  for (auto entry = sessions_.begin(); entry != sessions_.end();) {
    entry = is_over(entry->second, now) ? erase(entry) : std::next(entry);
  }
}

bool SessionBook::is_over(const Session& session, Micros now) const {
  return now - session.used > options_.idle_max || now - session.started > options_.age_max;
}

}  // namespace ficus::access
