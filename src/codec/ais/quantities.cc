#include "codec/ais/quantities.h"

#include <cmath>

namespace ficus::ais {
namespace {

constexpr std::int32_t kFinePerDegree = 600'000;
constexpr std::int32_t kCoarsePerDegree = 600;

std::optional<double> degrees_within(std::int32_t raw, std::int32_t per_degree, int limit_deg) {
  if (raw < -limit_deg * per_degree || raw > limit_deg * per_degree) return std::nullopt;
  return static_cast<double>(raw) / per_degree;
}

std::optional<double> value_below(int raw, int none, double unit) {
  if (raw >= none) return std::nullopt;
  return raw * unit;
}

// Division keeps 12.3 the double nearest to 12.3; multiplying by 0.1 does not.
std::optional<double> tenths_below(int raw, int none) {
  if (raw >= none) return std::nullopt;
  return raw / 10.0;
}

}  // namespace

std::optional<double> Position::longitude_deg() const {
  return degrees_within(longitude_raw, kFinePerDegree, 180);
}
std::optional<double> Position::latitude_deg() const {
  return degrees_within(latitude_raw, kFinePerDegree, 90);
}
bool Position::is_available() const {
  return longitude_deg().has_value() && latitude_deg().has_value();
}

std::optional<double> CoarsePosition::longitude_deg() const {
  return degrees_within(longitude_raw, kCoarsePerDegree, 180);
}
std::optional<double> CoarsePosition::latitude_deg() const {
  return degrees_within(latitude_raw, kCoarsePerDegree, 90);
}
bool CoarsePosition::is_available() const {
  return longitude_deg().has_value() && latitude_deg().has_value();
}

std::optional<double> Speed::knots() const { return tenths_below(raw, 1023); }
std::optional<double> AircraftSpeed::knots() const { return value_below(raw, 1023, 1.0); }
std::optional<double> CoarseSpeed::knots() const { return value_below(raw, 63, 1.0); }
std::optional<double> Course::degrees() const { return tenths_below(raw, 3600); }
std::optional<double> CoarseCourse::degrees() const { return value_below(raw, 360, 1.0); }
std::optional<double> Heading::degrees() const { return value_below(raw, 360, 1.0); }
std::optional<double> Altitude::metres() const { return value_below(raw, 4095, 1.0); }

std::optional<double> Turn::degrees_per_minute() const {
  if (raw == -128 || raw == -127 || raw == 127) return std::nullopt;
  const double root = raw / 4.733;
  return std::copysign(root * root, root);
}

std::optional<int> FixSecond::second() const {
  if (raw >= 60) return std::nullopt;
  return raw;
}

std::optional<double> Draught::metres() const {
  if (raw == 0) return std::nullopt;
  return raw / 10.0;
}

std::optional<int> Dimensions::length_m() const {
  const int length = to_bow + to_stern;
  if (length == 0) return std::nullopt;
  return length;
}
std::optional<int> Dimensions::width_m() const {
  const int width = to_port + to_starboard;
  if (width == 0) return std::nullopt;
  return width;
}

}  // namespace ficus::ais
