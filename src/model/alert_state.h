#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <utility>

namespace ficus {

// The life of an alert. Raised by a rule; an operator acknowledges it and assigns it to a
// department; it is cleared when the condition ends, and closed when an operator is done with it.
enum class AlertState : std::uint8_t {
  raised,
  acknowledged,
  assigned,
  cleared,  // the condition has ended, nobody has closed the alert; the condition may come back
  closed,   // final: if the condition comes back, that is another alert
};

enum class AlertEvent : std::uint8_t {
  condition_met,
  operator_acknowledge,
  operator_assign,
  condition_gone,
  operator_close,
};

// The state after the event. Total: what does not apply leaves the state as it is.
constexpr AlertState next(AlertState state, AlertEvent event) {
  const bool active = state != AlertState::cleared && state != AlertState::closed;
  switch (event) {  // no default: a new event must not compile
    case AlertEvent::condition_met:
      return state == AlertState::cleared ? AlertState::raised : state;
    case AlertEvent::operator_acknowledge:
      return state == AlertState::raised ? AlertState::acknowledged : state;
    case AlertEvent::operator_assign:
      return active ? AlertState::assigned : state;
    case AlertEvent::condition_gone:
      return active ? AlertState::cleared : state;
    case AlertEvent::operator_close:
      return AlertState::closed;
  }
  std::unreachable();
}

// Whether an operator may take this step now. Assigning twice is allowed: it changes the
// department. What rules report is always allowed.
constexpr bool is_allowed(AlertState state, AlertEvent event) {
  switch (event) {
    case AlertEvent::condition_met:
    case AlertEvent::condition_gone:
      return true;
    case AlertEvent::operator_acknowledge:
      return state == AlertState::raised;
    case AlertEvent::operator_assign:
      return state != AlertState::cleared && state != AlertState::closed;
    case AlertEvent::operator_close:
      return state != AlertState::closed;
  }
  std::unreachable();
}

// Open: the condition holds and nobody has closed the alert.
constexpr bool is_open(AlertState state) {
  return state != AlertState::cleared && state != AlertState::closed;
}

const char* alert_state_name(AlertState state);  // "raised", ...
std::optional<AlertState> alert_state_from_name(std::string_view name);

}  // namespace ficus
