#include "base/time_text.h"

#include <gtest/gtest.h>

namespace ficus {
namespace {

TEST(TimeText, WritesAsFewDecimalsAsAreExact) {
  EXPECT_EQ(to_iso8601({0}), "1970-01-01T00:00:00Z");
  EXPECT_EQ(to_iso8601({1'500'000}), "1970-01-01T00:00:01.500Z");
  EXPECT_EQ(to_iso8601({-1}), "1969-12-31T23:59:59.999999Z");
}

TEST(TimeText, ReadsZones) {
  const auto utc = parse_iso8601("2026-11-23T08:15:00Z");
  ASSERT_TRUE(utc);
  EXPECT_EQ(parse_iso8601("2026-11-23T16:15:00+08:00"), utc);
  EXPECT_EQ(parse_iso8601("2026-11-23 16:15:00+0800"), utc);
  EXPECT_EQ(parse_iso8601("2026-11-23 16:15", Micros::from_hours(8)), utc);
  EXPECT_EQ(parse_iso8601("2026-11-23T04:45:00.0-03:30"), utc);
}

TEST(TimeText, RoundTripsEveryDayOfFourCenturies) {
  for (std::int64_t day = -30'000; day < 120'000; ++day) {
    const Timestamp t{day * 86'400'000'000 + 43'200'000'000 + 7};
    ASSERT_EQ(parse_iso8601(to_iso8601(t)), t) << day;
  }
}

TEST(TimeText, RefusesWhatIsNoTime) {
  for (const char* text :
       {"", "2026", "2026-13-01", "2026-04-31", "2026-02-29", "2026-01-01T24:00:00Z",
        "2026-01-01T00:00:00+", "2026-01-01T00:00:00Zx", "2026-01-01T00:00:00.",
        "2026-01-01T00:00:00.1234567890Z", "26-01-01", "2026-01-01T00:00:00+19:00"}) {
    EXPECT_FALSE(parse_iso8601(text)) << text;
  }
  EXPECT_TRUE(parse_iso8601("2024-02-29"));
}

}  // namespace
}  // namespace ficus
