#include "rules/parser.h"

#include <utility>

#include "base/hash.h"
#include "base/result.h"
#include "rules/expression_parser.h"
#include "rules/token_cursor.h"

namespace ficus::rules {
namespace {

class StatementParser {
 public:
  StatementParser(TokenCursor& cursor, const ParseLimits& limits)
      : cursor_(cursor), limits_(limits) {}

  Parsed<Statement> parse() {
    Statement statement;
    statement.begin = cursor_.peek().begin;
    FICUS_TRY_VOID(cursor_.expect_word("create"));
    FICUS_TRY_VOID(cursor_.expect_word("rule"));
    FICUS_TRY(statement.name, name("the rule's name"));
    if (cursor_.take_word("comment")) {
      if (cursor_.peek().kind != TokenKind::string) return cursor_.expected("a text in quotes");
      statement.comment = cursor_.take().text;
    }
    FICUS_TRY_VOID(cursor_.expect_word("as"));
    FICUS_TRY_VOID(insert(statement));
    FICUS_TRY_VOID(select(statement));
    FICUS_TRY_VOID(from(statement));
    FICUS_TRY(statement.where, parse_expression(cursor_, limits_.nesting_max));
    statement.end = cursor_.previous_end();
    if (cursor_.peek().kind != TokenKind::end && !cursor_.take_symbol(";")) return not_the_end();
    return statement;
  }

 private:
  Parsed<Name> name(std::string_view what) {
    const Token& token = cursor_.peek();
    const bool is_name = token.kind == TokenKind::quoted_name ||
                         (token.kind == TokenKind::word && !is_reserved(token));
    if (!is_name) return cursor_.expected(what);
    cursor_.take();
    return Name{token.text, token.begin};
  }

  Parsed<void> insert(Statement& statement) {
    FICUS_TRY_VOID(cursor_.expect_word("insert"));
    FICUS_TRY_VOID(cursor_.expect_word("into"));
    FICUS_TRY(statement.into, name("the entity type to write"));
    if (!cursor_.take_symbol("(")) {
      return cursor_.expected("'(' and the names of the columns to write");
    }
    do {
      if (statement.columns.size() == limits_.columns_max) return too_many_columns();
      FICUS_TRY(statement.columns.emplace_back(), name("the name of a column"));
    } while (cursor_.take_symbol(","));
    return cursor_.take_symbol(")") ? Parsed<void>()
                                    : cursor_.expected("',' or ')' after this column");
  }

  Parsed<void> select(Statement& statement) {
    FICUS_TRY_VOID(cursor_.expect_word("select"));
    do {
      if (statement.items.size() == limits_.columns_max) return too_many_columns();
      SelectItem item;
      FICUS_TRY(item.expression, parse_expression(cursor_, limits_.nesting_max));
      if (cursor_.take_word("as")) {
        FICUS_TRY(item.alias, name("the name of a column"));
      }
      statement.items.push_back(std::move(item));
    } while (cursor_.take_symbol(","));
    return {};
  }

  std::unexpected<Problem> too_many_columns() const {
    return problem_at(cursor_.peek().begin,
                      fmt::format("a rule may write {} columns at most", limits_.columns_max));
  }

  Parsed<void> from(Statement& statement) {
    if (!cursor_.take_word("from")) {
      return cursor_.expected("an operator, ',' or FROM after this expression");
    }
    FICUS_TRY(statement.from, name("the entity type to watch"));
    const bool as = cursor_.take_word("as");
    const Token& token = cursor_.peek();
    if (as || token.kind == TokenKind::quoted_name ||
        (token.kind == TokenKind::word && !is_reserved(token))) {
      FICUS_TRY(const Name alias, name("an alias for the entity type"));
      statement.alias = alias.text;
    }
    if (token.is_symbol(",") || token.is_word("join")) {
      return cursor_.expected("WHERE (a rule reads one entity type)");
    }
    return cursor_.expect_word("where");
  }

  std::unexpected<Problem> not_the_end() const {
    for (const std::string_view later : {"group", "having", "window", "order", "limit", "union"}) {
      if (cursor_.peek().is_word(later)) {
        return cursor_.expected("';' (a rule ends with its condition)");
      }
    }
    return cursor_.expected("an operator or ';' after this expression");
  }

  TokenCursor& cursor_;
  const ParseLimits& limits_;
};

std::uint64_t hash_tokens(std::span<const Token> tokens) {
  std::uint64_t hash = 0;
  for (const Token& token : tokens) {
    hash = hash_mix(hash, std::to_underlying(token.kind));
    hash = hash_mix(hash, hash64(token.text));
  }
  return hash;
}

}  // namespace

ParsedFile parse_file(std::string_view text, const ParseLimits& limits) {
  ParsedFile file;
  if (text.size() > limits.text_bytes_max) {
    file.problems.push_back({0, fmt::format("the text has {} bytes, {} are the most allowed: split "
                                            "it into several files",
                                            text.size(), limits.text_bytes_max)});
    return file;
  }
  auto tokens = tokenize(text);
  if (!tokens) {
    file.problems.push_back(std::move(tokens).error());
    return file;
  }
  TokenCursor cursor(*tokens);
  while (cursor.peek().kind != TokenKind::end) {
    if (cursor.take_symbol(";")) continue;
    if (file.statements.size() + file.problems.size() == limits.statements_max) {
      file.problems.push_back({cursor.peek().begin, fmt::format("more than {} rules, the most "
                                                                "allowed",
                                                                limits.statements_max)});
      return file;
    }
    const std::size_t first = cursor.position();
    auto statement = StatementParser(cursor, limits).parse();
    if (statement) {
      const std::span<const Token> used =
          std::span<const Token>(*tokens).subspan(first, cursor.position() - first);
      const bool with_end = !used.empty() && used.back().is_symbol(";");
      statement->token_hash = hash_tokens(with_end ? used.first(used.size() - 1) : used);
      file.statements.push_back(*std::move(statement));
      continue;
    }
    file.problems.push_back(std::move(statement).error());
    while (cursor.peek().kind != TokenKind::end && !cursor.take_symbol(";")) cursor.take();
  }
  return file;
}

}  // namespace ficus::rules
