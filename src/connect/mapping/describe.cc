#include "connect/mapping/describe.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <utility>

#include "base/time_text.h"
#include "codec/json/json_writer.h"
#include "model/units.h"

namespace ficus::connect {
namespace {

constexpr std::size_t kBytesShown = 300;

std::string value_text(const Value& value, const AttributeInfo& info) {
  std::string out;
  switch (value.kind()) {
    case ValueKind::boolean:
      return value.as_boolean() ? "true" : "false";
    case ValueKind::number:
      json::append_number(value.as_number(), out);
      if (!info.unit_code.empty()) {
        const Unit* unit = find_unit(info.unit_code);
        out +=
            fmt::format(" {}", unit == nullptr ? std::string_view(info.unit_code) : unit->symbol);
      }
      return out;
    case ValueKind::time:
      return to_iso8601(value.as_time());
    case ValueKind::point:
      return fmt::format("{:.6f}, {:.6f} (WGS-84)", value.as_point().longitude,
                         value.as_point().latitude);
    case ValueKind::text:
    case ValueKind::geometry:
    case ValueKind::relationship:
    case ValueKind::json:
      return value.as_text();
    case ValueKind::none:
      return "";
  }
  std::unreachable();
}

std::string labels(const AttributeInfo& info) {
  if (info.label_zh.empty() && info.label_en.empty()) return "";
  if (info.label_zh.empty() || info.label_en.empty()) {
    return fmt::format("  ({}{})", info.label_zh, info.label_en);
  }
  return fmt::format("  ({} / {})", info.label_zh, info.label_en);
}

void describe_rows(const ObservationBatch& batch, const Schema& schema, std::string& out) {
  std::vector<AttributeInfo> infos;
  std::size_t width = 0;
  for (const Column& column : batch.columns()) {
    infos.push_back(schema.attribute(batch.type(), column.attribute));
    width = std::max(width, infos.back().name.size());
  }
  auto at = std::back_inserter(out);
  for (std::size_t row = 0; row < batch.row_count(); ++row) {
    fmt::format_to(at, "\n{} {}\n  observed at {}\n", schema.type_name(batch.type()),
                   batch.ids()[row], to_iso8601(batch.observed_at()[row]));
    for (std::size_t c = 0; c < infos.size(); ++c) {
      const Value value = batch.columns()[c].value(row);
      if (value.is_none()) continue;
      fmt::format_to(at, "  {:<{}}  {}{}\n", infos[c].name, width, value_text(value, infos[c]),
                     labels(infos[c]));
    }
  }
}

}  // namespace

std::string describe(const SourceBatch& batch, const Schema& schema) {
  std::size_t rows = 0;
  for (const ObservationBatch& observations : batch.observations) rows += observations.row_count();
  std::uint64_t refused = 0;
  for (const RefusedCount& count : batch.refused) refused += count.items;
  std::string out = fmt::format("{} items: {} observations, {} quarantined, {} refused\n",
                                batch.item_count(), rows, batch.quarantined.size(), refused);
  for (const ObservationBatch& observations : batch.observations) {
    describe_rows(observations, schema, out);
  }
  for (const QuarantinedItem& item : batch.quarantined) {
    std::string bytes;
    json::append_quoted(std::string_view(item.bytes).substr(0, kBytesShown), bytes);
    out += fmt::format("\nquarantined: {}\n  from  {}\n  bytes {}{}\n", item.reason, item.key,
                       bytes, item.bytes.size() > kBytesShown ? "..." : "");
  }
  for (const RefusedCount& count : batch.refused) {
    out += fmt::format("\nrefused: {} ({})\n", count.items, count.reason);
  }
  return out;
}

}  // namespace ficus::connect
