#include "rules/compiled_rule.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/result.h"
#include "rules/binder.h"
#include "rules/planner.h"

namespace ficus::rules {
namespace {

// The first `count` types.
std::vector<std::string> type_names(const Schema& schema, std::size_t count) {
  std::vector<std::string> names;
  names.reserve(count);
  for (std::uint32_t i = 0; i < count; ++i) {
    names.push_back(schema.type_name(TypeId(i)));
  }
  return names;
}

// The first `count` attributes of the type.
std::vector<std::string> attribute_names(const Schema& schema, TypeId type, std::uint32_t count) {
  std::vector<std::string> names;
  names.reserve(count);
  for (std::uint32_t i = 0; i < count; ++i) {
    names.push_back(schema.attribute_name(type, AttributeId(i)));
  }
  return names;
}

// What an expression is stored as when nobody has declared the column.
ValueKind natural_kind(const Bound& bound) {
  if (bound.op == Opcode::column) return bound.value_kind;
  switch (bound.kind) {
    case Kind::boolean:
      return ValueKind::boolean;
    case Kind::integer:
    case Kind::number:
      return ValueKind::number;
    case Kind::text:
      return ValueKind::text;
    case Kind::time:
      return ValueKind::time;
    case Kind::point:
      return ValueKind::point;
    case Kind::null:
    case Kind::interval:
    case Kind::zone:
      break;
  }
  return ValueKind::none;
}

// A text may become a relationship (its id), but not JSON: nobody has checked it.
bool fits(const Bound& bound, ValueKind column) {
  if (bound.kind == Kind::null) return true;
  const ValueKind natural = natural_kind(bound);
  if (natural == column) return true;
  if (column == ValueKind::text) return holds_text(natural);
  return column == ValueKind::relationship && natural == ValueKind::text;
}

Value to_value(const Constant& constant, ValueKind kind) {
  if (constant.is_null) return {};
  switch (kind) {
    case ValueKind::none:
      return {};
    case ValueKind::boolean:
      return Value::boolean(constant.number != 0);
    case ValueKind::number:
      return Value::number(constant.number);
    case ValueKind::time:
      return Value::time({constant.micros});
    case ValueKind::point:
      return Value::point(constant.point);
    case ValueKind::text:
    case ValueKind::geometry:
    case ValueKind::relationship:
    case ValueKind::json:
      return Value::of_text_kind(kind, constant.text);
  }
  std::unreachable();
}

class StatementCompiler {
 public:
  StatementCompiler(const Statement& statement, std::string_view text, Schema& schema,
                    const ZoneSet& zones, const DeclaredCounts& declared)
      : statement_(statement), text_(text), schema_(schema), zones_(zones), declared_(declared) {}

  Parsed<CompiledRule> run() {
    FICUS_TRY_VOID(check_names());
    FICUS_TRY_VOID(find_from());
    CompiledRule rule;
    FICUS_TRY_VOID(bind_condition(rule));
    FICUS_TRY_VOID(bind_items());
    FICUS_TRY_VOID(find_into());
    FICUS_TRY_VOID(bind_outputs(rule));
    FICUS_TRY_VOID(check_size(rule));
    rule.token_hash = statement_.token_hash;
    RuleInfo& info = rule.info;
    info.name = statement_.name.text;
    info.comment = statement_.comment;
    info.text = text_.substr(statement_.begin, statement_.end - statement_.begin);
    info.from = from_;
    info.into = into_;
    info.uses_absent = !rule.condition.absent.empty();
    return rule;
  }

 private:
  Parsed<void> check_names() const {
    const std::string_view expectation = "a letter, then letters, digits, '_' (120 at most)";
    if (!is_valid_name(statement_.name.text)) {
      return problem_at(statement_.name.at,
                        fmt::format("'{}' is not a name for a rule: expected {}",
                                    statement_.name.text, expectation));
    }
    if (!is_valid_name(statement_.into.text)) {
      return problem_at(statement_.into.at,
                        fmt::format("'{}' is not a name for an entity type: expected {}",
                                    statement_.into.text, expectation));
    }
    return check_columns();
  }

  Parsed<void> check_columns() const {
    const std::vector<Name>& columns = statement_.columns;
    for (std::size_t i = 0; i < columns.size(); ++i) {
      const Name& column = columns[i];
      for (const std::string_view taken : {"id", "type", "observedAt"}) {
        if (column.text == taken) {
          return problem_at(column.at,
                            fmt::format("'{}' of what a rule writes is set by the engine: "
                                        "leave it out",
                                        taken));
        }
      }
      for (std::size_t j = 0; j < i; ++j) {
        if (columns[j].text == column.text) {
          return problem_at(column.at, fmt::format("the column '{}' is named twice", column.text));
        }
      }
    }
    const std::size_t items = statement_.items.size();
    if (items == columns.size()) return check_aliases();
    return problem_at(statement_.items.front().expression->begin,
                      fmt::format("expected {} expressions for {} columns, found {}",
                                  columns.size(), columns.size(), items));
  }

  Parsed<void> check_aliases() const {
    for (std::size_t i = 0; i < statement_.items.size(); ++i) {
      const Name& alias = statement_.items[i].alias;
      if (alias.text.empty() || alias.text == statement_.columns[i].text) continue;
      return problem_at(alias.at, fmt::format("expected the column '{}' in this place, found '{}': "
                                              "values go to columns by position",
                                              statement_.columns[i].text, alias.text));
    }
    return {};
  }

