#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "api/catalog.h"
#include "base/disk.h"
#include "connect/mapping/sources_file.h"
#include "model/schema.h"
#include "model/zone_set.h"
#include "rules/rule_set.h"

namespace ficus::app {

// Everything that the packs of the configuration teach the brain (a pack is a folder; every file is
// optional):
//   types.yaml, sources.yaml, rules.sql, zones.geojson, departments.yaml, map.geojson (lines of a
//   base map)
struct LoadedPacks {
  api::Catalog catalog;
  std::vector<connect::SourceDeclaration> sources;  // no two with one name
  std::shared_ptr<const ZoneSet> zones;
  rules::RuleSetPtr rules;
  // A fingerprint of each kind of file, by its name.
  std::vector<std::pair<std::string, std::uint64_t>> parts;

  // Declares types in the schema first, then reads the rest. The error lists the mistakes of all
  // files, one a line, with file, line and column; rules are looked at when all else is right,
  // since their mistakes might be those of a type or zone.
  static Result<LoadedPacks> load(const std::vector<std::string>& folders, Disk& disk,
                                  Schema& schema);
  // What is allowed but looks forgotten, one a line: types that nothing fills, sources that no rule
  // looks at.
  std::vector<std::string> warnings(const Schema& schema) const;
};

}  // namespace ficus::app
