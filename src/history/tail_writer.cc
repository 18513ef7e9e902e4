#include "history/tail_writer.h"

#include <duckdb.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <string>
#include <utility>

#include "base/check.h"
#include "base/utf8.h"

namespace ficus::history {
namespace {

constexpr idx_t kId = 0;
constexpr idx_t kObservedAt = 1;
constexpr idx_t kReceivedAt = 2;
constexpr idx_t kSource = 3;
constexpr idx_t kFirstAttribute = 4;

// DuckDB's text must be UTF-8. Other bytes (a codec let them through) become U+FFFD, one each, so
// that the row is kept.
std::string repaired(std::string_view text) {
  std::string out;
  for (std::size_t at = 0; at < text.size();) {
    std::size_t length = std::min<std::size_t>(4, text.size() - at);
    while (length > 0 && !is_valid_utf8(text.substr(at, length))) --length;
    // The longest valid piece may be several characters; that does not matter.
    out += length == 0 ? std::string_view("\xEF\xBF\xBD") : text.substr(at, length);
    at += std::max<std::size_t>(length, 1);
  }
  return out;
}

void assign_text(duckdb_vector vector, idx_t row, std::string_view text) {
  if (is_valid_utf8(text)) [[likely]] {
    duckdb_vector_assign_string_element_len(vector, row, text.data(), text.size());
    return;
  }
  const std::string good = repaired(text);
  duckdb_vector_assign_string_element_len(vector, row, good.data(), good.size());
}

duckdb_logical_type logical_type(ValueKind kind) {
  switch (kind) {
    case ValueKind::boolean:
      return duckdb_create_logical_type(DUCKDB_TYPE_BOOLEAN);
    case ValueKind::number:
      return duckdb_create_logical_type(DUCKDB_TYPE_DOUBLE);
    case ValueKind::time:
      return duckdb_create_logical_type(DUCKDB_TYPE_TIMESTAMP);
    case ValueKind::point: {
      duckdb_logical_type number = duckdb_create_logical_type(DUCKDB_TYPE_DOUBLE);
      std::array<duckdb_logical_type, 2> members = {number, number};
      std::array<const char*, 2> names = {"lon", "lat"};
      const duckdb_logical_type point =
          duckdb_create_struct_type(members.data(), names.data(), members.size());
      duckdb_destroy_logical_type(&number);
      return point;
    }
    case ValueKind::none:
    case ValueKind::text:
    case ValueKind::geometry:
    case ValueKind::relationship:
    case ValueKind::json:
      return duckdb_create_logical_type(DUCKDB_TYPE_VARCHAR);
  }
  std::unreachable();
}

// A chunk that fills up and goes to the appender, again and again.
class ChunkAppender {
 public:
  ChunkAppender() = default;
  ChunkAppender(const ChunkAppender&) = delete;
  ChunkAppender& operator=(const ChunkAppender&) = delete;
  ~ChunkAppender() {
    duckdb_destroy_data_chunk(&chunk_);
    // Destroying flushes what is left, so after a failure this may fail too: it was reported.
    duckdb_appender_destroy(&appender_);
  }

  Status open(DuckConnection& connection, const char* schema, const std::string& table,
              std::vector<duckdb_logical_type> types) {
    chunk_ = duckdb_create_data_chunk(types.data(), types.size());
    for (duckdb_logical_type& type : types) duckdb_destroy_logical_type(&type);
    if (duckdb_appender_create(connection.raw(), schema, table.c_str(), &appender_) !=
        DuckDBSuccess) {
      return failed();
    }
    return {};
  }

  idx_t room() const { return duckdb_vector_size() - used_; }
  idx_t used() const { return used_; }
  duckdb_vector column(idx_t index) const { return duckdb_data_chunk_get_vector(chunk_, index); }

  // The next `rows` rows have been written.
  Status advance(idx_t rows) {
    used_ += rows;
    return room() == 0 ? flush() : Status();
  }

  Status close() {
    FICUS_TRY_VOID(flush());
    if (duckdb_appender_close(appender_) != DuckDBSuccess) return failed();
    return {};
  }

