// The generator of bench/city: load CASE HOST:PORT [name=value...]
#include <fmt/format.h>

#include <string_view>

#include "options.h"

int main(int argc, char** argv) {
  struct Case {
    std::string_view name;
    void (*run)(const load::Options&);
  };
  constexpr Case kCases[] = {
      {"ingest", load::run_ingest},     {"fan_in", load::run_fan_in},
      {"fan_out", load::run_fan_out},   {"latency", load::run_latency},
      {"alert", load::run_alert},       {"connect", load::run_connect},
      {"retained", load::run_retained}, {"soak", load::run_soak},
  };
  load::Options options;
  for (int i = 3; i < argc; ++i) {
    const std::string argument = argv[i];
    const std::size_t equals = argument.find('=');
    if (equals != std::string::npos) {
      options.values[argument.substr(0, equals)] = argument.substr(equals + 1);
    }
  }
  for (const Case& one : kCases) {
    if (argc < 3 || one.name != argv[1]) continue;
    options.target = argv[2];
    one.run(options);
    return 0;
  }
  fmt::print(stderr, "usage: city_load CASE HOST:PORT [name=value...]\ncases:");
  for (const Case& one : kCases) fmt::print(stderr, " {}", one.name);
  fmt::print(stderr, "\n");
  return 2;
}
