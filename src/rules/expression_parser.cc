#include "rules/expression_parser.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "base/result.h"
#include "rules/literal.h"

namespace ficus::rules {
namespace {

// How strongly an operator binds; of two around an operand the stronger takes it.
enum Power : int {
  kPowerOr = 1,
  kPowerAnd,
  kPowerNot,
  kPowerIs,
  kPowerCompare,
  kPowerRange,  // BETWEEN, IN, LIKE
  kPowerConcat,
  kPowerAdd,
  kPowerMultiply,
  kPowerSign,
  kPowerCast,
};

struct Infix {
  std::string_view symbol;
  Power power;
  ExprKind kind;
  Symbol meaning;
};

constexpr Infix kInfix[] = {{"=", kPowerCompare, ExprKind::compare, Symbol::equal},
                            {"==", kPowerCompare, ExprKind::compare, Symbol::equal},
                            {"<>", kPowerCompare, ExprKind::compare, Symbol::not_equal},
                            {"!=", kPowerCompare, ExprKind::compare, Symbol::not_equal},
                            {"<", kPowerCompare, ExprKind::compare, Symbol::less},
                            {"<=", kPowerCompare, ExprKind::compare, Symbol::less_equal},
                            {">", kPowerCompare, ExprKind::compare, Symbol::greater},
                            {">=", kPowerCompare, ExprKind::compare, Symbol::greater_equal},
                            {"||", kPowerConcat, ExprKind::concat, Symbol::none},
                            {"+", kPowerAdd, ExprKind::arithmetic, Symbol::add},
                            {"-", kPowerAdd, ExprKind::arithmetic, Symbol::subtract},
                            {"*", kPowerMultiply, ExprKind::arithmetic, Symbol::multiply},
                            {"/", kPowerMultiply, ExprKind::arithmetic, Symbol::divide},
                            {"//", kPowerMultiply, ExprKind::arithmetic, Symbol::divide_integer},
                            {"%", kPowerMultiply, ExprKind::arithmetic, Symbol::modulo}};

const Infix* infix_of(const Token& token) {
  if (token.kind != TokenKind::symbol) return nullptr;
  for (const Infix& infix : kInfix) {
    if (infix.symbol == token.text) return &infix;
  }
  return nullptr;
}

class ExpressionParser {
 public:
  ExpressionParser(TokenCursor& cursor, std::size_t nesting_max)
      : cursor_(cursor), nesting_max_(nesting_max) {}

  // An expression whose operators all bind at least as strongly as `weakest`.
  Parsed<ExprPtr> parse(int weakest) {
    if (++nesting_ > nesting_max_) return too_deep(cursor_.peek().begin);
    FICUS_TRY(ExprPtr left, prefix());
    // Comparisons, BETWEEN/IN/LIKE and IS DISTINCT FROM do not chain: the power of the operator
    // that may not follow now.
    int unchainable = 0;
    while (true) {
      FICUS_TRY(ExprPtr next, infix(left, weakest, unchainable));
      if (next == nullptr) break;
      left = std::move(next);
    }
    --nesting_;
    return left;
  }

 private:
  ExprPtr make(ExprKind kind, std::uint32_t begin) const {
    auto expr = std::make_unique<Expr>();
    expr->kind = kind;
    expr->begin = begin;
    expr->at = begin;
    return expr;
  }

  std::unexpected<Problem> too_deep(std::uint32_t offset) const {
    return problem_at(
        offset, fmt::format("this expression is nested more than {} deep: split it", nesting_max_));
  }

  // Sets the end and the depth of a node that has all its parts.
  Parsed<ExprPtr> done(ExprPtr expr) const {
    expr->end = cursor_.previous_end();
    std::uint16_t depth = 0;
    for (const ExprPtr& arg : expr->args) {
      if (arg != nullptr) depth = std::max(depth, arg->depth);
    }
    expr->depth = static_cast<std::uint16_t>(depth + 1);
    if (expr->depth > nesting_max_) return too_deep(expr->at);
    return expr;
  }

