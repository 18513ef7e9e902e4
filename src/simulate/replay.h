#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "base/clock.h"
#include "base/disk.h"
#include "base/result.h"
#include "net/tls.h"
#include "simulate/credentials.h"

namespace ficus::simulate {

struct ReplayOptions {
  std::string path;  // file or folder
  std::string to;    // see open_target
  double speed = 1;  // times faster than recorded; 0: as fast as the receiver takes it
  std::shared_ptr<net::TlsClientContext> tls = {};  // REQUIRED for mqtts and https
  Credentials credentials = {};
  std::string time_column;
  std::uint64_t limit = 0;  // records; 0: all
};

struct ReplayOutcome {
  std::uint64_t sent = 0;
  std::uint64_t acknowledged = 0;
  std::string remark;  // the last thing that went wrong, if any did
};

// Sends what is recorded and waits until all of it is acknowledged, however long that takes. A
// signal ends it early. `on_line` gets a line of progress every five seconds.
Result<ReplayOutcome> replay(const ReplayOptions& options, const Clock& clock, Disk& disk,
                             const std::function<void(const std::string&)>& on_line);

}  // namespace ficus::simulate
