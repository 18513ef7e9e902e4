#include "history/sql_guard.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <utility>
#include <vector>

#include "base/utf8.h"
#include "history/names.h"
#include "history/query_cost.h"
#include "history/syntax_tree.h"

namespace ficus::history {
namespace {

template <std::size_t N>
constexpr bool is_one_of(std::string_view word, const std::array<std::string_view, N>& words) {
  return std::find(words.begin(), words.end(), word) != words.end();
}

// Expressions that carry no name of their own. FUNCTION and WINDOW are looked at separately.
constexpr auto kExpressionClasses = std::to_array<std::string_view>(
    {"BETWEEN", "CASE", "CAST", "COLLATE", "COLUMN_REF", "COMPARISON", "CONJUNCTION", "CONSTANT",
     "DEFAULT", "LAMBDA", "LAMBDA_REF", "OPERATOR", "POSITIONAL_REFERENCE", "STAR", "SUBQUERY"});

// Nodes without a class: queries, tables, modifiers, orders, details of types. BASE_TABLE,
// TABLE_FUNCTION and SHOW_REF are looked at separately.
constexpr auto kNodeTypes = std::to_array<std::string_view>({"SELECT_NODE",
                                                             "SET_OPERATION_NODE",
                                                             "RECURSIVE_CTE_NODE",
                                                             "CTE_NODE",
                                                             "SUBQUERY",
                                                             "JOIN",
                                                             "EXPRESSION_LIST",
                                                             "EMPTY",
                                                             "PIVOT",
                                                             "ORDER_MODIFIER",
                                                             "LIMIT_MODIFIER",
                                                             "LIMIT_PERCENT_MODIFIER",
                                                             "DISTINCT_MODIFIER",
                                                             "ORDER_DEFAULT",
                                                             "ASCENDING",
                                                             "DESCENDING",
                                                             "ORDER_ASCENDING",
                                                             "ORDER_DESCENDING",
                                                             "DECIMAL_TYPE_INFO",
                                                             "LIST_TYPE_INFO",
                                                             "ARRAY_TYPE_INFO",
                                                             "STRUCT_TYPE_INFO",
                                                             "STRING_TYPE_INFO",
                                                             "ENUM_TYPE_INFO",
                                                             "UNBOUND_TYPE_INFO",
                                                             "GENERIC_TYPE_INFO",
                                                             "INVALID_TYPE_INFO"});

// A WITH name that is a plain word cannot be taken for a file where it is out of scope.
bool is_plain_word(std::string_view name) {
  if (name.empty()) return false;
  return std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           static_cast<unsigned char>(c) >= 0x80;
  });
}

class Walk {
 public:
  explicit Walk(const TableScope& tables) : tables_(tables) {}

  Status check(const SyntaxNode& node) {
    if (node.kind == SyntaxNode::Kind::array) return check_children(node);
    if (node.kind != SyntaxNode::Kind::object) return {};
    const std::size_t outer = scope_.size();
    FICUS_TRY_VOID(enter_scope(node));
    FICUS_TRY_VOID(check_object(node));
    scope_.resize(outer);
    return {};
  }

 private:
  Status check_children(const SyntaxNode& node) {
    for (const SyntaxNode& child : node.children) FICUS_TRY_VOID(check(child));
    return {};
  }

  Status check_object(const SyntaxNode& node) {
    const SyntaxNode* expression_class = node.find("class");
    if (expression_class != nullptr) {
      const std::string_view name = expression_class->text;
      if (name == "FUNCTION" || name == "WINDOW") {
        FICUS_TRY_VOID(check_function(node));
      } else if (name == "PARAMETER") {
        return invalid("a query cannot have parameters ($1, ?): write the values");
      } else if (!is_one_of(name, kExpressionClasses)) {
        return refused(fmt::format("this kind of expression ({})", name));
      }
      return check_children(node);
    }
    const std::string_view type = node.text_of("type");
    if (type == "BASE_TABLE") {
      FICUS_TRY_VOID(check_table(node));
    } else if (type == "TABLE_FUNCTION") {
      return check_table_function(node);
    } else if (type == "SHOW_REF") {
      FICUS_TRY_VOID(check_show(node));
    } else if (!type.empty() && !is_one_of(type, kNodeTypes)) {
      return refused(fmt::format("this form of SQL ({})", type));
    }
    return check_children(node);
  }

