#include "simulate/city.h"

#include <array>

#include "simulate/boats.h"
#include "simulate/city_map.h"
#include "simulate/stations.h"
#include "simulate/traffic.h"

namespace ficus::simulate {
namespace {

// Seconds after the start, in the order of IncidentKind: all within the first half minute, so that
// each shows within the first minute.
constexpr std::array<std::int64_t, kIncidentKinds> kFirst = {3, 8, 14, 12, 20, 24, 28};
// Then again and again, so many seconds after the last of the kind is over.
constexpr std::int64_t kPauseMin = 150;
constexpr std::uint64_t kPauseSpread = 240;

}  // namespace

class City::Parts {
 public:
  explicit Parts(const CityOptions& options)
      : random(options.seed),
        traffic(map, options.scale, Random(random.next())),
        stations(map, options.scale, options.speed, Random(random.next())),
        boats(map, options.scale, Random(random.next())),
        start(options.start) {}

  void live_second(CityStep& out) {
    ++second;
    const Timestamp now = start + Micros::from_seconds(second);
    for (int i = 0; i < kIncidentKinds; ++i) plan(i);
    traffic.step(now, second, out);
    stations.step(now, second, out);
    boats.step(now, second, out);
  }

  void plan(int index) {
    const auto kind = static_cast<IncidentKind>(index);
    Plan& p = plans[static_cast<std::size_t>(index)];
    if (p.is_running && is_over(kind)) {
      p.is_running = false;
      p.next = second + kPauseMin + static_cast<std::int64_t>(random.below(kPauseSpread));
    }
    if (p.is_running || second < p.next) return;
    p.is_running = true;
    begin(kind);
  }

  bool is_over(IncidentKind kind) const {
    if (kind == IncidentKind::school_zone_overspeed) return traffic.is_overspeed_over();
    if (kind == IncidentKind::vessel_in_protected_zone) return boats.is_intrusion_over();
    return stations.is_over(kind);
  }

  void begin(IncidentKind kind) {
    if (kind == IncidentKind::school_zone_overspeed) {
      traffic.wish_overspeed();
    } else if (kind == IncidentKind::vessel_in_protected_zone) {
      boats.begin_intrusion();
    } else {
      stations.begin(kind, second);
    }
  }

  struct Plan {
    std::int64_t next = 0;
    bool is_running = false;
  };

  const CityMap map;
  Random random;
  Traffic traffic;
  Stations stations;
  Boats boats;
  const Timestamp start;
  std::int64_t second = 0;
  std::array<Plan, kIncidentKinds> plans{};
};

City::City(const CityOptions& options) : parts_(std::make_unique<Parts>(options)) {
  for (std::size_t i = 0; i < kFirst.size(); ++i) parts_->plans[i].next = kFirst[i];
}

City::~City() = default;

void City::step(Timestamp now, CityStep& out) {
  out.messages.clear();
  out.incidents.clear();
  while (parts_->start + Micros::from_seconds(parts_->second + 1) <= now) parts_->live_second(out);
}

}  // namespace ficus::simulate
