#include "rules/binder.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

#include "base/result.h"
#include "rules/constant_fold.h"
#include "rules/functions.h"

namespace ficus::rules {
namespace {

std::string lower_case(std::string_view text) {
  std::string lower(text);
  for (char& c : lower) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + 32);
  }
  return lower;
}

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

struct CastTarget {
  std::string_view name;
  Kind kind;
  double integer_max;  // of an integer type
};

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

class Binder {
 public:
  explicit Binder(const Scope& scope) : scope_(scope) {}

  // `with_memory`: held and absent may stand here.
  Parsed<BoundPtr> bind(const Expr& expr, bool with_memory) {
    FICUS_TRY(BoundPtr bound, bind_unfolded(expr, with_memory));
    FICUS_TRY_VOID(fold_constants(bound));
    return bound;
  }

 private:
  Parsed<BoundPtr> bind_unfolded(const Expr& expr, bool with_memory) {
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

  static BoundPtr make(Opcode op, Kind kind, std::uint32_t at) {
    auto bound = std::make_unique<Bound>();
    bound->op = op;
    bound->kind = kind;
    bound->at = at;
    return bound;
  }
  template <typename... Args>
  static BoundPtr make(Opcode op, Kind kind, std::uint32_t at, Args... args) {
    BoundPtr bound = make(op, kind, at);
    (bound->args.push_back(std::move(args)), ...);
    return bound;
  }
  static BoundPtr typed_null(Kind kind, std::uint32_t at) {
    return make(Opcode::constant, kind, at);
  }

  Parsed<BoundPtr> operand(const Expr& expr) { return bind(expr, false); }

  std::unexpected<Problem> wrong_kind(const Expr& expr, Kind kind, std::string_view wanted) const {
    return problem_at(expr.begin,
                      fmt::format("expected {}: {}", wanted, says_kind(scope_, expr, kind)));
  }

  // Strict operations with a constant NULL are NULL, whatever the other operands are.
  static BoundPtr strict(BoundPtr bound) {
    for (const BoundPtr& arg : bound->args) {
      if (arg->is_null_constant()) return typed_null(bound->kind, bound->at);
    }
    return bound;
  }

  Parsed<BoundPtr> literal(const Expr& expr) {
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

  std::vector<std::string> column_names() const {
    std::vector<std::string> names = {"id", "type", "observedAt"};
    for (std::uint32_t i = 0; i < scope_.schema->attribute_count(scope_.type); ++i) {
      names.push_back(scope_.schema->attribute_name(scope_.type, AttributeId(i)));
    }
    return names;
  }

  // The name as declared: the same spelling or, as in DuckDB, one that differs in case only.
  std::optional<std::string> resolve(std::string_view name) const {
    std::optional<std::string> found;
    for (std::string& candidate : column_names()) {
      if (candidate == name) return candidate;
      if (lower_case(candidate) != lower_case(name)) continue;
      if (found) return std::nullopt;  // ambiguous
      found = std::move(candidate);
    }
    return found;
  }

  Parsed<BoundPtr> column(const Expr& expr) {
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

  // ---- arithmetic

  Parsed<BoundPtr> negate(const Expr& expr) {
    FICUS_TRY(BoundPtr value, operand(*expr.args[0]));
    if (value->kind == Kind::null) value->kind = Kind::number;
    const Kind kind = value->kind;
    if (kind == Kind::interval) {
      return strict(make(Opcode::time_negate, kind, expr.at, std::move(value)));
    }
    if (!is_numeric(kind)) return wrong_kind(*expr.args[0], kind, "a number after '-'");
    return strict(make(Opcode::negate, kind, expr.at, std::move(value)));
  }

  Parsed<BoundPtr> arithmetic(const Expr& expr) {
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
    return problem_at(expr.at, fmt::format("cannot compute with these: {}, {}",
                                           says_kind(scope_, *expr.args[0], a),
                                           says_kind(scope_, *expr.args[1], b)));
  }

  static Opcode number_operation(Symbol symbol, bool whole) {
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

  // ---- texts

  Parsed<BoundPtr> to_text(const Expr& expr, BoundPtr value) {
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

  Parsed<BoundPtr> concat(const Expr& expr) {
    FICUS_TRY(BoundPtr left, operand(*expr.args[0]));
    FICUS_TRY(BoundPtr right, operand(*expr.args[1]));
    FICUS_TRY(left, to_text(*expr.args[0], std::move(left)));
    FICUS_TRY(right, to_text(*expr.args[1], std::move(right)));
    return strict(make(Opcode::concat, Kind::text, expr.at, std::move(left), std::move(right)));
  }

  Parsed<BoundPtr> text_operand(const Expr& expr, std::string_view wanted) {
    FICUS_TRY(BoundPtr value, operand(expr));
    if (value->kind == Kind::null) value->kind = Kind::text;
    if (value->kind != Kind::text) return wrong_kind(expr, value->kind, wanted);
    return value;
  }

  Parsed<BoundPtr> like(const Expr& expr) {
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

  // A pattern that ends in an escape escapes nothing: DuckDB refuses it when it runs.
  static Parsed<void> check_escapes(const Expr& expr, const Bound& pattern, const Bound& escape) {
    if (!pattern.is_constant() || escape.constant.text.empty()) return {};
    const char mark = escape.constant.text.front();
    bool escaped = false;
    for (const char c : pattern.constant.text) escaped = !escaped && c == mark;
    if (!escaped) return {};
    return problem_at(
        expr.args[1]->begin,
        fmt::format("expected a character after the last '{}' of this pattern", mark));
  }

  // ---- comparison

  // Gives both the same kind, or says why that cannot be.
  Parsed<Kind> unify(const Expr& left_expr, Bound& left, const Expr& right_expr, Bound& right) {
    if (left.kind == Kind::null) left.kind = right.kind;
    if (right.kind == Kind::null) right.kind = left.kind;
    if (left.kind == right.kind) return left.kind;
    if (is_numeric(left.kind) && is_numeric(right.kind)) return Kind::number;
    return problem_at(right_expr.begin,
                      fmt::format("{}, {}", says_kind(scope_, left_expr, left.kind),
                                  says_kind(scope_, right_expr, right.kind)));
  }

  // The same for two operands that are compared.
  Parsed<Kind> comparable(const Expr& left_expr, Bound& left, const Expr& right_expr,
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

  Parsed<BoundPtr> compare(const Expr& expr) {
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

  Parsed<BoundPtr> is_distinct(const Expr& expr) {
    FICUS_TRY(BoundPtr left, operand(*expr.args[0]));
    FICUS_TRY(BoundPtr right, operand(*expr.args[1]));
    FICUS_TRY(const Kind kind, comparable(*expr.args[0], *left, *expr.args[1], *right));
    // IS DISTINCT FROM is true where the two are not the same; IS NOT DISTINCT FROM where they are.
    BoundPtr bound =
        make(comparisons_of(kind).same, Kind::boolean, expr.at, std::move(left), std::move(right));
    bound->negated = !expr.negated;
    return bound;
  }

  Parsed<BoundPtr> between_or_in(const Expr& expr) {
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

  // ---- truth

  Parsed<BoundPtr> condition(const Expr& expr, bool with_memory) {
    FICUS_TRY(BoundPtr bound, bind(expr, with_memory));
    if (bound->kind == Kind::null) bound->kind = Kind::boolean;
    if (bound->kind != Kind::boolean) return wrong_kind(expr, bound->kind, "a condition");
    return bound;
  }

  Parsed<BoundPtr> logical(const Expr& expr, bool with_memory) {
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

  Parsed<BoundPtr> is_null(const Expr& expr) {
    FICUS_TRY(BoundPtr value, operand(*expr.args[0]));
    if (value->kind == Kind::zone) return wrong_kind(*expr.args[0], Kind::zone, "a value");
    BoundPtr bound = make(Opcode::is_null, Kind::boolean, expr.at, std::move(value));
    bound->negated = expr.negated;
    return bound;
  }

  Parsed<BoundPtr> is_truth(const Expr& expr) {
    FICUS_TRY(BoundPtr value, condition(*expr.args[0], false));
    BoundPtr bound = make(expr.number != 0 ? Opcode::is_true : Opcode::is_false, Kind::boolean,
                          expr.at, std::move(value));
    bound->negated = expr.negated;
    return bound;
  }

  // ---- choice

  // Gives all of `values` one kind; Kind::null if all are a bare NULL.
  Parsed<Kind> unify_all(const std::vector<std::pair<const Expr*, Bound*>>& values, bool compares) {
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

  Parsed<BoundPtr> choice(const Expr& expr, Opcode op, std::string_view name) {
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

  Parsed<BoundPtr> null_if(const Expr& expr) {
    if (expr.args.size() != 2) return usage(expr, "nullif(value, value)");
    FICUS_TRY(BoundPtr left, operand(*expr.args[0]));
    FICUS_TRY(BoundPtr right, operand(*expr.args[1]));
    FICUS_TRY_VOID(comparable(*expr.args[0], *left, *expr.args[1], *right));
    const Kind result = left->kind;
    return make(Opcode::null_if, result, expr.begin, std::move(left), std::move(right));
  }

  Parsed<BoundPtr> case_when(const Expr& expr) {
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

  Parsed<void> case_branch(const Expr& expr, std::size_t when, Bound& bound) {
    if (expr.args[0] == nullptr) {
      FICUS_TRY(bound.args[when], condition(*expr.args[when], false));
    } else {
      FICUS_TRY(bound.args[when], operand(*expr.args[when]));
      FICUS_TRY_VOID(
          comparable(*expr.args[0], *bound.args[0], *expr.args[when], *bound.args[when]));
    }
    FICUS_TRY(bound.args[when + 1], operand(*expr.args[when + 1]));
    return {};
  }

  // ---- casts

  Parsed<BoundPtr> cast(const Expr& expr) {
    const std::string wanted = lower_case(expr.text);
    const auto target =
        std::find_if(std::begin(kCastTargets), std::end(kCastTargets),
                     [&](const CastTarget& candidate) { return candidate.name == wanted; });
    if (target == std::end(kCastTargets)) {
      return problem_at(expr.at,
                        fmt::format("expected DOUBLE, INTEGER, BIGINT, VARCHAR, BOOLEAN or "
                                    "TIMESTAMP, found '{}'",
                                    expr.text));
    }
    FICUS_TRY(BoundPtr value, operand(*expr.args[0]));
    if (value->kind == Kind::null) return typed_null(target->kind, expr.begin);
    if (value->kind == target->kind && target->kind != Kind::integer) return value;
    if (target->kind == Kind::text) return to_text(*expr.args[0], std::move(value));
    return cast_value(expr, std::move(value), *target);
  }

  Parsed<BoundPtr> cast_value(const Expr& expr, BoundPtr value, const CastTarget& target) {
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

  // ---- functions

  std::unexpected<Problem> usage(const Expr& expr, std::string_view usage) const {
    return problem_at(expr.begin, fmt::format("expected {}, found {} argument{}", usage,
                                              expr.args.size(), expr.args.size() == 1 ? "" : "s"));
  }

  Parsed<BoundPtr> call(const Expr& expr, bool with_memory) {
    const std::string name = lower_case(expr.text);
    if (name == "held") return held(expr, with_memory);
    if (name == "absent") return absent(expr, with_memory);
    if (name == "within") return within(expr);
    if (name == "zone") return zone(expr);
    if (name == "coalesce") return choice(expr, Opcode::coalesce, name);
    if (name == "least") return choice(expr, Opcode::least, name);
    if (name == "greatest") return choice(expr, Opcode::greatest, name);
    if (name == "nullif") return null_if(expr);
    const auto functions = find_functions(name);
    if (functions.empty()) {
      const std::vector<std::string> names = function_names();
      return problem_at(expr.begin,
                        fmt::format("unknown function '{}'{}", expr.text, suggestion(name, names)));
    }
    std::vector<BoundPtr> args;
    for (const ExprPtr& arg : expr.args) {
      FICUS_TRY(BoundPtr value, operand(*arg));
      args.push_back(std::move(value));
    }
    return pick_function(expr, functions, std::move(args));
  }

  // The overload whose parameters fit best: the same kinds before whole numbers taken as numbers.
  Parsed<BoundPtr> pick_function(const Expr& expr,
                                 const std::vector<const FunctionInfo*>& functions,
                                 std::vector<BoundPtr> args) {
    const FunctionInfo* chosen = nullptr;
    int chosen_misfits = 0;
    const FunctionInfo* same_count = nullptr;
    for (const FunctionInfo* function : functions) {
      if (function->parameter_count != args.size()) continue;
      if (same_count == nullptr) same_count = function;
      int misfits = 0;
      bool fits = true;
      for (std::size_t i = 0; i < args.size() && fits; ++i) {
        const Kind wanted = function->parameters[i];
        const Kind given = args[i]->kind;
        const bool widens = wanted == Kind::number && given == Kind::integer;
        fits = given == wanted || given == Kind::null || widens;
        misfits += widens ? 1 : 0;
      }
      if (!fits || (chosen != nullptr && misfits >= chosen_misfits)) continue;
      chosen = function;
      chosen_misfits = misfits;
    }
    if (chosen == nullptr && same_count == nullptr) return usage(expr, functions.front()->usage);
    if (chosen == nullptr) return wrong_argument(expr, *same_count, args);
    BoundPtr bound = make(chosen->op, chosen->result, expr.begin);
    for (std::size_t i = 0; i < args.size(); ++i) {
      if (args[i]->kind == Kind::null) args[i]->kind = chosen->parameters[i];
    }
    bound->args = std::move(args);
    return strict(std::move(bound));
  }

  std::unexpected<Problem> wrong_argument(const Expr& expr, const FunctionInfo& function,
                                          const std::vector<BoundPtr>& args) const {
    for (std::size_t i = 0; i < args.size(); ++i) {
      const Kind wanted = function.parameters[i];
      const Kind given = args[i]->kind;
      if (given == wanted || given == Kind::null) continue;
      if (is_numeric(wanted) && given == Kind::integer) continue;
      const std::string_view what = wanted == Kind::integer ? "whole number" : kind_name(wanted);
      return wrong_kind(*expr.args[i], given, fmt::format("a {} in {}", what, function.usage));
    }
    return usage(expr, function.usage);
  }

  Parsed<BoundPtr> within(const Expr& expr) {
    if (expr.args.size() != 2) return usage(expr, "within(location, zone('name'))");
    FICUS_TRY(BoundPtr point, operand(*expr.args[0]));
    FICUS_TRY(BoundPtr area, operand(*expr.args[1]));
    if (point->kind == Kind::null) point->kind = Kind::point;
    if (point->kind != Kind::point) {
      return wrong_kind(*expr.args[0], point->kind, "a point in within(location, zone('name'))");
    }
    if (area->kind != Kind::zone) {
      return wrong_kind(*expr.args[1], area->kind,
                        "zone('name') in within(location, zone('name'))");
    }
    BoundPtr bound = make(Opcode::within, Kind::boolean, expr.begin, std::move(point));
    bound->zone = area->zone;
    return strict(std::move(bound));
  }

  Parsed<BoundPtr> zone(const Expr& expr) {
    const bool fits = expr.args.size() == 1 && expr.args[0]->kind == ExprKind::text_literal;
    if (!fits) return problem_at(expr.begin, "expected the name of a zone: zone('name')");
    const std::string& name = expr.args[0]->text;
    const auto selection = scope_.zones->select(name);
    if (!selection) {
      std::vector<std::string> names;
      constexpr std::size_t kComparedMax = 10'000;
      for (std::uint32_t i = 0; i < std::min(scope_.zones->size(), kComparedMax); ++i) {
        names.push_back(scope_.zones->zone(ZoneId(i)).name);
        names.push_back(scope_.zones->zone(ZoneId(i)).kind);
      }
      return problem_at(expr.args[0]->begin,
                        fmt::format("unknown zone '{}': no zone has this name or kind{}", name,
                                    suggestion(name, names)));
    }
    BoundPtr bound = make(Opcode::constant, Kind::zone, expr.begin);
    bound->constant.is_null = false;
    bound->zone = *selection;
    return bound;
  }

  Parsed<std::int64_t> interval_argument(const Expr& expr, bool may_be_zero) {
    FICUS_TRY(const BoundPtr interval, operand(expr));
    if (interval->kind != Kind::interval) {
      return wrong_kind(expr, interval->kind, "an interval such as INTERVAL '10 seconds'");
    }
    const bool known = interval->is_constant() && !interval->constant.is_null;
    const std::int64_t micros = interval->constant.micros;
    if (!known || micros < 0 || (micros == 0 && !may_be_zero)) {
      return problem_at(expr.begin, may_be_zero ? "expected a constant interval, not negative"
                                                : "expected a constant interval longer than zero");
    }
    return micros;
  }

  std::unexpected<Problem> memory_misplaced(const Expr& expr) const {
    return problem_at(expr.begin, fmt::format("{}(...) may stand only in WHERE, joined by AND, OR "
                                              "and NOT",
                                              lower_case(expr.text)));
  }

  Parsed<BoundPtr> held(const Expr& expr, bool with_memory) {
    if (!with_memory) return memory_misplaced(expr);
    if (expr.args.size() != 2) return usage(expr, "held(condition, INTERVAL '10 seconds')");
    FICUS_TRY(BoundPtr inner, condition(*expr.args[0], false));
    BoundPtr bound = make(Opcode::held, Kind::boolean, expr.begin, std::move(inner));
    FICUS_TRY(bound->constant.micros, interval_argument(*expr.args[1], true));
    return bound;
  }

  Parsed<BoundPtr> absent(const Expr& expr, bool with_memory) {
    if (!with_memory) return memory_misplaced(expr);
    if (expr.args.size() != 1) return usage(expr, "absent(INTERVAL '10 minutes')");
    BoundPtr bound = make(Opcode::absent, Kind::boolean, expr.begin);
    FICUS_TRY(bound->constant.micros, interval_argument(*expr.args[0], false));
    return bound;
  }

  const Scope& scope_;
};

}  // namespace

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
