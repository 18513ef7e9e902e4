#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "rules/binder.h"
#include "rules/functions.h"

// Private to the binder: its methods are spread over binder.cc (names, literals, truth),
// bind_values.cc (arithmetic, texts, casts), bind_comparisons.cc (comparison, choice) and
// bind_functions.cc (calls).
namespace ficus::rules {

std::string lower_case(std::string_view text);
struct CastTarget;

class Binder {
 public:
  explicit Binder(const Scope& scope) : scope_(scope) {}
  // `with_memory`: held and absent may stand here.
  Parsed<BoundPtr> bind(const Expr& expr, bool with_memory);

 private:
  Parsed<BoundPtr> bind_unfolded(const Expr& expr, bool with_memory);
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
  std::unexpected<Problem> wrong_kind(const Expr& expr, Kind kind, std::string_view wanted) const;
  // Strict operations with a constant NULL are NULL, whatever the other operands are.
  static BoundPtr strict(BoundPtr bound);
  Parsed<BoundPtr> literal(const Expr& expr);
  std::vector<std::string> column_names() const;
  // The name as declared: the same spelling or, as in DuckDB, one that differs in case only.
  std::optional<std::string> resolve(std::string_view name) const;
  Parsed<BoundPtr> column(const Expr& expr);
  Parsed<BoundPtr> negate(const Expr& expr);
  Parsed<BoundPtr> arithmetic(const Expr& expr);
  static Opcode number_operation(Symbol symbol, bool whole);
  Parsed<BoundPtr> to_text(const Expr& expr, BoundPtr value);
  Parsed<BoundPtr> concat(const Expr& expr);
  Parsed<BoundPtr> text_operand(const Expr& expr, std::string_view wanted);
  Parsed<BoundPtr> like(const Expr& expr);
  // A pattern that ends in an escape escapes nothing: DuckDB refuses it when it runs.
  static Parsed<void> check_escapes(const Expr& expr, const Bound& pattern, const Bound& escape);
  // Gives both the same kind, or says why that cannot be.
  Parsed<Kind> unify(const Expr& left_expr, Bound& left, const Expr& right_expr, Bound& right);
  // The same for two operands that are compared.
  Parsed<Kind> comparable(const Expr& left_expr, Bound& left, const Expr& right_expr, Bound& right);
  Parsed<BoundPtr> compare(const Expr& expr);
  Parsed<BoundPtr> is_distinct(const Expr& expr);
  Parsed<BoundPtr> between_or_in(const Expr& expr);
  Parsed<BoundPtr> condition(const Expr& expr, bool with_memory);
  Parsed<BoundPtr> logical(const Expr& expr, bool with_memory);
  Parsed<BoundPtr> is_null(const Expr& expr);
  Parsed<BoundPtr> is_truth(const Expr& expr);
  // Gives all of `values` one kind; Kind::null if all are a bare NULL.
  Parsed<Kind> unify_all(const std::vector<std::pair<const Expr*, Bound*>>& values, bool compares);
  Parsed<BoundPtr> choice(const Expr& expr, Opcode op, std::string_view name);
  Parsed<BoundPtr> null_if(const Expr& expr);
  Parsed<BoundPtr> case_when(const Expr& expr);
  Parsed<void> case_branch(const Expr& expr, std::size_t when, Bound& bound);
  Parsed<BoundPtr> cast(const Expr& expr);
  Parsed<BoundPtr> cast_value(const Expr& expr, BoundPtr value, const CastTarget& target);
  std::unexpected<Problem> usage(const Expr& expr, std::string_view usage) const;
  Parsed<BoundPtr> call(const Expr& expr, bool with_memory);
  // The overload whose parameters fit best: the same kinds before whole numbers taken as numbers.
  Parsed<BoundPtr> pick_function(const Expr& expr,
                                 const std::vector<const FunctionInfo*>& functions,
                                 std::vector<BoundPtr> args);
  std::unexpected<Problem> wrong_argument(const Expr& expr, const FunctionInfo& function,
                                          const std::vector<BoundPtr>& args) const;
  Parsed<BoundPtr> within(const Expr& expr);
  Parsed<BoundPtr> zone(const Expr& expr);
  Parsed<std::int64_t> interval_argument(const Expr& expr, bool may_be_zero);
  std::unexpected<Problem> memory_misplaced(const Expr& expr) const;
  Parsed<BoundPtr> held(const Expr& expr, bool with_memory);
  Parsed<BoundPtr> absent(const Expr& expr, bool with_memory);

  const Scope& scope_;
};

}  // namespace ficus::rules
