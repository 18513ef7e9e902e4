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
// together, by action and outcome; of those that strangers bring about the same is done from
// `stranger_kinds_max` on. So whoever hammers at the door can neither fill the log nor hide what
// users do. Loop thread.
class AuditDigest final : public AuditSink {
 public:
  static constexpr Micros kWindow = Micros::from_seconds(60);

  // Both outlive the digest.
  AuditDigest(const Clock& clock, AuditSink& out, std::size_t kinds_max = 1000,
              std::size_t stranger_kinds_max = 200)
      : clock_(clock), out_(out), kinds_max_(kinds_max), stranger_kinds_max_(stranger_kinds_max) {}

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
  static bool is_of_stranger(const AuditEvent& event);
  bool has_room(const AuditEvent& event) const;
  void begin(const AuditEvent& event, Micros now);
  void pass_on(const Held& held);

  const Clock& clock_;
  AuditSink& out_;
  const std::size_t kinds_max_;
  const std::size_t stranger_kinds_max_;
  std::map<Kind, Held> kinds_;
  std::size_t stranger_kinds_ = 0;  // of these
  Micros swept_ = Micros{INT64_MIN / 2};
};

}  // namespace ficus::access
