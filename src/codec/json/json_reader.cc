#include "codec/json/json_reader.h"

#include <fmt/format.h>
#include <simdjson.h>

#include <algorithm>
#include <bit>
#include <cstring>
#include <type_traits>
#include <utility>
#include <vector>

#include "base/check.h"
#include "codec/json/json_check.h"

namespace ficus::json {

namespace dom = simdjson::dom;

// simdjson's own handles are two words, the document and a place on its tape; ours carry the same
// two words so that no header of ours needs simdjson's.
struct JsonAccess {
  static dom::element element(JsonValue value) { return std::bit_cast<dom::element>(value); }
  static JsonValue value(dom::element element) { return std::bit_cast<JsonValue>(element); }
};
static_assert(sizeof(JsonValue) == sizeof(dom::element));
static_assert(std::is_trivially_copyable_v<JsonValue> &&
              std::is_trivially_copyable_v<dom::element>);

namespace {

struct Place {
  const void* document;
  std::size_t index;
};
static_assert(sizeof(Place) == sizeof(dom::array::iterator) &&
              sizeof(Place) == sizeof(dom::object::iterator));

}  // namespace

const char* json_kind_name(JsonKind kind) {
  switch (kind) {
    case JsonKind::missing:
      return "nothing";
    case JsonKind::null:
      return "null";
    case JsonKind::boolean:
      return "a boolean";
    case JsonKind::number:
      return "a number";
    case JsonKind::text:
      return "a text";
    case JsonKind::array:
      return "an array";
    case JsonKind::object:
      return "an object";
  }
  std::unreachable();
}

JsonKind JsonValue::kind() const {
  if (is_missing()) return JsonKind::missing;
  switch (JsonAccess::element(*this).type()) {
    case dom::element_type::ARRAY:
      return JsonKind::array;
    case dom::element_type::OBJECT:
      return JsonKind::object;
    case dom::element_type::INT64:
    case dom::element_type::UINT64:
    case dom::element_type::DOUBLE:
      return JsonKind::number;
    case dom::element_type::STRING:
      return JsonKind::text;
    case dom::element_type::BOOL:
      return JsonKind::boolean;
    case dom::element_type::NULL_VALUE:
      return JsonKind::null;
  }
  std::unreachable();
}

bool JsonValue::as_boolean() const {
  bool value = false;
  FICUS_CHECK(JsonAccess::element(*this).get_bool().get(value) == simdjson::SUCCESS);
  return value;
}

double JsonValue::as_number() const {
  double value = 0;
  FICUS_CHECK(JsonAccess::element(*this).get_double().get(value) == simdjson::SUCCESS);
  return value;
}

std::string_view JsonValue::as_text() const {
  std::string_view value;
  FICUS_CHECK(JsonAccess::element(*this).get_string().get(value) == simdjson::SUCCESS);
  return value;
}

std::optional<std::int64_t> JsonValue::as_integer() const {
  if (is_missing()) return std::nullopt;
  std::int64_t value = 0;
  if (JsonAccess::element(*this).get_int64().get(value) != simdjson::SUCCESS) return std::nullopt;
  return value;
}

JsonValue JsonValue::member(std::string_view key) const {
  if (is_missing()) return {};
  dom::object object;
  if (JsonAccess::element(*this).get_object().get(object) != simdjson::SUCCESS) return {};
  for (dom::object::iterator it = object.begin(), end = object.end(); it != end; ++it) {
    if (it.key_equals(key)) return JsonAccess::value(it.value());
  }
  return {};
}

JsonValue JsonValue::element(std::size_t index) const {
  if (is_missing()) return {};
  dom::array array;
  if (JsonAccess::element(*this).get_array().get(array) != simdjson::SUCCESS) return {};
  dom::element found;
  if (array.at(index).get(found) != simdjson::SUCCESS) return {};
  return JsonAccess::value(found);
}

void JsonValue::append_json(std::string& out) const {
  if (is_missing()) return;
  out += simdjson::minify(JsonAccess::element(*this));
}

JsonItems::JsonItems(JsonValue container) {
  if (container.is_missing()) return;
  const dom::element element = JsonAccess::element(container);
  dom::array array;
  dom::object object;
  Place begin{};
  Place end{};
  if (element.get_array().get(array) == simdjson::SUCCESS) {
    begin = std::bit_cast<Place>(array.begin());
    end = std::bit_cast<Place>(array.end());
  } else if (element.get_object().get(object) == simdjson::SUCCESS) {
    is_object_ = true;
    begin = std::bit_cast<Place>(object.begin());
    end = std::bit_cast<Place>(object.end());
  }
  document_ = begin.document;
  place_ = begin.index;
  end_ = end.index;
}

bool JsonItems::next() {
  if (place_ == end_) return false;
  const Place place{document_, place_};
  if (is_object_) {
    auto it = std::bit_cast<dom::object::iterator>(place);
    key_ = it.key();
    value_ = JsonAccess::value(it.value());
    ++it;
    place_ = std::bit_cast<Place>(it).index;
  } else {
    auto it = std::bit_cast<dom::array::iterator>(place);
    value_ = JsonAccess::value(*it);
    ++it;
    place_ = std::bit_cast<Place>(it).index;
  }
  return true;
}

struct JsonDocument::Parser {
  dom::parser dom;
  std::vector<char> padded;
  std::size_t capacity = 0;

  // Grows in powers of two, so that a series of ever longer texts does not allocate each time.
  bool make_room(std::size_t bytes, std::size_t depth_max) {
    if (capacity != 0 && bytes <= capacity) return true;
    const std::size_t wanted = std::bit_ceil(std::max<std::size_t>(bytes, 4096));
    if (dom.allocate(wanted, depth_max) != simdjson::SUCCESS ||
        dom.doc.allocate(wanted) != simdjson::SUCCESS) {
      return false;
    }
    padded.resize(wanted + simdjson::SIMDJSON_PADDING);
    capacity = wanted;
    return true;
  }
};

JsonDocument::JsonDocument(JsonLimits limits)
    : limits_(limits), parser_(std::make_unique<Parser>()) {}

JsonDocument::~JsonDocument() = default;

Result<JsonValue> JsonDocument::parse(std::string_view text) {
  if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);
  if (text.size() > limits_.bytes_max) {
    return invalid(fmt::format("not taken as JSON: {} bytes, at most {} are allowed", text.size(),
                               limits_.bytes_max));
  }
  if (!parser_->make_room(text.size(), limits_.depth_max)) {
    return fail(ErrorCode::overloaded, "no memory to parse JSON");
  }
  std::memcpy(parser_->padded.data(), text.data(), text.size());
  std::memset(parser_->padded.data() + text.size(), 0, simdjson::SIMDJSON_PADDING);
  dom::element root;
  const simdjson::error_code error =
      parser_->dom.parse(parser_->padded.data(), text.size(), false).get(root);
  if (error == simdjson::SUCCESS) return JsonAccess::value(root);
  // simdjson does not say where; our slow checker does.
  if (const auto mistake = find_json_mistake(text, limits_.depth_max)) {
    return invalid(fmt::format("not JSON: byte {}: {}", mistake->offset, mistake->message));
  }
  return invalid(fmt::format("not JSON: {}", simdjson::error_message(error)));
}

}  // namespace ficus::json
