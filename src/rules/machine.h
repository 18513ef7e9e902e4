#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "model/zone_set.h"
#include "rules/absence_tracker.h"
#include "rules/held_state.h"
#include "rules/lane.h"
#include "rules/program.h"
#include "rules/rows_view.h"
#include "rules/text_arena.h"

namespace ficus::rules {

// What held and absent of one rule look at. Empty for programs without them.
struct Memory {
  std::span<HeldState> held;                      // by Instruction::aux
  std::span<const AbsenceTracker* const> absent;  // by Instruction::aux
  std::span<const std::uint32_t> slots;           // by row
  std::span<const Timestamp> event_times;         // by row; never going back for a slot
  bool updates = true;                            // false: no new observation, only time has passed
};

// Runs programs over the rows of a batch, an instruction at a time over all rows. Owns the
// registers; used by one thread. Allocates nothing once it has seen the largest program and batch,
// except for texts.
class Machine {
 public:
  // `zones` is kept and must outlive the machine.
  explicit Machine(const ZoneSet& zones) : zones_(zones) {}
  Machine(const Machine&) = delete;
  Machine& operator=(const Machine&) = delete;

  // The rows that programs run over until the next call; borrowed. Rows outside are not read.
  void use(const RowsView& rows);
  // Computes the program's results for `count` rows from `first` on.
  // REQUIRES: first + count <= rows.row_count().
  void run(const Program& program, std::size_t first, std::size_t count, const Memory& memory = {});
  // Of the last run: the values of result `index`, row 0 being `first`. Valid until the next run.
  Lane result(const Program& program, std::size_t index) const;
  // Why a row of the last run failed, as far as known: the last thing that did.
  std::string_view failure() const { return failure_; }
  std::uint32_t failure_at() const { return failure_at_; }

  std::size_t bytes() const;

 private:
  Lane lane(const Operand& operand) const;
  Lane column_lane(std::size_t position) const;
  void make_text_views(const Operand& operand);
  void prepare(const Program& program);
  bool run_number(const Instruction& instruction);
  bool run_integer(const Instruction& instruction);
  bool run_rounding(const Instruction& instruction);
  bool run_time(const Instruction& instruction);
  bool run_compare(const Instruction& instruction);
  bool run_truth(const Instruction& instruction);
  bool run_choice(const Instruction& instruction);
  bool run_condition_choice(const Instruction& instruction);
  bool run_list(const Instruction& instruction);
  bool run_text(const Instruction& instruction);
  bool run_text_part(const Instruction& instruction);
  bool run_text_test(const Instruction& instruction);
  void settle_text_ok(const Instruction& instruction);
  bool run_cast(const Instruction& instruction);
  bool run_place(const Instruction& instruction);
  bool run_memory(const Instruction& instruction);
  bool skips(const Instruction& instruction) const;
  // The instruction to go on with.
  std::size_t run_one(std::size_t at);
  void fail_row(const Instruction& instruction, std::size_t row, std::string_view why);
  // Stores a text made for one row; fails the row if there is no room for it.
  void store_text(const Instruction& instruction, std::size_t row, std::string_view text);

  const ZoneSet& zones_;
  const RowsView* rows_ = nullptr;
  const Program* program_ = nullptr;
  const Memory* memory_ = nullptr;
  std::size_t first_ = 0;
  std::size_t count_ = 0;
  std::size_t row_capacity_ = 0;
  std::vector<Register> registers_;
  // Texts of the columns in use as views, made once a batch when first asked for.
  std::vector<std::vector<std::string_view>> text_views_;
  std::vector<std::uint8_t> text_views_made_;  // the last is for ids
  std::vector<std::uint8_t> all_ok_;
  TextArena arena_;
  std::string scratch_;
  std::string scratch_pattern_;
  std::string_view failure_;
  std::uint32_t failure_at_ = 0;
};

}  // namespace ficus::rules
