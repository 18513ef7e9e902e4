#pragma once

#include <string>
#include <vector>

#include "api/catalog.h"
#include "base/disk.h"
#include "connect/mapping/sources_file.h"
#include "model/schema.h"
#include "model/zone_set.h"
#include "rules/rule_book.h"

namespace ficus::app {

// Everything that the packs of the configuration teach the brain (a pack is a folder; every file is
// optional):
//   types.yaml, sources.yaml, rules.sql, zones.geojson, departments.yaml, map.geojson (lines of a
//   base map)
struct LoadedPacks {
  api::Catalog catalog;
  std::vector<connect::SourceDeclaration> sources;
  std::vector<rules::RuleFile> rules;
  ZoneSet zones;

  // Declares types in the schema first, then reads the rest. An error names file, line and column.
  static Result<LoadedPacks> load(const std::vector<std::string>& folders, Disk& disk,
                                  Schema& schema);
};

// A rule that assigns its alerts must assign them to a department that exists.
Status check_departments(const rules::RuleBook& rules, const api::Catalog& catalog,
                         const Schema& schema);

}  // namespace ficus::app
