#include <fmt/format.h>

#include <cstdio>

#include "app/client_target.h"
#include "app/command_list.h"
#include "simulate/replay.h"

namespace ficus::app {
namespace {

Result<simulate::ReplayOptions> read_options(const Arguments& arguments, const Machine& machine) {
  if (arguments.positional().size() != 1) return invalid("expected one file or folder");
  if (!arguments.has("to")) return invalid("expected --to TARGET");
  simulate::ReplayOptions options;
  options.path = arguments.positional()[0];
  options.to = arguments.value("to", "");
  if (options.to.starts_with("mqtts://") || options.to.starts_with("https://")) {
    FICUS_TRY(options.tls, client_tls(arguments, machine.disk));
  }
  FICUS_TRY(options.credentials,
            client_credentials(arguments, machine.disk, options.to.starts_with("mqtt")));
  options.time_column = arguments.value("time", "");
  FICUS_TRY(options.speed, arguments.number("speed", 1, 0, 1e9));
  FICUS_TRY(const double limit, arguments.number("limit", 0, 0, 1e15));
  options.limit = static_cast<std::uint64_t>(limit);
  return options;
}

}  // namespace

int run_replay(const Arguments& arguments, const Machine& machine) {
  const auto options = read_options(arguments, machine);
  if (!options) {
    fmt::print(stderr, "ficus replay: {}\n", options.error().message);
    return 2;
  }
  const auto outcome =
      simulate::replay(*options, machine.clock, machine.disk, [](const std::string& line) {
        fmt::print("{}\n", line);
        std::fflush(stdout);
      });
  if (!outcome) return report(outcome.error());
  fmt::print("sent {} records, acknowledged {}\n", outcome->sent, outcome->acknowledged);
  if (outcome->acknowledged == outcome->sent) return 0;
  return report({ErrorCode::unavailable, "not everything was acknowledged: " + outcome->remark});
}

}  // namespace ficus::app
