#include "connect/mapping/sources_file.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <system_error>
#include <utility>

#include "codec/yaml/yaml_map.h"
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

// "udp://127.0.0.1:10110", "tcp://[::1]:5000"
bool read_endpoint(std::string_view text, AisSource& out) {
  if (text.starts_with("udp://")) {
    out.transport = AisSource::Transport::udp;
  } else if (text.starts_with("tcp://")) {
    out.transport = AisSource::Transport::tcp;
  } else {
    return false;
  }
  text.remove_prefix(6);
  const std::size_t colon = text.rfind(':');
  if (colon == std::string_view::npos) return false;
  std::string_view host = text.substr(0, colon);
  const std::string_view port = text.substr(colon + 1);
  const auto read = std::from_chars(port.data(), port.data() + port.size(), out.port);
  if (read.ec != std::errc() || read.ptr != port.data() + port.size() || out.port == 0)
    return false;
  if (host.starts_with('[') != host.ends_with(']')) return false;
  if (host.starts_with('[')) host = host.substr(1, host.size() - 2);
  if (host.empty() || host.find_first_of("/ []") != std::string_view::npos) return false;
  out.host = host;
  return true;
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
    const YamlNode* mqtt = map.find("mqtt");
    const YamlNode* http = map.find("http");
    const YamlNode* ais = map.find("ais");
    const YamlNode* format = map.find("format");
    const YamlNode* mapping = map.find("map");
    map.finish();
    if (node_.kind != YamlNode::Kind::map) return std::nullopt;
    const int connectors = (mqtt != nullptr) + (http != nullptr) + (ais != nullptr);
    if (connectors != 1) {
      mistakes_.add(node_.place, fmt::format("source has {} of mqtt, http and ais: expected one",
                                             connectors == 0 ? "none" : "several"));
      return std::nullopt;
    }
    const bool is_connected = mqtt != nullptr   ? load_mqtt(*mqtt)
                              : http != nullptr ? load_http(*http)
                                                : load_ais(*ais);
    if (ais != nullptr) {
      if (mapping != nullptr) {
        mistakes_.add(mapping->place, "AIS has a fixed mapping to Vessel: leave 'map' out");
      }
      if (format != nullptr)
        mistakes_.add(format->place, "AIS has a fixed format: leave 'format' out");
    } else if (mapping == nullptr) {
      mistakes_.add(node_.place, "source has no 'map': expected how its payload becomes entities");
    } else if (is_connected) {
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

  bool load_mqtt(const YamlNode& node) {
    YamlMap map(node, "'mqtt'", mistakes_);
    const YamlNode* topic = map.require("topic", "a topic such as city/{line}/vehicle/{vehicle}");
    map.finish();
    if (topic == nullptr) return false;
    auto pattern = TopicPattern::compile(topic->text);
    if (!pattern) {
      mistakes_.add(topic->place,
                    fmt::format("topic '{}': {}", topic->text, pattern.error().message));
      return false;
    }
    placeholders_ = pattern->names();
    source_.connector = MqttSource{*std::move(pattern)};
    return true;
  }

  bool load_http(const YamlNode& node) {
    HttpSource http;
    if (node.kind != YamlNode::Kind::null) {
      YamlMap map(node, "'http'", mistakes_);
      const YamlNode* parameters = map.find("parameters");
      map.finish();
      for (const YamlNode* parameter :
           parameters == nullptr ? std::vector<const YamlNode*>() : read_list(*parameters)) {
        if (!is_placeholder_name(parameter->text)) {
          mistakes_.add(parameter->place,
                        fmt::format("'{}' is not a parameter's name: expected letters, digits and "
                                    "'_'",
                                    parameter->text));
          continue;
        }
        http.parameters.push_back(parameter->text);
      }
    }
    placeholders_ = http.parameters;
    source_.connector = std::move(http);
    return true;
  }

  bool load_ais(const YamlNode& node) {
    YamlMap map(node, "'ais'", mistakes_);
    const YamlNode* listen = map.find("listen");
    const YamlNode* connect = map.find("connect");
    map.finish();
    if (node.kind != YamlNode::Kind::map) return false;
    if ((listen != nullptr) == (connect != nullptr)) {
      mistakes_.add(node.place, "expected either 'listen' or 'connect' for 'ais'");
      return false;
    }
    AisSource ais;
    ais.is_listening = listen != nullptr;
    const YamlNode& endpoint = listen != nullptr ? *listen : *connect;
    const bool is_read = read_endpoint(endpoint.text, ais);
    if (!is_read || (!ais.is_listening && ais.transport == AisSource::Transport::udp)) {
      mistakes_.add(endpoint.place,
                    fmt::format("expected {} for '{}', found '{}'",
                                ais.is_listening ? "udp://ADDRESS:PORT or tcp://ADDRESS:PORT"
                                                 : "tcp://HOST:PORT",
                                ais.is_listening ? "listen" : "connect", endpoint.text));
      return false;
    }
    source_.connector = std::move(ais);
    return true;
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
    const RuleContext context{mistakes_,         environment_.schema,
                              environment_.disk, environment_.zone_directory,
                              placeholders_,     1};
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
  std::vector<std::string> placeholders_;
};

}  // namespace

const char* SourceDeclaration::protocol() const {
  constexpr const char* kNames[] = {"mqtt", "http", "ais"};
  static_assert(std::variant_size_v<decltype(connector)> == 3);
  return kNames[connector.index()];
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
