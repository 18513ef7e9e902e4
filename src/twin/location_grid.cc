#include "twin/location_grid.h"

#include <bit>

#include "base/check.h"

namespace ficus::twin {
namespace {

constexpr double kCellsPerDegree = 128;
constexpr std::uint32_t kColumns = 360 * 128;
constexpr std::uint32_t kRows = 180 * 128;
constexpr std::size_t kSlotsMin = 64;

// Whatever the number is (NaN too), some cell; monotonic.
std::uint32_t clamp_cell(double position, std::uint32_t count) {
  if (!(position > 0)) return 0;
  if (position >= count) return count - 1;
  return static_cast<std::uint32_t>(position);
}

}  // namespace

LocationGrid::LocationGrid() : slots_(kSlotsMin), shift_(32 - std::countr_zero(kSlotsMin)) {}

std::uint32_t LocationGrid::column_of(double longitude) {
  return clamp_cell((longitude + 180) * kCellsPerDegree, kColumns);
}

std::uint32_t LocationGrid::row_of(double latitude) {
  return clamp_cell((latitude + 90) * kCellsPerDegree, kRows);
}

std::size_t LocationGrid::slot_of(Key key) const {
  std::size_t slot = home(key);
  while (slots_[slot].cell != kNoCell && slots_[slot].key != key) {
    slot = (slot + 1) & (slots_.size() - 1);
  }
  return slot;
}

void LocationGrid::insert(std::uint32_t row, GeoPoint at) { add(row, key_of(at)); }

void LocationGrid::move(std::uint32_t row, GeoPoint from, GeoPoint to) {
  const Key old_key = key_of(from);
  const Key new_key = key_of(to);
  if (old_key == new_key) return;
  remove(row, old_key);
  add(row, new_key);
}

void LocationGrid::add(std::uint32_t row, Key key) {
  std::size_t slot = slot_of(key);
  if (slots_[slot].cell == kNoCell) {
    if ((cell_count_ + 1) * 2 > slots_.size()) {
      grow();
      slot = slot_of(key);
    }
    if (free_cells_.empty()) {
      free_cells_.push_back(static_cast<std::uint32_t>(cells_.size()));
      cells_.emplace_back();
    }
    slots_[slot] = {key, free_cells_.back()};
    free_cells_.pop_back();
    ++cell_count_;
  }
  std::vector<std::uint32_t>& rows = cells_[slots_[slot].cell];
  if (row >= places_.size()) places_.resize(row + 1);
  places_[row] = static_cast<std::uint32_t>(rows.size());
  rows.push_back(row);
}

void LocationGrid::remove(std::uint32_t row, Key key) {
  const std::size_t slot = slot_of(key);
  FICUS_CHECK(slots_[slot].cell != kNoCell);
  std::vector<std::uint32_t>& rows = cells_[slots_[slot].cell];
  const std::uint32_t place = places_[row];
  FICUS_CHECK(place < rows.size() && rows[place] == row);
  rows[place] = rows.back();
  places_[rows[place]] = place;
  rows.pop_back();
  if (rows.empty()) erase_slot(slot);
}

// Closes the gap, so that no probe ends too early (Knuth, The Art of Computer Programming, vol. 3,
// 6.4, algorithm R).
void LocationGrid::erase_slot(std::size_t slot) {
  free_cells_.push_back(slots_[slot].cell);  // its list keeps its memory
  --cell_count_;
  const std::size_t mask = slots_.size() - 1;
  std::size_t gap = slot;
  for (std::size_t next = (gap + 1) & mask; slots_[next].cell != kNoCell;
       next = (next + 1) & mask) {
    // Moves back unless its home lies within (gap, next].
    if (((next - home(slots_[next].key)) & mask) >= ((next - gap) & mask)) {
      slots_[gap] = slots_[next];
      gap = next;
    }
  }
  slots_[gap] = {};
}

void LocationGrid::grow() {
  const LargeVector<Slot> old = std::move(slots_);
  slots_.assign(old.size() * 2, {});
  --shift_;
  for (const Slot& slot : old) {
    if (slot.cell != kNoCell) slots_[slot_of(slot.key)] = slot;
  }
}

void LocationGrid::collect(const BoundingBox& box, std::vector<std::uint32_t>& rows) const {
  const std::uint32_t west = column_of(box.west);
  const std::uint32_t east = column_of(box.east);
  const std::uint32_t south = row_of(box.south);
  const std::uint32_t north = row_of(box.north);
  const auto take = [&](std::uint32_t cell) {
    rows.insert(rows.end(), cells_[cell].begin(), cells_[cell].end());
  };
  if (std::size_t{east - west + 1} * (north - south + 1) <= slots_.size()) {
    for (std::uint32_t column = west; column <= east; ++column) {
      for (std::uint32_t row = south; row <= north; ++row) {
        const Slot& slot = slots_[slot_of(column << 15 | row)];
        if (slot.cell != kNoCell) take(slot.cell);
      }
    }
    return;
  }
  // The box has more cells than exist: go through those that exist.
  for (const Slot& slot : slots_) {
    if (slot.cell == kNoCell) continue;
    const std::uint32_t column = slot.key >> 15;
    const std::uint32_t row = slot.key & 0x7fff;
    if (column >= west && column <= east && row >= south && row <= north) take(slot.cell);
  }
}

std::size_t LocationGrid::memory_bytes() const {
  std::size_t bytes = slots_.capacity() * sizeof(Slot) +
                      cells_.capacity() * sizeof(std::vector<std::uint32_t>) +
                      (free_cells_.capacity() + places_.capacity()) * sizeof(std::uint32_t);
  for (const auto& cell : cells_) bytes += cell.capacity() * sizeof(std::uint32_t);
  return bytes;
}

}  // namespace ficus::twin
