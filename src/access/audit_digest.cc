#include "access/audit_digest.h"

namespace ficus::access {
namespace {

constexpr Micros kSecond = Micros::from_seconds(1);

}  // namespace

AuditDigest::Kind AuditDigest::kind_of(const AuditEvent& event) {
  return {event.who, event.peer, event.action, event.object, event.outcome};
}

// What anybody at the door can bring about, without a proof of who he is: he chooses the address,
// the object, and the user he says he is.
bool AuditDigest::is_of_stranger(const AuditEvent& event) {
  return event.who.empty() ||
         (event.action == AuditAction::log_in && event.outcome != AuditOutcome::succeeded);
}

bool AuditDigest::has_room(const AuditEvent& event) const {
  return kinds_.size() < kinds_max_ &&
         (!is_of_stranger(event) || stranger_kinds_ < stranger_kinds_max_);
}

void AuditDigest::begin(const AuditEvent& event, Micros now) {
  out_.record(event);
  Held held{.last = event, .since = now};
  held.last.count = 0;
  stranger_kinds_ += is_of_stranger(event) ? 1 : 0;
  kinds_.emplace(kind_of(event), std::move(held));
}

void AuditDigest::record(const AuditEvent& event) {
  if (event.action == AuditAction::alert_step || event.action == AuditAction::administer) {
    return out_.record(event);
  }
  const Micros now = clock_.monotonic();
  auto found = kinds_.find(kind_of(event));
  if (found == kinds_.end() && !has_room(event) && now - swept_ >= kSecond) sweep();
  if (found == kinds_.end() && !has_room(event)) {
    AuditEvent together = event;
    together.who.clear();
    together.peer.clear();
    together.object = is_of_stranger(event) ? "of many kinds, by strangers" : "of many kinds";
    found = kinds_.find(kind_of(together));
    // A few more than the limits: one for each action and outcome.
    if (found == kinds_.end()) return begin(together, now);
  }
  if (found == kinds_.end()) return begin(event, now);
  found->second.last.count += event.count;
  found->second.last.time = event.time;
}

void AuditDigest::pass_on(const Held& held) {
  if (held.last.count > 0) out_.record(held.last);
}

void AuditDigest::sweep() {
  const Micros now = clock_.monotonic();
  swept_ = now;
  std::erase_if(kinds_, [&](const auto& entry) {
    if (now - entry.second.since < kWindow) return false;
    pass_on(entry.second);
    stranger_kinds_ -= is_of_stranger(entry.second.last) ? 1 : 0;
    return true;
  });
}

void AuditDigest::flush() {
  for (auto& [kind, held] : kinds_) pass_on(held);
  kinds_.clear();
  stranger_kinds_ = 0;
}

}  // namespace ficus::access
