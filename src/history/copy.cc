#include <fmt/format.h>

#include "history/duck_store.h"

namespace ficus::history {
namespace {

Status copy(File& from, const std::string& to, Disk& disk) {
  FICUS_TRY(const std::unique_ptr<File> out, disk.open(to, OpenMode::create));
  std::vector<std::byte> buffer(std::size_t{1} << 20);
  for (std::uint64_t offset = 0;;) {
    FICUS_TRY(const std::size_t count, from.read_at(offset, buffer));
    if (count == 0) return out->sync();
    FICUS_TRY_VOID(out->append(std::span(buffer).first(count)));
    offset += count;
  }
}

}  // namespace

Result<std::vector<FinishedFile>> History::copy_database(const std::string&) {
  return fail(ErrorCode::unavailable, "this history has no files that could be copied");
}

// Nobody but the thread that commits writes to the database and its log, and it is busy here: what
// lies on the disk is what a crash at this moment would leave, which DuckDB recovers from.
Result<std::vector<FinishedFile>> DuckHistory::copy_database(const std::string& to_directory) {
  if (must_reopen_) FICUS_TRY_VOID(reopen());
  FICUS_TRY_VOID(copy(*database_file_, to_directory + "/history.duckdb", disk_));
  const std::string log_path = database_path() + ".wal";
  if (disk_.exists(log_path)) {
    FICUS_TRY(const std::unique_ptr<File> log, disk_.open(log_path, OpenMode::read));
    FICUS_TRY_VOID(copy(*log, to_directory + "/history.duckdb.wal", disk_));
  }
  std::vector<FinishedFile> files;
  for (const auto& [name, type] : catalog_.types()) {
    for (const SealedFile& file : type.files) files.push_back({file.file, file.bytes, file.crc});
  }
  return files;
}

}  // namespace ficus::history
