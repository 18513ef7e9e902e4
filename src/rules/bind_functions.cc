#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/result.h"
#include "rules/binder_impl.h"

namespace ficus::rules {

std::unexpected<Problem> Binder::usage(const Expr& expr, std::string_view usage) const {
  return problem_at(expr.begin, fmt::format("expected {}, found {} argument{}", usage,
                                            expr.args.size(), expr.args.size() == 1 ? "" : "s"));
}

Parsed<BoundPtr> Binder::call(const Expr& expr, bool with_memory) {
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

Parsed<BoundPtr> Binder::pick_function(const Expr& expr,
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

std::unexpected<Problem> Binder::wrong_argument(const Expr& expr, const FunctionInfo& function,
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

Parsed<BoundPtr> Binder::within(const Expr& expr) {
  if (expr.args.size() != 2) return usage(expr, "within(location, zone('name'))");
  FICUS_TRY(BoundPtr point, operand(*expr.args[0]));
  FICUS_TRY(BoundPtr area, operand(*expr.args[1]));
  if (point->kind == Kind::null) point->kind = Kind::point;
  if (point->kind != Kind::point) {
    return wrong_kind(*expr.args[0], point->kind, "a point in within(location, zone('name'))");
  }
  if (area->kind != Kind::zone) {
    return wrong_kind(*expr.args[1], area->kind, "zone('name') in within(location, zone('name'))");
  }
  BoundPtr bound = make(Opcode::within, Kind::boolean, expr.begin, std::move(point));
  bound->zone = area->zone;
  return strict(std::move(bound));
}

Parsed<BoundPtr> Binder::zone(const Expr& expr) {
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

Parsed<std::int64_t> Binder::interval_argument(const Expr& expr, bool may_be_zero) {
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

std::unexpected<Problem> Binder::memory_misplaced(const Expr& expr) const {
  return problem_at(expr.begin, fmt::format("{}(...) may stand only in WHERE, joined by AND, OR "
                                            "and NOT",
                                            lower_case(expr.text)));
}

Parsed<BoundPtr> Binder::held(const Expr& expr, bool with_memory) {
  if (!with_memory) return memory_misplaced(expr);
  if (expr.args.size() != 2) return usage(expr, "held(condition, INTERVAL '10 seconds')");
  FICUS_TRY(BoundPtr inner, condition(*expr.args[0], false));
  BoundPtr bound = make(Opcode::held, Kind::boolean, expr.begin, std::move(inner));
  FICUS_TRY(bound->constant.micros, interval_argument(*expr.args[1], true));
  return bound;
}

Parsed<BoundPtr> Binder::absent(const Expr& expr, bool with_memory) {
  if (!with_memory) return memory_misplaced(expr);
  if (expr.args.size() != 1) return usage(expr, "absent(INTERVAL '10 minutes')");
  BoundPtr bound = make(Opcode::absent, Kind::boolean, expr.begin);
  FICUS_TRY(bound->constant.micros, interval_argument(*expr.args[0], false));
  return bound;
}

}  // namespace ficus::rules
