#include "rules/planner.h"

#include <algorithm>
#include <utility>

#include "base/check.h"

namespace ficus::rules {
namespace {

// What an AND or OR should do first: what has memory must see every row; then the cheap.
int cost_of(const Bound& bound) {
  int cost = 0;
  switch (bound.op) {
    case Opcode::held:
    case Opcode::absent:
      return -1;
    case Opcode::within:
      cost = 4;
      break;
    case Opcode::distance:
      cost = 3;
      break;
    case Opcode::like:
    case Opcode::like_ignore_case:
    case Opcode::lower:
    case Opcode::upper:
    case Opcode::contains:
    case Opcode::concat:
      cost = 2;
      break;
    default:
      if (bound.kind == Kind::text) cost = 1;
      break;
  }
  for (const BoundPtr& arg : bound.args) {
    if (arg == nullptr) continue;
    const int part = cost_of(*arg);
    if (part < 0) return -1;
    cost = std::max(cost, part);
  }
  return cost;
}

// Operations that cost more than a look at the mask (Instruction::mask).
bool is_maskable(Opcode op) {
  switch (op) {
    case Opcode::within:
    case Opcode::like:
    case Opcode::like_ignore_case:
    case Opcode::starts_with:
    case Opcode::ends_with:
    case Opcode::contains:
      return true;
    default:
      return false;
  }
}

class Planner {
 public:
  Program run(std::span<const Bound* const> expressions, bool only_truth_counts) {
    for (const Bound* expression : expressions) {
      // Results stay in their registers: each expression begins above those before it.
      const std::uint16_t base = program_.register_count;
      program_.results.push_back(operand(*expression, base, only_truth_counts));
      program_.result_kinds.push_back(expression->kind);
    }
    return std::move(program_);
  }

 private:
  using Register = std::uint16_t;

  Register reserve(Register r) {
    program_.register_count = std::max<Register>(program_.register_count, r + 1);
    return r;
  }

  Operand constant(const Constant& value, Kind kind) {
    ConstantCell& cell = program_.constants.emplace_back();
    cell.kind = kind;
    cell.ok = value.is_null ? 0 : 1;
    cell.number = value.number;
    cell.boolean = value.number != 0 ? 1 : 0;
    cell.time = {value.micros};
    cell.point = value.point;
    cell.text = value.text;
    cell.view = cell.text;
    return {Operand::Source::constant, static_cast<std::uint32_t>(program_.constants.size() - 1)};
  }

  Operand attribute(AttributeId id) {
    const auto found = std::find(program_.attributes.begin(), program_.attributes.end(), id);
    const auto index = static_cast<std::uint32_t>(found - program_.attributes.begin());
    if (found == program_.attributes.end()) program_.attributes.push_back(id);
    return {Operand::Source::attribute, index};
  }

  Instruction& emit(Opcode op, const Bound& bound, Register result) {
    Instruction& instruction = program_.code.emplace_back();
    instruction.op = op;
    instruction.kind = bound.kind;
    instruction.tries = bound.tries;
    instruction.result = reserve(result);
    instruction.at = bound.at;
    return instruction;
  }

  static Operand register_operand(Register r) { return {Operand::Source::register_, r}; }

  // Where the expression's values are: computed into register `r` if they are not there already.
  // Registers from `r` on are free.
  Operand operand(const Bound& bound, Register r, bool only_truth_counts = false) {
    if (bound.op == Opcode::constant) return constant(bound.constant, bound.kind);
    if (bound.op == Opcode::column && bound.source == ColumnSource::id) {
      return {Operand::Source::id, 0};
    }
    if (bound.op == Opcode::column && bound.source == ColumnSource::observed_at) {
      return {Operand::Source::observed_at, 0};
    }
    if (bound.op == Opcode::column && bound.kind != Kind::boolean) {
      return attribute(bound.attribute);
    }
    compute(bound, r, only_truth_counts);
    return register_operand(r);
  }

  // Computes the expression's values into register `r`.
  void compute(const Bound& bound, Register r, bool only_truth_counts = false) {
    switch (bound.op) {
      case Opcode::column:
        if (bound.kind == Kind::boolean) {
          const Operand source = attribute(bound.attribute);
          emit(Opcode::load_boolean, bound, r).a = source;
          return;
        }
        [[fallthrough]];
      case Opcode::constant:
        return load(bound, r);
      case Opcode::logical_and:
      case Opcode::logical_or:
        return logical(bound, r, only_truth_counts);
      case Opcode::between:
        return between(bound, r);
      case Opcode::in_list:
        return in_list(bound, r);
      case Opcode::case_when:
        return case_when(bound, r);
      case Opcode::null_if:
        return null_if(bound, r);
      case Opcode::coalesce:
        return fold_into(bound, Opcode::fill_into, r);
      case Opcode::least:
        return fold_into(bound, Opcode::least_into, r);
      case Opcode::greatest:
        return fold_into(bound, Opcode::greatest_into, r);
      case Opcode::within:
        return within(bound, r);
      case Opcode::held:
        return held(bound, r);
      case Opcode::absent:
        program_.absent.push_back({Micros{bound.constant.micros}});
        emit(Opcode::absent, bound, r).aux = static_cast<std::uint32_t>(program_.absent.size() - 1);
        return;
      default:
        return strict(bound, r);
    }
  }

