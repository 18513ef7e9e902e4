// The first byte chooses: an arbitrary payload through a mapping that uses every feature, or an
// arbitrary text as sources.yaml, types.yaml, zone file or time.

#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "base/memory_disk.h"
#include "connect/mapping/describe.h"
#include "connect/mapping/sources_file.h"
#include "connect/mapping/time_format.h"
#include "connect/mapping/time_zone.h"
#include "connect/mapping/types_file.h"
#include "connect/mapping/value_path.h"

namespace {

using namespace ficus;
using namespace ficus::connect;

constexpr Timestamp kNow{1'795'420'800'000'000};

constexpr std::string_view kSources = R"(
sources:
  - name: all
    mqtt: {topic: "a/{line}/{unit}"}
    map:
      - items: $.s[*].r[*]
        where: {path: $.k, in: [1, a, true]}
        type: {path: $.t, enum: {1: A, 2: B}, otherwise: C}
        id: "urn:x:{^.n}:{#}"
        observed_at: {path: $.o, format: unix_ms, otherwise: received, ahead_max: 1h}
        attributes:
          number: {path: $.v, kind: number, scale: 2, offset: 1, min: -100, max: 1e6, round: 2, missing_values: [NA, -9999]}
          speed: {path: $.s, from_unit: KNT, unit: KMH}
          text: {path: $.x, kind: text}
          choice: {path: $.c, enum: {0: off, 1: on}, otherwise: null}
          flag: {path: $.f, kind: boolean}
          local: {path: $.l, pattern: "%Y-%m-%d %H:%M:%S", zone: "+08:00"}
          iso: {path: $.i, kind: time}
          fields: {fields: {year: $.y, month: $.m, day: $.d, second: $.e}, zone: "+08:00"}
          place: {point: [$.lon, $.lat], crs: GCJ-02}
          point: {path: $.p, kind: point, crs: BD-09}
          area: {path: $.g, kind: geometry}
          json: {path: $.j, kind: json}
          link: {template: "urn:l:{$.q}:{line}", kind: relationship}
          above: {path: ^^.name, kind: text}
      - type: D
        id: "{$.id}"
        observed_at: $.time
        attributes: {all: {path: $, kind: json}}
)";

void map_payload(std::string_view payload) {
  static Schema schema;
  static MemoryDisk disk;
  static const auto file = SourcesFile::load(kSources, "sources.yaml", {schema, disk});
  if (!file) std::abort();
  static MappingScratch scratch;
  SourceBatchBuilder builder(SourceId(0));
  const std::string_view placeholders[] = {"K2", "7"};
  file->sources[0].mapping->map({"a/K2/7", placeholders, payload, kNow}, scratch, builder);
  const std::uint64_t count = builder.item_count();
  const SourceBatch batch = builder.take(kNow);
  if (batch.item_count() != count) std::abort();
  for (const ObservationBatch& rows : batch.observations) {
    for (const Timestamp t : rows.observed_at()) {
      if (t > kNow + Micros::from_hours(24)) std::abort();
    }
  }
  describe(batch, schema);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view text(reinterpret_cast<const char*>(data) + 1, size - 1);
  switch (data[0]) {
    case 's': {
      Schema schema;
      MemoryDisk disk;
      (void)SourcesFile::load(text, "s.yaml", {schema, disk});
      break;
    }
    case 't': {
      Schema schema;
      (void)TypesFile::load(text, "t.yaml", schema);
      break;
    }
    case 'z':
      if (const auto zone = TimeZone::parse(text)) zone->from_local(kNow);
      break;
    case 'f': {
      const std::size_t line = text.find('\n');
      const auto format = TimeFormat::of_pattern(text.substr(0, line), TimeZone());
      if (format && line != std::string_view::npos) {
        (void)format->parse(RawValue::of_text(text.substr(line + 1)));
      }
      break;
    }
    default:
      map_payload(text);
  }
  return 0;
}