  // Extends `left` by the operator at the cursor, or gives null if none belongs here.
  Parsed<ExprPtr> infix(ExprPtr& left, int weakest, int& unchainable) {
    const Token& token = cursor_.peek();
    if (token.is_symbol("::")) return cast_suffix(left);
    if (const Infix* found = infix_of(token)) {
      if (found->power < weakest) return nullptr;
      if (found->power == kPowerCompare) {
        if (unchainable == kPowerCompare) return chained("comparisons");
        unchainable = kPowerCompare;
      }
      return binary(left, *found);
    }
    if (token.is_word("and") && kPowerAnd >= weakest) {
      return logical(left, ExprKind::logical_and, kPowerAnd);
    }
    if (token.is_word("or") && kPowerOr >= weakest) {
      return logical(left, ExprKind::logical_or, kPowerOr);
    }
    if (kPowerIs >= weakest) {
      if (token.is_word("is")) return is_suffix(left, unchainable);
      if (token.is_word("isnull") || token.is_word("notnull")) return null_suffix(left);
    }
    if (kPowerRange >= weakest) return range_suffix(left, unchainable);
    return nullptr;
  }

  std::unexpected<Problem> chained(std::string_view what) const {
    return problem_at(
        cursor_.peek().begin,
        fmt::format("{} cannot be chained: join them with AND or use parentheses", what));
  }

  Parsed<ExprPtr> binary(ExprPtr& left, const Infix& infix) {
    ExprPtr expr = make(infix.kind, left->begin);
    expr->symbol = infix.meaning;
    expr->at = cursor_.take().begin;
    FICUS_TRY(ExprPtr right, parse(infix.power + 1));
    expr->args.push_back(std::move(left));
    expr->args.push_back(std::move(right));
    return done(std::move(expr));
  }

  // a AND b AND c is one node, so that long conditions are not deep ones.
  Parsed<ExprPtr> logical(ExprPtr& left, ExprKind kind, Power power) {
    ExprPtr expr = make(kind, left->begin);
    expr->at = cursor_.peek().begin;
    const std::string_view word = kind == ExprKind::logical_and ? "and" : "or";
    expr->args.push_back(std::move(left));
    while (cursor_.take_word(word)) {
      FICUS_TRY(ExprPtr right, parse(power + 1));
      expr->args.push_back(std::move(right));
    }
    return done(std::move(expr));
  }

  Parsed<ExprPtr> null_suffix(ExprPtr& left) {
    ExprPtr expr = make(ExprKind::is_null, left->begin);
    expr->negated = cursor_.peek().is_word("notnull");
    expr->at = cursor_.take().begin;
    expr->args.push_back(std::move(left));
    return done(std::move(expr));
  }

  // IS [NOT] NULL | TRUE | FALSE | UNKNOWN | DISTINCT FROM expression
  Parsed<ExprPtr> is_suffix(ExprPtr& left, int& unchainable) {
    if (unchainable == kPowerIs) return chained("IS DISTINCT FROM and IS");
    ExprPtr expr = make(ExprKind::is_null, left->begin);
    expr->at = cursor_.take().begin;
    expr->negated = cursor_.take_word("not");
    expr->args.push_back(std::move(left));
    unchainable = 0;
    if (cursor_.take_word("null") || cursor_.take_word("unknown")) return done(std::move(expr));
    if (cursor_.peek().is_word("true") || cursor_.peek().is_word("false")) {
      expr->kind = ExprKind::is_truth;
      expr->number = cursor_.take().is_word("true") ? 1 : 0;
      return done(std::move(expr));
    }
    if (!cursor_.take_word("distinct")) {
      return cursor_.expected("NULL, TRUE, FALSE, UNKNOWN or DISTINCT FROM");
    }
    FICUS_TRY_VOID(cursor_.expect_word("from"));
    expr->kind = ExprKind::is_distinct;
    FICUS_TRY(ExprPtr right, parse(kPowerIs + 1));
    expr->args.push_back(std::move(right));
    unchainable = kPowerIs;
    return done(std::move(expr));
  }

