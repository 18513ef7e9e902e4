#include "api/entity_query.h"

#include <fmt/format.h>

#include <array>
#include <charconv>

#include "base/time_text.h"
#include "codec/json/geometry_json.h"

namespace ficus::api {
namespace {

constexpr std::size_t kLimitDefault = 100;
constexpr std::size_t kLimitMax = 10'000;
constexpr std::size_t kOffsetMax = 10'000'000;

std::vector<std::string_view> split(std::string_view text, char separator) {
  std::vector<std::string_view> parts;
  while (true) {
    const std::size_t at = text.find(separator);
    parts.push_back(text.substr(0, at));
    if (at == std::string_view::npos) return parts;
    text.remove_prefix(at + 1);
  }
}

std::optional<double> parse_number(std::string_view text) {
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

struct Operator {
  std::string_view text;
  twin::Comparison comparison;
};
// Longer ones first, so that ">=" is not read as ">".
constexpr std::array<Operator, 7> kOperators{{{"==", twin::Comparison::eq},
                                              {"!=", twin::Comparison::ne},
                                              {"<=", twin::Comparison::le},
                                              {">=", twin::Comparison::ge},
                                              {"~=", twin::Comparison::contains},
                                              {"<", twin::Comparison::lt},
                                              {">", twin::Comparison::gt}}};

std::string_view unquoted(std::string_view text) {
  if (text.size() >= 2 && text.front() == '"' && text.back() == '"') {
    return text.substr(1, text.size() - 2);
  }
  return text;
}

Result<Value> parse_value(std::string_view text, ValueKind kind, std::string_view term) {
  const auto expected = [&](std::string_view what) {
    return invalid(fmt::format("q: '{}': expected {}, found '{}'", term, what, text));
  };
  switch (kind) {
    case ValueKind::boolean:
      if (text == "true") return Value::boolean(true);
      if (text == "false") return Value::boolean(false);
      return expected("true or false");
    case ValueKind::number:
      if (const auto number = parse_number(text)) return Value::number(*number);
      return expected("a number");
    case ValueKind::time:
      if (const auto time = parse_iso8601(unquoted(text))) return Value::time(*time);
      return expected("an ISO 8601 time");
    case ValueKind::text:
    case ValueKind::geometry:
    case ValueKind::relationship:
    case ValueKind::json:
      return Value::of_text_kind(kind, std::string(unquoted(text)));
    case ValueKind::point:
    case ValueKind::none:
      break;
  }
  return expected("an attribute that can be compared (use georel for positions)");
}

Result<AttributeId> find_attribute(const Schema& schema, TypeId type, std::string_view name,
                                   std::string_view parameter) {
  const auto attribute = schema.find_attribute(type, name);
  if (attribute) return *attribute;
  return invalid(
      fmt::format("{}: {} has no attribute '{}'", parameter, schema.type_name(type), name));
}

Result<twin::AttributeFilter> parse_term(std::string_view term, const Schema& schema, TypeId type) {
  std::size_t at = std::string_view::npos;
  const Operator* found = nullptr;
  for (const Operator& op : kOperators) {
    const std::size_t place = term.find(op.text);
    if (place < at) {
      at = place;
      found = &op;
    }
  }
  twin::AttributeFilter filter;
  FICUS_TRY(filter.attribute, find_attribute(schema, type, term.substr(0, at), "q"));
  if (found == nullptr) return filter;  // the bare name: the attribute is known
  filter.comparison = found->comparison;
  FICUS_TRY(filter.value, parse_value(term.substr(at + found->text.size()),
                                      schema.attribute_kind(type, filter.attribute), term));
  return filter;
}

Result<BoundingBox> parse_box(std::string_view text) {
  const std::vector<std::string_view> parts = split(text, ',');
  std::array<double, 4> numbers{};
  bool ok = parts.size() == 4;
  for (std::size_t i = 0; ok && i < 4; ++i) {
    const auto number = parse_number(parts[i]);
    ok = number.has_value();
    if (ok) numbers[i] = *number;
  }
  if (!ok) return invalid(fmt::format("bbox: expected west,south,east,north, found '{}'", text));
  const BoundingBox box{numbers[0], numbers[1], numbers[2], numbers[3]};
  if (auto checked = check_box(box); !checked) return in_context("bbox: ", checked.error());
  return box;
}

Result<twin::NearPoint> parse_near(std::string_view georel, GeoPoint center) {
  twin::NearPoint near{.center = center};
  const std::vector<std::string_view> parts = split(georel, ';');
  for (std::size_t i = 1; i < parts.size(); ++i) {
    const std::size_t at = parts[i].find("==");
    const std::string_view name = parts[i].substr(0, at);
    const auto metres =
        at == std::string_view::npos ? std::nullopt : parse_number(parts[i].substr(at + 2));
    if (!metres || *metres < 0 || (name != "maxDistance" && name != "minDistance")) {
      return invalid(fmt::format(
          "georel: expected maxDistance==METRES or minDistance==METRES, found '{}'", parts[i]));
    }
    (name == "maxDistance" ? near.metres_max : near.metres_min) = *metres;
  }
  return near;
}

Result<twin::GeoFilter> parse_georel(std::string_view georel, const net::HttpTarget& target) {
  const std::string_view geometry = target.parameter("geometry").value_or("Point");
  const std::string_view coordinates = target.parameter("coordinates").value_or("");
  const std::string shape =
      fmt::format(R"({{"type":"{}","coordinates":{}}})", geometry, coordinates);
  twin::GeoFilter filter;
  if (georel.starts_with("near")) {
    auto center = json::parse_point(shape);
    if (!center) return in_context("georel near: geometry and coordinates: ", center.error());
    FICUS_TRY(filter.area, parse_near(georel, *center));
    return filter;
  }
  if (georel == "within" || georel == "intersects") {
    auto area = json::parse_area(shape);
    if (!area) return in_context("geometry and coordinates: ", area.error());
    filter.area = *std::move(area);
    return filter;
  }
  return invalid(fmt::format("georel: expected near, within or intersects, found '{}'", georel));
}

Status parse_order(std::string_view text, const Schema& schema, twin::EntityQuery& query) {
  if (text.starts_with('-')) {
    query.order.descending = true;
    text.remove_prefix(1);
  }
  if (text == "id") {
    query.order.by = twin::OrderBy::id;
  } else if (text == "distance") {
    query.order.by = twin::OrderBy::distance;
  } else {
    if (!query.type) return invalid("orderBy: ordering by an attribute needs type");
    query.order.by = twin::OrderBy::attribute;
    FICUS_TRY(query.order.attribute, find_attribute(schema, *query.type, text, "orderBy"));
  }
  return {};
}

Status parse_filters(const net::HttpTarget& target, const Schema& schema,
                     twin::EntityQuery& query) {
  if (const auto q = target.parameter("q"); q && !q->empty()) {
    if (!query.type) return invalid("q: filtering by attributes needs type");
    for (const std::string_view term : split(*q, ';')) {
      FICUS_TRY(twin::AttributeFilter filter, parse_term(term, schema, *query.type));
      query.filters.push_back(std::move(filter));
    }
  }
  if (const auto georel = target.parameter("georel")) {
    FICUS_TRY(query.geo, parse_georel(*georel, target));
  } else if (const auto bbox = target.parameter("bbox")) {
    FICUS_TRY(const BoundingBox box, parse_box(*bbox));
    query.geo = twin::GeoFilter{.area = box, .attribute = {}};
  }
  return {};
}

}  // namespace

bool has_option(const net::HttpTarget& target, std::string_view option) {
  for (const std::string_view given : split(target.parameter("options").value_or(""), ',')) {
    if (given == option) return true;
  }
  return false;
}

Result<std::size_t> size_parameter(const net::HttpTarget& target, std::string_view name,
                                   std::size_t otherwise, std::size_t most) {
  const auto text = target.parameter(name);
  if (!text) return otherwise;
  std::size_t value = 0;
  const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), value);
  if (error != std::errc() || end != text->data() + text->size() || value > most) {
    return invalid(
        fmt::format("{}: expected a whole number from 0 to {}, found '{}'", name, most, *text));
  }
  return value;
}

Result<twin::EntityQuery> parse_entity_query(const net::HttpTarget& target, const Schema& schema) {
  twin::EntityQuery query;
  if (const auto type = target.parameter("type"); type && !type->empty()) {
    query.type = schema.find_type(*type);
    if (!query.type)
      return fail(ErrorCode::not_found, fmt::format("type: there is no '{}'", *type));
  }
  if (const auto ids = target.parameter("id"); ids && !ids->empty()) {
    for (const std::string_view id : split(*ids, ',')) query.ids.emplace_back(id);
  }
  query.id_prefix = target.parameter("idPrefix").value_or("");
  FICUS_TRY_VOID(parse_filters(target, schema, query));
  if (const auto order = target.parameter("orderBy"); order && !order->empty()) {
    FICUS_TRY_VOID(parse_order(*order, schema, query));
  }
  FICUS_TRY(query.limit, size_parameter(target, "limit", kLimitDefault, kLimitMax));
  FICUS_TRY(query.offset, size_parameter(target, "offset", 0, kOffsetMax));
  query.count_total = has_option(target, "count");
  return query;
}

}  // namespace ficus::api
