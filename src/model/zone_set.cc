#include "model/zone_set.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "base/check.h"
#include "base/hash.h"

namespace ficus {
namespace {

// Cells that zones are marked into, per zone, and in all. More make fewer candidates a point; the
// upper bound keeps the index of a whole country's districts in tens of megabytes.
constexpr double kCellsPerZone = 64;
constexpr double kCellsPerSideMin = 64;
constexpr double kCellsPerSideMax = 1024;
constexpr std::size_t kMarksMax = 32'000'000;
// Extends the cells of the index against rounding, as in prepared_area.cc.
constexpr double kMarginDegrees = 1e-9;

std::size_t cells_over(const CellGrid& grid, const BoundingBox& box) {
  return std::size_t{grid.column_of(box.east) - grid.column_of(box.west) + 1} *
         (grid.row_of(box.north) - grid.row_of(box.south) + 1);
}

std::uint64_t hash_ring(std::uint64_t hash, const Ring& ring) {
  return hash_mix(hash, hash64(std::as_bytes(std::span(ring)), ring.size()));
}

}  // namespace

Result<ZoneId> ZoneSet::add(std::string name, std::string kind, MultiPolygon area) {
  Zone zone;
  zone.name = std::move(name);
  zone.kind = std::move(kind);
  zone.area = std::move(area);
  return add(std::move(zone));
}

Result<ZoneId> ZoneSet::add(Zone zone) {
  if (zone.name.empty()) return invalid("a zone needs a name");
  if (Status status = check_multi_polygon(zone.area); !status) {
    return in_context(fmt::format("zone '{}': ", zone.name), std::move(status).error());
  }
  if (zone_by_name_.contains(zone.name)) {
    return fail(ErrorCode::conflict, fmt::format("there are two zones named '{}'", zone.name));
  }
  if (zones_.size() >= limits_.zones_max) {
    return fail(ErrorCode::overloaded,
                fmt::format("zone set is full ({}): cannot add '{}', raise zones.zones_max",
                            limits_.zones_max, zone.name));
  }
  const std::size_t positions = position_count(zone.area);
  if (positions > limits_.positions_max - position_count_) {
    return fail(ErrorCode::overloaded,
                fmt::format("zone set is full ({} positions): cannot add '{}' with {}, raise "
                            "zones.positions_max",
                            limits_.positions_max, zone.name, positions));
  }
  const ZoneId id(static_cast<std::uint32_t>(zones_.size()));
  position_count_ += positions;
  areas_.emplace_back(zone.area);
  zone_kinds_.push_back(intern_kind(zone.kind));
  kinds_[zone_kinds_.back()].zones.push_back(id);
  zone_by_name_.emplace(zone.name, id);
  zones_.push_back(std::move(zone));
  has_index_ = false;
  return id;
}

std::uint32_t ZoneSet::intern_kind(const std::string& name) {
  const auto [found, is_new] =
      kind_by_name_.emplace(name, static_cast<std::uint32_t>(kinds_.size()));
  if (is_new) kinds_.push_back({name, {}});
  return found->second;
}

void ZoneSet::build_index() {
  has_index_ = false;
  index_begin_.clear();
  index_candidates_.clear();
  if (zones_.empty()) return;
  BoundingBox box = areas_.front().box();
  for (const PreparedArea& area : areas_) box.extend(area.box());
  const double wanted = std::clamp(std::sqrt(static_cast<double>(zones_.size()) * kCellsPerZone),
                                   kCellsPerSideMin, kCellsPerSideMax);
  // Thousands of zones that overlap everywhere get fewer cells, so that memory stays bounded.
  for (auto side = static_cast<std::uint32_t>(wanted);; side /= 2) {
    index_grid_ = CellGrid(box, side, side);
    std::size_t marks_max = 0;
    for (const PreparedArea& area : areas_) marks_max += cells_over(index_grid_, area.box());
    if (marks_max <= kMarksMax || side == 1) break;
  }

  std::vector<std::pair<std::uint32_t, Candidate>> marks;
  for (std::uint32_t i = 0; i < zones_.size(); ++i) mark_cells(ZoneId(i), marks);
  // Placed by cell (counting sort); zones stay ascending within a cell.
  std::vector<std::uint32_t> ends(index_grid_.size() + 1, 0);
  for (const auto& [cell, candidate] : marks) ++ends[cell + 1];
  for (std::size_t i = 0; i < index_grid_.size(); ++i) ends[i + 1] += ends[i];
  index_begin_ = ends;
  index_candidates_.resize(marks.size());
  for (const auto& [cell, candidate] : marks) index_candidates_[ends[cell]++] = candidate;
  has_index_ = true;
}

void ZoneSet::mark_cells(ZoneId zone,
                         std::vector<std::pair<std::uint32_t, Candidate>>& marks) const {
  const PreparedArea& area = areas_[zone.index()];
  const std::uint32_t last_row = index_grid_.row_of(area.box().north);
  const std::uint32_t last_column = index_grid_.column_of(area.box().east);
  for (std::uint32_t row = index_grid_.row_of(area.box().south); row <= last_row; ++row) {
    for (std::uint32_t column = index_grid_.column_of(area.box().west); column <= last_column;
         ++column) {
      BoundingBox cell = index_grid_.cell(column, row);
      cell = {cell.west - kMarginDegrees, cell.south - kMarginDegrees, cell.east + kMarginDegrees,
              cell.north + kMarginDegrees};
      const PreparedArea::Cover cover = area.cover(cell);
      if (cover == PreparedArea::Cover::none) continue;
      marks.push_back({static_cast<std::uint32_t>(index_grid_.index(column, row)),
                       {zone, zone_kinds_[zone.index()], cover == PreparedArea::Cover::whole}});
    }
  }
}

std::optional<ZoneId> ZoneSet::find(std::string_view name) const {
  const auto found = zone_by_name_.find(name);
  if (found == zone_by_name_.end()) return std::nullopt;
  return found->second;
}

std::span<const ZoneId> ZoneSet::of_kind(std::string_view kind) const {
  const auto found = kind_by_name_.find(kind);
  if (found == kind_by_name_.end()) return {};
  return kinds_[found->second].zones;
}

std::uint64_t ZoneSet::fingerprint(ZoneSelection selection) const {
  FICUS_CHECK(selection.is_valid_);
  std::uint64_t hash = selection.is_kind_ ? 1 : 0;
  const ZoneId one(selection.index_);
  const std::span<const ZoneId> chosen =
      selection.is_kind_ ? std::span<const ZoneId>(kinds_[selection.index_].zones)
                         : std::span<const ZoneId>(&one, 1);
  for (const ZoneId id : chosen) {
    for (const Polygon& polygon : zones_[id.index()].area.polygons) {
      hash = hash_ring(hash, polygon.outer);
      for (const Ring& hole : polygon.holes) hash = hash_ring(hash, hole);
    }
  }
  return hash;
}

std::optional<ZoneSelection> ZoneSet::select(std::string_view name_or_kind) const {
  ZoneSelection selection;
  selection.is_valid_ = true;
  if (const auto zone = find(name_or_kind)) {
    selection.index_ = zone->index();
    return selection;
  }
  const auto kind = kind_by_name_.find(name_or_kind);
  if (kind == kind_by_name_.end() || name_or_kind.empty()) return std::nullopt;
  selection.index_ = kind->second;
  selection.is_kind_ = true;
  return selection;
}

std::span<const ZoneSet::Candidate> ZoneSet::candidates_at(GeoPoint p) const {
  if (!index_grid_.box().contains(p)) return {};
  const std::size_t cell = index_grid_.index(p);
  return std::span(index_candidates_)
      .subspan(index_begin_[cell], index_begin_[cell + 1] - index_begin_[cell]);
}

bool ZoneSet::kind_contains(std::uint32_t kind, GeoPoint p) const {
  if (!has_index_) {
    return std::ranges::any_of(kinds_[kind].zones, [&](ZoneId zone) { return contains(zone, p); });
  }
  for (const Candidate& candidate : candidates_at(p)) {
    if (candidate.kind != kind) continue;
    if (candidate.covers_cell || contains(candidate.zone, p)) return true;
  }
  return false;
}

bool ZoneSet::contains(ZoneSelection selection, GeoPoint p) const {
  if (!selection.is_valid_) return false;
  if (selection.is_kind_) return kind_contains(selection.index_, p);
  return areas_[selection.index_].contains(p);
}

void ZoneSet::contains(ZoneSelection selection, std::span<const GeoPoint> points,
                       std::span<std::uint8_t> inside) const {
  FICUS_CHECK(points.size() == inside.size());
  if (!selection.is_valid_) {
    std::ranges::fill(inside, std::uint8_t{0});
  } else if (selection.is_kind_) {
    for (std::size_t i = 0; i < points.size(); ++i) {
      inside[i] = kind_contains(selection.index_, points[i]) ? 1 : 0;
    }
  } else {
    const PreparedArea& area = areas_[selection.index_];
    for (std::size_t i = 0; i < points.size(); ++i) inside[i] = area.contains(points[i]) ? 1 : 0;
  }
}

void ZoneSet::zones_at(GeoPoint p, std::vector<ZoneId>& out) const {
  out.clear();
  if (!has_index_) {
    for (std::uint32_t i = 0; i < zones_.size(); ++i) {
      if (areas_[i].contains(p)) out.push_back(ZoneId(i));
    }
    return;
  }
  for (const Candidate& candidate : candidates_at(p)) {
    if (candidate.covers_cell || contains(candidate.zone, p)) out.push_back(candidate.zone);
  }
}

std::size_t ZoneSet::memory_bytes() const {
  std::size_t bytes = index_begin_.capacity() * sizeof(std::uint32_t) +
                      index_candidates_.capacity() * sizeof(Candidate);
  for (const PreparedArea& area : areas_) bytes += area.memory_bytes();
  return bytes;
}

}  // namespace ficus
