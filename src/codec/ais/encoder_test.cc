#include "codec/ais/encoder.h"

#include <gtest/gtest.h>

#include "codec/ais/decoder.h"
#include "codec/ais/receiver.h"
#include "codec/ais/test_data.h"

namespace ficus::ais {
namespace {

constexpr Timestamp kNow = Timestamp::from_seconds(1'700'000'000);

// Encodes, sends through a receiver, and expects the same message.
void expect_round_trip(Message message, std::size_t sentence_count) {
  const auto lines = encode_sentences(message, {.channel = 'B', .sequence_id = 3});
  ASSERT_TRUE(lines.has_value());
  ASSERT_EQ(lines->size(), sentence_count);
  Receiver receiver;
  for (std::size_t i = 0; i < lines->size(); ++i) {
    EXPECT_LE((*lines)[i].size(), 80U);  // 82 with the line end: IEC 61162-1, 7.3
    Reception got = receiver.accept(1, (*lines)[i], kNow);
    if (i + 1 < lines->size()) {
      EXPECT_EQ(got.outcome, LineOutcome::held);
      continue;
    }
    ASSERT_EQ(got.outcome, LineOutcome::message) << (*lines)[i];
    EXPECT_EQ(got.channel, 'B');
    message.bit_count = got.message.bit_count;
    EXPECT_EQ(got.message, message);
  }
}

TEST(AisEncoder, PositionReports) {
  for (const int type : {1, 2, 3}) {
    PositionReport body;
    body.status = 5;
    body.turn.raw = -20;
    body.speed.raw = 123;
    body.is_accurate = true;
    body.position = {.longitude_raw = -74'037'230, .latitude_raw = -29'028'980};
    body.course.raw = 2240;
    body.heading.raw = 215;
    body.fix_second.raw = 33;
    body.maneuver = 1;
    body.spare = 5;
    body.has_raim = true;
    body.radio = {.raw = 34'017, .bit_count = 19};
    expect_round_trip(
        {.type = static_cast<std::uint8_t>(type), .repeat = 2, .mmsi = 412'345'678, .body = body},
        1);
  }
}

TEST(AisEncoder, PublishedSentence) {
  // gpsd/sample.aivdm, first message.
  PositionReport body;
  body.status = 0;
  body.turn.raw = -127;
  body.speed.raw = 123;
  body.is_accurate = true;
  body.position = {.longitude_raw = -74'037'230, .latitude_raw = 29'028'980};
  body.course.raw = 2240;
  body.heading.raw = 215;
  body.fix_second.raw = 33;
  body.radio.raw = 34'017;
  const auto lines = encode_sentences({.type = 1, .mmsi = 371'798'000, .body = body}, {});
  ASSERT_TRUE(lines.has_value());
  EXPECT_EQ(*lines, (std::vector<std::string>{"!AIVDM,1,1,,A,15RTgt0PAso;90TKcjM8h6g208CQ,0*4A"}));
}

TEST(AisEncoder, BaseStation) {
  for (const int type : {4, 11}) {
    BaseStationReport body;
    body.year = 2026;
    body.month = 11;
    body.day = 23;
    body.hour = 8;
    body.minute = 15;
    body.second = 59;
    body.is_accurate = true;
    body.position = {.longitude_raw = 71'580'000, .latitude_raw = 15'650'000};
    body.position_device = 7;
    body.controls_long_range = true;
    body.spare = 3;
    body.has_raim = true;
    body.radio = {.raw = 67'039, .bit_count = 19};
    expect_round_trip({.type = static_cast<std::uint8_t>(type), .mmsi = 4'132'345, .body = body},
                      1);
  }
}

TEST(AisEncoder, StaticVoyageDataNeedsTwoSentences) {
  StaticVoyageData body;
  body.version = 2;
  body.imo_number = 9'134'270;
  body.call_sign = "BQAB7";
  body.name = "MIN JIANG 20 CHARS X";
  body.ship_type = 70;
  body.dimensions = {.to_bow = 225, .to_stern = 70, .to_port = 1, .to_starboard = 31};
  body.position_device = 1;
  body.eta_month = 5;
  body.eta_day = 15;
  body.eta_hour = 14;
  body.eta_minute = 0;
  body.draught.raw = 122;
  body.destination = "FUZHOU";
  body.lacks_terminal = false;
  body.spare = true;
  expect_round_trip({.type = 5, .mmsi = 412'345'678, .body = body}, 2);
}

TEST(AisEncoder, ClassB) {
  ClassBPosition body;
  body.spare = 7;
  body.speed.raw = 51;
  body.is_accurate = true;
  body.position = {.longitude_raw = -43'340'309, .latitude_raw = 23'688'555};
  body.course.raw = 349;
  body.heading.raw = 511;
  body.fix_second.raw = 17;
  body.spare2 = 2;
  body.is_carrier_sense = true;
  body.has_display = true;
  body.has_dsc = true;
  body.covers_whole_band = true;
  body.accepts_message_22 = true;
  body.is_assigned = true;
  body.has_raim = true;
  body.radio = {.raw = 917'510, .bit_count = 20};
  expect_round_trip({.type = 18, .mmsi = 412'345'678, .body = body}, 1);
}

AidToNavigation buoy(const std::string& name) {
  AidToNavigation body;
  body.aid_type = 20;
  body.name = name;
  body.is_accurate = true;
  body.position = {.longitude_raw = 71'580'000, .latitude_raw = 15'650'000};
  body.dimensions = {.to_bow = 2, .to_stern = 2, .to_port = 2, .to_starboard = 2};
  body.position_device = 7;
  body.fix_second.raw = 50;
  body.is_off_position = true;
  body.aid_status = 165;
  body.has_raim = true;
  body.is_virtual = true;
  body.is_assigned = true;
  body.spare = true;
  return body;
}

TEST(AisEncoder, AidToNavigationWithEveryLengthOfName) {
  const std::string longest = "CHINA ROSE MURPHY EXPRESS ALERT 12";
  ASSERT_EQ(longest.size(), 34U);
  for (std::size_t length = 0; length <= longest.size(); ++length) {
    if (length > 0 && longest[length - 1] == ' ') continue;  // blanks at the end are not sent
    const Message message{.type = 21, .mmsi = 994'136'789, .body = buoy(longest.substr(0, length))};
    const auto payload = encode(message);
    ASSERT_TRUE(payload.has_value());
    EXPECT_EQ(payload->bit_count() % 8, 0U) << length;
    expect_round_trip(message, (payload->bit_count() + 359) / 360);
  }
  const auto cut = encode({.type = 21, .mmsi = 994'136'789, .body = buoy(longest + "34")});
  ASSERT_TRUE(cut.has_value());
  EXPECT_EQ(std::get<AidToNavigation>(decode(*cut)->body).name, longest);
}

TEST(AisEncoder, StaticDataParts) {
  expect_round_trip({.type = 24, .mmsi = 412'345'678, .body = StaticDataA{.name = "SAMPAN 7"}}, 1);
  StaticDataB body;
  body.ship_type = 37;
  body.vendor_id = "ABC";
  body.unit_model = 5;
  body.unit_serial = 123'456;
  body.call_sign = "BQAB7";
  body.dimensions = {.to_bow = 5, .to_stern = 6, .to_port = 2, .to_starboard = 3};
  body.position_device = 1;
  body.spare = 2;
  const auto first = encode({.type = 24, .mmsi = 412'345'678, .body = body});
  ASSERT_TRUE(first.has_value());
  // The other reading of the vendor's bits follows from them.
  body.vendor_text = std::get<StaticDataB>(decode(*first)->body).vendor_text;
  expect_round_trip({.type = 24, .mmsi = 412'345'678, .body = body}, 1);
  body.dimensions = {};
  body.mothership_mmsi = 412'345'678;
  expect_round_trip({.type = 24, .mmsi = 984'131'234, .body = body}, 1);
}

TEST(AisEncoder, WhatCannotBeEncoded) {
  const auto other_type = encode({.type = 8, .body = BroadcastBinary{}});
  ASSERT_FALSE(other_type.has_value());
  EXPECT_EQ(other_type.error().code, ErrorCode::invalid_input);
  const auto other_body = encode_sentences({.type = 5, .body = PositionReport{}}, {});
  ASSERT_FALSE(other_body.has_value());
  EXPECT_TRUE(other_body.error().message.contains("type 5"));
  StaticDataB body;
  body.mothership_mmsi = 412'345'670;
  const auto mothership = encode({.type = 24, .mmsi = 412'345'678, .body = body});
  ASSERT_FALSE(mothership.has_value());
}

TEST(AisEncoder, Sentences) {
  Payload payload;
  payload.append_text("ABCDE", 5);
  payload.append(1, 1);
  const auto lines = to_sentences(payload, {.talker = {'B', 'S'},
                                            .is_own_ship = true,
                                            .channel = 0,
                                            .sequence_id = 9,
                                            .payload_characters_max = 4});
  ASSERT_EQ(lines.size(), 2U);
  EXPECT_EQ(lines[0], with_checksum("!BSVDO,2,1,9,,1234,0"));
  EXPECT_EQ(lines[1], with_checksum("!BSVDO,2,2,9,,5P,5"));
  // Never more than nine sentences.
  Payload wide;
  while (wide.bit_count() < Payload::kBitsMax) wide.append(0, 32);
  EXPECT_EQ(to_sentences(wide, {.payload_characters_max = 1}).size(), 9U);
}

TEST(AisEncoder, Checksum) {
  EXPECT_EQ(with_checksum(""), "*00");
  EXPECT_EQ(with_checksum("!"), "!*00");
  EXPECT_EQ(with_checksum("$PGHP,1,2008,5,9,0,0,0,10,338,2,,1,09"),
            "$PGHP,1,2008,5,9,0,0,0,10,338,2,,1,09*17");
}

// What was recorded, decoded and encoded again gives the same bits.
TEST(AisEncoder, RecordedMessagesRoundTrip) {
  const auto lines = test_data_lines("opencpn/Hakefjord.log.zst");
  FICUS_AIS_NEED_DATA(lines, "opencpn/Hakefjord.log.zst");
  Assembler assembler;
  int equal = 0;
  for (const std::string& line : lines) {
    const auto sentence = parse_sentence(line);
    if (!sentence) continue;
    const auto whole = assembler.add(1, *sentence, line, kNow);
    if (!whole || !*whole) continue;
    const auto message = decode((*whole)->payload);
    ASSERT_TRUE(message.has_value());
    if (message->type == 8 || message->type == 20) continue;
    const auto again = encode(*message);
    ASSERT_TRUE(again.has_value());
    const std::size_t bits =
        std::min<std::size_t>(again->bit_count(), (*whole)->payload.bit_count());
    // Texts come back without their trailing blanks, all else bit by bit.
    if (message->type == 5 || message->type == 24) {
      EXPECT_EQ(decode(*again)->body, message->body) << line;
    } else {
      for (std::size_t at = 0; at < bits; at += 8) {
        ASSERT_EQ(again->bits(at, 8), (*whole)->payload.bits(at, 8)) << line;
      }
    }
    ++equal;
  }
  EXPECT_EQ(equal, 2728 + 928 + 956 + 88 + 5984 + 208);
}

}  // namespace
}  // namespace ficus::ais
