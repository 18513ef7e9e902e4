#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "model/prepared_area.h"
#include "model/schema.h"
#include "twin/entity_index.h"
#include "twin/query.h"
#include "twin/type_table.h"

namespace ficus::twin {

// One query at work on one twin. Lives on the stack of Twin::query; everything is borrowed.
//
// Candidates come from the ids, else from the location grid, else from the type's rows, else from
// all entities; every condition is then tested on each. Ordered by creation, it stops at the end of
// the page; otherwise all matches are collected (16 bytes each) and as many as asked for are
// sorted.
class QueryRun {
 public:
  QueryRun(const EntityQuery& query, const Schema& schema, const EntityIndex& entities,
           std::span<const std::unique_ptr<TypeTable>> tables)
      : query_(query), schema_(schema), entities_(entities), tables_(tables) {}

  Status check(std::size_t entities_max);
  // The matches of the page, in order. REQUIRES: check() passed.
  struct Match {
    EntityId entity;
    double metres = 0;
  };
  std::vector<Match> run(std::size_t& total);

 private:
  Status check_attribute(AttributeId attribute, std::string_view what) const;
  Status check_filter(const AttributeFilter& filter) const;
  Status check_geo() const;
  Status check_order() const;

  const TypeTable* table(TypeId type) const {
    return type.index() < tables_.size() ? tables_[type.index()].get() : nullptr;
  }
  bool uses_grid() const { return query_.geo && !query_.geo->attribute; }
  void candidates_by_id(std::vector<EntityId>& out) const;
  void candidates_by_place(std::vector<EntityId>& out) const;
  template <typename Visit>
  void visit_candidates(Visit visit) const;

  bool matches(EntityId entity, double& metres) const;
  bool meets(const AttributeFilter& filter, const AttributeColumn& column, std::uint32_t row) const;
  bool is_there(const TypeTable& table, std::uint32_t row, double& metres) const;
  void sort_page(std::vector<Match>& matches) const;

  const EntityQuery& query_;
  const Schema& schema_;
  const EntityIndex& entities_;
  const std::span<const std::unique_ptr<TypeTable>> tables_;
  std::vector<PreparedArea> area_;  // none, or that of a MultiPolygon
};

}  // namespace ficus::twin
