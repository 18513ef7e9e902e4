#include <gtest/gtest.h>

#include <filesystem>

#include "base/memory_disk.h"
#include "base/random.h"
#include "base/time_text.h"
#include "connect/mapping/mapping_fixture.h"
#include "connect/mapping/time_format.h"
#include "connect/mapping/time_zone.h"
#include "connect/mapping/value_path.h"

namespace ficus::connect {
namespace {

Timestamp at(std::string_view text) { return parse_iso8601(text).value(); }

std::string read_with(std::string_view pattern, std::string_view text, TimeZone zone = TimeZone()) {
  const auto format = TimeFormat::of_pattern(pattern, std::move(zone));
  if (!format) return format.error().message;
  const auto t = format->parse(RawValue::of_text(text));
  return t ? to_iso8601(*t) : "none";
}

TEST(TimeFormat, ReadsPatterns) {
  EXPECT_EQ(read_with("%Y-%m-%d %H:%M:%S", "2013-03-01 05:06:07"), "2013-03-01T05:06:07Z");
  EXPECT_EQ(read_with("%F %T", "2013-03-01   05:06:07"), "2013-03-01T05:06:07Z");
  EXPECT_EQ(read_with("%Y%m%d%H%M%S", "20130301050607"), "2013-03-01T05:06:07Z");
  EXPECT_EQ(read_with("%d/%b/%Y:%H:%M:%S %z", "01/Mar/2013:05:06:07 +0800"),
            "2013-02-28T21:06:07Z");
  EXPECT_EQ(read_with("%y%m%d", "690102"), "1969-01-02T00:00:00Z");
  EXPECT_EQ(read_with("%y%m%d", "130102"), "2013-01-02T00:00:00Z");
  EXPECT_EQ(read_with("%m/%d/%Y %I:%M %p", "3/1/2013 12:05 am"), "2013-03-01T00:05:00Z");
  EXPECT_EQ(read_with("%m/%d/%Y %I:%M %p", "3/1/2013 12:05 PM"), "2013-03-01T12:05:00Z");
  EXPECT_EQ(read_with("%m/%d/%Y %I:%M %p", "3/1/2013 1:05 PM"), "2013-03-01T13:05:00Z");
  EXPECT_EQ(read_with("%m/%d/%Y %I:%M %p", "3/1/2013 13:05 PM"), "none");
  EXPECT_EQ(read_with("%m/%d/%Y %I:%M %p", "3/1/2013 1:05 xx"), "none");
  EXPECT_EQ(read_with("%Y %j", "2024 366"), "2024-12-31T00:00:00Z");
  EXPECT_EQ(read_with("%Y %j", "2024 0"), "none");
  EXPECT_EQ(read_with("%F %H:%M", "2013-03-01 24:00"), "2013-03-02T00:00:00Z");
  EXPECT_EQ(read_with("%F %T.%f", "2013-03-01 00:00:00.5"), "2013-03-01T00:00:00.500Z");
  EXPECT_EQ(read_with("%F %T.%f", "2013-03-01 00:00:00.123456789"), "2013-03-01T00:00:00.123456Z");
  EXPECT_EQ(read_with("%e.%m.%Y 100%%", " 1.03.2013 100%"), "2013-03-01T00:00:00Z");
  EXPECT_EQ(read_with("t=%s", "t=86400"), "1970-01-02T00:00:00Z");
  EXPECT_EQ(read_with("t=%s", "t=99999999999999"), "none");
  EXPECT_EQ(read_with("%F%z", "2013-03-01Z"), "2013-03-01T00:00:00Z");
  EXPECT_EQ(read_with("%F%z", "2013-03-01-03:30"), "2013-03-01T03:30:00Z");
  EXPECT_EQ(read_with("%F%z", "2013-03-01+19"), "none");
  EXPECT_EQ(read_with("%F %H:%M", "2013-03-01 05:06", TimeZone::fixed(Micros::from_hours(8))),
            "2013-02-28T21:06:00Z");
  for (const char* wrong : {"", "2013", "2013-03", "2013-13-01", "2013-02-30", "13-03-01",
                            "2013-03-01x", "2013-3-", " 2013-03-01"}) {
    EXPECT_EQ(read_with("%Y-%m-%d", wrong), "none") << wrong;
  }
}

TEST(TimeFormat, RefusesPatternsItDoesNotKnow) {
  EXPECT_TRUE(read_with("%Y %q", "").starts_with("'%q' in the pattern"));
  EXPECT_TRUE(read_with("%Y %", "").starts_with("'%' in the pattern"));
  EXPECT_EQ(read_with("%H", ""), "the pattern has no year: expected %Y, %y, %F or %s");
}

TEST(TimeZone, ReadsASmallFile) {
  const TimeZone zone = TimeZone::parse(test::shanghai_zone_file()).value();
  EXPECT_EQ(zone.offset_at(at("2026-01-01T00:00:00Z")), Micros::from_hours(8));
  EXPECT_EQ(zone.from_local(at("2026-07-01T08:00:00Z")), at("2026-07-01T00:00:00Z"));
  EXPECT_FALSE(zone.is_utc());
  EXPECT_TRUE(TimeZone().is_utc());
}

TEST(TimeZone, EveryPrefixAndDamageIsAnErrorOrAZone) {
  const std::string file = test::shanghai_zone_file();
  for (std::size_t length = 0; length < file.size(); ++length) {
    EXPECT_FALSE(TimeZone::parse(std::string_view(file).substr(0, length))) << length;
  }
  Random random(2);
  for (int i = 0; i < 20'000; ++i) {
    std::string damaged = file;
    damaged[random.below(damaged.size())] = static_cast<char>(random.below(256));
    damaged[random.below(damaged.size())] = static_cast<char>(random.below(256));
    const auto zone = TimeZone::parse(damaged);
    if (zone) zone->from_local(at("2026-07-01T08:00:00Z"));
  }
}

TEST(ZoneRule, FollowsPosix) {
  const auto offset = [](std::string_view rule, std::string_view time) {
    const auto parsed = ZoneRule::parse(rule);
    return parsed ? static_cast<double>(parsed->offset_at(at(time).micros / 1'000'000)) / 3600 : 99;
  };
  constexpr std::string_view kBerlin = "CET-1CEST,M3.5.0,M10.5.0/3";
  EXPECT_EQ(offset(kBerlin, "2026-03-29T00:59:59Z"), 1);
  EXPECT_EQ(offset(kBerlin, "2026-03-29T01:00:00Z"), 2);
  EXPECT_EQ(offset(kBerlin, "2026-10-25T00:59:59Z"), 2);
  EXPECT_EQ(offset(kBerlin, "2026-10-25T01:00:00Z"), 1);
  constexpr std::string_view kSydney = "AEST-10AEDT,M10.1.0,M4.1.0/3";
  EXPECT_EQ(offset(kSydney, "2026-01-01T00:00:00Z"), 11);
  EXPECT_EQ(offset(kSydney, "2026-07-01T00:00:00Z"), 10);
  EXPECT_EQ(offset("EST5EDT,M3.2.0,M11.1.0", "2026-07-01T00:00:00Z"), -4);
  EXPECT_EQ(offset("<+0330>-3:30", "2026-07-01T00:00:00Z"), 3.5);
  EXPECT_EQ(offset("A-1", "2026-07-01T00:00:00Z"), 99);
  EXPECT_EQ(offset("AAA-1BBB,J60,J300", "2024-03-01T00:59:59Z"), 1);  // leap year
  EXPECT_EQ(offset("AAA-1BBB,J60,J300", "2024-03-01T01:00:00Z"), 2);
  EXPECT_EQ(offset("AAA-1BBB,59/0,300", "2023-02-28T23:00:00Z"), 2);
  EXPECT_EQ(offset("AAA-1BBB-3:00,0/0,J365/25", "2023-06-01T00:00:00Z"), 3);  // all year
  for (const char* wrong :
       {"", "CET", "CET-", "CET-1CEST", "CET-1CEST,M3.5.0", "CET-1CEST,M13.1.0,M1.1.0",
        "CET-1CEST,M3.6.0,M1.1.0", "CET-1CEST,M3.5.7,M1.1.0", "CET-1CEST,J0,J1",
        "CET-1CEST,M3.5.0,M10.5.0/3x", "CET-200", "<+03-3"}) {
    EXPECT_FALSE(ZoneRule::parse(wrong)) << wrong;
  }
}

TEST(TimeZone, NamesAndOffsets) {
  MemoryDisk disk;
  const auto load = [&](std::string_view name) { return TimeZone::load(name, disk, "/zones"); };
  EXPECT_TRUE(load("UTC").value().is_utc());
  EXPECT_EQ(load("+08:00").value().offset_at({}), Micros::from_hours(8));
  EXPECT_EQ(load("-0330").value().offset_at({}), Micros::from_seconds(-12'600));
  EXPECT_FALSE(load("+8 o'clock"));
  EXPECT_FALSE(load("/etc/passwd"));
  EXPECT_FALSE(load("Nowhere"));
}

// The system's database, where it is installed.
TEST(TimeZone, ReadsTheSystemsDatabase) {
  const std::string directory = "/usr/share/zoneinfo";
  if (!std::filesystem::exists(directory + "/Europe/Berlin")) {
    GTEST_SKIP() << "no zone database in " << directory << " (package tzdata)";
  }
  PosixDisk disk;
  const TimeZone berlin = TimeZone::load("Europe/Berlin", disk, directory).value();
  EXPECT_EQ(berlin.offset_at(at("2020-07-01T00:00:00Z")), Micros::from_hours(2));
  EXPECT_EQ(berlin.offset_at(at("2060-07-01T00:00:00Z")), Micros::from_hours(2));
  EXPECT_EQ(berlin.offset_at(at("2060-12-01T00:00:00Z")), Micros::from_hours(1));
  // The hour that occurs twice is the first; the hour that does not is read as before it.
  EXPECT_EQ(berlin.from_local(at("2020-10-25T02:30:00Z")), at("2020-10-25T00:30:00Z"));
  EXPECT_EQ(berlin.from_local(at("2020-03-29T02:30:00Z")), at("2020-03-29T01:30:00Z"));
  EXPECT_EQ(berlin.from_local(at("2020-03-29T03:00:00Z")), at("2020-03-29T01:00:00Z"));
  const TimeZone shanghai = TimeZone::load("Asia/Shanghai", disk, directory).value();
  EXPECT_EQ(shanghai.from_local(at("2026-11-23T16:00:00Z")), at("2026-11-23T08:00:00Z"));
  EXPECT_EQ(shanghai.offset_at(at("1988-07-01T00:00:00Z")), Micros::from_hours(9));
  const TimeZone new_york = TimeZone::load("America/New_York", disk, directory).value();
  EXPECT_EQ(new_york.from_local(at("2030-01-01T00:00:00Z")), at("2030-01-01T05:00:00Z"));
}

}  // namespace
}  // namespace ficus::connect