  // [NOT] BETWEEN, IN, LIKE, ILIKE
  Parsed<ExprPtr> range_suffix(ExprPtr& left, int& unchainable) {
    const bool negated = cursor_.peek().is_word("not");
    const Token& word = cursor_.peek(negated ? 1 : 0);
    const bool is_in = word.is_word("in");
    const bool is_between = word.is_word("between");
    const bool ignores_case = word.is_word("ilike");
    if (!is_in && !is_between && !ignores_case && !word.is_word("like")) return nullptr;
    if (unchainable == kPowerRange) return chained("BETWEEN, IN and LIKE");
    ExprPtr expr = make(ExprKind::like, left->begin);
    expr->negated = negated;
    expr->ignore_case = ignores_case;
    if (negated) cursor_.take();
    expr->at = cursor_.take().begin;
    expr->args.push_back(std::move(left));
    unchainable = is_in ? 0 : kPowerRange;
    if (is_in) return in_list(std::move(expr));
    return is_between ? between(std::move(expr)) : like(std::move(expr));
  }

  Parsed<ExprPtr> in_list(ExprPtr expr) {
    expr->kind = ExprKind::in_list;
    FICUS_TRY_VOID(cursor_.expect_symbol("("));
    if (cursor_.peek().is_word("select")) {
      return cursor_.expected("a list of values (queries in IN are not part of the language)");
    }
    do {
      FICUS_TRY(ExprPtr item, parse(kPowerOr));
      expr->args.push_back(std::move(item));
    } while (cursor_.take_symbol(","));
    FICUS_TRY_VOID(expect_close("',' or ')' after this value of the list"));
    return done(std::move(expr));
  }

  Parsed<ExprPtr> between(ExprPtr expr) {
    expr->kind = ExprKind::between;
    FICUS_TRY(ExprPtr low, parse(kPowerRange + 1));
    FICUS_TRY_VOID(cursor_.expect_word("and"));
    FICUS_TRY(ExprPtr high, parse(kPowerRange + 1));
    expr->args.push_back(std::move(low));
    expr->args.push_back(std::move(high));
    return done(std::move(expr));
  }

  Parsed<ExprPtr> like(ExprPtr expr) {
    FICUS_TRY(ExprPtr pattern, parse(kPowerRange + 1));
    expr->args.push_back(std::move(pattern));
    if (cursor_.take_word("escape")) {
      FICUS_TRY(ExprPtr escape, parse(kPowerRange + 1));
      expr->args.push_back(std::move(escape));
    }
    return done(std::move(expr));
  }

  Parsed<ExprPtr> cast_suffix(ExprPtr& left) {
    ExprPtr expr = make(ExprKind::cast, left->begin);
    expr->at = cursor_.take().begin;
    expr->args.push_back(std::move(left));
    return type_name(std::move(expr));
  }

  Parsed<ExprPtr> type_name(ExprPtr expr) {
    if (cursor_.peek().kind != TokenKind::word) return cursor_.expected("a type such as DOUBLE");
    expr->at = cursor_.peek().begin;
    expr->text = cursor_.take().text;
    return done(std::move(expr));
  }

  Parsed<ExprPtr> prefix() {
    const Token& token = cursor_.peek();
    if (token.is_word("not")) return unary(ExprKind::logical_not, kPowerNot);
    if (token.is_symbol("-")) return unary(ExprKind::negate, kPowerSign);
    if (token.is_symbol("+")) {
      cursor_.take();
      return parse(kPowerSign);
    }
    if (token.is_symbol("(")) return parenthesis();
    if (token.is_word("case")) return case_when();
    if (token.is_word("cast") || token.is_word("try_cast")) return cast();
    return atom();
  }

