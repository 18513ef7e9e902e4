#include "rules/binder.h"

#include <fmt/format.h>

#include <utility>

#include "base/result.h"
#include "rules/binder_impl.h"
#include "rules/constant_fold.h"

namespace ficus::rules {
std::string lower_case(std::string_view text) {
  std::string lower(text);
  for (char& c : lower) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + 32);
  }
  return lower;
}

Parsed<BoundPtr> Binder::bind(const Expr& expr, bool with_memory) {
  FICUS_TRY(BoundPtr bound, bind_unfolded(expr, with_memory));
  FICUS_TRY_VOID(fold_constants(bound));
  return bound;
}

Parsed<BoundPtr> Binder::bind_unfolded(const Expr& expr, bool with_memory) {
  switch (expr.kind) {
    case ExprKind::null_literal:
    case ExprKind::boolean_literal:
    case ExprKind::integer_literal:
    case ExprKind::number_literal:
    case ExprKind::text_literal:
    case ExprKind::time_literal:
    case ExprKind::interval_literal:
      return literal(expr);
    case ExprKind::column:
      return column(expr);
    case ExprKind::call:
      return call(expr, with_memory);
    case ExprKind::negate:
      return negate(expr);
    case ExprKind::arithmetic:
      return arithmetic(expr);
    case ExprKind::concat:
      return concat(expr);
    case ExprKind::compare:
      return compare(expr);
    case ExprKind::logical_and:
    case ExprKind::logical_or:
    case ExprKind::logical_not:
      return logical(expr, with_memory);
    case ExprKind::is_null:
      return is_null(expr);
    case ExprKind::is_truth:
      return is_truth(expr);
    case ExprKind::is_distinct:
      return is_distinct(expr);
    case ExprKind::between:
    case ExprKind::in_list:
      return between_or_in(expr);
    case ExprKind::like:
      return like(expr);
    case ExprKind::case_when:
      return case_when(expr);
    case ExprKind::cast:
      return cast(expr);
  }
  std::unreachable();
}

std::unexpected<Problem> Binder::wrong_kind(const Expr& expr, Kind kind,
                                            std::string_view wanted) const {
  return problem_at(expr.begin,
                    fmt::format("expected {}: {}", wanted, says_kind(scope_, expr, kind)));
}

BoundPtr Binder::strict(BoundPtr bound) {
  for (const BoundPtr& arg : bound->args) {
    if (arg->is_null_constant()) return typed_null(bound->kind, bound->at);
  }
  return bound;
}

Parsed<BoundPtr> Binder::literal(const Expr& expr) {
  BoundPtr bound = make(Opcode::constant, Kind::null, expr.begin);
  bound->constant.is_null = expr.kind == ExprKind::null_literal;
  bound->constant.number = expr.number;
  bound->constant.micros = expr.micros;
  bound->constant.text = expr.text;
  switch (expr.kind) {
    case ExprKind::boolean_literal:
      bound->kind = Kind::boolean;
      break;
    case ExprKind::integer_literal:
      bound->kind = Kind::integer;
      break;
    case ExprKind::number_literal:
      bound->kind = Kind::number;
      break;
    case ExprKind::text_literal:
      bound->kind = Kind::text;
      break;
    case ExprKind::time_literal:
      bound->kind = Kind::time;
      break;
    case ExprKind::interval_literal:
      bound->kind = Kind::interval;
      break;
    default:
      break;
  }
  return bound;
}

std::vector<std::string> Binder::column_names() const {
  std::vector<std::string> names = {"id", "type", "observedAt"};
  for (std::uint32_t i = 0; i < scope_.schema->attribute_count(scope_.type); ++i) {
    names.push_back(scope_.schema->attribute_name(scope_.type, AttributeId(i)));
  }
  return names;
}

std::optional<std::string> Binder::resolve(std::string_view name) const {
  std::optional<std::string> found;
  for (std::string& candidate : column_names()) {
    if (candidate == name) return candidate;
    if (lower_case(candidate) != lower_case(name)) continue;
    if (found) return std::nullopt;  // ambiguous
    found = std::move(candidate);
  }
  return found;
}

