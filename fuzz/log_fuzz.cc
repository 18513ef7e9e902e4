// The bytes of a log directory, all of them from outside: one or two segments and a snapshot.
// Whatever they are, recovery either refuses them or leaves a log that reads without error, is not
// cut a second time and takes new records.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>

#include "base/check.h"
#include "base/crc32c.h"
#include "base/memory_disk.h"
#include "log/format.h"
#include "log/little_endian.h"
#include "log/log_check.h"
#include "log/log_reader.h"
#include "log/log_writer.h"
#include "log/segment_reader.h"
#include "log/segments.h"
#include "log/snapshot.h"

namespace {

using namespace ficus;
using namespace ficus::log;

constexpr const char* kDirectory = "/log";

class Counter final : public RecordVisitor {
 public:
  Status visit(const Record& record) override {
    FICUS_CHECK(record.end > record.position);
    bytes += record.payload.size();
    return {};
  }
  std::size_t bytes = 0;
};

void put(MemoryDisk& disk, const std::string& path, std::string bytes) {
  FICUS_CHECK(disk.open(path, OpenMode::create));
  disk.set_content(path, std::move(bytes));
}

// Gives the segment header and every record that follows on the one before a sound checksum, so
// that the fuzzer gets past it to the rules behind.
void repair_checksums(std::string& segment) {
  const std::span<std::byte> bytes = std::as_writable_bytes(std::span(segment));
  if (bytes.size() < kSegmentHeaderBytes) return;
  put_u32(bytes.data() + 8, crc32c(bytes.subspan(12, kSegmentHeaderBytes - 12)));
  for (std::size_t at = kSegmentHeaderBytes; bytes.size() - at >= kRecordHeaderBytes;) {
    const std::size_t record_bytes = kRecordHeaderBytes + get_u32(bytes.data() + at + 4);
    if (record_bytes > bytes.size() - at) return;
    put_u32(bytes.data() + at, crc32c(bytes.subspan(at + 4, record_bytes - 4)));
    at += record_bytes;
  }
}

void live_on(MemoryDisk& disk, const Recovered& recovered) {
  Counter counter;
  const auto read = replay(disk, kDirectory, recovered.begin, Position::max(), counter);
  FICUS_CHECK(read && *read == recovered.end);
  const auto again = recover(disk, kDirectory);
  FICUS_CHECK(again && again->end == recovered.end && again->bytes_cut == 0);
  const auto log = LogWriter::open(disk, kDirectory, *again, {.segment_bytes_max = 100});
  FICUS_CHECK(log);
  const std::byte payload[3] = {};
  FICUS_CHECK((*log)->append(RecordKind{1}, {}, payload));
  FICUS_CHECK((*log)->close({}));
  FICUS_CHECK(replay(disk, kDirectory, recovered.end, Position::max(), counter));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 3) return 0;
  // Three bytes of layout: where the second segment begins, if there is one, and where the first
  // ends.
  const std::string bytes(reinterpret_cast<const char*>(data) + 3, size - 3);
  const std::size_t cut = std::min<std::size_t>(bytes.size(), data[0] * 16U);
  const Position second{data[1]};
  std::string first_bytes = bytes.substr(0, cut);
  std::string second_bytes = bytes.substr(cut);
  if (data[2] % 2 == 1) {
    repair_checksums(first_bytes);
    repair_checksums(second_bytes);
  }
  MemoryDisk disk;
  put(disk, segment_path(kDirectory, {0}), std::move(first_bytes));
  if (second > Position{}) put(disk, segment_path(kDirectory, second), std::move(second_bytes));
  put(disk, snapshot_path(kDirectory, {data[2]}), bytes);

  const CheckReport report = check(disk, kDirectory);
  const auto snapshot = find_newest_snapshot(disk, kDirectory);
  FICUS_CHECK(snapshot);
  Counter counter;
  static_cast<void>(replay(disk, kDirectory, {}, Position::max(), counter));
  const auto recovered = recover(disk, kDirectory);
  if (snapshot->newest == nullptr && recovered) FICUS_CHECK(report.end == recovered->end);
  if (recovered) live_on(disk, *recovered);
  return 0;
}
