#include "codec/ais/decoder.h"

#include <gtest/gtest.h>

#include "base/random.h"
#include "base/time_text.h"

namespace ficus::ais {
namespace {

Payload payload_of(std::string_view armored, int fill_bits = 0) {
  Payload payload;
  EXPECT_TRUE(payload.append_armored(armored, fill_bits).has_value());
  return payload;
}

Payload first_bits(const Payload& payload, std::size_t count) {
  Payload out;
  for (std::size_t i = 0; i < count; ++i) out.append(payload.bits(i, 1), 1);
  return out;
}

// A message of the type whose bits are `bit`, `count` in all.
Payload filled(int type, std::size_t count, bool bit = false) {
  Payload out;
  out.append(static_cast<std::uint32_t>(type), 6);
  while (out.bit_count() < count) out.append(bit ? 1 : 0, 1);
  return out;
}

struct Limits {
  int type;
  std::size_t least;
  std::size_t most;
};

constexpr Limits kLimits[] = {
    {1, 149, 174},  {2, 149, 174},  {3, 149, 174},  {4, 149, 174},  {5, 420, 432},  {6, 88, 1536},
    {7, 70, 174},   {8, 56, 1536},  {9, 149, 174},  {10, 70, 80},   {11, 149, 174}, {12, 72, 1536},
    {13, 70, 174},  {14, 40, 1536}, {15, 88, 174},  {16, 92, 174},  {17, 75, 1536}, {18, 148, 174},
    {19, 308, 318}, {20, 70, 192},  {21, 271, 374}, {22, 145, 174}, {23, 154, 174}, {24, 160, 174},
    {25, 40, 174},  {26, 60, 1536}, {27, 95, 174}};

TEST(AisDecoder, EveryLengthOfEveryType) {
  for (const Limits& limits : kLimits) {
    for (std::size_t count = 6; count <= Payload::kBitsMax; ++count) {
      const auto message = decode(filled(limits.type, count));
      const bool is_good = count >= limits.least && count <= limits.most;
      ASSERT_EQ(message.has_value(), is_good) << limits.type << " of " << count << " bits";
      if (is_good) {
        EXPECT_EQ(message->type, limits.type);
        EXPECT_EQ(message->bit_count, count);
      } else {
        EXPECT_EQ(message.error(), AisError::bad_length);
      }
    }
  }
}

TEST(AisDecoder, NoBits) {
  const auto message = decode(Payload{});
  ASSERT_FALSE(message.has_value());
  EXPECT_EQ(message.error(), AisError::bad_length);
}

TEST(AisDecoder, UnknownTypes) {
  int unknown = 0;
  for (int type = 0; type < 64; ++type) {
    const auto message = decode(filled(type, 168));
    if (message || message.error() != AisError::unknown_type) continue;
    EXPECT_TRUE(type == 0 || type > 27);
    ++unknown;
  }
  EXPECT_EQ(unknown, 64 - 27);
}

TEST(AisDecoder, PartsOfType24) {
  for (std::uint32_t part = 0; part < 4; ++part) {
    Payload payload = filled(24, 38);
    payload.append(part, 2);
    while (payload.bit_count() < 168) payload.append(0, 1);
    const auto message = decode(payload);
    ASSERT_EQ(message.has_value(), part < 2);
    if (part >= 2) {
      EXPECT_EQ(message.error(), AisError::bad_part);
    }
  }
  // A second part needs its dimensions; a first part has none.
  Payload short_b = filled(24, 38);
  short_b.append(1, 2);
  while (short_b.bit_count() < 161) short_b.append(0, 1);
  const auto message = decode(short_b);
  ASSERT_FALSE(message.has_value());
  EXPECT_EQ(message.error(), AisError::bad_length);
}

TEST(AisDecoder, SlotBinaryTooShortForItsHead) {
  Payload payload = filled(26, 38);
  payload.append(3, 2);  // addressed and structured: 86 bits, then 20 of communication state
  while (payload.bit_count() < 105) payload.append(0, 1);
  EXPECT_FALSE(decode(payload).has_value());
  payload.append(0, 1);
  const auto message = decode(payload);
  ASSERT_TRUE(message.has_value());
  EXPECT_EQ(std::get<SlotBinary>(message->body).data.bit_count, 0);
}

TEST(AisDecoder, MothershipOfAnAuxiliaryCraft) {
  Payload payload;
  payload.append(24, 6);
  payload.append(0, 2);
  payload.append(982'191'234, 30);
  payload.append(1, 2);
  payload.append(37, 8);
  payload.append_text("ABC", 3);
  payload.append(5, 4);
  payload.append(999'999, 20);
  payload.append_text("OWXX", 7);
  payload.append(219'005'012, 30);
  payload.append(1, 4);
  payload.append(0, 2);
  const auto message = decode(payload);
  ASSERT_TRUE(message.has_value());
  const auto& body = std::get<StaticDataB>(message->body);
  EXPECT_EQ(body.mothership_mmsi, 219'005'012U);
  EXPECT_EQ(body.dimensions, Dimensions{});
  EXPECT_EQ(body.vendor_id, "ABC");
  EXPECT_EQ(body.unit_model, 5);
  EXPECT_EQ(body.unit_serial, 999'999U);
  EXPECT_EQ(body.call_sign, "OWXX");
  EXPECT_EQ(body.position_device, 1);
}

TEST(AisDecoder, CutCommunicationState) {
  // gpsd/sample.aivdm: the same message with 168 and with 163 bits.
  const auto whole = decode(payload_of("13aIkM@P00PJ@qPNL=e@0?wJ28JO"));
  const auto cut = decode(payload_of("13aIkM@P00PJ@qPNL=e@0?wJ28JO", 5));
  ASSERT_TRUE(whole.has_value() && cut.has_value());
  const auto& whole_body = std::get<PositionReport>(whole->body);
  const auto& cut_body = std::get<PositionReport>(cut->body);
  EXPECT_EQ(whole_body.position, cut_body.position);
  EXPECT_EQ(whole_body.radio.bit_count, 19);
  EXPECT_EQ(cut_body.radio.bit_count, 14);
  EXPECT_TRUE(sotdma_state(whole_body.radio).has_value());
  EXPECT_FALSE(sotdma_state(cut_body.radio).has_value());
}

TEST(AisDecoder, EveryPrefixOfAMessage) {
  const Payload whole =
      payload_of("55?MbV02;H;s<HtKR20EHE:0@T4@Dn2222222216L961O5Gf0NSQEp6ClRp888888888880", 2);
  ASSERT_TRUE(decode(whole).has_value());
  for (std::size_t count = 0; count < whole.bit_count(); ++count) {
    EXPECT_EQ(decode(first_bits(whole, count)).has_value(), count >= 420) << count;
  }
}

TEST(AisDecoder, BaseStationTime) {
  const auto message = decode(payload_of("403OviQuMGCqWrRO9>E6fE700@GO"));
  ASSERT_TRUE(message.has_value());
  auto body = std::get<BaseStationReport>(message->body);
  ASSERT_TRUE(body.time().has_value());
  EXPECT_EQ(to_iso8601(*body.time()), "2007-05-14T19:57:39Z");
  const auto without = [&](auto change) {
    BaseStationReport other = body;
    change(other);
    return !other.time().has_value();
  };
  EXPECT_TRUE(without([](BaseStationReport& b) { b.year = 0; }));
  EXPECT_TRUE(without([](BaseStationReport& b) { b.year = 10196; }));
  EXPECT_TRUE(without([](BaseStationReport& b) { b.month = 0; }));
  EXPECT_TRUE(without([](BaseStationReport& b) { b.day = 32; }));
  EXPECT_TRUE(without([](BaseStationReport& b) { b.hour = 24; }));
  EXPECT_TRUE(without([](BaseStationReport& b) { b.minute = 60; }));
  EXPECT_TRUE(without([](BaseStationReport& b) { b.second = 60; }));
}

TEST(AisDecoder, EstimatedArrival) {
  StaticVoyageData body;
  EXPECT_FALSE(body.has_eta());
  body.eta_month = 5;
  body.eta_day = 15;
  body.eta_hour = 14;
  body.eta_minute = 0;
  EXPECT_TRUE(body.has_eta());
  body.eta_month = 13;
  EXPECT_FALSE(body.has_eta());
}

TEST(AisDecoder, NameExtension) {
  const auto message = decode(payload_of("ENk`sG6T4V69Q93T@1bb@1h1T@6=3BiM7uUb`00003vP00`<Mh0", 2));
  ASSERT_TRUE(message.has_value());
  EXPECT_EQ(std::get<AidToNavigation>(message->body).name, "HILLSBRGH CUT C CH LB 17");
}

TEST(AisDecoder, MmsiText) {
  EXPECT_EQ(mmsi_text(2268120), "002268120");
  EXPECT_EQ(mmsi_text(0), "000000000");
  EXPECT_EQ(mmsi_text(1'073'741'823), "1073741823");
  EXPECT_TRUE(is_auxiliary_craft(982'191'234));
  EXPECT_FALSE(is_auxiliary_craft(992'191'234));
}

TEST(AisDecoder, RandomBitsNeverHurt) {
  Random random(7);
  int decoded = 0;
  for (int i = 0; i < 200'000; ++i) {
    Payload payload;
    payload.append(static_cast<std::uint32_t>(random.below(64)), 6);
    const std::size_t count = random.below(450);
    while (payload.bit_count() < count)
      payload.append(static_cast<std::uint32_t>(random.next()), 32);
    if (decode(payload)) ++decoded;
  }
  EXPECT_GT(decoded, 10'000);
}

}  // namespace
}  // namespace ficus::ais
