#include "connect/quarantine/replay_item.h"

#include <fmt/format.h>

#include "connect/ingest/source_key.h"

namespace ficus::connect {

Result<SourceBatch> replay_item(const StoredItem& item, const SourceSet& sources) {
  const Source* const source = sources.find(item.source);
  if (source == nullptr) {
    return fail(ErrorCode::not_found,
                fmt::format("there is no source '{}' any more: drop the item", item.source));
  }
  const SourceDeclaration& declaration = source->declaration;
  if (declaration.mapping == nullptr) {
    return fail(ErrorCode::conflict,
                fmt::format("source '{}' is AIS, whose reading does not change: drop the item",
                            item.source));
  }
  const auto values = placeholders_of(declaration, item.key);
  if (!values) {
    return invalid(
        fmt::format("it came in on {}, which does not fit the source any more", item.key));
  }
  const std::vector<std::string_view> placeholders(values->begin(), values->end());
  MappingScratch scratch;
  SourceBatchBuilder builder(source->id);
  declaration.mapping->map({.key = item.key,
                            .placeholders = placeholders,
                            .payload = item.bytes,
                            .received_at = item.received_at},
                           scratch, builder);
  if (!builder.quarantined().empty()) return invalid(builder.quarantined().front().reason);
  return builder.take(item.received_at);
}

}  // namespace ficus::connect
