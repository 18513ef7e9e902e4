#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "base/time.h"

namespace ficus::access {

enum class AuditAction : std::uint8_t {
  log_in,
  log_out,
  access,      // asked for something: recorded when denied, and for tokens of administrators
  alert_step,  // acknowledge, assign, comment, clear
  run_sql,
  administer,  // reload, cancel a query, ...
};
const char* audit_action_name(AuditAction action);  // "log_in"

enum class AuditOutcome : std::uint8_t { succeeded, failed, denied };
const char* audit_outcome_name(AuditOutcome outcome);

// How much an event says of its object, cut by AccessControl, which makes all events: a statement
// may be long; a stranger chooses the object, and every other one is an event of its own.
inline constexpr std::size_t kAuditObjectBytesMax = 4000;
inline constexpr std::size_t kAuditStrangerObjectBytesMax = 40;

// What was done, by whom, from where. Never holds a secret. A value.
struct AuditEvent {
  Timestamp time;
  std::string who;   // user name as given; empty: nobody
  std::string peer;  // address without the port
  AuditAction action = AuditAction::access;
  std::string object;  // what it was done to: "POST /ingest/parking", an alert's id, a statement
  AuditOutcome outcome = AuditOutcome::succeeded;
  std::uint64_t count = 1;  // how often since the last such event
};

// Where audit events go. Called on the loop's thread; never fails: what it cannot take it counts.
class AuditSink {
 public:
  virtual void record(const AuditEvent& event) = 0;

 protected:
  ~AuditSink() = default;
};

}  // namespace ficus::access