  Parsed<ExprPtr> unary(ExprKind kind, Power power) {
    ExprPtr expr = make(kind, cursor_.take().begin);
    FICUS_TRY(ExprPtr operand, parse(power));
    expr->args.push_back(std::move(operand));
    return done(std::move(expr));
  }

  Parsed<ExprPtr> parenthesis() {
    const std::uint32_t begin = cursor_.take().begin;
    if (cursor_.peek().is_word("select")) {
      return cursor_.expected(
          "an expression (queries in expressions are not part of the language)");
    }
    FICUS_TRY(ExprPtr inner, parse(kPowerOr));
    FICUS_TRY_VOID(expect_close("an operator or ')'"));
    inner->begin = begin;
    inner->end = cursor_.previous_end();
    return inner;
  }

  Parsed<void> expect_close(std::string_view expectation) {
    if (cursor_.take_symbol(")")) return {};
    return cursor_.expected(expectation);
  }

  Parsed<ExprPtr> case_when() {
    ExprPtr expr = make(ExprKind::case_when, cursor_.take().begin);
    expr->args.emplace_back();
    if (!cursor_.peek().is_word("when")) {
      FICUS_TRY(expr->args[0], parse(kPowerOr));
    }
    if (!cursor_.peek().is_word("when")) return cursor_.expected("WHEN");
    while (cursor_.take_word("when")) {
      FICUS_TRY(ExprPtr when, parse(kPowerOr));
      FICUS_TRY_VOID(cursor_.expect_word("then"));
      FICUS_TRY(ExprPtr then, parse(kPowerOr));
      expr->args.push_back(std::move(when));
      expr->args.push_back(std::move(then));
    }
    expr->args.emplace_back();
    if (cursor_.take_word("else")) {
      FICUS_TRY(expr->args.back(), parse(kPowerOr));
    }
    if (!cursor_.take_word("end")) return cursor_.expected("WHEN, ELSE or END of this CASE");
    return done(std::move(expr));
  }

  Parsed<ExprPtr> cast() {
    ExprPtr expr = make(ExprKind::cast, cursor_.peek().begin);
    expr->tries = cursor_.take().is_word("try_cast");
    FICUS_TRY_VOID(cursor_.expect_symbol("("));
    FICUS_TRY(ExprPtr operand, parse(kPowerOr));
    expr->args.push_back(std::move(operand));
    FICUS_TRY_VOID(cursor_.expect_word("as"));
    FICUS_TRY(expr, type_name(std::move(expr)));
    FICUS_TRY_VOID(expect_close("')' after the type"));
    expr->end = cursor_.previous_end();
    return expr;
  }

  Parsed<ExprPtr> atom() {
    const Token& token = cursor_.peek();
    switch (token.kind) {
      case TokenKind::integer:
      case TokenKind::number:
        return number();
      case TokenKind::string: {
        ExprPtr expr = make(ExprKind::text_literal, token.begin);
        expr->text = cursor_.take().text;
        return done(std::move(expr));
      }
      case TokenKind::quoted_name:
        return name();
      case TokenKind::word:
        return word();
      case TokenKind::symbol:
      case TokenKind::end:
        return cursor_.expected("an expression");
    }
    std::unreachable();
  }

  Parsed<ExprPtr> number() {
    const Token& token = cursor_.take();
    ExprPtr expr = make(ExprKind::number_literal, token.begin);
    expr->number = token.number;
    if (token.kind == TokenKind::integer) {
      expr->kind = ExprKind::integer_literal;
      if (token.number >= 9007199254740992.0) {
        return problem_at(token.begin,
                          "this integer is too large (2^53 - 1 at most): write it with a "
                          "decimal point");
      }
    }
    return done(std::move(expr));
  }

