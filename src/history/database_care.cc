#include "history/database_care.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstddef>
#include <string_view>
#include <vector>

#include "base/time_text.h"

namespace ficus::history {
namespace {

// damaged/history-TIME and this ending; what is there already is never overwritten.
std::string new_name(Disk& disk, const std::string& directory, Timestamp now,
                     std::string_view ending) {
  const CivilTime t = to_civil(now);
  const std::string stem = fmt::format("damaged/history-{:04}{:02}{:02}T{:02}{:02}{:02}Z", t.year,
                                       t.month, t.day, t.hour, t.minute, t.second);
  std::string name = fmt::format("{}{}", stem, ending);
  for (int i = 2; disk.exists(directory + "/" + name); ++i) {
    name = fmt::format("{}-{}{}", stem, i, ending);
  }
  return name;
}

}  // namespace

bool is_damage(const Error& error) {
  if (error.code == ErrorCode::corrupt) return true;
  // DuckDB has no error kind for it. These are its words (1.5) for a header, block, log or catalog
  // that does not check out.
  constexpr std::array<std::string_view, 10> kWords = {
      "not a valid DuckDB database",
      "Corrupt",
      "corrupt",
      "checksum",
      "Could not read enough bytes",
      "Could not read all bytes",
      "replaying WAL",
      "Serialization Error",
      "deserialize",
      "INTERNAL Error",
  };
  return std::any_of(kWords.begin(), kWords.end(),
                     [&](std::string_view word) { return error.message.contains(word); });
}

std::optional<std::uint64_t> torn_entry(const Error& error) {
  // DuckDB 1.5; it names the place behind the entry's length and checksum.
  constexpr std::string_view kWords = "Corrupt WAL file: entry at byte position ";
  constexpr std::uint64_t kEntryHeadBytes = 16;
  const std::size_t found = error.message.find(kWords);
  if (found == std::string::npos) return std::nullopt;
  const char* const begin = error.message.data() + found + kWords.size();
  std::uint64_t at = 0;
  const auto parsed = std::from_chars(begin, error.message.data() + error.message.size(), at);
  if (parsed.ec != std::errc() || at < kEntryHeadBytes) return std::nullopt;
  return at - kEntryHeadBytes;
}

Status cut_write_ahead_log(Disk& disk, const std::string& directory, std::uint64_t at,
                           Timestamp now, MaintenanceReport& report) {
  FICUS_TRY(const auto log, disk.open(directory + "/history.duckdb.wal", OpenMode::append));
  FICUS_TRY(const std::uint64_t size, log->size());
  if (at >= size) {
    return fail(ErrorCode::corrupt,
                fmt::format("history.duckdb.wal: nothing to cut at {} of {}", at, size));
  }
  const std::string kept = new_name(disk, directory, now, ".wal-tail");
  FICUS_TRY_VOID(disk.make_directories(directory + "/damaged"));
  FICUS_TRY(const auto tail, disk.open(directory + "/" + kept, OpenMode::create));
  std::vector<std::byte> piece(std::size_t{256} << 10);
  for (std::uint64_t from = at; from < size;) {
    FICUS_TRY(const std::size_t count, log->read_at(from, piece));
    if (count == 0) break;
    FICUS_TRY_VOID(tail->append({piece.data(), count}));
    from += count;
  }
  FICUS_TRY_VOID(tail->sync());
  FICUS_TRY_VOID(disk.sync_directory(directory + "/damaged"));
  FICUS_TRY_VOID(log->truncate(at));
  FICUS_TRY_VOID(log->sync());
  report.cut.push_back(
      fmt::format("history.duckdb.wal: {} of {} bytes behind the last whole entry, "
                  "kept as {}",
                  size - at, size, kept));
  return {};
}

Status set_database_aside(Disk& disk, const std::string& directory, const std::string& complaint,
                          Timestamp now, MaintenanceReport& report) {
  const std::string kept = new_name(disk, directory, now, ".duckdb");
  FICUS_TRY_VOID(disk.make_directories(directory + "/damaged"));
  // The log first: one without its database is nothing, a database without its log is an older one.
  for (const char* const ending : {".wal", ""}) {
    const std::string from = directory + "/history.duckdb" + ending;
    if (disk.exists(from)) FICUS_TRY_VOID(disk.rename(from, directory + "/" + kept + ending));
  }
  FICUS_TRY_VOID(disk.sync_directory(directory + "/damaged"));
  FICUS_TRY_VOID(disk.sync_directory(directory));
  report.set_aside.push_back(fmt::format("history.duckdb: {}, kept as {}", complaint, kept));
  return {};
}

}  // namespace ficus::history
