#include "rules/machine.h"

#include <algorithm>
#include <cmath>
#include <type_traits>
#include <utility>

#include "base/check.h"
#include "model/geometry.h"
#include "model/observation_batch.h"
#include "rules/kernels.h"

namespace ficus::rules {
namespace {

using Byte = std::uint8_t;

// Calls f with a null pointer of the type that holds values of this kind.
template <typename F>
void with_element_type(Kind kind, F f) {
  switch (kind) {
    case Kind::null:
    case Kind::boolean:
    case Kind::zone:
      return f(static_cast<Byte*>(nullptr));
    case Kind::integer:
    case Kind::number:
      return f(static_cast<double*>(nullptr));
    case Kind::text:
      return f(static_cast<std::string_view*>(nullptr));
    case Kind::time:
    case Kind::interval:
      return f(static_cast<Timestamp*>(nullptr));
    case Kind::point:
      return f(static_cast<GeoPoint*>(nullptr));
  }
  std::unreachable();
}

Lane constant_lane(const ConstantCell& cell) {
  switch (cell.kind) {
    case Kind::null:
    case Kind::boolean:
    case Kind::zone:
      return {&cell.boolean, &cell.ok, true};
    case Kind::integer:
    case Kind::number:
      return {&cell.number, &cell.ok, true};
    case Kind::text:
      return {&cell.view, &cell.ok, true};
    case Kind::time:
    case Kind::interval:
      return {&cell.time, &cell.ok, true};
    case Kind::point:
      return {&cell.point, &cell.ok, true};
  }
  std::unreachable();
}

template <typename T>
bool is_less(const T& a, const T& b) {
  if constexpr (std::is_same_v<T, double>) {
    return number_less(a, b) != 0;
  } else if constexpr (std::is_same_v<T, GeoPoint>) {
    return false;  // the binder lets no points through to comparisons
  } else {
    return a < b;
  }
}

// Three truth values and "failed" in two bytes. A known false decides an AND, whatever stands
// beside it; a failure decides before NULL.
void and_into(Byte* value, Byte* ok, const Byte* other, const Byte* other_ok, std::size_t count) {
  for (std::size_t i = 0; i < count; ++i) {
    const unsigned is_false = ((~value[i] & 1U) & ok[i]) | ((~other[i] & 1U) & other_ok[i]);
    const unsigned both = ok[i] & other_ok[i] & 1U;
    const unsigned failed = (ok[i] | other_ok[i]) & 2U & ~(is_false << 1);
    value[i] = static_cast<Byte>(value[i] & other[i] & 1U & ~is_false);
    ok[i] = static_cast<Byte>((is_false & 1U) | both | failed);
  }
}

void or_into(Byte* value, Byte* ok, const Byte* other, const Byte* other_ok, std::size_t count) {
  for (std::size_t i = 0; i < count; ++i) {
    const unsigned is_true = (value[i] & ok[i] & 1U) | (other[i] & other_ok[i] & 1U);
    const unsigned both = ok[i] & other_ok[i] & 1U;
    const unsigned failed = (ok[i] | other_ok[i]) & 2U & ~(is_true << 1);
    value[i] = static_cast<Byte>(is_true);
    ok[i] = static_cast<Byte>(is_true | both | failed);
  }
}

}  // namespace

void Machine::use(const RowsView& rows) {
  rows_ = &rows;
  FICUS_CHECK(rows.row_count() <= ObservationBatch::kRowsMax);
  text_views_.resize(std::max(text_views_.size(), rows.present.size() + 1));
  text_views_made_.assign(text_views_.size(), 0);
  const std::size_t capacity = std::max<std::size_t>(rows.row_count(), 1);
  if (capacity > row_capacity_) {
    // Small steps for single rows, the whole batch size otherwise.
    row_capacity_ = capacity <= 64 ? 64 : ObservationBatch::kRowsMax;
    registers_.clear();
    all_ok_.assign(row_capacity_, kOkValue);
  }
}

void Machine::prepare(const Program& program) {
  while (registers_.size() < program.register_count) registers_.emplace_back(row_capacity_);
  arena_.reset();
}

void Machine::run(const Program& program, std::size_t first, std::size_t count,
                  const Memory& memory) {
  FICUS_CHECK(rows_ != nullptr && first + count <= std::max<std::size_t>(rows_->row_count(), 1));
  program_ = &program;
  memory_ = &memory;
  first_ = first;
  count_ = count;
  prepare(program);
  // Text columns are turned into views before the instructions run, so that looking at a lane is
  // cheap and const.
  for (const Instruction& instruction : program.code) {
    for (const Operand* operand : {&instruction.a, &instruction.b, &instruction.c}) {
      make_text_views(*operand);
    }
  }
  for (const Operand& operand : program.results) make_text_views(operand);
  for (std::size_t at = 0; at < program.code.size();) at = run_one(at);
}

void Machine::make_text_views(const Operand& operand) {
  const TextColumn* texts = nullptr;
  std::size_t slot = text_views_.size() - 1;
  if (operand.source == Operand::Source::id) {
    texts = rows_->ids;
  } else if (operand.source == Operand::Source::attribute) {
    slot = program_->positions[operand.index];
    const Column& column = rows_->present[slot];
    if (!holds_text(column.kind)) return;
    texts = &column.texts;
  } else {
    return;
  }
  if (text_views_made_[slot] != 0) return;
  text_views_made_[slot] = 1;
  std::vector<std::string_view>& views = text_views_[slot];
  views.resize(texts->size());
  for (std::size_t row = 0; row < views.size(); ++row) views[row] = (*texts)[row];
}

Lane Machine::lane(const Operand& operand) const {
  switch (operand.source) {
    case Operand::Source::none:
      return {};
    case Operand::Source::register_:
      return registers_[operand.index].lane();
    case Operand::Source::constant:
      return constant_lane(program_->constants[operand.index]);
    case Operand::Source::attribute:
      return column_lane(program_->positions[operand.index]);
    case Operand::Source::id:
      return {text_views_.back().data() + first_, all_ok_.data(), false};
    case Operand::Source::observed_at:
      return {rows_->observed_at.data() + first_, all_ok_.data(), false};
  }
  std::unreachable();
}

Lane Machine::column_lane(std::size_t position) const {
  const Column& column = rows_->present[position];
  const Byte* ok = column.valid.data() + first_;
  switch (column.kind) {
    case ValueKind::boolean:
    case ValueKind::number:
      return {column.numbers.data() + first_, ok, false};
    case ValueKind::time:
      return {column.times.data() + first_, ok, false};
    case ValueKind::point:
      return {column.points.data() + first_, ok, false};
    case ValueKind::text:
    case ValueKind::geometry:
    case ValueKind::relationship:
    case ValueKind::json:
      return {text_views_[position].data() + first_, ok, false};
    case ValueKind::none:
      break;
  }
  std::unreachable();
}

Lane Machine::result(const Program& program, std::size_t index) const {
  FICUS_DCHECK(&program == program_);
  return lane(program.results[index]);
}

void Machine::fail_row(const Instruction& instruction, std::size_t row, std::string_view why) {
  registers_[instruction.result].ok()[row] = kOkFailed;
  failure_ = why;
  failure_at_ = instruction.at;
}

std::size_t Machine::run_one(std::size_t at) {
  const Instruction& instruction = program_->code[at];
  if (instruction.op == Opcode::skip_if_false || instruction.op == Opcode::skip_if_true) {
    return skips(instruction) ? instruction.aux : at + 1;
  }
  const bool done = run_truth(instruction) || run_compare(instruction) || run_number(instruction) ||
                    run_memory(instruction) || run_place(instruction) || run_choice(instruction) ||
                    run_text(instruction) || run_cast(instruction) || run_time(instruction);
  FICUS_CHECK(done);
  return at + 1;
}

// Whether no row can still change: all are false (or, where only truth counts, NULL), or all true.
bool Machine::skips(const Instruction& instruction) const {
  const Lane a = lane(instruction.a);
  const Byte* value = a.as<Byte>();
  unsigned open = 0;
  if (instruction.op == Opcode::skip_if_true) {
    for (std::size_t i = 0; i < count_; ++i) open |= (value[i] & a.ok[i] & 1U) ^ 1U;
  } else if (instruction.tries) {  // only truth counts
    for (std::size_t i = 0; i < count_; ++i) open |= (value[i] & a.ok[i] & 1U) | (a.ok[i] & 2U);
  } else {
    for (std::size_t i = 0; i < count_; ++i) open |= (value[i] & 1U) | (a.ok[i] ^ 1U);
  }
  return open == 0;
}

bool Machine::run_truth(const Instruction& instruction) {
  const Lane a = lane(instruction.a);
  Register& result = registers_[instruction.result];
  Byte* out = result.as<Byte>();
  Byte* ok = result.ok();
  const std::size_t n = count_;
  switch (instruction.op) {
    case Opcode::load_boolean:
      map<Byte, double>(a, n, out, [](double v) { return static_cast<Byte>(v != 0); });
      ok_of(a, n, ok);
      return true;
    case Opcode::logical_not:  // may work in place
      for (std::size_t i = 0; i < n; ++i) {
        out[i] = static_cast<Byte>(a.as<Byte>()[a.index(i)] ^ 1U);
        ok[i] = a.ok[a.index(i)];
      }
      return true;
    case Opcode::is_null:
      for (std::size_t i = 0; i < n; ++i) {
        const Byte of = a.ok[a.index(i)];
        out[i] = static_cast<Byte>((of & 1U) ^ 1U);
        ok[i] = (of & 2U) != 0 ? kOkFailed : kOkValue;
      }
      return true;
    case Opcode::is_true:
    case Opcode::is_false: {
      const unsigned wanted = instruction.op == Opcode::is_true ? 1 : 0;
      for (std::size_t i = 0; i < n; ++i) {
        const Byte of = a.ok[a.index(i)];
        out[i] = static_cast<Byte>((of & 1U) &
                                   static_cast<unsigned>(a.as<Byte>()[a.index(i)] == wanted));
        ok[i] = (of & 2U) != 0 ? kOkFailed : kOkValue;
      }
      return true;
    }
    case Opcode::and_into:
      and_into(out, ok, a.as<Byte>(), a.ok, n);
      return true;
    case Opcode::or_into:
      or_into(out, ok, a.as<Byte>(), a.ok, n);
      return true;
    default:
      return false;
  }
}

bool Machine::run_choice(const Instruction& instruction) {
  const Lane a = lane(instruction.a);
  Register& result = registers_[instruction.result];
  Byte* ok = result.ok();
  bool done = true;
  with_element_type(instruction.kind, [&]<typename T>(T*) {
    T* out = result.as<T>();
    // The better of the two where both have a value.
    const auto pick = [&](auto is_better) {
      for (std::size_t i = 0; i < count_; ++i) {
        const Byte of = a.ok[a.index(i)];
        const T& value = a.as<T>()[a.index(i)];
        if (((of | ok[i]) & kOkFailed) != 0) {
          ok[i] = kOkFailed;
        } else if (of == kOkValue && (ok[i] == kOkNull || is_better(value, out[i]))) {
          out[i] = value;
          ok[i] = kOkValue;
        }
      }
    };
    switch (instruction.op) {
      case Opcode::load:
        for (std::size_t i = 0; i < count_; ++i) out[i] = a.as<T>()[a.index(i)];
        return ok_of(a, count_, ok);
      case Opcode::fill_into:
        for (std::size_t i = 0; i < count_; ++i) {
          if (ok[i] != kOkNull) continue;
          out[i] = a.as<T>()[a.index(i)];
          ok[i] = a.ok[a.index(i)];
        }
        return;
      case Opcode::least_into:
        return pick([](const T& x, const T& y) { return is_less(x, y); });
      case Opcode::greatest_into:
        return pick([](const T& x, const T& y) { return is_less(y, x); });
      default:
        done = false;
    }
  });
  return done || run_condition_choice(instruction) || run_list(instruction);
}

// What depends on a condition: a failed one fails the row.
bool Machine::run_condition_choice(const Instruction& instruction) {
  const bool chooses = instruction.op == Opcode::choose_into;
  if (!chooses && instruction.op != Opcode::null_into) return false;
  const Lane condition = lane(instruction.a);
  const Lane value = lane(instruction.b);
  Register& result = registers_[instruction.result];
  Byte* ok = result.ok();
  with_element_type(instruction.kind, [&]<typename T>(T*) {
    T* out = result.as<T>();
    for (std::size_t i = 0; i < count_; ++i) {
      const std::size_t at = condition.index(i);
      if ((condition.ok[at] & kOkFailed) != 0) {
        ok[i] = kOkFailed;
      } else if ((condition.ok[at] & condition.as<Byte>()[at] & 1U) == 0) {
        continue;
      } else if (chooses) {
        out[i] = value.as<T>()[value.index(i)];
        ok[i] = value.ok[value.index(i)];
      } else {
        ok[i] = kOkNull;
      }
    }
  });
  return true;
}

bool Machine::run_list(const Instruction& instruction) {
  if (instruction.op != Opcode::in_numbers && instruction.op != Opcode::in_texts) return false;
  const Lane a = lane(instruction.a);
  Register& result = registers_[instruction.result];
  const ConstantList& list = program_->lists[instruction.aux];
  Byte* out = result.as<Byte>();
  ok_of(a, count_, result.ok());
  if (instruction.op == Opcode::in_numbers) {
    std::fill_n(out, count_, Byte{0});
    const double* values = a.as<double>();
    for (const double wanted : list.numbers) {
      for (std::size_t i = 0; i < count_; ++i) out[i] |= number_equal(values[a.index(i)], wanted);
    }
  } else {
    for (std::size_t i = 0; i < count_; ++i) {
      const std::string_view text = a.as<std::string_view>()[a.index(i)];
      out[i] = result.ok()[i] == kOkValue &&
               std::binary_search(list.texts.begin(), list.texts.end(), text, std::less<>());
    }
  }
  if (!list.has_null) return true;
  for (std::size_t i = 0; i < count_; ++i) {
    if (out[i] == 0) result.ok()[i] &= kOkFailed;
  }
  return true;
}

bool Machine::run_place(const Instruction& instruction) {
  const Lane a = lane(instruction.a);
  const Lane b = lane(instruction.b);
  Register& result = registers_[instruction.result];
  switch (instruction.op) {
    case Opcode::within: {
      const Lane mask = lane(instruction.mask);
      ok_of(a, count_, result.ok());
      const ZoneSelection zone = program_->zones[instruction.aux];
      Byte* out = result.as<Byte>();
      for (std::size_t i = 0; i < count_; ++i) {
        const bool asks = result.ok()[i] == kOkValue && !is_decided(mask, i);
        out[i] = asks && zones_.contains(zone, a.as<GeoPoint>()[a.index(i)]) ? 1 : 0;
      }
      return true;
    }
    case Opcode::distance:
      map<double, GeoPoint, GeoPoint>(a, b, count_, result.as<double>(), distance_metres);
      ok_of(a, b, count_, result.ok());
      return true;
    case Opcode::make_point: {
      ok_of(a, b, count_, result.ok());
      GeoPoint* out = result.as<GeoPoint>();
      for (std::size_t i = 0; i < count_; ++i) {
        out[i] = {a.as<double>()[a.index(i)], b.as<double>()[b.index(i)]};
        const bool in_world = std::abs(out[i].longitude) <= 180 && std::abs(out[i].latitude) <= 90;
        if (in_world) continue;
        out[i] = {};
        if (result.ok()[i] == kOkValue) {
          fail_row(instruction, i, "point(longitude, latitude) lies outside of -180..180, -90..90");
        }
      }
      return true;
    }
    default:
      return false;
  }
}

// In row order, over the rows that count only: the others stay false.
bool Machine::run_memory(const Instruction& instruction) {
  if (instruction.op != Opcode::held && instruction.op != Opcode::absent) return false;
  Register& result = registers_[instruction.result];
  Byte* out = result.as<Byte>();
  std::fill_n(out, count_, Byte{0});
  std::fill_n(result.ok(), count_, kOkValue);
  if (instruction.op == Opcode::absent) {
    if (memory_->updates) return true;  // something has just arrived
    const AbsenceTracker& tracker = *memory_->absent[instruction.aux];
    for (std::size_t i = 0; i < count_; ++i) {
      out[i] = tracker.is_absent(memory_->slots[first_ + i]) ? 1 : 0;
    }
    return true;
  }
  const Lane a = lane(instruction.a);
  HeldState& state = memory_->held[instruction.aux];
  const Micros interval = program_->held[instruction.aux].interval;
  if (!memory_->updates) {
    for (std::size_t i = 0; i < count_; ++i) {
      const std::size_t row = first_ + i;
      out[i] = state.holds(memory_->slots[row], memory_->event_times[row], interval) ? 1 : 0;
    }
    return true;
  }
  FICUS_DCHECK(first_ == 0 && count_ == rows_->row_count());
  for (const std::uint32_t row : rows_->counted) {
    const bool is_true = (a.as<Byte>()[row] & a.ok[row] & 1U) != 0;
    if ((a.ok[row] & 2U) != 0) result.ok()[row] = kOkFailed;
    out[row] = state.observe(memory_->slots[row], is_true, memory_->event_times[row], interval);
  }
  return true;
}

std::size_t Machine::bytes() const {
  std::size_t total = registers_.size() * row_capacity_ * (Register::kElementBytesMax + 1);
  for (const auto& views : text_views_) total += views.capacity() * sizeof(std::string_view);
  return total + arena_.bytes();
}

}  // namespace ficus::rules
