#include "connect/mqtt/broker_state.h"

namespace ficus::connect {

BrokerState::BrokerState(const BrokerLimits& limits)
    : limits_(limits), retained_(limits.retained) {}

BrokerState::~BrokerState() = default;

Session* BrokerState::find(std::string_view client_id) {
  const auto found = sessions_.find(client_id);
  return found == sessions_.end() ? nullptr : found->second.get();
}

}  // namespace ficus::connect
