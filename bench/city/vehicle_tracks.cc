#include "vehicle_tracks.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numbers>
#include <utility>

namespace ficus::bench {
namespace {

constexpr double kMetresPerDegree = 111'320;
constexpr double kRadians = std::numbers::pi / 180;
constexpr double kWest = 119.20, kEast = 119.45, kSouth = 25.98, kNorth = 26.15;

double rounded(double value, double steps) { return std::round(value * steps) / steps; }

AttributeId declare(Schema& schema, TypeId type, const char* name, ValueKind kind, int decimals) {
  AttributeInfo info;
  info.name = name;
  info.kind = kind;
  info.decimals = decimals;
  return schema.declare_attribute(type, info).value();
}

}  // namespace

VehicleTracks::VehicleTracks(Schema& schema, std::uint32_t vehicles, std::uint64_t seed)
    : random_(seed),
      type_(schema.intern_type("Vehicle").value()),
      speed_(declare(schema, type_, "speed", ValueKind::number, 1)),
      heading_(declare(schema, type_, "heading", ValueKind::number, 0)),
      location_(declare(schema, type_, "location", ValueKind::point, 6)),
      fuel_(declare(schema, type_, "fuel", ValueKind::number, 1)),
      status_(declare(schema, type_, "status", ValueKind::text, -1)) {
  for (std::uint32_t i = 0; i < vehicles; ++i) {
    Vehicle vehicle{};
    vehicle.longitude = random_.between(kWest, kEast);
    vehicle.latitude = random_.between(kSouth, kNorth);
    vehicle.heading = random_.between(0, 360);
    vehicle.fuel = random_.between(10, 100);
    decide(vehicle);
    vehicles_.push_back(vehicle);
    order_.push_back(i);
  }
}

// What it does next: on along its street, around a corner, a stop at a light, a long stop.
void VehicleTracks::decide(Vehicle& vehicle) {
  vehicle.is_parked = false;
  vehicle.bend = 0;
  const double what = random_.unit();
  if (what < 0.03) {
    vehicle.is_parked = true;
    vehicle.target_speed = 0;
    vehicle.seconds_left = static_cast<int>(random_.between(120, 900));
  } else if (what < 0.30) {
    vehicle.target_speed = 0;
    vehicle.seconds_left = static_cast<int>(random_.between(10, 60));
  } else if (what < 0.50) {
    vehicle.target_speed = random_.between(3, 7);
    vehicle.seconds_left = static_cast<int>(random_.between(5, 9));
    vehicle.bend = (random_.chance(0.5) ? 90.0 : -90.0) / vehicle.seconds_left;
  } else {
    vehicle.target_speed = random_.between(8, 19);
    vehicle.seconds_left = static_cast<int>(random_.between(15, 90));
    vehicle.bend = random_.between(-0.6, 0.6);
  }
}

void VehicleTracks::drive(Vehicle& vehicle) {
  if (--vehicle.seconds_left <= 0) decide(vehicle);
  const double change = vehicle.target_speed - vehicle.speed;
  vehicle.speed += std::clamp(change, -2.2, 1.4) * 0.6;
  if (vehicle.speed < 0.1 && vehicle.target_speed == 0) vehicle.speed = 0;
  if (vehicle.speed > 0) {
    vehicle.speed = std::max(0.0, vehicle.speed + random_.between(-0.08, 0.08));
    vehicle.heading += vehicle.bend + random_.between(-0.3, 0.3);
    vehicle.error_east = vehicle.error_east * 0.98 + random_.between(-0.06, 0.06);
    vehicle.error_north = vehicle.error_north * 0.98 + random_.between(-0.06, 0.06);
    vehicle.fuel = std::max(1.0, vehicle.fuel - vehicle.speed * 1e-5);
  }
  vehicle.heading = std::fmod(vehicle.heading + 360, 360);
  const double angle = vehicle.heading * kRadians;
  vehicle.longitude +=
      vehicle.speed * std::sin(angle) / kMetresPerDegree / std::cos(vehicle.latitude * kRadians);
  vehicle.latitude += vehicle.speed * std::cos(angle) / kMetresPerDegree;
  const bool is_outside = vehicle.longitude < kWest || vehicle.longitude > kEast ||
                          vehicle.latitude < kSouth || vehicle.latitude > kNorth;
  if (is_outside && vehicle.bend == 0) vehicle.bend = 20;  // turns back
}

std::vector<std::shared_ptr<const ObservationBatch>> VehicleTracks::second(std::int64_t second,
                                                                           std::size_t batch_rows) {
  for (std::size_t i = order_.size(); i > 1; --i)
    std::swap(order_[i - 1], order_[random_.below(i)]);
  std::vector<std::shared_ptr<const ObservationBatch>> out;
  for (std::size_t begin = 0; begin < order_.size(); begin += batch_rows) {
    ObservationBatch batch(type_);
    for (std::size_t i = begin; i < std::min(begin + batch_rows, order_.size()); ++i) {
      Vehicle& vehicle = vehicles_[order_[i]];
      drive(vehicle);
      batch.begin_row(fmt::format("urn:ngsi-ld:Vehicle:veh-{:05}", order_[i]),
                      Timestamp::from_seconds(second));
      batch.set_number(speed_, rounded(vehicle.speed * 3.6, 10));
      batch.set_number(heading_, std::fmod(std::round(vehicle.heading), 360));
      batch.set_point(location_,
                      {rounded(vehicle.longitude + vehicle.error_east / kMetresPerDegree, 1e6),
                       rounded(vehicle.latitude + vehicle.error_north / kMetresPerDegree, 1e6)});
      batch.set_number(fuel_, rounded(vehicle.fuel, 10));
      batch.set_text(status_, ValueKind::text,
                     vehicle.is_parked    ? "parked"
                     : vehicle.speed == 0 ? "stopped"
                                          : "moving");
    }
    batch.finish();
    out.push_back(std::make_shared<const ObservationBatch>(std::move(batch)));
  }
  return out;
}

}  // namespace ficus::bench
