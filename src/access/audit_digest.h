#pragma once

#include <cstddef>
#include <map>
#include <string>
#include <tuple>

#include "access/audit.h"
#include "base/clock.h"

namespace ficus::access {

// Stands before a sink and makes few events of many: the first of its kind (same user, address,
// action, object, outcome) is passed on at once; those within the next minute are counted and
// passed on as one event when the minute is over. What changes something (alert steps,
// administration) is always passed on. Of more than `kinds_max` kinds a minute the rest is counted
// together, by action and outcome. So whoever hammers at the door cannot fill the log. Loop thread.
class AuditDigest final : public AuditSink {
 public:
  static constexpr Micros kWindow = Micros::from_seconds(60);

  // Both outlive the digest.
  AuditDigest(const Clock& clock, AuditSink& out, std::size_t kinds_max = 1000)
      : clock_(clock), out_(out), kinds_max_(kinds_max) {}

  void record(const AuditEvent& event) override;
  // Passes on what was counted in minutes that are over. Call it every half minute or so.
  void sweep();
  // Passes on everything: before the end.
  void flush();

 private:
  using Kind = std::tuple<std::string, std::string, AuditAction, std::string, AuditOutcome>;
  struct Held {
    AuditEvent last;  // with how many were held back
    Micros since;
  };
  static Kind kind_of(const AuditEvent& event);
  void pass_on(const Held& held);

  const Clock& clock_;
  AuditSink& out_;
  const std::size_t kinds_max_;
  std::map<Kind, Held> kinds_;
};

}  // namespace ficus::access
