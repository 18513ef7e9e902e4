#include <fmt/format.h>

#include "app/command_list.h"

namespace ficus::app {

int run_serve(const Arguments& arguments, const Machine& machine) {
  const auto config = load_config(arguments, machine);
  if (!config) return report(config.error());
  machine.logger.set_level(config->log_level);
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
