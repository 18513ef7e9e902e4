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
#include "rules/rule_set.h"

namespace ficus::rules {

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
  std::vector<RuleKey> keys;  // of all rules that the snapshot has, sorted
  // Rules whose text has changed or that are gone: their state was dropped. "name: was met for 3".
  std::vector<std::string> dropped;
};

class RuleCapture;

// The rules of one shard with their state: turns rows into edges. Owned by the shard, used by its
// thread only; reads no clock (but for the optional stopwatch, which feeds figures only), does no
// I/O. The same rules, rows and times give the same emissions.
class RuleBook {
 public:
  class Impl;  // rule_book_impl.h
  static constexpr Micros kClockBackMax = Micros::from_seconds(60);

  // No state yet. `schema` is the one the set was compiled with; it and `stopwatch` (may be null)
  // must outlive the book.
  RuleBook(RuleSetPtr set, Schema& schema, const Clock* stopwatch = nullptr);
  // A book of one file's rules, for tests and tools; `zones` must outlive it, too.
  static Result<RuleBook> compile(std::string_view text, std::string_view file, Schema& schema,
                                  const ZoneSet& zones, RuleLimits limits = {},
                                  const Clock* stopwatch = nullptr);
  RuleBook(RuleBook&&) noexcept;
  RuleBook& operator=(RuleBook&&) noexcept;
  ~RuleBook();

  const RuleSet& set() const;
  RuleBook fresh() const;  // the same rules, no state
  std::size_t rule_count() const { return set().rule_count(); }
  const RuleInfo& info(RuleId rule) const { return set().info(rule); }
  RuleFigures figures(RuleId rule) const;
  std::uint64_t state_bytes() const;  // of the whole book

  // The attributes that rules over this type read; empty if none does. has_rules tells whether
  // observe needs to be called for the type at all.
  std::span<const AttributeId> wanted(TypeId type) const;
  bool has_rules(TypeId type) const;

  std::size_t rule_count_over(TypeId type) const;
  // How many edges these rows can make at most, as far as can be told before the twin has applied
  // them. Rules whose constants rule a row out do not count.
  std::size_t edges_max(const ObservationBatch& rows) const;

  // Evaluates the rules of the rows' type. Appends the edges, rule by rule, in row order.
  // REQUIRES: silences that end with these rows were seen before the twin applied them: nothing
  // is_due() at `received_at`, or expire() was called for their entities. REQUIRES: at most
  // ObservationBatch::kRowsMax rows.
  //
  // A clock that was set back by more than kClockBackMax sets all silences back with it: otherwise
  // nobody would be absent until it had caught up.
  void observe(const RowsView& rows, Timestamp received_at, std::vector<Emission>& out);

  // Lets time pass up to and including `now`: entities from which nothing has been received for
  // the interval of an absent(...) make their edges, in order of time. Cheap when nothing is due.
  // Stops earlier when about `edges_max` edges are made or kExpiredMax silences seen; returns how
  // far time has gone. To go there at once gives the same.
  static constexpr std::size_t kExpiredMax = 65'536;
  Timestamp advance(Timestamp now, std::size_t edges_max, const PresentReader& present,
                    std::vector<Emission>& out);
  // Whether advance(now) has left a deadline of the type for later.
  bool is_due(TypeId type, Timestamp now) const;
  // These entities make the edges that are due at `now`, before those whose turn it is.
  void expire(TypeId type, std::span<const EntityId> entities, Timestamp now,
              const PresentReader& present, std::vector<Emission>& out);
  // The earliest moment at which advance has something to do, or none.
  std::optional<Timestamp> next_deadline() const;

  // Snapshot of the state: by RuleKey and EntityId.
  void encode(std::string& out) const;
  // The same, in shares (rule_capture.h): from now on the capture is told before anything changes;
  // null: no longer. Borrowed.
  void set_capture(RuleCapture* capture);
  // Takes over the state of the rules that are the same. REQUIRES: a new book, or one that was
  // reset(). Refuses damaged bytes as ErrorCode::corrupt; the book is then unchanged.
  Result<RestoreReport> decode(std::string_view bytes);
  // The same at a change of rules: of the rules in `kept` only. An absence that nobody waited for
  // until now begins at `now`.
  Result<RestoreReport> decode(std::string_view bytes, std::span<const RuleKey> kept,
                               Timestamp now);
  // Forgets every entity and all that rules know of them.
  void reset();

  // At a change of rules, after decode: makes an entity known from which nothing was received since
  // rules look at its type; it was heard at `now`. Nothing if it is known, or no rule looks.
  void introduce(TypeId type, EntityId entity, Timestamp newest, Timestamp now);
  // The rule counts as met for the entity, so that it says so when it no longer is. REQUIRES: the
  // entity is known, of the rule's type.
  void assume_met(RuleId rule, EntityId entity);
  // Goes on counting where the book before did, for the rules that are the same.
  void continue_figures(const RuleBook& before);

 private:
  friend class RuleCapture;

  explicit RuleBook(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace ficus::rules
