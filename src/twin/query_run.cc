#include "twin/query_run.h"

#include <fmt/format.h>

#include <algorithm>
#include <string>

#include "twin/value_order.h"

namespace ficus::twin {
namespace {

bool are_comparable(ValueKind a, ValueKind b) { return a == b || (holds_text(a) && holds_text(b)); }

// The constant of a filter in the form that cells have.
double constant_for(double, const Value& v) {
  return v.kind() == ValueKind::boolean ? static_cast<double>(v.as_boolean()) : v.as_number();
}
Timestamp constant_for(Timestamp, const Value& v) { return v.as_time(); }
GeoPoint constant_for(GeoPoint, const Value& v) { return v.as_point(); }
std::string_view constant_for(const std::string&, const Value& v) { return v.as_text(); }

bool contains_text(const std::string& cell, const Value& v) { return cell.contains(v.as_text()); }
template <typename T>
bool contains_text(const T&, const Value&) {
  return false;
}

}  // namespace

Status QueryRun::check(std::size_t entities_max) {
  if (query_.limit > entities_max || query_.offset > entities_max - query_.limit) {
    return invalid(
        fmt::format("offset {} and limit {} are more than {} together: ask for less, or raise "
                    "twin.query_entities_max",
                    query_.offset, query_.limit, entities_max));
  }
  if (query_.type && query_.type->index() >= schema_.type_count()) {
    return invalid("there is no such entity type");
  }
  for (const AttributeFilter& filter : query_.filters) FICUS_TRY_VOID(check_filter(filter));
  FICUS_TRY_VOID(check_geo());
  FICUS_TRY_VOID(check_order());
  if (query_.geo) {
    const auto* area = std::get_if<MultiPolygon>(&query_.geo->area);
    if (area != nullptr) area_.emplace_back(*area);
  }
  return {};
}

Status QueryRun::check_attribute(AttributeId attribute, std::string_view what) const {
  if (!query_.type) return invalid(fmt::format("{} needs an entity type", what));
  if (attribute.index() >= schema_.attribute_count(*query_.type)) {
    return invalid(
        fmt::format("{}: {} has no such attribute", what, schema_.type_name(*query_.type)));
  }
  return {};
}

Status QueryRun::check_filter(const AttributeFilter& filter) const {
  FICUS_TRY_VOID(check_attribute(filter.attribute, "a filter by attribute"));
  if (filter.comparison == Comparison::exists) return {};
  const ValueKind kind = schema_.attribute_kind(*query_.type, filter.attribute);
  const std::string& name = schema_.attribute_name(*query_.type, filter.attribute);
  if (!are_comparable(kind, filter.value.kind())) {
    return invalid(fmt::format("{} is a {}, it cannot be compared with a {}", name,
                               value_kind_name(kind), value_kind_name(filter.value.kind())));
  }
  if (filter.comparison == Comparison::contains && !holds_text(kind)) {
    return invalid(
        fmt::format("{} is a {}, only a text can contain a text", name, value_kind_name(kind)));
  }
  if (kind == ValueKind::point && filter.comparison != Comparison::eq &&
      filter.comparison != Comparison::ne) {
    return invalid(fmt::format("{} is a point, which is neither less nor greater", name));
  }
  return {};
}

Status QueryRun::check_geo() const {
  if (!query_.geo) return {};
  if (query_.geo->attribute) {
    FICUS_TRY_VOID(check_attribute(*query_.geo->attribute, "a place"));
    if (schema_.attribute_kind(*query_.type, *query_.geo->attribute) != ValueKind::point) {
      return invalid(fmt::format("{} is not a point",
                                 schema_.attribute_name(*query_.type, *query_.geo->attribute)));
    }
  }
  if (const auto* near = std::get_if<NearPoint>(&query_.geo->area)) {
    FICUS_TRY_VOID(check_point(near->center));
    if (!(near->metres_min >= 0) || !(near->metres_max >= near->metres_min)) {
      return invalid(fmt::format("the distance from {} to {} metres is not a range",
                                 near->metres_min, near->metres_max));
    }
    return {};
  }
  if (const auto* box = std::get_if<BoundingBox>(&query_.geo->area)) return check_box(*box);
  return check_multi_polygon(std::get<MultiPolygon>(query_.geo->area));
}

Status QueryRun::check_order() const {
  switch (query_.order.by) {
    case OrderBy::creation:
    case OrderBy::id:
      return {};
    case OrderBy::distance:
      if (!query_.geo || !std::holds_alternative<NearPoint>(query_.geo->area)) {
        return invalid("an order by distance needs a point to be near to");
      }
      return {};
    case OrderBy::attribute:
      break;
  }
  FICUS_TRY_VOID(check_attribute(query_.order.attribute, "an order by attribute"));
  if (schema_.attribute_kind(*query_.type, query_.order.attribute) == ValueKind::point) {
    return invalid("points have no order: order by distance");
  }
  return {};
}

void QueryRun::candidates_by_id(std::vector<EntityId>& out) const {
  for (const std::string& id : query_.ids) {
    entities_.find_all(EntityIndex::hash(id), id, out);
  }
}

void QueryRun::candidates_by_place(std::vector<EntityId>& out) const {
  BoundingBox box;
  if (const auto* near = std::get_if<NearPoint>(&query_.geo->area)) {
    box = box_around(near->center, near->metres_max);
  } else if (const auto* plain = std::get_if<BoundingBox>(&query_.geo->area)) {
    box = *plain;
  } else {
    box = area_.front().box();
  }
  std::vector<std::uint32_t> rows;
  for (const auto& table : tables_) {
    if (!table || (query_.type && table->type() != *query_.type)) continue;
    rows.clear();
    table->grid().collect(box, rows);
    for (const std::uint32_t row : rows) out.push_back(table->entity(row));
  }
}

// Calls visit(entity) in order of creation, or against it, until it returns false.
template <typename Visit>
void QueryRun::visit_candidates(Visit visit) const {
  const bool backwards = query_.order.by == OrderBy::creation && query_.order.descending;
  const auto visit_all = [&](std::size_t count, auto&& entity_at) {
    for (std::size_t i = 0; i < count; ++i) {
      if (!visit(entity_at(backwards ? count - 1 - i : i))) return;
    }
  };
  if (!query_.ids.empty() || uses_grid()) {
    std::vector<EntityId> candidates;
    if (!query_.ids.empty()) {
      candidates_by_id(candidates);
    } else {
      candidates_by_place(candidates);
    }
    std::ranges::sort(candidates);
    const auto repeated = std::ranges::unique(candidates);
    candidates.erase(repeated.begin(), repeated.end());
    visit_all(candidates.size(), [&](std::size_t i) { return candidates[i]; });
  } else if (query_.type) {
    const TypeTable* of_type = table(*query_.type);
    if (of_type == nullptr) return;
    visit_all(of_type->size(),
              [&](std::size_t i) { return of_type->entity(static_cast<std::uint32_t>(i)); });
  } else {
    visit_all(entities_.size(),
              [](std::size_t i) { return EntityId(static_cast<std::uint32_t>(i)); });
  }
}

bool QueryRun::matches(EntityId entity, double& metres) const {
  const TypeId type = entities_.type(entity);
  if (query_.type && type != *query_.type) return false;
  if (query_.readable &&
      (type.index() >= query_.readable->size() || !(*query_.readable)[type.index()])) {
    return false;
  }
  if (!entities_.id(entity).starts_with(query_.id_prefix)) return false;
  const TypeTable& of_type = *table(type);
  const std::uint32_t row = entities_.row(entity);
  for (const AttributeFilter& filter : query_.filters) {
    const AttributeColumn* column = of_type.find_column(filter.attribute);
    if (column == nullptr || !meets(filter, *column, row)) return false;
  }
  return !query_.geo || is_there(of_type, row, metres);
}

bool QueryRun::meets(const AttributeFilter& filter, const AttributeColumn& column,
                     std::uint32_t row) const {
  return AttributeColumn::visit_chunks(column, [&](const auto& chunks) {
    const auto* cell = chunks.find(row);
    if (cell == nullptr || !cell->is_known()) return false;
    if (filter.comparison == Comparison::exists) return true;
    if (filter.comparison == Comparison::contains) {
      return contains_text(cell->value, filter.value);
    }
    return holds(filter.comparison, order_of(cell->value, constant_for(cell->value, filter.value)));
  });
}

bool QueryRun::is_there(const TypeTable& table, std::uint32_t row, double& metres) const {
  std::optional<AttributeId> attribute = query_.geo->attribute;
  if (!attribute) attribute = table.location();
  const AttributeColumn* column = attribute ? table.find_column(*attribute) : nullptr;
  const Cell<GeoPoint>* cell = column == nullptr ? nullptr : column->points.find(row);
  if (cell == nullptr || !cell->is_known()) return false;
  if (const auto* near = std::get_if<NearPoint>(&query_.geo->area)) {
    metres = distance_metres(near->center, cell->value);
    return metres >= near->metres_min && metres <= near->metres_max;
  }
  if (const auto* box = std::get_if<BoundingBox>(&query_.geo->area)) {
    return box->contains(cell->value);
  }
  return area_.front().contains(cell->value);
}

void QueryRun::sort_page(std::vector<Match>& matches) const {
  const auto by_id = [&](const Match& a, const Match& b) {
    const std::weak_ordering order = entities_.id(a.entity) <=> entities_.id(b.entity);
    return order != 0 ? order < 0 : a.entity < b.entity;
  };
  const bool descending = query_.order.descending;
  const std::size_t end = std::min(matches.size(), query_.offset + query_.limit);
  const auto sort = [&](auto&& order_at) {
    std::partial_sort(matches.begin(), matches.begin() + static_cast<std::ptrdiff_t>(end),
                      matches.end(), [&](const Match& a, const Match& b) {
                        const std::weak_ordering order = order_at(a, b);
                        if (order != 0) return descending ? order > 0 : order < 0;
                        return by_id(a, b);
                      });
  };
  switch (query_.order.by) {
    case OrderBy::creation:
      return;
    case OrderBy::id:
      return sort([&](const Match& a, const Match& b) -> std::weak_ordering {
        return entities_.id(a.entity) <=> entities_.id(b.entity);
      });
    case OrderBy::distance:
      return sort([](const Match& a, const Match& b) { return order_of(a.metres, b.metres); });
    case OrderBy::attribute:
      break;
  }
  const TypeTable* of_type = table(*query_.type);
  const AttributeColumn* column =
      of_type == nullptr ? nullptr : of_type->find_column(query_.order.attribute);
  if (column == nullptr)
    return sort([](const Match&, const Match&) { return std::weak_ordering::equivalent; });
  AttributeColumn::visit_chunks(*column, [&](const auto& chunks) {
    sort([&](const Match& a, const Match& b) -> std::weak_ordering {
      const auto* one = chunks.find(entities_.row(a.entity));
      const auto* other = chunks.find(entities_.row(b.entity));
      const bool one_known = one != nullptr && one->is_known();
      const bool other_known = other != nullptr && other->is_known();
      if (one_known && other_known) return order_of(one->value, other->value);
      // Unknown ones are last in either direction, so they change sides with it.
      const std::weak_ordering order = other_known <=> one_known;
      return descending ? 0 <=> order : order;
    });
  });
}

std::vector<QueryRun::Match> QueryRun::run(std::size_t& total) {
  std::vector<Match> found;
  const std::size_t end = query_.offset + query_.limit;
  const bool is_in_order = query_.order.by == OrderBy::creation;
  total = 0;
  visit_candidates([&](EntityId entity) {
    if (is_in_order && !query_.count_total && total >= end) return false;
    double metres = 0;
    if (!matches(entity, metres)) return true;
    if (!is_in_order || total < end) found.push_back({entity, metres});
    ++total;
    return true;
  });
  sort_page(found);
  found.resize(std::min(found.size(), end));
  found.erase(found.begin(),
              found.begin() + static_cast<std::ptrdiff_t>(std::min(found.size(), query_.offset)));
  return found;
}

}  // namespace ficus::twin