 private:
  Status flush() {
    if (used_ == 0) return {};
    duckdb_data_chunk_set_size(chunk_, used_);
    if (duckdb_append_data_chunk(appender_, chunk_) != DuckDBSuccess) return failed();
    duckdb_data_chunk_reset(chunk_);
    used_ = 0;
    return {};
  }

  Status failed() {
    duckdb_error_data data = duckdb_appender_error_data(appender_);
    Error error = duck_error(static_cast<int>(duckdb_error_data_error_type(data)),
                             duckdb_error_data_message(data));
    duckdb_destroy_error_data(&data);
    return in_context("append: ", std::move(error));
  }

  duckdb_data_chunk chunk_ = nullptr;
  duckdb_appender appender_ = nullptr;
  idx_t used_ = 0;
};

// Copies chosen rows of one batch column behind the `used` rows of a vector.
class ColumnCopy {
 public:
  ColumnCopy(duckdb_vector vector, idx_t used, std::span<const std::uint32_t> rows)
      : vector_(vector), used_(used), rows_(rows) {}

  void copy(const Column& column) {
    mark_missing(vector_, column.valid);
    switch (column.kind) {
      case ValueKind::boolean:
        return each(column, data<bool>(vector_),
                    [&column](std::uint32_t row) { return column.numbers[row] != 0; });
      case ValueKind::number:
        return each(column, data<double>(vector_),
                    [&column](std::uint32_t row) { return column.numbers[row]; });
      case ValueKind::time:
        return each(column, data<std::int64_t>(vector_),
                    [&column](std::uint32_t row) { return storable_micros(column.times[row]); });
      case ValueKind::point:
        return copy_points(column);
      case ValueKind::text:
      case ValueKind::geometry:
      case ValueKind::relationship:
      case ValueKind::json:
        for (std::size_t i = 0; i < rows_.size(); ++i) {
          if (column.valid[rows_[i]] != 0) assign_text(vector_, used_ + i, column.texts[rows_[i]]);
        }
        return;
      case ValueKind::none:
        return copy_nothing();
    }
    std::unreachable();
  }

  void copy_nothing() {
    std::uint64_t* bits = validity(vector_);
    for (std::size_t i = 0; i < rows_.size(); ++i) duckdb_validity_set_row_invalid(bits, used_ + i);
  }

 private:
  template <typename T>
  static T* data(duckdb_vector vector) {
    return static_cast<T*>(duckdb_vector_get_data(vector));
  }

  static std::uint64_t* validity(duckdb_vector vector) {
    duckdb_vector_ensure_validity_writable(vector);
    return duckdb_vector_get_validity(vector);
  }

  void mark_missing(duckdb_vector vector, std::span<const std::uint8_t> valid) {
    std::uint64_t* bits = nullptr;
    for (std::size_t i = 0; i < rows_.size(); ++i) {
      if (valid[rows_[i]] != 0) continue;
      if (bits == nullptr) bits = validity(vector);
      duckdb_validity_set_row_invalid(bits, used_ + i);
    }
  }

  template <typename T, typename Get>
  void each(const Column&, T* out, Get get) {
    for (std::size_t i = 0; i < rows_.size(); ++i) out[used_ + i] = get(rows_[i]);
  }

  void copy_points(const Column& column) {
    const duckdb_vector longitude = duckdb_struct_vector_get_child(vector_, 0);
    const duckdb_vector latitude = duckdb_struct_vector_get_child(vector_, 1);
    mark_missing(longitude, column.valid);
    mark_missing(latitude, column.valid);
    each(column, data<double>(longitude),
         [&column](std::uint32_t row) { return column.points[row].longitude; });
    each(column, data<double>(latitude),
         [&column](std::uint32_t row) { return column.points[row].latitude; });
  }

