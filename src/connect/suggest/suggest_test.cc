#include "connect/suggest/suggest.h"

#include <gtest/gtest.h>

#include <iterator>

#include "base/memory_disk.h"
#include "base/random.h"
#include "connect/suggest/guess.h"
#include "connect/suggest/shape.h"
#include "connect/suggest/words.h"

namespace ficus::connect {
namespace {

constexpr Timestamp kNow{1'795'420'800'000'000};  // 2026-11-23T08:00:00Z

struct Proposed {
  Suggestion found;
  std::string error;
  bool says(std::string_view text) const {
    return found.sources_yaml.find(text) != std::string::npos;
  }
  bool declares(std::string_view text) const {
    return found.types_yaml.find(text) != std::string::npos;
  }
};

Proposed propose(std::string text, SuggestOptions options = {}) {
  MemoryDisk disk;
  options.now = kNow;
  if (options.zone.empty()) options.zone = "+08:00";  // this disk has no zones
  Proposed out;
  auto samples = read_samples(std::move(text), 10'000);
  if (!samples) {
    out.error = samples.error().message;
    return out;
  }
  auto found = suggest_mapping(*samples, options, disk);
  if (found) {
    out.found = *std::move(found);
  } else {
    out.error = found.error().message;
  }
  return out;
}

// So many lines of JSON, `{}` replaced by the number of the line.
std::string lines(int count, std::string_view pattern) {
  std::string out;
  for (int i = 0; i < count; ++i) {
    std::string line(pattern);
    for (std::size_t at = line.find("{}"); at != std::string::npos; at = line.find("{}")) {
      line.replace(at, 2, std::to_string(i));
    }
    out += line + "\n";
  }
  return out;
}

TEST(Suggest, VehiclesByTopic) {
  const Proposed p = propose(
      lines(
          30,
          R"({"ts":17954208{}0000,"spd":3{}.5,"lon":119.3{},"lat":26.0{},"door":"ON","line":"K2"})"),
      {.topic = "city/vehicle/{vehicle}",
       .url = {},
       .type = {},
       .name = {},
       .zone = {},
       .now = {}});
  EXPECT_EQ(p.error, "");
  EXPECT_EQ(p.found.samples, 30U);
  EXPECT_TRUE(p.says("mqtt: {topic: \"city/vehicle/{vehicle}\"}")) << p.found.sources_yaml;
  EXPECT_TRUE(p.says("id: \"urn:ngsi-ld:Vehicle:{vehicle}\""));
  EXPECT_TRUE(p.says("location: {point: [\"$.lon\", \"$.lat\"]}"));
  EXPECT_TRUE(p.says("CHECK: taken as WGS-84"));
  EXPECT_TRUE(p.says("{\"ON\": true, \"OFF\": false}"));
  EXPECT_TRUE(p.declares("spd: {kind: number, unit: \"KMH\"}")) << p.found.types_yaml;
}

TEST(Suggest, ListsWithinListsAndTimesInChina) {
  const Proposed p =
      propose(lines(20, R"({"城市":"福州","stations":[{"编号":"s{}","名称":"东","readings":[)"
                        R"({"channel":1,"value":3.5,"时间":"2026-11-23 08:15:00"},)"
                        R"({"channel":2,"value":"NA","时间":"2026-11-23 08:16:00"}]}]})"),
              {.topic = {}, .url = {}, .type = "Device", .name = {}, .zone = {}, .now = {}});
  EXPECT_EQ(p.error, "");
  EXPECT_TRUE(p.says("items: \"$.stations[*].readings[*]\"")) << p.found.sources_yaml;
  EXPECT_TRUE(p.says("format: local, zone: \"+08:00\""));
  EXPECT_TRUE(p.says("^.编号"));
  EXPECT_TRUE(p.says("missing_values: [\"NA\"]"));
  EXPECT_EQ(p.found.mapped, p.found.items);
  EXPECT_EQ(p.found.items, 40U);
}

TEST(Suggest, CsvWithTimeInPartsAndCompass) {
  std::string csv = "No,year,month,day,hour,PM2.5,TEMP,wd,station\n";
  for (int i = 0; i < 48; ++i) {
    csv += std::to_string(i + 1) + ",2013,3," + std::to_string(1 + i / 24) + "," +
           std::to_string(i % 24) + "," + (i % 10 == 3 ? std::string("NA") : std::to_string(i)) +
           ",-0.7," +
           (i % 3 == 0   ? "N"
            : i % 3 == 1 ? "NNW"
                         : "E") +
           ",Dongsi\n";
  }
  const Proposed p = propose(csv);
  EXPECT_EQ(p.error, "");
  EXPECT_EQ(p.found.mapped, 48U);
  EXPECT_TRUE(
      p.says("fields: {year: \"$.year\", month: \"$.month\", day: \"$.day\", hour: \"$.hour\"}"));
  EXPECT_TRUE(p.says("id: \"urn:ngsi-ld:AirQualityObserved:{$.station}\"")) << p.found.sources_yaml;
  EXPECT_TRUE(p.says("\"NNW\": 337.5"));
  EXPECT_TRUE(p.declares("pm25: {kind: number, unit: \"GQ\"}")) << p.found.types_yaml;
  EXPECT_TRUE(p.declares("temp: {kind: number, unit: \"CEL\"}"));
}

TEST(Suggest, CoordinatesOfOtherKinds) {
  const auto point = [](std::string_view fields) {
    return propose(lines(5, "{\"id\":\"a{}\"," + std::string(fields) + "}"));
  };
  EXPECT_TRUE(point(R"("gcjLng":119.3,"gcjLat":26.08)").says("crs: GCJ-02"));
  EXPECT_TRUE(point(R"("百度经度":119.3,"百度纬度":26.08)").says("crs: BD-09"));
  EXPECT_TRUE(point(R"("lon":119300000,"lat":26080000)").says("scale: 1e-6"));
  EXPECT_TRUE(point(R"("lon":71580000,"lat":15648000)").says("scale: 1.6666666667e-6"));
  EXPECT_TRUE(point(R"("lon":26.08,"lat":119.3)").says("point: [\"$.lat\", \"$.lon\"]"));
  EXPECT_TRUE(point(R"("location":[26.08,119.3])").says("latitude_first: true"));
  EXPECT_TRUE(point(R"("location":{"type":"Point","coordinates":[119.3,26.08]})")
                  .says("location: {point: \"$.location\"}"));
  EXPECT_TRUE(point(R"("pos":{"lng":"119.3","lat":"26.08"})").says("\"$.pos.lng\""));
  EXPECT_FALSE(point(R"("lon":1e30,"lat":2e30)").says("point:"));
}

TEST(Suggest, Times) {
  const auto time = [](std::string_view value) {
    return propose(lines(5, "{\"id\":\"a\",\"time\":" + std::string(value) + "}"));
  };
  EXPECT_TRUE(time("1795420800").says("format: unix_s"));
  EXPECT_TRUE(time("1795420800000").says("format: unix_ms"));
  EXPECT_TRUE(time("1795420800000000").says("format: unix_us"));
  EXPECT_TRUE(time("\"1795420800000\"").says("format: unix_ms"));
  EXPECT_TRUE(time("\"2026-11-23T08:00:00Z\"").says("format: iso8601"));
  EXPECT_TRUE(time("\"20261123080000\"").says("pattern: \"%Y%m%d%H%M%S\""));
  EXPECT_TRUE(time("\"2026/11/23 08:00\"").says("pattern: \"%Y/%m/%d %H:%M\""));
  EXPECT_TRUE(time("\"yesterday\"").says("observed_at: received"));
  for (const char* value : {"1795420800", "\"20261123080000\"", "\"2026/11/23 08:00\""}) {
    EXPECT_EQ(time(value).found.mapped, 5U) << value;
  }
}

TEST(Suggest, DictionariesOfEqualObjectsAreItems) {
  const Proposed p = propose(
      R"({"time":"2026-11-23T08:00:00Z","data":{"p1":{"free":3,"name":"a"},"p2":{"free":4,"name":"b"},"p3":{"free":5,"name":"c"}}})");
  EXPECT_EQ(p.error, "");
  EXPECT_TRUE(p.says("items: \"$.data.*\"")) << p.found.sources_yaml;
  EXPECT_EQ(p.found.items, 3U);
  EXPECT_EQ(p.found.mapped, 3U);
}

TEST(Suggest, WhatIsNoSampleIsRefused) {
  for (const std::string text : {"", " \n", "just words", "{\"a\":", "[1,2,3]", "\"text\"",
                                 "{\n{\n", "\xff\xfe\xfd", "17"}) {
    EXPECT_NE(propose(text).error, "") << text;
  }
  EXPECT_NE(propose("{\"a\":1}",
                    {.topic = "a/#/b", .url = {}, .type = {}, .name = {}, .zone = {}, .now = {}})
                .error,
            "");
  EXPECT_NE(propose("{\"a\":1}",
                    {.topic = {}, .url = {}, .type = "no type", .name = {}, .zone = {}, .now = {}})
                .error,
            "");
}

// Whatever the names and values: what is proposed loads.
TEST(Suggest, HostileSamplesYieldAProposalThatLoads) {
  for (const std::string text :
       {R"({"a: b":1,"c#d":2,"'":3,"\"":4,"'\"":5,"":6,"{x}":7,"\n":8,"- y":9,"*":10,"[0]":11})",
        R"({"id":"a\nb: c","time":null,"x":"\u0001\u0002"})",
        R"({"id":{"id":{"id":{"id":{"id":{"id":{"id":1}}}}}}})",
        R"({"id":[],"time":{},"value":[[]],"lon":"x","lat":"y"})",
        R"({"type":"x","id":"urn:a:b","observedAt":"z"})",
        R"([{"a":1},{"a":"x"},{"a":null},{"a":[1]},{"a":{"b":1}},{"a":true}])",
        R"({"a":1e308,"b":-1e308,"c":1e-308})",
        R"({"true":true,"null":null,"~":1,"yes":"no","on":"off","1":1,"1.5":2})",
        R"({"速度":1,"温度":2,"未知":3,"未知2":4,"🙂":5})",
        R"({"a.b":{"c.d":1},"a":{"b":{"c":{"d":2}}}})", R"({"x":"urn:a","y":"http://b"})",
        R"({"year":2013,"month":"x"})", R"({"list":[{"a":{"b":1}},{"a":{"b":2}}]})"}) {
    const Proposed p = propose(text);
    EXPECT_EQ(p.error, "") << text << "\n" << p.found.sources_yaml;
  }
}

// Random objects over names and values that mean something.
TEST(Suggest, RandomSamplesYieldAProposalThatLoads) {
  constexpr std::string_view kNames[] = {"id",   "time", "lon",   "lat", "speed", "a b", "PM2.5",
                                         "状态", "type", "value", "x'y", "year",  "data"};
  constexpr std::string_view kValues[] = {
      "1",     "\"NA\"",      "-9999", "1795420800",    "\"2026-11-23\"",          "null",
      "true",  "\"ON\"",      "[1,2]", "{\"value\":1}", "[{\"id\":1},{\"id\":2}]", "\"urn:a:b\"",
      "119.3", "\"119.3,26\""};
  Random random(7);
  for (int round = 0; round < 300; ++round) {
    std::string text;
    for (std::uint64_t line = 0; line < 1 + random.below(6); ++line) {
      text += "{";
      const std::uint64_t members = random.below(8);
      for (std::uint64_t i = 0; i < members; ++i) {
        text += (i == 0 ? "\"" : ",\"") + std::string(kNames[random.below(std::size(kNames))]) +
                "\":" + std::string(kValues[random.below(std::size(kValues))]);
      }
      text += "}\n";
    }
    const Proposed p = propose(text);
    EXPECT_EQ(p.error, "") << text << p.found.types_yaml << p.found.sources_yaml;
  }
}

TEST(Words, OfNames) {
  using suggest::attribute_name;
  EXPECT_EQ(suggest::words_of("windSpeed_avg"), (std::vector<std::string>{"wind", "speed", "avg"}));
  EXPECT_EQ(suggest::words_of("GPSTime"), (std::vector<std::string>{"gps", "time"}));
  EXPECT_EQ(attribute_name("PM2.5"), "pm25");
  EXPECT_EQ(attribute_name("采集时间"), "time");
  EXPECT_EQ(attribute_name("2nd value"), "n2ndValue");
  EXPECT_EQ(attribute_name("🙂"), "");
  EXPECT_EQ(suggest::type_name("parking_lots"), "ParkingLot");
}

TEST(Guess, UnitsByNameAndRange) {
  const auto unit = [](std::string_view name, double min, double max) {
    const auto guess = suggest::guess_unit(suggest::words_of(name), min, max);
    return guess ? guess->code : "";
  };
  EXPECT_EQ(unit("speed", 0, 90), "KMH");
  EXPECT_EQ(unit("speed", 0, 9000), "");
  EXPECT_EQ(unit("windSpeed", 0, 12), "MTS");
  EXPECT_EQ(unit("temperature", 280, 300), "KEL");
  EXPECT_EQ(unit("CO", 0.1, 3), "GP");
  EXPECT_EQ(unit("CO", 100, 3000), "GQ");
  EXPECT_EQ(unit("whatever", 0, 1), "");
}

TEST(MemberPath, NamesThatPathsCanSay) {
  using suggest::member_path;
  EXPECT_EQ(member_path("$", "a"), "$.a");
  EXPECT_EQ(member_path("$", "a.b"), "$['a.b']");
  EXPECT_EQ(member_path("$", "it's"), "$[\"it's\"]");
  EXPECT_EQ(member_path("^", "a b"), "^['a b']");
  for (const std::string name : {"", "'\"", "{a}", "a\nb"})
    EXPECT_EQ(member_path("$", name), "") << name;
}

}  // namespace
}  // namespace ficus::connect
