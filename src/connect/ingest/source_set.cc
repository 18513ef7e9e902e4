#include "connect/ingest/source_set.h"

#include <fmt/format.h>

#include <utility>

#include "base/check.h"

namespace ficus::connect {

Status SourceSet::add(SourceId id, SourceDeclaration declaration) {
  if (const Source* const other = find(declaration.name)) {
    return fail(ErrorCode::conflict,
                fmt::format("{}:{}: source '{}' is declared already at {}:{}", declaration.file,
                            declaration.line, declaration.name, other->declaration.file,
                            other->declaration.line));
  }
  FICUS_CHECK(sources_.use_count() == 1);
  sources_->push_back({id, std::move(declaration)});
  return {};
}

const Source* SourceSet::find(std::string_view name) const {
  for (const Source& source : *sources_) {
    if (source.declaration.name == name) return &source;
  }
  return nullptr;
}

const Source* SourceSet::find_by_topic(std::string_view topic,
                                       std::vector<std::string_view>& values) const {
  for (const Source& source : *sources_) {
    const auto* const mqtt = std::get_if<MqttSource>(&source.declaration.connector);
    if (mqtt != nullptr && mqtt->topic.match(topic, values)) return &source;
  }
  return nullptr;
}

void SourceSet::replace(SourceSet&& other) {
  sources_ = std::exchange(other.sources_, std::make_shared<std::vector<Source>>());
  ++generation_;
}

}  // namespace ficus::connect
