#pragma once

#include <span>
#include <string_view>
#include <vector>

#include "connect/mapping/sources_file.h"
#include "model/ids.h"

namespace ficus::connect {

struct Source {
  SourceId id;
  SourceDeclaration declaration;
};

// All sources that are configured. Fixed after start; shared read-only.
class SourceSet {
 public:
  // ErrorCode::conflict names both places if two sources have one name.
  Status add(SourceId id, SourceDeclaration declaration);

  std::span<const Source> all() const { return sources_; }
  const Source* find(std::string_view name) const;  // null if there is none
  // The first MQTT source whose topic pattern fits; `values` are those of its places. Null if none
  // does.
  const Source* find_by_topic(std::string_view topic, std::vector<std::string_view>& values) const;
  // Counts replacements: what was looked up in an earlier generation must be looked up again.
  std::uint64_t generation() const { return generation_; }

 private:
  std::vector<Source> sources_;
  std::uint64_t generation_ = 0;
};

}  // namespace ficus::connect
