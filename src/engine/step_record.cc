#include "engine/step_record.h"

#include <utility>

namespace ficus {
namespace {

std::uint64_t little_endian(std::string_view bytes) {
  std::uint64_t number = 0;
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    number |= std::uint64_t{static_cast<unsigned char>(bytes[i])} << (8 * i);
  }
  return number;
}

}  // namespace

std::string piece_head(log::Position begin, std::uint32_t number) {
  std::string bytes;
  for (std::size_t i = 0; i < 8; ++i) bytes.push_back(static_cast<char>(begin.offset >> (8 * i)));
  for (std::size_t i = 0; i < 4; ++i) bytes.push_back(static_cast<char>(number >> (8 * i)));
  return bytes;
}

std::optional<StepRecord> StepAssembler::take(const log::Record& record) {
  const std::string_view payload(reinterpret_cast<const char*>(record.payload.data()),
                                 record.payload.size());
  if (record.kind != kStepPiece && record.kind != kStepEnd) {
    pieces_ = {};
    count_ = 0;
    return StepRecord{payload, record.time, record.position, record.end};
  }
  if (payload.size() < kPieceHeadBytes) return std::nullopt;
  const log::Position begin{little_endian(payload.substr(0, 8))};
  const std::uint64_t number = little_endian(payload.substr(8, 4));
  if (number == 0) {  // whatever stood before it was never finished
    pieces_.clear();
    count_ = 0;
    begin_ = record.position;
  }
  if (number != count_ || begin != begin_) return std::nullopt;
  pieces_.append(payload.substr(kPieceHeadBytes));
  ++count_;
  if (record.kind == kStepPiece) return std::nullopt;
  count_ = 0;
  return StepRecord{pieces_, record.time, begin_, record.end};
}

Result<StepReader> StepReader::open(Disk& disk, std::string directory, log::Position from,
                                    log::Position until) {
  FICUS_TRY(std::unique_ptr<log::LogReader> reader,
            log::LogReader::open(disk, std::move(directory), from, until));
  return StepReader(std::move(reader));
}

Result<const StepRecord*> StepReader::next() {
  while (true) {
    FICUS_TRY(const log::Record* const record, reader_->next());
    if (record == nullptr) return nullptr;
    if (const std::optional<StepRecord> step = assembler_.take(*record)) {
      step_ = *step;
      return &step_;
    }
  }
}

}  // namespace ficus
