// Runs the simulated city over many seeds, or over one again, or finds out which of its faults are
// needed to make it fail.

#include <fmt/format.h>

#include <charconv>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/planted.h"
#include "shrink.h"
#include "world.h"

namespace ficus::sim {
namespace {

constexpr const char* kUsage = R"(usage: ficus_sim [--seeds N] [--minutes M] [--first S] [--every K]
       ficus_sim --seed S [--only I,J,...] [--shrink] [--verbose] [--planted NAME]

  --seeds N     how many seeds (100); from --first S (1), each K-th (--every 1)
  --minutes M   no new seed is begun later than this
  --seed S      this one only; --only: with these of its faults, by number (none: --only -)
  --shrink      leaves faults out as long as it fails, and shows those that are needed
  --verbose     shows its faults, its last events and its own log
  --planted N   with this bug, in a build that has them; until the first seed that finds it
  --twice       runs each seed twice, and compares
)";

struct Arguments {
  std::uint64_t seeds = 100;
  double minutes = 0;
  std::uint64_t first = 1;
  std::uint64_t every = 1;
  std::optional<std::uint64_t> seed;
  std::optional<std::vector<std::size_t>> only;
  bool shrinks = false;
  bool is_verbose = false;
  bool runs_twice = false;
  std::string planted;
};

std::optional<std::uint64_t> whole(std::string_view text) {
  std::uint64_t value = 0;
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), value);
  if (parsed.ec != std::errc{} || parsed.ptr != text.data() + text.size()) return std::nullopt;
  return value;
}

std::optional<std::vector<std::size_t>> list_of(std::string_view text) {
  std::vector<std::size_t> list;
  if (text == "-") return list;
  while (!text.empty()) {
    const std::size_t comma = std::min(text.find(','), text.size());
    const auto number = whole(text.substr(0, comma));
    if (!number) return std::nullopt;
    list.push_back(*number);
    text.remove_prefix(std::min(comma + 1, text.size()));
  }
  return list;
}

bool plant_bug([[maybe_unused]] std::string_view name, [[maybe_unused]] Arguments& arguments) {
#ifdef FICUS_PLANTED_BUGS
  plant(name);
  arguments.planted = name;
  return true;
#else
  return false;
#endif
}

bool read_value(std::string_view name, std::string_view value, Arguments& arguments) {
  if (name == "--planted") return plant_bug(value, arguments);
  if (name == "--only") return (arguments.only = list_of(value)).has_value();
  const auto number = whole(value);
  if (!number) return false;
  if (name == "--seeds") {
    arguments.seeds = *number;
  } else if (name == "--minutes") {
    arguments.minutes = static_cast<double>(*number);
  } else if (name == "--first") {
    arguments.first = *number;
  } else if (name == "--every") {
    arguments.every = *number;
  } else if (name == "--seed") {
    arguments.seed = *number;
  } else {
    return false;
  }
  return true;
}

std::optional<Arguments> read_arguments(int argc, char** argv) {
  Arguments arguments;
  for (int i = 1; i < argc; ++i) {
    const std::string_view name = argv[i];
    if (name == "--shrink") {
      arguments.shrinks = true;
    } else if (name == "--verbose") {
      arguments.is_verbose = true;
    } else if (name == "--twice") {
      arguments.runs_twice = true;
    } else if (i + 1 == argc || !read_value(name, argv[++i], arguments)) {
      return std::nullopt;
    }
  }
  return arguments;
}

std::string joined(const std::vector<std::size_t>& list) {
  std::string text;
  for (const std::size_t index : list) text += fmt::format("{}{}", text.empty() ? "" : ",", index);
  return text.empty() ? "-" : text;
}

void print_run(const RunResult& result, const std::optional<std::vector<std::size_t>>& only) {
  for (std::size_t i = 0; i < result.plan.size(); ++i) {
    const bool is_in = !only || std::find(only->begin(), only->end(), i) != only->end();
    if (is_in) fmt::print("  fault {:2}  {}\n", i, result.plan[i].text());
  }
  for (const auto& [at, text] : result.report.tail()) {
    fmt::print("  {:10.3f} s  {}\n", at.seconds(), text);
  }
}

void print_failure(std::uint64_t seed, const RunResult& result,
                   const std::optional<std::vector<std::size_t>>& only) {
  fmt::print("seed {} FAILS\n", seed);
  print_run(result, only);
  for (const std::string& violation : result.report.violations()) {
    fmt::print("  violated: {}\n", violation);
  }
  fmt::print("replay: tests/sim/run --seed {}{} --verbose\n", seed,
             only ? " --only " + joined(*only) : "");
}

// The sums over many runs.
struct Totals {
  std::uint64_t seeds = 0;
  std::uint64_t failed = 0;
  double hours = 0;
  std::uint64_t steps = 0;
  std::uint64_t starts = 0;
  std::uint64_t readings = 0;
  std::uint64_t messages = 0;
  std::map<int, std::uint64_t> answers;
  std::uint64_t sightings = 0;
  std::uint64_t refusals = 0;
  std::array<std::uint64_t, kFaultKinds> injected{};

