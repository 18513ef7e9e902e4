#include "connect/mapping/sources_file.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <utility>

#include "codec/yaml/yaml_map.h"
#include "connect/mapping/connector_loader.h"
#include "connect/mapping/item_rule_loader.h"

namespace ficus::connect {
namespace {

// A source's name is part of URLs, metrics and file names.
bool is_source_name(std::string_view name) {
  return !name.empty() && name.size() <= 64 && std::ranges::all_of(name, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '_';
  });
}

class SourceLoader {
 public:
  SourceLoader(const YamlNode& node, const SourcesFile::Environment& environment,
               Mistakes& mistakes)
      : node_(node), environment_(environment), mistakes_(mistakes) {}

  std::optional<SourceDeclaration> run() {
    const std::size_t before = mistakes_.size();
    YamlMap map(node_, "source", mistakes_);
    load_name(map);
    source_.label = map.label();
    source_.is_simulated = map.boolean("simulated", false);
    const YamlNode* connector = nullptr;
    std::string_view kind;
    int connectors = 0;
    for (const char* name : kConnectorNames) {
      const YamlNode* found = map.find(name);
      if (found == nullptr) continue;
      connector = found;
      kind = name;
      ++connectors;
    }
    const YamlNode* format = map.find("format");
    const YamlNode* mapping = map.find("map");
    map.finish();
    if (node_.kind != YamlNode::Kind::map) return std::nullopt;
    if (connectors != 1) {
      mistakes_.add(node_.place, fmt::format("source has {} of {}: expected one",
                                             connectors == 0 ? "none" : "several",
                                             fmt::join(kConnectorNames, ", ")));
      return std::nullopt;
    }
    auto loaded = load_connector(kind, *connector, source_.name, mistakes_);
    if (loaded) {
      source_.connector = std::move(loaded->connector);
      source_.placeholders = std::move(loaded->placeholders);
    }
    if (kind == "ais") {
      if (mapping != nullptr) {
        mistakes_.add(mapping->place, "AIS has a fixed mapping to Vessel: leave 'map' out");
      }
      if (format != nullptr)
        mistakes_.add(format->place, "AIS has a fixed format: leave 'format' out");
    } else if (mapping == nullptr) {
      mistakes_.add(node_.place, "source has no 'map': expected how its payload becomes entities");
    } else if (loaded) {
      load_mapping(*mapping, payload_format(format));
    }
    if (mistakes_.size() != before) return std::nullopt;
    return std::move(source_);
  }

 private:
  void load_name(YamlMap& map) {
    source_.file = mistakes_.file();
    source_.line = node_.place.line;
    const YamlNode* node = map.require("name", "a short name such as vehicles");
    if (node == nullptr) return;
    source_.name = node->text;
    if (!is_source_name(node->text)) {
      mistakes_.add(node->place, fmt::format("'{}' is not a name for a source: expected letters, "
                                             "digits, '-' and '_', at most 64",
                                             node->text));
    }
  }

  PayloadFormat payload_format(const YamlNode* node) {
    if (node == nullptr || node->text == "json") return PayloadFormat::json;
    if (node->text != "text") {
      mistakes_.add(node->place,
                    fmt::format("unknown format '{}': expected json or text", node->text));
    }
    return PayloadFormat::text;
  }

  void load_mapping(const YamlNode& node, PayloadFormat format) {
    const RuleContext context{mistakes_,
                              environment_.schema,
                              environment_.disk,
                              environment_.zone_directory,
                              source_.placeholders,
                              1};
    std::vector<ItemRule> rules;
    const std::vector<const YamlNode*> maps = read_list(node);
    if (maps.empty()) mistakes_.add(node.place, "'map' is empty: expected a map");
    for (const YamlNode* map : maps) {
      if (auto rule = load_item_rule(*map, context)) rules.push_back(*std::move(rule));
    }
    if (!rules.empty()) {
      source_.mapping = std::make_shared<const Mapping>(format, std::move(rules));
    }
  }

  const YamlNode& node_;
  const SourcesFile::Environment& environment_;
  Mistakes& mistakes_;
  SourceDeclaration source_;
};

}  // namespace

const char* SourceDeclaration::protocol() const {
  static_assert(std::variant_size_v<Connector> == std::size(kConnectorNames));
  return kConnectorNames[connector.index()];
}

Result<SourcesFile> SourcesFile::load(std::string_view text, std::string_view file,
                                      const Environment& environment) {
  Mistakes mistakes(file);
  SourcesFile result;
  YamlNode root;
  if (parse_yaml(text, root, mistakes) && root.kind != YamlNode::Kind::null) {
    YamlMap map(root, "the file", mistakes);
    const YamlNode* sources = map.require("sources", "a list of sources");
    // Pieces to refer to with YAML's anchors and aliases.
    map.find("definitions");
    map.finish();
    if (sources != nullptr && sources->kind != YamlNode::Kind::sequence &&
        sources->kind != YamlNode::Kind::null) {
      mistakes.add(sources->place, fmt::format("expected a list of sources, found {}",
                                               yaml_kind_name(sources->kind)));
    } else if (sources != nullptr) {
      for (const YamlNode& node : sources->children) {
        auto source = SourceLoader(node, environment, mistakes).run();
        if (!source) continue;
        const auto twin = std::ranges::find(result.sources, source->name, &SourceDeclaration::name);
        if (twin != result.sources.end()) {
          mistakes.add(node.place,
                       fmt::format("the source '{}' is declared twice, first in line {}",
                                   source->name, twin->line));
        }
        result.sources.push_back(*std::move(source));
      }
    }
  }
  if (!mistakes.empty()) return std::unexpected(mistakes.to_error());
  return result;
}

}  // namespace ficus::connect
