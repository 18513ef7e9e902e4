#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "base/time.h"
#include "model/geometry.h"
#include "model/ids.h"
#include "model/value.h"

// What one can ask the twin, and what it answers. Plain values, made at the edge, copied to shards.
namespace ficus::twin {

struct AttributeView {
  AttributeId attribute;
  Value value;
  Timestamp observed_at;

  friend bool operator==(const AttributeView&, const AttributeView&) = default;
};

// A copy of what is known of one entity.
struct EntityView {
  std::string id;
  TypeId type;
  std::vector<AttributeView> attributes;  // those known, by AttributeId

  const AttributeView* find(AttributeId attribute) const;  // null if not known
  friend bool operator==(const EntityView&, const EntityView&) = default;
};

enum class Comparison : std::uint8_t {
  eq,
  ne,
  lt,
  le,
  gt,
  ge,
  exists,    // the attribute is known; the value is ignored
  contains,  // its text contains the text
};

// An attribute that is not known meets no filter, not even `ne` (as NULL in SQL). Numbers,
// booleans, times and texts (by byte) are ordered; points know eq and ne only.
struct AttributeFilter {
  AttributeId attribute;
  Comparison comparison = Comparison::exists;
  Value value;  // of the attribute's kind; any text kind goes with any other
};

struct NearPoint {
  GeoPoint center;
  double metres_min = 0;
  double metres_max = std::numeric_limits<double>::infinity();
};

// Entities whose point is near, or in the area or box (edges are inside). For points, "within" and
// "intersects" of NGSI-LD are the same.
struct GeoFilter {
  std::variant<NearPoint, MultiPolygon, BoundingBox> area;
  std::optional<AttributeId> attribute;  // a point; default: `location`, the one that is indexed
};

enum class OrderBy : std::uint8_t {
  creation,   // of the entity in its shard; costs nothing
  id,         // by byte
  attribute,  // entities without it come last, in either direction
  distance,   // needs a NearPoint
};

struct Order {
  OrderBy by = OrderBy::creation;
  AttributeId attribute;  // for OrderBy::attribute
  bool descending = false;
};

// All conditions must hold. Equal places in the order are settled by id (creation by EntityId), so
// that pages fit together as long as nothing changes.
struct EntityQuery {
  std::optional<TypeId> type;    // needed by filters, by geo.attribute and by order.attribute
  std::vector<std::string> ids;  // empty: any
  std::string id_prefix;
  std::vector<AttributeFilter> filters;
  std::optional<GeoFilter> geo;
  Order order;
  std::size_t limit = 20;
  std::size_t offset = 0;
  bool count_total = false;  // costs a look at every candidate
  // Which types there are for whoever asks, by TypeId; further ones are not. None: all are.
  std::optional<std::vector<bool>> readable;
};

struct QueryAnswer {
  std::vector<EntityView> entities;
  std::vector<double> metres;        // with a NearPoint: the distance of each entity
  std::optional<std::size_t> total;  // with count_total: all matches, whatever limit and offset
};

// To page over several shards: ask each for `shard_part(query)`, then merge their answers (in the
// order of the shards) with the query itself.
EntityQuery shard_part(EntityQuery query);
QueryAnswer merge_answers(const EntityQuery& query, std::vector<QueryAnswer> answers);

}  // namespace ficus::twin
