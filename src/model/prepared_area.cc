#include "model/prepared_area.h"

#include <algorithm>
#include <cmath>

namespace ficus {
namespace {

// Cells an edge comes this near to count as touched: a tenth of a millimetre on the ground, far
// more than the rounding of anything computed here.
constexpr double kMarginDegrees = 1e-9;

constexpr std::uint32_t kCellsPerSideMin = 16;
constexpr std::uint32_t kCellsPerSideMax = 512;
constexpr std::size_t kRowEntriesPerPosition = 32;
constexpr std::size_t kRowEntriesBase = 4096;

// More cells mean fewer that hold an edge; these leave a few percent.
std::uint32_t cells_per_side(std::size_t positions) {
  const double wanted = 8 * std::sqrt(static_cast<double>(positions));
  return std::clamp(static_cast<std::uint32_t>(wanted), kCellsPerSideMin, kCellsPerSideMax);
}

}  // namespace

CellGrid::CellGrid(const BoundingBox& box, std::uint32_t columns, std::uint32_t rows)
    : box_(box), columns_(columns), rows_(rows) {
  const double width = box.east - box.west;
  const double height = box.north - box.south;
  // A degenerate or denormal extent has one cell; the scale must stay finite.
  per_longitude_ = width > kMarginDegrees ? columns / width : 0;
  per_latitude_ = height > kMarginDegrees ? rows / height : 0;
}

BoundingBox CellGrid::cell(std::uint32_t column, std::uint32_t row) const {
  const double width = (box_.east - box_.west) / columns_;
  const double height = (box_.north - box_.south) / rows_;
  return {box_.west + column * width, box_.south + row * height, box_.west + (column + 1) * width,
          box_.south + (row + 1) * height};
}

PreparedArea::PreparedArea(const MultiPolygon& area) {
  const auto for_each_edge = [&](auto&& visit) {
    for (std::uint32_t i = 0; i < area.polygons.size(); ++i) {
      const auto visit_ring = [&](const Ring& ring) {
        for (std::size_t k = 1; k < ring.size(); ++k) {
          const Edge edge{ring[k - 1], ring[k], i};
          const auto [low, high] = std::minmax(edge.a.latitude, edge.b.latitude);
          visit(edge, grid_.row_of(low - kMarginDegrees), grid_.row_of(high + kMarginDegrees));
        }
      };
      visit_ring(area.polygons[i].outer);
      for (const Ring& hole : area.polygons[i].holes) visit_ring(hole);
    }
  };
  // Every edge goes to every row it may touch. A shape of many tall edges gets fewer rows, so that
  // memory stays in proportion to its positions.
  const std::size_t positions = position_count(area);
  const std::size_t entries_max = kRowEntriesPerPosition * positions + kRowEntriesBase;
  for (std::uint32_t side = cells_per_side(positions);; side /= 2) {
    grid_ = CellGrid(bounds(area), side, side);
    std::size_t entries = 0;
    for_each_edge(
        [&](const Edge&, std::uint32_t first, std::uint32_t last) { entries += last - first + 1; });
    if (entries <= entries_max || side <= kCellsPerSideMin) break;
  }
  cells_.assign(grid_.size(), Cell::outside);

  std::vector<std::uint32_t> ends(grid_.rows() + 1, 0);
  for_each_edge([&](const Edge&, std::uint32_t first, std::uint32_t last) {
    for (std::uint32_t row = first; row <= last; ++row) ++ends[row + 1];
  });
  for (std::uint32_t row = 0; row < grid_.rows(); ++row) ends[row + 1] += ends[row];
  row_begin_ = ends;
  edges_.resize(ends.back());
  for_each_edge([&](const Edge& edge, std::uint32_t first, std::uint32_t last) {
    for (std::uint32_t row = first; row <= last; ++row) edges_[ends[row]++] = edge;
  });

  for (std::uint32_t row = 0; row < grid_.rows(); ++row) {
    mark_edge_cells(row);
    fill_row(row);
  }
}

std::span<const PreparedArea::Edge> PreparedArea::edges_of_row(std::uint32_t row) const {
  return std::span(edges_).subspan(row_begin_[row], row_begin_[row + 1] - row_begin_[row]);
}

// Marks the cells of the row that an edge may touch: for each edge, the longitudes of its part
// within the row's latitudes, with a margin.
void PreparedArea::mark_edge_cells(std::uint32_t row) {
  const BoundingBox band = grid_.cell(0, row);
  const double south = band.south - kMarginDegrees;
  const double north = band.north + kMarginDegrees;
  for (const Edge& edge : edges_of_row(row)) {
    const GeoPoint low = edge.a.latitude <= edge.b.latitude ? edge.a : edge.b;
    const GeoPoint high = edge.a.latitude <= edge.b.latitude ? edge.b : edge.a;
    double from = std::min(low.longitude, high.longitude);
    double to = std::max(low.longitude, high.longitude);
    // A nearly level edge keeps its whole extent: dividing by its height would lose precision.
    const double height = high.latitude - low.latitude;
    if (height > kMarginDegrees) {
      const double slope = (high.longitude - low.longitude) / height;
      const double at_south =
          low.longitude + slope * (std::max(south, low.latitude) - low.latitude);
      const double at_north =
          low.longitude + slope * (std::min(north, high.latitude) - low.latitude);
      from = std::max(from, std::min(at_south, at_north));
      to = std::min(to, std::max(at_south, at_north));
    }
    // The steeper the longitude changes with the latitude, the more an error of rounding moves it.
    const double slope_margin =
        height > kMarginDegrees ? std::abs(high.longitude - low.longitude) / height * 1e-12 : 0;
    const double margin = kMarginDegrees + slope_margin;
    const std::uint32_t last = grid_.column_of(to + margin);
    for (std::uint32_t column = grid_.column_of(from - margin); column <= last; ++column) {
      cells_[grid_.index(column, row)] = Cell::edge;
    }
  }
}

// A cell without an edge is inside or outside as its center is; a run of such cells is alike.
void PreparedArea::fill_row(std::uint32_t row) {
  bool is_known = false;
  Cell known = Cell::outside;
  for (std::uint32_t column = 0; column < grid_.columns(); ++column) {
    Cell& cell = cells_[grid_.index(column, row)];
    if (cell == Cell::edge) {
      is_known = false;
      continue;
    }
    if (!is_known) {
      const BoundingBox box = grid_.cell(column, row);
      const GeoPoint center{(box.west + box.east) / 2, (box.south + box.north) / 2};
      known = contains_by_edges(row, center) ? Cell::inside : Cell::outside;
      is_known = true;
    }
    cell = known;
  }
}

// The edges of the row are all that can cross the point's latitude, so this is the plain test
// without the edges that could not have said anything.
bool PreparedArea::contains_by_edges(std::uint32_t row, GeoPoint p) const {
  bool inside = false;
  std::uint32_t polygon = 0;
  for (const Edge& edge : edges_of_row(row)) {
    if (edge.polygon != polygon) {
      if (inside) return true;
      polygon = edge.polygon;
    }
    switch (edge_crossing(edge.a, edge.b, p)) {
      case EdgeCrossing::none:
        break;
      case EdgeCrossing::crosses:
        inside = !inside;
        break;
      case EdgeCrossing::on_edge:
        return true;
    }
  }
  return inside;
}

PreparedArea::Cover PreparedArea::cover(const BoundingBox& box) const {
  if (!grid_.box().intersects(box)) return Cover::none;
  bool has_inside = false;
  bool has_outside = !grid_.box().contains(box);
  const std::uint32_t last_row = grid_.row_of(box.north);
  const std::uint32_t last_column = grid_.column_of(box.east);
  for (std::uint32_t row = grid_.row_of(box.south); row <= last_row; ++row) {
    for (std::uint32_t column = grid_.column_of(box.west); column <= last_column; ++column) {
      const Cell cell = cells_[grid_.index(column, row)];
      if (cell == Cell::edge) return Cover::part;
      (cell == Cell::inside ? has_inside : has_outside) = true;
      if (has_inside && has_outside) return Cover::part;
    }
  }
  return has_inside ? Cover::whole : Cover::none;
}

std::size_t PreparedArea::memory_bytes() const {
  return sizeof(*this) + cells_.capacity() * sizeof(Cell) +
         row_begin_.capacity() * sizeof(std::uint32_t) + edges_.capacity() * sizeof(Edge);
}

}  // namespace ficus
