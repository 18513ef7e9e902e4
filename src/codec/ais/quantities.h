#pragma once

#include <cstdint>
#include <optional>

// Measured fields exactly as transmitted (`raw`), with their meaning derived on demand. Nothing is
// returned where the sender said "not available" or sent what the field cannot mean.
// Sources: ITU-R M.1371-5, annex 8, tables 48 to 79.

namespace ficus::ais {

// Longitude and latitude in 1/10 000 minute; 181 and 91 degrees are "not available".
struct Position {
  std::int32_t longitude_raw = 181 * 600'000;  // east positive, 28 bits
  std::int32_t latitude_raw = 91 * 600'000;    // north positive, 27 bits

  std::optional<double> longitude_deg() const;
  std::optional<double> latitude_deg() const;
  // Both in range: a position whose one half is impossible is none.
  bool is_available() const;
  friend bool operator==(const Position&, const Position&) = default;
};

// The same in 1/10 minute (types 17, 22, 23, 27).
struct CoarsePosition {
  std::int32_t longitude_raw = 181 * 600;  // 18 bits
  std::int32_t latitude_raw = 91 * 600;    // 17 bits

  std::optional<double> longitude_deg() const;
  std::optional<double> latitude_deg() const;
  bool is_available() const;
  friend bool operator==(const CoarsePosition&, const CoarsePosition&) = default;
};

// Speed over ground in 1/10 knot. 1023 = not available, 1022 = 102.2 knots or more.
struct Speed {
  std::uint16_t raw = 1023;
  std::optional<double> knots() const;
  friend bool operator==(const Speed&, const Speed&) = default;
};

// Speed of an aircraft in knots. 1023 = not available, 1022 = 1022 knots or more.
struct AircraftSpeed {
  std::uint16_t raw = 1023;
  std::optional<double> knots() const;
  friend bool operator==(const AircraftSpeed&, const AircraftSpeed&) = default;
};

// Speed in whole knots in type 27. 63 = not available.
struct CoarseSpeed {
  std::uint8_t raw = 63;
  std::optional<double> knots() const;
  friend bool operator==(const CoarseSpeed&, const CoarseSpeed&) = default;
};

// Course over ground in 1/10 degree. 3600 = not available, above is not used.
struct Course {
  std::uint16_t raw = 3600;
  std::optional<double> degrees() const;
  friend bool operator==(const Course&, const Course&) = default;
};

// Course in whole degrees in type 27. 511 = not available, 360 to 510 are not used.
struct CoarseCourse {
  std::uint16_t raw = 511;
  std::optional<double> degrees() const;
  friend bool operator==(const CoarseCourse&, const CoarseCourse&) = default;
};

// True heading in degrees. 511 = not available, 360 to 510 are not used.
struct Heading {
  std::uint16_t raw = 511;
  std::optional<double> degrees() const;
  friend bool operator==(const Heading&, const Heading&) = default;
};

// Rate of turn: 4.733 * sqrt(degrees a minute), right positive. +-127 = faster than 5 degrees in
// 30 s with no turn indicator on board; -128 = not available.
struct Turn {
  std::int8_t raw = -128;
  std::optional<double> degrees_per_minute() const;  // nothing for +-127: only the side is known
  bool is_fast_left() const { return raw == -127; }
  bool is_fast_right() const { return raw == 127; }
  friend bool operator==(const Turn&, const Turn&) = default;
};

// Second of the minute at which the position was fixed, 0 to 59. 60 = not available, 61 = position
// entered by hand, 62 = dead reckoning, 63 = positioning system out of service.
struct FixSecond {
  std::uint8_t raw = 60;
  std::optional<int> second() const;
  bool is_manual() const { return raw == 61; }
  bool is_dead_reckoning() const { return raw == 62; }
  bool is_out_of_service() const { return raw == 63; }
  friend bool operator==(const FixSecond&, const FixSecond&) = default;
};

// Altitude of an aircraft in metres. 4095 = not available, 4094 = 4094 m or more.
struct Altitude {
  std::uint16_t raw = 4095;
  std::optional<double> metres() const;
  friend bool operator==(const Altitude&, const Altitude&) = default;
};

// Maximum present static draught in 1/10 m. 0 = not available, 255 = 25.5 m or more.
struct Draught {
  std::uint8_t raw = 0;
  std::optional<double> metres() const;
  friend bool operator==(const Draught&, const Draught&) = default;
};

// Distances in metres from the reference point of the reported position (M.1371-5, annex 8,
// 3.3.3). All zero = not available; bow and port zero = only length and width are given.
struct Dimensions {
  std::uint16_t to_bow = 0;       // 9 bits, 511 = 511 m or more
  std::uint16_t to_stern = 0;     // 9 bits
  std::uint8_t to_port = 0;       // 6 bits, 63 = 63 m or more
  std::uint8_t to_starboard = 0;  // 6 bits

  std::optional<int> length_m() const;
  std::optional<int> width_m() const;
  // The position refers to a known point of the hull.
  bool has_reference_point() const { return to_bow != 0 && to_port != 0; }
  friend bool operator==(const Dimensions&, const Dimensions&) = default;
};

}  // namespace ficus::ais
