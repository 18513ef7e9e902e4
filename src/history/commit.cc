#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/check.h"
#include "history/duck_store.h"

namespace ficus::history {

Result<std::vector<std::uint64_t>> DuckHistory::positions() {
  const std::shared_lock lock(database_mutex_);
  if (database_ == nullptr) return fail(ErrorCode::unavailable, "the history is closed");
  FICUS_TRY(const auto connection, DuckConnection::open(*database_));
  FICUS_TRY(
      const auto rows,
      connection->select("SELECT CAST(position AS BIGINT) FROM ficus_position ORDER BY shard"));
  std::vector<std::uint64_t> out;
  out.reserve(rows.size());
  for (const DatumRow& row : rows) out.push_back(static_cast<std::uint64_t>(integer_of(row[0])));
  return out;
}

Status DuckHistory::append(Rows rows) {
  FICUS_CHECK(rows.batch != nullptr);
  FICUS_CHECK(rows.keep.empty() || rows.keep.size() == rows.batch->row_count());
  if (rows.is_again) {
    const std::string& type = schema_.type_name(rows.batch->type());
    if (!catalog_.wants(type, rows.shard, rows.position)) return {};
  } else if (is_sealed(rows)) {
    return {};
  }
  pending_.push_back({std::move(rows), false, {}});
  return {};
}

// Only while the log is replayed into a database that was made anew: what sealed files hold is
// given again then.
bool DuckHistory::is_sealed(const Rows& rows) const {
  if (rows.shard >= sealed_until_.size() || rows.position > sealed_until_[rows.shard]) return false;
  const HistoryType* type = catalog_.find(schema_.type_name(rows.batch->type()));
  return type != nullptr &&
         std::any_of(type->files.begin(), type->files.end(), [&](const SealedFile& file) {
           return covers(file.spans, rows.shard, rows.position);
         });
}

Status DuckHistory::append_quarantine(std::string_view source, Timestamp received_at,
                                      std::span<const QuarantinedItem> items) {
  for (const QuarantinedItem& item : items) {
    pending_quarantine_.push_back({std::string(source), received_at, item});
  }
  return {};
}

Status DuckHistory::commit(std::span<const std::uint64_t> positions) {
  FICUS_CHECK(positions.size() == options_.shard_count);
  if (must_reopen_) FICUS_TRY_VOID(reopen());
  const bool is_ahead = !std::equal(positions.begin(), positions.end(), committed_.begin());
  const bool is_idle = pending_.empty() && pending_quarantine_.empty() && pending_given_.empty();
  if (is_idle && !is_ahead) return {};
  Status status = create_missing();
  if (status) status = write(positions);
  if (status) {
    publish();
    return {};
  }
  must_reopen_ = needs_reopening(status.error());
  if (!must_reopen_) {
    attempted_.clear();
    files_suspect_ = true;  // a view with a damaged file cannot be replaced
  }
  return in_context("history: ", std::move(status).error());
}

// Types that are declared get their views before their first row: SQL over them is then empty
// instead of a mistake.
void DuckHistory::declare_types(Timestamp now, MaintenanceReport& report) {
  for (; declared_types_ < schema_.type_count(); ++declared_types_) {
    const TypeId type(static_cast<std::uint32_t>(declared_types_));
    const Status status = create_type(type, now);
    if (status) continue;
    must_reopen_ = must_reopen_ || needs_reopening(status.error());
    report.problems.push_back(fmt::format("making the view of {} failed: {}",
                                          schema_.type_name(type), status.error().message));
    return;
  }
}

Status DuckHistory::create_type(TypeId id, Timestamp now) {
  const std::string& name = schema_.type_name(id);
  const HistoryType* type = catalog_.find(name);
  if (type == nullptr) {
    FICUS_TRY(type, catalog_.add_type(*feed_, name, now, committed_));
  }
  std::vector<HistoryColumn> missing;
  for (std::uint32_t i = 0; i < schema_.attribute_count(id); ++i) {
    const AttributeInfo info = schema_.attribute(id, AttributeId(i));
    if (info.kind == ValueKind::none || type->find(info.name, info.kind) != nullptr) continue;
    missing.push_back({info.name, info.kind, ""});
  }
  return missing.empty() ? Status() : catalog_.add_columns(*feed_, name, std::move(missing));
}

Status DuckHistory::create_missing() {
  for (PendingRows& pending : pending_) {
    if (!pending.is_placed) FICUS_TRY_VOID(create_missing(pending));
  }
  return {};
}

Status DuckHistory::create_missing(PendingRows& pending) {
  const ObservationBatch& batch = *pending.rows.batch;
  const std::string& name = schema_.type_name(batch.type());
  const HistoryType* type = catalog_.find(name);
  if (type == nullptr) {
    FICUS_TRY(type, catalog_.add_type(*feed_, name, pending.rows.received_at, committed_));
  }
  std::vector<HistoryColumn> missing;
  for (const Column& column : batch.columns()) {
    const std::string& attribute = schema_.attribute_name(batch.type(), column.attribute);
    if (type->find(attribute, column.kind) == nullptr) {
      missing.push_back({attribute, column.kind, ""});
    }
  }
  if (!missing.empty()) FICUS_TRY_VOID(catalog_.add_columns(*feed_, name, std::move(missing)));
  type = catalog_.find(name);
  std::vector<std::uint32_t> column_of;
  for (const Column& column : batch.columns()) {
    const HistoryColumn* target =
        type->find(schema_.attribute_name(batch.type(), column.attribute), column.kind);
    column_of.push_back(static_cast<std::uint32_t>(target - type->columns.data()));
  }
  pending.column_of = std::move(column_of);
  pending.is_placed = true;
  return {};
}

Status DuckHistory::write(std::span<const std::uint64_t> positions) {
  attempted_.assign(positions.begin(), positions.end());
  attempted_rows_ = pending_.size();
  attempted_quarantine_ = pending_quarantine_.size();
  attempted_given_ = pending_given_.size();
  std::map<std::string, std::uint64_t> counts;
  DuckTransaction transaction(*feed_);
  FICUS_TRY_VOID(transaction.begin());
  FICUS_TRY_VOID(write_rows(counts));
  if (!pending_quarantine_.empty()) {
    FICUS_TRY_VOID(append_quarantine_rows(*feed_, pending_quarantine_));
  }
  FICUS_TRY_VOID(write_positions(positions));
  FICUS_TRY(GivenAgain given, write_given());
  FICUS_TRY_VOID(transaction.commit());
  for (const DamagedFile& file : given.damaged) {
    if (!file.waiting.empty()) continue;
    rotations_due_.insert(file.type);
    if (file.lost.empty()) restored_.push_back(file.file);
  }
  catalog_.accept_given(std::move(given));
  committed_ = attempted_;
  attempted_.clear();
  for (const auto& [type, count] : counts) {
    tail_rows_[type] += count;
    figures_.rows_committed += count;
  }
  forget_pending(pending_.size(), pending_quarantine_.size(), pending_given_.size());
  return {};
}

// In the transaction of the rows, so that a crash between two commits gives nothing twice.
Result<GivenAgain> DuckHistory::write_given() {
  if (pending_given_.empty()) return GivenAgain{};
  LogSpans given;
  LogSpans run;  // records follow each other mostly
  for (const HistoryGap& gap : pending_given_) {
    const bool follows =
        !run.empty() && run[0].until.size() == gap.shard + 1 && run[0].until.back() == gap.after;
    if (follows) {
      run[0].until.back() = gap.until;
    } else {
      given = joined(given, run);
      run = span_of(gap.shard, gap.after, gap.until);
    }
  }
  return catalog_.store_given(*feed_, joined(given, run));
}

Status DuckHistory::write_rows(std::map<std::string, std::uint64_t>& counts) {
  std::map<std::string, std::vector<const PendingRows*>> by_type;
  for (const PendingRows& pending : pending_) {
    by_type[schema_.type_name(pending.rows.batch->type())].push_back(&pending);
  }
  for (const auto& [name, rows] : by_type) {
    FICUS_TRY(counts[name], append_rows(*feed_, *catalog_.find(name), rows));
  }
  return {};
}

Status DuckHistory::write_positions(std::span<const std::uint64_t> positions) {
  for (std::size_t shard = 0; shard < positions.size(); ++shard) {
    if (positions[shard] == committed_[shard]) continue;
    FICUS_TRY_VOID(feed_->run(fmt::format(
        "UPDATE ficus_position SET position = {} WHERE shard = {}", positions[shard], shard)));
  }
  return {};
}

void DuckHistory::forget_pending(std::size_t rows, std::size_t quarantined, std::size_t given) {
  pending_.erase(pending_.begin(), pending_.begin() + static_cast<std::ptrdiff_t>(rows));
  pending_quarantine_.erase(pending_quarantine_.begin(),
                            pending_quarantine_.begin() + static_cast<std::ptrdiff_t>(quarantined));
  pending_given_.erase(pending_given_.begin(),
                       pending_given_.begin() + static_cast<std::ptrdiff_t>(given));
}

}  // namespace ficus::history
