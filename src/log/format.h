#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>

#include "log/record.h"

// The bytes of segments and records. All numbers are little endian. Internal to this module.
//
// A segment is a file of one header and then records without gaps. The record at position p of the
// segment that begins at `first` stands at file offset kSegmentHeaderBytes + (p - first).
//
//   segment header, 40 bytes             record header, 40 bytes, then the payload
//   offset size                          offset size
//    0     8  magic "FICUSLOG"            0     4  crc32c of all that follows, payload included
//    8     4  crc32c of all that follows  4     4  payload length in bytes
//   12     4  format version, 1           8     8  position of this record
//   16     8  position `first`           16     8  durable: everything before was known to be
//   synced 24     8  durable, as in a record    24     8  time, microseconds since 1970 UTC, signed
//   32     4  salt of the log            32     4  salt of the log
//   36     4  zero                       36     1  kind
//                                        37     3  zero
//
// Why each record repeats position and salt: a block that the device put elsewhere, one left over
// from an older file, and a look-alike inside a payload all carry a sound checksum, but not these
// two.
namespace ficus::log {

constexpr std::size_t kSegmentHeaderBytes = 40;
constexpr std::size_t kRecordHeaderBytes = 40;
constexpr std::uint32_t kFormatVersion = 1;

// Why bytes are not what they should be. `what` is a literal.
struct Fault {
  const char* what = "";
  std::uint64_t expected = 0;
  std::uint64_t found = 0;
  // False for what was written on purpose, by another version or into another log: never a torn
  // tail.
  bool crash_possible = true;
};
std::string describe(const Fault& fault);  // "checksum: expected 12, found 13"

struct SegmentHeader {
  Position first;
  Position durable;
  std::uint32_t salt = 0;
};

void encode_segment_header(const SegmentHeader& header,
                           std::span<std::byte, kSegmentHeaderBytes> out);
// Fills `header`. `bytes` may be shorter or longer than a header.
std::optional<Fault> decode_segment_header(std::span<const std::byte> bytes, Position first,
                                           SegmentHeader& header);

struct RecordHeader {
  std::uint32_t payload_bytes = 0;
  Position position;
  Position durable;
  Timestamp time;
  std::uint32_t salt = 0;
  RecordKind kind{};
};

// Writes the header in front of a payload that already stands behind it. REQUIRES: `record` is
// header plus payload.
void seal_record(const RecordHeader& header, std::span<std::byte> record);

// Checks everything in the header but the checksum, which needs the payload. A salt of nullopt is
// not compared. REQUIRES: bytes.size() >= kRecordHeaderBytes.
std::optional<Fault> decode_record_header(std::span<const std::byte> bytes, Position position,
                                          std::optional<std::uint32_t> salt, RecordHeader& header);
// REQUIRES: `record` is the whole record.
std::optional<Fault> check_record_checksum(std::span<const std::byte> record);

}  // namespace ficus::log
