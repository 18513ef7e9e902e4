#include "app/packs.h"

#include <fmt/format.h>

#include <algorithm>

#include "codec/json/geometry_json.h"
#include "codec/json/json_reader.h"
#include "codec/json/json_writer.h"
#include "codec/yaml/yaml_map.h"
#include "connect/mapping/types_file.h"

namespace ficus::app {
namespace {

constexpr std::uint64_t kFileBytesMax = 64 << 20;

// The file's content, or nothing if the pack has no such file.
Result<std::optional<std::string>> read_optional(Disk& disk, const std::string& path) {
  if (!disk.exists(path)) return std::nullopt;
  FICUS_TRY(std::string text, read_file(disk, path, kFileBytesMax));
  return std::optional(std::move(text));
}

std::string text_of(json::JsonValue properties, std::string_view name) {
  const json::JsonValue value = properties.member(name);
  return value.kind() == json::JsonKind::text ? std::string(value.as_text()) : std::string();
}

// Gathers the features of several GeoJSON files into one FeatureCollection.
class Features {
 public:
  void add(json::JsonValue feature) {
    if (!text_.empty()) text_ += ',';
    feature.append_json(text_);
  }
  std::string collection() const {
    return fmt::format(R"({{"type":"FeatureCollection","features":[{}]}})", text_);
  }

