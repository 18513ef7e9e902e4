#include <sys/random.h>

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <span>
#include <string>
#include <vector>

#include "app/commands.h"

namespace {

// getrandom fails only where there is no such system call, and then there are no secrets to be had.
void random_bytes(std::span<std::uint8_t> out) {
  if (getrandom(out.data(), out.size(), 0) != static_cast<ssize_t>(out.size())) {
    std::fprintf(stderr, "ficus: no randomness from the kernel\n");
    std::abort();
  }
}

}  // namespace

// The only place that makes a clock, a disk and randomness: everything below is handed them.
int main(int argc, char** argv) {
  // A peer that goes away while we write is an error of that write, not the end of the process.
  std::signal(SIGPIPE, SIG_IGN);
  ficus::SystemClock clock;
  ficus::PosixDisk disk;
  ficus::Logger logger(clock, stderr, ficus::LogLevel::info);
  std::uint64_t seed = 0;
  if (getrandom(&seed, sizeof seed, 0) != sizeof seed) {
    std::fprintf(stderr, "ficus: no randomness from the kernel\n");
    return 1;
  }
  const std::vector<std::string> words(argv + 1, argv + argc);
  return ficus::app::run_command(words, {disk, clock, logger, seed, random_bytes});
}
