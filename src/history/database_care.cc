#include "history/database_care.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <string_view>

#include "base/time_text.h"

namespace ficus::history {

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

Status set_database_aside(Disk& disk, const std::string& directory, const std::string& complaint,
                          Timestamp now, MaintenanceReport& report) {
  const CivilTime t = to_civil(now);
  const std::string stamp = fmt::format("{:04}{:02}{:02}T{:02}{:02}{:02}Z", t.year, t.month, t.day,
                                        t.hour, t.minute, t.second);
  std::string kept = "damaged/history-" + stamp + ".duckdb";
  for (int i = 2; disk.exists(directory + "/" + kept); ++i) {
    kept = fmt::format("damaged/history-{}-{}.duckdb", stamp, i);
  }
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
