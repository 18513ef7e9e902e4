#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/result.h"
#include "rules/binder_impl.h"
#include "rules/constant_fold.h"

namespace ficus::rules {
struct CastTarget {
  std::string_view name;
  Kind kind;
  double integer_max;  // of an integer type
};

namespace {

constexpr CastTarget kCastTargets[] = {{"double", Kind::number, 0},
                                       {"varchar", Kind::text, 0},
                                       {"text", Kind::text, 0},
                                       {"string", Kind::text, 0},
                                       {"boolean", Kind::boolean, 0},
                                       {"bool", Kind::boolean, 0},
                                       {"integer", Kind::integer, 0x1p31 - 1},
                                       {"int", Kind::integer, 0x1p31 - 1},
                                       {"bigint", Kind::integer, 0x1p53 - 1},
                                       {"timestamp", Kind::time, 0}};

}  // namespace

Parsed<BoundPtr> Binder::negate(const Expr& expr) {
  FICUS_TRY(BoundPtr value, operand(*expr.args[0]));
  if (value->kind == Kind::null) value->kind = Kind::number;
  const Kind kind = value->kind;
  if (kind == Kind::interval) {
    return strict(make(Opcode::time_negate, kind, expr.at, std::move(value)));
  }
  if (!is_numeric(kind)) return wrong_kind(*expr.args[0], kind, "a number after '-'");
  return strict(make(Opcode::negate, kind, expr.at, std::move(value)));
}

Parsed<BoundPtr> Binder::arithmetic(const Expr& expr) {
  FICUS_TRY(BoundPtr left, operand(*expr.args[0]));
  FICUS_TRY(BoundPtr right, operand(*expr.args[1]));
  if (left->kind == Kind::null) left->kind = right->kind;
  if (right->kind == Kind::null) right->kind = left->kind;
  if (left->kind == Kind::null) return typed_null(Kind::number, expr.at);
  const Kind a = left->kind;
  const Kind b = right->kind;
  if (is_numeric(a) && is_numeric(b)) {
    const bool whole = a == Kind::integer && b == Kind::integer;
    const Opcode op = number_operation(expr.symbol, whole);
    const Kind kind = whole && op != Opcode::divide ? Kind::integer : Kind::number;
    return strict(make(op, kind, expr.at, std::move(left), std::move(right)));
  }
  const bool adds = expr.symbol == Symbol::add;
  if (adds || expr.symbol == Symbol::subtract) {
    const Opcode op = adds ? Opcode::time_add : Opcode::time_subtract;
    std::optional<Kind> kind;
    if (b == Kind::interval && (a == Kind::time || a == Kind::interval)) kind = a;
    if (adds && a == Kind::interval && b == Kind::time) kind = Kind::time;
    if (!adds && a == Kind::time && b == Kind::time) kind = Kind::interval;
    if (kind) return strict(make(op, *kind, expr.at, std::move(left), std::move(right)));
  }
  return problem_at(
      expr.at, fmt::format("cannot compute with these: {}, {}", says_kind(scope_, *expr.args[0], a),
                           says_kind(scope_, *expr.args[1], b)));
}

Opcode Binder::number_operation(Symbol symbol, bool whole) {
  switch (symbol) {
    case Symbol::add:
      return whole ? Opcode::integer_add : Opcode::add;
    case Symbol::subtract:
      return whole ? Opcode::integer_subtract : Opcode::subtract;
    case Symbol::multiply:
      return whole ? Opcode::integer_multiply : Opcode::multiply;
    case Symbol::divide_integer:
      return whole ? Opcode::integer_divide : Opcode::divide_number_floor;
    case Symbol::modulo:
      return whole ? Opcode::integer_modulo : Opcode::modulo;
    default:
      return Opcode::divide;
  }
}

Parsed<BoundPtr> Binder::to_text(const Expr& expr, BoundPtr value) {
  const Kind kind = value->kind;
  Opcode op = Opcode::load;
  switch (kind) {
    case Kind::null:
      value->kind = Kind::text;
      return value;
    case Kind::text:
      return value;
    case Kind::boolean:
      op = Opcode::boolean_to_text;
      break;
    case Kind::integer:
      op = Opcode::integer_to_text;
      break;
    case Kind::number:
      op = Opcode::number_to_text;
      break;
    case Kind::time:
      op = Opcode::time_to_text;
      break;
    case Kind::interval:
    case Kind::point:
    case Kind::zone:
      return wrong_kind(expr, kind, "a value that can become a text");
  }
  const std::uint32_t at = value->at;
  BoundPtr text = strict(make(op, Kind::text, at, std::move(value)));
  FICUS_TRY_VOID(fold_constants(text));
  return text;
}

Parsed<BoundPtr> Binder::concat(const Expr& expr) {
  FICUS_TRY(BoundPtr left, operand(*expr.args[0]));
  FICUS_TRY(BoundPtr right, operand(*expr.args[1]));
  FICUS_TRY(left, to_text(*expr.args[0], std::move(left)));
  FICUS_TRY(right, to_text(*expr.args[1], std::move(right)));
  return strict(make(Opcode::concat, Kind::text, expr.at, std::move(left), std::move(right)));
}

Parsed<BoundPtr> Binder::text_operand(const Expr& expr, std::string_view wanted) {
  FICUS_TRY(BoundPtr value, operand(expr));
  if (value->kind == Kind::null) value->kind = Kind::text;
  if (value->kind != Kind::text) return wrong_kind(expr, value->kind, wanted);
  return value;
}

Parsed<BoundPtr> Binder::like(const Expr& expr) {
  const Opcode op = expr.ignore_case ? Opcode::like_ignore_case : Opcode::like;
  FICUS_TRY(BoundPtr text, text_operand(*expr.args[0], "a text before LIKE"));
  FICUS_TRY(BoundPtr pattern, text_operand(*expr.args[1], "a text as pattern"));
  BoundPtr bound = make(op, Kind::boolean, expr.at, std::move(text), std::move(pattern));
  bound->negated = expr.negated;
  if (expr.args.size() == 3) {
    FICUS_TRY(BoundPtr escape, text_operand(*expr.args[2], "a text after ESCAPE"));
    const bool fits =
        escape->is_constant() && !escape->constant.is_null && escape->constant.text.size() <= 1;
    if (!fits) {
      return problem_at(expr.args[2]->begin,
                        "expected one ASCII character in quotes, or '', after ESCAPE");
    }
    bound->args.push_back(std::move(escape));
    FICUS_TRY_VOID(check_escapes(expr, *bound->args[1], *bound->args[2]));
  }
  return strict(std::move(bound));
}

Parsed<void> Binder::check_escapes(const Expr& expr, const Bound& pattern, const Bound& escape) {
  if (!pattern.is_constant() || escape.constant.text.empty()) return {};
  const char mark = escape.constant.text.front();
  bool escaped = false;
  for (const char c : pattern.constant.text) escaped = !escaped && c == mark;
  if (!escaped) return {};
  return problem_at(expr.args[1]->begin,
                    fmt::format("expected a character after the last '{}' of this pattern", mark));
}

Parsed<BoundPtr> Binder::cast(const Expr& expr) {
  const std::string wanted = lower_case(expr.text);
  const auto target =
      std::find_if(std::begin(kCastTargets), std::end(kCastTargets),
                   [&](const CastTarget& candidate) { return candidate.name == wanted; });
  if (target == std::end(kCastTargets)) {
    return problem_at(expr.at, fmt::format("expected DOUBLE, INTEGER, BIGINT, VARCHAR, BOOLEAN or "
                                           "TIMESTAMP, found '{}'",
                                           expr.text));
  }
  FICUS_TRY(BoundPtr value, operand(*expr.args[0]));
  if (value->kind == Kind::null) return typed_null(target->kind, expr.begin);
  if (value->kind == target->kind && target->kind != Kind::integer) return value;
  if (target->kind == Kind::text) return to_text(*expr.args[0], std::move(value));
  return cast_value(expr, std::move(value), *target);
}

Parsed<BoundPtr> Binder::cast_value(const Expr& expr, BoundPtr value, const CastTarget& target) {
  const Kind from = value->kind;
  Opcode op = Opcode::constant;
  if (target.kind == Kind::number && from == Kind::integer) op = Opcode::load;
  if (target.kind == Kind::number && from == Kind::text) op = Opcode::text_to_number;
  if (target.kind == Kind::boolean && from == Kind::text) op = Opcode::text_to_boolean;
  if (target.kind == Kind::boolean && is_numeric(from)) op = Opcode::number_to_boolean;
  if (from == Kind::boolean) op = Opcode::boolean_to_number;
  if (target.kind == Kind::integer && is_numeric(from)) op = Opcode::number_to_integer;
  if (op == Opcode::constant || target.kind == Kind::time) {
    return problem_at(expr.begin, fmt::format("cannot cast to {}: {}{}", expr.text,
                                              says_kind(scope_, *expr.args[0], from),
                                              target.kind == Kind::integer && from == Kind::text
                                                  ? " (cast it to DOUBLE first)"
                                                  : ""));
  }
  BoundPtr bound = make(op, target.kind, expr.begin, std::move(value));
  bound->tries = expr.tries;
  if (op == Opcode::number_to_integer) {
    BoundPtr largest = make(Opcode::constant, Kind::number, expr.begin);
    largest->constant.is_null = false;
    largest->constant.number = target.integer_max;
    bound->args.push_back(std::move(largest));
  }
  return strict(std::move(bound));
}

}  // namespace ficus::rules