  Parsed<ExprPtr> word() {
    const Token& token = cursor_.peek();
    if (token.is_word("null")) {
      cursor_.take();
      return done(make(ExprKind::null_literal, token.begin));
    }
    if (token.is_word("true") || token.is_word("false")) {
      ExprPtr expr = make(ExprKind::boolean_literal, token.begin);
      expr->number = cursor_.take().is_word("true") ? 1 : 0;
      return done(std::move(expr));
    }
    const Token& next = cursor_.peek(1);
    if (token.is_word("timestamp") && next.kind == TokenKind::string) return timestamp();
    if (token.is_word("interval") &&
        (next.kind == TokenKind::string || next.kind == TokenKind::integer)) {
      return interval();
    }
    if (is_reserved(token)) return cursor_.expected("an expression");
    return name();
  }

  Parsed<ExprPtr> timestamp() {
    ExprPtr expr = make(ExprKind::time_literal, cursor_.take().begin);
    const Token& token = cursor_.take();
    const auto micros = parse_timestamp(token.text);
    if (!micros) {
      return problem_at(token.begin,
                        fmt::format("expected a UTC time such as '2026-01-31 08:15:00' "
                                    "without an offset, found {}",
                                    describe(token)));
    }
    expr->micros = *micros;
    return done(std::move(expr));
  }

  // INTERVAL '10 seconds', INTERVAL '10' SECONDS, INTERVAL 10 SECONDS
  Parsed<ExprPtr> interval() {
    ExprPtr expr = make(ExprKind::interval_literal, cursor_.take().begin);
    const Token& token = cursor_.take();
    std::optional<std::int64_t> unit;
    if (cursor_.peek().kind == TokenKind::word) unit = unit_micros(cursor_.peek().text);
    if (token.kind == TokenKind::integer && !unit) {
      return cursor_.expected("a unit such as SECONDS, MINUTES, HOURS or DAYS");
    }
    if (unit) cursor_.take();
    const auto micros = unit ? parse_interval(token.text, *unit) : parse_interval(token.text);
    if (!micros) {
      return problem_at(
          token.begin, fmt::format("expected an interval such as '10 seconds', '1 hour 30 minutes' "
                                   "or '2 days' (months and years have no fixed length), found {}",
                                   describe(token)));
    }
    expr->micros = *micros;
    return done(std::move(expr));
  }

  // column, qualifier.column or function(arguments)
  Parsed<ExprPtr> name() {
    const Token& first = cursor_.take();
    ExprPtr expr = make(ExprKind::column, first.begin);
    expr->text = first.text;
    if (cursor_.take_symbol(".")) {
      const Token& second = cursor_.peek();
      if (second.kind != TokenKind::word && second.kind != TokenKind::quoted_name) {
        return cursor_.expected("the name of an attribute");
      }
      expr->qualifier = std::exchange(expr->text, cursor_.take().text);
      expr->at = second.begin;
      return done(std::move(expr));
    }
    if (first.kind == TokenKind::word && cursor_.peek().is_symbol("("))
      return call(std::move(expr));
    return done(std::move(expr));
  }

  Parsed<ExprPtr> call(ExprPtr expr) {
    expr->kind = ExprKind::call;
    cursor_.take();
    if (cursor_.take_symbol(")")) return done(std::move(expr));
    do {
      FICUS_TRY(ExprPtr argument, parse(kPowerOr));
      expr->args.push_back(std::move(argument));
    } while (cursor_.take_symbol(","));
    FICUS_TRY_VOID(expect_close("',' or ')' after this argument"));
    return done(std::move(expr));
  }

  TokenCursor& cursor_;
  const std::size_t nesting_max_;
  std::size_t nesting_ = 0;
};

}  // namespace

Parsed<ExprPtr> parse_expression(TokenCursor& cursor, std::size_t nesting_max) {
  return ExpressionParser(cursor, nesting_max).parse(kPowerOr);
}

}  // namespace ficus::rules
