#include <gtest/gtest.h>
#include <simdjson.h>

#include <array>
#include <cstdio>
#include <map>

#include "codec/ais/names.h"
#include "codec/ais/receiver.h"
#include "codec/ais/test_data.h"

// Everything that gpsd expects of its sample messages and recorded logs, field by field. Where its
// representation differs from ours, the comments in `GpsdView` say how.

namespace ficus::ais {
namespace {

// A field as gpsd prints it: the JSON token, strings without quotes and escapes.
using Fields = std::map<std::string, std::string>;

std::string fixed(double value, int decimals) {
  std::array<char, 64> text{};
  std::snprintf(text.data(), text.size(), "%.*f", decimals, value);
  return text.data();
}

template <typename... Numbers>
std::string printed(const char* format, Numbers... numbers) {
  std::array<char, 64> text{};
  std::snprintf(text.data(), text.size(), format, numbers...);
  return text.data();
}

std::string flag(bool value) { return value ? "true" : "false"; }

// gpsd prints "16:3200": the count of bits and their bytes.
std::string hex(const BinaryData& data) {
  std::string out = std::to_string(data.bit_count) + ":";
  for (const std::uint8_t byte : data.bytes) out += printed("%02x", byte);
  return out;
}

// Both write the names of the standard, but join and shorten them in different ways.
std::string plain_name(std::string_view name) {
  std::string out;
  for (const char c : name) out.push_back(c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c);
  if (const auto dash = out.find(" - "); dash != std::string::npos) out.replace(dash, 3, ", ");
  for (const std::string_view tail : {", all ships of this type", " (14)"}) {
    if (out.ends_with(tail)) out.resize(out.size() - tail.size());
  }
  if (out == "unspecified") return "not specified";
  if (out == "high speed craft (hsc)") return "high-speed craft";
  if (out == "dredging or underwater ops") return "dredging or underwater operations";
  return out;
}

// gpsd prints the last byte of binary data whole, with the bits behind the data's end.
std::string without_excess_bits(std::string data) {
  const int bit_count = std::stoi(data);
  const int excess = (8 - bit_count % 8) % 8;
  if (excess == 0) return data;
  const unsigned long last = std::stoul(data.substr(data.size() - 2), nullptr, 16);
  return data.substr(0, data.size() - 2) + printed("%02lx", last >> excess << excess);
}

// One message as gpsd's JSON shows it: scaled (true units) or as transmitted.
class GpsdView {
 public:
  GpsdView(const Message& message, bool is_scaled) : is_scaled_(is_scaled) {
    set("type", std::to_string(message.type));
    set("repeat", std::to_string(message.repeat));
    set("mmsi", std::to_string(message.mmsi));
    set("scaled", flag(is_scaled));
    std::visit([this](const auto& body) { show(body); }, message.body);
  }

  Fields fields;

 private:
  void set(const std::string& key, std::string value) { fields[key] = std::move(value); }
  void number(const std::string& key, std::uint32_t value) { set(key, std::to_string(value)); }

