#include "access/access_control.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "access/password.h"
#include "base/hash.h"
#include "base/utf8.h"

namespace ficus::access {
namespace {

// A password that fitted is believed this long after it was last given, and while anybody who
// logged in with it is still connected. The price: whoever can read this process's memory can try
// passwords against a fast keyed hash instead of the slow one. They could as well read the
// passwords as they come in.
constexpr Micros kRememberFor = Micros::from_seconds(600);
// Different passwords of one user checked at a time: guessing in parallel gains nothing.
constexpr std::size_t kAtOncePerUser = 4;
constexpr std::size_t kWaitersMax = 10'000;
constexpr std::string_view kTokenBegin = "ficus_";

bool is_token(std::string_view text) {
  if (!text.starts_with(kTokenBegin)) return false;
  text.remove_prefix(kTokenBegin.size());
  return text.size() == 64 && text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

// A fingerprint of what a principal may do and how it proves itself.
class Definition {
 public:
  void add(std::string_view text) { hash_ = hash_mix(hash64(text, hash_), text.size()); }
  void add(std::uint64_t number) { hash_ = hash_mix(hash_, number + 1); }
  void add(const std::vector<TopicRight>& rights) {
    add(rights.size());
    for (const TopicRight& right : rights) add(right.pattern());
  }
  void add(const NameSet& set) {
    add(set.names.size() * 2 + (set.is_all ? 1 : 0));
    for (const std::string& name : set.names) add(name);
  }
  void add(const Rights& rights) {
    add(rights.publish);
    add(rights.subscribe);
    add(rights.ingest);
    add(rights.read);
    add((rights.sql ? 1U : 0U) + (rights.administer ? 2U : 0U) +
        4U * static_cast<unsigned>(rights.alerts));
  }
  std::uint64_t value() const { return hash_; }

 private:
  std::uint64_t hash_ = 0;
};

Rights every_right() {
  Rights rights;
  for (const Role& role : built_in_roles()) {
    if (role.name == "administrator") rights = role.rights;
  }
  return rights;
}

Error wrong_login() { return {ErrorCode::denied, "wrong user name or password"}; }

Error must_wait(Micros wait) {
  return {ErrorCode::overloaded, fmt::format("too many failed logins: try again in {} s",
                                             (wait.count + 999'999) / 1'000'000)};
}

Error too_busy() {
  return {ErrorCode::overloaded, "too many are logging in at once: try again in 20 s"};
}

}  // namespace

AccessControl::AccessControl(AccessParts parts, const AccessOptions& options)
    : parts_(std::move(parts)),
      options_(options),
      anonymous_(std::make_shared<const Principal>("", "", every_right(), 0)),
      sessions_(options.sessions),
      alive_(std::make_shared<char>()) {
  parts_.random(key_);
  standing_.emplace(anonymous_->definition(), std::nullopt);
  checker_ = std::make_unique<PasswordChecker>(
      options.logins_waiting_max,
      [this, alive = std::weak_ptr<char>(alive_)](std::uint64_t number, bool fits) {
        parts_.post([this, alive, number, fits] {
          if (!alive.expired()) on_checked(number, fits);
        });
      });
}

AccessControl::~AccessControl() = default;

Status AccessControl::reload(std::string_view text, std::string_view file,
                             const KnownNames& known) {
  FICUS_TRY(const UsersFile users, UsersFile::parse(text, file, known));
  standing_.clear();
  take_users(users);
  take_tokens(users);
  anonymous_ = nullptr;
  if (users.anonymous) {
    Definition definition;
    definition.add("anonymous");
    definition.add(*users.anonymous);
    anonymous_ = std::make_shared<const Principal>("", "", *users.anonymous, definition.value());
    standing_.emplace(definition.value(), std::nullopt);
  }
  ++generation_;
  return {};
}

void AccessControl::take_users(const UsersFile& users) {
  std::map<std::string, Account, std::less<>> accounts;
  certificates_.clear();
  std::optional<PasswordCost> cost;
  for (const User& user : users.users) {
    Definition definition;
    for (const std::string* part :
         {&user.name, &user.password, &user.certificate, &user.department}) {
      definition.add(*part);
    }
    definition.add(user.rights);
    standing_.emplace(definition.value(), std::nullopt);
    Account account;
    // One that stands stays the same object, so that those who hold it count as connected.
    const Account* const before = find_account(user.name);
    if (before != nullptr && before->principal->definition() == definition.value()) {
      account.principal = before->principal;
    } else {
      account.principal = std::make_shared<const Principal>(user.name, user.department, user.rights,
                                                            definition.value());
    }
    account.password = user.password;
    if (!user.certificate.empty()) certificates_.emplace(user.certificate, user.name);
    if (!cost) cost = password_cost(user.password);
    accounts.emplace(user.name, std::move(account));
  }
  accounts_ = std::move(accounts);
  Digest random{};
  parts_.random(random);
  Salt salt{};
  std::copy_n(random.begin(), salt.size(), salt.begin());
  decoy_ = decoy_hash(cost.value_or(PasswordCost{}), salt);
}

void AccessControl::take_tokens(const UsersFile& users) {
  tokens_.clear();
  for (const Token& token : users.tokens) {
    const User& user = users.users[token.user];
    Definition definition;
    definition.add(accounts_.at(user.name).principal->definition());
    definition.add(to_hex(token.sha256));
    definition.add(token.expires ? static_cast<std::uint64_t>(token.expires->micros) : 0);
    standing_.emplace(definition.value(), token.expires);
    TokenEntry entry;
    entry.principal = std::make_shared<const Principal>(user.name, user.department, user.rights,
                                                        definition.value());
    entry.name = token.name;
    entry.expires = token.expires;
    tokens_.emplace(token.sha256, std::move(entry));
  }
}

bool AccessControl::is_current(const Principal& principal) const {
  const auto found = standing_.find(principal.definition());
  return found != standing_.end() && (!found->second || *found->second > parts_.clock.now());
}

PrincipalPtr AccessControl::user(std::string_view name) const {
  if (name.empty() || is_open()) return anonymous_;
  const auto found = accounts_.find(name);
  return found == accounts_.end() ? nullptr : found->second.principal;
}

AccessControl::Account* AccessControl::find_account(std::string_view user) {
  const auto found = accounts_.find(user);
  return found == accounts_.end() ? nullptr : &found->second;
}

Digest AccessControl::keyed_hash(std::string_view user, std::string_view password) const {
  std::string text = fmt::format("{}:{}", user, password);  // a name holds no ':'
  const Digest hash = hmac_sha256(key_, text);
  wipe(text);
  return hash;
}

bool AccessControl::remembers(Account& account, const Digest& password, Micros now) const {
  return now < account.remembered_until && equal_in_constant_time(account.remembered, password);
}

void AccessControl::remember(Account& account, const Digest& password, Micros now) {
  account.remembered = password;
  account.remembered_until = now + kRememberFor;
}

void AccessControl::log_in(std::string_view user, std::string_view password, std::string_view peer,
                           OnLogin callback) {
  const Micros now = parts_.clock.monotonic();
  Waiter waiter{.peer = address_key(peer), .callback = std::move(callback)};
  if (is_token(password)) {
    Result<PrincipalPtr> who = by_token(password, peer);
    if (who && (*who)->name() != user) who = std::unexpected(wrong_login());
    return answer_later(std::move(waiter.callback), std::move(who));
  }
  if (!is_user_name(user) || password.size() > kPasswordBytesMax) {
    // Nobody can be called that, so nothing is given away by answering at once.
    return fail_login("", std::move(waiter));
  }
  if (const Micros wait = throttle_.wait(user, waiter.peer, now); wait > Micros{}) {
    ++counts_.logins_delayed;
    record(user, waiter.peer, AuditAction::log_in, "delayed", AuditOutcome::denied);
    return answer_later(std::move(waiter.callback), std::unexpected(must_wait(wait)));
  }
  const Digest hash = keyed_hash(user, password);
  if (Account* account = find_account(user); account != nullptr && remembers(*account, hash, now)) {
    remember(*account, hash, now);
    ++counts_.logins_remembered;
    return succeed(*account, std::move(waiter));
  }
  if (auto refused = join_or_submit(user, password, hash, waiter)) {
    ++counts_.logins_overloaded;
    answer_later(std::move(waiter.callback), std::unexpected(*std::move(refused)));
  }
}

Micros AccessControl::login_wait(std::string_view user, std::string_view peer) const {
  return throttle_.wait(user, address_key(peer), parts_.clock.monotonic());
}

// On success the waiter has been moved from.
std::optional<Error> AccessControl::join_or_submit(std::string_view user, std::string_view password,
                                                   const Digest& hash, Waiter& waiter) {
  std::size_t of_user = 0;
  std::size_t of_address = 0;
  std::size_t waiters = 0;
  for (auto& [number, pending] : pending_) {
    waiters += pending.waiters.size();
    if (pending.user == user) {
      if (equal_in_constant_time(pending.password, hash) && pending.waiters.size() < kWaitersMax) {
        pending.waiters.push_back(std::move(waiter));
        return std::nullopt;
      }
      ++of_user;
    }
    of_address += pending.waiters.front().peer == waiter.peer ? 1 : 0;
  }
  // No address may fill the queue alone, so that others still get in.
  const bool is_address_full = of_address > 0 && of_address >= options_.logins_waiting_max / 2;
  if (of_user >= kAtOncePerUser || waiters >= kWaitersMax || is_address_full) return too_busy();
  const Account* const account = find_account(user);
  const bool has_password = account != nullptr && !account->password.empty();
  Pending pending{.user = std::string(user),
                  .password = hash,
                  .phc = has_password ? account->password : decoy_,
                  .waiters = {}};
  if (!checker_->submit(number_next_, pending.phc, std::string(password))) return too_busy();
  pending.waiters.push_back(std::move(waiter));
  pending_.emplace(number_next_++, std::move(pending));
  return std::nullopt;
}

void AccessControl::on_checked(std::uint64_t number, bool fits) {
  const auto found = pending_.find(number);
  if (found == pending_.end()) return;
  Pending pending = std::move(found->second);
  pending_.erase(found);
  Account* const account = find_account(pending.user);
  // A reload meanwhile may have taken the user away or changed the password.
  const bool stands = account != nullptr && account->password == pending.phc;
  if (fits && stands) remember(*account, pending.password, parts_.clock.monotonic());
  for (Waiter& waiter : pending.waiters) {
    if (fits && stands) {
      succeed(*account, std::move(waiter));
    } else {
      fail_login(pending.user, std::move(waiter));
    }
  }
}

void AccessControl::succeed(const Account& account, Waiter waiter) {
  ++counts_.logins_succeeded;
  throttle_.succeed(account.principal->name(), waiter.peer, parts_.clock.monotonic());
  record(account.principal->name(), waiter.peer, AuditAction::log_in, "password",
         AuditOutcome::succeeded);
  answer_later(std::move(waiter.callback), account.principal);
}

void AccessControl::fail_login(std::string_view user, Waiter waiter) {
  ++counts_.logins_failed;
  throttle_.fail(user, waiter.peer, parts_.clock.monotonic());
  record(user, waiter.peer, AuditAction::log_in, "password", AuditOutcome::failed);
  answer_later(std::move(waiter.callback), std::unexpected(wrong_login()));
}

void AccessControl::answer_later(OnLogin callback, Result<PrincipalPtr> answer) {
  parts_.post([alive = std::weak_ptr<char>(alive_), callback = std::move(callback),
               answer = std::move(answer)]() mutable {
    if (!alive.expired()) callback(std::move(answer));
  });
}

Result<PrincipalPtr> AccessControl::by_token(std::string_view token, std::string_view peer) {
  // The look-up is by hash: how far two hashes agree tells nothing about the secret.
  const auto found = tokens_.find(sha256(token));
  const bool fits = found != tokens_.end() &&
                    (!found->second.expires || *found->second.expires > parts_.clock.now());
  if (!fits) {
    ++counts_.proofs_failed;
    const bool is_expired = found != tokens_.end();
    record(is_expired ? found->second.principal->name() : "", address_key(peer),
           AuditAction::log_in, is_expired ? "expired token " + found->second.name : "token",
           AuditOutcome::failed);
    return fail(ErrorCode::denied, "the token is wrong, revoked or expired");
  }
  const TokenEntry& entry = found->second;
  if (entry.principal->may_administer()) {
    record(entry.principal->name(), address_key(peer), AuditAction::log_in, "token " + entry.name,
           AuditOutcome::succeeded);
  }
  return entry.principal;
}

Result<PrincipalPtr> AccessControl::by_certificate(std::string_view common_name,
                                                   std::string_view peer) {
  const auto found = certificates_.find(common_name);
  if (found != certificates_.end()) {
    const PrincipalPtr& who = accounts_.at(found->second).principal;
    record(who->name(), address_key(peer), AuditAction::log_in, "certificate",
           AuditOutcome::succeeded);
    return who;
  }
  ++counts_.proofs_failed;
  record("", address_key(peer), AuditAction::log_in,
         fmt::format("certificate '{}'", common_name.substr(0, 64)), AuditOutcome::failed);
  return fail(ErrorCode::denied, "no user has this certificate's common name");
}

std::string AccessControl::start_session(const PrincipalPtr& who) {
  Digest secret{};
  parts_.random(secret);
  return sessions_.start(who, secret, parts_.clock.monotonic());
}

PrincipalPtr AccessControl::by_session(std::string_view cookie) {
  PrincipalPtr who = sessions_.find(cookie, parts_.clock.monotonic());
  if (who != nullptr && is_current(*who)) return who;
  if (who != nullptr) sessions_.end(cookie);
  return nullptr;
}

void AccessControl::end_session(std::string_view cookie, std::string_view peer) {
  const PrincipalPtr who = by_session(cookie);
  if (who == nullptr) return;
  record(who->name(), address_key(peer), AuditAction::log_out, "session", AuditOutcome::succeeded);
  sessions_.end(cookie);
}

Error AccessControl::deny(const Principal* who, std::string_view peer, std::string_view object,
                          std::string_view right) {
  ++counts_.denied;
  audit(who, peer, AuditAction::access, object, AuditOutcome::denied);
  if (who == nullptr || who->name().empty()) {
    return {ErrorCode::denied, fmt::format("log in first: this needs the right {}", right)};
  }
  return {ErrorCode::denied,
          fmt::format("user '{}' may not do this: it needs the right {}", who->name(), right)};
}

void AccessControl::audit(const Principal* who, std::string_view peer, AuditAction action,
                          std::string_view object, AuditOutcome outcome) {
  record(who == nullptr ? std::string_view() : who->name(), address_key(peer), action, object,
         outcome);
}

void AccessControl::record(std::string_view who, std::string_view peer, AuditAction action,
                           std::string_view object, AuditOutcome outcome) {
  // While open there is nobody to tell apart.
  if (parts_.audit == nullptr || is_open()) return;
  // A name that is nobody's is not repeated: it may be a password typed into the wrong field.
  const bool is_somebody = who.empty() || accounts_.contains(who);
  const bool is_stranger = who.empty() || !is_somebody;
  object = utf8_prefix(object, is_stranger ? kAuditStrangerObjectBytesMax : kAuditObjectBytesMax);
  parts_.audit->record(
      {.time = parts_.clock.now(),
       .who = is_somebody ? std::string(who) : std::string(),
       .peer = std::string(peer),
       .action = action,
       .object = is_somebody ? std::string(object) : std::string(object) + " of an unknown user",
       .outcome = outcome});
}

void AccessControl::sweep() {
  const Micros now = parts_.clock.monotonic();
  sessions_.sweep(now);
  for (auto& [name, account] : accounts_) {
    // More than our own reference: somebody is connected, and may have to come back.
    if (now < account.remembered_until && account.principal.use_count() > 1) {
      account.remembered_until = now + kRememberFor;
    }
  }
}

}  // namespace ficus::access
