#include "model/alert_state.h"

namespace ficus {

const char* alert_state_name(AlertState state) {
  switch (state) {
    case AlertState::raised:
      return "raised";
    case AlertState::acknowledged:
      return "acknowledged";
    case AlertState::assigned:
      return "assigned";
    case AlertState::cleared:
      return "cleared";
    case AlertState::closed:
      return "closed";
  }
  std::unreachable();
}

std::optional<AlertState> alert_state_from_name(std::string_view name) {
  for (const AlertState state : {AlertState::raised, AlertState::acknowledged, AlertState::assigned,
                                 AlertState::cleared, AlertState::closed}) {
    if (name == alert_state_name(state)) return state;
  }
  return std::nullopt;
}

}  // namespace ficus
