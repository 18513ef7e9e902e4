#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "model/geometry.h"
#include "model/ids.h"
#include "model/prepared_area.h"

namespace ficus {

// A named polygon of a kind (school, port, district ...).
struct Zone {
  std::string name;
  std::string kind;  // may be empty
  std::string label_zh;
  std::string label_en;
  MultiPolygon area;
};

struct ZoneLimits {
  std::size_t zones_max = 100'000;
  std::size_t positions_max = 5'000'000;  // of all polygons together
};

// What `zone('x')` in a rule stands for: one zone, or every zone of a kind.
class ZoneSelection {
 public:
  ZoneSelection() = default;  // nothing
  bool is_kind() const { return is_kind_; }
  friend bool operator==(ZoneSelection, ZoneSelection) = default;

 private:
  friend class ZoneSet;
  std::uint32_t index_ = 0;  // a zone, or a kind
  bool is_kind_ = false;
  bool is_valid_ = false;
};

// The zones of the city. Filled once (add ... add, build_index), then shared read-only by all
// threads through const references. A point is looked up in a grid whose cells know which zones
// cover them wholly; only cells with an edge in them need an exact test. A point on an edge is
// inside.
class ZoneSet {
 public:
  explicit ZoneSet(ZoneLimits limits = {}) : limits_(limits) {}

  // invalid_input for a bad name or polygon (check_multi_polygon), conflict for a second zone of
  // the same name, overloaded at a limit. After an error the set is as before.
  Result<ZoneId> add(Zone zone);
  Result<ZoneId> add(std::string name, std::string kind, MultiPolygon area);
  // Makes the look-ups of zones by point fast; without it they try every zone's box. Call after the
  // last add.
  void build_index();

  std::size_t size() const { return zones_.size(); }
  const Zone& zone(ZoneId id) const { return zones_[id.index()]; }
  std::optional<ZoneId> find(std::string_view name) const;
  std::span<const ZoneId> of_kind(std::string_view kind) const;  // in order of adding
  // The zone of this name or, if there is none, the zones of this kind.
  std::optional<ZoneSelection> select(std::string_view name_or_kind) const;

  // The same for the same polygons, whatever else is in the set.
  std::uint64_t fingerprint(ZoneSelection selection) const;

  bool contains(ZoneId id, GeoPoint p) const { return areas_[id.index()].contains(p); }
  bool contains(ZoneSelection selection, GeoPoint p) const;
  // inside[i] = 1 if points[i] is in the selection, else 0. REQUIRES: same sizes.
  void contains(ZoneSelection selection, std::span<const GeoPoint> points,
                std::span<std::uint8_t> inside) const;
  // Every zone that contains the point, ascending; `out` is replaced.
  void zones_at(GeoPoint p, std::vector<ZoneId>& out) const;

  std::size_t memory_bytes() const;  // of the prepared polygons and the index

 private:
  struct Kind {
    std::string name;
    std::vector<ZoneId> zones;
  };
  struct Candidate {  // a zone that touches a cell of the index
    ZoneId zone;
    std::uint32_t kind = 0;
    bool covers_cell = false;
  };

  std::uint32_t intern_kind(const std::string& name);
  // Appends (cell of the index, candidate) for every cell that the zone touches.
  void mark_cells(ZoneId zone, std::vector<std::pair<std::uint32_t, Candidate>>& marks) const;
  // The zones that may contain the point. REQUIRES: the index is built.
  std::span<const Candidate> candidates_at(GeoPoint p) const;
  bool kind_contains(std::uint32_t kind, GeoPoint p) const;

  ZoneLimits limits_;
  std::size_t position_count_ = 0;
  std::vector<Zone> zones_;
  std::vector<PreparedArea> areas_;        // by ZoneId
  std::vector<std::uint32_t> zone_kinds_;  // by ZoneId
  std::vector<Kind> kinds_;
  std::map<std::string, ZoneId, std::less<>> zone_by_name_;
  std::map<std::string, std::uint32_t, std::less<>> kind_by_name_;

  bool has_index_ = false;
  CellGrid index_grid_;
  std::vector<std::uint32_t> index_begin_;  // of each cell in index_candidates_, and the end
  std::vector<Candidate> index_candidates_;
};

}  // namespace ficus
