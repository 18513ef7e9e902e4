#include "connect/client/source_link.h"

#include <utility>

namespace ficus::connect {

const char* link_state_name(LinkStatus::State state) {
  switch (state) {
    case LinkStatus::State::connecting:
      return "connecting";
    case LinkStatus::State::connected:
      return "connected";
    case LinkStatus::State::waiting:
      return "waiting";
    case LinkStatus::State::stopped:
      return "stopped";
  }
  std::unreachable();
}

}  // namespace ficus::connect
