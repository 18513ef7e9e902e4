#pragma once

#include <compare>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "model/ids.h"
#include "model/schema.h"
#include "model/value.h"
#include "model/zone_set.h"
#include "rules/rule_id.h"

namespace ficus::rules {

struct RuleLimits {
  std::size_t text_bytes_max = 8 << 20;  // of one file: more is an error at load
  std::size_t rules_max = 20'000;        // of one set: more is an error at load
  std::size_t nesting_max = 100;  // parentheses, functions, operators in each other: error at load
  std::size_t columns_max = 64;   // of one INSERT: more is an error at load
  std::size_t entities_max = 4'000'000;  // of one snapshot: more is refused as corrupt
};

struct RuleFile {
  std::string name;  // for messages
  std::string text;
};

// What a rule is; fixed after compile.
struct RuleInfo {
  std::string name;
  std::string comment;  // of the COMMENT clause, or empty
  std::string text;     // the statement as written
  std::string file;
  std::uint32_t line = 0;
  TypeId from;
  TypeId into;
  std::vector<AttributeId> into_attributes;  // in the order of the INSERT columns
  // SELECT expressions that are constants: what every emission will say, such as the department.
  std::vector<std::pair<AttributeId, Value>> constants;
  bool uses_absent = false;
};

// Two rules with the same key mean the same: their tokens, and the zones they name, are equal.
struct RuleKey {
  std::string name;
  std::uint64_t hash = 0;
  friend auto operator<=>(const RuleKey&, const RuleKey&) = default;
};

class RuleSet;
using RuleSetPtr = std::shared_ptr<const RuleSet>;

// Rules checked against the schema and turned into programs, without state: compiled once, shared
// read-only by the books of all shards. Keeps the zones it was compiled with.
class RuleSet {
 public:
  struct Compiled;  // rule_set_impl.h

  // Compiles every CREATE RULE of the files. An error lists what is wrong, one problem a line:
  // "rules.sql:3:18: unknown attribute 'sped' of Vehicle: did you mean 'speed'?".
  // Columns of an INTO type that are not known yet are added to the schema with the kind of their
  // expression.
  static Result<RuleSetPtr> compile(std::span<const RuleFile> files, Schema& schema,
                                    std::shared_ptr<const ZoneSet> zones, RuleLimits limits = {});
  ~RuleSet();
  RuleSet(const RuleSet&) = delete;
  RuleSet& operator=(const RuleSet&) = delete;

  std::size_t rule_count() const;
  const RuleInfo& info(RuleId rule) const;
  const std::vector<RuleKey>& keys() const;  // sorted
  const Compiled& compiled() const { return *compiled_; }

 private:
  explicit RuleSet(std::unique_ptr<const Compiled> compiled);
  const std::unique_ptr<const Compiled> compiled_;
};

}  // namespace ficus::rules
