#pragma once

#include <memory>
#include <string>

#include "base/random.h"
#include "sim_network.h"

namespace ficus::sim {

// What somebody sends to this port who wants to do harm: a sound exchange, then bits, lengths and
// pieces of it changed, or plain noise. Its topics, its client identifier and its sources are its
// own.
std::string hostile_bytes(Port port, Random& random);

// Sends them and reads what comes, without understanding it.
struct HostilePeer {
  std::shared_ptr<Wire> wire;
};

}  // namespace ficus::sim
