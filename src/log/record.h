#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "base/result.h"
#include "base/time.h"
#include "log/position.h"

namespace ficus::log {

// What a payload is, in the words of the caller: any number but 0 and 255, which are
// the log's own.
enum class RecordKind : std::uint8_t {};

// A record without payload, which only says how far the log was durable when it was written.
// Readers pass over it.
constexpr RecordKind kDurableMark{0};

// A record in place of others that are gone, written by a repair: its payload means nothing.
// Readers pass over it.
constexpr RecordKind kLost{255};

// The largest payload the format allows, so that a reader knows how much memory one record can ask
// for.
constexpr std::size_t kPayloadBytesLimit = std::size_t{64} << 20;

// One record as it was read. The payload borrows from the reader and is valid until its next call.
struct Record {
  RecordKind kind{};
  Timestamp time;
  Position position;  // where it begins
  Position end;       // where the next begins
  Position durable;   // everything before this was known to be synced when the record was appended
  std::span<const std::byte> payload;
};

// Takes records one by one. An error stops the replay and is returned by it.
class RecordVisitor {
 public:
  virtual ~RecordVisitor() = default;
  virtual Status visit(const Record& record) = 0;
};

}  // namespace ficus::log