  static std::unexpected<Error> refused(std::string what) {
    return fail(ErrorCode::denied, std::move(what) + " is not allowed in a query");
  }

  Status check_function(const SyntaxNode& node) {
    const std::string_view name = node.text_of("function_name");
    // The parser writes [1, 2], {'a': 1} and MAP {} as functions of the schema main.
    const std::string_view schema = node.text_of("schema");
    const std::string_view catalog = node.text_of("catalog");
    const bool is_builtin =
        (schema.empty() || schema == "main") && (catalog.empty() || catalog == "system");
    if (!is_builtin || !is_allowed_function(folded(name))) {
      return refused(fmt::format("the function {}", name));
    }
    return {};
  }

  Status check_table_function(const SyntaxNode& node) {
    const SyntaxNode* function = node.find("function");
    if (function == nullptr || function->text_of("class") != "FUNCTION") {
      return refused("this table function");
    }
    const std::string_view name = function->text_of("function_name");
    if (!function->text_of("schema").empty() || !function->text_of("catalog").empty() ||
        !is_allowed_table_function(folded(name))) {
      return refused(fmt::format("the table function {}", name));
    }
    for (const SyntaxNode& child : node.children) {
      FICUS_TRY_VOID(&child == function ? check_children(child) : check(child));
    }
    return {};
  }

  Status check_table(const SyntaxNode& node) {
    const std::string_view name = node.text_of("table_name");
    const std::string_view schema = node.text_of("schema_name");
    const std::string_view catalog = node.text_of("catalog_name");
    const SyntaxNode* at = node.find("at_clause");
    if (at != nullptr && !at->is_null()) return refused("AT (time travel)");
    const std::string wanted = folded(name);
    if (schema.empty() && catalog.empty() &&
        std::find(scope_.begin(), scope_.end(), wanted) != scope_.end()) {
      return {};
    }
    const bool is_ours = catalog.empty() && (schema.empty() || folded(schema) == "main");
    if (is_ours && tables_.readable.contains(wanted)) return {};
    std::string full;
    for (const std::string_view part : {catalog, schema}) {
      if (!part.empty()) full.append(part).append(".");
    }
    // The same words whether the table is hidden or does not exist: names are not told either.
    if (tables_.is_restricted) {
      return fail(ErrorCode::denied,
                  fmt::format("there is no table '{}{}' that you may read: you may read {}", full,
                              name, readable_list()));
    }
    return fail(
        ErrorCode::denied,
        fmt::format("there is no table '{}{}': a query reads entity types, quarantine, "
                    "ficus_sealed, ficus_damaged and ficus_position (SHOW TABLES lists them)",
                    full, name));
  }

  std::string readable_list() const {
    std::vector<std::string> names(tables_.readable.begin(), tables_.readable.end());
    std::sort(names.begin(), names.end());
    return names.empty() ? "none" : fmt::format("{}", fmt::join(names, ", "));
  }

  // DESCRIBE and SUMMARIZE hold a query; SHOW TABLES names a list by a quoted word.
  Status check_show(const SyntaxNode& node) const {
    const SyntaxNode* query = node.find("query");
    const std::string_view table = node.text_of("table_name");
    if (query != nullptr && query->kind == SyntaxNode::Kind::object && table.empty()) return {};
    if ((query == nullptr || query->is_null()) && table == "\"tables\"" &&
        node.text_of("schema_name").empty() && node.text_of("catalog_name").empty()) {
      if (!tables_.is_restricted) return {};
      return fail(ErrorCode::denied,
                  "SHOW TABLES names what not everybody may read: you may read " + readable_list());
    }
    return refused("SHOW of anything but TABLES");
  }

  // The names that WITH defines hold in the whole node: also where SQL would not see them yet,
  // which is harmless since they are plain words that are not tables hidden from the asker.
  Status enter_scope(const SyntaxNode& node) {
    const SyntaxNode* with = node.find("cte_map");
    const SyntaxNode* map = with == nullptr ? nullptr : with->find("map");
    if (map != nullptr) {
      for (const SyntaxNode& entry : map->children) {
        FICUS_TRY_VOID(define(entry.text_of("key")));
      }
    }
    const std::string_view recursive = node.text_of("cte_name");
    return recursive.empty() ? Status() : define(recursive);
  }

