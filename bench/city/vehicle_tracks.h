#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "base/random.h"
#include "model/observation_batch.h"
#include "model/schema.h"

namespace ficus::bench {

// Vehicles that drive through a city and report once a second, as a tracker would: position to six
// decimals of a degree, speed to 0.1 km/h, heading to a degree, fuel to 0.1 %, a status. They
// follow streets that bend, accelerate and brake, stop at lights, park; their position has an error
// that wanders slowly, as a receiver's does. The same seed gives the same tracks.
class VehicleTracks {
 public:
  VehicleTracks(Schema& schema, std::uint32_t vehicles, std::uint64_t seed);

  // What all vehicles report at that second, in batches of at most `batch_rows`, in an order of
  // chance: vehicles report when they like.
  std::vector<std::shared_ptr<const ObservationBatch>> second(std::int64_t second,
                                                              std::size_t batch_rows);
  TypeId type() const { return type_; }

 private:
  struct Vehicle {
    double longitude, latitude;
    double heading;                  // degrees
    double bend;                     // degrees a second
    double speed;                    // m/s
    double target_speed;             // m/s
    double fuel;                     // %
    double error_east, error_north;  // metres
    int seconds_left;                // of what it is doing
    bool is_parked;
  };
  void drive(Vehicle& vehicle);
  void decide(Vehicle& vehicle);

  Random random_;
  TypeId type_;
  AttributeId speed_, heading_, location_, fuel_, status_;
  std::vector<Vehicle> vehicles_;
  std::vector<std::uint32_t> order_;
};

}  // namespace ficus::bench
