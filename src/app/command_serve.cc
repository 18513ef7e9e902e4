#include <fmt/format.h>

#include <cstdlib>

#include "app/command_list.h"

namespace ficus::app {

void configure_logger(const Config& config, const Machine& machine) {
  LoggerOptions options = config.logger;
  // systemd says so when standard error is the journal (systemd.exec(5)).
  options.has_priorities = std::getenv("JOURNAL_STREAM") != nullptr;
  machine.logger.set_options(options);
  machine.logger.set_level(config.log_level);
}

int run_serve(const Arguments& arguments, const Machine& machine) {
  const auto config = load_config(arguments, machine);
  if (!config) return report(config.error());
  configure_logger(*config, machine);
  auto brain = Brain::open(*config, machine);
  if (!brain) return report(brain.error());
  const Status ended = (*brain)->run();
  return ended ? 0 : report(ended.error());
}

int run_check(const Arguments& arguments, const Machine& machine) {
  const auto config = load_config(arguments, machine);
  if (!config) return report(config.error());
  const auto found = check_configuration(*config, machine);
  if (!found) return report(found.error());
  fmt::print("{}", *found);
  return 0;
}

}  // namespace ficus::app
