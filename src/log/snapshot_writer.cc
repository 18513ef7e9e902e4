#include <fmt/format.h>

#include <array>
#include <utility>

#include "base/check.h"
#include "base/crc32c.h"
#include "log/little_endian.h"
#include "log/snapshot.h"
#include "log/snapshot_format.h"

namespace ficus::log {
namespace {

constexpr std::size_t kBufferBytes = std::size_t{256} << 10;

std::string unfinished_path(std::string_view directory, Position position) {
  return fmt::format("{}/{:020}{}", directory, position.offset, kUnfinishedSuffix);
}

}  // namespace

SnapshotWriter::SnapshotWriter(Disk& disk, std::string directory, Position position)
    : disk_(disk), directory_(std::move(directory)), position_(position) {}

SnapshotWriter::~SnapshotWriter() {
  if (!file_) return;
  file_.reset();
  static_cast<void>(disk_.remove(unfinished_path(directory_, position_)));
}

Result<std::unique_ptr<SnapshotWriter>> SnapshotWriter::create(Disk& disk, std::string directory,
                                                               Position position) {
  FICUS_TRY_VOID(disk.make_directories(directory));
  std::unique_ptr<SnapshotWriter> writer(new SnapshotWriter(disk, std::move(directory), position));
  FICUS_TRY(writer->file_,
            disk.open(unfinished_path(writer->directory_, position), OpenMode::create));
  writer->buffer_.reserve(kBufferBytes);
  std::array<std::byte, kSnapshotHeaderBytes> header{};
  put_u64(header.data(), kSnapshotMagic);
  put_u32(header.data() + 12, kSnapshotVersion);
  put_u64(header.data() + 16, position.offset);
  put_u32(header.data() + 8, crc32c(std::span(header).subspan(12)));
  FICUS_TRY_VOID(writer->put(header));
  return writer;
}

Status SnapshotWriter::begin_section(std::string_view name) {
  FICUS_CHECK(file_);
  if (name.empty() || name.size() > kSectionNameBytesMax) {
    return invalid(fmt::format("a snapshot section name has 1 to {} bytes, not {}",
                               kSectionNameBytesMax, name.size()));
  }
  for (const SnapshotSection& section : sections_) {
    if (section.name == name) {
      return fail(ErrorCode::conflict, fmt::format("snapshot section {} was written before", name));
    }
  }
  if (sections_.size() >= kSectionsMax) {
    return fail(ErrorCode::overloaded,
                fmt::format("a snapshot has at most {} sections", kSectionsMax));
  }
  sections_.push_back({.name = std::string(name), .offset = file_bytes_});
  return {};
}

Status SnapshotWriter::append(std::span<const std::byte> bytes) {
  FICUS_CHECK(file_ && !sections_.empty());
  SnapshotSection& section = sections_.back();
  section.crc = crc32c(bytes, section.crc);
  section.bytes += bytes.size();
  return put(bytes);
}

Status SnapshotWriter::finish() {
  FICUS_CHECK(file_);
  const std::uint64_t table_offset = file_bytes_;
  std::vector<std::byte> table;
  for (const SnapshotSection& section : sections_) {
    const auto name = std::as_bytes(std::span(section.name));
    table.push_back(static_cast<std::byte>(name.size()));
    table.insert(table.end(), name.begin(), name.end());
    const std::size_t at = table.size();
    table.resize(at + kTableEntryBytes - 1);
    put_u64(table.data() + at, section.offset);
    put_u64(table.data() + at + 8, section.bytes);
    put_u32(table.data() + at + 16, section.crc);
  }
  std::array<std::byte, kSnapshotTrailerBytes> trailer{};
  put_u64(trailer.data(), table_offset);
  put_u32(trailer.data() + 8, static_cast<std::uint32_t>(table.size()));
  put_u32(trailer.data() + 12, static_cast<std::uint32_t>(sections_.size()));
  put_u32(trailer.data() + 16, crc32c(table));
  put_u32(trailer.data() + 20, crc32c(std::span(trailer).first(20)));
  put_u64(trailer.data() + 24, kSnapshotEndMagic);
  FICUS_TRY_VOID(put(table));
  FICUS_TRY_VOID(put(trailer));
  FICUS_TRY_VOID(flush());
  FICUS_TRY_VOID(file_->sync());
  FICUS_TRY_VOID(
      disk_.rename(unfinished_path(directory_, position_), snapshot_path(directory_, position_)));
  file_.reset();
  return disk_.sync_directory(directory_);
}

Status SnapshotWriter::put(std::span<const std::byte> bytes) {
  file_bytes_ += bytes.size();
  if (buffer_.size() + bytes.size() > kBufferBytes) FICUS_TRY_VOID(flush());
  if (bytes.size() >= kBufferBytes) return file_->append(bytes);
  buffer_.insert(buffer_.end(), bytes.begin(), bytes.end());
  return {};
}

Status SnapshotWriter::flush() {
  FICUS_TRY_VOID(file_->append(buffer_));
  buffer_.clear();
  return {};
}

}  // namespace ficus::log
