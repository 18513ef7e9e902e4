#include "history/flat_buffer.h"

#include <algorithm>
#include <bit>

#include "base/check.h"

namespace ficus::history {

static_assert(std::endian::native == std::endian::little);

void FlatWriter::align(std::size_t to) { bytes_.resize((bytes_.size() + to - 1) / to * to, '\0'); }

// References are unsigned and relative to their own place.
void FlatWriter::point(Reference from) {
  FICUS_CHECK(from < bytes_.size() && bytes_.size() - from <= UINT32_MAX);
  const auto distance = static_cast<std::uint32_t>(bytes_.size() - from);
  std::memcpy(bytes_.data() + from, &distance, sizeof distance);
}

// A table is a signed offset to its vtable, then the fields; the vtable holds its own size, the
// table's, and where each field lies (0: absent). Ours stands directly before its table. Every
// field gets eight bytes: simple, and these tables are small.
std::vector<FlatWriter::Reference> FlatWriter::table(Reference from, const FlatTable& table) {
  int field_count = 0;
  for (const FlatTable::Slot& slot : table.slots_) {
    field_count = std::max(field_count, slot.field + 1);
  }
  constexpr std::size_t kCell = 8;
  const std::size_t table_size = kCell * (table.slots_.size() + 1);
  std::vector<std::uint16_t> vtable(static_cast<std::size_t>(field_count) + 2, 0);
  vtable[0] = static_cast<std::uint16_t>(vtable.size() * sizeof(std::uint16_t));
  vtable[1] = static_cast<std::uint16_t>(table_size);
  for (std::size_t i = 0; i < table.slots_.size(); ++i) {
    vtable[static_cast<std::size_t>(table.slots_[i].field) + 2] =
        static_cast<std::uint16_t>(kCell * (i + 1));
  }
  align(sizeof(std::uint16_t));
  const std::size_t vtable_at = bytes_.size();
  put(vtable.data(), vtable[0]);
  align(kCell);
  point(from);
  const std::size_t begin = bytes_.size();
  put(static_cast<std::int32_t>(begin - vtable_at));
  align(kCell);
  std::vector<Reference> out;
  for (const FlatTable::Slot& slot : table.slots_) {
    if (slot.is_reference) out.push_back(bytes_.size());
    put(slot.bytes, kCell);
  }
  return out;
}

void FlatWriter::text(Reference from, std::string_view text) {
  align(sizeof(std::uint32_t));
  point(from);
  put(static_cast<std::uint32_t>(text.size()));
  put(text.data(), text.size());
  put('\0');
}

std::vector<FlatWriter::Reference> FlatWriter::references(Reference from, std::size_t count) {
  align(sizeof(std::uint32_t));
  point(from);
  put(static_cast<std::uint32_t>(count));
  std::vector<Reference> out;
  out.reserve(count);
  for (std::size_t i = 0; i < count; ++i) {
    out.push_back(bytes_.size());
    put(std::uint32_t{0});
  }
  return out;
}

void FlatWriter::vector(Reference from, const void* bytes, std::size_t count, std::size_t size) {
  // The elements, which follow the count, are aligned.
  align(8);
  put(std::uint32_t{0});
  point(from);
  put(static_cast<std::uint32_t>(count));
  put(bytes, count * size);
}

}  // namespace ficus::history
