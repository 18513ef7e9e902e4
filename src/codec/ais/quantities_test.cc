#include "codec/ais/quantities.h"

#include <gtest/gtest.h>

#include "codec/ais/names.h"
#include "codec/ais/radio.h"

namespace ficus::ais {
namespace {

TEST(AisQuantities, NothingByDefault) {
  EXPECT_FALSE(Position{}.is_available());
  EXPECT_FALSE(Position{}.longitude_deg().has_value());
  EXPECT_FALSE(Position{}.latitude_deg().has_value());
  EXPECT_FALSE(CoarsePosition{}.is_available());
  EXPECT_FALSE(Speed{}.knots().has_value());
  EXPECT_FALSE(AircraftSpeed{}.knots().has_value());
  EXPECT_FALSE(CoarseSpeed{}.knots().has_value());
  EXPECT_FALSE(Course{}.degrees().has_value());
  EXPECT_FALSE(CoarseCourse{}.degrees().has_value());
  EXPECT_FALSE(Heading{}.degrees().has_value());
  EXPECT_FALSE(Turn{}.degrees_per_minute().has_value());
  EXPECT_FALSE(FixSecond{}.second().has_value());
  EXPECT_FALSE(Altitude{}.metres().has_value());
  EXPECT_FALSE(Draught{}.metres().has_value());
  EXPECT_FALSE(Dimensions{}.length_m().has_value());
  EXPECT_FALSE(Dimensions{}.width_m().has_value());
}

TEST(AisQuantities, PositionLimits) {
  const Position corner{.longitude_raw = -180 * 600'000, .latitude_raw = 90 * 600'000};
  EXPECT_EQ(corner.longitude_deg(), -180.0);
  EXPECT_EQ(corner.latitude_deg(), 90.0);
  EXPECT_TRUE(corner.is_available());
  const Position beyond{.longitude_raw = 180 * 600'000 + 1, .latitude_raw = -90 * 600'000 - 1};
  EXPECT_FALSE(beyond.longitude_deg().has_value());
  EXPECT_FALSE(beyond.latitude_deg().has_value());
  // One impossible half makes the other worthless.
  const Position half{.longitude_raw = 0, .latitude_raw = 91 * 600'000};
  EXPECT_TRUE(half.longitude_deg().has_value());
  EXPECT_FALSE(half.is_available());
  const CoarsePosition coarse{.longitude_raw = 600, .latitude_raw = -300};
  EXPECT_EQ(coarse.longitude_deg(), 1.0);
  EXPECT_EQ(coarse.latitude_deg(), -0.5);
  EXPECT_TRUE(coarse.is_available());
}

TEST(AisQuantities, SpeedsAndAngles) {
  EXPECT_EQ(Speed{123}.knots(), 12.3);
  EXPECT_EQ(Speed{1022}.knots(), 102.2);
  EXPECT_EQ(AircraftSpeed{1022}.knots(), 1022.0);
  EXPECT_EQ(CoarseSpeed{62}.knots(), 62.0);
  EXPECT_EQ(Course{3599}.degrees(), 359.9);
  EXPECT_FALSE(Course{4095}.degrees().has_value());
  EXPECT_EQ(CoarseCourse{359}.degrees(), 359.0);
  EXPECT_FALSE(CoarseCourse{360}.degrees().has_value());
  EXPECT_EQ(Heading{0}.degrees(), 0.0);
  EXPECT_FALSE(Heading{360}.degrees().has_value());
  EXPECT_EQ(Altitude{4094}.metres(), 4094.0);
  EXPECT_EQ(Draught{255}.metres(), 25.5);
}

TEST(AisQuantities, Turn) {
  EXPECT_EQ(Turn{0}.degrees_per_minute(), 0.0);
  EXPECT_NEAR(*Turn{126}.degrees_per_minute(), 708.7, 0.05);  // M.1371-5, table 48: 708 or higher
  EXPECT_NEAR(*Turn{-126}.degrees_per_minute(), -708.7, 0.05);
  EXPECT_FALSE(Turn{127}.degrees_per_minute().has_value());
  EXPECT_FALSE(Turn{-127}.degrees_per_minute().has_value());
  EXPECT_TRUE(Turn{127}.is_fast_right());
  EXPECT_TRUE(Turn{-127}.is_fast_left());
  EXPECT_FALSE(Turn{}.is_fast_left());
}

TEST(AisQuantities, FixSecond) {
  EXPECT_EQ(FixSecond{59}.second(), 59);
  EXPECT_TRUE(FixSecond{61}.is_manual());
  EXPECT_TRUE(FixSecond{62}.is_dead_reckoning());
  EXPECT_TRUE(FixSecond{63}.is_out_of_service());
}

TEST(AisQuantities, Dimensions) {
  const Dimensions ship{.to_bow = 225, .to_stern = 70, .to_port = 1, .to_starboard = 31};
  EXPECT_EQ(ship.length_m(), 295);
  EXPECT_EQ(ship.width_m(), 32);
  EXPECT_TRUE(ship.has_reference_point());
  EXPECT_FALSE((Dimensions{.to_stern = 30, .to_starboard = 8}).has_reference_point());
}

TEST(AisRadio, CutStateMeansNothing) {
  EXPECT_FALSE(sotdma_state({.raw = 5, .bit_count = 18}).has_value());
  EXPECT_FALSE(itdma_state({.raw = 5, .bit_count = 0}).has_value());
  EXPECT_EQ((SelectedRadio{.raw = 0, .bit_count = 0}).state().bit_count, 0);
  EXPECT_FALSE((SelectedRadio{.raw = 0x7ffff, .bit_count = 19}).is_itdma());
}

TEST(AisNames, EveryValueHasBoth) {
  for (int i = 0; i < 256; ++i) {
    const auto value = static_cast<std::uint8_t>(i);
    for (const Name& at :
         {navigation_status_name(value), ship_type_name(value), aid_type_name(value),
          position_device_name(value), message_type_name(value)}) {
      EXPECT_FALSE(at.english.empty()) << i;
      EXPECT_FALSE(at.chinese.empty()) << i;
    }
  }
}

TEST(AisNames, Samples) {
  EXPECT_EQ(navigation_status_name(5).english, "Moored");
  EXPECT_EQ(navigation_status_name(1).chinese, "锚泊");
  EXPECT_EQ(navigation_status_name(16).english, "Unknown");
  EXPECT_EQ(ship_type_name(0).english, "Not available");
  EXPECT_EQ(ship_type_name(52).english, "Tug");
  EXPECT_EQ(ship_type_name(70).chinese, "货船");
  EXPECT_EQ(ship_type_name(81).english, "Tanker, hazardous category A");
  EXPECT_EQ(ship_type_name(15).english, "Reserved");
  EXPECT_EQ(ship_type_name(200).english, "Reserved");
  EXPECT_EQ(aid_type_name(31).english, "Light vessel, LANBY or rig");
  EXPECT_EQ(aid_type_name(32).english, "Unknown");
  EXPECT_EQ(position_device_name(15).english, "Internal GNSS");
  EXPECT_EQ(position_device_name(9).english, "Reserved");
  EXPECT_EQ(position_device_name(16).english, "Unknown");
  EXPECT_EQ(message_type_name(27).english, "Long-range position report");
  EXPECT_EQ(message_type_name(0).english, "Unknown");
}

}  // namespace
}  // namespace ficus::ais
