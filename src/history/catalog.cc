#include "history/catalog.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/check.h"

namespace ficus::history {
namespace {

// quarantine and those in main whose names begin with ficus_ users may read.
constexpr const char* kTables[] = {
    "CREATE SCHEMA IF NOT EXISTS ficus",
    "CREATE SCHEMA IF NOT EXISTS tail",
    "CREATE TABLE IF NOT EXISTS ficus_position (shard BIGINT, position UBIGINT)",
    "CREATE TABLE IF NOT EXISTS ficus_sealed (type VARCHAR, file VARCHAR, number BIGINT, "
    "firstObservedAt TIMESTAMP, lastObservedAt TIMESTAMP, lastReceivedAt TIMESTAMP, "
    "\"rows\" BIGINT, bytes BIGINT, crc32c BIGINT, layout VARCHAR, spans VARCHAR)",
    "CREATE TABLE IF NOT EXISTS ficus_damaged (type VARCHAR, file VARCHAR, "
    "firstObservedAt TIMESTAMP, lastObservedAt TIMESTAMP, \"rows\" BIGINT, waiting VARCHAR, "
    "lost VARCHAR)",
    "CREATE TABLE IF NOT EXISTS quarantine (source VARCHAR, receivedAt TIMESTAMP, \"key\" VARCHAR, "
    "reason VARCHAR, bytes BLOB)",
    "CREATE TABLE IF NOT EXISTS ficus.types (type VARCHAR, view VARCHAR)",
    "CREATE TABLE IF NOT EXISTS ficus.columns (type VARCHAR, number BIGINT, attribute VARCHAR, "
    "kind BIGINT, name VARCHAR)",
    "CREATE TABLE IF NOT EXISTS ficus.tails (type VARCHAR, number BIGINT, createdAt TIMESTAMP, "
    "sealing BOOLEAN, span VARCHAR)",
};

// Those of our own tables that users may read.
constexpr const char* kOpenTables[] = {"quarantine", "ficus_position", "ficus_sealed",
                                       "ficus_damaged"};

std::string timestamp_literal(Timestamp t) { return fmt::format("make_timestamp({})", t.micros); }

Timestamp timestamp_of(const Datum& datum) { return {integer_of(datum)}; }

std::string column_definition(const HistoryColumn& column) {
  return quoted_identifier(column.name) + " " + sql_type(column.kind);
}

std::string create_tail(const HistoryType& type, const Tail& tail) {
  std::string sql = "CREATE TABLE " + type.tail_table(tail) +
                    " (id VARCHAR, \"observedAt\" TIMESTAMP, \"receivedAt\" TIMESTAMP, "
                    "source VARCHAR";
  for (const HistoryColumn& column : type.columns) sql += ", " + column_definition(column);
  return sql + ")";
}

std::string insert_tail(const HistoryType& type, const Tail& tail) {
  return fmt::format("INSERT INTO ficus.tails VALUES ({}, {}, {}, false, {})",
                     quoted_literal(type.type), tail.number, timestamp_literal(tail.created_at),
                     quoted_literal(spans_text(tail.spans)));
}

std::string insert_column(std::string_view type, std::size_t number, const HistoryColumn& column) {
  return fmt::format("INSERT INTO ficus.columns VALUES ({}, {}, {}, {}, {})", quoted_literal(type),
                     number, quoted_literal(column.attribute), static_cast<int>(column.kind),
                     quoted_literal(column.name));
}

std::string insert_file(const HistoryType& type, const SealedFile& file) {
  return fmt::format("INSERT INTO ficus_sealed VALUES ({}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {})",
                     quoted_literal(type.type), quoted_literal(file.file), file.number,
                     timestamp_literal(file.first_observed), timestamp_literal(file.last_observed),
                     timestamp_literal(file.last_received), file.row_count, file.bytes, file.crc,
                     quoted_literal(file.layout), quoted_literal(spans_text(file.spans)));
}

std::string insert_damaged(const DamagedFile& file) {
  return fmt::format("INSERT INTO ficus_damaged VALUES ({}, {}, {}, {}, {}, {}, {})",
                     quoted_literal(file.type), quoted_literal(file.file),
                     timestamp_literal(file.first_observed), timestamp_literal(file.last_observed),
                     file.row_count, quoted_literal(spans_text(file.waiting)),
                     quoted_literal(spans_text(file.lost)));
}

// Or takes it away, when nothing is missing any more.
std::string update_damaged(const DamagedFile& file) {
  const std::string where = " WHERE file = " + quoted_literal(file.file);
  if (file.waiting.empty() && file.lost.empty()) return "DELETE FROM ficus_damaged" + where;
  return fmt::format("UPDATE ficus_damaged SET waiting = {}, lost = {}",
                     quoted_literal(spans_text(file.waiting)),
                     quoted_literal(spans_text(file.lost))) +
         where;
}

}  // namespace

const char* sql_type(ValueKind kind) {
  switch (kind) {
    case ValueKind::boolean:
      return "BOOLEAN";
    case ValueKind::number:
      return "DOUBLE";
    case ValueKind::time:
      return "TIMESTAMP";
    case ValueKind::point:
      return "STRUCT(lon DOUBLE, lat DOUBLE)";
    case ValueKind::none:
    case ValueKind::text:
    case ValueKind::geometry:
    case ValueKind::relationship:
    case ValueKind::json:
      return "VARCHAR";
  }
  std::unreachable();
}

const HistoryColumn* HistoryType::find(std::string_view attribute, ValueKind kind) const {
  for (const HistoryColumn& column : columns) {
    if (column.kind == kind && column.attribute == attribute) return &column;
  }
  return nullptr;
}

std::string HistoryType::tail_table(const Tail& tail) const {
  return "tail." + quoted_identifier(fmt::format("{}_{}", view, tail.number));
}

std::string union_statement(const HistoryType& type, const std::string& directory) {
  std::string sql;
  const auto add = [&sql](const std::string& branch) {
    if (!sql.empty()) sql += " UNION ALL BY NAME ";
    sql += "SELECT * FROM " + branch;
  };
  // The active tail has every column, so it goes first.
  for (std::size_t i = type.tails.size(); i-- > 0;) add(type.tail_table(type.tails[i]));
  std::map<std::string, std::string> lists;
  for (const SealedFile& file : type.files) {
    std::string& list = lists[file.layout];
    if (!list.empty()) list += ", ";
    list += quoted_literal(directory + "/" + file.file);
  }
  for (const auto& [layout, list] : lists) add("read_parquet([" + list + "])");
  return sql;
}

Result<Catalog> Catalog::load(DuckConnection& connection, std::string directory) {
  Catalog catalog;
  catalog.directory_ = std::move(directory);
  DuckTransaction transaction(connection);
  FICUS_TRY_VOID(transaction.begin());
  for (const char* sql : kTables) FICUS_TRY_VOID(connection.run(sql));
  FICUS_TRY_VOID(transaction.commit());
  FICUS_TRY_VOID(catalog.read_tables(connection));
  return catalog;
}

Status Catalog::read_tables(DuckConnection& connection) {
  FICUS_TRY(const auto types, connection.select("SELECT type, view FROM ficus.types"));
  for (const DatumRow& row : types) {
    HistoryType& type = types_[text_of(row[0])];
    type.type = text_of(row[0]);
    type.view = text_of(row[1]);
    views_.take(type.view);
  }
  FICUS_TRY(const auto columns, connection.select("SELECT type, attribute, kind, name FROM "
                                                  "ficus.columns ORDER BY type, number"));
  for (const DatumRow& row : columns) {
    types_[text_of(row[0])].columns.push_back(
        {text_of(row[1]), static_cast<ValueKind>(integer_of(row[2])), text_of(row[3])});
  }
  FICUS_TRY(
      const auto tails,
      connection.select("SELECT type, number, epoch_us(createdAt), sealing::BIGINT, span FROM "
                        "ficus.tails ORDER BY type, number"));
  for (const DatumRow& row : tails) {
    FICUS_TRY(LogSpans spans, spans_of(text_of(row[4])));
    const bool is_sealing = integer_of(row[3]) != 0;
    if (!is_sealing && spans.empty()) {
      return fail(ErrorCode::corrupt, "a tail's stretch of the log is unclear");
    }
    types_[text_of(row[0])].tails.push_back(
        {integer_of(row[1]), timestamp_of(row[2]), is_sealing, std::move(spans)});
    next_number_ = std::max(next_number_, integer_of(row[1]) + 1);
  }
  FICUS_TRY(
      const auto files,
      connection.select("SELECT type, file, number, epoch_us(firstObservedAt), "
                        "epoch_us(lastObservedAt), epoch_us(lastReceivedAt), \"rows\", bytes, "
                        "crc32c, layout, spans FROM ficus_sealed ORDER BY number"));
  for (const DatumRow& row : files) {
    FICUS_TRY(LogSpans spans, spans_of(text_of(row[10])));
    types_[text_of(row[0])].files.push_back(
        {text_of(row[1]), integer_of(row[2]), timestamp_of(row[3]), timestamp_of(row[4]),
         timestamp_of(row[5]), static_cast<std::uint64_t>(integer_of(row[6])),
         static_cast<std::uint64_t>(integer_of(row[7])),
         static_cast<std::uint32_t>(integer_of(row[8])), text_of(row[9]), std::move(spans)});
    next_number_ = std::max(next_number_, integer_of(row[2]) + 1);
  }
  FICUS_TRY_VOID(read_damaged(connection));
  for (const auto& [name, type] : types_) {
    if (type.tails.empty() || type.view.empty()) {
      return fail(ErrorCode::corrupt, "the history's catalog is incomplete for type " + name);
    }
  }
  return {};
}

Status Catalog::read_damaged(DuckConnection& connection) {
  FICUS_TRY(const auto files,
            connection.select("SELECT type, file, epoch_us(firstObservedAt), "
                              "epoch_us(lastObservedAt), \"rows\", waiting, lost FROM "
                              "ficus_damaged ORDER BY file"));
  for (const DatumRow& row : files) {
    FICUS_TRY(LogSpans waiting, spans_of(text_of(row[5])));
    FICUS_TRY(LogSpans lost, spans_of(text_of(row[6])));
    damaged_.push_back({text_of(row[0]), text_of(row[1]), timestamp_of(row[2]),
                        timestamp_of(row[3]), static_cast<std::uint64_t>(integer_of(row[4])),
                        std::move(waiting), std::move(lost)});
  }
  return {};
}

const HistoryType* Catalog::find(std::string_view type) const {
  const auto found = types_.find(std::string(type));
  return found == types_.end() ? nullptr : &found->second;
}

TableScope Catalog::tables() const {
  TableScope scope;
  scope.readable.insert(std::begin(kOpenTables), std::end(kOpenTables));
  for (const auto& [name, type] : types_) scope.readable.insert(folded(type.view));
  return scope;
}

Result<TableScope> readable_tables(DuckConnection& connection,
                                   const std::vector<std::string>& readable_types) {
  TableScope scope;
  scope.is_restricted = true;
  const auto add = [&](const std::string& type, const std::string& view) {
    const bool is_readable =
        std::find(readable_types.begin(), readable_types.end(), type) != readable_types.end();
    (is_readable ? scope.readable : scope.hidden).insert(folded(view));
  };
  for (const char* const table : kOpenTables) add(table, table);
  FICUS_TRY(const auto types, connection.select("SELECT type, view FROM ficus.types"));
  for (const DatumRow& row : types) add(text_of(row[0]), text_of(row[1]));
  return scope;
}

std::string Catalog::view_statement(const HistoryType& type) const {
  std::string columns = "id, \"observedAt\", \"receivedAt\", source";
  for (const HistoryColumn& column : type.columns) columns += ", " + quoted_identifier(column.name);
  return "CREATE OR REPLACE VIEW main." + quoted_identifier(type.view) + " AS SELECT " + columns +
         " FROM (" + union_statement(type, directory_) + ")";
}

Status Catalog::change(DuckConnection& connection, HistoryType next,
                       const std::vector<std::string>& statements) {
  DuckTransaction transaction(connection);
  FICUS_TRY_VOID(transaction.begin());
  for (const std::string& sql : statements) FICUS_TRY_VOID(connection.run(sql));
  FICUS_TRY_VOID(connection.run(view_statement(next)));
  FICUS_TRY_VOID(transaction.commit());
  types_[next.type] = std::move(next);
  return {};
}

Result<const HistoryType*> Catalog::add_type(DuckConnection& connection, std::string_view type,
                                             Timestamp now,
                                             const std::vector<std::uint64_t>& positions) {
  FICUS_CHECK(find(type) == nullptr);
  HistoryType next;
  next.type = type;
  next.view =
      is_reserved_view_name(type) ? views_.free_name(next.type + "_2") : views_.free_name(type);
  next.tails.push_back({next_number_, now, false, {{positions, positions}}});
  FICUS_TRY_VOID(change(connection, next,
                        {create_tail(next, next.active()), insert_tail(next, next.active()),
                         fmt::format("INSERT INTO ficus.types VALUES ({}, {})",
                                     quoted_literal(next.type), quoted_literal(next.view))}));
  views_.take(next.view);
  ++next_number_;
  return find(type);
}

Status Catalog::adopt(DuckConnection& connection, std::vector<HistoryType> types, Timestamp now,
                      std::uint32_t shard_count) {
  FICUS_CHECK(types_.empty());
  std::int64_t number = next_number_;
  for (const HistoryType& type : types) {
    for (const SealedFile& file : type.files) number = std::max(number, file.number + 1);
  }
  const std::vector<std::uint64_t> positions(shard_count, 0);
  DuckTransaction transaction(connection);
  FICUS_TRY_VOID(transaction.begin());
  for (std::uint32_t shard = 0; shard < shard_count; ++shard) {
    FICUS_TRY_VOID(connection.run(fmt::format("INSERT INTO ficus_position VALUES ({}, 0)", shard)));
  }
  for (HistoryType& type : types) {
    type.tails = {{number++, now, false, {{positions, positions}}}};
    std::vector<std::string> statements = {
        create_tail(type, type.active()), insert_tail(type, type.active()),
        fmt::format("INSERT INTO ficus.types VALUES ({}, {})", quoted_literal(type.type),
                    quoted_literal(type.view))};
    for (std::size_t i = 0; i < type.columns.size(); ++i) {
      statements.push_back(insert_column(type.type, i + 1, type.columns[i]));
    }
    for (const SealedFile& file : type.files) statements.push_back(insert_file(type, file));
    statements.push_back(view_statement(type));
    for (const std::string& sql : statements) FICUS_TRY_VOID(connection.run(sql));
  }
  FICUS_TRY_VOID(transaction.commit());
  next_number_ = number;
  for (HistoryType& type : types) {
    views_.take(type.view);
    const std::string name = type.type;
    types_[name] = std::move(type);
  }
  return {};
}

Status Catalog::add_columns(DuckConnection& connection, std::string_view type,
                            std::vector<HistoryColumn> columns) {
  HistoryType next = *find(type);
  NameSet names = reserved_column_names();
  for (const HistoryColumn& column : next.columns) names.take(column.name);
  std::vector<std::string> statements;
  for (HistoryColumn& column : columns) {
    column.name = names.free_name(column.attribute);
    names.take(column.name);
    statements.push_back("ALTER TABLE " + next.tail_table(next.active()) + " ADD COLUMN " +
                         column_definition(column));
    next.columns.push_back(column);
    statements.push_back(insert_column(type, next.columns.size(), column));
  }
  return change(connection, std::move(next), statements);
}

Status Catalog::rotate(DuckConnection& connection, std::string_view type, Timestamp now,
                       const std::vector<std::uint64_t>& positions) {
  HistoryType next = *find(type);
  const std::int64_t old = next.active().number;
  Tail& tail = next.tails.back();
  tail.sealing = true;
  const LogSpans given(tail.spans.begin() + 1, tail.spans.end());
  tail.spans = joined(without({{tail.spans.front().after, positions}}, not_in_tail(next)), given);
  const std::string span = quoted_literal(spans_text(tail.spans));
  next.tails.push_back({next_number_, now, false, {{positions, positions}}});
  FICUS_TRY_VOID(
      change(connection, next,
             {create_tail(next, next.active()), insert_tail(next, next.active()),
              fmt::format("UPDATE ficus.tails SET sealing = true, span = {} WHERE number = {}",
                          span, old)}));
  ++next_number_;
  return {};
}

// The log is replayed from its begin into a database that was made anew, but what sealed files
// hold, or held when they were damaged, does not come into the tail.
LogSpans Catalog::not_in_tail(const HistoryType& type) const {
  LogSpans spans;
  for (const SealedFile& file : type.files) spans = joined(spans, file.spans);
  for (const DamagedFile& file : damaged_) {
    if (file.type == type.type) spans = joined(joined(spans, file.waiting), file.lost);
  }
  return spans;
}

Status Catalog::replace_by_file(DuckConnection& connection, std::string_view type,
                                std::int64_t tail, const SealedFile* file) {
  HistoryType next = *find(type);
  const auto found = std::find_if(next.tails.begin(), next.tails.end(),
                                  [tail](const Tail& t) { return t.number == tail; });
  FICUS_CHECK(found != next.tails.end() && found->sealing);
  std::vector<std::string> statements = {
      "DROP VIEW main." + quoted_identifier(next.view), "DROP TABLE " + next.tail_table(*found),
      fmt::format("DELETE FROM ficus.tails WHERE number = {}", tail)};
  next.tails.erase(found);
  if (file != nullptr) {
    next.files.push_back(*file);
    statements.push_back(insert_file(next, *file));
  }
  return change(connection, std::move(next), statements);
}

Status Catalog::replace_files(DuckConnection& connection, std::string_view type,
                              const std::vector<std::string>& files, const SealedFile& file) {
  HistoryType next = *find(type);
  std::vector<std::string> statements = {insert_file(next, file)};
  for (const std::string& old : files) {
    FICUS_CHECK(std::erase_if(next.files, [&old](const SealedFile& f) { return f.file == old; }) ==
                1);
    statements.push_back("DELETE FROM ficus_sealed WHERE file = " + quoted_literal(old));
  }
  next.files.push_back(file);
  return change(connection, std::move(next), statements);
}

Status Catalog::remove_files(DuckConnection& connection, std::string_view type,
                             const std::vector<std::string>& files) {
  HistoryType next = *find(type);
  std::vector<std::string> statements;
  for (const std::string& file : files) {
    std::erase_if(next.files, [&file](const SealedFile& f) { return f.file == file; });
    statements.push_back("DELETE FROM ficus_sealed WHERE file = " + quoted_literal(file));
  }
  return change(connection, std::move(next), statements);
}

Status Catalog::forget_file(DuckConnection& connection, std::string_view type,
                            const std::string& file) {
  std::vector<SealedFile>& files = types_.at(std::string(type)).files;
  const auto found = std::find_if(files.begin(), files.end(),
                                  [&file](const SealedFile& f) { return f.file == file; });
  FICUS_CHECK(found != files.end());
  DamagedFile damaged{std::string(type),
                      found->file,
                      found->first_observed,
                      found->last_observed,
                      found->row_count,
                      joined({}, found->spans),
                      {}};
  DuckTransaction transaction(connection);
  FICUS_TRY_VOID(transaction.begin());
  FICUS_TRY_VOID(
      connection.run("DELETE FROM ficus_sealed WHERE file = " + quoted_literal(damaged.file)));
  if (!damaged.waiting.empty()) FICUS_TRY_VOID(connection.run(insert_damaged(damaged)));
  FICUS_TRY_VOID(transaction.commit());
  files.erase(found);
  if (!damaged.waiting.empty()) damaged_.push_back(std::move(damaged));
  return {};
}

bool Catalog::wants(std::string_view type, std::size_t shard, std::uint64_t position) const {
  return std::any_of(damaged_.begin(), damaged_.end(), [&](const DamagedFile& file) {
    return file.type == type && covers(file.waiting, shard, position);
  });
}

Result<GivenAgain> Catalog::store_given(DuckConnection& connection, const LogSpans& given) {
  GivenAgain out;
  for (const DamagedFile& file : damaged_) {
    const LogSpans got = common(file.waiting, given);
    if (got.empty()) continue;
    DamagedFile next = file;
    next.waiting = without(file.waiting, given);
    FICUS_TRY_VOID(connection.run(update_damaged(next)));
    out.damaged.push_back(std::move(next));
    Tail& tail = out.tails.emplace(file.type, find(file.type)->active()).first->second;
    LogSpans more(tail.spans.begin() + 1, tail.spans.end());
    more = joined(more, got);
    tail.spans.resize(1);
    tail.spans.insert(tail.spans.end(), more.begin(), more.end());
  }
  for (const auto& [type, tail] : out.tails) {
    FICUS_TRY_VOID(
        connection.run(fmt::format("UPDATE ficus.tails SET span = {} WHERE number = {}",
                                   quoted_literal(spans_text(tail.spans)), tail.number)));
  }
  return out;
}

void Catalog::accept_given(GivenAgain given) {
  for (DamagedFile& next : given.damaged) {
    for (DamagedFile& file : damaged_) {
      if (file.file == next.file) file = next;
    }
  }
  std::erase_if(damaged_, [](const DamagedFile& f) { return f.waiting.empty() && f.lost.empty(); });
  for (auto& [type, tail] : given.tails) types_.at(type).tails.back() = std::move(tail);
}

Status Catalog::store_lost(DuckConnection& connection, const LogSpans& lost) {
  for (DamagedFile& file : damaged_) {
    const LogSpans gone = common(file.waiting, lost);
    if (gone.empty()) continue;
    DamagedFile next = file;
    next.waiting = without(file.waiting, lost);
    next.lost = joined(file.lost, gone);
    FICUS_TRY_VOID(connection.run(update_damaged(next)));
    file = std::move(next);
  }
  return {};
}

Status Catalog::forget_damaged(DuckConnection& connection, const std::string& file) {
  FICUS_TRY_VOID(connection.run("DELETE FROM ficus_damaged WHERE file = " + quoted_literal(file)));
  std::erase_if(damaged_, [&file](const DamagedFile& f) { return f.file == file; });
  return {};
}

Result<bool> Catalog::stores_file(DuckConnection& connection, const std::string& file) const {
  FICUS_TRY(const auto rows,
            connection.select("SELECT count(*) FROM ficus_sealed WHERE file = $1", {file}));
  return integer_of(rows.at(0)[0]) > 0;
}

Status Catalog::rebuild_view(DuckConnection& connection, std::string_view type) {
  return connection.run(view_statement(*find(type)));
}

}  // namespace ficus::history
