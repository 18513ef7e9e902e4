#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>

#include "base/time.h"

namespace ficus {

// A position in WGS-84 (EPSG:4326), in degrees; longitude first, as in GeoJSON (RFC 7946).
struct GeoPoint {
  double longitude = 0;  // -180..180
  double latitude = 0;   // -90..90

  friend bool operator==(const GeoPoint&, const GeoPoint&) = default;
};

// What an attribute holds. The numbers are part of the file formats: never renumber.
enum class ValueKind : std::uint8_t {
  none = 0,  // no value (SQL NULL)
  boolean = 1,
  number = 2,  // an IEEE double, as JSON numbers are
  text = 3,
  time = 4,          // NGSI-LD DateTime
  point = 5,         // GeoProperty that is a Point
  geometry = 6,      // GeoProperty of another shape: GeoJSON text
  relationship = 7,  // the id (URI) of another entity
  json = 8,          // structured value (object or array): JSON text
};

const char* value_kind_name(ValueKind kind);  // "number", ...
// True for the kinds whose content is a string: text, geometry, relationship, json.
constexpr bool holds_text(ValueKind kind) {
  return kind == ValueKind::text || kind == ValueKind::geometry ||
         kind == ValueKind::relationship || kind == ValueKind::json;
}

// One attribute value. For queries, answers and constants; rows on the hot path stay in columns
// (observation_batch.h).
class Value {
 public:
  Value() = default;
  static Value boolean(bool v) { return {ValueKind::boolean, v}; }
  static Value number(double v) { return {ValueKind::number, v}; }
  static Value time(Timestamp v) { return {ValueKind::time, v}; }
  static Value point(GeoPoint v) { return {ValueKind::point, v}; }
  static Value text(std::string v) { return {ValueKind::text, std::move(v)}; }
  // REQUIRES: holds_text(kind)
  static Value of_text_kind(ValueKind kind, std::string v) { return {kind, std::move(v)}; }

  ValueKind kind() const { return kind_; }
  bool is_none() const { return kind_ == ValueKind::none; }
  // REQUIRES of each: the kind fits.
  bool as_boolean() const { return std::get<bool>(content_); }
  double as_number() const { return std::get<double>(content_); }
  Timestamp as_time() const { return std::get<Timestamp>(content_); }
  GeoPoint as_point() const { return std::get<GeoPoint>(content_); }
  const std::string& as_text() const { return std::get<std::string>(content_); }

  friend bool operator==(const Value&, const Value&) = default;

 private:
  using Content = std::variant<std::monostate, bool, double, Timestamp, GeoPoint, std::string>;
  Value(ValueKind kind, Content content) : kind_(kind), content_(std::move(content)) {}

  ValueKind kind_ = ValueKind::none;
  Content content_;
};

}  // namespace ficus
