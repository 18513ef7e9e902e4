#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "app/arguments.h"
#include "app/brain.h"

namespace ficus::app {

// One word after `ficus`. `run` returns the exit code: 0 fine, 1 the work failed, 2 wrong usage.
struct Command {
  std::string_view name;
  std::string_view usage;    // "sql \"SELECT ...\" [options]"
  std::string_view summary;  // one line, English
  std::string_view summary_zh;
  std::vector<OptionInfo> options;
  int (*run)(const Arguments& arguments, const Machine& machine);
};

std::span<const Command> commands();

// Prints the error to standard error and returns the exit code for it.
int report(const Error& error);

// The configuration named by --config (default: ficus.yaml in the present folder, or the defaults
// if there is none).
Result<Config> load_config(const Arguments& arguments, const Machine& machine);

// Level and form of the log lines, as the configuration says.
void configure_logger(const Config& config, const Machine& machine);

// Parses the words, finds the command, runs it. What main calls.
int run_command(const std::vector<std::string>& words, const Machine& machine);

}  // namespace ficus::app
