#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "base/large_pages.h"
#include "model/geometry.h"

namespace ficus::twin {

// Which rows of a type's table are where: a grid of 1/128 degree (870 m of latitude) over the
// world, of which only cells with a row in them exist. A move within a cell, the usual one, costs
// nothing; another one is two short list operations.
class LocationGrid {
 public:
  LocationGrid();

  // REQUIRES: the row is not in the grid.
  void insert(std::uint32_t row, GeoPoint at);
  // REQUIRES: the row is in the grid, at `from`.
  void move(std::uint32_t row, GeoPoint from, GeoPoint to);
  // Appends every row whose point may lie in the box: those of all cells that touch it.
  void collect(const BoundingBox& box, std::vector<std::uint32_t>& rows) const;

  std::size_t cell_count() const { return cell_count_; }  // with a row in them
  std::size_t memory_bytes() const;

 private:
  static constexpr std::uint32_t kNoCell = 0xffffffffU;
  using Key = std::uint32_t;  // column << 15 | row, of the cell
  struct Slot {
    Key key = 0;
    std::uint32_t cell = kNoCell;
  };

  static std::uint32_t column_of(double longitude);
  static std::uint32_t row_of(double latitude);
  static Key key_of(GeoPoint at) { return column_of(at.longitude) << 15 | row_of(at.latitude); }
  std::size_t home(Key key) const { return (key * std::uint32_t{0x9e3779b1U}) >> shift_; }
  std::size_t slot_of(Key key) const;  // where the key is, or the empty slot where it would be
  void add(std::uint32_t row, Key key);
  void remove(std::uint32_t row, Key key);
  void erase_slot(std::size_t slot);
  void grow();

  LargeVector<Slot> slots_;  // a power of two; linear probing
  int shift_ = 0;            // 32 - log2(slots)
  std::size_t cell_count_ = 0;
  std::vector<std::vector<std::uint32_t>> cells_;  // rows
  std::vector<std::uint32_t> free_cells_;
  LargeVector<std::uint32_t> places_;  // of each row: its place in its cell
};

}  // namespace ficus::twin
