#include "twin/attribute_column.h"

namespace ficus::twin {
namespace {

// What libstdc++ keeps within the string itself.
const std::size_t kInnerCapacity = std::string().capacity();
constexpr std::size_t kShrinkAbove = 256;

std::ptrdiff_t outer_bytes(const std::string& text) {
  return text.capacity() > kInnerCapacity ? static_cast<std::ptrdiff_t>(text.capacity() + 1) : 0;
}

Value to_value(ValueKind kind, double v) {
  return kind == ValueKind::boolean ? Value::boolean(v != 0) : Value::number(v);
}
Value to_value(ValueKind, Timestamp v) { return Value::time(v); }
Value to_value(ValueKind, GeoPoint v) { return Value::point(v); }
Value to_value(ValueKind kind, const std::string& v) { return Value::of_text_kind(kind, v); }

}  // namespace

std::ptrdiff_t assign_text(std::string& cell, std::string_view text) {
  const std::ptrdiff_t before = outer_bytes(cell);
  if (cell.capacity() > kShrinkAbove && text.size() < cell.capacity() / 4) {
    // One large text does not hold its memory for ever; a move would keep it for a short one.
    std::string(text).swap(cell);
  } else {
    cell.assign(text);
  }
  return outer_bytes(cell) - before;
}

bool AttributeColumn::has_value() const {
  return visit_chunks(*this, [](const auto& chunks) { return !chunks.is_empty(); });
}

Timestamp AttributeColumn::observed_at(std::uint32_t row) const {
  return visit_chunks(*this, [&](const auto& chunks) {
    const auto* cell = chunks.find(row);
    return cell == nullptr ? Timestamp::min() : cell->observed_at;
  });
}

Value AttributeColumn::value(std::uint32_t row) const {
  return visit_chunks(*this, [&](const auto& chunks) {
    const auto* cell = chunks.find(row);
    return cell == nullptr || !cell->is_known() ? Value() : to_value(kind, cell->value);
  });
}

std::size_t AttributeColumn::memory_bytes() const {
  return visit_chunks(*this, [](const auto& chunks) { return chunks.memory_bytes(); });
}

}  // namespace ficus::twin