  Parsed<void> find_from() {
    const Name& name = statement_.from;
    const auto found = schema_.find_type(name.text);
    if (!found) {
      return problem_at(name.at,
                        fmt::format("unknown entity type '{}'{}", name.text,
                                    suggestion(name.text, type_names(schema_, declared_.size()))));
    }
    from_ = *found;
    return {};
  }

  // Each register takes 35 KB of the shard's memory.
  Parsed<void> check_size(const CompiledRule& rule) const {
    constexpr std::uint16_t kRegistersMax = 1000;
    const std::uint16_t count = std::max(rule.condition.register_count, rule.select.register_count);
    if (count <= kRegistersMax) return {};
    return problem_at(statement_.begin,
                      fmt::format("this rule keeps {} columns at once while it is computed, {} are "
                                  "the most allowed: split it into several rules",
                                  count, kRegistersMax));
  }

  Scope scope(bool with_memory) const {
    return {text_, &schema_, &zones_, from_, statement_.alias, with_memory};
  }

  Parsed<void> bind_condition(CompiledRule& rule) const {
    const Scope where = scope(true);
    FICUS_TRY(const BoundPtr bound, bind(*statement_.where, where));
    if (bound->kind == Kind::null) bound->kind = Kind::boolean;
    if (bound->kind != Kind::boolean) {
      return problem_at(statement_.where->begin,
                        fmt::format("expected a condition after WHERE: {}",
                                    says_kind(where, *statement_.where, bound->kind)));
    }
    const Bound* condition = bound.get();
    rule.condition = plan({&condition, 1}, true);
    rule.guards = guards_of(*bound);
    return {};
  }

  Parsed<void> bind_items() {
    const Scope select = scope(false);
    for (const SelectItem& item : statement_.items) {
      FICUS_TRY(BoundPtr bound, bind(*item.expression, select));
      items_.push_back(std::move(bound));
    }
    return {};
  }

  Parsed<void> find_into() {
    const Name& name = statement_.into;
    if (!schema_.find_type(name.text)) {
      const std::string near = suggestion(name.text, type_names(schema_, declared_.size()));
      if (!near.empty()) {
        return problem_at(
            name.at,
            fmt::format("unknown entity type '{}'{} (declare it if it is new)", name.text, near));
      }
    }
    auto type = schema_.intern_type(name.text);
    if (!type) return problem_at(name.at, std::move(type).error().message);
    into_ = *type;
    return {};
  }

  Parsed<void> bind_outputs(CompiledRule& rule) {
    std::vector<const Bound*> computed;
    for (std::size_t i = 0; i < items_.size(); ++i) {
      const Bound& bound = *items_[i];
      FICUS_TRY(const AttributeId attribute, column_for(i));
      Output output;
      output.attribute = attribute;
      output.kind = schema_.attribute_kind(into_, attribute);
      output.is_constant = bound.is_constant();
      if (output.is_constant) {
        output.constant = to_value(bound.constant, output.kind);
        if (!output.constant.is_none())
          rule.info.constants.emplace_back(attribute, output.constant);
      } else {
        output.result = static_cast<std::uint32_t>(computed.size());
        computed.push_back(&bound);
      }
      rule.info.into_attributes.push_back(attribute);
      rule.outputs.push_back(std::move(output));
    }
    rule.select = plan(computed, false);
    return {};
  }

  // The attribute that column `i` writes, new if it is not known.
  Parsed<AttributeId> column_for(std::size_t i) {
    const Name& column = statement_.columns[i];
    const Expr& expr = *statement_.items[i].expression;
    const Bound& bound = *items_[i];
    const std::string& type_name = schema_.type_name(into_);
    const auto known = schema_.find_attribute(into_, column.text);
    if (known) {
      const ValueKind kind = schema_.attribute_kind(into_, *known);
      if (fits(bound, kind)) return *known;
      return problem_at(expr.begin, fmt::format("{}.{} is a {}, {}", type_name, column.text,
                                                value_kind_name(kind),
                                                says_kind(scope(false), expr, bound.kind)));
    }
    const std::uint32_t count = into_.index() < declared_.size() ? declared_[into_.index()] : 0;
    const std::string near = suggestion(column.text, attribute_names(schema_, into_, count));
    if (!near.empty()) {
      return problem_at(column.at,
                        fmt::format("unknown attribute '{}' of {}{} (declare it if it is "
                                    "new)",
                                    column.text, type_name, near));
    }
    const ValueKind kind = natural_kind(bound);
    if (kind == ValueKind::none) {
      return problem_at(expr.begin,
                        fmt::format("expected a value that can be stored as {}.{}: {}", type_name,
                                    column.text, says_kind(scope(false), expr, bound.kind)));
    }
    auto added = schema_.intern_attribute(into_, column.text, kind);
    if (!added) return problem_at(column.at, std::move(added).error().message);
    return *added;
  }

  const Statement& statement_;
  const std::string_view text_;
  Schema& schema_;
  const ZoneSet& zones_;
  const DeclaredCounts& declared_;
  TypeId from_;
  TypeId into_;
  std::vector<BoundPtr> items_;
};

}  // namespace

DeclaredCounts declared_counts(const Schema& schema) {
  DeclaredCounts counts;
  for (std::uint32_t i = 0; i < schema.type_count(); ++i) {
    counts.push_back(static_cast<std::uint32_t>(schema.attribute_count(TypeId(i))));
  }
  return counts;
}

Parsed<CompiledRule> compile_statement(const Statement& statement, std::string_view text,
                                       Schema& schema, const ZoneSet& zones,
                                       const DeclaredCounts& declared) {
  return StatementCompiler(statement, text, schema, zones, declared).run();
}

}  // namespace ficus::rules
