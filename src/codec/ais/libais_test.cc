#include <gtest/gtest.h>
#include <simdjson.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <map>

#include "base/time_text.h"
#include "codec/ais/names.h"
#include "codec/ais/receiver.h"
#include "codec/ais/tag_block.h"
#include "codec/ais/test_data.h"

// The numbers of messages and fields are counted in the files of libais by another program.
//
// What libais expects of its example of each message type and of its tag blocks, for the types that
// a city's map shows (1 to 5, 9, 11, 18, 19, 21, 24, 27). It disagrees with gpsd and with us in
// representation only: see `LibaisView` and `libais_text`.

namespace ficus::ais {
namespace {

using Value = std::variant<std::nullptr_t, bool, double, std::string>;
using Fields = std::map<std::string, Value>;

// libais has its own table for two of the 64 letters: '-' for '_', '`' for '\''.
std::string libais_text(std::string text) {
  std::ranges::replace(text, '_', '-');
  std::ranges::replace(text, '\'', '`');
  return text;
}

// libais writes "Cargo, Hazardous category B", "Tanker, all ships of this type".
std::string plain_name(std::string_view name) {
  std::string out;
  for (const char c : name) out.push_back(c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c);
  constexpr std::string_view kTail = ", all ships of this type";
  if (out.ends_with(kTail)) out.resize(out.size() - kTail.size());
  return out;
}

// "Not available" is null for the turn, and the coding number for everything else.
class LibaisView {
 public:
  explicit LibaisView(const Message& message) {
    set("type", message.type);
    set("repeat", message.repeat);
    set("mmsi", message.mmsi);
    set_flag("scaled", true);
    type_ = message.type;
    std::visit([this](const auto& body) { show(body); }, message.body);
  }

  Fields fields;

 private:
  void set(const std::string& key, double value) { fields[key] = value; }
  void set_flag(const std::string& key, bool value) { fields[key] = value; }
  void set_text(const std::string& key, const std::string& value) { fields[key] = value; }