 private:
  std::string text_;
};

template <typename Each>
Status for_each_feature(std::string_view text, const std::string& file, Each each) {
  json::JsonDocument document({.bytes_max = kFileBytesMax});
  const auto root = document.parse(text);
  if (!root) return in_context(file + ": ", root.error());
  const json::JsonValue features = root->member("features");
  if (features.kind() != json::JsonKind::array) {
    return invalid(file + ": expected a GeoJSON FeatureCollection");
  }
  std::size_t number = 0;
  for (json::JsonItems items(features); items.next();) {
    ++number;
    if (auto status = each(items.value()); !status) {
      return in_context(fmt::format("{}: feature {}: ", file, number), std::move(status).error());
    }
  }
  return {};
}

Status load_zones(std::string_view text, const std::string& file, ZoneSet& zones, Features& all) {
  return for_each_feature(text, file, [&](json::JsonValue feature) -> Status {
    const json::JsonValue properties = feature.member("properties");
    Zone zone;
    zone.name = text_of(properties, "name");
    zone.kind = text_of(properties, "kind");
    zone.label_zh = text_of(properties, "label_zh");
    zone.label_en = text_of(properties, "label_en");
    FICUS_TRY(zone.area, json::read_area(feature.member("geometry")));
    FICUS_TRY_VOID(zones.add(std::move(zone)));
    all.add(feature);
    return {};
  });
}

Status load_departments(std::string_view text, const std::string& file, api::Catalog& catalog) {
  Mistakes mistakes(file);
  YamlNode root;
  if (parse_yaml(text, root, mistakes)) {
    YamlMap map(root, "the file", mistakes);
    if (const YamlNode* const list = map.require("departments", "a list of departments")) {
      for (const YamlNode* const node : read_list(*list)) {
        YamlMap entry(*node, "a department", mistakes);
        (void)entry.require("name", "the department's name, as alerts use it");
        api::Department department{entry.text("name").value_or(""), entry.text("en").value_or("")};
        entry.finish();
        catalog.departments.push_back(std::move(department));
      }
    }
    map.finish();
  }
  if (!mistakes.empty()) return std::unexpected(mistakes.to_error());
  return {};
}

// What the brain itself writes or understands needs a name too, unless a pack gives it one.
void name_own_types(const Schema& schema, api::Catalog& catalog) {
  static constexpr struct {
    const char* name;
    const char* zh;
    const char* en;
  } kOwn[] = {{"Alert", "告警", "Alert"},
              {"Vessel", "船舶", "Vessel"},
              {"AisBaseStation", "AIS基站", "AIS base station"},
              {"AidToNavigation", "航标", "Aid to navigation"},
              {"SarAircraft", "搜救飞机", "Rescue aircraft"}};
  for (const auto& own : kOwn) {
    const auto type = schema.find_type(own.name);
    const bool is_named = std::any_of(catalog.types.begin(), catalog.types.end(),
                                      [&](const auto& t) { return t.name == own.name; });
    if (type && !is_named) catalog.types.push_back({own.name, *type, {own.zh, own.en}});
  }
}

}  // namespace

Result<LoadedPacks> LoadedPacks::load(const std::vector<std::string>& folders, Disk& disk,
                                      Schema& schema) {
  LoadedPacks packs;
  for (const std::string& folder : folders) {
    if (!disk.exists(folder)) {
      return fail(ErrorCode::not_found, fmt::format("packs: there is no folder {}", folder));
    }
    const std::string file = folder + "/types.yaml";
    FICUS_TRY(const auto text, read_optional(disk, file));
    if (!text) continue;
    FICUS_TRY(connect::TypesFile types, connect::TypesFile::load(*text, file, schema));
    std::move(types.types.begin(), types.types.end(), std::back_inserter(packs.catalog.types));
  }
  Features zones;
  Features map;
  for (const std::string& folder : folders) {
    const std::string zones_file = folder + "/zones.geojson";
    FICUS_TRY(const auto zones_text, read_optional(disk, zones_file));
    if (zones_text) FICUS_TRY_VOID(load_zones(*zones_text, zones_file, packs.zones, zones));
    const std::string map_file = folder + "/map.geojson";
    FICUS_TRY(const auto map_text, read_optional(disk, map_file));
    if (map_text) {
      FICUS_TRY_VOID(for_each_feature(*map_text, map_file, [&](json::JsonValue feature) -> Status {
        map.add(feature);
        return {};
      }));
    }
    const std::string departments_file = folder + "/departments.yaml";
    FICUS_TRY(const auto departments, read_optional(disk, departments_file));
    if (departments) {
      FICUS_TRY_VOID(load_departments(*departments, departments_file, packs.catalog));
    }
    const std::string sources_file = folder + "/sources.yaml";
    FICUS_TRY(const auto sources_text, read_optional(disk, sources_file));
    if (sources_text) {
      FICUS_TRY(connect::SourcesFile sources,
                connect::SourcesFile::load(*sources_text, sources_file, {schema, disk}));
      std::move(sources.sources.begin(), sources.sources.end(), std::back_inserter(packs.sources));
    }
    const std::string rules_file = folder + "/rules.sql";
    FICUS_TRY(auto rules_text, read_optional(disk, rules_file));
    if (rules_text) packs.rules.push_back({rules_file, *std::move(rules_text)});
  }
  name_own_types(schema, packs.catalog);
  packs.zones.build_index();
  packs.catalog.zones_geojson = zones.collection();
  packs.catalog.map_geojson = map.collection();
  return packs;
}

Status check_departments(const rules::RuleBook& rules, const api::Catalog& catalog,
                         const Schema& schema) {
  if (catalog.departments.empty()) return {};
  const auto alert = schema.find_type("Alert");
  if (!alert) return {};
  const auto assigned_to = schema.find_attribute(*alert, "assignedTo");
  if (!assigned_to) return {};
  for (std::uint32_t i = 0; i < rules.rule_count(); ++i) {
    const rules::RuleInfo& rule = rules.info(rules::RuleId(i));
    for (const auto& [attribute, value] : rule.constants) {
      if (rule.into != *alert || attribute != *assigned_to || !holds_text(value.kind())) continue;
      const bool known =
          std::any_of(catalog.departments.begin(), catalog.departments.end(),
                      [&](const api::Department& d) { return d.name == value.as_text(); });
      if (!known) {
        return invalid(
            fmt::format("{}:{}: rule {}: assignedTo: there is no department '{}' in "
                        "departments.yaml",
                        rule.file, rule.line, rule.name, value.as_text()));
      }
    }
  }
  return {};
}

}  // namespace ficus::app
