#pragma once

#include <cstdint>
#include <memory>
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

// All sources that are configured. On the loop's thread: a reload puts others in their place
// between two messages. Who needs a source beyond a call shares it.
class SourceSet {
 public:
  // ErrorCode::conflict names both places if two sources have one name. REQUIRES: nothing of this
  // set is shared yet.
  Status add(SourceId id, SourceDeclaration declaration);

  std::span<const Source> all() const { return *sources_; }
  const Source* find(std::string_view name) const;  // null if there is none
  // The first MQTT source whose topic pattern fits; `values` are those of its places. Null if none
  // does.
  const Source* find_by_topic(std::string_view topic, std::vector<std::string_view>& values) const;
  // Keeps the source alive, whatever is in the set later. REQUIRES: it is of this set.
  std::shared_ptr<const Source> share(const Source& source) const { return {sources_, &source}; }

  // Takes what the other has; sources of before live on as long as they are shared.
  void replace(SourceSet&& other);
  // Counts replace(): what was looked up in an earlier generation must be looked up again.
  std::uint64_t generation() const { return generation_; }

 private:
  std::shared_ptr<std::vector<Source>> sources_ = std::make_shared<std::vector<Source>>();
  std::uint64_t generation_ = 0;
};

}  // namespace ficus::connect
