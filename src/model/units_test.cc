#include "model/units.h"

#include <gtest/gtest.h>

namespace ficus {
namespace {

double convert(double value, std::string_view from, std::string_view to) {
  return unit_conversion(from, to).value()(value);
}

TEST(Units, ConvertsWithinADimension) {
  EXPECT_DOUBLE_EQ(convert(10, "KNT", "KMH"), 18.52);
  EXPECT_DOUBLE_EQ(convert(36, "KMH", "MTS"), 10);
  EXPECT_DOUBLE_EQ(convert(60, "HM", "KMH"), 96.56064);
  EXPECT_NEAR(convert(212, "FAH", "CEL"), 100, 1e-9);
  EXPECT_NEAR(convert(-40, "CEL", "FAH"), -40, 1e-9);
  EXPECT_DOUBLE_EQ(convert(0, "CEL", "KEL"), 273.15);
  EXPECT_DOUBLE_EQ(convert(1013.25, "A97", "ATM"), 1);
  EXPECT_DOUBLE_EQ(convert(1, "BAR", "KPA"), 100);
  EXPECT_DOUBLE_EQ(convert(1, "GP", "GQ"), 1000);
  EXPECT_DOUBLE_EQ(convert(1, "M1", "A93"), 1);
  EXPECT_DOUBLE_EQ(convert(1, "NMI", "MTR"), 1852);
  EXPECT_DOUBLE_EQ(convert(3.6, "MQH", "G51"), 1);
  EXPECT_DOUBLE_EQ(convert(1, "KWH", "3B"), 3.6);
  EXPECT_DOUBLE_EQ(convert(50, "P1", "C62"), 0.5);
  EXPECT_NEAR(convert(3.14159265358979, "C81", "DD"), 180, 1e-9);
  EXPECT_DOUBLE_EQ(convert(2, "DAY", "HUR"), 48);
}

TEST(Units, SameUnitIsTheIdentity) {
  for (const Unit& unit : known_units()) {
    EXPECT_TRUE(unit_conversion(unit.code, unit.code).value().is_identity());
  }
}

TEST(Units, EveryConversionGoesThereAndBack) {
  for (const Unit& a : known_units()) {
    EXPECT_EQ(find_unit(a.code), &a);
    EXPECT_STRNE(dimension_name(a.dimension), "");
    for (const Unit& b : known_units()) {
      const auto there = unit_conversion(a.code, b.code);
      EXPECT_EQ(there.has_value(), a.dimension == b.dimension) << a.code << ' ' << b.code;
      if (!there) continue;
      const double back = unit_conversion(b.code, a.code).value()((*there)(12.5));
      EXPECT_NEAR(back, 12.5, 1e-6) << a.code << ' ' << b.code;
    }
  }
}

TEST(Units, SaysWhatIsWrong) {
  EXPECT_EQ(unit_conversion("KHM", "KMH").error().message,
            "unit 'KHM' is not known: did you mean 'KMH' (km/h)?");
  EXPECT_EQ(unit_conversion("furlong", "KMH").error().message,
            "unit 'furlong' is not known: expected a UN/CEFACT common code such as KMH");
  EXPECT_EQ(unit_conversion("KMH", "CEL").error().message,
            "cannot convert KMH (km/h) to CEL (°C): speed is not temperature");
}

}  // namespace
}  // namespace ficus
