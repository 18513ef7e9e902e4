#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/result.h"
#include "rules/binder_impl.h"

namespace ficus::rules {
namespace {

// How an operation is spelled for the kind that it compares.
struct Comparisons {
  Opcode equal;
  Opcode less;
  Opcode less_equal;
  Opcode same;
};

Comparisons comparisons_of(Kind kind) {
  switch (kind) {
    case Kind::boolean:
      return {Opcode::boolean_equal, Opcode::boolean_less, Opcode::boolean_less_equal,
              Opcode::boolean_same};
    case Kind::text:
      return {Opcode::text_equal, Opcode::text_less, Opcode::text_less_equal, Opcode::text_same};
    case Kind::time:
    case Kind::interval:
      return {Opcode::time_equal, Opcode::time_less, Opcode::time_less_equal, Opcode::time_same};
    default:
      return {Opcode::number_equal, Opcode::number_less, Opcode::number_less_equal,
              Opcode::number_same};
  }
}

}  // namespace

Parsed<Kind> Binder::unify(const Expr& left_expr, Bound& left, const Expr& right_expr,
                           Bound& right) {
  if (left.kind == Kind::null) left.kind = right.kind;
  if (right.kind == Kind::null) right.kind = left.kind;
  if (left.kind == right.kind) return left.kind;
  if (is_numeric(left.kind) && is_numeric(right.kind)) return Kind::number;
  return problem_at(right_expr.begin, fmt::format("{}, {}", says_kind(scope_, left_expr, left.kind),
                                                  says_kind(scope_, right_expr, right.kind)));
}

Parsed<Kind> Binder::comparable(const Expr& left_expr, Bound& left, const Expr& right_expr,
                                Bound& right) {
  FICUS_TRY(const Kind kind, unify(left_expr, left, right_expr, right));
  if (kind == Kind::point || kind == Kind::zone) {
    return problem_at(left_expr.begin, fmt::format("a {} cannot be compared: use distance() or "
                                                   "within()",
                                                   kind_name(kind)));
  }
  if (kind == Kind::null) left.kind = right.kind = Kind::number;
  return kind == Kind::null ? Kind::number : kind;
}

Parsed<BoundPtr> Binder::compare(const Expr& expr) {
  FICUS_TRY(BoundPtr left, operand(*expr.args[0]));
  FICUS_TRY(BoundPtr right, operand(*expr.args[1]));
  FICUS_TRY(const Kind kind, comparable(*expr.args[0], *left, *expr.args[1], *right));
  const Comparisons ops = comparisons_of(kind);
  Opcode op = ops.equal;
  switch (expr.symbol) {
    case Symbol::greater:
      std::swap(left, right);
      [[fallthrough]];
    case Symbol::less:
      op = ops.less;
      break;
    case Symbol::greater_equal:
      std::swap(left, right);
      [[fallthrough]];
    case Symbol::less_equal:
      op = ops.less_equal;
      break;
    default:
      break;
  }
  BoundPtr bound = make(op, Kind::boolean, expr.at, std::move(left), std::move(right));
  bound->negated = expr.symbol == Symbol::not_equal;
  return strict(std::move(bound));
}

Parsed<BoundPtr> Binder::is_distinct(const Expr& expr) {
  FICUS_TRY(BoundPtr left, operand(*expr.args[0]));
  FICUS_TRY(BoundPtr right, operand(*expr.args[1]));
  FICUS_TRY(const Kind kind, comparable(*expr.args[0], *left, *expr.args[1], *right));
  // IS DISTINCT FROM is true where the two are not the same; IS NOT DISTINCT FROM where they are.
  BoundPtr bound =
      make(comparisons_of(kind).same, Kind::boolean, expr.at, std::move(left), std::move(right));
  bound->negated = !expr.negated;
  return bound;
}

Parsed<BoundPtr> Binder::between_or_in(const Expr& expr) {
  const bool is_in = expr.kind == ExprKind::in_list;
  BoundPtr bound = make(is_in ? Opcode::in_list : Opcode::between, Kind::boolean, expr.at);
  bound->negated = expr.negated;
  std::vector<std::pair<const Expr*, Bound*>> values;
  for (const ExprPtr& arg : expr.args) {
    FICUS_TRY(BoundPtr value, operand(*arg));
    values.emplace_back(arg.get(), value.get());
    bound->args.push_back(std::move(value));
  }
  FICUS_TRY(const Kind kind, unify_all(values, true));
  if (kind == Kind::null) return typed_null(Kind::boolean, expr.at);
  return bound;
}

Parsed<Kind> Binder::unify_all(const std::vector<std::pair<const Expr*, Bound*>>& values,
                               bool compares) {
  Kind kind = Kind::null;
  const Expr* first = nullptr;
  for (const auto& [source, value] : values) {
    if (value->kind == Kind::zone || (compares && value->kind == Kind::point)) {
      return wrong_kind(*source, value->kind, "a value that can be compared");
    }
    if (value->kind == Kind::null) continue;
    const bool numeric = is_numeric(kind) && is_numeric(value->kind);
    if (kind != Kind::null && kind != value->kind && !numeric) {
      return problem_at(source->begin, fmt::format("{}, {}", says_kind(scope_, *first, kind),
                                                   says_kind(scope_, *source, value->kind)));
    }
    kind = kind == Kind::null || kind == value->kind ? value->kind : Kind::number;
    if (first == nullptr) first = source;
  }
  for (const auto& [source, value] : values) value->kind = kind;
  return kind;
}

Parsed<BoundPtr> Binder::choice(const Expr& expr, Opcode op, std::string_view name) {
  if (expr.args.empty()) {
    return problem_at(expr.begin, fmt::format("expected values in {}(...)", name));
  }
  BoundPtr bound = make(op, Kind::null, expr.begin);
  std::vector<std::pair<const Expr*, Bound*>> values;
  for (const ExprPtr& arg : expr.args) {
    FICUS_TRY(BoundPtr value, operand(*arg));
    values.emplace_back(arg.get(), value.get());
    bound->args.push_back(std::move(value));
  }
  FICUS_TRY(bound->kind, unify_all(values, op != Opcode::coalesce));
  if (bound->kind == Kind::null) return typed_null(Kind::null, expr.begin);
  return bound;
}

Parsed<BoundPtr> Binder::null_if(const Expr& expr) {
  if (expr.args.size() != 2) return usage(expr, "nullif(value, value)");
  FICUS_TRY(BoundPtr left, operand(*expr.args[0]));
  FICUS_TRY(BoundPtr right, operand(*expr.args[1]));
  FICUS_TRY_VOID(comparable(*expr.args[0], *left, *expr.args[1], *right));
  const Kind result = left->kind;
  return make(Opcode::null_if, result, expr.begin, std::move(left), std::move(right));
}

Parsed<BoundPtr> Binder::case_when(const Expr& expr) {
  BoundPtr bound = make(Opcode::case_when, Kind::null, expr.begin);
  bound->args.resize(expr.args.size());
  if (expr.args[0] != nullptr) {
    FICUS_TRY(bound->args[0], operand(*expr.args[0]));
  }
  std::vector<std::pair<const Expr*, Bound*>> values;
  for (std::size_t i = 1; i + 1 < expr.args.size(); i += 2) {
    FICUS_TRY_VOID(case_branch(expr, i, *bound));
    values.emplace_back(expr.args[i + 1].get(), bound->args[i + 1].get());
  }
  if (expr.args.back() != nullptr) {
    FICUS_TRY(bound->args.back(), operand(*expr.args.back()));
    values.emplace_back(expr.args.back().get(), bound->args.back().get());
  }
  FICUS_TRY(bound->kind, unify_all(values, false));
  if (bound->kind == Kind::null) return typed_null(Kind::null, expr.begin);
  return bound;
}

Parsed<void> Binder::case_branch(const Expr& expr, std::size_t when, Bound& bound) {
  if (expr.args[0] == nullptr) {
    FICUS_TRY(bound.args[when], condition(*expr.args[when], false));
  } else {
    FICUS_TRY(bound.args[when], operand(*expr.args[when]));
    FICUS_TRY_VOID(comparable(*expr.args[0], *bound.args[0], *expr.args[when], *bound.args[when]));
  }
  FICUS_TRY(bound.args[when + 1], operand(*expr.args[when + 1]));
  return {};
}

}  // namespace ficus::rules
