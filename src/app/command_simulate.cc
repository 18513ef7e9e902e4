#include <fmt/format.h>

#include <cstdio>

#include "app/client_target.h"
#include "app/command_list.h"
#include "simulate/city_sender.h"

namespace ficus::app {
namespace {

Result<simulate::CitySenderOptions> read_options(const Arguments& arguments,
                                                 const Machine& machine) {
  simulate::CitySenderOptions options;
  FICUS_TRY(const ClientTarget mqtt,
            client_target(arguments, arguments.value("mqtt", options.mqtt), "mqtt", machine.disk));
  FICUS_TRY(const ClientTarget http,
            client_target(arguments, arguments.value("http", options.http), "http", machine.disk));
  options.mqtt = mqtt.host_port;
  options.mqtt_tls = mqtt.tls;
  options.http = http.host_port;
  options.http_tls = http.tls;
  FICUS_TRY(options.credentials, client_credentials(arguments, machine.disk, true));
  options.ais = arguments.value("ais", options.ais);
  options.truth_file = arguments.value("truth", "");
  FICUS_TRY(options.city.speed, arguments.number("speed", 1, 0.01, 1000));
  FICUS_TRY(options.city.scale, arguments.number("scale", 1, 0.01, 1000));
  FICUS_TRY(options.seconds, arguments.number("seconds", 0, 0, 1e9));
  FICUS_TRY(const double seed, arguments.number("seed", 1, 0, 1e15));
  options.city.seed = static_cast<std::uint64_t>(seed);
  return options;
}

}  // namespace

int run_simulate(const Arguments& arguments, const Machine& machine) {
  const auto options = read_options(arguments, machine);
  if (!options) {
    fmt::print(stderr, "ficus simulate: {}\n", options.error().message);
    return 2;
  }
  const Status ended =
      simulate::run_city(*options, machine.clock, machine.disk, [](const std::string& line) {
        fmt::print("{}\n", line);
        std::fflush(stdout);
      });
  return ended ? 0 : report(ended.error());
}

}  // namespace ficus::app
