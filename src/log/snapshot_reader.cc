#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

#include "base/crc32c.h"
#include "log/little_endian.h"
#include "log/segment_reader.h"
#include "log/snapshot.h"
#include "log/snapshot_format.h"

namespace ficus::log {
namespace {

constexpr std::size_t kReadBytes = std::size_t{256} << 10;

}  // namespace

std::string snapshot_path(std::string_view directory, Position position) {
  return fmt::format("{}/{:020}{}", directory, position.offset, kSnapshotSuffix);
}

Result<std::vector<Position>> list_snapshots(Disk& disk, const std::string& directory) {
  FICUS_TRY(const std::vector<std::string> names, disk.list(directory));
  std::vector<Position> positions;
  for (const std::string& name : names) {
    if (const auto at = position_of_name(name, kSnapshotSuffix)) positions.push_back(*at);
  }
  std::sort(positions.begin(), positions.end());
  return positions;
}

std::unexpected<Error> SnapshotReader::damaged(std::string_view what) const {
  return fail(ErrorCode::corrupt, fmt::format("snapshot {} is damaged: {}", path_, what));
}

Result<std::unique_ptr<SnapshotReader>> SnapshotReader::open(Disk& disk, const std::string& path) {
  FICUS_TRY(std::unique_ptr<File> file, disk.open(path, OpenMode::read));
  std::unique_ptr<SnapshotReader> reader(new SnapshotReader(path, std::move(file)));
  FICUS_TRY_VOID(reader->read_frame());
  return reader;
}

Status SnapshotReader::read_exactly(std::uint64_t offset, std::span<std::byte> out) {
  FICUS_TRY(const std::size_t got, file_->read_at(offset, out));
  if (got < out.size()) return damaged("it ends early");
  return {};
}

Status SnapshotReader::read_frame() {
  FICUS_TRY(file_bytes_, file_->size());
  if (file_bytes_ < kSnapshotHeaderBytes + kSnapshotTrailerBytes) return damaged("it is cut short");
  std::array<std::byte, kSnapshotHeaderBytes> header{};
  std::array<std::byte, kSnapshotTrailerBytes> trailer{};
  FICUS_TRY_VOID(read_exactly(0, header));
  FICUS_TRY_VOID(read_exactly(file_bytes_ - kSnapshotTrailerBytes, trailer));
  if (get_u64(header.data()) != kSnapshotMagic) return damaged("no snapshot begins here");
  if (get_u32(header.data() + 8) != crc32c(std::span(header).subspan(12))) {
    return damaged("checksum of the header");
  }
  const std::uint32_t version = get_u32(header.data() + 12);
  if (version != kSnapshotVersion) {
    return damaged(
        fmt::format("format version {}, this program reads {}", version, kSnapshotVersion));
  }
  position_ = {get_u64(header.data() + 16)};
  const std::string_view name = std::string_view(path_).substr(path_.rfind('/') + 1);
  if (position_of_name(name, kSnapshotSuffix) != position_) {
    return damaged(fmt::format("its name does not fit its position {}", position_.offset));
  }
  if (get_u64(trailer.data() + 24) != kSnapshotEndMagic) return damaged("it was not finished");
  if (get_u32(trailer.data() + 20) != crc32c(std::span(trailer).first(20))) {
    return damaged("checksum of the trailer");
  }
  const std::uint64_t table_offset = get_u64(trailer.data());
  const std::uint32_t table_bytes = get_u32(trailer.data() + 8);
  if (table_bytes > kTableBytesMax || table_offset < kSnapshotHeaderBytes ||
      table_offset > file_bytes_ ||
      file_bytes_ - table_offset != std::uint64_t{table_bytes} + kSnapshotTrailerBytes) {
    return damaged("the table of sections does not fit in");
  }
  std::vector<std::byte> table(table_bytes);
  FICUS_TRY_VOID(read_exactly(table_offset, table));
  if (crc32c(table) != get_u32(trailer.data() + 16)) return damaged("checksum of the table");
  return read_table(table, table_offset, get_u32(trailer.data() + 12));
}

Status SnapshotReader::read_table(std::span<const std::byte> table, std::uint64_t table_offset,
                                  std::uint32_t section_count) {
  std::uint64_t next = kSnapshotHeaderBytes;
  while (!table.empty()) {
    const auto name_bytes = std::to_integer<std::size_t>(table[0]);
    if (table.size() < kTableEntryBytes + name_bytes) return damaged("the table is cut short");
    SnapshotSection section;
    section.name.assign(reinterpret_cast<const char*>(table.data()) + 1, name_bytes);
    const std::byte* const at = table.data() + 1 + name_bytes;
    section.offset = get_u64(at);
    section.bytes = get_u64(at + 8);
    section.crc = get_u32(at + 16);
    if (section.offset != next || section.bytes > table_offset - next) {
      return damaged(fmt::format("section {} overlaps or leaves a gap", section.name));
    }
    next += section.bytes;
    sections_.push_back(std::move(section));
    table = table.subspan(kTableEntryBytes + name_bytes);
  }
  if (next != table_offset || sections_.size() != section_count) {
    return damaged("the sections do not fill the file");
  }
  return {};
}

Status SnapshotReader::verify() {
  std::vector<std::byte> buffer(kReadBytes);
  for (const SnapshotSection& section : sections_) {
    std::uint32_t crc = 0;
    for (std::uint64_t done = 0; done < section.bytes;) {
      const std::size_t count = std::min<std::uint64_t>(buffer.size(), section.bytes - done);
      const std::span<std::byte> part = std::span(buffer).first(count);
      FICUS_TRY_VOID(read_exactly(section.offset + done, part));
      crc = crc32c(part, crc);
      done += count;
    }
    if (crc != section.crc) {
      return damaged(fmt::format("checksum of section {}: expected {}, found {}", section.name,
                                 section.crc, crc));
    }
  }
  return {};
}

const SnapshotSection* SnapshotReader::find(std::string_view name) const {
  for (const SnapshotSection& section : sections_) {
    if (section.name == name) return &section;
  }
  return nullptr;
}

Result<std::size_t> SnapshotReader::read(const SnapshotSection& section, std::uint64_t offset,
                                         std::span<std::byte> out) {
  if (offset >= section.bytes) return 0;
  const std::size_t count = std::min<std::uint64_t>(out.size(), section.bytes - offset);
  FICUS_TRY_VOID(read_exactly(section.offset + offset, out.first(count)));
  return count;
}

Result<SnapshotSearch> find_newest_snapshot(Disk& disk, const std::string& directory) {
  SnapshotSearch search;
  if (!disk.exists(directory)) return search;
  FICUS_TRY(std::vector<Position> positions, list_snapshots(disk, directory));
  while (!positions.empty()) {
    auto reader = SnapshotReader::open(disk, snapshot_path(directory, positions.back()));
    positions.pop_back();
    const Status verified = reader ? (*reader)->verify() : Status(std::unexpected(reader.error()));
    if (verified) {
      search.newest = *std::move(reader);
      return search;
    }
    search.skipped.push_back(verified.error().message);
  }
  return search;
}

Result<SnapshotsKept> remove_old_snapshots(Disk& disk, const std::string& directory,
                                           std::size_t keep) {
  SnapshotsKept kept;
  FICUS_TRY(const std::vector<Position> positions, list_snapshots(disk, directory));
  for (auto at = positions.rbegin(); at != positions.rend(); ++at) {
    const std::string path = snapshot_path(directory, *at);
    // A damaged one must not take the place of one that could be used.
    if (kept.positions.size() < keep) {
      if (SnapshotReader::open(disk, path)) kept.positions.push_back(*at);
      continue;
    }
    FICUS_TRY_VOID(disk.remove(path));
    ++kept.removed;
  }
  FICUS_TRY(const std::vector<std::string> names, disk.list(directory));
  for (const std::string& name : names) {
    if (!position_of_name(name, kUnfinishedSuffix)) continue;
    FICUS_TRY_VOID(disk.remove(fmt::format("{}/{}", directory, name)));
    ++kept.removed;
  }
  std::reverse(kept.positions.begin(), kept.positions.end());
  if (kept.removed > 0) FICUS_TRY_VOID(disk.sync_directory(directory));
  return kept;
}

}  // namespace ficus::log
