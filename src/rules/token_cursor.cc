#include "rules/token_cursor.h"

namespace ficus::rules {

Parsed<void> TokenCursor::expect_word(std::string_view keyword) {
  if (take_word(keyword)) return {};
  std::string upper(keyword);
  for (char& c : upper) {
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 32);
  }
  return expected(upper);
}

bool is_reserved(const Token& token) {
  constexpr std::string_view kReserved[] = {
      "all",    "and",      "as",     "between", "case",   "cast",  "create", "distinct",
      "else",   "end",      "escape", "except",  "exists", "false", "from",   "group",
      "having", "ilike",    "in",     "insert",  "into",   "is",    "join",   "like",
      "limit",  "not",      "null",   "on",      "or",     "order", "select", "then",
      "true",   "try_cast", "union",  "when",    "where",  "window"};
  for (const std::string_view word : kReserved) {
    if (token.is_word(word)) return true;
  }
  return false;
}

}  // namespace ficus::rules
