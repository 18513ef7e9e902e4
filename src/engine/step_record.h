#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/disk.h"
#include "base/result.h"
#include "log/log_reader.h"
#include "log/record.h"

namespace ficus {

// How a step stands in the log. One that fits into a record is one of kind kStep. A larger one is
// cut into pieces: records of kind kStepPiece, the last of kind kStepEnd, each beginning with the
// position of the first (u64, little endian) and its number (u32, from 0). The step is there when
// its end is: pieces without one are what a crash in the middle has left, and mean nothing.
constexpr log::RecordKind kStep{1};
constexpr log::RecordKind kStepPiece{2};
constexpr log::RecordKind kStepEnd{3};
constexpr std::size_t kPieceHeadBytes = 12;

// Of one piece; far below the limit of a record.
constexpr std::size_t kPieceBytesMax = std::size_t{16} << 20;

std::string piece_head(log::Position begin, std::uint32_t number);

// One step as it was written. Borrows from the reader, until its next call.
struct StepRecord {
  std::string_view payload;
  Timestamp time;
  log::Position position;  // where it begins
  log::Position end;
};

// Puts steps together from records in the order of the log.
class StepAssembler {
 public:
  // The step that this record completes, if it does. Pieces before which others are missing (a
  // repair has named them lost) are passed over, as the lost ones are.
  std::optional<StepRecord> take(const log::Record& record);

 private:
  std::string pieces_;
  std::uint32_t count_ = 0;  // of pieces_
  log::Position begin_;
};

// The steps of a log between two positions, in bounded memory but for the step at work.
class StepReader {
 public:
  // REQUIRES: `from` is not within a step.
  static Result<StepReader> open(Disk& disk, std::string directory, log::Position from,
                                 log::Position until);
  // The next step; null at the end.
  Result<const StepRecord*> next();

 private:
  explicit StepReader(std::unique_ptr<log::LogReader> reader) : reader_(std::move(reader)) {}

  std::unique_ptr<log::LogReader> reader_;
  StepAssembler assembler_;
  StepRecord step_;
};

}  // namespace ficus
