#include "access/audit_digest.h"

namespace ficus::access {

AuditDigest::Kind AuditDigest::kind_of(const AuditEvent& event) {
  return {event.who, event.peer, event.action, event.object, event.outcome};
}

void AuditDigest::record(const AuditEvent& event) {
  if (event.action == AuditAction::alert_step || event.action == AuditAction::administer) {
    return out_.record(event);
  }
  const Micros now = clock_.monotonic();
  auto found = kinds_.find(kind_of(event));
  if (found == kinds_.end() && kinds_.size() >= kinds_max_) {
    sweep();
    if (kinds_.size() >= kinds_max_) {
      AuditEvent together = event;
      together.who.clear();
      together.peer.clear();
      together.object = "of many kinds";
      found = kinds_.find(kind_of(together));
      if (found == kinds_.end()) {
        // A few more than `kinds_max`: one for each action and outcome.
        out_.record(together);
        together.count = 0;
        Kind kind = kind_of(together);
        kinds_.emplace(std::move(kind), Held{.last = std::move(together), .since = now});
        return;
      }
    }
  }
  if (found == kinds_.end()) {
    out_.record(event);
    Held held{.last = event, .since = now};
    held.last.count = 0;
    kinds_.emplace(kind_of(event), std::move(held));
    return;
  }
  found->second.last.count += event.count;
  found->second.last.time = event.time;
}

void AuditDigest::pass_on(const Held& held) {
  if (held.last.count > 0) out_.record(held.last);
}

void AuditDigest::sweep() {
  const Micros now = clock_.monotonic();
  std::erase_if(kinds_, [&](const auto& entry) {
    if (now - entry.second.since < kWindow) return false;
    pass_on(entry.second);
    return true;
  });
}

void AuditDigest::flush() {
  for (auto& [kind, held] : kinds_) pass_on(held);
  kinds_.clear();
}

}  // namespace ficus::access
