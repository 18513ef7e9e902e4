#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "base/result.h"

namespace ficus {

// What a unit measures. Only units of the same dimension convert into each other.
enum class Dimension : std::uint8_t {
  angle,
  area,
  charge,
  conductivity,
  current,
  density,  // mass per volume: also the concentration of a pollutant
  energy,
  flow,  // volume per time
  force,
  frequency,
  illuminance,
  irradiance,
  length,
  luminous_flux,
  mass,
  power,
  apparent_power,
  reactive_power,
  pressure,
  ratio,
  resistance,
  rotation,  // angle per time
  sound_level,
  speed,
  acceleration,
  temperature,
  time,
  voltage,
  volume,
  acidity,
  count,
  data,
};

const char* dimension_name(Dimension dimension);

// A unit of measure by its UN/CEFACT Recommendation 20 common code, which is what NGSI-LD puts into
// `unitCode`.
struct Unit {
  std::string_view code;    // "KMH"
  std::string_view symbol;  // "km/h"
  Dimension dimension;
  // value in the dimension's base unit = value * factor + offset
  double factor;
  double offset;
};

// The units known, sorted by code. Those that city data use, not all 2000 of the Recommendation.
std::span<const Unit> known_units();
// Null if the code is not known.
const Unit* find_unit(std::string_view code);

// target value = source value * factor + offset
struct UnitConversion {
  double factor = 1;
  double offset = 0;

  double operator()(double value) const { return value * factor + offset; }
  bool is_identity() const { return factor == 1 && offset == 0; }
  friend bool operator==(const UnitConversion&, const UnitConversion&) = default;
};

// Fails if a code is not known (with the nearest known one) or the dimensions differ.
Result<UnitConversion> unit_conversion(std::string_view from_code, std::string_view to_code);

}  // namespace ficus
