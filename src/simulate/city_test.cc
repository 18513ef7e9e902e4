#include "simulate/city.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <map>
#include <set>

#include "base/disk.h"
#include "codec/ais/receiver.h"
#include "codec/json/json_reader.h"
#include "simulate/city_map.h"
#include "simulate/daily_rhythm.h"

namespace ficus::simulate {
namespace {

constexpr Timestamp kStart = Timestamp::from_seconds(1'795'392'000);  // 2026-11-23 00:00 UTC

CityStep lived(std::uint64_t seed, std::int64_t seconds, double scale = 1) {
  City city({.seed = seed, .start = kStart, .scale = scale});
  CityStep out;
  city.step(kStart + Micros::from_seconds(seconds), out);
  return out;
}

TEST(City, SameSeedSameBytes) {
  const CityStep a = lived(7, 90);
  const CityStep b = lived(7, 90);
  EXPECT_EQ(a.messages, b.messages);
  EXPECT_EQ(a.incidents, b.incidents);
  EXPECT_NE(a.messages, lived(8, 90).messages);
}

TEST(City, StepsOfAnyLengthGiveTheSame) {
  City city({.seed = 3, .start = kStart});
  std::vector<CityMessage> all;
  CityStep step;
  for (int i = 1; i <= 40; ++i) {
    city.step(kStart + Micros::from_millis(700 * i), step);
    all.insert(all.end(), step.messages.begin(), step.messages.end());
  }
  EXPECT_EQ(all, lived(3, 28).messages);
}

TEST(City, EveryKindOfIncidentShowsWithinAMinuteAndReturns) {
  for (std::uint64_t seed = 1; seed <= 8; ++seed) {
    std::map<IncidentKind, int> early;
    std::map<IncidentKind, int> all;
    for (const Incident& incident : lived(seed, 1800).incidents) {
      ++all[incident.kind];
      if (incident.time <= kStart + Micros::from_seconds(60)) ++early[incident.kind];
      EXPECT_TRUE(incident.entity.starts_with("urn:ngsi-ld:"));
    }
    EXPECT_EQ(early.size(), static_cast<std::size_t>(kIncidentKinds)) << "seed " << seed;
    for (const auto& [kind, count] : all) {
      EXPECT_GE(count, 3) << "seed " << seed << ": " << incident_name(kind);
    }
  }
}

// The truth has all there is: no vehicle but the told one breaks the rule, and that one long
// enough.
TEST(City, OnlyToldVehiclesSpeedInSchoolZones) {
  const CityMap map;
  const CityStep out = lived(5, 900);
  std::set<std::string> told;
  for (const Incident& incident : out.incidents) {
    if (incident.kind == IncidentKind::school_zone_overspeed) told.insert(incident.entity);
  }
  std::map<std::string, std::pair<std::int64_t, std::int64_t>> seen;  // first and last time
  json::JsonDocument document;
  for (const CityMessage& message : out.messages) {
    if (!message.address.starts_with("city/vehicle/")) continue;
    const auto root = document.parse(message.payload);
    ASSERT_TRUE(root);
    const GeoPoint place{root->member("lon").as_number(), root->member("lat").as_number()};
    if (root->member("speed").as_number() <= 40 || !map.is_in_kind(place, "school")) continue;
    const auto time = static_cast<std::int64_t>(root->member("ts").as_number());
    const auto [it, is_new] =
        seen.try_emplace("urn:ngsi-ld:Vehicle:" + message.address.substr(13), time, time);
    it->second.second = time;
  }
  EXPECT_GE(seen.size(), 2u);
  for (const auto& [id, times] : seen) {
    EXPECT_TRUE(told.contains(id)) << id;
    EXPECT_GT(times.second - times.first, 12'000) << id;
  }
}

TEST(City, MessagesAreJsonOrAisThatDecodesBack) {
  ais::Receiver receiver;
  json::JsonDocument document;
  std::set<std::uint32_t> ships;
  std::set<std::string> topics;
  int statics = 0;
  for (const CityMessage& message : lived(1, 120).messages) {
    if (message.channel != Channel::nmea) {
      EXPECT_TRUE(document.parse(message.payload)) << message.payload;
      topics.insert(message.address);
      continue;
    }
    const ais::Reception got = receiver.accept(1, message.payload, kStart);
    ASSERT_NE(got.outcome, ais::LineOutcome::refused) << message.payload;
    if (got.outcome != ais::LineOutcome::message) continue;
    EXPECT_TRUE(got.is_time_from_line);
    ships.insert(got.message.mmsi);
    if (got.message.type == 5) ++statics;
    if (const auto* report = std::get_if<ais::PositionReport>(&got.message.body)) {
      EXPECT_NEAR(*report->position.longitude_deg(), 119.35, 0.13);
      EXPECT_NEAR(*report->position.latitude_deg(), 26.08, 0.07);
    }
  }
  EXPECT_EQ(ships.size(), 15u);
  EXPECT_GE(statics, 30);
  EXPECT_EQ(topics.size(), 200u + 12 + 10 + 6 + 1);
}

TEST(City, ScaleChangesItsSize) {
  std::set<std::string> vehicles;
  for (const CityMessage& m : lived(1, 10, 0.1).messages) {
    if (m.address.starts_with("city/vehicle/")) vehicles.insert(m.address);
  }
  EXPECT_EQ(vehicles.size(), 20u);
}

TEST(CityMap, EveryCrossingCanBeReached) {
  const CityMap map;
  std::set<int> reached = {0};
  std::vector<int> open = {0};
  while (!open.empty()) {
    const int at = open.back();
    open.pop_back();
    for (const int next : map.neighbours(at)) {
      if (reached.insert(next).second) open.push_back(next);
    }
  }
  EXPECT_EQ(static_cast<int>(reached.size()), map.crossing_count());
  EXPECT_TRUE(check_polygon(map.river()));
  EXPECT_TRUE(check_polygon(map.sea()));
}

TEST(CityMap, BusLinesFollowStreets) {
  const CityMap map;
  for (const std::vector<int>& loop : map.bus_lines()) {
    for (std::size_t i = 0; i < loop.size(); ++i) {
      const auto& next = map.neighbours(loop[i]);
      EXPECT_TRUE(std::find(next.begin(), next.end(), loop[(i + 1) % loop.size()]) != next.end());
    }
  }
}

// The pack's files are written from the city's own ground. After a change of the ground run this
// test with FICUS_UPDATE_PACK=1.
TEST(CityMap, PackAgreesWithTheCity) {
  const CityMap map;
  PosixDisk disk;
  const std::string folder = std::string(FICUS_SOURCE_DIR) + "/packs/demo-city/";
  const std::pair<const char*, std::string> files[] = {{"map.geojson", map.map_geojson()},
                                                       {"zones.geojson", map.zones_geojson()}};
  for (const auto& [name, text] : files) {
    if (std::getenv("FICUS_UPDATE_PACK") != nullptr) {
      ASSERT_TRUE(write_file_atomically(disk, folder + name, std::as_bytes(std::span(text))));
    }
    const auto stored = read_file(disk, folder + name, 64 << 20);
    ASSERT_TRUE(stored) << stored.error().message;
    EXPECT_TRUE(*stored == text) << name << " differs";
  }
}

TEST(DailyRhythm, FollowsTheClockOfChina) {
  EXPECT_DOUBLE_EQ(local_hour(kStart), 8);
  EXPECT_DOUBLE_EQ(local_hour(kStart + Micros::from_hours(17)), 1);
  EXPECT_GT(traffic_share(kStart), 0.9);                            // the rush hour
  EXPECT_LT(traffic_share(kStart + Micros::from_hours(19)), 0.25);  // three at night
  EXPECT_GT(warmth(kStart + Micros::from_hours(7)), 0.99);          // the afternoon
}

}  // namespace
}  // namespace ficus::simulate
