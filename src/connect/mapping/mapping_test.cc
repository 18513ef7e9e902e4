#include "connect/mapping/mapping.h"

#include <gtest/gtest.h>

#include <string>

#include "base/random.h"
#include "connect/mapping/describe.h"
#include "connect/mapping/mapping_fixture.h"

namespace ficus::connect {
namespace {

using test::kReceived;
using test::Mapper;

constexpr std::string_view kTypes = R"(
types:
  Vehicle:
    label: {zh: 车辆, en: Vehicle}
    attributes:
      speed: {kind: number, unit: KMH, decimals: 1, label: {zh: 速度, en: speed}}
      location: {kind: point}
      status: {kind: text}
      name: {kind: text}
      on: {kind: boolean}
      seen: {kind: time}
      area: {kind: geometry}
      extra: {kind: json}
      stop: {kind: relationship}
)";

// A map with these attributes, one a line; id and time do not matter.
std::string with_attributes(std::string_view attributes) {
  std::string map =
      "type: Vehicle\n"
      "id: urn:v:1\n"
      "observed_at: received\n"
      "attributes:\n";
  while (!attributes.empty()) {
    const std::size_t end = std::min(attributes.find('\n'), attributes.size());
    map += "  " + std::string(attributes.substr(0, end)) + "\n";
    attributes.remove_prefix(std::min(end + 1, attributes.size()));
  }
  return map;
}

// The row of one payload, without its beginning, or the reason without its place.
std::string mapped(std::string_view attributes, std::string_view payload) {
  Mapper mapper(with_attributes(attributes), kTypes);
  const std::string text = mapper.text(payload);
  constexpr std::string_view kRow = "Vehicle urn:v:1 @2026-11-23T08:00:00Z";
  if (text.starts_with(kRow)) return text.substr(kRow.size(), text.size() - kRow.size() - 1);
  return text;
}

TEST(Mapping, MapsAWholeMessage) {
  Mapper mapper(
      "type: Vehicle\n"
      "id: \"urn:ngsi-ld:Vehicle:{vehicle}\"\n"
      "observed_at: {path: $.ts, format: unix_ms}\n"
      "attributes:\n"
      "  speed: {path: $.spd, from_unit: KNT}\n"
      "  location: {point: [$.lon, $.lat]}\n"
      "  status: {path: $.st, enum: {0: stopped, 1: moving}, otherwise: unknown}\n"
      "  city: {constant: 福州}\n"
      "  line: {placeholder: line}\n",
      kTypes);
  EXPECT_EQ(mapper.text(R"({"ts":1795420799500,"spd":10,"lon":119.3,"lat":26.08,"st":1})"),
            "Vehicle urn:ngsi-ld:Vehicle:7 @2026-11-23T07:59:59.500Z speed=18.52 "
            "location=(119.3000 26.0800) status=moving city=福州 line=K2\n");
  // What the message does not carry is absent from the row.
  EXPECT_EQ(mapper.text(R"({"ts":1795420799500,"st":9,"spd":null})"),
            "Vehicle urn:ngsi-ld:Vehicle:7 @2026-11-23T07:59:59.500Z status=unknown city=福州 "
            "line=K2\n");
}

TEST(Mapping, QuarantinesTheWholeItemWithItsReason) {
  Mapper mapper(
      "type: Vehicle\n"
      "id: \"urn:v:{$.id}\"\n"
      "observed_at: {path: $.ts, format: unix_s}\n"
      "attributes:\n"
      "  name: $.name\n"
      "  speed: $.spd\n",
      kTypes);
  const std::string bad = R"({"id": 7, "ts": 1795420799, "name": "a", "spd": "fast"})";
  EXPECT_EQ(mapper.text(bad),
            "! sources.yaml:10: $.spd: expected a number, got \"fast\" | " + bad + "\n");
  EXPECT_EQ(mapper.text(R"({"id":7,"ts":"x","name":"a"})"),
            "! sources.yaml:7: $.ts: expected unix time in seconds, got \"x\" | "
            R"({"id":7,"ts":"x","name":"a"})"
            "\n");
  EXPECT_EQ(mapper.text(R"({"id":7,"name":"a"})"),
            "! sources.yaml:7: $.ts: expected a value for observed_at, which is required, got "
            "nothing | {\"id\":7,\"name\":\"a\"}\n");
  EXPECT_EQ(mapper.text(R"({"ts":1795420799})"),
            "! sources.yaml:6: id: $.id: expected a text or a number, got nothing | "
            "{\"ts\":1795420799}\n");
  EXPECT_EQ(mapper.text(R"({"id":{},"ts":1795420799})"),
            "! sources.yaml:6: id: $.id: expected a text or a number, got an object | "
            "{\"id\":{},\"ts\":1795420799}\n");
  EXPECT_EQ(mapper.text("{\"id\":"), "! not JSON: byte 6: expected a value | {\"id\":\n");
  EXPECT_EQ(mapper.text(""), "! not JSON: byte 0: expected a value | \n");
  EXPECT_EQ(mapper.text("17"),
            "! sources.yaml:6: id: $.id: expected a text or a number, got nothing | 17\n");
}

TEST(Mapping, Numbers) {
  EXPECT_EQ(mapped("speed: $.v", R"({"v":1.5})"), " speed=1.5");
  EXPECT_EQ(mapped("speed: $.v", R"({"v":"36.6"})"), " speed=36.6");
  EXPECT_EQ(mapped("speed: $.v", R"({"v":" +5 "})"), " speed=5");
  EXPECT_EQ(mapped("speed: $.v", R"({"v":"5 km/h"})"),
            "! sources.yaml:9: $.v: expected a number, got \"5 km/h\" | {\"v\":\"5 km/h\"}\n");
  EXPECT_EQ(mapped("speed: $.v", R"({"v":"nan"})"),
            "! sources.yaml:9: $.v: expected a number, got \"nan\" | {\"v\":\"nan\"}\n");
  EXPECT_EQ(mapped("speed: $.v", R"({"v":true})"),
            "! sources.yaml:9: $.v: expected a number, got true | {\"v\":true}\n");
  EXPECT_EQ(mapped("speed: $.v", R"({"v":[1]})"),
            "! sources.yaml:9: $.v: expected a number, got an array | {\"v\":[1]}\n");
  EXPECT_EQ(mapped("speed: {path: $.v, scale: 0.1, offset: 5}", R"({"v":100})"), " speed=15");
  EXPECT_EQ(mapped("speed: {path: $.v, scale: 2, from_unit: MTS}", R"({"v":5})"), " speed=36");
  EXPECT_EQ(mapped("speed: {path: $.v, round: 1}", R"({"v":3.14159})"), " speed=3.1");
  EXPECT_EQ(mapped("speed: {path: $.v, round: 0}", R"({"v":1e300})"), " speed=1e+300");
  EXPECT_EQ(mapped("speed: {path: $.v, missing_values: [NA, -9999]}", R"({"v":"NA"})"), "");
  EXPECT_EQ(mapped("speed: {path: $.v, missing_values: [NA, -9999]}", R"({"v":-9999.0})"), "");
  EXPECT_EQ(mapped("speed: {path: $.v, missing_values: [NA, -9999]}", R"({"v":"-9999"})"), "");
  EXPECT_EQ(mapped("speed: {path: $.v, min: 0, max: 300}", R"({"v":300})"), " speed=300");
  EXPECT_EQ(mapped("speed: {path: $.v, min: 0, max: 300}", R"({"v":301})"),
            "! sources.yaml:9: $.v: expected a number of 0 to 300, got 301 | {\"v\":301}\n");
  EXPECT_EQ(mapped("speed: {path: $.v, min: 0, from_unit: MTS}", R"({"v":-1})"),
            "! sources.yaml:9: $.v: expected a number of at least 0, got -1 which is -3.6 | "
            "{\"v\":-1}\n");
  EXPECT_EQ(mapped("speed: {path: $.v, required: true}", "{}"),
            "! sources.yaml:9: $.v: expected a value for speed, which is required, got nothing | "
            "{}\n");
  EXPECT_EQ(mapped("speed: {path: $.v, required: true, missing_values: 0}", R"({"v":0})"),
            "! sources.yaml:9: $.v: expected a value for speed, which is required, got 0 | "
            "{\"v\":0}\n");
}

TEST(Mapping, TextsBooleansRelationshipsAndJson) {
  EXPECT_EQ(mapped("name: $.v", R"({"v":"福州 \"a\""})"), " name=福州 \"a\"");
  EXPECT_EQ(mapped("name: $.v", R"({"v":12})"),
            "! sources.yaml:9: $.v: expected a text, got 12 | {\"v\":12}\n");
  EXPECT_EQ(mapped("name: {template: \"line {$.v} ({line})\"}", R"({"v":12})"),
            " name=line 12 (K2)");
  EXPECT_EQ(mapped("name: {template: \"line {$.v}\"}", "{}"), "");
  EXPECT_EQ(mapped("name: {template: \"line {$.v}\", required: true}", "{}"),
            "! sources.yaml:9: line {$.v}: $.v: expected a text or a number, got nothing | {}\n");
  EXPECT_EQ(mapped("on: $.v", R"({"v":true})"), " on=true");
  EXPECT_EQ(mapped("on: $.v", R"({"v":"true"})"),
            "! sources.yaml:9: $.v: expected true or false, got \"true\" | {\"v\":\"true\"}\n");
  EXPECT_EQ(mapped("on: {path: $.v, enum: {ON: true, OFF: false, 1: true}}", R"({"v":"OFF"})"),
            " on=false");
  EXPECT_EQ(mapped("on: {path: $.v, enum: {ON: true, OFF: false, 1: true}}", R"({"v":1})"),
            " on=true");
  EXPECT_EQ(mapped("on: {path: $.v, enum: {ON: true, OFF: false}}", R"({"v":"on"})"),
            "! sources.yaml:9: $.v: expected one of OFF, ON, got \"on\" | {\"v\":\"on\"}\n");
  EXPECT_EQ(mapped("on: {path: $.v, enum: {ON: true}, otherwise: null}", R"({"v":"on"})"), "");
  EXPECT_EQ(mapped("stop: {template: \"urn:stop:{$.v}\"}", R"({"v":"a b"})"),
            " stop=urn:stop:a%20b");
  EXPECT_EQ(mapped("stop: $.v", R"({"v":"urn:x:1"})"), " stop=urn:x:1");
  EXPECT_EQ(mapped("stop: $.v", R"({"v":"x"})"),
            "! sources.yaml:9: $.v: expected the id (URI) of an entity, got \"x\" | "
            "{\"v\":\"x\"}\n");
  EXPECT_EQ(mapped("extra: $.v", R"({"v": {"a": [1, "x", null]}})"),
            R"( extra={"a":[1,"x",null]})");
  EXPECT_EQ(mapped("extra: $.v", R"({"v": "x"})"), R"( extra="x")");
  EXPECT_EQ(mapped("extra: $", R"({"v": 1})"), R"( extra={"v":1})");
  const std::string line = R"({"type":"LineString","coordinates":[[1,2],[3,4]]})";
  EXPECT_EQ(mapped("area: $.v", R"({"v": )" + line + "}"), " area=" + line);
  EXPECT_EQ(mapped("area: $.v", R"({"v":{"type":"Line"}})"),
            "! sources.yaml:9: $.v: expected a GeoJSON geometry, got an object | "
            "{\"v\":{\"type\":\"Line\"}}\n");
  EXPECT_EQ(mapped("area: $.v", R"({"v":3})"),
            "! sources.yaml:9: $.v: expected a GeoJSON geometry, got 3 | {\"v\":3}\n");
}