  // gpsd prints "not available" as the number that codes it; we give nothing then.
  void tenths(const std::string& key, std::optional<double> value, std::uint32_t raw) {
    set(key, is_scaled_ ? fixed(value.value_or(raw / 10.0), 1) : std::to_string(raw));
  }
  void whole(const std::string& key, std::optional<double> value, std::uint32_t raw) {
    set(key, is_scaled_ ? fixed(value.value_or(raw), 0) : std::to_string(raw));
  }
  void angle(const std::string& key, std::optional<double> value, int limit_deg, std::int32_t raw,
             double per_degree, int decimals) {
    const double as_sent = raw / per_degree;
    EXPECT_EQ(value.has_value(), as_sent >= -limit_deg && as_sent <= limit_deg) << key << raw;
    set(key, is_scaled_ ? fixed(value.value_or(as_sent), decimals) : std::to_string(raw));
  }
  void position(const Position& at) {
    angle("lon", at.longitude_deg(), 180, at.longitude_raw, 600'000.0, 7);
    angle("lat", at.latitude_deg(), 90, at.latitude_raw, 600'000.0, 7);
  }
  void coarse(const std::string& prefix, const CoarsePosition& at, int decimals) {
    angle(prefix + "lon", at.longitude_deg(), 180, at.longitude_raw, 600.0, decimals);
    angle(prefix + "lat", at.latitude_deg(), 90, at.latitude_raw, 600.0, decimals);
  }
  void dimensions(const Dimensions& size) {
    number("to_bow", size.to_bow);
    number("to_stern", size.to_stern);
    number("to_port", size.to_port);
    number("to_starboard", size.to_starboard);
  }
  void ship_type(std::uint8_t type) {
    number("shiptype", type);
    set("shiptype_text", plain_name(ship_type_name(type).english));
  }
  void device(std::uint8_t device) {
    number("epfd", device);
    set("epfd_text", plain_name(position_device_name(device).english));
  }
  void status(std::uint8_t status) {
    number("status", status);
    set("status_text", plain_name(navigation_status_name(status).english));
  }
  void turn(const Turn& turn) {
    if (!is_scaled_) return set("turn", std::to_string(turn.raw));
    if (const auto rate = turn.degrees_per_minute()) return set("turn", fixed(*rate, 2));
    set("turn", turn.is_fast_left() ? "fastleft" : turn.is_fast_right() ? "fastright" : "n/a");
  }

  void show(const PositionReport& body) {
    status(body.status);
    turn(body.turn);
    tenths("speed", body.speed.knots(), body.speed.raw);
    set("accuracy", flag(body.is_accurate));
    position(body.position);
    tenths("course", body.course.degrees(), body.course.raw);
    whole("heading", body.heading.degrees(), body.heading.raw);
    number("second", body.fix_second.raw);
    number("maneuver", body.maneuver);
    set("raim", flag(body.has_raim));
    number("radio", body.radio.raw);
  }
  void show(const BaseStationReport& body) {
    set("timestamp", printed("%04u-%02u-%02uT%02u:%02u:%02uZ", body.year, body.month, body.day,
                             body.hour, body.minute, body.second));
    set("accuracy", flag(body.is_accurate));
    position(body.position);
    device(body.position_device);
    set("raim", flag(body.has_raim));
    number("radio", body.radio.raw);
  }
  void show(const StaticVoyageData& body) {
    number("imo", body.imo_number);
    number("ais_version", body.version);
    set("callsign", body.call_sign);
    set("shipname", body.name);
    ship_type(body.ship_type);
    dimensions(body.dimensions);
    device(body.position_device);
    set("eta", printed("%02u-%02uT%02u:%02uZ", body.eta_month, body.eta_day, body.eta_hour,
                       body.eta_minute));
    tenths("draught", body.draught.metres(), body.draught.raw);
    set("destination", body.destination);
    number("dte", body.lacks_terminal);
  }
  void show(const AddressedBinary& body) {
    number("seqno", body.sequence);
    number("dest_mmsi", body.destination_mmsi);
    set("retransmit", flag(body.is_retransmit));
    number("dac", body.area_code);
    number("fid", body.function_id);
    set("data", hex(body.data));
  }
  void show(const BroadcastBinary& body) {
    number("dac", body.area_code);
    number("fid", body.function_id);
    set("data", hex(body.data));
  }
  void show(const Acknowledge& body) {
    for (std::size_t i = 0; i < 4; ++i) {
      number("mmsi" + std::to_string(i + 1), body.entries[i].mmsi);
    }
  }
  void show(const AircraftPosition& body) {
    whole("alt", body.altitude.metres(), body.altitude.raw);
    whole("speed", body.speed.knots(), body.speed.raw);
    set("accuracy", flag(body.is_accurate));
    position(body.position);
    tenths("course", body.course.degrees(), body.course.raw);
    number("second", body.fix_second.raw);
    // gpsd still reads the eight bits of M.1371-1; since then the first of them is the sensor.
    number("regional", (body.is_altitude_barometric ? 128U : 0U) + body.spare);
    number("dte", body.lacks_terminal);
    set("raim", flag(body.has_raim));
    number("radio", body.radio.raw);
  }
  void show(const UtcInquiry& body) { number("dest_mmsi", body.destination_mmsi); }
  void show(const AddressedText& body) {
    number("seqno", body.sequence);
    number("dest_mmsi", body.destination_mmsi);
    set("retransmit", flag(body.is_retransmit));
    set("text", body.text);
  }
  void show(const BroadcastText& body) { set("text", body.text); }
  void show(const Interrogation& body) {
    number("mmsi1", body.mmsi1);
    number("type1_1", body.type1_1);
    number("offset1_1", body.slot_offset1_1);
    number("type1_2", body.type1_2);
    number("offset1_2", body.slot_offset1_2);
    number("mmsi2", body.mmsi2);
    number("type2_1", body.type2_1);
    number("offset2_1", body.slot_offset2_1);
  }
  void show(const ModeAssignment& body) {
    number("mmsi1", body.mmsi1);
    number("offset1", body.slot_offset1);
    number("increment1", body.increment1);
    number("mmsi2", body.mmsi2);
    number("offset2", body.slot_offset2);
    number("increment2", body.increment2);
  }
  void show(const GnssCorrection& body) {
    coarse("", body.position, 1);
    set("data", hex(body.data));
  }
  void show(const ClassBPosition& body) {
    number("reserved", body.spare);
    tenths("speed", body.speed.knots(), body.speed.raw);
    set("accuracy", flag(body.is_accurate));
    position(body.position);
    tenths("course", body.course.degrees(), body.course.raw);
    whole("heading", body.heading.degrees(), body.heading.raw);
    number("second", body.fix_second.raw);
    number("regional", body.spare2);
    set("cs", flag(body.is_carrier_sense));
    set("display", flag(body.has_display));
    set("dsc", flag(body.has_dsc));
    set("band", flag(body.covers_whole_band));
    set("msg22", flag(body.accepts_message_22));
    set("raim", flag(body.has_raim));
    number("radio", body.radio.raw);
  }
  void show(const ClassBExtended& body) {
    number("reserved", body.spare);
    tenths("speed", body.speed.knots(), body.speed.raw);
    set("accuracy", flag(body.is_accurate));
    position(body.position);
    tenths("course", body.course.degrees(), body.course.raw);
    whole("heading", body.heading.degrees(), body.heading.raw);
    number("second", body.fix_second.raw);
    number("regional", body.spare2);
    set("shipname", body.name);
    ship_type(body.ship_type);
    dimensions(body.dimensions);
    device(body.position_device);
    set("raim", flag(body.has_raim));
    number("dte", body.lacks_terminal);
    set("assigned", flag(body.is_assigned));
  }
  void show(const DataLinkManagement& body) {
    for (std::size_t i = 0; i < 4; ++i) {
      const std::string index = std::to_string(i + 1);
      number("offset" + index, body.reservations[i].slot_offset);
      number("number" + index, body.reservations[i].slot_count);
      number("timeout" + index, body.reservations[i].timeout_min);
      number("increment" + index, body.reservations[i].increment);
    }
  }
  void show(const AidToNavigation& body) {
    number("aid_type", body.aid_type);
    set("aid_type_text", plain_name(aid_type_name(body.aid_type).english));
    set("name", body.name);
    set("accuracy", flag(body.is_accurate));
    position(body.position);
    dimensions(body.dimensions);
    device(body.position_device);
    number("second", body.fix_second.raw);
    number("regional", body.aid_status);
    set("off_position", flag(body.is_off_position));
    set("raim", flag(body.has_raim));
    set("virtual_aid", flag(body.is_virtual));
  }
  void show(const ChannelManagement& body) {
    number("channel_a", body.channel_a);
    number("channel_b", body.channel_b);
    number("txrx", body.transmit_mode);
    set("power", flag(body.is_low_power));
    set("addressed", flag(body.is_addressed));
    coarse("ne_", body.north_east, 6);
    coarse("sw_", body.south_west, 6);
    number("dest1", body.destination1_mmsi);
    number("dest2", body.destination2_mmsi);
    set("band_a", flag(body.is_channel_a_narrow));
    set("band_b", flag(body.is_channel_b_narrow));
    number("zonesize", body.zone_size);
  }
  void show(const GroupAssignment& body) {
    coarse("ne_", body.north_east, 6);
    coarse("sw_", body.south_west, 6);
    number("stationtype", body.station_type);
    // No use for us, and one value only in the samples.
    set("stationtype_text", "regional use and inland waterways");
    ship_type(body.ship_type);
    number("interval", body.interval);
    number("quiet", body.quiet_time_min);
  }
  void show(const StaticDataA& body) { set("shipname", body.name); }
  void show(const StaticDataB& body) {
    ship_type(body.ship_type);
    // gpsd reads all 42 bits as seven characters, and model and serial out of the same bits.
    set("vendorid", body.vendor_text);
    number("model", body.unit_model);
    number("serial", body.unit_serial);
    set("callsign", body.call_sign);
    dimensions(body.dimensions);
  }
  void show(const SlotBinary& body) {
    set("addressed", flag(body.is_addressed));
    set("structured", flag(body.is_structured));
    number("dest_mmsi", body.destination_mmsi);
    number("app_id", body.application_id);
    set("data", hex(body.data));
    set("radio", "0");  // gpsd prints the field but does not decode it
  }
  void show(const LongRangePosition& body) {
    status(body.status);
    set("accuracy", flag(body.is_accurate));
    coarse("", body.position, 4);
    whole("speed", body.speed.knots(), body.speed.raw);
    whole("course", body.course.degrees(), body.course.raw);
    set("raim", flag(body.has_raim));
    // The bit as sent. libais calls it "gnss" too and prints its opposite.
    set("gnss", flag(body.is_late));
  }

  const bool is_scaled_;
};

Fields parse_object(const std::string& line) {
  Fields fields;
  simdjson::dom::parser parser;
  simdjson::dom::object object;
  EXPECT_EQ(parser.parse(line).get(object), simdjson::SUCCESS) << line;
  for (const auto& [key, value] : object) {
    std::string_view text;
    if (value.get(text) == simdjson::SUCCESS) {
      fields[std::string(key)] = text;
      continue;
    }
    // The number as it is written: "12.30" is not "12.3" here.
    const std::string marker = "\"" + std::string(key) + "\":";
    const std::size_t begin = line.find(marker) + marker.size();
    fields[std::string(key)] = line.substr(begin, line.find_first_of(",}", begin) - begin);
  }
  return fields;
}

struct Tally {
  std::map<int, int> messages;    // compared, by type
  int fields = 0;                 // compared
  int application_fields = 0;     // of types 6 and 8, inside the data that we keep as bits
  std::map<int, int> unexpected;  // decoded by us, not printed by gpsd
};

// What gpsd prints but what is not of the message.
bool is_envelope(const std::string& key) { return key == "class" || key == "device"; }

// gpsd prints the third MMSI of two samples whose bits end inside it; we give what came whole.
bool is_cut_acknowledgement(const Message& message, const std::string& key) {
  return message.type == 7 && message.bit_count < 134 && key == "mmsi3";
}

class Comparison {
 public:
  void feed(const std::string& line) {
    const Reception got = receiver_.accept(1, line, Timestamp{});
    if (got.outcome != LineOutcome::message) return;
    if (std::get_if<StaticDataA>(&got.message.body) != nullptr) {
      names_[got.message.mmsi] = got.message;
    }
    waiting_.push_back(got.message);
  }

  // Takes the first waiting message of this type and sender: those before it gpsd did not print.
  void expect(const std::string& line, bool may_repeat) {
    const Fields expected = parse_object(line);
    const int type = std::stoi(expected.at("type"));
    const auto mmsi = static_cast<std::uint32_t>(std::stoul(expected.at("mmsi")));
    const Message* message = take(type, mmsi);
    if (message == nullptr && may_repeat && last_.type == type && last_.mmsi == mmsi) {
      message = &last_;  // gpsd prints its newest message again with each position of its own
    }
    ASSERT_NE(message, nullptr) << "gpsd has a message that we have not: " << line;
    last_ = *message;
    compare(expected, *message, line);
  }

  Tally finish() {
    for (const Message& message : waiting_) ++tally_.unexpected[message.type];
    return tally_;
  }

 private:
  const Message* take(int type, std::uint32_t mmsi) {
    for (std::size_t i = 0; i < waiting_.size(); ++i) {
      const Message& at = waiting_[i];
      // gpsd prints one message for the two parts of type 24, when it has the second.
      if (at.type != type || at.mmsi != mmsi || std::get_if<StaticDataA>(&at.body) != nullptr) {
        continue;
      }
      taken_ = at;
      for (std::size_t k = 0; k < i; ++k) ++tally_.unexpected[waiting_[k].type];
      waiting_.erase(waiting_.begin(), waiting_.begin() + static_cast<std::ptrdiff_t>(i) + 1);
      return &taken_;
    }
    return nullptr;
  }

  void compare(const Fields& expected, const Message& message, const std::string& line) {
    const bool is_scaled = expected.at("scaled") == "true";
    Fields ours = GpsdView(message, is_scaled).fields;
    if (message.type == 24) {
      ASSERT_TRUE(names_.contains(message.mmsi)) << line;
      ours.merge(GpsdView(names_[message.mmsi], is_scaled).fields);
    }
    const bool is_application = message.type == 6 || message.type == 8;
    for (const auto& [key, value] : expected) {
      if (is_envelope(key)) continue;
      if (is_application && !ours.contains(key)) {
        ++tally_.application_fields;
        continue;
      }
      ASSERT_TRUE(ours.contains(key)) << "we have no " << key << ": " << line;
      if (is_cut_acknowledgement(message, key) && value != "0") continue;
      std::string wanted = key.ends_with("_text") ? plain_name(value) : value;
      if (key == "data") wanted = without_excess_bits(value);
      EXPECT_EQ(ours[key], wanted) << key << " of " << line;
      ++tally_.fields;
    }
    ++tally_.messages[message.type];
  }

  Receiver receiver_;
  std::vector<Message> waiting_;
  std::map<std::uint32_t, Message> names_;
  Message taken_;
  Message last_;
  Tally tally_;
};

bool is_ais_json(const std::string& line) { return line.contains("\"class\":\"AIS\""); }

// The numbers below are counted in gpsd's files by another program, not taken from a run of this
// one. `fields` leaves out "class" and "device", and in the samples two MMSI that were cut.
// `unexpected` is only ever type 24: first parts (shown by gpsd with the second), and second parts
// of which gpsd has no first.
const std::map<int, int> kSampleTypes{{1, 4},  {2, 1},  {3, 1},  {4, 4},  {5, 3},  {6, 13}, {7, 3},
                                      {8, 18}, {9, 2},  {10, 2}, {11, 1}, {12, 7}, {13, 1}, {14, 3},
                                      {15, 3}, {16, 2}, {17, 2}, {18, 3}, {19, 1}, {20, 5}, {21, 2},
                                      {22, 3}, {23, 1}, {24, 2}, {25, 3}, {26, 5}, {27, 2}};

Tally compare_sample(const std::string& expected_name) {
  Comparison comparison;
  for (const std::string& line : test_data_lines("gpsd/sample.aivdm")) comparison.feed(line);
  for (const std::string& line : test_data_lines(expected_name)) {
    if (is_ais_json(line)) comparison.expect(line, false);
  }
  return comparison.finish();
}

TEST(AisGpsd, SampleScaled) {
  FICUS_AIS_NEED_DATA(test_data_lines("gpsd/sample.aivdm"), "gpsd/sample.aivdm");
  const Tally tally = compare_sample("gpsd/sample.aivdm.js.chk");
  EXPECT_EQ(tally.messages, kSampleTypes);
  EXPECT_EQ(tally.fields, 1086);
  EXPECT_EQ(tally.application_fields, 457);
  EXPECT_EQ(tally.unexpected, (std::map<int, int>{{24, 5}}));
}

TEST(AisGpsd, SampleAsTransmitted) {
  FICUS_AIS_NEED_DATA(test_data_lines("gpsd/sample.aivdm"), "gpsd/sample.aivdm");
  const Tally tally = compare_sample("gpsd/sample.aivdm.ju.chk");
  EXPECT_EQ(tally.messages, kSampleTypes);
  EXPECT_EQ(tally.fields, 1084);
  EXPECT_EQ(tally.application_fields, 457);
  EXPECT_EQ(tally.unexpected, (std::map<int, int>{{24, 5}}));
}

// The .chk files of whole logs repeat each input line in front of what it gave.
Tally compare_log(const std::string& expected_name) {
  Comparison comparison;
  for (const std::string& line : test_data_lines(expected_name)) {
    if (is_ais_json(line)) {
      comparison.expect(line, true);
    } else if (!line.starts_with('{')) {
      comparison.feed(line);
    }
  }
  return comparison.finish();
}

// The input lines that gpsd repeats are all lines of the log.
void expect_same_input(const std::string& log, const std::string& expected) {
  std::vector<std::string> sent;
  for (const std::string& line : test_data_lines(log)) {
    if (line.starts_with('!')) sent.push_back(line);
  }
  std::vector<std::string> repeated;
  for (const std::string& line : test_data_lines(expected)) {
    if (line.starts_with('!')) repeated.push_back(line);
  }
  EXPECT_FALSE(sent.empty());
  EXPECT_EQ(sent, repeated);
}

TEST(AisGpsd, LogSixbit) {
  const std::string name = "gpsd/daemon/ais_unpack_sixbit.log";
  FICUS_AIS_NEED_DATA(test_data_lines(name), name);
  expect_same_input(name, name + ".chk");
  const Tally tally = compare_log(name + ".chk");
  EXPECT_EQ(tally.messages, (std::map<int, int>{{5, 6}, {19, 2}, {21, 3}, {24, 1}}));
  EXPECT_EQ(tally.fields, 248);
  EXPECT_EQ(tally.application_fields, 0);
  EXPECT_EQ(tally.unexpected, (std::map<int, int>{{24, 1}}));
}

TEST(AisGpsd, LogRawMessages) {
  const std::string name = "gpsd/daemon/ais-raw-messages.log";
  FICUS_AIS_NEED_DATA(test_data_lines(name), name);
  expect_same_input(name, name + ".chk");
  const Tally tally = compare_log(name + ".chk");
  EXPECT_EQ(tally.messages,
            (std::map<int, int>{{1, 75}, {3, 12}, {4, 5}, {5, 5}, {18, 4}, {21, 6}, {24, 1}}));
  EXPECT_EQ(tally.fields, 1860);
  EXPECT_EQ(tally.application_fields, 0);
  EXPECT_EQ(tally.unexpected, (std::map<int, int>{{24, 1}}));
}

TEST(AisGpsd, LogClassBAndLongRange) {
  const std::string name = "gpsd/daemon/ais-18-27.log";
  FICUS_AIS_NEED_DATA(test_data_lines(name), name);
  expect_same_input(name, name + ".chk");
  const Tally tally = compare_log(name + ".chk");
  EXPECT_EQ(tally.messages, (std::map<int, int>{{18, 69}, {27, 69}}));
  EXPECT_EQ(tally.fields, 2208);
  EXPECT_EQ(tally.application_fields, 0);
  EXPECT_EQ(tally.unexpected, (std::map<int, int>{{24, 69}}));
}

TEST(AisGpsd, LogMixedWithGps) {
  const std::string name = "gpsd/daemon/ais-nmea.log";
  FICUS_AIS_NEED_DATA(test_data_lines(name + ".zst"), name + ".zst");
  expect_same_input(name + ".zst", name + ".chk.zst");
  const Tally tally = compare_log(name + ".chk.zst");
  EXPECT_EQ(tally.messages,
            (std::map<int, int>{{1, 197}, {3, 33}, {5, 18}, {8, 9}, {18, 10}, {24, 7}}));
  EXPECT_EQ(tally.fields, 4629);
  EXPECT_EQ(tally.application_fields, 117);
  EXPECT_EQ(tally.unexpected, (std::map<int, int>{{24, 5}}));
}

}  // namespace
}  // namespace ficus::ais
