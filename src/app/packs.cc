#include "app/packs.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <map>
#include <set>

#include "base/hash.h"
#include "codec/json/geometry_json.h"
#include "codec/json/json_reader.h"
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
              {"Configuration", "配置", "Configuration"},
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

// A rule that assigns its alerts must assign them to a department that exists.
void check_departments(const rules::RuleSet& rules, const api::Catalog& catalog,
                       const Schema& schema, std::vector<std::string>& mistakes) {
  const auto alert = schema.find_type("Alert");
  const auto assigned_to = alert ? schema.find_attribute(*alert, "assignedTo") : std::nullopt;
  if (catalog.departments.empty() || !assigned_to) return;
  for (std::uint32_t i = 0; i < rules.rule_count(); ++i) {
    const rules::RuleInfo& rule = rules.info(rules::RuleId(i));
    for (const auto& [attribute, value] : rule.constants) {
      if (rule.into != *alert || attribute != *assigned_to || !holds_text(value.kind())) continue;
      const bool known =
          std::any_of(catalog.departments.begin(), catalog.departments.end(),
                      [&](const api::Department& d) { return d.name == value.as_text(); });
      if (known) continue;
      mistakes.push_back(
          fmt::format("{}:{}: rule {}: assignedTo: there is no department '{}' in "
                      "departments.yaml",
                      rule.file, rule.line, rule.name, value.as_text()));
    }
  }
}

// Reads the files of all packs, kind by kind, and goes on after a mistake to find the others.
class PackLoader {
 public:
  PackLoader(const std::vector<std::string>& folders, Disk& disk, Schema& schema)
      : folders_(folders), disk_(disk), schema_(schema) {}

  Result<LoadedPacks> run() {
    for (const std::string& folder : folders_) {
      if (!disk_.exists(folder)) {
        return fail(ErrorCode::not_found, fmt::format("packs: there is no folder {}", folder));
      }
    }
    auto zones = std::make_shared<ZoneSet>();
    Features zone_features;
    Features map;
    each("types.yaml", [&](const std::string& text, const std::string& file) -> Status {
      FICUS_TRY(connect::TypesFile types, connect::TypesFile::load(text, file, schema_));
      std::move(types.types.begin(), types.types.end(), std::back_inserter(packs_.catalog.types));
      return {};
    });
    each("zones.geojson", [&](const std::string& text, const std::string& file) {
      return load_zones(text, file, *zones, zone_features);
    });
    each("map.geojson", [&](const std::string& text, const std::string& file) {
      return for_each_feature(text, file, [&](json::JsonValue feature) -> Status {
        map.add(feature);
        return {};
      });
    });
    each("departments.yaml", [&](const std::string& text, const std::string& file) {
      return load_departments(text, file, packs_.catalog);
    });
    each("sources.yaml", [&](const std::string& text, const std::string& file) {
      return load_sources(text, file);
    });
    std::vector<rules::RuleFile> rules;
    each("rules.sql", [&](const std::string& text, const std::string& file) -> Status {
      rules.push_back({file, text});
      return {};
    });
    zones->build_index();
    packs_.zones = std::move(zones);
    if (mistakes_.empty()) compile_rules(rules);
    if (!mistakes_.empty()) return invalid(fmt::format("{}", fmt::join(mistakes_, "\n")));
    name_own_types(schema_, packs_.catalog);
    packs_.catalog.zones_geojson = zone_features.collection();
    packs_.catalog.map_geojson = map.collection();
    packs_.parts.assign(fingerprints_.begin(), fingerprints_.end());
    return std::move(packs_);
  }

 private:
  // Calls `load` with every pack's file of this name.
  template <typename Load>
  void each(const std::string& name, Load load) {
    for (const std::string& folder : folders_) {
      const std::string file = folder + "/" + name;
      const auto text = read_optional(disk_, file);
      if (!text) {
        mistakes_.push_back(text.error().message);
        continue;
      }
      if (!*text) continue;
      std::uint64_t& fingerprint = fingerprints_[name];
      fingerprint = hash_mix(fingerprint, hash64(**text));
      if (const Status status = load(**text, file); !status) {
        mistakes_.push_back(status.error().message);
      }
    }
  }

  Status load_sources(const std::string& text, const std::string& file) {
    FICUS_TRY(connect::SourcesFile sources,
              connect::SourcesFile::load(text, file, {schema_, disk_}));
    for (connect::SourceDeclaration& source : sources.sources) {
      const auto other =
          std::ranges::find(packs_.sources, source.name, &connect::SourceDeclaration::name);
      if (other != packs_.sources.end()) {
        mistakes_.push_back(fmt::format("{}:{}: source '{}' is declared already at {}:{}",
                                        source.file, source.line, source.name, other->file,
                                        other->line));
        continue;
      }
      packs_.sources.push_back(std::move(source));
    }
    return {};
  }

  void compile_rules(const std::vector<rules::RuleFile>& files) {
    auto compiled = rules::RuleSet::compile(files, schema_, packs_.zones);
    if (!compiled) {
      mistakes_.push_back(compiled.error().message);
      return;
    }
    packs_.rules = *std::move(compiled);
    check_departments(*packs_.rules, packs_.catalog, schema_, mistakes_);
  }

  const std::vector<std::string>& folders_;
  Disk& disk_;
  Schema& schema_;
  LoadedPacks packs_;
  std::map<std::string, std::uint64_t> fingerprints_;
  std::vector<std::string> mistakes_;
};

}  // namespace

Result<LoadedPacks> LoadedPacks::load(const std::vector<std::string>& folders, Disk& disk,
                                      Schema& schema) {
  return PackLoader(folders, disk, schema).run();
}

std::vector<std::string> LoadedPacks::warnings(const Schema& schema) const {
  std::set<TypeId> looked_at;  // by rules
  std::set<TypeId> filled;     // by sources and rules
  for (std::uint32_t i = 0; i < rules->rule_count(); ++i) {
    const rules::RuleInfo& rule = rules->info(rules::RuleId(i));
    looked_at.insert(rule.from);
    filled.insert(rule.into);
  }
  std::vector<std::string> warnings;
  for (const connect::SourceDeclaration& source : sources) {
    std::vector<TypeId> types;
    if (source.mapping != nullptr) {
      types = source.mapping->types();
    } else {  // AIS: docs/SOURCES.md names its types
      for (const char* name : {"Vessel", "AisBaseStation", "AidToNavigation", "SarAircraft"}) {
        if (const auto type = schema.find_type(name)) types.push_back(*type);
      }
    }
    filled.insert(types.begin(), types.end());
    if (std::ranges::none_of(types, [&](TypeId type) { return looked_at.contains(type); })) {
      warnings.push_back(fmt::format("{}:{}: no rule looks at what the source '{}' brings",
                                     source.file, source.line, source.name));
    }
  }
  const auto is_own = [](std::string_view name) {
    return name == "Alert" || name == "Configuration" || name == "Vessel" ||
           name == "AisBaseStation" || name == "AidToNavigation" || name == "SarAircraft";
  };
  for (const connect::TypeDeclaration& type : catalog.types) {
    if (filled.contains(type.id) || is_own(type.name)) continue;
    warnings.push_back(
        fmt::format("types.yaml: no source and no rule fills the type '{}'", type.name));
  }
  return warnings;
}

}  // namespace ficus::app
