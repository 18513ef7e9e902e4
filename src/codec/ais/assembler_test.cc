#include "codec/ais/assembler.h"

#include <gtest/gtest.h>

#include "codec/ais/encoder.h"

namespace ficus::ais {
namespace {

constexpr Timestamp kStart = Timestamp::from_seconds(1'700'000'000);

// Feeds lines; remembers the views' owners for the time of the call only, as a connection would.
class AisAssembler : public testing::Test {
 protected:
  std::expected<std::optional<Assembled>, AisError> add(const std::string& fields,
                                                        Timestamp now = kStart,
                                                        std::uint64_t source = 1) {
    const std::string line = with_checksum("!AIVDM," + fields);
    return add_line(line, now, source);
  }
  std::expected<std::optional<Assembled>, AisError> add_line(const std::string& line,
                                                             Timestamp now = kStart,
                                                             std::uint64_t source = 1) {
    const auto sentence = parse_sentence(line);
    EXPECT_TRUE(sentence.has_value()) << line;
    return assembler_.add(source, *sentence, line, now);
  }
  void expect_held(const std::string& fields, Timestamp now = kStart, std::uint64_t source = 1) {
    const auto added = add(fields, now, source);
    ASSERT_TRUE(added.has_value()) << fields << " " << name(added.error());
    EXPECT_FALSE(added->has_value()) << fields;
  }
  void expect_error(AisError error, const std::string& fields, Timestamp now = kStart) {
    const auto added = add(fields, now);
    ASSERT_FALSE(added.has_value()) << fields;
    EXPECT_EQ(name(added.error()), name(error)) << fields;
  }
  Assembled expect_whole(const std::string& fields, Timestamp now = kStart,
                         std::uint64_t source = 1) {
    auto added = add(fields, now, source);
    EXPECT_TRUE(added.has_value() && added->has_value()) << fields;
    return added && *added ? **std::move(added) : Assembled{};
  }
  // Loss and fragments of what was given up.
  std::vector<std::pair<std::string, int>> lost() {
    std::vector<std::pair<std::string, int>> out;
    for (const IncompleteSet& set : assembler_.take_lost()) {
      out.emplace_back(name(set.loss), set.fragments_held);
    }
    return out;
  }
  using Lost = std::vector<std::pair<std::string, int>>;

  Assembler assembler_{{.pending_sets_max = 4, .pending_age_max = Micros::from_seconds(10)}};
};

TEST_F(AisAssembler, SingleSentence) {
  const Assembled whole = expect_whole("1,1,,A,w0,2");
  EXPECT_EQ(whole.line_count, 1);
  EXPECT_EQ(whole.payload.bit_count(), 10U);
  EXPECT_EQ(whole.earlier_lines, "");
}

TEST_F(AisAssembler, PartsInOrder) {
  expect_held("3,1,5,A,w,0");
  expect_held("3,2,5,A,0,3");  // fill bits in the middle are left out too
  const Assembled whole = expect_whole("3,3,5,A,w,2");
  EXPECT_EQ(whole.line_count, 3);
  EXPECT_EQ(whole.payload.bit_count(), 13U);
  EXPECT_EQ(whole.payload.bits(0, 13), 0b1111110001111U);
  EXPECT_EQ(whole.earlier_lines, with_checksum("!AIVDM,3,1,5,A,w,0") + "\n" +
                                     with_checksum("!AIVDM,3,2,5,A,0,3") + "\n");
  EXPECT_EQ(assembler_.pending_sets(), 0U);
  EXPECT_TRUE(lost().empty());
}

TEST_F(AisAssembler, SetsAreToldApart) {
  expect_held("2,1,5,A,1,0");
  expect_held("2,1,5,B,2,0");             // another channel
  expect_held("2,1,6,A,3,0");             // another sequence id
  expect_held("2,1,5,A,4,0", kStart, 2);  // another source
  EXPECT_EQ(expect_whole("2,2,5,A,0,0", kStart, 2).payload.bits(0, 6), 4U);
  EXPECT_EQ(expect_whole("2,2,6,A,0,0").payload.bits(0, 6), 3U);
  EXPECT_EQ(expect_whole("2,2,5,B,0,0").payload.bits(0, 6), 2U);
  EXPECT_EQ(expect_whole("2,2,5,A,0,0").payload.bits(0, 6), 1U);
}

TEST_F(AisAssembler, TalkerAndFormatterAreTold) {
  EXPECT_TRUE(add_line(with_checksum("!BSVDM,2,1,5,A,1,0")).has_value());
  EXPECT_TRUE(add_line(with_checksum("!AIVDO,2,1,5,A,1,0")).has_value());
  expect_error(AisError::orphan_fragment, "2,2,5,A,0,0");
  EXPECT_TRUE(add_line(with_checksum("!BSVDM,2,2,5,A,1,0")).value().has_value());
}

TEST_F(AisAssembler, WithoutSequenceId) {
  expect_held("2,1,,A,1,0");
  EXPECT_EQ(expect_whole("2,2,,A,2,0").payload.bits(0, 12), (1U << 6) + 2U);
}

TEST_F(AisAssembler, LaterPartWithoutTheFirst) {
  expect_error(AisError::orphan_fragment, "2,2,5,A,0,0");
  expect_error(AisError::orphan_fragment, "3,2,5,A,0,0");
  EXPECT_EQ(assembler_.pending_sets(), 0U);
  EXPECT_TRUE(lost().empty());
}

TEST_F(AisAssembler, PartMissingInTheMiddle) {
  expect_held("3,1,5,A,1,0");
  expect_error(AisError::orphan_fragment, "3,3,5,A,3,0");
  EXPECT_EQ(lost(), (Lost{{"replaced", 1}}));
}

TEST_F(AisAssembler, SamePartAgain) {
  expect_held("3,1,5,A,1,0");
  expect_error(AisError::duplicate_fragment, "3,1,5,A,1,0");
  expect_held("3,2,5,A,2,0");
  expect_error(AisError::duplicate_fragment, "3,1,5,A,1,0");
  expect_error(AisError::duplicate_fragment, "3,2,5,A,2,0");
  expect_whole("3,3,5,A,3,0");
}

TEST_F(AisAssembler, SequenceIdReturnsBeforeTheSetIsWhole) {
  expect_held("3,1,5,A,1,0");
  expect_held("3,2,5,A,2,0");
  expect_held("2,1,5,A,7,0");
  EXPECT_EQ(lost(), (Lost{{"replaced", 2}}));
  EXPECT_EQ(expect_whole("2,2,5,A,0,0").payload.bits(0, 6), 7U);
}

TEST_F(AisAssembler, AnotherCountOfParts) {
  expect_held("2,1,5,A,1,0");
  expect_error(AisError::orphan_fragment, "3,2,5,A,2,0");
  EXPECT_EQ(lost(), (Lost{{"replaced", 1}}));
}

TEST_F(AisAssembler, TooOld) {
  expect_held("2,1,5,A,1,0");
  expect_held("2,1,6,A,1,0", kStart + Micros::from_seconds(5));
  assembler_.expire(kStart + Micros::from_seconds(10));
  EXPECT_EQ(assembler_.pending_sets(), 2U);
  expect_error(AisError::orphan_fragment, "2,2,5,A,1,0",
               kStart + Micros::from_seconds(10) + Micros{1});
  EXPECT_EQ(lost(), (Lost{{"aged", 1}}));
  expect_whole("2,2,6,A,1,0", kStart + Micros::from_seconds(15));
}

TEST_F(AisAssembler, ClockThatJumpsBackLosesNothing) {
  expect_held("2,1,5,A,1,0");
  expect_whole("2,2,5,A,1,0", kStart - Micros::from_hours(5));
}

TEST_F(AisAssembler, TooManySets) {
  for (const char channel : {'A', 'B', 'C', 'D', 'E'}) {
    expect_held(std::string("2,1,5,") + channel + ",1,0");
  }
  EXPECT_EQ(assembler_.pending_sets(), 4U);
  EXPECT_EQ(lost(), (Lost{{"crowded", 1}}));
  expect_error(AisError::orphan_fragment, "2,2,5,A,1,0");
  expect_whole("2,2,5,B,1,0");
}

TEST_F(AisAssembler, LinesOfALostSetAreGivenBack) {
  expect_held("3,1,5,A,1,0");
  expect_held("3,2,5,A,2,0");
  assembler_.expire(kStart + Micros::from_hours(1));
  const auto lost = assembler_.take_lost();
  ASSERT_EQ(lost.size(), 1U);
  EXPECT_EQ(lost[0].source, 1U);
  EXPECT_EQ(lost[0].fragment_count, 3);
  EXPECT_EQ(lost[0].lines, with_checksum("!AIVDM,3,1,5,A,1,0") + "\n" +
                               with_checksum("!AIVDM,3,2,5,A,2,0") + "\n");
  EXPECT_TRUE(assembler_.take_lost().empty());
}

TEST_F(AisAssembler, LossesNobodyTakesAreCounted) {
  for (int i = 0; i < 20; ++i) {
    expect_held("2,1,5,A," + std::to_string(i % 2) + ",0");
  }
  EXPECT_EQ(lost().size(), 4U);
  EXPECT_EQ(assembler_.lines_untold(), 15U);
}

TEST_F(AisAssembler, Discard) {
  expect_held("2,1,5,A,1,0", kStart, 1);
  expect_held("2,1,5,A,1,0", kStart, 2);
  expect_held("2,1,6,A,1,0", kStart, 1);
  assembler_.discard(1);
  EXPECT_EQ(lost(), (Lost{{"discarded", 1}, {"discarded", 1}}));
  EXPECT_EQ(assembler_.pending_sets(), 1U);
  assembler_.discard_all();
  EXPECT_EQ(lost(), (Lost{{"discarded", 1}}));
}

TEST_F(AisAssembler, GroupLetsPartsComeInAnyOrder) {
  const std::string second = "\\g:2-2-27300,n:636995*15\\" + with_checksum("!SAVDM,2,2,2,B,2,0");
  const std::string first =
      "\\g:1-2-27300,n:636994,s:b003669710,c:1428621738*5F\\" + with_checksum("!SAVDM,2,1,2,B,1,0");
  const auto held = add_line(second);
  ASSERT_TRUE(held.has_value());
  EXPECT_FALSE(held->has_value());
  const auto repeated = add_line(second);
  ASSERT_FALSE(repeated.has_value());
  EXPECT_EQ(repeated.error(), AisError::duplicate_fragment);
  auto whole = add_line(first);
  ASSERT_TRUE(whole.has_value() && whole->has_value());
  EXPECT_EQ((*whole)->payload.bits(0, 12), (1U << 6) + 2U);
  EXPECT_EQ((*whole)->station, "b003669710");
  EXPECT_EQ((*whole)->time, Timestamp::from_seconds(1428621738));
}

TEST_F(AisAssembler, WholeAboveTheLimit) {
  const std::string half(150, '0');
  expect_held("2,1,5,A," + half + ",0");
  expect_error(AisError::too_long, "2,2,5,A," + half + ",0");
  EXPECT_EQ(lost(), (Lost{{"replaced", 1}}));
  EXPECT_EQ(assembler_.pending_sets(), 0U);
}

TEST_F(AisAssembler, GroupWhoseLastLineMakesItTooLong) {
  const std::string half(150, '0');
  const std::string second =
      "\\g:2-2-27300,n:636995*15\\" + with_checksum("!SAVDM,2,2,2,B," + half + ",0");
  const std::string first = "\\g:1-2-27300,n:636994,s:b003669710,c:1428621738*5F\\" +
                            with_checksum("!SAVDM,2,1,2,B," + half + ",0");
  EXPECT_TRUE(add_line(second).has_value());
  EXPECT_FALSE(add_line(first).has_value());
  EXPECT_EQ(lost(), (Lost{{"replaced", 1}}));
}

TEST(AisLoss, Names) {
  EXPECT_EQ(name(Loss::aged), "aged");
  EXPECT_EQ(name(Loss::replaced), "replaced");
  EXPECT_EQ(name(Loss::crowded), "crowded");
  EXPECT_EQ(name(Loss::discarded), "discarded");
}

}  // namespace
}  // namespace ficus::ais
