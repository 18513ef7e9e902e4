#pragma once

#include <compare>
#include <string_view>

#include "base/time.h"
#include "model/value.h"
#include "twin/query.h"

// How values compare, the same for filters and for ordering.
namespace ficus::twin {

// A total order: NaN equals itself and is above all numbers, as in DuckDB.
constexpr std::weak_ordering order_of(double a, double b) {
  if (a < b) return std::weak_ordering::less;
  if (a > b) return std::weak_ordering::greater;
  return (a != a) <=> (b != b);
}
constexpr std::weak_ordering order_of(Timestamp a, Timestamp b) { return a <=> b; }
inline std::weak_ordering order_of(std::string_view a, std::string_view b) { return a <=> b; }
// Points are equal or not; the order among different ones only has to be one.
constexpr std::weak_ordering order_of(GeoPoint a, GeoPoint b) {
  const std::weak_ordering by_longitude = order_of(a.longitude, b.longitude);
  return by_longitude != 0 ? by_longitude : order_of(a.latitude, b.latitude);
}
// REQUIRES: the same kind, or both kinds of text; none is above everything.
std::weak_ordering order_of(const Value& a, const Value& b);

// REQUIRES: not exists, not contains.
constexpr bool holds(Comparison comparison, std::weak_ordering order) {
  switch (comparison) {
    case Comparison::eq:
      return order == 0;
    case Comparison::ne:
      return order != 0;
    case Comparison::lt:
      return order < 0;
    case Comparison::le:
      return order <= 0;
    case Comparison::gt:
      return order > 0;
    case Comparison::ge:
      return order >= 0;
    case Comparison::exists:
    case Comparison::contains:
      return false;
  }
  return false;
}

}  // namespace ficus::twin
