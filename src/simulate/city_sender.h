#pragma once

#include <functional>
#include <string>

#include "base/clock.h"
#include "base/disk.h"
#include "base/result.h"
#include "net/tls.h"
#include "simulate/city.h"
#include "simulate/credentials.h"

namespace ficus::simulate {

struct CitySenderOptions {
  CityOptions city;  // `start` is set by run_city
  std::string mqtt = "127.0.0.1:1883";
  std::string http = "127.0.0.1:8080";
  // Given: encrypted.
  std::shared_ptr<net::TlsClientContext> mqtt_tls = {};
  std::shared_ptr<net::TlsClientContext> http_tls = {};
  Credentials credentials = {};
  std::string ais = "127.0.0.1:10110";
  double seconds = 0;  // simulated seconds to live; 0: until a signal
  std::string truth_file;
};

// Lives a city against the clock and sends what it says, until the signal or the end, then until
// everything is acknowledged. An unreachable brain is waited for. `on_line` gets a line of progress
// every five seconds. Returns an error if something was not acknowledged.
Status run_city(const CitySenderOptions& options, const Clock& clock, Disk& disk,
                const std::function<void(const std::string&)>& on_line);

}  // namespace ficus::simulate
