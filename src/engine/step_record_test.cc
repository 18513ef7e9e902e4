#include "engine/step_record.h"

#include <gtest/gtest.h>

namespace ficus {
namespace {

// Records at positions 100 apart.
class StepAssemblerTest : public ::testing::Test {
 protected:
  // What becomes of one record: the step it completes, or nothing.
  std::string take(log::RecordKind kind, const std::string& payload) {
    const log::Record record{.kind = kind,
                             .time = {7},
                             .position = at_,
                             .end = at_ + 100,
                             .durable = {},
                             .payload = std::as_bytes(std::span(payload))};
    at_ = record.end;
    const auto step = assembler_.take(record);
    if (!step) return "";
    EXPECT_EQ(step->end, at_);
    begin_ = step->position;
    return std::string(step->payload);
  }
  std::string piece(std::uint64_t begin, std::uint32_t number, const std::string& content,
                    log::RecordKind kind = kStepPiece) {
    return take(kind, piece_head({begin}, number) + content);
  }

  StepAssembler assembler_;
  log::Position at_;
  log::Position begin_;
};

TEST_F(StepAssemblerTest, PutsPiecesTogether) {
  EXPECT_EQ(take(kStep, "one"), "one");
  EXPECT_EQ(piece(100, 0, "a"), "");
  EXPECT_EQ(piece(100, 1, "b"), "");
  EXPECT_EQ(piece(100, 2, "c", kStepEnd), "abc");
  EXPECT_EQ(begin_.offset, 100U);
  EXPECT_EQ(take(kStep, "two"), "two");
  EXPECT_EQ(begin_.offset, 400U);
}

TEST_F(StepAssemblerTest, WhatHasNoEndMeansNothing) {
  EXPECT_EQ(piece(0, 0, "a"), "");
  EXPECT_EQ(piece(100, 0, "x"), "");
  EXPECT_EQ(piece(100, 1, "y", kStepEnd), "xy");
  EXPECT_EQ(piece(300, 0, "a"), "");
  EXPECT_EQ(take(kStep, "one"), "one");
  EXPECT_EQ(piece(300, 1, "b", kStepEnd), "");
}

// As after a repair, which lost the records in between.
TEST_F(StepAssemblerTest, PiecesOfTwoStepsAreNeverOne) {
  EXPECT_EQ(piece(0, 0, "a"), "");
  at_ = log::Position{500};
  EXPECT_EQ(piece(400, 1, "y"), "");
  EXPECT_EQ(piece(400, 2, "z", kStepEnd), "");
  EXPECT_EQ(take(kStepEnd, "short"), "");
  EXPECT_EQ(piece(800, 0, "all", kStepEnd), "all");
}

}  // namespace
}  // namespace ficus
