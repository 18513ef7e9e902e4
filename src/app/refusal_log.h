#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "base/clock.h"
#include "base/logger.h"
#include "base/time.h"
#include "net/address.h"

namespace ficus::app {

// Logs connections that were not taken, without letting a storm of them fill the log: of each port
// three in ten seconds, then how many there were besides.
class RefusalLog {
 public:
  RefusalLog(Logger& logger, const Clock& clock) : logger_(logger), clock_(clock) {}

  void note(const std::string& port, const net::Address& peer, const Error& why);

 private:
  struct Window {
    Micros began = {};
    std::uint64_t seen = 0;
  };

  Logger& logger_;
  const Clock& clock_;
  std::map<std::string, Window> windows_;  // by port
};

}  // namespace ficus::app
