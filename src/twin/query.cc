#include "twin/query.h"

#include <algorithm>
#include <utility>

#include "twin/value_order.h"

namespace ficus::twin {
namespace {

// A row of one shard's answer, for merging.
struct Place {
  std::size_t answer = 0;
  std::size_t row = 0;
};

}  // namespace

const AttributeView* EntityView::find(AttributeId attribute) const {
  for (const AttributeView& view : attributes) {
    if (view.attribute == attribute) return &view;
  }
  return nullptr;
}

std::weak_ordering order_of(const Value& a, const Value& b) {
  if (a.is_none() || b.is_none()) return a.is_none() <=> b.is_none();
  if (holds_text(a.kind())) return order_of(a.as_text(), b.as_text());
  switch (a.kind()) {
    case ValueKind::boolean:
      return a.as_boolean() <=> b.as_boolean();
    case ValueKind::number:
      return order_of(a.as_number(), b.as_number());
    case ValueKind::time:
      return order_of(a.as_time(), b.as_time());
    case ValueKind::point:
      return order_of(a.as_point(), b.as_point());
    case ValueKind::none:
    case ValueKind::text:
    case ValueKind::geometry:
    case ValueKind::relationship:
    case ValueKind::json:
      break;
  }
  return std::weak_ordering::equivalent;
}

EntityQuery shard_part(EntityQuery query) {
  query.limit += query.offset;
  query.offset = 0;
  return query;
}

QueryAnswer merge_answers(const EntityQuery& query, std::vector<QueryAnswer> answers) {
  std::vector<Place> places;
  for (std::size_t i = 0; i < answers.size(); ++i) {
    for (std::size_t row = 0; row < answers[i].entities.size(); ++row) places.push_back({i, row});
  }
  const auto entity_at = [&](Place p) -> const EntityView& {
    return answers[p.answer].entities[p.row];
  };
  const auto order_at = [&](Place a, Place b) -> std::weak_ordering {
    switch (query.order.by) {
      case OrderBy::creation:
        return std::weak_ordering::equivalent;
      case OrderBy::id:
        return entity_at(a).id <=> entity_at(b).id;
      case OrderBy::distance:
        return order_of(answers[a.answer].metres[a.row], answers[b.answer].metres[b.row]);
      case OrderBy::attribute:
        break;
    }
    const AttributeView* one = entity_at(a).find(query.order.attribute);
    const AttributeView* other = entity_at(b).find(query.order.attribute);
    // Unknown ones are last in either direction, so they change sides with it.
    if (one == nullptr || other == nullptr) {
      const std::weak_ordering order = (one == nullptr) <=> (other == nullptr);
      return query.order.descending ? 0 <=> order : order;
    }
    return order_of(one->value, other->value);
  };
  if (query.order.by != OrderBy::creation) {
    std::sort(places.begin(), places.end(), [&](Place a, Place b) {
      const std::weak_ordering order = order_at(a, b);
      if (order != 0) return query.order.descending ? order > 0 : order < 0;
      if (entity_at(a).id != entity_at(b).id) return entity_at(a).id < entity_at(b).id;
      return a.answer != b.answer ? a.answer < b.answer : a.row < b.row;
    });
  }
  QueryAnswer merged;
  const std::size_t begin = std::min(query.offset, places.size());
  const std::size_t end = begin + std::min(query.limit, places.size() - begin);
  for (std::size_t i = begin; i < end; ++i) {
    QueryAnswer& from = answers[places[i].answer];
    merged.entities.push_back(std::move(from.entities[places[i].row]));
    if (!from.metres.empty()) merged.metres.push_back(from.metres[places[i].row]);
  }
  if (query.count_total) {
    merged.total = 0;
    for (const QueryAnswer& answer : answers) *merged.total += answer.total.value_or(0);
  }
  return merged;
}

}  // namespace ficus::twin
