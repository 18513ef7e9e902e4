#include "codec/ais/sentence.h"

#include <gtest/gtest.h>

#include <set>

#include "base/time_text.h"
#include "codec/ais/encoder.h"

namespace ficus::ais {
namespace {

constexpr std::string_view kLine = "!AIVDM,1,1,,A,15RTgt0PAso;90TKcjM8h6g208CQ,0*4A";

AisError error_of(std::string_view line) {
  const auto sentence = parse_sentence(line);
  EXPECT_FALSE(sentence.has_value()) << line;
  return sentence ? AisError::comment : sentence.error();
}

TEST(AisSentence, Fields) {
  const auto sentence = parse_sentence(kLine);
  ASSERT_TRUE(sentence.has_value());
  EXPECT_EQ(sentence->talker, (std::array<char, 2>{'A', 'I'}));
  EXPECT_FALSE(sentence->is_own_ship);
  EXPECT_EQ(sentence->fragment_count, 1);
  EXPECT_EQ(sentence->fragment_number, 1);
  EXPECT_FALSE(sentence->sequence_id.has_value());
  EXPECT_EQ(sentence->channel, 'A');
  EXPECT_EQ(sentence->payload, "15RTgt0PAso;90TKcjM8h6g208CQ");
  EXPECT_EQ(sentence->fill_bits, 0);
  EXPECT_EQ(sentence->tag.state, TagState::absent);
  EXPECT_EQ(sentence->station(), "");
  EXPECT_FALSE(sentence->time().has_value());
}

TEST(AisSentence, EveryTalkerAndBothFormatters) {
  for (const std::string talker :
       {"AB", "AD", "AI", "AN", "AR", "AS", "AT", "AX", "BS", "SA", "BY", "SS", "--"}) {
    for (const std::string formatter : {"VDM", "VDO"}) {
      const std::string line = with_checksum("!" + talker + formatter + ",2,1,7,,0000,0");
      const auto sentence = parse_sentence(line);
      ASSERT_TRUE(sentence.has_value()) << line;
      EXPECT_EQ(sentence->talker[1], talker[1]);
      EXPECT_EQ(sentence->is_own_ship, formatter == "VDO");
      EXPECT_EQ(sentence->sequence_id, 7);
      EXPECT_EQ(sentence->channel, 0);
    }
  }
}

TEST(AisSentence, BlanksAndLineEndsAroundAreSkipped) {
  for (const std::string& line : {" " + std::string(kLine), std::string(kLine) + "\r\n",
                                  "\t" + std::string(kLine) + "  \r"}) {
    EXPECT_TRUE(parse_sentence(line).has_value()) << line;
  }
}

TEST(AisSentence, LowerCaseChecksum) {
  EXPECT_TRUE(parse_sentence("!AIVDM,1,1,,A,15RTgt0PAso;90TKcjM8h6g208CQ,0*4a").has_value());
}

TEST(AisSentence, WhatFollowsTheChecksumDoesNotMatter) {
  const std::string line(kLine);
  EXPECT_TRUE(parse_sentence(line + "\\x0d\\x0a").has_value());
  EXPECT_TRUE(parse_sentence(line + "$PGHP,1,2008").has_value());
}

TEST(AisSentence, TrailerGivesStationAndTime) {
  const std::string full_line =
      std::string(kLine) + ",d-109,S2105,t050056.00,T56.13718694,r003669946,1325394060,1325394001";
  const auto full = parse_sentence(full_line);
  ASSERT_TRUE(full.has_value());
  EXPECT_EQ(full->station(), "r003669946");
  EXPECT_EQ(full->time(), Timestamp::from_seconds(1325394060));
  const std::string bare_line = std::string(kLine) + ",1276256770";
  const auto bare = parse_sentence(bare_line);
  ASSERT_TRUE(bare.has_value());
  EXPECT_EQ(bare->station(), "");
  EXPECT_EQ(bare->time(), Timestamp::from_seconds(1276256770));
  const std::string junk_line = std::string(kLine) + ",,,,rx,12,99999999999999999999";
  const auto junk = parse_sentence(junk_line);
  ASSERT_TRUE(junk.has_value());
  EXPECT_EQ(junk->station(), "");
  EXPECT_FALSE(junk->time().has_value());
}

TEST(AisSentence, TagBlockGoesBeforeTheTrailer) {
  const std::string line = "\\s:shore,c:1428621738*59\\" + std::string(kLine) + ",r1234,1276256770";
  const auto sentence = parse_sentence(line);
  ASSERT_TRUE(sentence.has_value());
  ASSERT_EQ(sentence->tag.state, TagState::sound);
  EXPECT_EQ(sentence->station(), "shore");
  EXPECT_EQ(sentence->time(), Timestamp::from_seconds(1428621738));
}

TEST(AisSentence, BadTagBlockDoesNotCostTheSentence) {
  for (const std::string block : {"s:shore,c:1428621738*00", "s:shore", "", "*", "*5", "*4G"}) {
    const std::string line = "\\" + block + "\\" + std::string(kLine);
    const auto sentence = parse_sentence(line);
    ASSERT_TRUE(sentence.has_value()) << block;
    EXPECT_FALSE(sentence->tag.is_usable()) << block;
    EXPECT_EQ(sentence->station(), "");
    EXPECT_FALSE(sentence->time().has_value());
  }
}

TEST(AisSentence, EveryPrefixIsRefused) {
  const std::string line =
      "\\g:1-2-1604,s:rORBCOMM008,c:1418169601,T:2014-12-10 00.00.01*37\\"
      "!AIVDM,2,1,6,A,53@o0E000001Q0CG37U8u<Tp4q@D00000000000018330400000000000000,"
      "0*63";
  ASSERT_TRUE(parse_sentence(line).has_value());
  for (std::size_t length = 0; length < line.size(); ++length) {
    EXPECT_FALSE(parse_sentence(line.substr(0, length)).has_value()) << length;
  }
}

TEST(AisSentence, EveryChangedCharacterIsNoticed) {
  // Not in the trailer of it: what stands before '*' is covered by the checksum.
  for (std::size_t i = 0; i < kLine.size(); ++i) {
    for (const int bit : {1, 2, 4, 8, 16, 32, 64, 128}) {
      std::string line(kLine);
      line[i] = static_cast<char>(line[i] ^ bit);
      const auto sentence = parse_sentence(line);
      // 'A' for 'a' in the checksum is no change.
      if (sentence) {
        EXPECT_GT(i, kLine.find('*'));
      }
    }
  }
}

TEST(AisSentence, WhatIsNotAis) {
  EXPECT_EQ(error_of(""), AisError::blank_line);
  EXPECT_EQ(error_of(" \t\r"), AisError::blank_line);
  EXPECT_EQ(error_of("# a remark"), AisError::comment);
  EXPECT_EQ(error_of("$GPRMC,092212,A,5759.097,N,01144.345,E,005.5,030.5,200715,000.0,E*79"),
            AisError::not_ais);
  EXPECT_EQ(error_of("$IIRSA,28,A,,*b"), AisError::not_ais);  // a checksum of one digit
  EXPECT_EQ(error_of("$GPGGA,no checksum"), AisError::not_ais);
  EXPECT_EQ(error_of("!AIABM,1,1,0,,,,,*"
                     "2B"),
            AisError::bad_checksum);
  EXPECT_EQ(error_of(with_checksum("!AIABM,1,1,0,,,,,")), AisError::not_ais);
  EXPECT_EQ(error_of(with_checksum("$AIVDM,1,1,,A,0,0")), AisError::not_ais);  // not encapsulated
  EXPECT_EQ(error_of("\\s:shore,c:1428621738*59\\"), AisError::not_ais);       // a block by itself
}

TEST(AisSentence, WhatIsNoSentence) {
  for (const std::string_view line :
       {"IamNotAnAisMessage1111", "AIVDM,2,2,1,B,00000000000,2*26", "\\", "\\s:x", "\\s:x*00\\",
        "\\\\", "\\\\\\", "$", "!", "!,,,", "$*00", "!ai,1,1", "{\"a\":1}"}) {
    EXPECT_EQ(error_of(line), AisError::not_sentence) << line;
  }
}

TEST(AisSentence, Checksums) {
  EXPECT_EQ(error_of("!AIVDM,1,1,,A,15RTgt0PAso;90TKcjM8h6g208CQ,0*4B"), AisError::bad_checksum);
  EXPECT_EQ(error_of("$GPRMC,092212*00"), AisError::bad_checksum);
  EXPECT_EQ(error_of("!AIVDM,1,1,,A,15RTgt0PAso;90TKcjM8h6g208CQ,0"), AisError::missing_checksum);
  EXPECT_EQ(error_of("!AIVDM,1,1,,A,15RTgt0PAso;90TKcjM8h6g208CQ,0*"), AisError::missing_checksum);
  EXPECT_EQ(error_of("!AIVDM,1,1,,A,15RTgt0PAso;90TKcjM8h6g208CQ,0*4"), AisError::missing_checksum);
  EXPECT_EQ(error_of("!AIVDM,1,1,,A,15RTgt0PAso;90TKcjM8h6g208CQ,0*ZZ"),
            AisError::missing_checksum);
}

TEST(AisSentence, MalformedFields) {
  for (const std::string fields : {"",
                                   "1",
                                   "1,1",
                                   "1,1,,A,0",
                                   "1,1,,A,0,",
                                   "1,1,,A,0,6",
                                   "1,1,,A,0,-1",
                                   "1,1,,A,0,00",
                                   "1,1,,A,0,0,0",
                                   "0,1,,A,0,0",
                                   "1,0,,A,0,0",
                                   "1,2,,A,0,0",
                                   "10,1,,A,0,0",
                                   "9,10,,A,0,0",
                                   "99999999999999999999,1,,A,0,0",
                                   "-1,1,,A,0,0",
                                   ",1,,A,0,0",
                                   "1,,,A,0,0",
                                   "1,1,10,A,0,0",
                                   "1,1,x,A,0,0",
                                   "1,1,,AB,0,0",
                                   "1,1,,A,0,x"}) {
    EXPECT_EQ(error_of(with_checksum("!AIVDM," + fields)), AisError::malformed) << fields;
  }
  EXPECT_EQ(error_of(with_checksum("!AIVDM")), AisError::malformed);
}

TEST(AisSentence, Payloads) {
  EXPECT_EQ(error_of("!AIVDM,1,1,,B,,0*25"), AisError::empty_payload);
  for (const std::string bad : {"X", "_", "x", "0 0", "/", "\x01", "\x80", "\xff"}) {
    EXPECT_EQ(error_of(with_checksum("!AIVDM,1,1,,B," + bad + ",0")), AisError::bad_armor) << bad;
  }
  const std::string zeros(256, '0');
  EXPECT_TRUE(parse_sentence(with_checksum("!AIVDM,1,1,,B," + zeros + ",0")).has_value());
  EXPECT_EQ(error_of(with_checksum("!AIVDM,1,1,,B," + zeros + "0,0")), AisError::too_long);
  EXPECT_EQ(error_of(with_checksum("!AIVDM,1,1,,B," + std::string(100'000, '0') + ",0")),
            AisError::too_long);
}

TEST(AisSentence, EveryFillIsRead) {
  for (int fill = 0; fill <= 5; ++fill) {
    const std::string line = with_checksum("!AIVDM,1,1,,B,0," + std::to_string(fill));
    const auto sentence = parse_sentence(line);
    ASSERT_TRUE(sentence.has_value());
    EXPECT_EQ(sentence->fill_bits, fill);
  }
}

TEST(AisSentence, GatehouseStamp) {
  const auto stamp = parse_gatehouse("$PGHP,1,2010,6,11,11,46,11,390,231,45,992190934,1,2B*5B");
  ASSERT_TRUE(stamp.has_value());
  EXPECT_EQ(to_iso8601(stamp->time), "2010-06-11T11:46:11.390Z");
  EXPECT_EQ(stamp->station_mmsi, 992190934U);
  EXPECT_EQ(stamp->sentence_checksum, 0x2b);
  const auto nameless = parse_gatehouse("$PGHP,1,2010,6,11,11,46,11,874,276,0,,1,55*2C");
  ASSERT_TRUE(nameless.has_value());
  EXPECT_EQ(nameless->station_mmsi, 0U);
}

TEST(AisSentence, GatehouseStampsThatAreNone) {
  for (const std::string body :
       {"$PGHP,1", "$PGHP,1,", "$PGHP,2,2010,6,11,11,46,11,390,231,45,992190934,1,2B",
        "$PGHP,1,2010,13,11,11,46,11,390,231,45,992190934,1,2B",
        "$PGHP,1,2010,6,31,11,46,11,390,231,45,992190934,1,2B",
        "$PGHP,1,2010,6,11,24,46,11,390,231,45,992190934,1,2B",
        "$PGHP,1,2010,6,11,11,46,11,1000,231,45,992190934,1,2B",
        "$PGHP,1,2010,6,11,11,46,11,390,231,45,992190934,1,",
        "$PGHP,1,2010,6,11,11,46,11,390,231,45,992190934,1,XY",
        "$PGHP,1,x,6,11,11,46,11,390,231,45,992190934,1,2B"}) {
    EXPECT_FALSE(parse_gatehouse(with_checksum(body)).has_value()) << body;
  }
  EXPECT_FALSE(parse_gatehouse("$PGHP,1,2010,6,11,11,46,11,390,231,45,992190934,1,2B*00"));
  EXPECT_FALSE(parse_gatehouse(std::string(2000, ' ') + "x").has_value());
}

TEST(AisSentence, ClaimedChecksum) {
  EXPECT_EQ(claimed_checksum(kLine), 0x4a);
  EXPECT_EQ(claimed_checksum("\\s:x*11\\!AIVDM,*22"), 0x22);
  EXPECT_FALSE(claimed_checksum("$GPRMC*11").has_value());
  EXPECT_FALSE(claimed_checksum("!AIVDM").has_value());
  EXPECT_FALSE(claimed_checksum("!AIVDM*1").has_value());
}

TEST(AisError, NamesDiffer) {
  std::set<std::string_view> names;
  for (std::uint8_t i = 0; i < kAisErrorCount; ++i) names.insert(name(static_cast<AisError>(i)));
  EXPECT_EQ(names.size(), kAisErrorCount);
  EXPECT_TRUE(is_ignorable(AisError::not_ais));
  EXPECT_FALSE(is_ignorable(AisError::bad_checksum));
}

}  // namespace
}  // namespace ficus::ais
