#include "history/sealer.h"

#include <fmt/format.h>

#include <chrono>
#include <cmath>
#include <utility>
#include <vector>

#include "base/check.h"
#include "base/crc32c.h"
#include "base/time_text.h"
#include "history/compact.h"
#include "history/sealed_metadata.h"

namespace ficus::history {
namespace {

// A DECIMAL of 15 digits comes back as the same double: 10^15 < 2^53.
constexpr int kDigitsMax = 15;
constexpr int kDigitsSmall = 9;  // four bytes in the file instead of eight

// A question for one entity reads the row groups that hold it, whole, but looks at the statistics
// of all of them, several times while it is planned. Half of this is no quicker and 7 % larger,
// double this 2 % smaller and a third slower (vehicle data, DuckDB 1.5).
constexpr int kRowGroupRows = 122'880;
// A dictionary pays for words and ids. Numbers that change little from row to row take 25 to 40 %
// less as differences (DELTA_BINARY_PACKED), which DuckDB uses where a dictionary would be larger.
constexpr int kDictionaryMax = 200;

// A number, or a point (both of its numbers), with declared decimals.
struct NumberColumn {
  std::size_t index;  // in the type's columns
  int decimals;
  std::vector<std::string> numbers;  // as SQL
};

std::vector<NumberColumn> decimal_candidates(const SealJob& job) {
  std::vector<NumberColumn> out;
  for (std::size_t i = 0; i < job.type.columns.size(); ++i) {
    const HistoryColumn& column = job.type.columns[i];
    const auto found = job.decimals.find(column.name);
    if (found == job.decimals.end()) continue;
    if (found->second < 0 || found->second > kDigitsSmall) continue;
    const std::string name = quoted_identifier(column.name);
    if (column.kind == ValueKind::number) out.push_back({i, found->second, {name}});
    if (column.kind == ValueKind::point) {
      out.push_back({i, found->second, {name + ".lon", name + ".lat"}});
    }
  }
  return out;
}

std::string statistics_statement(const SealJob& job, const std::vector<NumberColumn>& candidates) {
  std::string sql =
      "SELECT count(*), epoch_us(min(\"observedAt\")), epoch_us(max(\"observedAt\")), "
      "epoch_us(max(\"receivedAt\"))";
  for (const NumberColumn& candidate : candidates) {
    std::string fits;
    std::string largest;
    for (const std::string& number : candidate.numbers) {
      const std::string decimal =
          fmt::format("TRY_CAST({} AS DECIMAL({}, {}))", number, kDigitsMax, candidate.decimals);
      fits += fmt::format("{0}coalesce(CAST({1} AS DOUBLE) = {2}, {2} IS NULL)",
                          fits.empty() ? "" : " AND ", decimal, number);
      largest += fmt::format("{}max(abs({}))", largest.empty() ? "" : ", ", number);
    }
    sql += fmt::format(
        ", CAST(coalesce(bool_and({}), true) AS BIGINT), coalesce(greatest({}), 0::DOUBLE)", fits,
        largest);
  }
  return sql + " FROM " + job.type.tail_table(job.tail);
}

// The type of each column in the file.
std::vector<std::string> file_types(const SealJob& job, const std::vector<NumberColumn>& candidates,
                                    const DatumRow& statistics) {
  std::vector<std::string> types;
  types.reserve(job.type.columns.size());
  for (const HistoryColumn& column : job.type.columns) types.emplace_back(sql_type(column.kind));
  for (std::size_t i = 0; i < candidates.size(); ++i) {
    if (integer_of(statistics[4 + 2 * i]) == 0) continue;
    const auto* largest = std::get_if<double>(&statistics[5 + 2 * i]);
    const int decimals = candidates[i].decimals;
    const bool is_small =
        largest != nullptr && *largest < std::pow(10.0, kDigitsSmall - decimals) - 1;
    const std::string type =
        fmt::format("DECIMAL({},{})", is_small ? kDigitsSmall : kDigitsMax, decimals);
    types[candidates[i].index] =
        candidates[i].numbers.size() == 1 ? type : fmt::format("STRUCT(lon {0}, lat {0})", type);
  }
  return types;
}

std::string compact(Timestamp t) {
  const CivilTime civil = to_civil(t);
  return fmt::format("{:04}{:02}{:02}T{:02}{:02}{:02}Z", civil.year, civil.month, civil.day,
                     civil.hour, civil.minute, civil.second);
}

std::string copy_statement(const SealJob& job, const std::vector<std::string>& types,
                           const std::string& path, const std::string& metadata) {
  std::string columns =
      "id, \"observedAt\", CAST(\"receivedAt\" AS TIMESTAMP_MS) AS \"receivedAt\", source";
  for (std::size_t i = 0; i < types.size(); ++i) {
    const std::string name = quoted_identifier(job.type.columns[i].name);
    columns += fmt::format(", CAST({0} AS {1}) AS {0}", name, types[i]);
  }
  return sealing_statement(columns, job.type.tail_table(job.tail), path, metadata);
}

std::string layout_text(const SealJob& job, const std::vector<std::string>& types) {
  std::string layout;
  for (std::size_t i = 0; i < types.size(); ++i) {
    if (i > 0) layout += ", ";
    layout += job.type.columns[i].name + " " + types[i];
  }
  return layout;
}

Status make_durable(Disk& disk, const std::string& temporary, const std::string& path) {
  FICUS_TRY(const std::unique_ptr<File> file, disk.open(temporary, OpenMode::append));
  FICUS_TRY_VOID(file->sync());
  FICUS_TRY_VOID(disk.rename(temporary, path));
  return disk.sync_directory(parent_directory(path));
}

// A tail that has waited lacks the columns that the type got meanwhile.
Status keep_columns_of_tail(DuckConnection& connection, SealJob& job) {
  const std::string table = fmt::format("{}_{}", job.type.view, job.tail.number);
  FICUS_TRY(const auto rows, connection.select("SELECT column_name FROM duckdb_columns() WHERE "
                                               "schema_name = 'tail' AND table_name = $1",
                                               {table}));
  NameSet names;
  for (const DatumRow& row : rows) names.take(text_of(row[0]));
  std::erase_if(job.type.columns,
                [&names](const HistoryColumn& column) { return !names.contains(column.name); });
  return {};
}

}  // namespace

Result<std::uint32_t> file_checksum(Disk& disk, const std::string& path) {
  FICUS_TRY(const std::unique_ptr<File> file, disk.open(path, OpenMode::read));
  std::vector<std::byte> buffer(std::size_t{1} << 20);
  std::uint32_t crc = 0;
  for (std::uint64_t offset = 0;;) {
    FICUS_TRY(const std::size_t count, file->read_at(offset, buffer));
    if (count == 0) return crc;
    crc = crc32c(std::span(buffer).first(count), crc);
    offset += count;
  }
}

Result<std::optional<SealedFile>> seal_tail(DuckConnection& connection, Disk& disk,
                                            const std::string& directory, SealJob job) {
  FICUS_TRY_VOID(keep_columns_of_tail(connection, job));
  const std::vector<NumberColumn> candidates = decimal_candidates(job);
  FICUS_TRY(const auto statistics, connection.select(statistics_statement(job, candidates)));
  const DatumRow& row = statistics.at(0);
  SealedFile file;
  file.row_count = static_cast<std::uint64_t>(integer_of(row[0]));
  if (file.row_count == 0) return std::optional<SealedFile>();
  file.number = job.number;
  file.first_observed = {integer_of(row[1])};
  file.last_observed = {integer_of(row[2])};
  file.last_received = {integer_of(row[3])};
  file.file = sealed_name(job.type, file);
  const std::vector<std::string> types = file_types(job, candidates, row);
  file.layout = layout_text(job, types);
  file.spans = job.tail.spans;
  const std::string statement = copy_statement(job, types, directory + "/" + file.file + ".tmp",
                                               sealed_metadata(job.type, file, {}));
  FICUS_TRY_VOID(write_sealed(connection, disk, directory, statement, file));
  return std::optional(std::move(file));
}

std::string sealed_name(const HistoryType& type, const SealedFile& file) {
  return fmt::format("{}/{}-{}-{}.parquet", type.view, compact(file.first_observed),
                     compact(file.last_observed), file.number);
}

std::string sealing_statement(const std::string& columns, const std::string& from,
                              const std::string& path, const std::string& metadata) {
  return fmt::format(
      "COPY (SELECT {} FROM {} ORDER BY id, \"observedAt\") TO {} (FORMAT parquet, "
      "PARQUET_VERSION v2, COMPRESSION zstd, ROW_GROUP_SIZE {}, DICTIONARY_SIZE_LIMIT {}, "
      "USE_TMP_FILE false, KV_METADATA {})",
      columns, from, quoted_literal(path), kRowGroupRows, kDictionaryMax, metadata);
}

namespace {

Status write_and_verify(DuckConnection& connection, Disk& disk, const std::string& path,
                        const std::string& statement, SealedFile& file) {
  const std::string temporary = path + ".tmp";
  FICUS_TRY_VOID(disk.make_directories(parent_directory(path)));
  FICUS_TRY_VOID(connection.run(statement));
  FICUS_TRY(const auto written, connection.select("SELECT count(*) FROM read_parquet(" +
                                                  quoted_literal(temporary) + ")"));
  if (static_cast<std::uint64_t>(integer_of(written.at(0)[0])) != file.row_count) {
    return fail(ErrorCode::internal, fmt::format("{}: {} rows written instead of {}", temporary,
                                                 integer_of(written.at(0)[0]), file.row_count));
  }
  FICUS_TRY(file.crc, file_checksum(disk, temporary));
  FICUS_TRY_VOID(make_durable(disk, temporary, path));
  FICUS_TRY(const std::unique_ptr<File> opened, disk.open(path, OpenMode::read));
  FICUS_TRY(file.bytes, opened->size());
  return {};
}

}  // namespace

Status write_sealed(DuckConnection& connection, Disk& disk, const std::string& directory,
                    const std::string& statement, SealedFile& file) {
  const std::string path = directory + "/" + file.file;
  Status status = write_and_verify(connection, disk, path, statement, file);
  if (status) return status;
  // Nobody else knows the file. What cannot be removed either goes at the next start.
  for (const std::string& left : {path + ".tmp", path}) {
    if (disk.exists(left)) (void)disk.remove(left);
  }
  return status;
}

SealOutcome run_seal_job(DuckConnection& connection, Disk& disk, const std::string& directory,
                         const SealJob& job) {
  if (job.merge.empty()) {
    return {job.type.type, job.tail.number, seal_tail(connection, disk, directory, job), {}};
  }
  SealOutcome outcome{job.type.type, 0, merge_files(connection, disk, directory, job), {}};
  for (const SealedFile& file : job.merge) outcome.merged.push_back(file.file);
  return outcome;
}

Status Sealer::start(DuckDatabase& database, SealJob job) {
  FICUS_CHECK(is_idle());
  FICUS_TRY(connection_, DuckConnection::open(database));
  done_ = false;
  stopping_ = false;
  thread_ = std::thread([this, job = std::move(job)] {
    if (stopping_) {
      outcome_.emplace(SealOutcome{job.type.type,
                                   job.tail.number,
                                   fail(ErrorCode::timed_out, "stopped before it began"),
                                   {}});
    } else {
      outcome_.emplace(run_seal_job(*connection_, disk_, directory_, job));
    }
    done_ = true;
  });
  return {};
}

std::optional<SealOutcome> Sealer::take_outcome() {
  if (is_idle() || !done_) return std::nullopt;
  thread_.join();
  connection_.reset();
  return std::exchange(outcome_, std::nullopt);
}

void Sealer::stop() {
  if (is_idle()) return;
  stopping_ = true;
  // An interrupt that comes between two statements is lost: repeat it.
  while (!done_) {
    connection_->interrupt();
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
  thread_.join();
  connection_.reset();
  outcome_.reset();
}

}  // namespace ficus::history
