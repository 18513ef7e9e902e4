#pragma once

#include <memory>
#include <string>

#include "base/random.h"
#include "sim_network.h"

namespace ficus::sim {

// Packets of a client that wants to do harm: a sound exchange, then bits, lengths and pieces of it
// changed, or plain noise. Its topics and its client identifier are its own.
std::string hostile_bytes(Random& random);

// Sends them and reads what comes, without understanding it.
struct HostilePeer {
  std::shared_ptr<Wire> wire;
};

}  // namespace ficus::sim