  void add(const RunResult& result) {
    ++seeds;
    failed += result.report.is_sound() ? 0 : 1;
    hours += result.simulated.seconds() / 3600;
    steps += result.steps;
    starts += result.starts;
    readings += result.readings;
    messages += result.messages;
    for (const auto& [status, count] : result.answers) answers[status] += count;
    sightings += result.sightings;
    refusals += result.refusals_to_start;
    for (std::size_t i = 0; i < kFaultKinds; ++i) injected[i] += result.injected[i];
  }
  void print(double seconds) const {
    fmt::print("seeds {}  failed {}  simulated hours {:.1f}  steps {}  seconds {:.1f}\n", seeds,
               failed, hours, steps, seconds);
    fmt::print(
        "readings {}  messages {}  sightings {}  starts {}  refused to start for damage {}\n",
        readings, messages, sightings, starts, refusals);
    std::string posts;
    for (const auto& [status, count] : answers) posts += fmt::format("  {}: {}", status, count);
    fmt::print("answers of HTTP{}\n", posts);
    std::string text;
    for (std::size_t i = 0; i < kFaultKinds; ++i) {
      text += fmt::format("{}{} {}", i == 0 ? "" : ", ", fault_name(static_cast<FaultKind>(i)),
                          injected[i]);
    }
    fmt::print("faults: {}\n", text);
  }
};

RunResult run_one(const Arguments& arguments, std::uint64_t seed) {
  RunOptions options{.seed = seed, .only = arguments.only};
  if (arguments.is_verbose) options.log = stderr;
  RunResult result = World(options).run();
  if (!arguments.runs_twice) return result;
  const RunResult again = World(options).run();
  if (again.report.hash() != result.report.hash()) {
    result.report.violation(result.simulated, "two runs of the seed are not the same");
  }
  return result;
}

int run_single(const Arguments& arguments) {
  const RunResult result = run_one(arguments, *arguments.seed);
  if (result.report.is_sound()) {
    if (arguments.is_verbose) print_run(result, arguments.only);
    Totals totals;
    totals.add(result);
    totals.print(0);
    fmt::print("hash {:016x}\n", result.report.hash());
    return 0;
  }
  print_failure(*arguments.seed, result, arguments.only);
  if (arguments.shrinks) {
    const std::vector<std::size_t> needed = shrink(*arguments.seed, result);
    const RunOptions options{.seed = *arguments.seed, .only = needed};
    fmt::print("\nof {} faults {} are needed:\n", result.plan.size(), needed.size());
    print_failure(*arguments.seed, World(options).run(), needed);
  }
  return 1;
}

// A row of the table that tests/sim/prove makes. With --shrink the faults that are not needed are
// left out, and the seed must fail once more with the others alone.
int print_found(const Arguments& arguments, std::uint64_t seed, const RunResult& result,
                double seconds) {
  std::string only;
  bool fails_again = true;
  if (arguments.shrinks) {
    const std::vector<std::size_t> needed = shrink(seed, result);
    fails_again = !World({.seed = seed, .only = needed}).run().report.is_sound();
    only = fmt::format(" --only {}", joined(needed));
  }
  fmt::print("| `{}` | {} | {} | {} | `--seed {}{}` | {:.1f} |\n", arguments.planted, seed,
             result.report.violations().front(), result.plan.size(), seed, only, seconds);
  if (!fails_again) fmt::print(stderr, "{}: shrunk, it does not fail\n", arguments.planted);
  return fails_again ? 0 : 1;
}

int run_many(const Arguments& arguments) {
  const auto begin = std::chrono::steady_clock::now();
  const auto seconds = [&] {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  };
  Totals totals;
  for (std::uint64_t i = 0; i < arguments.seeds; ++i) {
    if (arguments.minutes > 0 && seconds() > arguments.minutes * 60) break;
    const std::uint64_t seed = arguments.first + i * arguments.every;
    const RunResult result = run_one(arguments, seed);
    totals.add(result);
    if (result.report.is_sound()) continue;
    if (!arguments.planted.empty()) return print_found(arguments, seed, result, seconds());
    print_failure(seed, result, std::nullopt);
    std::fflush(stdout);
    if (totals.failed >= 5) break;
  }
  if (!arguments.planted.empty()) {
    fmt::print("| `{}` | not found in {} seeds | | | | {:.1f} |\n", arguments.planted, totals.seeds,
               seconds());
    return 1;
  }
  totals.print(seconds());
  return totals.failed == 0 ? 0 : 1;
}

}  // namespace
}  // namespace ficus::sim

int main(int argc, char** argv) {
  const auto arguments = ficus::sim::read_arguments(argc, argv);
  if (!arguments) {
    std::fputs(ficus::sim::kUsage, stderr);
    return 2;
  }
  return arguments->seed ? ficus::sim::run_single(*arguments) : ficus::sim::run_many(*arguments);
}
