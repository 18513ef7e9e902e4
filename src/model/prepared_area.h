#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "model/geometry.h"

namespace ficus {

// A box cut into equal cells. The cell of a point is a monotonic function of its coordinates, which
// is what keeps conservative marking exact: whatever lies between two points lies between their
// cells.
class CellGrid {
 public:
  CellGrid() = default;
  // REQUIRES: columns, rows >= 1, box.west <= box.east, box.south <= box.north.
  CellGrid(const BoundingBox& box, std::uint32_t columns, std::uint32_t rows);

  const BoundingBox& box() const { return box_; }
  std::uint32_t columns() const { return columns_; }
  std::uint32_t rows() const { return rows_; }
  std::size_t size() const { return std::size_t{columns_} * rows_; }

  // Coordinates outside the box count to its outermost cells.
  std::uint32_t column_of(double longitude) const {
    return cell_of((longitude - box_.west) * per_longitude_, columns_);
  }
  std::uint32_t row_of(double latitude) const {
    return cell_of((latitude - box_.south) * per_latitude_, rows_);
  }
  std::size_t index(std::uint32_t column, std::uint32_t row) const {
    return std::size_t{row} * columns_ + column;
  }
  std::size_t index(GeoPoint p) const { return index(column_of(p.longitude), row_of(p.latitude)); }
  BoundingBox cell(std::uint32_t column, std::uint32_t row) const;

 private:
  static std::uint32_t cell_of(double position, std::uint32_t count) {
    if (!(position > 0)) return 0;
    const double last = static_cast<double>(count - 1);
    return position >= last ? count - 1 : static_cast<std::uint32_t>(position);
  }

  BoundingBox box_;
  std::uint32_t columns_ = 1;
  std::uint32_t rows_ = 1;
  double per_longitude_ = 0;  // cells a degree
  double per_latitude_ = 0;
};

// A polygon prepared for many point tests. Its box is cut into cells; a cell without an edge in it
// is inside or outside as a whole, and only in the others are edges looked at: those that cross the
// cell's row. Says exactly what `contains(MultiPolygon, GeoPoint)` says. Immutable; thread-safe.
class PreparedArea {
 public:
  // REQUIRES: check_multi_polygon(area).
  explicit PreparedArea(const MultiPolygon& area);

  const BoundingBox& box() const { return grid_.box(); }
  bool contains(GeoPoint p) const {
    if (!grid_.box().contains(p)) return false;
    const std::uint32_t row = grid_.row_of(p.latitude);
    const Cell cell = cells_[grid_.index(grid_.column_of(p.longitude), row)];
    if (cell != Cell::edge) [[likely]]
      return cell == Cell::inside;
    return contains_by_edges(row, p);
  }
  enum class Cover : std::uint8_t { none, part, whole };
  // How much of a box lies inside; `part` may also be said where the truth is none or whole.
  Cover cover(const BoundingBox& box) const;
  std::size_t memory_bytes() const;

 private:
  enum class Cell : std::uint8_t { outside, inside, edge };
  struct Edge {
    GeoPoint a;
    GeoPoint b;
    std::uint32_t polygon = 0;
  };

  void mark_edge_cells(std::uint32_t row);
  void fill_row(std::uint32_t row);
  bool contains_by_edges(std::uint32_t row, GeoPoint p) const;
  std::span<const Edge> edges_of_row(std::uint32_t row) const;

  CellGrid grid_;
  std::vector<Cell> cells_;
  std::vector<std::uint32_t> row_begin_;  // of each row in edges_, and the end
  std::vector<Edge> edges_;               // by row, then by polygon
};

}  // namespace ficus
