#include "codec/ais/receiver.h"

#include <gtest/gtest.h>

#include "codec/ais/encoder.h"

namespace ficus::ais {
namespace {

constexpr Timestamp kNow = Timestamp::from_seconds(1'700'000'000);
constexpr std::string_view kPosition = "!AIVDM,1,1,,A,15RTgt0PAso;90TKcjM8h6g208CQ,0*4A";

TEST(AisReceiver, MessageWithTheTimeOfItsReception) {
  Receiver receiver;
  const Reception got = receiver.accept(1, kPosition, kNow);
  ASSERT_EQ(got.outcome, LineOutcome::message);
  EXPECT_FALSE(got.error.has_value());
  EXPECT_EQ(got.message.mmsi, 371'798'000U);
  EXPECT_EQ(got.message.bit_count, 168);
  EXPECT_FALSE(got.is_own_ship);
  EXPECT_EQ(got.channel, 'A');
  EXPECT_EQ(got.time, kNow);
  EXPECT_FALSE(got.is_time_from_line);
  EXPECT_EQ(got.station, "");
  EXPECT_EQ(got.line_count, 1);
}

TEST(AisReceiver, ThreeKindsOfNothing) {
  Receiver receiver;
  const Reception other = receiver.accept(1, "$GPGLL,5759.098,N,01144.346,E,092212,A*2E", kNow);
  EXPECT_EQ(other.outcome, LineOutcome::ignored);
  EXPECT_EQ(other.error, AisError::not_ais);
  const Reception damaged = receiver.accept(1, "!AIVDM,1,1,,A,15RTgt0,0*4A", kNow);
  EXPECT_EQ(damaged.outcome, LineOutcome::refused);
  EXPECT_EQ(damaged.error, AisError::bad_checksum);
  const Reception part = receiver.accept(1, with_checksum("!AIVDM,2,1,1,A,5000,0"), kNow);
  EXPECT_EQ(part.outcome, LineOutcome::held);
  EXPECT_FALSE(part.error.has_value());
  receiver.expire(kNow + Micros::from_hours(1));
  EXPECT_EQ(receiver.take_lost().size(), 1U);
}

TEST(AisReceiver, PartsThatMakeNoMessageAreOneRefusal) {
  Receiver receiver;
  const std::string first = with_checksum("!AIVDM,2,1,1,A,5000,0");
  receiver.accept(1, first, kNow);
  const Reception got = receiver.accept(1, with_checksum("!AIVDM,2,2,1,A,0000,0"), kNow);
  EXPECT_EQ(got.outcome, LineOutcome::refused);
  EXPECT_EQ(got.error, AisError::bad_length);
  EXPECT_EQ(got.line_count, 2);
  EXPECT_EQ(got.earlier_lines, first + "\n");
}

TEST(AisReceiver, StationAndTimeOfATagBlock) {
  Receiver receiver;
  const Reception got =
      receiver.accept(1,
                      "\\s:rORBCOMM104,q:u,c:1418172113,T:2014-12-10 00.41.53*55\\"
                      "!AIVDM,1,1,,B,13F?Vv700<DJuLEtvep`iToV0<00,0*78",
                      kNow);
  ASSERT_EQ(got.outcome, LineOutcome::message);
  EXPECT_EQ(got.station, "rORBCOMM104");
  EXPECT_EQ(got.time, Timestamp::from_seconds(1'418'172'113));
  EXPECT_TRUE(got.is_time_from_line);
}

TEST(AisReceiver, GatehouseStampBelongsToTheNextLine) {
  Receiver receiver;
  const std::string stamp = "$PGHP,1,2010,6,11,11,46,11,390,231,45,992190934,1,2B*5B";
  const std::string line = "!AIVDM,1,1,,B,402=481uaUcf;OQ55JS9ITi025Jp,0*2B";
  EXPECT_EQ(receiver.accept(1, stamp, kNow).error, AisError::not_ais);
  const Reception got = receiver.accept(1, line, kNow);
  ASSERT_EQ(got.outcome, LineOutcome::message);
  EXPECT_EQ(got.station, "992190934");
  EXPECT_EQ(got.time.micros, 1'276'256'771'390'000);
  EXPECT_TRUE(got.is_time_from_line);
  // It is used once, for the line whose checksum it names, of the same source.
  EXPECT_FALSE(receiver.accept(1, line, kNow).is_time_from_line);
  receiver.accept(1, stamp, kNow);
  EXPECT_FALSE(receiver.accept(1, kPosition, kNow).is_time_from_line);
  receiver.accept(1, stamp, kNow);
  EXPECT_FALSE(receiver.accept(2, line, kNow).is_time_from_line);
  receiver.accept(1, stamp, kNow);
  receiver.discard(1);
  EXPECT_FALSE(receiver.accept(1, line, kNow).is_time_from_line);
}

TEST(AisReceiver, GatehouseStampOfTheFirstPartHoldsForAll) {
  Receiver receiver;
  const std::string stamp = with_checksum("$PGHP,1,2010,6,11,11,46,11,929,244,0,,1,65");
  receiver.accept(1, stamp, kNow);
  receiver.accept(1,
                  "!AIVDM,2,1,1,,53cMa3@000010WSW?V105=45<B2222222222220t388151:9e2UiDm851DTh,0"
                  "*65",
                  kNow);
  const Reception got = receiver.accept(1, "!AIVDM,2,2,1,,j1C32CQp888,2*17", kNow);
  ASSERT_EQ(got.outcome, LineOutcome::message);
  EXPECT_EQ(got.line_count, 2);
  EXPECT_EQ(got.time.micros, 1'276'256'771'929'000);
}

TEST(AisReceiver, OwnShip) {
  Receiver receiver;
  const Reception got = receiver.accept(1, "!AIVDO,1,1,,,B3uBrjP0=0=Kjm8BoS`AcwUUwP06,0*75", kNow);
  ASSERT_EQ(got.outcome, LineOutcome::message);
  EXPECT_TRUE(got.is_own_ship);
  EXPECT_EQ(got.channel, 0);
}

TEST(AisReceiver, SourceThatGoesAway) {
  Receiver receiver;
  receiver.accept(7, with_checksum("!AIVDM,2,1,1,A,5000,0"), kNow);
  receiver.discard(7);
  const auto lost = receiver.take_lost();
  ASSERT_EQ(lost.size(), 1U);
  EXPECT_EQ(lost[0].loss, Loss::discarded);
  EXPECT_EQ(receiver.pending_sets(), 0U);
  EXPECT_EQ(receiver.lines_untold(), 0U);
}

}  // namespace
}  // namespace ficus::ais
