#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "base/time.h"
#include "model/ids.h"
#include "model/schema.h"
#include "model/value.h"
#include "model/zone_set.h"
#include "rules/emission.h"
#include "rules/rows_view.h"

namespace ficus::rules {

struct RuleLimits {
  std::size_t text_bytes_max = 1 << 20;  // of one file: more is an error at load
  std::size_t rules_max = 1000;          // of one book: more is an error at load
  std::size_t nesting_max = 100;  // parentheses, functions, operators in each other: error at load
  std::size_t columns_max = 64;   // of one INSERT: more is an error at load
  std::size_t entities_max = 4'000'000;  // of one snapshot: more is refused as corrupt
};

struct RuleFile {
  std::string name;  // for messages
  std::string text;
};

// What a rule is; fixed after compile.
struct RuleInfo {
  std::string name;
  std::string comment;  // of the COMMENT clause, or empty
  std::string text;     // the statement as written
  std::string file;
  std::uint32_t line = 0;
  TypeId from;
  TypeId into;
  std::vector<AttributeId> into_attributes;  // in the order of the INSERT columns
  // SELECT expressions that are constants: what every emission will say, such as the department.
  std::vector<std::pair<AttributeId, Value>> constants;
  bool uses_absent = false;
};

// A row that a rule could not evaluate, such as the square root of a negative number. The row
// counts as not met.
struct RuleFailure {
  std::string message;  // with file:line:column
  std::string entity_id;
  Timestamp observed_at;
};

// What a rule has done since the book was compiled.
struct RuleFigures {
  std::uint64_t rows_seen = 0;
  std::uint64_t rows_met = 0;  // rows on which the condition held
  std::uint64_t raised = 0;    // emissions with met = true
  std::uint64_t ended = 0;     // emissions with met = false
  std::uint64_t failures = 0;
  std::uint64_t entities_met = 0;  // now
  std::uint64_t state_bytes = 0;
  double nanoseconds = 0;  // estimated from sampled batches; 0 without a stopwatch
  std::optional<RuleFailure> last_failure;
};

// What became of a snapshot's state.
struct RestoreReport {
  std::size_t restored = 0;
  // Rules whose text has changed or that are gone: their state was dropped. "name: was met for 3".
  std::vector<std::string> dropped;
};

// The rules of one shard with their state: turns rows into edges. Owned by the shard, used by its
// thread only; reads no clock (but for the optional stopwatch, which feeds figures only), does no
// I/O. The same rules, rows and times give the same emissions.
class RuleBook {
 public:
  class Impl;  // rule_book_impl.h

  // Compiles every CREATE RULE of the files. An error lists what is wrong, one problem a line:
  // "rules.sql:3:18: unknown attribute 'sped' of Vehicle: did you mean 'speed'?".
  // Columns of an INTO type that are not known yet are added to the schema with the kind of their
  // expression. `schema`, `zones` and `stopwatch` (may be null) are kept and must outlive the book.
  static Result<RuleBook> compile(std::span<const RuleFile> files, Schema& schema,
                                  const ZoneSet& zones, RuleLimits limits = {},
                                  const Clock* stopwatch = nullptr);
  // The same for one file.
  static Result<RuleBook> compile(std::string_view text, std::string_view file, Schema& schema,
                                  const ZoneSet& zones, RuleLimits limits = {},
                                  const Clock* stopwatch = nullptr);
  RuleBook(RuleBook&&) noexcept;
  RuleBook& operator=(RuleBook&&) noexcept;
  ~RuleBook();

  std::size_t rule_count() const;
  const RuleInfo& info(RuleId rule) const;
  RuleFigures figures(RuleId rule) const;
  std::uint64_t state_bytes() const;  // of the whole book

  // The attributes that rules over this type read; empty if none does. has_rules tells whether
  // observe needs to be called for the type at all.
  std::span<const AttributeId> wanted(TypeId type) const;
  bool has_rules(TypeId type) const;

  // Evaluates the rules of the rows' type. Appends the edges, rule by rule, in row order.
  // REQUIRES: advance(received_at) has been called before the twin applied these rows, so that
  // silences that ended with them have been seen. REQUIRES: at most ObservationBatch::kRowsMax
  // rows.
  void observe(const RowsView& rows, Timestamp received_at, std::vector<Emission>& out);

  // Lets time pass up to and including `now`: entities from which nothing has been received for
  // the interval of an absent(...) make their edges, in order of time. Cheap when nothing is due.
  void advance(Timestamp now, const PresentReader& present, std::vector<Emission>& out);
  // The earliest moment at which advance has something to do, or none.
  std::optional<Timestamp> next_deadline() const;

  // Snapshot of the state: by rule name, hash of the rule's tokens, and EntityId.
  void encode(std::string& out) const;
  // REQUIRES: nothing observed yet. Refuses damaged bytes as ErrorCode::corrupt; the book is then
  // unchanged.
  Result<RestoreReport> decode(std::string_view bytes);

 private:
  explicit RuleBook(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace ficus::rules
