#include <gtest/gtest.h>

#include <string>

#include "base/random.h"
#include "connect/mapping/mapping_fixture.h"

namespace ficus::connect {
namespace {

using test::map_mistakes;
using test::source_mistakes;

constexpr std::string_view kTypes =
    "types:\n"
    "  Vehicle:\n"
    "    attributes:\n"
    "      speed: {kind: number, unit: KMH}\n"
    "      name: {kind: text}\n"
    "      location: {kind: point}\n"
    "      seen: {kind: time}\n";

// The mistakes of one attribute, which stands in line 9.
std::string attribute_mistakes(std::string_view attribute) {
  const std::string map =
      "type: Vehicle\nid: urn:v:1\nobserved_at: received\nattributes:\n  " + std::string(attribute);
  return map_mistakes(map, kTypes);
}

TEST(Mistakes, OfAttributes) {
  const struct {
    const char* attribute;
    const char* message;
  } cases[] = {
      {"speed: {path: $.v, form_unit: KNT}",
       "sources.yaml:9:28: unknown key 'form_unit' in attribute 'speed': did you mean "
       "'from_unit'?"},
      {"speed: spd",
       "sources.yaml:9:16: expected a path such as $.speed for 'speed', found 'spd'; a constant is "
       "written {constant: spd}"},
      {"speed: {path: spd}",
       "sources.yaml:9:23: path 'spd': column 1: expected '$' at the beginning"},
      {"speed: {path: $.a..b}",
       "sources.yaml:9:23: path '$.a..b': column 5: expected a name or '*' after '.'"},
      {"speed: {path: '$.a[*]'}",
       "sources.yaml:9:23: path '$.a[*]': '*' names many values: expected a path to one; fan out "
       "with 'items'"},
      {"speed: {path: ^.v}",
       "sources.yaml:9:23: path '^.v' leads out of the payload: '^' needs an 'items' that fans out "
       "at least 1 times"},
      {"speed: {unit: KMH}",
       "sources.yaml:9:16: attribute 'speed' says nowhere where its value is: expected one of "
       "path, "
       "placeholder, template, point, fields or constant"},
      {"speed: {path: $.v, constant: 3}",
       "sources.yaml:9:16: attribute 'speed' has both 'path' and 'constant': expected one of them"},
      {"speed: {path: $.v, from_unit: CEL}",
       "sources.yaml:9:39: cannot convert CEL (°C) to KMH (km/h): temperature is not speed"},
      {"speed: {path: $.v, from_unit: knots}",
       "sources.yaml:9:39: unit 'knots' is not known: expected a UN/CEFACT common code such as "
       "KMH"},
      {"speed: {path: $.v, unit: MTS}",
       "sources.yaml:9:34: 'speed' is declared in KMH, not in MTS"},
      {"speed: {path: $.v, kind: text}",
       "sources.yaml:9:34: 'speed' is declared as number, not text"},
      {"speed: {path: $.v, kind: numbr}",
       "sources.yaml:9:34: unknown kind 'numbr': did you mean 'number'?"},
      {"speed: {path: $.v, min: low}",
       "sources.yaml:9:33: expected a number for 'min', found 'low'"},
      {"speed: {path: $.v, min: 5, max: 1}", "sources.yaml:9:33: 'min' 5 is above 'max' 1"},
      {"speed: {path: $.v, scale: 0}",
       "sources.yaml:9:35: 'scale' is 0: every value would be lost"},
      {"speed: {path: $.v, round: 99}",
       "sources.yaml:9:35: expected a whole number from 0 to 15 for 'round', found '99'"},
      {"speed: {path: $.v, required: maybe}",
       "sources.yaml:9:38: expected true or false for 'required', found 'maybe'"},
      {"speed: {path: $.v, format: unix_s}",
       "sources.yaml:9:36: 'format' is for attributes of kind time, but 'speed' is a number"},
      {"name: {path: $.v, from_unit: KNT}",
       "sources.yaml:9:38: 'from_unit' is for attributes of kind number, but 'name' is a text"},
      {"speed: {path: $.v, otherwise: 3}", "sources.yaml:9:39: 'otherwise' goes with 'enum'"},
      {"speed: {path: $.v, enum: [1, 2]}",
       "sources.yaml:9:34: expected a map such as {0: stopped, 1: moving} for 'enum'"},
      {"speed: {path: $.v, enum: {a: fast}}",
       "sources.yaml:9:38: expected a number for the choice 'a', found 'fast'"},
      {"speed: {path: $.v, enum: {1: 2, 1.0: 3}}",
       "sources.yaml:9:34: 'enum' has the choice '1' twice"},
      {"name: {placeholder: lnie}",
       "sources.yaml:9:29: unknown placeholder 'lnie': did you mean 'line'?"},
      {"name: {template: 'a {veh} b'}",
       "sources.yaml:9:26: template 'a {veh} b': unknown placeholder {veh}: expected a name of the "
       "source's topic, or a path such as {$.id}"},
      {"name: {template: 'a {line'}",
       "sources.yaml:9:26: template 'a {line': '{' without '}' after it"},
      {"location: {point: $.x, crs: GCJ2}",
       "sources.yaml:9:37: unknown coordinate system 'GCJ2': expected BD-09, CGCS2000, GCJ-02 or "
       "WGS-84"},
      {"location: {point: [$.x]}",
       "sources.yaml:9:27: expected [longitude path, latitude path] for 'point', found a list"},
      {"location: {placeholder: line, latitude_first: perhaps}",
       "sources.yaml:9:55: expected true or false for 'latitude_first', found 'perhaps'"},
      {"location: {template: '{line}'}",
       "sources.yaml:9:19: attribute 'location' is a point and cannot come from here: expected "
       "'point' or 'path'"},
      {"seen: {path: $.t, format: unix}",
       "sources.yaml:9:35: unknown time format 'unix': expected iso8601, local, unix_ms, unix_ns, "
       "unix_s or unix_us"},
      {"seen: {path: $.t, format: local}",
       "sources.yaml:9:15: attribute 'seen' is in local time: expected a 'zone' such as "
       "Asia/Shanghai or +08:00"},
      {"seen: {path: $.t, zone: Asia/Fuzhou}",
       "sources.yaml:9:33: zone 'Asia/Fuzhou' is not in /zones: expected a name such as "
       "Asia/Shanghai (is the package tzdata installed?) or an offset such as +08:00"},
      {"seen: {path: $.t, zone: ../passwd}",
       "sources.yaml:9:33: '../passwd' is not a zone: expected a name such as Asia/Shanghai or an "
       "offset such as +08:00"},
      {"seen: {path: $.t, pattern: '%Y-%Q'}",
       "sources.yaml:9:36: '%Q' in the pattern: expected one of %Y %m %d %H %M %S %f %z %b %e %I "
       "%p %j %y %F %T %s %%"},
      {"seen: {path: $.t, pattern: '%H:%M'}",
       "sources.yaml:9:36: the pattern has no year: expected %Y, %y, %F or %s"},
      {"seen: {path: $.t, format: unix_s, zone: UTC}",
       "sources.yaml:9:49: unix time knows no zone: leave 'zone' out"},
      {"seen: {fields: {year: $.y, month: $.m}, zone: UTC}",
       "sources.yaml:9:24: 'fields' has no 'day': expected the path of a number"},
      {"seen: {constant: now}", "sources.yaml:9:26: expected an ISO 8601 time for 'constant'"},
      {"other: {path: $.v}",
       "sources.yaml:9:16: cannot tell of which kind 'other' is: declare it in types.yaml or add "
       "'kind', one of number, text, boolean, time, point, geometry, relationship, json"},
      {"other: {path: $.v, from_unit: KNT}",
       "sources.yaml:9:39: 'from_unit' has nothing to convert to: expected 'unit' here or in "
       "types.yaml"},
      {"id: $.v", "sources.yaml:9:9: 'id' cannot be an attribute: every entity has it already"},
      {"2nd: $.v",
       "sources.yaml:9:9: '2nd' is not an attribute name: expected a letter, then letters, digits, "
       "'_'"},
  };
  for (const auto& [attribute, message] : cases) {
    EXPECT_EQ(attribute_mistakes(attribute), message) << attribute;
  }
}

TEST(Mistakes, OfMaps) {
  EXPECT_EQ(
      map_mistakes("type: Vehicle"),
      "sources.yaml:5:7: map has no 'attributes': expected a map of attributes\n"
      "sources.yaml:5:7: map has no 'id': expected a template such as "
      "urn:ngsi-ld:Vehicle:{$.id}\n"
      "sources.yaml:5:7: map has no 'observed_at': expected when the values were observed, such "
      "as {path: $.time}, or 'received'");
  const auto with = [](std::string_view line) {
    std::string map;
    for (const std::string_view usual :
         {"type: Vehicle", "id: urn:v:1", "observed_at: received", "attributes: {}"}) {
      const bool is_replaced = usual.substr(0, usual.find(':')) == line.substr(0, line.find(':'));
      map += std::string(is_replaced ? line : usual) + "\n";
      if (is_replaced) line = "";
    }
    return map_mistakes(map + std::string(line));
  };
  EXPECT_EQ(with(""), "");
  EXPECT_EQ(with("id: bus-7"),
            "sources.yaml:6:11: id 'bus-7' is no URI: expected one such as "
            "urn:ngsi-ld:Vehicle:bus-7");
  EXPECT_EQ(with("type: 7up"),
            "sources.yaml:5:13: '7up' is not a type name: expected a letter, then letters, digits, "
            "'_'");
  EXPECT_EQ(with("type: '{line}'"),
            "sources.yaml:5:13: type '{line}' depends on the item: expected 'types', the list of "
            "types it may be");
  EXPECT_EQ(with("type: {path: $.k, enum: {}}"),
            "sources.yaml:5:31: expected a map such as {1: Bus, 2: Tram} for 'enum'");
  EXPECT_EQ(with("observed_at: now"),
            "sources.yaml:7:20: expected 'received', a path such as $.time or a map such as {path: "
            "$.ts, format: unix_ms} for 'observed_at', found 'now'");
  EXPECT_EQ(with("observed_at: {path: $.t, ahead_max: soon}"),
            "sources.yaml:7:43: expected a duration such as 90s, 15m, 24h or 7d for 'ahead_max', "
            "found 'soon'");
  EXPECT_EQ(with("observed_at: {path: $.t, otherwise: never}"),
            "sources.yaml:7:43: expected 'received' for 'otherwise', found 'never'");
  EXPECT_EQ(with("observed_at: {format: unix_s}"),
            "sources.yaml:7:20: 'observed_at' says nowhere where its value is: expected 'path', "
            "'placeholder' or 'template'");
  EXPECT_EQ(with("observed_at: [1]"),
            "sources.yaml:7:20: expected a map for 'observed_at', found a list");
  EXPECT_EQ(with("attributes: [speed]"),
            "sources.yaml:8:19: expected a map of attributes, found a list");
  EXPECT_EQ(with("items: data"),
            "sources.yaml:9:14: items 'data': column 1: expected '$' at the beginning");
  EXPECT_EQ(with("items: $[*][*][*][*][*]"),
            "sources.yaml:9:14: items '$[*][*][*][*][*]' fans out 5 times: expected at most 4");
  EXPECT_EQ(with("where: {path: $.k}"),
            "sources.yaml:9:14: 'where' has no 'in': expected a list of values, such as [position, "
            "status]");
  EXPECT_EQ(with("atributes: {}"),
            "sources.yaml:9:7: unknown key 'atributes' in map: did you mean 'attributes'?");
}

TEST(Mistakes, OfSources) {
  EXPECT_EQ(source_mistakes(""), "");
  EXPECT_EQ(source_mistakes("sources: []"), "");
  EXPECT_EQ(source_mistakes("source: []"),
            "s.yaml:1:1: the file has no 'sources': expected a list of sources\n"
            "s.yaml:1:1: unknown key 'source' in the file: did you mean 'sources'?");
  EXPECT_EQ(source_mistakes("- a"), "s.yaml:1:1: expected a map for the file, found a list");
  EXPECT_EQ(source_mistakes("sources: {a: b}"),
            "s.yaml:1:10: expected a list of sources, found a map");
  EXPECT_EQ(source_mistakes("sources: [a: [}"), "s.yaml:1:15: not YAML: illegal flow end");
  EXPECT_EQ(source_mistakes("sources: []\n---\na: b"),
            "s.yaml:3:1: expected one YAML document, found a second");
  EXPECT_EQ(source_mistakes("a: \xff"), "s.yaml:1:1: the file is not UTF-8");
  const auto source = [](std::string_view rest) {
    return source_mistakes("sources:\n  - name: s\n    " + std::string(rest));
  };
  constexpr std::string_view kMap =
      "map: {type: A, id: urn:a:1, observed_at: received, attributes: {}}";
  EXPECT_EQ(source("mqtt: {topic: a/b}\n    " + std::string(kMap)), "");
  EXPECT_EQ(source("http:\n    " + std::string(kMap)), "");
  EXPECT_EQ(source("ais: {listen: 'udp://127.0.0.1:10110'}"), "");
  EXPECT_EQ(source("ais: {connect: 'tcp://[::1]:5000'}"), "");
  EXPECT_EQ(source("label: x"),
            "s.yaml:2:5: source has none of mqtt, http, ais, mqtt_client, http_poll, "
            "files: expected one");
  EXPECT_EQ(source("http:\n    mqtt: {topic: a}"),
            "s.yaml:2:5: source has several of mqtt, http, ais, mqtt_client, "
            "http_poll, files: expected one");
  EXPECT_EQ(source("http:"),
            "s.yaml:2:5: source has no 'map': expected how its payload becomes entities");
  EXPECT_EQ(
      source("mqtt: {topic: 'a/b+/c'}\n    " + std::string(kMap)),
      "s.yaml:3:19: topic 'a/b+/c': column 4: '+' must be a level of its own; a named level is "
      "written {name}");
  EXPECT_EQ(source("http: {parameters: [a b]}\n    " + std::string(kMap)),
            "s.yaml:3:25: 'a b' is not a parameter's name: expected letters, digits and '_'");
  EXPECT_EQ(source("http:\n    format: csv\n    " + std::string(kMap)),
            "s.yaml:4:13: unknown format 'csv': expected json or text");
  EXPECT_EQ(source("ais: {listen: 'udp://127.0.0.1'}"),
            "s.yaml:3:19: expected udp://ADDRESS:PORT or tcp://ADDRESS:PORT for 'listen', found "
            "'udp://127.0.0.1'");
  EXPECT_EQ(source("ais: {connect: 'udp://h:1'}"),
            "s.yaml:3:20: expected tcp://HOST:PORT for 'connect', found 'udp://h:1'");
  EXPECT_EQ(source("ais: {}"), "s.yaml:3:10: expected either 'listen' or 'connect' for 'ais'");
  EXPECT_EQ(source("ais: {listen: 'tcp://0.0.0.0:1'}\n    " + std::string(kMap)),
            "s.yaml:4:10: AIS has a fixed mapping to Vessel: leave 'map' out");
  EXPECT_EQ(source("http:\n    map: []"), "s.yaml:4:10: 'map' is empty: expected a map");
  EXPECT_EQ(source_mistakes("sources:\n  - {name: 'a b', http: , " + std::string(kMap) + "}"),
            "s.yaml:2:12: 'a b' is not a name for a source: expected letters, digits, '-' and '_', "
            "at most 64");
  EXPECT_EQ(source_mistakes("sources:\n  - {http: , " + std::string(kMap) + "}"),
            "s.yaml:2:5: source has no 'name': expected a short name such as vehicles");
  EXPECT_EQ(source_mistakes("sources:\n  - {name: a, http: , " + std::string(kMap) +
                            "}\n  - {name: a, http: , " + std::string(kMap) + "}"),
            "s.yaml:3:5: the source 'a' is declared twice, first in line 2");
  EXPECT_EQ(source_mistakes("sources:\n  - just text"),
            "s.yaml:2:5: expected a map for source, found 'just text'");
}

TEST(Mistakes, AreAllReportedAtOnceInTheOrderOfTheFile) {
  EXPECT_EQ(map_mistakes("type: Vehicle\n"
                         "id: bus-7\n"
                         "observed_at: {path: $.t, format: unix_sec}\n"
                         "atributes: {}\n"
                         "attributes:\n"
                         "  speed: {path: $.v, from_unit: CEL}\n"
                         "  name: {path: name}\n",
                         kTypes),
            "sources.yaml:6:11: id 'bus-7' is no URI: expected one such as "
            "urn:ngsi-ld:Vehicle:bus-7\n"
            "sources.yaml:7:40: unknown time format 'unix_sec': did you mean 'unix_s'?\n"
            "sources.yaml:8:7: unknown key 'atributes' in map: did you mean 'attributes'?\n"
            "sources.yaml:10:39: cannot convert CEL (°C) to KMH (km/h): temperature is not speed\n"
            "sources.yaml:11:22: path 'name': column 1: expected '$' at the beginning");
}

TEST(Mistakes, OfTypes) {
  const auto types = [](std::string_view text) { return source_mistakes("", text); };
  EXPECT_EQ(types(""), "");
  EXPECT_EQ(types("types:"), "");
  EXPECT_EQ(types("types: {A: {label: x}}"), "");
  EXPECT_EQ(types("types: [A]"), "types.yaml:1:8: expected a map of entity types, found a list");
  EXPECT_EQ(types("types: {A: {attributes: {x: {kind: nmber}}}}"),
            "types.yaml:1:36: unknown kind 'nmber': did you mean 'number'?");
  EXPECT_EQ(types("types: {A: {attributes: {x: {unit: KMH}}}}"),
            "types.yaml:1:29: attribute 'x' has no 'kind': expected one of number, text, boolean, "
            "time, point, geometry, relationship, json");
  EXPECT_EQ(types("types: {A: {attributes: {x: {kind: text, unit: KMH}}}}"),
            "types.yaml:1:29: 'unit' is for numbers and 'decimals' for numbers and points, but 'x' "
            "is a text");
  EXPECT_EQ(types("types: {A: {attributes: {x: {kind: number, unit: km/h}}}}"),
            "types.yaml:1:50: 'km/h' is not a unit: expected a UN/CEFACT common code such as KMH");
  EXPECT_EQ(types("types: {A: {attributes: {x: {kind: number, decimals: 1.5}}}}"),
            "types.yaml:1:54: expected a whole number from 0 to 15 for 'decimals', found '1.5'");
  EXPECT_EQ(types("types: {A: {attributes: {type: {kind: text}}}}"),
            "types.yaml:1:26: 'type' cannot be an attribute: every entity has it already");
  EXPECT_EQ(types("types: {A: {attributes: {2x: {kind: text}}}}"),
            "types.yaml:1:26: '2x' is not an attribute name: expected a letter, then letters, "
            "digits, '_'");
  EXPECT_EQ(types("types: {A: {attributes: [x]}}"),
            "types.yaml:1:25: expected a map of attributes, found a list");
  EXPECT_EQ(types("types: {A: {label: {zh: a, en: b, de: c}}}"),
            "types.yaml:1:35: unknown key 'de' in label: expected en or zh");
  EXPECT_EQ(types("types: {A b: {}}"),
            "types.yaml:1:9: 'A b' is not a type name: expected a letter, then letters, digits, "
            "'_'");
  EXPECT_EQ(types("types: {A: {}, A: {}}"),
            "types.yaml:1:16: the key 'A' is given twice, first in line 1");
}

TEST(Yaml, TakesAnchorsAndRefusesBombs) {
  EXPECT_EQ(source_mistakes("definitions:\n"
                            "  - &m {type: A, id: urn:a:1, observed_at: received, attributes: {}}\n"
                            "sources: [{name: a, http: , map: *m}, {name: b, http: , map: *m}]"),
            "");
  std::string bomb = "definitions:\n  - &a0 [x, x, x, x, x, x, x, x, x, x]\n";
  for (int i = 1; i < 10; ++i) {
    const std::string name = "*a" + std::to_string(i - 1);
    bomb += "  - &a" + std::to_string(i) + " [" + name;
    for (int n = 1; n < 10; ++n) bomb += ", " + name;
    bomb += "]\n";
  }
  EXPECT_TRUE(source_mistakes(bomb).contains("more than 200000 values"));
  const std::string deep = "a: " + std::string(40, '[') + std::string(40, ']');
  EXPECT_TRUE(source_mistakes(deep).contains("nested deeper than 32 levels"));
  EXPECT_NE(source_mistakes("a: " + std::string(100'000, '[')), "");
  EXPECT_NE(source_mistakes("a: " + std::string(100'000, '{')), "");
  std::string indented;
  for (int i = 0; i < 1000; ++i) indented += std::string(static_cast<std::size_t>(i), ' ') + "a:\n";
  EXPECT_NE(source_mistakes(indented), "");
  EXPECT_TRUE(source_mistakes("? [a]\n: b").contains("a key must be a text"));
  EXPECT_TRUE(source_mistakes("a: &x [*x]").contains("s.yaml:1:"));
}

// Whatever becomes of a file that was cut or damaged, it is reported, not believed half.
TEST(Yaml, SurvivesDamage) {
  const std::string good =
      "sources:\n  - name: s\n    mqtt: {topic: 'a/{b}'}\n    map:\n      items: $.x[*]\n"
      "      type: A\n      id: \"urn:a:{b}\"\n      observed_at: {path: $.t, format: unix_ms}\n"
      "      attributes: {v: {path: $.v, kind: number, min: 0}}\n";
  ASSERT_EQ(source_mistakes(good), "");
  for (std::size_t length = 0; length < good.size(); ++length) {
    source_mistakes(std::string_view(good).substr(0, length));
  }
  Random random(9);
  constexpr std::string_view kBytes = "{}[]:,\"'&*#|>-? \n\t!%@`$abc019";
  for (int i = 0; i < 3000; ++i) {
    std::string text = good;
    for (int d = 0; d < 3; ++d)
      text[random.below(text.size())] = kBytes[random.below(kBytes.size())];
    source_mistakes(text);
  }
}

}  // namespace
}  // namespace ficus::connect
