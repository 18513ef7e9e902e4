#include <string>

#include "twin/twin.h"

// Arbitrary bytes as a snapshot of the twin: refused, or a state that encodes to the same bytes and
// can be asked and applied to.
extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  ficus::Schema schema;
  ficus::twin::Twin twin(schema, {.duplicate_window_rows = 16});
  if (!twin.decode(bytes)) return 0;
  std::string again;
  twin.encode(again);
  if (again != bytes) __builtin_trap();
  ficus::twin::EntityQuery query;
  query.geo = ficus::twin::GeoFilter{ficus::twin::NearPoint{{119.3, 26.1}, 0, 1e6}, std::nullopt};
  query.count_total = true;
  if (!twin.query(query)) __builtin_trap();
  ficus::twin::AppliedRows rows;
  for (std::uint32_t i = 0; i < twin.entity_count(); ++i) {
    const ficus::twin::EntityView view = twin.entity(ficus::EntityId(i));
    ficus::ObservationBatch batch(view.type);
    batch.begin_row(view.id, {INT64_MAX});
    for (const auto& attribute : view.attributes) batch.set(attribute.attribute, attribute.value);
    batch.finish();
    if (view.id.size() <= 2048 && !twin.apply(batch, {}, rows)) __builtin_trap();
  }
  return 0;
}