  void position(const Position& at) {
    set("lon", at.longitude_deg().value_or(at.longitude_raw / 600'000.0));
    set("lat", at.latitude_deg().value_or(at.latitude_raw / 600'000.0));
  }
  void motion(const Speed& speed, const Course& course) {
    set("speed", speed.knots().value_or(speed.raw / 10.0));
    set("course", course.degrees().value_or(course.raw / 10.0));
  }
  void dimensions(const Dimensions& size) {
    set("to_bow", size.to_bow);
    set("to_stern", size.to_stern);
    set("to_port", size.to_port);
    set("to_starboard", size.to_starboard);
  }
  void device(std::uint8_t device) {
    set("epfd", device);
    set_text("epfd_text", plain_name(position_device_name(device).english));
  }
  void status(std::uint8_t status) {
    set("status", status);
    // libais has the names of an edition before 14 became that of rescue transmitters.
    set_text("status_text",
             status == 14 ? "reserved" : plain_name(navigation_status_name(status).english));
  }

  void sotdma(Radio radio) {
    const auto state = sotdma_state(radio);
    if (!state) return;
    set("sync_state", state->sync_state);
    set("slot_timeout", state->slot_timeout);
    if (state->received_stations) set("received_stations", *state->received_stations);
    if (state->slot_number) set("slot_number", *state->slot_number);
    if (state->slot_offset) set("slot_offset", *state->slot_offset);
    if (state->utc_hour) {
      set("utc_hour", *state->utc_hour);
      set("utc_min", *state->utc_minute);
      set("utc_spare", radio.raw & 3U);
    }
  }
  void itdma(Radio radio) {
    const auto state = itdma_state(radio);
    if (!state) return;
    set("sync_state", state->sync_state);
    set("slot_increment", state->slot_increment);
    set("slots_to_allocate", state->slot_count);
    set_flag("keep_flag", state->keeps_slot);
  }

  void show(const PositionReport& body) {
    status(body.status);
    if (const auto rate = body.turn.degrees_per_minute()) {
      set("turn", *rate);
    } else {
      fields["turn"] = nullptr;
    }
    motion(body.speed, body.course);
    set_flag("accuracy", body.is_accurate);
    position(body.position);
    set("heading", body.heading.raw);
    set("second", body.fix_second.raw);
    set("maneuver", body.maneuver);
    set("spare", body.spare);
    set_flag("raim", body.has_raim);
    type_ == 3 ? itdma(body.radio) : sotdma(body.radio);
  }
  void show(const BaseStationReport& body) {
    std::array<char, 64> time{};
    std::snprintf(time.data(), time.size(), "%04u-%02u-%02uT%02u:%02u:%02uZ", body.year, body.month,
                  body.day, body.hour, body.minute, body.second);
    set_text("timestamp", time.data());
    set_flag("accuracy", body.is_accurate);
    position(body.position);
    device(body.position_device);
    set("transmission_ctl", body.controls_long_range);
    set("spare", body.spare);
    set_flag("raim", body.has_raim);
    sotdma(body.radio);
  }
  void show(const StaticVoyageData& body) {
    set("ais_version", body.version);
    set_text("imo", std::to_string(body.imo_number));
    set_text("callsign", libais_text(body.call_sign));
    set_text("shipname", libais_text(body.name));
    set("shiptype", body.ship_type);
    set_text("shiptype_text", plain_name(ship_type_name(body.ship_type).english));
    dimensions(body.dimensions);
    device(body.position_device);
    set("draught", body.draught.metres().value_or(body.draught.raw / 10.0));
    set_text("destination", libais_text(body.destination));
    set("dte", body.lacks_terminal);
    set("spare", body.spare);
  }
  void show(const AircraftPosition& body) {
    set("alt", body.altitude.raw);
    set("alt_sensor", body.is_altitude_barometric);
    // libais divides the speed of aircraft by ten like a ship's; the standard has whole knots.
    set("speed", body.speed.knots().value_or(body.speed.raw) / 10.0);
    set("course", body.course.degrees().value_or(body.course.raw / 10.0));
    set_flag("accuracy", body.is_accurate);
    position(body.position);
    set("second", body.fix_second.raw);
    set("spare", body.spare);
    set("dte", body.lacks_terminal);
    set("spare2", body.spare2);
    set_flag("assigned", body.is_assigned);
    set_flag("raim", body.has_raim);
    body.radio.is_itdma() ? itdma(body.radio.state()) : sotdma(body.radio.state());
  }
  void show(const ClassBPosition& body) {
    set("spare", body.spare);
    motion(body.speed, body.course);
    set_flag("accuracy", body.is_accurate);
    position(body.position);
    set("heading", body.heading.raw);
    set("second", body.fix_second.raw);
    set("spare2", body.spare2);
    // Of a carrier-sense unit the communication state means nothing; libais calls its bits fill.
    set_flag("unit", body.is_carrier_sense);
    set_flag("cs", body.radio.is_itdma());
    set("commstate_cs_fill", body.radio.state().raw);
    set_flag("display", body.has_display);
    set_flag("dsc", body.has_dsc);
    set_flag("band", body.covers_whole_band);
    set_flag("msg22", body.accepts_message_22);
    set_flag("mode", body.is_assigned);
    set_flag("raim", body.has_raim);
  }
  void show(const AidToNavigation& body) {
    set("aid_type", body.aid_type);
    set_text("aid_type_text", plain_name(aid_type_name(body.aid_type).english));
    set_text("name", libais_text(body.name));
    set_flag("accuracy", body.is_accurate);
    position(body.position);
    dimensions(body.dimensions);
    device(body.position_device);
    set("second", body.fix_second.raw);
    set_flag("off_position", body.is_off_position);
    set("regional", body.aid_status);
    set_flag("raim", body.has_raim);
    set_flag("virtual_aid", body.is_virtual);
    set_flag("assigned", body.is_assigned);
    set("spare", body.spare);
  }
  void show(const StaticDataA& body) {
    set("part_num", 0);
    set_text("shipname", libais_text(body.name));
  }
  void show(const LongRangePosition& body) {
    set_flag("accuracy", body.is_accurate);
    set_flag("raim", body.has_raim);
    status(body.status);
    set("lon", body.position.longitude_deg().value_or(body.position.longitude_raw / 600.0));
    set("lat", body.position.latitude_deg().value_or(body.position.latitude_raw / 600.0));
    set("speed", body.speed.raw);
    set("course", body.course.raw);
    set_flag("gnss", !body.is_late);  // gpsd prints the bit as sent
    set("spare", body.spare);
  }
  template <typename Other>
  void show(const Other&) {}

  int type_ = 0;
};

Fields parse_object(const std::string& line) {
  Fields fields;
  simdjson::dom::parser parser;
  simdjson::dom::object object;
  EXPECT_EQ(parser.parse(line).get(object), simdjson::SUCCESS) << line;
  for (const auto& [key, value] : object) {
    std::string_view text;
    double number = 0;
    bool flag = false;
    if (value.get(text) == simdjson::SUCCESS) {
      fields[std::string(key)] = std::string(text);
    } else if (value.get(flag) == simdjson::SUCCESS) {
      fields[std::string(key)] = flag;
    } else if (value.get(number) == simdjson::SUCCESS) {
      fields[std::string(key)] = number;
    } else if (value.is_null()) {
      fields[std::string(key)] = nullptr;
    } else {
      fields[std::string(key)] = "(object)";
    }
  }
  return fields;
}

// libais computes in single precision: its last bit may differ.
bool is_same(const Value& ours, const Value& wanted) {
  const double* a = std::get_if<double>(&ours);
  const double* b = std::get_if<double>(&wanted);
  if (a == nullptr || b == nullptr) return ours == wanted;
  const float near = static_cast<float>(*a);
  const float exact = static_cast<float>(*b);
  return near == exact || std::nextafter(near, exact) == exact;
}

bool is_compared_type(double type) {
  for (const int known : {1, 2, 3, 4, 5, 9, 11, 18, 19, 21, 24, 27}) {
    if (type == known) return true;
  }
  return false;
}

// Compares the message's fields; returns how many. Those of the tag block are not the message's.
int compare(const Message& message, const Fields& expected) {
  const Fields ours = LibaisView(message).fields;
  int count = 0;
  for (const auto& [key, value] : expected) {
    if (key == "class" || key == "device" || key.starts_with("tagblock_")) continue;
    if (key == "timestamp" && expected.contains("tagblock_timestamp")) continue;
    Value wanted = value;
    if (key.ends_with("_text")) wanted = plain_name(std::get<std::string>(value));
    const auto found = ours.find(key);
    EXPECT_TRUE(found != ours.end()) << "type " << int{message.type} << " has no " << key;
    if (found == ours.end()) continue;
    EXPECT_TRUE(is_same(found->second, wanted)) << "type " << int{message.type} << ", " << key;
    ++count;
  }
  return count;
}

TEST(AisLibais, TypeExamples) {
  const auto input = test_data_lines("libais/typeexamples.nmea");
  const auto expected = test_data_lines("libais/typeexamples.json");
  FICUS_AIS_NEED_DATA(input, "libais/typeexamples.nmea");
  ASSERT_EQ(input.size(), 26U);
  ASSERT_EQ(expected.size(), 26U);
  Receiver receiver;
  int message_count = 0;
  int field_count = 0;
  for (std::size_t i = 0; i < input.size(); ++i) {
    const Reception got = receiver.accept(1, input[i], Timestamp{});
    const Fields wanted = parse_object(expected[i]);
    const double type = std::get<double>(wanted.at("type"));
    if (got.outcome != LineOutcome::message) {
      EXPECT_EQ(input[i], "") << name(got.error.value_or(AisError::malformed));
      continue;
    }
    EXPECT_EQ(got.message.type, type);
    EXPECT_EQ(got.message.mmsi, std::get<double>(wanted.at("mmsi")));
    EXPECT_EQ(got.message.repeat, std::get<double>(wanted.at("repeat")));
    if (!is_compared_type(type)) continue;
    ++message_count;
    field_count += compare(got.message, wanted);
  }
  EXPECT_EQ(message_count, 11);
  EXPECT_EQ(field_count, 199);
}

TEST(AisLibais, TagBlocks) {
  const auto input = test_data_lines("libais/tagblock.nmea");
  const auto expected = test_data_lines("libais/tagblock.json");
  FICUS_AIS_NEED_DATA(input, "libais/tagblock.nmea");
  ASSERT_EQ(input.size(), 5U);
  ASSERT_EQ(expected.size(), 4U);
  std::map<std::string, Fields> by_time;  // libais prints in another order than we complete
  for (const std::string& line : expected) {
    Fields fields = parse_object(line);
    by_time[std::get<std::string>(fields.at("tagblock_timestamp"))] = std::move(fields);
  }
  Receiver receiver;
  int message_count = 0;
  int field_count = 0;
  for (const std::string& line : input) {
    const Reception got = receiver.accept(1, line, Timestamp{});
    if (got.outcome == LineOutcome::held) continue;
    ASSERT_EQ(got.outcome, LineOutcome::message) << line;
    ASSERT_TRUE(got.is_time_from_line);
    std::string time = to_iso8601(got.time);  // without the zeros that libais prints
    time.insert(time.size() - 1, ".000000");
    ASSERT_TRUE(by_time.contains(time)) << time;
    const Fields& wanted = by_time[time];
    EXPECT_EQ(got.station, std::get<std::string>(wanted.at("tagblock_station")));
    const auto sentence = parse_sentence(line);
    ASSERT_TRUE(sentence.has_value());
    for (const std::string code : {"T", "q"}) {
      const auto key = wanted.find("tagblock_" + code);
      const auto field = tag_field(sentence->tag.content, code);
      ASSERT_EQ(field.has_value(), key != wanted.end()) << code;
      if (field) {
        EXPECT_EQ(*field, std::get<std::string>(key->second));
      }
    }
    EXPECT_EQ(sentence->tag.group.has_value(), wanted.contains("tagblock_group"));
    ++message_count;
    field_count += compare(got.message, wanted);
  }
  EXPECT_EQ(message_count, 4);
  EXPECT_EQ(field_count, 82);
}

}  // namespace
}  // namespace ficus::ais