  void load(const Bound& bound, Register r) {
    const Operand source = operand(bound, r);
    emit(Opcode::load, bound, r).a = source;
  }

  // Operands go to the registers above the result, which no instruction may overwrite while it
  // still reads.
  void strict(const Bound& bound, Register r) {
    reserve(r);
    Operand operands[3];
    Register next = r + 1;
    FICUS_CHECK(bound.args.size() <= 3);
    for (std::size_t i = 0; i < bound.args.size(); ++i) {
      operands[i] = operand(*bound.args[i], next);
      if (operands[i].source == Operand::Source::register_) ++next;
    }
    Instruction& instruction = emit(bound.op, bound, r);
    // The kind of what is compared, not of the answer.
    if (!bound.args.empty()) instruction.kind = bound.args.front()->kind;
    instruction.a = operands[0];
    instruction.b = operands[1];
    instruction.c = operands[2];
    if (bound.negated) negate(bound, r);
  }

  void negate(const Bound& bound, Register r) {
    emit(Opcode::logical_not, bound, r).a = register_operand(r);
  }

  void logical(const Bound& bound, Register r, bool only_truth_counts) {
    const bool is_and = bound.op == Opcode::logical_and;
    // By cost, and as written where that is equal.
    std::vector<std::pair<int, std::size_t>> order;
    order.reserve(bound.args.size());
    for (std::size_t i = 0; i < bound.args.size(); ++i) {
      order.emplace_back(cost_of(*bound.args[i]), i);
    }
    std::sort(order.begin(), order.end());
    compute(*bound.args[order.front().second], r, only_truth_counts);
    std::vector<std::size_t> jumps;
    for (std::size_t i = 1; i < order.size(); ++i) {
      const Bound& arg = *bound.args[order[i].second];
      const bool may_skip = order[i].first >= 0;
      if (may_skip) {
        jumps.push_back(program_.code.size());
        Instruction& skip = emit(is_and ? Opcode::skip_if_false : Opcode::skip_if_true, bound, r);
        skip.a = register_operand(r);
        skip.tries = only_truth_counts;  // NULL counts as false then
      }
      const Register next = r + 1;
      compute(arg, next, only_truth_counts);
      const Operand part = register_operand(next);
      if (is_and && is_maskable(arg.op)) {
        // The last instruction made the part; a NOT may stand behind it.
        program_.code[program_.code.size() - (arg.negated ? 2 : 1)].mask = register_operand(r);
      }
      emit(is_and ? Opcode::and_into : Opcode::or_into, bound, r).a = part;
    }
    for (const std::size_t jump : jumps) {
      program_.code[jump].aux = static_cast<std::uint32_t>(program_.code.size());
    }
  }

  static Opcode less_equal_of(Kind kind) {
    switch (kind) {
      case Kind::boolean:
        return Opcode::boolean_less_equal;
      case Kind::text:
        return Opcode::text_less_equal;
      case Kind::time:
      case Kind::interval:
        return Opcode::time_less_equal;
      default:
        return Opcode::number_less_equal;
    }
  }
  static Opcode equal_of(Kind kind) {
    switch (kind) {
      case Kind::boolean:
        return Opcode::boolean_equal;
      case Kind::text:
        return Opcode::text_equal;
      case Kind::time:
      case Kind::interval:
        return Opcode::time_equal;
      default:
        return Opcode::number_equal;
    }
  }

  void compare(Opcode op, const Bound& bound, Kind kind, Register r, Operand a, Operand b) {
    Instruction& instruction = emit(op, bound, r);
    instruction.kind = kind;
    instruction.a = a;
    instruction.b = b;
  }

  void between(const Bound& bound, Register r) {
    const Kind kind = bound.args[0]->kind;
    reserve(r);
    compute(*bound.args[0], r + 2);
    const Operand value = register_operand(r + 2);
    compute(*bound.args[1], r + 3);
    compare(less_equal_of(kind), bound, kind, r, register_operand(r + 3), value);
    compute(*bound.args[2], r + 3);
    compare(less_equal_of(kind), bound, kind, r + 1, value, register_operand(r + 3));
    emit(Opcode::and_into, bound, r).a = register_operand(r + 1);
    if (bound.negated) negate(bound, r);
  }

