// Arbitrary bytes as JSON: the parser and our slow checker must agree on what is JSON; every value
// of what is can be reached, and written again it parses to the same.

#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "codec/json/json_check.h"
#include "codec/json/json_path.h"
#include "codec/json/json_reader.h"
#include "codec/json/ndjson.h"

namespace {

using ficus::json::JsonItems;
using ficus::json::JsonKind;
using ficus::json::JsonValue;

constexpr std::size_t kDepth = 64;

void require(bool condition) {
  if (!condition) std::abort();
}

void visit(JsonValue value) {
  switch (value.kind()) {
    case JsonKind::boolean:
      value.as_boolean();
      break;
    case JsonKind::number:
      value.as_number();
      value.as_integer();
      break;
    case JsonKind::text:
      require(value.as_text().size() < SIZE_MAX);
      break;
    case JsonKind::array:
    case JsonKind::object:
      for (JsonItems items(value); items.next();) visit(items.value());
      break;
    case JsonKind::missing:
    case JsonKind::null:
      break;
  }
}

void split(std::string_view text) {
  ficus::json::NdjsonSplitter splitter(64);
  const std::size_t middle = text.size() / 2;
  for (const std::string_view part : {text.substr(0, middle), text.substr(middle)}) {
    splitter.feed(part);
    while (const auto line = splitter.next()) require(line->text.size() <= 64);
  }
  if (const auto line = splitter.finish()) require(line->text.size() <= 64);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  static ficus::json::JsonDocument document({.depth_max = kDepth});
  static ficus::json::JsonDocument second({.depth_max = kDepth});
  const auto root = document.parse(text);
  const bool has_mark = text.starts_with("\xEF\xBB\xBF");
  const auto mistake = ficus::json::find_json_mistake(has_mark ? text.substr(3) : text, kDepth);
  require(root.has_value() != mistake.has_value());
  if (mistake) require(mistake->offset <= size);
  if (root) {
    visit(*root);
    std::string written;
    root->append_json(written);
    require(second.parse(written).has_value());
  }
  if (const auto path = ficus::json::JsonPath::compile(text); path && root && !path->fans_out()) {
    path->find(*root);
  }
  split(text);
  return 0;
}
