#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "access/audit.h"
#include "access/login_throttle.h"
#include "access/password_checker.h"
#include "access/principal.h"
#include "access/session_book.h"
#include "access/users_file.h"
#include "base/clock.h"

namespace ficus::access {

// What access control borrows; all of it outlives it.
struct AccessParts {
  const Clock& clock;
  // Fills with randomness fit for secrets.
  std::function<void(Digest& out)> random;
  // Runs a task later on the loop's thread; may be called from any thread.
  std::function<void(std::move_only_function<void()> task)> post;
  AuditSink* audit = nullptr;  // none: nothing is recorded
};

struct AccessOptions {
  std::size_t logins_waiting_max = 400;  // about 20 s of hashing; more are refused as overloaded
  SessionOptions sessions;
};

struct AccessCounts {
  std::uint64_t logins_succeeded = 0;  // of these by the cache:
  std::uint64_t logins_remembered = 0;
  std::uint64_t logins_failed = 0;
  std::uint64_t logins_delayed = 0;     // refused since the user or address must wait
  std::uint64_t logins_overloaded = 0;  // refused since too many were waiting
  std::uint64_t proofs_failed = 0;      // tokens, certificates and cookies that did not fit
  std::uint64_t denied = 0;             // what deny() heard of
};

// Who is there and what they may do: the one place that knows users.yaml, used by every way in.
// Loop thread only; password hashing has a thread of its own. docs/SECURITY.md says what operators
// see of it.
//
// Without users (before the first reload) it is open: everybody may do everything, and Config
// refuses to listen beyond loopback.
class AccessControl {
 public:
  using OnLogin = std::move_only_function<void(Result<PrincipalPtr>)>;

  AccessControl(AccessParts parts, const AccessOptions& options);
  ~AccessControl();
  AccessControl(const AccessControl&) = delete;
  AccessControl& operator=(const AccessControl&) = delete;

  // Takes a users.yaml, or changes nothing and says what is wrong with it. Users whose rights and
  // credentials are the same stay logged in.
  Status reload(std::string_view text, std::string_view file, const KnownNames& known = {});
  std::uint64_t generation() const { return generation_; }  // counts reloads
  bool is_open() const { return generation_ == 0; }

  // Those who do not log in. Null: they must. When open, somebody with every right.
  const PrincipalPtr& anonymous() const { return anonymous_; }
  // The user of this name with the rights of now; the empty name: those who do not log in. Null if
  // there is no such user.
  PrincipalPtr user(std::string_view name) const;
  // Whether the principal still stands: same rights and credentials as in the newest users.yaml,
  // token not expired. Cheap. Whoever holds connections asks after a reload (generation() changed)
  // and now and then, and ends those that do not.
  bool is_current(const Principal& principal) const;

  // Checks a password, or a token of that user given as one. `peer` is an address with or without
  // port. The callback comes later on the loop, never inside this call. Errors: denied (wrong;
  // unknown users take as long), overloaded (must wait: the message says how long).
  void log_in(std::string_view user, std::string_view password, std::string_view peer,
              OnLogin callback);
  // How long this user must wait before trying again from there; zero or less: not at all.
  Micros login_wait(std::string_view user, std::string_view peer) const;
  // Errors: denied.
  Result<PrincipalPtr> by_token(std::string_view token, std::string_view peer);
  Result<PrincipalPtr> by_certificate(std::string_view common_name, std::string_view peer = {});

  // The page's session: a cookie's value, and whose it is (null: no such, or no longer).
  std::string start_session(const PrincipalPtr& who);
  PrincipalPtr by_session(std::string_view cookie);
  void end_session(std::string_view cookie, std::string_view peer);

  // Counts and records that `who` (null: nobody) was refused `object`; returns the error to answer
  // with: denied, saying which right is missing.
  Error deny(const Principal* who, std::string_view peer, std::string_view object,
             std::string_view right);
  void audit(const Principal* who, std::string_view peer, AuditAction action,
             std::string_view object, AuditOutcome outcome = AuditOutcome::succeeded);

  // Forgets what is over. Call it every half minute or so.
  void sweep();
  const AccessCounts& counts() const { return counts_; }
  std::size_t session_count() const { return sessions_.size(); }
  std::size_t logins_waiting() const { return pending_.size(); }

 private:
  struct Account {
    PrincipalPtr principal;
    std::string password;  // PHC string
    // Keyed hash of the password that last fitted, believed until then: so a fleet that reconnects
    // does not have to wait for a slow hash each. Gone with a reload.
    Digest remembered{};
    Micros remembered_until;
  };
  struct TokenEntry {
    PrincipalPtr principal;
    std::string name;
    std::optional<Timestamp> expires;
  };
  struct Waiter {
    std::string peer;
    OnLogin callback;
  };
  struct Pending {  // one password being checked, for all who gave it
    std::string user;
    Digest password{};  // keyed hash
    std::string phc;
    std::vector<Waiter> waiters;
  };

  void take_users(const UsersFile& users);
  void take_tokens(const UsersFile& users);
  Account* find_account(std::string_view user);
  Digest keyed_hash(std::string_view user, std::string_view password) const;
  bool remembers(Account& account, const Digest& password, Micros now) const;
  void remember(Account& account, const Digest& password, Micros now);
  std::optional<Error> join_or_submit(std::string_view user, std::string_view password,
                                      const Digest& hash, Waiter& waiter);
  void on_checked(std::uint64_t number, bool fits);
  void succeed(const Account& account, Waiter waiter);
  void fail_login(std::string_view user, Waiter waiter);
  void answer_later(OnLogin callback, Result<PrincipalPtr> answer);
  void record(std::string_view who, std::string_view peer, AuditAction action,
              std::string_view object, AuditOutcome outcome);

  const AccessParts parts_;
  const AccessOptions options_;
  std::uint64_t generation_ = 0;
  PrincipalPtr anonymous_;
  std::map<std::string, Account, std::less<>> accounts_;
  std::map<std::string, std::string, std::less<>> certificates_;  // common name -> user
  std::map<Digest, TokenEntry> tokens_;
  // definition() of every principal that stands, with when its token expires.
  std::unordered_map<std::uint64_t, std::optional<Timestamp>> standing_;
  LoginThrottle throttle_;
  SessionBook sessions_;
  Digest key_{};  // of this process; for remembered passwords
  std::string decoy_;
  std::uint64_t number_next_ = 1;
  std::map<std::uint64_t, Pending> pending_;
  AccessCounts counts_;
  // Shared with tasks that were posted: gone when this is.
  std::shared_ptr<char> alive_;
  std::unique_ptr<PasswordChecker> checker_;  // last: its thread ends first
};

}  // namespace ficus::access
