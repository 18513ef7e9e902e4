#include "app/backup_set.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/crc32c.h"
#include "codec/json/json_reader.h"
#include "codec/json/json_writer.h"
#include "log/log_check.h"
#include "log/segments.h"
#include "log/snapshot.h"

namespace ficus::app {
namespace {

constexpr std::size_t kCopyBytes = std::size_t{1} << 20;
constexpr std::uint64_t kManifestBytesMax = std::uint64_t{64} << 20;
constexpr std::int64_t kManifestFormat = 1;

std::int64_t to_signed(std::uint64_t value) { return static_cast<std::int64_t>(value); }

// A manifest may come from anywhere: no file of it may lie outside its directory.
bool stays_inside(std::string_view file) {
  if (file.empty() || file.starts_with('/') || file == kBackupManifest) return false;
  for (std::size_t begin = 0; begin <= file.size();) {
    const std::size_t end = std::min(file.find('/', begin), file.size());
    const std::string_view part = file.substr(begin, end - begin);
    if (part.empty() || part == "." || part == "..") return false;
    begin = end + 1;
  }
  return file.find('\0') == std::string_view::npos;
}

Result<std::uint64_t> natural(const json::JsonValue& value, const char* what) {
  const auto number = value.is_missing() ? std::nullopt : value.as_integer();
  if (!number || *number < 0) {
    return fail(ErrorCode::corrupt, fmt::format("{}: expected {}", kBackupManifest, what));
  }
  return static_cast<std::uint64_t>(*number);
}

Result<std::string> text_of(const json::JsonValue& value, const char* what) {
  if (value.kind() != json::JsonKind::text) {
    return fail(ErrorCode::corrupt, fmt::format("{}: expected {}", kBackupManifest, what));
  }
  return std::string(value.as_text());
}

// Reads all of it, as far as `bytes`; writes it to `to` unless that is null.
Status transfer(File& from, File* to, std::uint64_t bytes, BackupFile& result,
                CopyProgress& progress) {
  std::vector<std::byte> buffer(kCopyBytes);
  while (result.bytes < bytes) {
    if (progress.stop) return fail(ErrorCode::unavailable, "it was stopped");
    const std::size_t wanted = std::min<std::uint64_t>(buffer.size(), bytes - result.bytes);
    FICUS_TRY(const std::size_t count, from.read_at(result.bytes, std::span(buffer).first(wanted)));
    if (count == 0) return {};
    const auto part = std::span(buffer).first(count);
    if (to != nullptr) FICUS_TRY_VOID(to->append(part));
    result.crc = crc32c(part, result.crc);
    result.bytes += count;
    progress.bytes += count;
  }
  return {};
}

Status compare(const BackupFile& expected, const BackupFile& found) {
  if (expected == found) return {};
  return fail(ErrorCode::corrupt,
              fmt::format("{} is damaged: expected {} bytes with checksum {:08x}, found {} with "
                          "{:08x}: take another backup",
                          expected.file, expected.bytes, expected.crc, found.bytes, found.crc));
}

Status check_logs(Disk& disk, const std::string& directory, const BackupManifest& manifest) {
  for (const BackupLog& log : manifest.logs) {
    const log::CheckReport report = log::check(disk, directory + "/log/" + log.log);
    if (!report.sound()) return fail(ErrorCode::corrupt, report.problems.front());
    if (report.end.offset != log.position || report.torn_bytes > 0) {
      return fail(ErrorCode::corrupt, fmt::format("the log {} ends at position {}, expected {}",
                                                  log.log, report.end.offset, log.position));
    }
  }
  return {};
}

}  // namespace

std::uint64_t BackupManifest::bytes() const {
  std::uint64_t sum = 0;
  for (const BackupFile& file : files) sum += file.bytes;
  return sum;
}

std::string BackupManifest::encode() const {
  std::string text;
  json::JsonWriter json(text);
  json.begin_object().key("format").integer(kManifestFormat).key("version").text(version);
  json.key("began_at_us").integer(began_at.micros).key("began_at").time(began_at);
  json.key("logs").begin_array();
  for (const BackupLog& log : logs) {
    json.begin_object().key("log").text(log.log);
    json.key("position").integer(to_signed(log.position)).end_object();
  }
  json.end_array().key("files").begin_array();
  for (const BackupFile& file : files) {
    json.begin_object().key("file").text(file.file);
    json.key("bytes").integer(to_signed(file.bytes)).key("crc32c").integer(file.crc).end_object();
  }
  json.end_array().end_object();
  return text;
}

Result<BackupManifest> BackupManifest::decode(std::string_view text) {
  json::JsonDocument document({.bytes_max = kManifestBytesMax});
  FICUS_TRY(const json::JsonValue root, document.parse(text));
  FICUS_TRY(const std::uint64_t format, natural(root.member("format"), "a format"));
  if (format != kManifestFormat) {
    return fail(ErrorCode::corrupt, fmt::format("{} has format {}, this program reads {}",
                                                kBackupManifest, format, kManifestFormat));
  }
  BackupManifest manifest;
  FICUS_TRY(manifest.version, text_of(root.member("version"), "a version"));
  FICUS_TRY(const std::uint64_t began, natural(root.member("began_at_us"), "a time"));
  manifest.began_at = {to_signed(began)};
  for (json::JsonItems logs(root.member("logs")); logs.next();) {
    BackupLog& log = manifest.logs.emplace_back();
    FICUS_TRY(log.log, text_of(logs.value().member("log"), "the name of a log"));
    FICUS_TRY(log.position, natural(logs.value().member("position"), "a position"));
    if (!stays_inside(log.log)) return fail(ErrorCode::corrupt, "strange log: " + log.log);
  }
  for (json::JsonItems files(root.member("files")); files.next();) {
    BackupFile& file = manifest.files.emplace_back();
    FICUS_TRY(file.file, text_of(files.value().member("file"), "the name of a file"));
    FICUS_TRY(file.bytes, natural(files.value().member("bytes"), "a number of bytes"));
    FICUS_TRY(const std::uint64_t crc, natural(files.value().member("crc32c"), "a checksum"));
    if (crc > UINT32_MAX) return fail(ErrorCode::corrupt, "strange checksum of " + file.file);
    file.crc = static_cast<std::uint32_t>(crc);
    if (!stays_inside(file.file)) return fail(ErrorCode::corrupt, "strange file: " + file.file);
  }
  return manifest;
}

// ------------------------------------------------------------------------------------------- copy

Result<BackupFile> BackupCopy::prepare(const std::string& file) {
  FICUS_TRY_VOID(disk_.make_directories(parent_directory(directory_ + "/" + file)));
  return BackupFile{.file = file};
}

Status BackupCopy::sync_parent(const std::string& file) {
  return disk_.sync_directory(parent_directory(directory_ + "/" + file));
}

Status BackupCopy::copy_part(const std::string& from, const std::string& file,
                             std::uint64_t bytes) {
  FICUS_TRY(BackupFile result, prepare(file));
  FICUS_TRY(const std::unique_ptr<File> in, disk_.open(from, OpenMode::read));
  FICUS_TRY(const std::unique_ptr<File> out, disk_.open(directory_ + "/" + file, OpenMode::create));
  files_.push_back(result);
  FICUS_TRY_VOID(transfer(*in, out.get(), bytes, files_.back(), progress_));
  if (bytes != UINT64_MAX && files_.back().bytes != bytes) {
    return fail(ErrorCode::corrupt,
                fmt::format("{} has {} bytes, expected {}", from, files_.back().bytes, bytes));
  }
  FICUS_TRY_VOID(out->sync());
  ++progress_.files;
  return sync_parent(file);
}

Status BackupCopy::copy(const std::string& from, const std::string& file) {
  return copy_part(from, file, UINT64_MAX);
}

Status BackupCopy::keep(const std::string& from, const std::string& file) {
  FICUS_TRY_VOID(prepare(file));
  if (!disk_.link(from, directory_ + "/" + file)) return copy(from, file);
  return add_present(file);
}

Status BackupCopy::add_present(const std::string& file) {
  FICUS_TRY(const std::unique_ptr<File> in, disk_.open(directory_ + "/" + file, OpenMode::read));
  files_.push_back({.file = file});
  FICUS_TRY_VOID(transfer(*in, nullptr, UINT64_MAX, files_.back(), progress_));
  ++progress_.files;
  return sync_parent(file);
}

Status BackupCopy::copy_log(const std::string& from, const std::string& directory,
                            std::uint64_t position) {
  FICUS_TRY(const std::vector<log::Position> snapshots, log::list_snapshots(disk_, from));
  for (const log::Position at : snapshots) {
    // A newer one counts on records that are not in the backup.
    if (at.offset > position) continue;
    FICUS_TRY_VOID(keep(log::snapshot_path(from, at), log::snapshot_path(directory, at)));
  }
  FICUS_TRY(const std::vector<log::Position> segments, log::list_segments(disk_, from));
  for (std::size_t i = 0; i < segments.size(); ++i) {
    const log::Position first = segments[i];
    if (first.offset > position || (first.offset == position && i > 0)) continue;
    const std::string path = log::segment_path(from, first);
    const std::string file = log::segment_path(directory, first);
    const bool is_full = i + 1 < segments.size() && segments[i + 1].offset <= position;
    if (is_full) {
      FICUS_TRY_VOID(keep(path, file));
    } else {
      FICUS_TRY_VOID(
          copy_part(path, file, log::segment_file_bytes(first, log::Position{position})));
    }
  }
  return {};
}

void BackupCopy::remove_all() {
  for (const BackupFile& file : files_) {
    static_cast<void>(disk_.remove(directory_ + "/" + file.file));
  }
  files_.clear();
}

// ---------------------------------------------------------------------------------------- restore

Status require_empty(Disk& disk, const std::string& directory) {
  if (!disk.exists(directory)) return {};
  FICUS_TRY(const std::vector<std::string> names, disk.list(directory));
  if (names.empty()) return {};
  return fail(ErrorCode::conflict, fmt::format("{} is not empty ({}): name a directory that is, or "
                                               "does not exist yet",
                                               directory, names.front()));
}

namespace {

Result<BackupManifest> read_manifest(Disk& disk, const std::string& directory) {
  const std::string path = directory + "/" + std::string(kBackupManifest);
  if (!disk.exists(path)) {
    return fail(ErrorCode::not_found,
                fmt::format("{} is no whole backup: {} is missing, which is written last",
                            directory, kBackupManifest));
  }
  FICUS_TRY(const std::string text, read_file(disk, path, kManifestBytesMax));
  return BackupManifest::decode(text);
}

}  // namespace

Result<BackupManifest> verify_backup(Disk& disk, const std::string& directory,
                                     CopyProgress& progress) {
  FICUS_TRY(BackupManifest manifest, read_manifest(disk, directory));
  for (const BackupFile& expected : manifest.files) {
    FICUS_TRY(const std::unique_ptr<File> in,
              disk.open(directory + "/" + expected.file, OpenMode::read));
    BackupFile found{.file = expected.file};
    FICUS_TRY_VOID(transfer(*in, nullptr, UINT64_MAX, found, progress));
    FICUS_TRY_VOID(compare(expected, found));
    ++progress.files;
  }
  FICUS_TRY_VOID(check_logs(disk, directory, manifest));
  return manifest;
}

Result<BackupManifest> restore_backup(Disk& disk, const std::string& directory,
                                      const std::string& data, CopyProgress& progress) {
  FICUS_TRY(BackupManifest manifest, read_manifest(disk, directory));
  FICUS_TRY_VOID(require_empty(disk, data));
  const std::string unfinished = data + ".restoring";
  if (auto empty = require_empty(disk, unfinished); !empty) {
    return in_context("an earlier restore did not finish; remove what it left: ",
                      std::move(empty).error());
  }
  FICUS_TRY_VOID(disk.make_directories(unfinished));
  BackupCopy copy(disk, unfinished, progress);
  for (const BackupFile& expected : manifest.files) {
    Status copied = copy.copy(directory + "/" + expected.file, expected.file);
    if (copied) copied = compare(expected, copy.files().back());
    if (!copied) {
      copy.remove_all();
      return std::unexpected(std::move(copied).error());
    }
  }
  FICUS_TRY_VOID(check_logs(disk, unfinished, manifest));
  FICUS_TRY_VOID(disk.rename(unfinished, data));
  FICUS_TRY_VOID(disk.sync_directory(parent_directory(data)));
  return manifest;
}

}  // namespace ficus::app