  Status define(std::string_view name) {
    if (!is_plain_word(name) || is_reserved_view_name(name)) {
      return invalid(fmt::format("WITH \"{}\": use a plain word that is no system table", name));
    }
    if (tables_.hidden.contains(folded(name))) {
      return fail(ErrorCode::denied, fmt::format("WITH {}: use another name", name));
    }
    scope_.push_back(folded(name));
    return {};
  }

  const TableScope& tables_;
  std::vector<std::string> scope_;
};

// EXPLAIN is not a query for the parser's JSON: the statement behind it is checked instead.
std::string_view without_explain(std::string_view sql) {
  const auto eat_word = [&sql](std::string_view word) {
    const std::size_t begin = sql.find_first_not_of(" \t\r\n");
    if (begin == std::string_view::npos) return false;
    const std::string_view rest = sql.substr(begin);
    if (rest.size() <= word.size() || folded(rest.substr(0, word.size())) != word) return false;
    const char next = rest[word.size()];
    if (next != ' ' && next != '\t' && next != '\r' && next != '\n') return false;
    sql = rest.substr(word.size());
    return true;
  };
  if (eat_word("explain")) eat_word("analyze");
  return sql;
}

Status check_tree(const SyntaxNode& root, const TableScope& tables) {
  const SyntaxNode* statements = root.find("statements");
  if (statements == nullptr) {
    const std::string_view message = root.text_of("error_message");
    if (root.text_of("error_type") == "not implemented") {
      return fail(ErrorCode::denied,
                  "only a single SELECT is allowed (also WITH, VALUES, DESCRIBE, SUMMARIZE, SHOW "
                  "TABLES, EXPLAIN)");
    }
    return invalid(fmt::format("the statement is not valid SQL: {}", message));
  }
  if (statements->children.size() != 1) {
    return fail(ErrorCode::denied,
                fmt::format("one statement at a time: this is {}", statements->children.size()));
  }
  FICUS_TRY_VOID(Walk(tables).check(statements->children.front()));
  return check_cost(statements->children.front());
}

// DuckDB's lexer takes as many operator characters in a row as there are and gives back all but the
// first it needs, so a run of them ("/*/*/*...", "+++...") costs its square, and no limit of time
// reaches into the parser: 100 KB kept a core busy for minutes.
constexpr std::size_t kOperatorRunMax = 1000;

bool has_long_operator_run(std::string_view sql) {
  constexpr std::string_view kOperators = "~!@#^&|`?+-*/%<>=";
  std::size_t run = 0;
  for (const char c : sql) {
    run = kOperators.contains(c) ? run + 1 : 0;
    if (run > kOperatorRunMax) return true;
  }
  return false;
}

}  // namespace

Status check_statement(DuckConnection& connection, std::string_view sql, const TableScope& scope) {
  if (sql.contains('\0') || !is_valid_utf8(sql)) return invalid("the statement is not UTF-8 text");
  if (has_long_operator_run(sql)) {
    return invalid(fmt::format("the statement has more than {} operator characters in a row",
                               kOperatorRunMax));
  }
  FICUS_TRY(const auto rows,
            connection.select("SELECT CAST(json_serialize_sql(" +
                              quoted_literal(without_explain(sql)) + ") AS VARCHAR)"));
  if (rows.size() != 1) return fail(ErrorCode::internal, "DuckDB gave no syntax tree");
  FICUS_TRY(const SyntaxNode root, read_syntax_tree(text_of(rows[0][0])));
  return check_tree(root, scope);
}

Result<std::string> written_out(DuckConnection& connection, std::string_view sql) {
  const auto rows = connection.select("SELECT json_deserialize_sql(json_serialize_sql(" +
                                      quoted_literal(sql) + "))");
  std::string text = rows && rows->size() == 1 ? text_of(rows->at(0)[0]) : "";
  while (text.ends_with(';') || text.ends_with(' ')) text.pop_back();
  if (text.empty()) return invalid("only a SELECT can be answered as a file");
  return text;
}

}  // namespace ficus::history
