#include "history/names.h"

namespace ficus::history {
namespace {

std::string quoted(std::string_view text, char quote) {
  std::string out;
  out.reserve(text.size() + 2);
  out += quote;
  for (const char c : text) {
    if (c == quote) out += quote;
    out += c;
  }
  out += quote;
  return out;
}

}  // namespace

std::string quoted_identifier(std::string_view name) { return quoted(name, '"'); }
std::string quoted_literal(std::string_view text) { return quoted(text, '\''); }

std::string folded(std::string_view name) {
  std::string out(name);
  for (char& c : out) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return out;
}

std::string NameSet::free_name(std::string_view wanted) const {
  std::string name(wanted);
  for (int n = 2; contains(name); ++n) name = std::string(wanted) + '_' + std::to_string(n);
  return name;
}

NameSet reserved_column_names() {
  NameSet names;
  // rowid is a hidden column of DuckDB's tables.
  for (const char* name : {"id", "observedAt", "receivedAt", "source", "rowid"}) names.take(name);
  return names;
}

bool is_reserved_view_name(std::string_view name) {
  const std::string lower = folded(name);
  for (const char* prefix : {"ficus_", "duckdb_", "sqlite_", "pragma_", "pg_"}) {
    if (lower.starts_with(prefix)) return true;
  }
  return lower == "quarantine" || lower == "damaged" || lower == "spill" ||
         lower == "information_schema";
}

}  // namespace ficus::history
