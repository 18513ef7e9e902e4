#include "model/units.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <numbers>
#include <string>
#include <utility>
#include <vector>

#include "base/nearest_name.h"

namespace ficus {
namespace {

using enum Dimension;

constexpr double kRadian = 180.0 / std::numbers::pi;  // degrees

// Codes, names and factors: UN/CEFACT Recommendation 20, Annexes I to III (revision 17). Base units
// are those in which city data is usually read, so that common conversions are exact. Sorted by
// code.
constexpr std::array kUnits{
    Unit{"2A", "rad/s", rotation, kRadian, 0},
    Unit{"2M", "cm/s", speed, 0.01, 0},
    Unit{"2N", "dB", sound_level, 1, 0},
    Unit{"2P", "kB", data, 1e3, 0},
    Unit{"2Z", "mV", voltage, 1e-3, 0},
    Unit{"3B", "MJ", energy, 1e6, 0},
    Unit{"4H", "µm", length, 1e-6, 0},
    Unit{"4K", "mA", current, 1e-3, 0},
    Unit{"4L", "MB", data, 1e6, 0},
    Unit{"59", "ppm", ratio, 1e-6, 0},
    Unit{"61", "ppb", ratio, 1e-9, 0},
    Unit{"A86", "GHz", frequency, 1e9, 0},
    Unit{"A90", "GW", power, 1e9, 0},
    Unit{"A93", "g/m³", density, 1e-3, 0},
    Unit{"A97", "hPa", pressure, 100, 0},
    Unit{"AD", "byte", data, 1, 0},
    Unit{"AMH", "A·h", charge, 3600, 0},
    Unit{"AMP", "A", current, 1, 0},
    Unit{"ATM", "atm", pressure, 101325, 0},
    Unit{"B22", "kA", current, 1e3, 0},
    Unit{"B49", "kΩ", resistance, 1e3, 0},
    Unit{"B98", "µs", Dimension::time, 1e-6, 0},
    Unit{"BAR", "bar", pressure, 1e5, 0},
    Unit{"C16", "mm/s", speed, 1e-3, 0},
    Unit{"C26", "ms", Dimension::time, 1e-3, 0},
    Unit{"C62", "1", ratio, 1, 0},
    Unit{"C81", "rad", angle, kRadian, 0},
    Unit{"CEL", "°C", temperature, 1, 273.15},
    Unit{"CMQ", "cm³", volume, 1e-6, 0},
    Unit{"CMT", "cm", length, 0.01, 0},
    Unit{"D10", "S/m", conductivity, 1, 0},
    Unit{"D46", "V·A", apparent_power, 1, 0},
    Unit{"D54", "W/m²", irradiance, 1, 0},
    Unit{"D61", "'", angle, 1.0 / 60, 0},
    Unit{"D62", "\"", angle, 1.0 / 3600, 0},
    Unit{"DAY", "d", Dimension::time, 86400, 0},
    Unit{"DD", "°", angle, 1, 0},
    Unit{"E32", "l/h", flow, 1e-3 / 3600, 0},
    Unit{"E34", "GB", data, 1e9, 0},
    Unit{"E96", "°/s", rotation, 1, 0},
    Unit{"FAH", "°F", temperature, 5.0 / 9, 459.67 * 5 / 9},
    Unit{"FOT", "ft", length, 0.3048, 0},
    Unit{"G42", "µS/cm", conductivity, 1e-4, 0},
    Unit{"G51", "l/s", flow, 1e-3, 0},
    Unit{"G52", "m³/d", flow, 1.0 / 86400, 0},
    Unit{"G53", "m³/min", flow, 1.0 / 60, 0},
    Unit{"GL", "g/l", density, 1, 0},
    Unit{"GP", "mg/m³", density, 1e-6, 0},
    Unit{"GQ", "µg/m³", density, 1e-9, 0},
    Unit{"GRM", "g", mass, 1e-3, 0},
    Unit{"GV", "GJ", energy, 1e9, 0},
    Unit{"GWH", "GW·h", energy, 3.6e12, 0},
    Unit{"H61", "mS/cm", conductivity, 0.1, 0},
    Unit{"H67", "mm/h", speed, 1e-3 / 3600, 0},
    Unit{"H87", "piece", count, 1, 0},
    Unit{"HAR", "ha", area, 1e4, 0},
    Unit{"HM", "mile/h", speed, 0.44704, 0},
    Unit{"HMT", "hm", length, 100, 0},
    Unit{"HTZ", "Hz", frequency, 1, 0},
    Unit{"HUR", "h", Dimension::time, 3600, 0},
    Unit{"INH", "in", length, 0.0254, 0},
    Unit{"JOU", "J", energy, 1, 0},
    Unit{"K40", "g", acceleration, 9.80665, 0},
    Unit{"KEL", "K", temperature, 1, 0},
    Unit{"KGM", "kg", mass, 1, 0},
    Unit{"KHZ", "kHz", frequency, 1e3, 0},
    Unit{"KJO", "kJ", energy, 1e3, 0},
    Unit{"KMH", "km/h", speed, 1.0 / 3.6, 0},
    Unit{"KMK", "km²", area, 1e6, 0},
    Unit{"KMQ", "kg/m³", density, 1, 0},
    Unit{"KMT", "km", length, 1000, 0},
    Unit{"KNT", "kn", speed, 1852.0 / 3600, 0},
    Unit{"KPA", "kPa", pressure, 1000, 0},
    Unit{"KVA", "kV·A", apparent_power, 1e3, 0},
    Unit{"KVR", "kvar", reactive_power, 1e3, 0},
    Unit{"KVT", "kV", voltage, 1e3, 0},
    Unit{"KWH", "kW·h", energy, 3.6e6, 0},
    Unit{"KWT", "kW", power, 1e3, 0},
    Unit{"L2", "l/min", flow, 1e-3 / 60, 0},
    Unit{"LTR", "l", volume, 1e-3, 0},
    Unit{"LUM", "lm", luminous_flux, 1, 0},
    Unit{"LUX", "lx", illuminance, 1, 0},
    Unit{"M1", "mg/l", density, 1e-3, 0},
    Unit{"MAW", "MW", power, 1e6, 0},
    Unit{"MBR", "mbar", pressure, 100, 0},
    Unit{"MGM", "mg", mass, 1e-6, 0},
    Unit{"MHZ", "MHz", frequency, 1e6, 0},
    Unit{"MIN", "min", Dimension::time, 60, 0},
    Unit{"MLT", "ml", volume, 1e-6, 0},
    Unit{"MMT", "mm", length, 1e-3, 0},
    Unit{"MPA", "MPa", pressure, 1e6, 0},
    Unit{"MQH", "m³/h", flow, 1.0 / 3600, 0},
    Unit{"MQS", "m³/s", flow, 1, 0},
    Unit{"MSK", "m/s²", acceleration, 1, 0},
    Unit{"MTK", "m²", area, 1, 0},
    Unit{"MTQ", "m³", volume, 1, 0},
    Unit{"MTR", "m", length, 1, 0},
    Unit{"MTS", "m/s", speed, 1, 0},
    Unit{"MWH", "MW·h", energy, 3.6e9, 0},
    Unit{"NEW", "N", force, 1, 0},
    Unit{"NMI", "n mile", length, 1852, 0},
    Unit{"OHM", "Ω", resistance, 1, 0},
    Unit{"P1", "%", ratio, 0.01, 0},
    Unit{"PAL", "Pa", pressure, 1, 0},
    Unit{"Q30", "pH", acidity, 1, 0},
    Unit{"RPM", "r/min", rotation, 6, 0},
    Unit{"RPS", "r/s", rotation, 360, 0},
    Unit{"SEC", "s", Dimension::time, 1, 0},
    Unit{"SMI", "mile", length, 1609.344, 0},
    Unit{"TNE", "t", mass, 1000, 0},
    Unit{"VLT", "V", voltage, 1, 0},
    Unit{"WHR", "W·h", energy, 3600, 0},
    Unit{"WTT", "W", power, 1, 0},
};

static_assert(std::ranges::is_sorted(kUnits, {}, &Unit::code));

Result<const Unit*> known_unit(std::string_view code) {
  if (const Unit* unit = find_unit(code)) return unit;
  std::vector<std::string_view> codes;
  codes.reserve(std::size(kUnits));
  for (const Unit& unit : kUnits) codes.push_back(unit.code);
  const std::string_view nearest = nearest_name(code, codes);
  if (nearest.empty()) {
    return invalid(
        fmt::format("unit '{}' is not known: expected a UN/CEFACT common code such as KMH", code));
  }
  return invalid(fmt::format("unit '{}' is not known: did you mean '{}' ({})?", code, nearest,
                             find_unit(nearest)->symbol));
}

}  // namespace

const char* dimension_name(Dimension dimension) {
  switch (dimension) {
    case angle:
      return "angle";
    case area:
      return "area";
    case charge:
      return "electric charge";
    case conductivity:
      return "conductivity";
    case current:
      return "electric current";
    case density:
      return "mass per volume";
    case energy:
      return "energy";
    case flow:
      return "volume flow";
    case force:
      return "force";
    case frequency:
      return "frequency";
    case illuminance:
      return "illuminance";
    case irradiance:
      return "irradiance";
    case length:
      return "length";
    case luminous_flux:
      return "luminous flux";
    case mass:
      return "mass";
    case power:
      return "power";
    case apparent_power:
      return "apparent power";
    case reactive_power:
      return "reactive power";
    case pressure:
      return "pressure";
    case ratio:
      return "ratio";
    case resistance:
      return "resistance";
    case rotation:
      return "rotation";
    case sound_level:
      return "sound level";
    case speed:
      return "speed";
    case acceleration:
      return "acceleration";
    case temperature:
      return "temperature";
    case Dimension::time:
      return "time";
    case voltage:
      return "voltage";
    case volume:
      return "volume";
    case acidity:
      return "acidity";
    case count:
      return "count";
    case data:
      return "amount of data";
  }
  std::unreachable();
}

std::span<const Unit> known_units() { return kUnits; }

const Unit* find_unit(std::string_view code) {
  const auto found = std::ranges::lower_bound(kUnits, code, {}, &Unit::code);
  return found != kUnits.end() && found->code == code ? &*found : nullptr;
}

Result<UnitConversion> unit_conversion(std::string_view from_code, std::string_view to_code) {
  FICUS_TRY(const Unit* from, known_unit(from_code));
  FICUS_TRY(const Unit* to, known_unit(to_code));
  if (from == to) return UnitConversion{};
  if (from->dimension != to->dimension) {
    return invalid(fmt::format("cannot convert {} ({}) to {} ({}): {} is not {}", from_code,
                               from->symbol, to_code, to->symbol, dimension_name(from->dimension),
                               dimension_name(to->dimension)));
  }
  return UnitConversion{from->factor / to->factor, (from->offset - to->offset) / to->factor};
}

}  // namespace ficus
