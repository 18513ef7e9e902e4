#include "log/format.h"

#include <fmt/format.h>

#include "base/check.h"
#include "base/crc32c.h"
#include "base/planted.h"
#include "log/little_endian.h"

namespace ficus::log {
namespace {

constexpr std::uint64_t kSegmentMagic = 0x474f4c5355434946;  // "FICUSLOG"

}  // namespace

std::string describe(const Fault& fault) {
  return fmt::format("{}: expected {}, found {}", fault.what, fault.expected, fault.found);
}

void encode_segment_header(const SegmentHeader& header,
                           std::span<std::byte, kSegmentHeaderBytes> out) {
  std::byte* const at = out.data();
  put_u64(at, kSegmentMagic);
  put_u32(at + 12, kFormatVersion);
  put_u64(at + 16, header.first.offset);
  put_u64(at + 24, header.durable.offset);
  put_u32(at + 32, header.salt);
  put_u32(at + 36, 0);
  put_u32(at + 8, crc32c(out.subspan(12)));
}

std::optional<Fault> decode_segment_header(std::span<const std::byte> bytes, Position first,
                                           SegmentHeader& header) {
  if (bytes.size() < kSegmentHeaderBytes) {
    return Fault{"bytes of the segment header", kSegmentHeaderBytes, bytes.size()};
  }
  bytes = bytes.first(kSegmentHeaderBytes);
  const std::byte* const at = bytes.data();
  if (get_u64(at) != kSegmentMagic) {
    return Fault{"magic of the segment header", kSegmentMagic, get_u64(at)};
  }
  const std::uint32_t crc = crc32c(bytes.subspan(12));
  if (get_u32(at + 8) != crc) {
    return Fault{"checksum of the segment header", get_u32(at + 8), crc};
  }
  // Behind the checksum: what differs from here on was written so, by another version or into
  // another file.
  if (get_u32(at + 12) != kFormatVersion) {
    return Fault{"format version of the segment", kFormatVersion, get_u32(at + 12), false};
  }
  header.first = {get_u64(at + 16)};
  header.durable = {get_u64(at + 24)};
  header.salt = get_u32(at + 32);
  if (header.first != first) {
    return Fault{"first position in the segment header", first.offset, header.first.offset, false};
  }
  if (header.durable > first) {
    return Fault{"durable position of the segment header, at most", first.offset,
                 header.durable.offset, false};
  }
  if (get_u32(at + 36) != 0) return Fault{"reserved bytes", 0, get_u32(at + 36), false};
  return std::nullopt;
}

void seal_record(const RecordHeader& header, std::span<std::byte> record) {
  FICUS_DCHECK(record.size() == kRecordHeaderBytes + header.payload_bytes);
  std::byte* const at = record.data();
  put_u32(at + 4, header.payload_bytes);
  put_u64(at + 8, header.position.offset);
  put_u64(at + 16, header.durable.offset);
  put_u64(at + 24, static_cast<std::uint64_t>(header.time.micros));
  put_u32(at + 32, header.salt);
  put_u32(at + 36, static_cast<std::uint8_t>(header.kind));
  put_u32(at, crc32c(record.subspan(4)));
}

std::optional<Fault> decode_record_header(std::span<const std::byte> bytes, Position position,
                                          std::optional<std::uint32_t> salt, RecordHeader& header) {
  const std::byte* const at = bytes.first(kRecordHeaderBytes).data();
  header.payload_bytes = get_u32(at + 4);
  header.position = {get_u64(at + 8)};
  header.durable = {get_u64(at + 16)};
  header.time = {static_cast<std::int64_t>(get_u64(at + 24))};
  header.salt = get_u32(at + 32);
  const std::uint32_t kind = get_u32(at + 36);
  if (header.position != position) {
    return Fault{"position in the record", position.offset, header.position.offset};
  }
  if (salt && header.salt != *salt) return Fault{"salt of the record", *salt, header.salt};
  if (header.payload_bytes > kPayloadBytesLimit) {
    return Fault{"payload length, at most", kPayloadBytesLimit, header.payload_bytes};
  }
  if (header.durable > position) {
    return Fault{"durable position of the record, at most", position.offset, header.durable.offset};
  }
  if (kind > 0xff) return Fault{"record kind and reserved bytes, at most", 0xff, kind};
  header.kind = RecordKind{static_cast<std::uint8_t>(kind)};
  return std::nullopt;
}

std::optional<Fault> check_record_checksum(std::span<const std::byte> record) {
  const std::uint32_t stored = get_u32(record.data());
  const std::uint32_t crc = crc32c(record.subspan(4));
  if (stored != crc && !FICUS_PLANTED(skip_checksum)) {
    return Fault{"checksum of the record", stored, crc};
  }
  return std::nullopt;
}

}  // namespace ficus::log
