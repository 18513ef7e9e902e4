#include "codec/csv/csv_json.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <string_view>
#include <system_error>

#include "codec/json/json_writer.h"

namespace ficus::csv {
namespace {

constexpr std::size_t kDigitsMax = 15;  // a double holds every integer of so many digits

bool is_digit(char c) { return c >= '0' && c <= '9'; }

// RFC 8259, 6: no leading zero, no plus, digits on both sides of the point.
bool is_json_number(std::string_view cell) {
  std::size_t at = cell.starts_with('-') ? 1 : 0;
  const auto digits = [&] {
    const std::size_t begin = at;
    while (at < cell.size() && is_digit(cell[at])) ++at;
    return at - begin;
  };
  const std::size_t first = at;
  const std::size_t whole = digits();
  if (whole == 0 || whole > kDigitsMax || (whole > 1 && cell[first] == '0')) return false;
  if (at < cell.size() && cell[at] == '.') {
    ++at;
    if (digits() == 0) return false;
  }
  if (at < cell.size() && (cell[at] == 'e' || cell[at] == 'E')) {
    ++at;
    if (at < cell.size() && (cell[at] == '+' || cell[at] == '-')) ++at;
    if (digits() == 0) return false;
  }
  if (at != cell.size()) return false;
  double value = 0;
  const auto [end, fault] = std::from_chars(cell.data(), cell.data() + cell.size(), value);
  return fault == std::errc() && std::isfinite(value);
}

}  // namespace

void append_json(std::span<const std::string> columns, std::span<const std::string> cells,
                 std::string& out) {
  json::JsonWriter json(out);
  json.begin_object();
  const std::size_t count = std::min(columns.size(), cells.size());
  for (std::size_t i = 0; i < count; ++i) {
    json.key(columns[i]);
    if (cells[i].empty()) {
      json.null();
    } else if (is_json_number(cells[i])) {
      json.raw(cells[i]);
    } else {
      json.text(cells[i]);
    }
  }
  json.end_object();
}

}  // namespace ficus::csv
