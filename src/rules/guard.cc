#include "rules/guard.h"

#include <algorithm>

namespace ficus::rules {
namespace {

// Operations that remember nothing of earlier rows of an entity and cannot fail. Those that make
// texts can: there may be no room for them.
bool is_harmless(Opcode op) {
  switch (op) {
    case Opcode::constant:
    case Opcode::column:
    case Opcode::logical_and:
    case Opcode::logical_or:
    case Opcode::logical_not:
    case Opcode::between:
    case Opcode::in_list:
    case Opcode::case_when:
    case Opcode::coalesce:
    case Opcode::null_if:
    case Opcode::least:
    case Opcode::greatest:
    case Opcode::add:
    case Opcode::subtract:
    case Opcode::multiply:
    case Opcode::divide:
    case Opcode::absolute:
    case Opcode::negate:
    case Opcode::floor:
    case Opcode::ceiling:
    case Opcode::is_nan:
    case Opcode::number_equal:
    case Opcode::number_less:
    case Opcode::number_less_equal:
    case Opcode::boolean_equal:
    case Opcode::boolean_less:
    case Opcode::boolean_less_equal:
    case Opcode::text_equal:
    case Opcode::text_less:
    case Opcode::text_less_equal:
    case Opcode::time_equal:
    case Opcode::time_less:
    case Opcode::time_less_equal:
    case Opcode::number_same:
    case Opcode::boolean_same:
    case Opcode::text_same:
    case Opcode::time_same:
    case Opcode::is_null:
    case Opcode::is_true:
    case Opcode::is_false:
    case Opcode::length:
    case Opcode::starts_with:
    case Opcode::ends_with:
    case Opcode::contains:
    case Opcode::like:
    case Opcode::like_ignore_case:
    case Opcode::distance:
    case Opcode::within:
    case Opcode::absent:
      return true;
    default:
      return false;
  }
}

bool is_harmless(const Bound& bound) {
  return is_harmless(bound.op) && std::ranges::all_of(bound.args, [](const BoundPtr& arg) {
           return arg == nullptr || is_harmless(*arg);
         });
}

// What AND joins at the top.
void add_parts(const Bound& bound, std::vector<const Bound*>& parts) {
  if (bound.op != Opcode::logical_and) return parts.push_back(&bound);
  for (const BoundPtr& arg : bound.args) add_parts(*arg, parts);
}

bool is_number_column(const Bound& bound) {
  return bound.op == Opcode::column && bound.source == ColumnSource::attribute &&
         is_numeric(bound.kind);
}
bool is_text_column(const Bound& bound) {
  return bound.op == Opcode::column && bound.source != ColumnSource::observed_at &&
         bound.kind == Kind::text;
}
bool is_value(const Bound& bound) { return bound.is_constant() && !bound.constant.is_null; }

class GuardFinder {
 public:
  void look_at(const Bound& bound) {
    if (bound.op == Opcode::logical_and) {
      for (const BoundPtr& arg : bound.args) look_at(*arg);
      return;
    }
    if (bound.negated) return;
    switch (bound.op) {
      case Opcode::number_equal:
      case Opcode::text_equal:
        return equal(*bound.args[0], *bound.args[1]);
      case Opcode::number_less:
      case Opcode::number_less_equal:
        limit(*bound.args[0], *bound.args[1]);
        return;
      case Opcode::between:
        limit(*bound.args[1], *bound.args[0]);
        limit(*bound.args[0], *bound.args[2]);
        return;
      case Opcode::in_list:
        return one_of(bound);
      default:
        return;
    }
  }
  std::vector<Guard> take() { return std::move(guards_); }

 private:
  Guard& add(Guard::Test test, const Bound& column) {
    Guard& guard = guards_.emplace_back();
    guard.test = test;
    guard.source = column.source;
    guard.attribute = column.attribute;
    return guard;
  }

  void equal(const Bound& left, const Bound& right) {
    const bool is_constant_left = left.is_constant();
    const Bound& column = is_constant_left ? right : left;
    const Bound& value = is_constant_left ? left : right;
    if (!is_value(value)) return;
    if (is_text_column(column)) {
      add(Guard::Test::one_of_texts, column).texts.push_back(value.constant.text);
    } else if (is_number_column(column)) {
      add(Guard::Test::one_of_numbers, column).numbers.push_back(value.constant.number);
    }
  }

  // lesser < greater, or lesser <= greater
  void limit(const Bound& lesser, const Bound& greater) {
    if (is_value(lesser) && is_number_column(greater)) {
      add(Guard::Test::at_least, greater).limit = lesser.constant.number;
    } else if (is_number_column(lesser) && is_value(greater)) {
      add(Guard::Test::at_most, lesser).limit = greater.constant.number;
    }
  }

  void one_of(const Bound& bound) {
    const Bound& column = *bound.args[0];
    const bool is_text = is_text_column(column);
    if (!is_text && !is_number_column(column)) return;
    if (bound.args.size() > Guard::kListMax + 1) return;
    if (!std::all_of(bound.args.begin() + 1, bound.args.end(),
                     [](const BoundPtr& arg) { return arg->is_constant(); })) {
      return;
    }
    Guard& guard = add(is_text ? Guard::Test::one_of_texts : Guard::Test::one_of_numbers, column);
    for (std::size_t i = 1; i < bound.args.size(); ++i) {
      const Constant& value = bound.args[i]->constant;
      if (value.is_null) continue;  // equals nothing
      if (is_text) {
        guard.texts.push_back(value.text);
      } else {
        guard.numbers.push_back(value.number);
      }
    }
  }

  std::vector<Guard> guards_;
};

}  // namespace

std::vector<Guard> guards_of(const Bound& condition) {
  std::vector<const Bound*> parts;
  add_parts(condition, parts);
  const Bound* held = nullptr;
  for (const Bound* const part : parts) {
    if (part->op == Opcode::held && held == nullptr && is_harmless(*part->args[0])) {
      held = part;
    } else if (!is_harmless(*part)) {
      return {};
    }
  }
  GuardFinder finder;
  finder.look_at(held == nullptr ? condition : *held->args[0]);
  return finder.take();
}

}  // namespace ficus::rules
