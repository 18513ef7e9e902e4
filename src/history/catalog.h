#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "history/duck.h"
#include "history/log_spans.h"
#include "history/names.h"
#include "history/sql_guard.h"
#include "model/value.h"

namespace ficus::history {

// A column of a type's view. An attribute whose kind has changed has a column a kind.
struct HistoryColumn {
  std::string attribute;
  ValueKind kind = ValueKind::none;
  std::string name;
};

// A table that rows are appended to, or were until it began to be sealed.
struct Tail {
  std::int64_t number = 0;  // unique over all types
  Timestamp created_at;
  bool sealing = false;
  // Of its rows. Until it is sealed the first one is where they begin, and ends there, too: its end
  // is known then; the others are what was given again.
  LogSpans spans;
};

struct SealedFile {
  std::string file;  // "Vehicle/20261123T081500Z-20261123T091500Z-17.parquet"
  std::int64_t number = 0;
  Timestamp first_observed;
  Timestamp last_observed;
  Timestamp last_received;
  std::uint64_t row_count = 0;
  std::uint64_t bytes = 0;
  std::uint32_t crc = 0;  // CRC-32C of the whole file
  std::string layout;     // names and types of its columns: files of one layout are read as one
  LogSpans spans;         // of the log, that its rows come from
};

// A file that was set aside, for as long as not all of its rows have been given again.
struct DamagedFile {
  std::string type;
  std::string file;
  Timestamp first_observed;
  Timestamp last_observed;
  std::uint64_t row_count = 0;
  LogSpans waiting;  // the log may still give these,
  LogSpans lost;     // and not these
};

// What a commit changes of damaged files and tails.
struct GivenAgain {
  std::vector<DamagedFile> damaged;   // as they are then
  std::map<std::string, Tail> tails;  // active ones, by type
};

struct HistoryType {
  std::string type;  // as in the Schema
  std::string view;  // unique without regard to case
  std::vector<HistoryColumn> columns;
  std::vector<Tail> tails;  // the last one takes the rows
  std::vector<SealedFile> files;

  const HistoryColumn* find(std::string_view attribute, ValueKind kind) const;
  const Tail& active() const { return tails.back(); }
  std::string tail_table(const Tail& tail) const;  // "tail"."Vehicle_17", quoted
};

// What the database holds: types, columns, tails, files. Durable in its own tables (schema
// "ficus"), mirrored here. Every change is one transaction that also replaces the view, so that at
// any instant a view reads each row once. Used by the history thread alone.
class Catalog {
 public:
  // Creates our tables if they are missing. `directory`: absolute, where the files lie.
  static Result<Catalog> load(DuckConnection& connection, std::string directory);

  const std::map<std::string, HistoryType>& types() const { return types_; }
  const HistoryType* find(std::string_view type) const;
  TableScope tables() const;

  // `positions`: up to where the log has been committed (index: shard).
  Result<const HistoryType*> add_type(DuckConnection& connection, std::string_view type,
                                      Timestamp now, const std::vector<std::uint64_t>& positions);
  // Into an empty catalog: types with their columns and files, and the positions 0. All or nothing.
  Status adopt(DuckConnection& connection, std::vector<HistoryType> types, Timestamp now,
               std::uint32_t shard_count);
  // Their names are chosen here.
  Status add_columns(DuckConnection& connection, std::string_view type,
                     std::vector<HistoryColumn> columns);
  // The active tail becomes one to seal; an empty one takes its place.
  Status rotate(DuckConnection& connection, std::string_view type, Timestamp now,
                const std::vector<std::uint64_t>& positions);
  // The file stands for the tail from now on. `file` null: the tail was empty.
  Status replace_by_file(DuckConnection& connection, std::string_view type, std::int64_t tail,
                         const SealedFile* file);
  // The file stands for these files from now on. REQUIRES: the type has them all.
  Status replace_files(DuckConnection& connection, std::string_view type,
                       const std::vector<std::string>& files, const SealedFile& file);
  // A number for a file, given once.
  std::int64_t take_number() { return next_number_++; }
  Status remove_files(DuckConnection& connection, std::string_view type,
                      const std::vector<std::string>& files);
  // Takes a damaged file out of the list although the view, which may name more of them, cannot be
  // replaced yet; rebuild_view follows. It is among the damaged ones then.
  Status forget_file(DuckConnection& connection, std::string_view type, const std::string& file);
  Status rebuild_view(DuckConnection& connection, std::string_view type);
  // What the database says, when a transaction has failed and perhaps took place all the same.
  const std::vector<DamagedFile>& damaged() const { return damaged_; }
  bool wants(std::string_view type, std::size_t shard, std::uint64_t position) const;
  // The active tails have now what of these stretches was wanted. Within the transaction that the
  // caller has begun; `accept_given` follows when it has taken place.
  Result<GivenAgain> store_given(DuckConnection& connection, const LogSpans& given);
  void accept_given(GivenAgain given);
  // Nobody will give these any more.
  Status store_lost(DuckConnection& connection, const LogSpans& lost);
  // Nobody wants the rows any more.
  Status forget_damaged(DuckConnection& connection, const std::string& file);

  Result<bool> stores_file(DuckConnection& connection, const std::string& file) const;

  std::string view_statement(const HistoryType& type) const;
  const std::string& directory() const { return directory_; }

 private:
  Status read_tables(DuckConnection& connection);
  Status read_damaged(DuckConnection& connection);
  LogSpans not_in_tail(const HistoryType& type) const;
  // Runs the statements and replaces the view, all or nothing; then `next` is the truth.
  Status change(DuckConnection& connection, HistoryType next,
                const std::vector<std::string>& statements);

  std::string directory_;
  std::map<std::string, HistoryType> types_;
  std::vector<DamagedFile> damaged_;
  NameSet views_;
  std::int64_t next_number_ = 1;
};

// SELECT over these tails and files; one branch a tail and a layout, columns united by name.
std::string union_statement(const HistoryType& type, const std::string& directory);

const char* sql_type(ValueKind kind);

// What an asker with these readable types (QueryLimits) may name. Read within the transaction of
// the question, so that a view made meanwhile is not missed among the hidden ones.
Result<TableScope> readable_tables(DuckConnection& connection,
                                   const std::vector<std::string>& readable_types);

}  // namespace ficus::history
