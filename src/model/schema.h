#pragma once

#include <cstddef>
#include <deque>
#include <memory>
#include <optional>
#include <shared_mutex>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/result.h"
#include "model/ids.h"
#include "model/value.h"

namespace ficus {

struct SchemaLimits {
  std::size_t types_max = 1000;
  std::size_t attributes_per_type_max = 500;
};

// What is known of one attribute of one type. Declared in a pack's types.yaml, or learned from the
// first observation that carries it.
struct AttributeInfo {
  std::string name;
  ValueKind kind = ValueKind::none;
  std::string unit_code;  // UN/CEFACT common code, or empty
  int decimals =
      -1;  // digits after the point that matter, or -1 for all: stored as DECIMAL when sealed
  std::string label_zh;
  std::string label_en;
};

// The types and attributes that the process knows; only grows. One per process, shared by all
// threads. Thread-safe: names are looked up at the edge (once per mapping or batch column), never
// per row. References and names stay valid for the life of the schema.
class Schema {
 public:
  explicit Schema(SchemaLimits limits = {});
  Schema(const Schema&) = delete;
  Schema& operator=(const Schema&) = delete;
  ~Schema();

  // Adds everything that the other knows, with the same handles: a copy on which files can be tried
  // before they may change the one in use. REQUIRES: this one is empty.
  void copy_from(const Schema& other);

  // Finds or adds. Names are NGSI-LD names: a letter, then letters, digits, '_' (at most 120
  // bytes).
  Result<TypeId> intern_type(std::string_view name);
  // Finds or adds; an attribute that exists with another kind is ErrorCode::conflict.
  Result<AttributeId> intern_attribute(TypeId type, std::string_view name, ValueKind kind);
  // Sets unit, decimals and labels; kind conflicts as above.
  Result<AttributeId> declare_attribute(TypeId type, const AttributeInfo& info);

  std::optional<TypeId> find_type(std::string_view name) const;
  std::optional<AttributeId> find_attribute(TypeId type, std::string_view name) const;
  const std::string& type_name(TypeId type) const;
  // A copy, since unit and labels may be declared later than the attribute is learned.
  AttributeInfo attribute(TypeId type, AttributeId attribute) const;
  const std::string& attribute_name(TypeId type, AttributeId attribute) const;
  ValueKind attribute_kind(TypeId type, AttributeId attribute) const;
  std::size_t type_count() const;
  std::size_t attribute_count(TypeId type) const;

 private:
  struct Type;
  const Type& at(TypeId type) const;

  const SchemaLimits limits_;
  mutable std::shared_mutex mutex_;
  std::deque<std::unique_ptr<Type>> types_;
  std::unordered_map<std::string_view, TypeId> type_by_name_;
};

bool is_valid_name(std::string_view name);

}  // namespace ficus