TEST(Mapping, LongTextsAreRefusedAndCutInReasons) {
  const std::string longest(kReceived.micros > 0 ? 65'536 : 0, 'x');
  EXPECT_EQ(mapped("name: $.v", R"({"v":")" + longest + R"("})"), " name=" + longest);
  Mapper mapper(with_attributes("name: $.v"), kTypes);
  const SourceBatch batch = mapper.map(R"({"v":")" + longest + R"(y"})");
  ASSERT_EQ(batch.quarantined.size(), 1U);
  EXPECT_EQ(batch.quarantined[0].reason,
            "sources.yaml:9: $.v: expected a text of at most 65536 bytes, got \"" +
                std::string(60, 'x') + "\"... (65537 bytes)");
  EXPECT_EQ(batch.quarantined[0].bytes.size(), 65'536U);
  EXPECT_EQ(batch.quarantined[0].key, "city/K2/7");
}

TEST(Mapping, Points) {
  EXPECT_EQ(mapped("location: {point: [$.x, $.y]}", R"({"x":"119.3","y":26.1})"),
            " location=(119.3000 26.1000)");
  EXPECT_EQ(mapped("location: {point: ['$.p[1]', '$.p[0]']}", R"({"p":[26.1,119.3]})"),
            " location=(119.3000 26.1000)");
  EXPECT_EQ(mapped("location: $.p", R"({"p":{"type":"Point","coordinates":[119.3,26.1]}})"),
            " location=(119.3000 26.1000)");
  EXPECT_EQ(mapped("location: $.p", R"({"p":[119.3,26.1,5]})"), " location=(119.3000 26.1000)");
  EXPECT_EQ(mapped("location: {point: $.p, latitude_first: true}", R"({"p":"26.1, 119.3"})"),
            " location=(119.3000 26.1000)");
  EXPECT_EQ(mapped("location: {point: [$.x, $.y]}", "{}"), "");
  EXPECT_EQ(mapped("location: {point: [$.x, $.y]}", R"({"x":1})"),
            "! sources.yaml:9: $.y: expected a latitude, got nothing | {\"x\":1}\n");
  EXPECT_EQ(mapped("location: {point: [$.x, $.y]}", R"({"x":26,"y":119})"),
            "! sources.yaml:9: $.x: expected a longitude within 180 and a latitude within 90 "
            "degrees, got 26, 119 | {\"x\":26,\"y\":119}\n");
  EXPECT_EQ(mapped("location: $.p", R"({"p":{"type":"Polygon"}})"),
            "! sources.yaml:9: $.p: expected a GeoJSON Point, [longitude, latitude] or "
            "\"longitude,latitude\", got an object | {\"p\":{\"type\":\"Polygon\"}}\n");
  EXPECT_EQ(mapped("location: $.p", R"({"p":"here"})").substr(0, 30),
            "! sources.yaml:9: $.p: expecte");
  EXPECT_EQ(mapped("location: {point: [$.x, $.y], crs: GCJ-02}",
                   R"({"x":121.531541859215,"y":31.17530398364597})"),
            " location=(121.5272 31.1774)");
  EXPECT_EQ(mapped("location: {point: [$.x, $.y], crs: CGCS2000}", R"({"x":121.5,"y":31.2})"),
            " location=(121.5000 31.2000)");
  EXPECT_EQ(mapped("location: {constant: [116.40, 39.9], crs: bd09}", "{}"),
            " location=(116.3874 39.8923)");
}

TEST(Mapping, Times) {
  const auto seen = [](std::string_view options, std::string_view value) {
    return mapped("seen: {path: $.v, " + std::string(options) + "}",
                  "{\"v\":" + std::string(value) + "}");
  };
  EXPECT_EQ(mapped("seen: $.v", R"({"v":"2026-11-23T16:15:00+08:00"})"),
            " seen=2026-11-23T08:15:00Z");
  EXPECT_EQ(seen("format: unix_s", "1795420800"), " seen=2026-11-23T08:00:00Z");
  EXPECT_EQ(seen("format: unix_s", "1795420800.25"), " seen=2026-11-23T08:00:00.250Z");
  EXPECT_EQ(seen("format: unix_ms", "\"1795420800123\""), " seen=2026-11-23T08:00:00.123Z");
  EXPECT_EQ(seen("format: unix_us", "1795420800123456"), " seen=2026-11-23T08:00:00.123456Z");
  EXPECT_EQ(seen("format: unix_ns", "1795420800123456789"), " seen=2026-11-23T08:00:00.123456Z");
  EXPECT_EQ(seen("format: unix_ns", "-1"), " seen=1969-12-31T23:59:59.999999Z");
  EXPECT_EQ(seen("format: unix_s", "1e300").substr(0, 60),
            "! sources.yaml:9: $.v: expected unix time in seconds, got 1e");
  EXPECT_EQ(seen("format: unix_ms", "9223372036854775807").substr(0, 40),
            "! sources.yaml:9: $.v: expected unix tim");
  EXPECT_EQ(seen("format: local, zone: Asia/Shanghai", "\"2026-11-23 16:00:00\""),
            " seen=2026-11-23T08:00:00Z");
  EXPECT_EQ(seen("format: local, zone: Asia/Shanghai", "\"2026-11-23T16:00:00Z\""),
            " seen=2026-11-23T16:00:00Z");
  EXPECT_EQ(seen("zone: \"+08:00\", pattern: \"%d.%m.%Y %H:%M\"", "\"23.11.2026 16:30\""),
            " seen=2026-11-23T08:30:00Z");
  EXPECT_EQ(seen("pattern: \"%Y%m%d%H%M%S\"", "20261123163000"), " seen=2026-11-23T16:30:00Z");
  EXPECT_EQ(seen("pattern: \"%Y-%m-%d\"", "\"23.11.2026\""),
            "! sources.yaml:9: $.v: expected a time like %Y-%m-%d, got \"23.11.2026\" | "
            "{\"v\":\"23.11.2026\"}\n");
  EXPECT_EQ(mapped("seen: $.v", R"({"v":"2026-02-30T00:00:00Z"})").substr(0, 55),
            "! sources.yaml:9: $.v: expected an ISO 8601 time, got \"");
  EXPECT_EQ(mapped("seen: {fields: {year: $.y, month: $.m, day: $.d, hour: $.h}, zone: \"+08:00\"}",
                   R"({"y":2013,"m":"3","d":1,"h":0})"),
            " seen=2013-02-28T16:00:00Z");
  EXPECT_EQ(mapped("seen: {fields: {year: $.y, month: $.m, day: $.d}, zone: UTC}",
                   R"({"y":2013,"m":2,"d":30})"),
            "! sources.yaml:9: $.y: expected a date and time, got 2013-2-30 0:0:0 | "
            "{\"y\":2013,\"m\":2,\"d\":30}\n");
  EXPECT_EQ(mapped("seen: {fields: {year: $.y, month: $.m, day: $.d}, zone: UTC}",
                   R"({"y":2013,"m":2.5,"d":1})"),
            "! sources.yaml:9: $.m: expected the month of a time, got 2.5 | "
            "{\"y\":2013,\"m\":2.5,\"d\":1}\n");
  EXPECT_EQ(mapped("seen: {fields: {year: $.y, month: $.m, day: $.d}, zone: UTC}", "{}"), "");
}

TEST(Mapping, ObservedAtMayFallBackButNotRunAhead) {
  Mapper mapper(
      "type: Vehicle\n"
      "id: urn:v:1\n"
      "observed_at: {path: $.t, otherwise: received, ahead_max: 15m}\n"
      "attributes: {speed: {path: $.v, kind: number}}\n");
  EXPECT_EQ(mapper.text(R"({"v":1})"), "Vehicle urn:v:1 @2026-11-23T08:00:00Z speed=1\n");
  EXPECT_EQ(mapper.text(R"({"v":1,"t":"2026-11-23T08:15:00Z"})"),
            "Vehicle urn:v:1 @2026-11-23T08:15:00Z speed=1\n");
  EXPECT_EQ(mapper.text(R"({"v":1,"t":"2026-11-23T08:15:01Z"})"),
            "! sources.yaml:7: $.t: observed at 2026-11-23T08:15:01Z, which is later than received "
            "by more than 900 s | {\"v\":1,\"t\":\"2026-11-23T08:15:01Z\"}\n");
  EXPECT_EQ(mapper.text(R"({"v":1,"t":"yesterday"})").substr(0, 20), "! sources.yaml:7: $.");
}

TEST(Mapping, FansOutAndKeepsTheGoodAmongTheBad) {
  Mapper mapper(
      "items: $.stations[*].readings[*]\n"
      "type: Sensor\n"
      "id: \"urn:s:{^.name}:{#}\"\n"
      "observed_at: received\n"
      "attributes:\n"
      "  value: {path: $.v, kind: number}\n"
      "  city: {path: ^^.city, kind: text}\n"
      "  station: {path: '^#', kind: number}\n");
  EXPECT_EQ(
      mapper.text(
          R"({"city":"福州","stations":[{"name":"a b","readings":[{"v":1},{"v":"x"},{"v":3}]},)"
          R"({"name":"c","readings":[]},{"name":"d"},{"name":"e","readings":[{"v":5}]}]})"),
      "Sensor urn:s:a%20b:0 @2026-11-23T08:00:00Z value=1 city=福州 station=0\n"
      "Sensor urn:s:a%20b:2 @2026-11-23T08:00:00Z value=3 city=福州 station=0\n"
      "Sensor urn:s:e:0 @2026-11-23T08:00:00Z value=5 city=福州 station=3\n"
      "! sources.yaml:10: $.v: expected a number, got \"x\" | {\"city\":\"福州\","
      "\"stations\":[{\"name\":\"a b\",\"readings\":[{\"v\":\"x\"}]}]}\n"
      "! sources.yaml:5: $.stations[*].readings[*]: expected an array, got nothing | "
      "{\"city\":\"福州\",\"stations\":[{\"name\":\"d\"}]}\n");
  EXPECT_EQ(mapper.text(R"({"stations":[]})"), "");
  EXPECT_EQ(mapper.text(R"({"stations":{}})"),
            "! sources.yaml:5: $.stations[*].readings[*]: expected an array, got an object | "
            "{\"stations\":{}}\n");
}

TEST(Mapping, FansOutOverMembers) {
  Mapper mapper(
      "items: $.data.*\n"
      "type: Sensor\n"
      "id: \"urn:s:{#}\"\n"
      "observed_at: received\n"
      "attributes: {value: {path: $, kind: number}, name: {path: '#', kind: text}}\n");
  EXPECT_EQ(mapper.text(R"({"data":{"a":1,"b/ü":2}})"),
            "Sensor urn:s:a @2026-11-23T08:00:00Z value=1 name=a\n"
            "Sensor urn:s:b/ü @2026-11-23T08:00:00Z value=2 name=b/ü\n");
  EXPECT_EQ(mapper.text(R"({"data":[1]})"),
            "! sources.yaml:5: $.data.*: expected an object, got an array | {\"data\":[1]}\n");
}

TEST(Mapping, AnArrayIsAListOfItemsUnlessAPathLooksIntoIt) {
  Mapper list(with_attributes("speed: $.v"), kTypes);
  EXPECT_EQ(list.text(R"([{"v":1},{"v":2}])"),
            "Vehicle urn:v:1 @2026-11-23T08:00:00Z speed=1\n"
            "Vehicle urn:v:1 @2026-11-23T08:00:00Z speed=2\n");
  EXPECT_EQ(list.text("[]"), "");
  Mapper tuple(with_attributes("speed: $[1]"), kTypes);
  EXPECT_EQ(tuple.text("[5,6]"), "Vehicle urn:v:1 @2026-11-23T08:00:00Z speed=6\n");
}

TEST(Mapping, TypesMayDependOnTheItem) {
  Mapper by_choice(
      "type: {path: $.kind, enum: {1: Bus, 2: Tram}, otherwise: Vehicle}\n"
      "id: \"urn:v:{$.id}\"\n"
      "observed_at: received\n"
      "attributes: {speed: {path: $.v, kind: number}}\n");
  EXPECT_EQ(by_choice.text(R"([{"kind":1,"id":1,"v":1},{"kind":"2","id":2,"v":2},{"id":3,"v":3}])"),
            "Bus urn:v:1 @2026-11-23T08:00:00Z speed=1\n"
            "Tram urn:v:2 @2026-11-23T08:00:00Z speed=2\n"
            "Vehicle urn:v:3 @2026-11-23T08:00:00Z speed=3\n");
  Mapper listed(
      "type: \"{$.kind}\"\n"
      "types: [Bus, Tram]\n"
      "id: \"urn:v:{$.id}\"\n"
      "observed_at: received\n"
      "attributes: {speed: {path: $.v, kind: number}}\n");
  EXPECT_EQ(listed.text(R"([{"kind":"Tram","id":1,"v":1},{"kind":"Ship","id":2},{"id":3}])"),
            "Tram urn:v:1 @2026-11-23T08:00:00Z speed=1\n"
            "! sources.yaml:5: type {$.kind}: expected one of Bus, Tram, got \"Ship\" | "
            "{\"kind\":\"Ship\",\"id\":2}\n"
            "! sources.yaml:5: type: $.kind: expected a text or a number, got nothing | "
            "{\"id\":3}\n");
}

TEST(Mapping, TakesOnlyTheItemsThatAreMeant) {
  Mapper mapper(
      "where: {path: $.kind, in: [position, 3]}\n"
      "type: Vehicle\n"
      "id: urn:v:1\n"
      "observed_at: received\n"
      "attributes: {speed: {path: $.v, kind: number}}\n");
  EXPECT_EQ(mapper.text(R"([{"kind":"position","v":1},{"kind":3,"v":2},{"kind":"x","v":3},{}])"),
            "Vehicle urn:v:1 @2026-11-23T08:00:00Z speed=1\n"
            "Vehicle urn:v:1 @2026-11-23T08:00:00Z speed=2\n"
            "- not_selected 2\n");
}

TEST(Mapping, SeveralMapsOfOnePayload) {
  Mapper mapper(
      "- {type: Air, id: urn:a:1, observed_at: received, attributes: {pm: {path: $.pm, kind: "
      "number}}}\n"
      "- {type: Weather, id: urn:w:1, observed_at: received, attributes: {t: {path: $.t, kind: "
      "number}}}\n");
  EXPECT_EQ(mapper.text(R"({"pm":10,"t":"x"})"),
            "Air urn:a:1 @2026-11-23T08:00:00Z pm=10\n"
            "! sources.yaml:6: $.t: expected a number, got \"x\" | {\"pm\":10,\"t\":\"x\"}\n");
  EXPECT_EQ(mapper.text("{"),
            "! not JSON: byte 1: expected a member name in double quotes or '}' "
            "| {\n");
}

TEST(Mapping, IdsAreUris) {
  Mapper mapper(
      "type: Vehicle\n"
      "id: \"{$.id}\"\n"
      "observed_at: received\n"
      "attributes: {}\n");
  EXPECT_EQ(mapper.text(R"({"id":"urn:ngsi-ld:Vehicle:闽A 1%"})"),
            "Vehicle urn:ngsi-ld:Vehicle:闽A%201%25 @2026-11-23T08:00:00Z\n");
  EXPECT_EQ(mapper.text(R"({"id":"no-scheme"})"),
            "! sources.yaml:6: id: expected a URI of at most 512 bytes, got \"no-scheme\" | "
            "{\"id\":\"no-scheme\"}\n");
  EXPECT_EQ(mapper.text("{\"id\":\"urn:" + std::string(600, 'x') + "\"}").substr(0, 60),
            "! sources.yaml:6: id: expected a URI of at most 512 bytes, g");
  EXPECT_EQ(mapper.text(R"({"id":""})"),
            "! sources.yaml:6: id: $.id: expected a text or a number, got \"\" | {\"id\":\"\"}\n");
}

TEST(Mapping, AFloodOfItemsIsRefusedFromALimitOn) {
  Mapper mapper(with_attributes("speed: $.v"), kTypes);
  std::string payload = "[";
  for (int i = 0; i < 100'010; ++i) payload += i == 0 ? "{}" : ",{}";
  const SourceBatch batch = mapper.map(payload + "]");
  EXPECT_EQ(batch.item_count(), 100'010U);
  ASSERT_EQ(batch.refused.size(), 1U);
  EXPECT_EQ(batch.refused[0], (RefusedCount{"too_many_items", 10}));
  EXPECT_EQ(batch.observations.size(), 49U);
  EXPECT_EQ(batch.observations[0].row_count(), ObservationBatch::kRowsMax);
}

TEST(Mapping, HostilePayloadsEndInQuarantine) {
  Mapper mapper(with_attributes("speed: $.v\nname: $.n"), kTypes);
  const std::string good = R"({"v":12.5,"n":"\u798f","x":[{"y":[1,2,{"z":null}]}]})";
  EXPECT_EQ(mapper.map(good).observations.size(), 1U);
  for (std::size_t length = 0; length < good.size(); ++length) {
    const SourceBatch batch = mapper.map(std::string_view(good).substr(0, length));
    EXPECT_EQ(batch.quarantined.size(), 1U) << length;
    EXPECT_EQ(batch.item_count(), 1U) << length;
  }
  for (const std::string& payload :
       {std::string(100'000, '['), std::string("{\"v\":1e400}"),
        "{\"v\":" + std::string(5000, '9') + "}", std::string("{\"v\":1,\"n\":\"\xff\xfe\"}"),
        std::string("\x00\x01\x02", 3), std::string("nul")}) {
    const SourceBatch batch = mapper.map(payload);
    EXPECT_EQ(batch.quarantined.size(), 1U);
    EXPECT_EQ(batch.item_count(), 1U);
  }
  EXPECT_EQ(mapped("speed: $.v", R"({"v":1,"v":2})"), " speed=1");
}

TEST(Mapping, EveryItemEndsInExactlyOneList) {
  Mapper mapper(
      "items: $[*]\n"
      "where: {path: $.k, in: [1, 2]}\n"
      "type: Vehicle\n"
      "id: \"urn:v:{$.id}\"\n"
      "observed_at: {path: $.t, format: unix_s}\n"
      "attributes:\n"
      "  speed: {path: $.v, min: 0}\n"
      "  name: $.n\n",
      kTypes);
  Random random(3);
  const auto pick = [&](std::initializer_list<const char*> texts) {
    return std::string(*(texts.begin() + static_cast<std::ptrdiff_t>(random.below(texts.size()))));
  };
  for (int round = 0; round < 500; ++round) {
    std::string payload = "[";
    const std::uint64_t count = random.below(30);
    for (std::uint64_t i = 0; i < count; ++i) {
      if (i > 0) payload += ",";
      payload += R"({"k":)" + pick({"1", "2", "3", "null"}) + R"(,"id":)" +
                 pick({"7", "\"a\"", "{}", "\"\""}) + R"(,"t":)" +
                 pick({"1795420000", "\"x\"", "-5", "1e30"}) + R"(,"v":)" +
                 pick({"1", "-1", "\"2\"", "null", "[]"}) + R"(,"n":)" + pick({"\"n\"", "3"}) + "}";
    }
    const SourceBatch batch = mapper.map(payload + "]");
    ASSERT_EQ(batch.item_count(), count);
    ASSERT_TRUE(mapper.ok()) << mapper.error();
    for (const ObservationBatch& rows : batch.observations) {
      for (const Column& column : rows.columns()) EXPECT_EQ(column.size(), rows.row_count());
    }
  }
}

TEST(Describe, TellsPeopleWhatAPayloadBecomes) {
  Mapper mapper(with_attributes("speed: {path: $.v, from_unit: KNT}\nlocation: {point: [$.x, $.y]}"
                                "\nname: $.n"),
                kTypes);
  EXPECT_EQ(describe(mapper.map(R"([{"v":10,"x":119.3,"y":26.08,"n":"K2"},{"v":"\u0001"}])"),
                     mapper.schema()),
            "2 items: 1 observations, 1 quarantined, 0 refused\n"
            "\n"
            "Vehicle urn:v:1\n"
            "  observed at 2026-11-23T08:00:00Z\n"
            "  speed     18.52 km/h  (速度 / speed)\n"
            "  location  119.300000, 26.080000 (WGS-84)\n"
            "  name      K2\n"
            "\n"
            "quarantined: sources.yaml:9: $.v: expected a number, got \"\\u0001\"\n"
            "  from  city/K2/7\n"
            "  bytes \"{\\\"v\\\":\\\"\\\\u0001\\\"}\"\n");
}

}  // namespace
}  // namespace ficus::connect
