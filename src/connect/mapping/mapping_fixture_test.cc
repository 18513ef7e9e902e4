#include "connect/mapping/mapping_fixture.h"

#include <fmt/format.h>

#include <span>

#include "base/check.h"
#include "base/time_text.h"
#include "codec/json/json_writer.h"
#include "connect/mapping/types_file.h"

namespace ficus::connect::test {
namespace {

constexpr std::string_view kHead =
    "sources:\n"
    "  - name: s\n";

// The file around the map, which begins in line 5 and column 7.
std::string file_around(std::string_view map, std::string_view topic) {
  std::string text(kHead);
  text += fmt::format("    mqtt: {{topic: '{}'}}\n    map:\n", topic);
  while (!map.empty()) {
    const std::size_t end = std::min(map.find('\n'), map.size());
    text += fmt::format("      {}\n", map.substr(0, end));
    map.remove_prefix(std::min(end + 1, map.size()));
  }
  return text;
}

std::string value_text(const Value& value) {
  std::string out;
  json::JsonWriter json(out);
  switch (value.kind()) {
    case ValueKind::none:
      break;
    case ValueKind::boolean:
      json.boolean(value.as_boolean());
      break;
    case ValueKind::number:
      json.number(value.as_number());
      break;
    case ValueKind::time:
      out = to_iso8601(value.as_time());
      break;
    case ValueKind::point:
      out = fmt::format("({:.4f} {:.4f})", value.as_point().longitude, value.as_point().latitude);
      break;
    case ValueKind::text:
    case ValueKind::geometry:
    case ValueKind::relationship:
    case ValueKind::json:
      out = value.as_text();
  }
  return out;
}

void add_zones(Disk& disk) {
  const std::string bytes = shanghai_zone_file();
  FICUS_CHECK(write_file_atomically(disk, "/zones/Asia/Shanghai", std::as_bytes(std::span(bytes))));
}

}  // namespace

std::string shanghai_zone_file() {
  const auto block = [](char version) {
    std::string text = "TZif";
    text.push_back(version);
    text.append(15, '\0');
    for (const char count :
         {'\0', '\0', '\0', '\0', '\1', '\4'}) {  // one type, four bytes of its name
      text.append(3, '\0');
      text.push_back(count);
    }
    text += std::string("\x00\x00\x70\x80\x00\x00", 6) + std::string("CST\0", 4);
    return text;
  };
  return block('2') + block('2') + "\nCST-8\n";
}

Mapper::Mapper(std::string_view map, std::string_view types, std::string_view topic) {
  add_zones(disk_);
  const auto declared = TypesFile::load(types, "types.yaml", schema_);
  if (!declared) error_ = declared.error().message;
  auto loaded =
      SourcesFile::load(file_around(map, topic), "sources.yaml", {schema_, disk_, "/zones"});
  if (loaded) {
    file_ = *std::move(loaded);
  } else {
    error_ += loaded.error().message;
  }
}

SourceBatch Mapper::map(std::string_view payload, std::vector<std::string_view> placeholders) {
  SourceBatchBuilder builder(SourceId(0));
  file_.sources.at(0).mapping->map({"city/K2/7", placeholders, payload, kReceived}, scratch_,
                                   builder);
  const std::uint64_t count = builder.item_count();
  SourceBatch batch = builder.take(kReceived);
  if (batch.item_count() != count) error_ = "the items are not conserved";
  return batch;
}

std::string Mapper::text(std::string_view payload, std::vector<std::string_view> placeholders) {
  if (!ok()) return error_;
  const SourceBatch batch = map(payload, std::move(placeholders));
  std::string out;
  for (const ObservationBatch& rows : batch.observations) {
    for (std::size_t row = 0; row < rows.row_count(); ++row) {
      out += fmt::format("{} {} @{}", schema_.type_name(rows.type()), rows.ids()[row],
                         to_iso8601(rows.observed_at()[row]));
      for (const Column& column : rows.columns()) {
        const Value value = column.value(row);
        if (value.is_none()) continue;
        out += fmt::format(" {}={}", schema_.attribute_name(rows.type(), column.attribute),
                           value_text(value));
      }
      out += "\n";
    }
  }
  for (const QuarantinedItem& item : batch.quarantined) {
    out += fmt::format("! {} | {}\n", item.reason, item.bytes);
  }
  for (const RefusedCount& count : batch.refused) {
    out += fmt::format("- {} {}\n", count.reason, count.items);
  }
  return out;
}

std::string source_mistakes(std::string_view text, std::string_view types) {
  Schema schema;
  MemoryDisk disk;
  add_zones(disk);
  const auto declared = TypesFile::load(types, "types.yaml", schema);
  if (!declared) return declared.error().message;
  const auto loaded = SourcesFile::load(text, "s.yaml", {schema, disk, "/zones"});
  return loaded ? "" : loaded.error().message;
}

std::string map_mistakes(std::string_view map, std::string_view types) {
  const Mapper mapper(map, types);
  return mapper.error();
}

}  // namespace ficus::connect::test