  duckdb_vector vector_;
  idx_t used_;
  std::span<const std::uint32_t> rows_;
};

std::vector<std::uint32_t> kept_rows(const Rows& rows) {
  std::vector<std::uint32_t> kept;
  const std::size_t count = rows.batch->row_count();
  kept.reserve(count);
  for (std::uint32_t row = 0; row < count; ++row) {
    if (rows.keep.empty() || rows.keep[row] != 0) kept.push_back(row);
  }
  return kept;
}

void copy_fixed(ChunkAppender& out, const Rows& rows, std::span<const std::uint32_t> chosen) {
  const ObservationBatch& batch = *rows.batch;
  const idx_t used = out.used();
  const duckdb_vector ids = out.column(kId);
  const duckdb_vector sources = out.column(kSource);
  auto* observed = static_cast<std::int64_t*>(duckdb_vector_get_data(out.column(kObservedAt)));
  auto* received = static_cast<std::int64_t*>(duckdb_vector_get_data(out.column(kReceivedAt)));
  for (std::size_t i = 0; i < chosen.size(); ++i) {
    assign_text(ids, used + i, batch.ids()[chosen[i]]);
    observed[used + i] = storable_micros(batch.observed_at()[chosen[i]]);
    received[used + i] = storable_micros(rows.received_at);
    assign_text(sources, used + i, rows.source);
  }
}

Status copy_batch(ChunkAppender& out, const HistoryType& type, const PendingRows& pending) {
  const std::vector<std::uint32_t> kept = kept_rows(pending.rows);
  const std::span<const Column> columns = pending.rows.batch->columns();
  FICUS_DCHECK(pending.column_of.size() == columns.size());
  std::vector<const Column*> by_target(type.columns.size(), nullptr);
  for (std::size_t i = 0; i < columns.size(); ++i) by_target[pending.column_of[i]] = &columns[i];
  for (std::size_t done = 0; done < kept.size();) {
    const std::size_t count = std::min<std::size_t>(out.room(), kept.size() - done);
    const std::span<const std::uint32_t> chosen = std::span(kept).subspan(done, count);
    copy_fixed(out, pending.rows, chosen);
    for (std::size_t target = 0; target < by_target.size(); ++target) {
      ColumnCopy copy(out.column(kFirstAttribute + target), out.used(), chosen);
      by_target[target] == nullptr ? copy.copy_nothing() : copy.copy(*by_target[target]);
    }
    FICUS_TRY_VOID(out.advance(count));
    done += count;
  }
  return {};
}

}  // namespace

Result<std::uint64_t> append_rows(DuckConnection& connection, const HistoryType& type,
                                  std::span<const PendingRows* const> pending) {
  std::vector<duckdb_logical_type> types = {
      logical_type(ValueKind::text), logical_type(ValueKind::time), logical_type(ValueKind::time),
      logical_type(ValueKind::text)};
  for (const HistoryColumn& column : type.columns) types.push_back(logical_type(column.kind));
  ChunkAppender out;
  FICUS_TRY_VOID(out.open(connection, "tail", fmt::format("{}_{}", type.view, type.active().number),
                          std::move(types)));
  std::uint64_t count = 0;
  for (const PendingRows* rows : pending) {
    FICUS_TRY_VOID(copy_batch(out, type, *rows));
    count += kept_rows(rows->rows).size();
  }
  FICUS_TRY_VOID(out.close());
  return count;
}

Status append_quarantine_rows(DuckConnection& connection,
                              std::span<const PendingQuarantine> pending) {
  std::vector<duckdb_logical_type> types;
  for (const duckdb_type type : {DUCKDB_TYPE_VARCHAR, DUCKDB_TYPE_TIMESTAMP, DUCKDB_TYPE_VARCHAR,
                                 DUCKDB_TYPE_VARCHAR, DUCKDB_TYPE_BLOB}) {
    types.push_back(duckdb_create_logical_type(type));
  }
  ChunkAppender out;
  FICUS_TRY_VOID(out.open(connection, "main", "quarantine", std::move(types)));
  for (const PendingQuarantine& row : pending) {
    const idx_t at = out.used();
    assign_text(out.column(0), at, row.source);
    static_cast<std::int64_t*>(duckdb_vector_get_data(out.column(1)))[at] =
        storable_micros(row.received_at);
    assign_text(out.column(2), at, row.item.key);
    assign_text(out.column(3), at, row.item.reason);
    duckdb_vector_assign_string_element_len(out.column(4), at, row.item.bytes.data(),
                                            row.item.bytes.size());
    FICUS_TRY_VOID(out.advance(1));
  }
  return out.close();
}

}  // namespace ficus::history
