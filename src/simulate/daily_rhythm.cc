#include "simulate/daily_rhythm.h"

#include <cmath>
#include <numbers>

namespace ficus::simulate {
namespace {

// A smooth hump around an hour, `width` hours to where it has fallen to about a third.
double hump(double hour, double middle, double width) {
  const double x = (hour - middle) / width;
  return std::exp(-x * x);
}

}  // namespace

double local_hour(Timestamp now) {
  constexpr std::int64_t kDay = 86'400'000'000;
  const Timestamp local = now + Micros::from_hours(8);
  const std::int64_t in_day = ((local.micros % kDay) + kDay) % kDay;
  return static_cast<double>(in_day) / 3.6e9;
}

double traffic_share(Timestamp now) {
  const double hour = local_hour(now);
  const double day = 0.55 * hump(hour, 13, 7);
  const double rush = 0.6 * hump(hour, 8, 1.3) + 0.65 * hump(hour, 18, 1.5);
  return std::fmin(1.0, 0.1 + day + rush);
}

double warmth(Timestamp now) { return std::cos((local_hour(now) - 15) / 12 * std::numbers::pi); }

double water_share(Timestamp now) {
  const double hour = local_hour(now);
  return 0.35 + 0.35 * hump(hour, 7.5, 1.8) + 0.4 * hump(hour, 19, 2.2) + 0.2 * hump(hour, 13, 4);
}

}  // namespace ficus::simulate
