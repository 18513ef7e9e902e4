#pragma once

#include <string>

#include "model/alert_state.h"

namespace ficus {

// What an operator does to an alert.
struct AlertCommand {
  std::string alert_id;
  AlertEvent event = AlertEvent::operator_acknowledge;  // one of the operator_* events
  std::string by;                                       // who
  std::string department;                               // for operator_assign: to whom
  // Not empty: only if the alert is assigned to this department now, else denied.
  std::string only_of_department;
};

}  // namespace ficus
