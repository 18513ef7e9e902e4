#pragma once

#include <cstdint>

#include "base/clock.h"
#include "base/logger.h"
#include "connect/client/secret_reader.h"
#include "connect/ingest/ingest.h"
#include "net/event_loop.h"

namespace ficus::connect {

// What every link borrows; all of it outlives the links.
struct LinkParts {
  net::EventLoop& loop;
  Ingest& ingest;
  const SecretReader& secrets;
  Disk& disk;
  const Clock& clock;
  Logger& logger;
  std::uint64_t random_seed = 0;  // for the jitter of back-off
};

}  // namespace ficus::connect
