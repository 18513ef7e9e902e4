#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/disk.h"
#include "history/duck_history.h"
#include "history/faulty_disk_test_support.h"
#include "history/history.h"
#include "model/schema.h"

namespace ficus::history {

// The thread sanitizer makes everything many times slower and larger, and reports DuckDB's
// allocator in a child that was forked: tests of limits in seconds and bytes, and of forks, leave
// it out.
#if defined(__SANITIZE_THREAD__)
inline constexpr bool kUnderThreadSanitizer = true;
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
inline constexpr bool kUnderThreadSanitizer = true;
#else
inline constexpr bool kUnderThreadSanitizer = false;
#endif
#else
inline constexpr bool kUnderThreadSanitizer = false;
#endif

// A folder of the test's own, removed at its end.
class TestFolder {
 public:
  TestFolder();
  TestFolder(const TestFolder&) = delete;
  TestFolder& operator=(const TestFolder&) = delete;
  ~TestFolder();
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

// An answer as text: one string a row, cells joined by '|', NULL for null.
class TextSink final : public RowSink {
 public:
  void columns(std::span<const ResultColumn> columns) override {
    header.assign(columns.begin(), columns.end());
  }
  bool row(std::span<const Cell> cells) override;

  std::vector<ResultColumn> header;
  std::vector<std::string> rows;
  std::vector<CellKind> kinds;  // of the last row
  std::size_t stop_after = SIZE_MAX;
};

std::string cell_text(const Cell& cell);

// A city with a history in a folder; `open` again is a restart.
class TestCity {
 public:
  explicit TestCity(DuckHistoryOptions options = {});

  void close() { history.reset(); }
  void open();  // expects success
  Result<std::unique_ptr<History>> try_open();

  // The rows of a query, sorted by nothing; an error is the only row.
  std::vector<std::string> rows(const std::string& sql, QueryLimits limits = {});
  Result<QuerySummary> query(const std::string& sql, TextSink& sink, QueryLimits limits = {});
  ErrorCode refusal(const std::string& sql);  // of a query that must fail
  std::string one(const std::string& sql);    // the only row

  // `count` rows of Vehicle v0..v9 with speed, heading, location, line ...; 7 attributes, one
  // second apart from second `first`.
  std::shared_ptr<const ObservationBatch> vehicles(int first, int count);
  void append(std::shared_ptr<const ObservationBatch> batch, std::string source = "test");
  void commit(std::uint64_t position);
  // Until a report names a sealed file.
  MaintenanceReport maintain(Timestamp now);

  TestFolder folder;
  Schema schema;
  FaultyDisk disk;  // fails when told to
  SystemClock clock;
  DuckHistoryOptions options;
  MaintenanceReport open_report;
  std::unique_ptr<History> history;
};

}  // namespace ficus::history