Parsed<BoundPtr> Binder::column(const Expr& expr) {
  const std::string& type_name = scope_.schema->type_name(scope_.type);
  const std::string& qualifier = scope_.alias.empty() ? type_name : scope_.alias;
  if (!expr.qualifier.empty() && lower_case(expr.qualifier) != lower_case(qualifier)) {
    return problem_at(expr.begin, fmt::format("unknown name '{}' before '.': expected '{}'",
                                              expr.qualifier, qualifier));
  }
  const auto name = resolve(expr.text);
  if (!name) {
    const std::vector<std::string> names = column_names();
    return problem_at(expr.at, fmt::format("unknown attribute '{}' of {}{}", expr.text, type_name,
                                           suggestion(expr.text, names)));
  }
  BoundPtr bound = make(Opcode::column, Kind::text, expr.begin);
  bound->value_kind = ValueKind::text;
  if (*name == "id") {
    bound->source = ColumnSource::id;
  } else if (*name == "observedAt") {
    bound->source = ColumnSource::observed_at;
    bound->value_kind = ValueKind::time;
  } else if (*name == "type") {
    bound->op = Opcode::constant;
    bound->constant.is_null = false;
    bound->constant.text = type_name;
  } else {
    bound->attribute = *scope_.schema->find_attribute(scope_.type, *name);
    bound->value_kind = scope_.schema->attribute_kind(scope_.type, bound->attribute);
  }
  bound->kind = kind_of(bound->value_kind);
  return bound;
}

Parsed<BoundPtr> Binder::condition(const Expr& expr, bool with_memory) {
  FICUS_TRY(BoundPtr bound, bind(expr, with_memory));
  if (bound->kind == Kind::null) bound->kind = Kind::boolean;
  if (bound->kind != Kind::boolean) return wrong_kind(expr, bound->kind, "a condition");
  return bound;
}

Parsed<BoundPtr> Binder::logical(const Expr& expr, bool with_memory) {
  const Opcode op = expr.kind == ExprKind::logical_and  ? Opcode::logical_and
                    : expr.kind == ExprKind::logical_or ? Opcode::logical_or
                                                        : Opcode::logical_not;
  BoundPtr bound = make(op, Kind::boolean, expr.at);
  for (const ExprPtr& arg : expr.args) {
    FICUS_TRY(BoundPtr part, condition(*arg, with_memory));
    bound->args.push_back(std::move(part));
  }
  return bound;
}

Parsed<BoundPtr> Binder::is_null(const Expr& expr) {
  FICUS_TRY(BoundPtr value, operand(*expr.args[0]));
  if (value->kind == Kind::zone) return wrong_kind(*expr.args[0], Kind::zone, "a value");
  BoundPtr bound = make(Opcode::is_null, Kind::boolean, expr.at, std::move(value));
  bound->negated = expr.negated;
  return bound;
}

Parsed<BoundPtr> Binder::is_truth(const Expr& expr) {
  FICUS_TRY(BoundPtr value, condition(*expr.args[0], false));
  BoundPtr bound = make(expr.number != 0 ? Opcode::is_true : Opcode::is_false, Kind::boolean,
                        expr.at, std::move(value));
  bound->negated = expr.negated;
  return bound;
}

std::string says_kind(const Scope& scope, const Expr& expr, Kind kind) {
  constexpr std::size_t kShownMax = 60;
  std::string quoted(scope.text.substr(expr.begin, expr.end - expr.begin));
  if (quoted.size() > kShownMax) quoted = "this expression";
  if (kind == Kind::null) return fmt::format("{} is NULL", quoted);
  return fmt::format("{} is {} {}", quoted, kind == Kind::interval ? "an" : "a", kind_name(kind));
}

Parsed<BoundPtr> bind(const Expr& expr, const Scope& scope) {
  return Binder(scope).bind(expr, scope.with_memory);
}

}  // namespace ficus::rules
