#pragma once

#include <string>
#include <string_view>
#include <unordered_set>

namespace ficus::history {

// `name` as an SQL identifier, whatever it contains: "name", with quotes doubled.
std::string quoted_identifier(std::string_view name);
// `text` as an SQL string literal: 'text', with quotes doubled. REQUIRES: no NUL byte.
std::string quoted_literal(std::string_view text);

// ASCII letters in lower case: how DuckDB compares identifiers.
std::string folded(std::string_view name);

// Names that must differ even when case is ignored. DuckDB compares identifiers without case,
// NGSI-LD with: of `Speed` and `speed` the one that comes first keeps its name, the other becomes
// `speed_2` (then _3, ...).
class NameSet {
 public:
  bool contains(std::string_view name) const { return taken_.contains(folded(name)); }
  void take(std::string_view name) { taken_.insert(folded(name)); }
  // A free name like `wanted`, not taken yet.
  std::string free_name(std::string_view wanted) const;

 private:
  std::unordered_set<std::string> taken_;
};

// Attributes may not be called like the columns that every view has.
NameSet reserved_column_names();
// Types may not be called like our own tables, folders, or DuckDB's system views.
bool is_reserved_view_name(std::string_view name);

}  // namespace ficus::history
