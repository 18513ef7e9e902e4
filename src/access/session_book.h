#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "access/digest.h"
#include "access/principal.h"
#include "base/time.h"

namespace ficus::access {

struct SessionOptions {
  Micros idle_max = Micros::from_hours(12);     // a shift
  Micros age_max = Micros::from_hours(7 * 24);  // then one must log in again anyway
  std::size_t sessions_max = 10'000;            // the longest idle one goes
  std::size_t sessions_per_user_max = 50;       // the user's longest idle one goes
};

// Who is logged in on the page. The cookie's value is a secret of 256 random bits; here only its
// SHA-256 is kept. In memory: a restart asks everybody to log in again. Not thread-safe.
class SessionBook {
 public:
  explicit SessionBook(const SessionOptions& options) : options_(options) {}

  // `secret` must be fresh randomness. Returns the cookie's value.
  std::string start(PrincipalPtr who, const Digest& secret, Micros now);
  // Null if there is no such session, or it is over.
  PrincipalPtr find(std::string_view cookie, Micros now);
  bool end(std::string_view cookie);
  // Drops what is over.
  void sweep(Micros now);
  std::size_t size() const { return sessions_.size(); }
  // How often all were looked through for the longest idle: only when a limit is reached.
  std::uint64_t walks() const { return walks_; }

 private:
  struct Session {
    PrincipalPtr who;
    Micros started;
    Micros used;
  };
  using Iterator = std::map<Digest, Session>::iterator;
  bool is_over(const Session& session, Micros now) const;
  Iterator longest_idle(const Principal* of);  // of this user, or of all
  Iterator erase(Iterator session);

  const SessionOptions options_;
  std::map<Digest, Session> sessions_;
  std::map<std::string, std::size_t, std::less<>> counts_;  // of each user's sessions
  std::uint64_t walks_ = 0;
};

}  // namespace ficus::access
