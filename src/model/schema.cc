#include "model/schema.h"

#include <fmt/format.h>

#include <mutex>

#include "base/check.h"

namespace ficus {

struct Schema::Type {
  std::string name;
  std::deque<AttributeInfo> attributes;
  std::unordered_map<std::string_view, AttributeId> by_name;
};

namespace {

constexpr std::size_t kNameBytesMax = 120;

bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
bool is_digit(char c) { return c >= '0' && c <= '9'; }

}  // namespace

bool is_valid_name(std::string_view name) {
  if (name.empty() || name.size() > kNameBytesMax || !is_letter(name.front())) return false;
  for (const char c : name) {
    if (!is_letter(c) && !is_digit(c) && c != '_') return false;
  }
  return true;
}

Schema::Schema(SchemaLimits limits) : limits_(limits) {}
Schema::~Schema() = default;

const Schema::Type& Schema::at(TypeId type) const {
  FICUS_CHECK(type.index() < types_.size());
  return *types_[type.index()];
}

void Schema::copy_from(const Schema& other) {
  FICUS_CHECK(types_.empty());
  const std::shared_lock lock(other.mutex_);
  for (std::uint32_t i = 0; i < other.types_.size(); ++i) {
    auto type = std::make_unique<Type>();
    type->name = other.types_[i]->name;
    type->attributes = other.types_[i]->attributes;
    for (std::uint32_t a = 0; a < type->attributes.size(); ++a) {
      type->by_name.emplace(type->attributes[a].name, AttributeId(a));
    }
    type_by_name_.emplace(type->name, TypeId(i));
    types_.push_back(std::move(type));
  }
}

Result<TypeId> Schema::intern_type(std::string_view name) {
  if (const auto found = find_type(name)) return *found;
  if (!is_valid_name(name)) {
    return invalid(
        fmt::format("'{}' is not a type name: expected a letter, then letters, digits, '_'", name));
  }
  const std::unique_lock lock(mutex_);
  if (const auto found = type_by_name_.find(name); found != type_by_name_.end()) {
    return found->second;
  }
  if (types_.size() >= limits_.types_max) {
    return fail(ErrorCode::overloaded,
                fmt::format("there are {} entity types already, the most allowed: cannot add '{}'",
                            limits_.types_max, name));
  }
  const TypeId id(static_cast<std::uint32_t>(types_.size()));
  types_.push_back(std::make_unique<Type>());
  types_.back()->name = name;
  type_by_name_.emplace(types_.back()->name, id);
  return id;
}

Result<AttributeId> Schema::intern_attribute(TypeId type, std::string_view name, ValueKind kind) {
  FICUS_CHECK(kind != ValueKind::none);
  const std::unique_lock lock(mutex_);
  FICUS_CHECK(type.index() < types_.size());
  Type& t = *types_[type.index()];
  if (const auto found = t.by_name.find(name); found != t.by_name.end()) {
    const ValueKind known = t.attributes[found->second.index()].kind;
    if (known == kind) return found->second;
    return fail(ErrorCode::conflict, fmt::format("{}.{} is a {}, not a {}", t.name, name,
                                                 value_kind_name(known), value_kind_name(kind)));
  }
  if (!is_valid_name(name)) {
    return invalid(fmt::format(
        "'{}' is not an attribute name: expected a letter, then letters, digits, '_'", name));
  }
  if (t.attributes.size() >= limits_.attributes_per_type_max) {
    return fail(ErrorCode::overloaded,
                fmt::format("{} has {} attributes already, the most allowed: cannot add '{}'",
                            t.name, limits_.attributes_per_type_max, name));
  }
  const AttributeId id(static_cast<std::uint32_t>(t.attributes.size()));
  AttributeInfo info;
  info.name = name;
  info.kind = kind;
  t.attributes.push_back(std::move(info));
  t.by_name.emplace(t.attributes.back().name, id);
  return id;
}

Result<AttributeId> Schema::declare_attribute(TypeId type, const AttributeInfo& info) {
  FICUS_TRY(const AttributeId id, intern_attribute(type, info.name, info.kind));
  const std::unique_lock lock(mutex_);
  AttributeInfo& known = types_[type.index()]->attributes[id.index()];
  known.unit_code = info.unit_code;
  known.decimals = info.decimals;
  known.label_zh = info.label_zh;
  known.label_en = info.label_en;
  return id;
}

std::optional<TypeId> Schema::find_type(std::string_view name) const {
  const std::shared_lock lock(mutex_);
  const auto found = type_by_name_.find(name);
  if (found == type_by_name_.end()) return std::nullopt;
  return found->second;
}

std::optional<AttributeId> Schema::find_attribute(TypeId type, std::string_view name) const {
  const std::shared_lock lock(mutex_);
  const Type& t = at(type);
  const auto found = t.by_name.find(name);
  if (found == t.by_name.end()) return std::nullopt;
  return found->second;
}

const std::string& Schema::type_name(TypeId type) const {
  const std::shared_lock lock(mutex_);
  return at(type).name;
}

AttributeInfo Schema::attribute(TypeId type, AttributeId attribute) const {
  const std::shared_lock lock(mutex_);
  const Type& t = at(type);
  FICUS_CHECK(attribute.index() < t.attributes.size());
  return t.attributes[attribute.index()];
}

const std::string& Schema::attribute_name(TypeId type, AttributeId attribute) const {
  const std::shared_lock lock(mutex_);
  const Type& t = at(type);
  FICUS_CHECK(attribute.index() < t.attributes.size());
  return t.attributes[attribute.index()].name;
}

ValueKind Schema::attribute_kind(TypeId type, AttributeId attribute) const {
  const std::shared_lock lock(mutex_);
  const Type& t = at(type);
  FICUS_CHECK(attribute.index() < t.attributes.size());
  return t.attributes[attribute.index()].kind;
}

std::size_t Schema::type_count() const {
  const std::shared_lock lock(mutex_);
  return types_.size();
}

std::size_t Schema::attribute_count(TypeId type) const {
  const std::shared_lock lock(mutex_);
  return at(type).attributes.size();
}

}  // namespace ficus
