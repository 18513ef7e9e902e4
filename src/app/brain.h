#pragma once

#include <cstdint>
#include <memory>
#include <span>

#include "app/config.h"
#include "base/clock.h"
#include "base/disk.h"
#include "base/logger.h"

namespace ficus::app {

// What main hands in: the only clock, disk and randomness of the process.
struct Machine {
  Disk& disk;
  const Clock& clock;
  Logger& logger;
  std::uint64_t random_seed = 0;
  // Fills the bytes with randomness fit for secrets (the kernel's).
  void (*random_bytes)(std::span<std::uint8_t> out) = nullptr;
};

// The whole program, wired: log, twin, history, rules, connectors, API. Built in the order in which
// the parts need each other and destroyed in the other.
class Brain {
 public:
  // Recovers, opens the ports; an error says which part and why.
  static Result<std::unique_ptr<Brain>> open(const Config& config, const Machine& machine);
  ~Brain();
  Brain(const Brain&) = delete;
  Brain& operator=(const Brain&) = delete;

  // Serves until SIGTERM or SIGINT, then drains and stops within 5 s.
  Status run();

 private:
  class Parts;
  explicit Brain(std::unique_ptr<Parts> parts);
  std::unique_ptr<Parts> parts_;
};

// What `ficus check` does: configuration, packs, rules and mappings are loaded as at start, nothing
// is opened. Returns what was found, for people.
Result<std::string> check_configuration(const Config& config, const Machine& machine);

}  // namespace ficus::app
