#include "fault_plan.h"

#include <fmt/format.h>

#include <algorithm>
#include <tuple>

namespace ficus::sim {
namespace {

struct Rate {
  FaultKind kind;
  double weight;
};
constexpr std::array<Rate, kFaultKinds> kRates = {{
    {FaultKind::kill, 3},
    {FaultKind::power_loss, 4},
    {FaultKind::die_in_recovery, 1.5},
    {FaultKind::stop, 1},
    {FaultKind::disk_full, 1},
    {FaultKind::sync_fails, 0.7},
    {FaultKind::slow_disk, 1},
    {FaultKind::read_errors, 1},
    {FaultKind::bit_flip, 1.5},
    {FaultKind::misdirected, 1},
    {FaultKind::clock_jump, 1},
    {FaultKind::partition, 1},
    {FaultKind::cut, 3},
    {FaultKind::slow_client, 1},
    {FaultKind::history_refuses, 1.5},
    {FaultKind::hostile, 2},
    {FaultKind::rules_change, 1},
    {FaultKind::flood, 1},
}};

bool has_length(FaultKind kind) {
  return kind == FaultKind::disk_full || kind == FaultKind::slow_disk ||
         kind == FaultKind::partition || kind == FaultKind::slow_client ||
         kind == FaultKind::history_refuses || kind == FaultKind::flood;
}

}  // namespace

const char* fault_name(FaultKind kind) {
  switch (kind) {
    case FaultKind::kill:
      return "kill";
    case FaultKind::power_loss:
      return "power loss";
    case FaultKind::die_in_recovery:
      return "death in recovery";
    case FaultKind::stop:
      return "orderly stop";
    case FaultKind::disk_full:
      return "full disk";
    case FaultKind::sync_fails:
      return "failing sync";
    case FaultKind::slow_disk:
      return "slow disk";
    case FaultKind::read_errors:
      return "read errors";
    case FaultKind::bit_flip:
      return "bit flip";
    case FaultKind::misdirected:
      return "misdirected write";
    case FaultKind::clock_jump:
      return "clock jump";
    case FaultKind::partition:
      return "partition";
    case FaultKind::cut:
      return "cut connection";
    case FaultKind::slow_client:
      return "slow client";
    case FaultKind::history_refuses:
      return "history refuses";
    case FaultKind::hostile:
      return "hostile input";
    case FaultKind::rules_change:
      return "rules change";
    case FaultKind::flood:
      return "flood";
  }
  return "?";
}

std::string Fault::text() const {
  std::string text = fmt::format("{:9.3f} s  {} {}", at.seconds(), fault_name(kind), number);
  if (lasts.count > 0) text += fmt::format(" for {:.1f} s", lasts.seconds());
  return text;
}

std::vector<Fault> make_fault_plan(Random& random, Micros length) {
  // Each run has a mood: some kinds are left out, so that each is seen without the others, too.
  std::array<double, kFaultKinds> weights{};
  double sum = 0;
  for (std::size_t i = 0; i < kFaultKinds; ++i) {
    weights[i] = random.chance(0.6) ? kRates[i].weight : 0;
    sum += weights[i];
  }
  const std::uint64_t count = random.below(24);
  std::vector<Fault> plan;
  for (std::uint64_t i = 0; i < count && sum > 0; ++i) {
    double drawn = random.unit() * sum;
    std::size_t kind = 0;
    while (kind + 1 < kFaultKinds && drawn >= weights[kind]) drawn -= weights[kind++];
    Fault fault;
    fault.kind = kRates[kind].kind;
    fault.at = {static_cast<std::int64_t>(random.below(static_cast<std::uint64_t>(length.count)))};
    fault.number = random.below(1000);
    const std::uint64_t lasts = 100'000 + random.below(30'000'000);
    if (has_length(fault.kind)) fault.lasts = {static_cast<std::int64_t>(lasts)};
    plan.push_back(fault);
  }
  std::sort(plan.begin(), plan.end(), [](const Fault& a, const Fault& b) {
    return std::tuple(a.at, a.kind, a.number) < std::tuple(b.at, b.kind, b.number);
  });
  return plan;
}

}  // namespace ficus::sim