  void in_list(const Bound& bound, Register r) {
    const Kind kind = bound.args[0]->kind;
    const bool constants = (is_numeric(kind) || kind == Kind::text) &&
                           std::all_of(bound.args.begin() + 1, bound.args.end(),
                                       [](const BoundPtr& arg) { return arg->is_constant(); });
    reserve(r);
    if (constants) {
      const Operand value = operand(*bound.args[0], r + 1);
      const Opcode op = kind == Kind::text ? Opcode::in_texts : Opcode::in_numbers;
      Instruction& instruction = emit(op, bound, r);
      instruction.a = value;
      instruction.aux = static_cast<std::uint32_t>(program_.lists.size());
      program_.lists.push_back(constant_list(bound));
    } else {
      compute(*bound.args[0], r + 1);
      const Operand value = register_operand(r + 1);
      for (std::size_t i = 1; i < bound.args.size(); ++i) {
        compute(*bound.args[i], r + 3);
        const Register target = i == 1 ? r : r + 2;
        compare(equal_of(kind), bound, kind, target, value, register_operand(r + 3));
        if (i > 1) emit(Opcode::or_into, bound, r).a = register_operand(target);
      }
    }
    if (bound.negated) negate(bound, r);
  }

  static ConstantList constant_list(const Bound& bound) {
    ConstantList list;
    for (std::size_t i = 1; i < bound.args.size(); ++i) {
      const Constant& value = bound.args[i]->constant;
      if (value.is_null) {
        list.has_null = true;
      } else if (bound.args[0]->kind == Kind::text) {
        list.texts.push_back(value.text);
      } else {
        list.numbers.push_back(value.number);
      }
    }
    std::sort(list.texts.begin(), list.texts.end());
    return list;
  }

  // The branches are chosen from the last to the first, so that the first that fits wins.
  // args: operand or null, WHEN and THEN alternating, ELSE or null.
  void case_when(const Bound& bound, Register r) {
    const std::vector<BoundPtr>& args = bound.args;
    reserve(r);
    if (args.back() != nullptr) {
      compute(*args.back(), r);
    } else {
      const Operand none = constant(Constant{}, bound.kind);
      emit(Opcode::load, bound, r).a = none;
    }
    Register free = r + 1;
    if (args.front() != nullptr) compute(*args.front(), free++);
    for (std::size_t when = args.size() - 3; when >= 1; when -= 2) {
      if (args.front() != nullptr) {
        compute(*args[when], free + 1);
        compare(equal_of(args[when]->kind), bound, args[when]->kind, free, register_operand(r + 1),
                register_operand(free + 1));
      } else {
        compute(*args[when], free);
      }
      compute(*args[when + 1], free + 1);
      Instruction& choose = emit(Opcode::choose_into, bound, r);
      choose.a = register_operand(free);
      choose.b = register_operand(free + 1);
      if (when == 1) break;
    }
  }

  void fold_into(const Bound& bound, Opcode op, Register r) {
    compute(*bound.args.front(), r);
    for (std::size_t i = 1; i < bound.args.size(); ++i) {
      compute(*bound.args[i], r + 1);
      emit(op, bound, r).a = register_operand(r + 1);
    }
  }

  void null_if(const Bound& bound, Register r) {
    const Kind kind = bound.args[1]->kind;
    reserve(r);
    compute(*bound.args[0], r);
    compute(*bound.args[1], r + 2);
    compare(equal_of(kind), bound, kind, r + 1, register_operand(r), register_operand(r + 2));
    emit(Opcode::null_into, bound, r).a = register_operand(r + 1);
  }

  void within(const Bound& bound, Register r) {
    reserve(r);
    const Operand point = operand(*bound.args[0], r + 1);
    Instruction& instruction = emit(Opcode::within, bound, r);
    instruction.a = point;
    instruction.aux = static_cast<std::uint32_t>(program_.zones.size());
    program_.zones.push_back(bound.zone);
  }

  void held(const Bound& bound, Register r) {
    reserve(r);
    compute(*bound.args[0], r + 1, true);
    Instruction& instruction = emit(Opcode::held, bound, r);
    instruction.a = register_operand(r + 1);
    instruction.aux = static_cast<std::uint32_t>(program_.held.size());
    program_.held.push_back({Micros{bound.constant.micros}});
  }

  Program program_;
};

}  // namespace

Program plan(std::span<const Bound* const> expressions, bool only_truth_counts) {
  return Planner().run(expressions, only_truth_counts);
}

}  // namespace ficus::rules
