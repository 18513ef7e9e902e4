#include "access/audit.h"

#include <utility>

namespace ficus::access {

const char* audit_action_name(AuditAction action) {
  switch (action) {
    case AuditAction::log_in:
      return "log_in";
    case AuditAction::log_out:
      return "log_out";
    case AuditAction::access:
      return "access";
    case AuditAction::alert_step:
      return "alert_step";
    case AuditAction::run_sql:
      return "run_sql";
    case AuditAction::administer:
      return "administer";
  }
  std::unreachable();
}

const char* audit_outcome_name(AuditOutcome outcome) {
  switch (outcome) {
    case AuditOutcome::succeeded:
      return "succeeded";
    case AuditOutcome::failed:
      return "failed";
    case AuditOutcome::denied:
      return "denied";
  }
  std::unreachable();
}

}  // namespace ficus::access
