#include "connect/mapping/connector_loader.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <system_error>
#include <utility>

#include "base/disk.h"
#include "codec/yaml/yaml_map.h"
#include "connect/mapping/duration.h"
#include "connect/mapping/text_template.h"

namespace ficus::connect {
namespace {

constexpr std::size_t kColumnsMax = 10'000;

struct Endpoint {
  std::string host;
  std::string port;  // empty if there is none
  std::string rest;  // from the first '/', or empty

  std::string host_port(std::string_view default_port) const {
    const bool is_v6 = host.find(':') != std::string::npos;
    return fmt::format("{}{}{}:{}", is_v6 ? "[" : "", host, is_v6 ? "]" : "",
                       port.empty() ? default_port : port);
  }
};

bool is_port(std::string_view text) {
  std::uint16_t port = 0;
  const auto read = std::from_chars(text.data(), text.data() + text.size(), port);
  return read.ec == std::errc() && read.ptr == text.data() + text.size() && port != 0;
}

// "127.0.0.1:10110", "[::1]:5000/path", "broker.city.cn". User information is refused: secrets have
// a place of their own.
std::optional<Endpoint> read_endpoint(std::string_view text) {
  Endpoint out;
  const std::size_t slash = std::min(text.find_first_of("/?#"), text.size());
  out.rest = text.substr(slash);
  std::string_view host = text.substr(0, slash);
  const std::size_t bracket = host.rfind(']');
  const std::size_t colon = host.rfind(':');
  if (colon != std::string_view::npos && (bracket == std::string_view::npos || colon > bracket)) {
    out.port = host.substr(colon + 1);
    host = host.substr(0, colon);
    if (!is_port(out.port)) return std::nullopt;
  }
  if (host.starts_with('[') != host.ends_with(']')) return std::nullopt;
  if (host.starts_with('[')) host = host.substr(1, host.size() - 2);
  if (host.empty() || host.find_first_of(" []@") != std::string_view::npos) return std::nullopt;
  out.host = host;
  return out;
}

// What stands behind "mqtt://" or "mqtts://", as `scheme` says; nothing if it begins otherwise.
std::optional<Endpoint> read_url(std::string_view text, std::string_view scheme,
                                 bool& is_encrypted) {
  if (!text.starts_with(scheme)) return std::nullopt;
  text.remove_prefix(scheme.size());
  is_encrypted = text.starts_with("s://");
  if (!is_encrypted && !text.starts_with("://")) return std::nullopt;
  return read_endpoint(text.substr(text.find("//") + 2));
}

class ConnectorLoader {
 public:
  ConnectorLoader(std::string_view source_name, Mistakes& mistakes)
      : source_name_(source_name), mistakes_(mistakes) {}

  bool load(std::string_view kind, const YamlNode& node) {
    if (kind == "http" && node.kind == YamlNode::Kind::null) {
      out_.connector = HttpSource{};
      return true;
    }
    const std::size_t before = mistakes_.size();
    YamlMap map(node, fmt::format("'{}'", kind), mistakes_);
    if (kind == "mqtt") {
      load_mqtt(map);
    } else if (kind == "http") {
      load_http(map);
    } else if (kind == "ais") {
      load_ais(map);
    } else if (kind == "mqtt_client") {
      load_mqtt_client(map);
    } else if (kind == "http_poll") {
      load_http_poll(map);
    } else {
      load_files(map);
    }
    return mistakes_.size() == before;
  }

  LoadedConnector take() { return std::move(out_); }

 private:
  void mistake(const YamlNode& node, std::string message) {
    mistakes_.add(node.place, std::move(message));
  }

  void load_topic(const YamlNode* node, TopicPattern& topic) {
    if (node == nullptr) return;
    auto pattern = TopicPattern::compile(node->text);
    if (!pattern) {
      return mistake(*node, fmt::format("topic '{}': {}", node->text, pattern.error().message));
    }
    out_.placeholders = pattern->names();
    topic = *std::move(pattern);
  }

  void load_mqtt(YamlMap& map) {
    const YamlNode* topic = map.require("topic", "a topic such as city/{line}/vehicle/{vehicle}");
    map.finish();
    MqttSource mqtt;
    load_topic(topic, mqtt.topic);
    out_.connector = std::move(mqtt);
  }

  void load_http(YamlMap& map) {
    const YamlNode* parameters = map.find("parameters");
    map.finish();
    HttpSource http;
    if (parameters != nullptr) {
      for (const YamlNode* parameter : read_list(*parameters)) {
        if (!is_placeholder_name(parameter->text)) {
          mistake(*parameter, fmt::format("'{}' is not a parameter's name: expected letters, "
                                          "digits and '_'",
                                          parameter->text));
          continue;
        }
        http.parameters.push_back(parameter->text);
      }
    }
    out_.placeholders = http.parameters;
    out_.connector = std::move(http);
  }

  void load_ais(YamlMap& map) {
    const YamlNode* listen = map.find("listen");
    const YamlNode* connect = map.find("connect");
    map.finish();
    if ((listen != nullptr) == (connect != nullptr)) {
      mistakes_.add(map.place(), "expected either 'listen' or 'connect' for 'ais'");
      return;
    }
    AisSource ais;
    ais.is_listening = listen != nullptr;
    const YamlNode& node = listen != nullptr ? *listen : *connect;
    const bool is_udp = node.text.starts_with("udp://");
    const bool is_known = is_udp || node.text.starts_with("tcp://");
    const auto endpoint =
        is_known ? read_endpoint(std::string_view(node.text).substr(6)) : std::optional<Endpoint>();
    if (!endpoint || endpoint->port.empty() || !endpoint->rest.empty() ||
        (is_udp && !ais.is_listening)) {
      return mistake(node, fmt::format("expected {} for '{}', found '{}'",
                                       ais.is_listening ? "udp://ADDRESS:PORT or tcp://ADDRESS:PORT"
                                                        : "tcp://HOST:PORT",
                                       ais.is_listening ? "listen" : "connect", node.text));
    }
    ais.transport = is_udp ? AisSource::Transport::udp : AisSource::Transport::tcp;
    ais.host = endpoint->host;
    std::from_chars(endpoint->port.data(), endpoint->port.data() + endpoint->port.size(), ais.port);
    out_.connector = std::move(ais);
  }

  std::string path_of(const std::string& path) const {
    if (path.starts_with('/')) return path;
    const std::string folder = parent_directory(mistakes_.file());
    return folder == "." ? path : folder + "/" + path;
  }

  void load_secret(const YamlNode& node, std::string_view what, SecretPlace& out) {
    if (node.kind != YamlNode::Kind::map) {
      return mistake(node, fmt::format("a secret does not belong into this file: expected {}: "
                                       "{{file: PATH}} or {{environment: NAME}}",
                                       what));
    }
    YamlMap map(node, fmt::format("'{}'", what), mistakes_);
    const auto file = map.text("file");
    const auto variable = map.text("environment");
    map.finish();
    if (file.has_value() == variable.has_value()) {
      return mistake(node,
                     fmt::format("expected {}: {{file: PATH}} or {{environment: NAME}}", what));
    }
    if (file) out.file = path_of(*file);
    if (variable) out.variable = *variable;
  }

  void load_tls(const YamlNode* node, bool is_encrypted, TlsPlaces& tls) {
    if (node == nullptr) return;
    if (!is_encrypted) mistake(*node, "'tls' goes with mqtts:// or https:// only");
    YamlMap map(*node, "'tls'", mistakes_);
    if (const auto ca = map.text("ca")) tls.ca = path_of(*ca);
    if (const auto certificate = map.text("certificate")) tls.certificate = path_of(*certificate);
    if (const auto key = map.text("key")) tls.key = path_of(*key);
    map.finish();
    if (tls.certificate.empty() != tls.key.empty()) {
      mistake(*node, "'certificate' and 'key' go together");
    }
  }

  Micros duration(const YamlNode* node, std::string_view what, Micros otherwise, Micros min) {
    if (node == nullptr) return otherwise;
    const auto length = read_duration(node->text);
    if (length && *length >= min) return *length;
    mistake(*node, fmt::format("expected a duration such as 90s, 15m, 24h or 7d for '{}', at least "
                               "{} s, found '{}'",
                               what, min.count / 1'000'000, node->text));
    return otherwise;
  }

  void load_mqtt_client(YamlMap& map) {
    MqttClientSource mqtt;
    const YamlNode* connect = map.require("connect", "a broker such as mqtt://broker.city.cn:1883");
    const YamlNode* topic = map.require("topic", "a topic such as city/{line}/vehicle/{vehicle}");
    mqtt.client_id = map.text("client_id").value_or(fmt::format("ficus-{}", source_name_));
    mqtt.user = map.text("user").value_or("");
    const YamlNode* password = map.find("password");
    mqtt.qos = map.integer("qos", 0, 1).value_or(1);
    const YamlNode* version = map.find("version");
    const YamlNode* keep = map.find("session_expiry");
    const YamlNode* tls = map.find("tls");
    map.finish();
    load_topic(topic, mqtt.topic);
    if (connect != nullptr) load_broker(*connect, mqtt);
    if (password != nullptr) load_secret(*password, "password", mqtt.password);
    if (password != nullptr && mqtt.user.empty()) mistake(*password, "a password needs a 'user'");
    if (version != nullptr) {
      mqtt.is_v5 = version->text == "5" || version->text == "5.0";
      if (!mqtt.is_v5 && version->text != "3.1.1") {
        mistake(*version,
                fmt::format("expected 5.0 or 3.1.1 for 'version', found '{}'", version->text));
      }
    }
    mqtt.session_expiry = duration(keep, "session_expiry", mqtt.session_expiry, {});
    load_tls(tls, mqtt.is_encrypted, mqtt.tls);
    out_.connector = std::move(mqtt);
  }

  void load_broker(const YamlNode& node, MqttClientSource& mqtt) {
    const auto endpoint = read_url(node.text, "mqtt", mqtt.is_encrypted);
    if (!endpoint || !endpoint->rest.empty()) {
      return mistake(node, fmt::format("expected mqtt://HOST:PORT or mqtts://HOST:PORT for "
                                       "'connect', found '{}'",
                                       node.text));
    }
    mqtt.host_port = endpoint->host_port(mqtt.is_encrypted ? "8883" : "1883");
  }

  void load_headers(const YamlNode* node, HttpPollSource& http) {
    if (node == nullptr) return;
    if (node->kind != YamlNode::Kind::map) {
      return mistake(
          *node, fmt::format("expected a map of headers, found {}", yaml_kind_name(node->kind)));
    }
    for (std::size_t i = 0; i < node->children.size(); ++i) {
      HttpPollSource::Header header;
      header.name = node->keys[i].text;
      const YamlNode& value = node->children[i];
      const bool is_token = !header.name.empty() && std::ranges::all_of(header.name, [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
               c == '-' || c == '_';
      });
      if (!is_token) {
        mistakes_.add(node->keys[i].place, fmt::format("'{}' is not a header's name", header.name));
      }
      const bool must_be_secret = header.name == "Authorization" || header.name == "Cookie";
      if (value.kind == YamlNode::Kind::map || must_be_secret) {
        load_secret(value, header.name, header.secret);  // of a plain text: says where it belongs
      } else if (const auto text = read_text(value, "a header's value", mistakes_)) {
        header.value = *text;
      }
      http.headers.push_back(std::move(header));
    }
  }

  void load_http_poll(YamlMap& map) {
    HttpPollSource http;
    const YamlNode* url = map.require("url", "a URL such as http://parking.city.cn/api/lots");
    const YamlNode* every = map.find("every");
    const YamlNode* headers = map.find("headers");
    const YamlNode* body = map.find("body");
    const YamlNode* csv = map.find("csv");
    const int mib = map.integer("body_mib_max", 1, 256).value_or(16);
    const YamlNode* tls = map.find("tls");
    map.finish();
    if (url != nullptr) load_url(*url, http);
    http.every = duration(every, "every", http.every, Micros::from_seconds(1));
    load_headers(headers, http);
    http.body = body_format(body, false);
    load_csv(csv, http.body, http.csv);
    http.body_bytes_max = static_cast<std::size_t>(mib) << 20;
    load_tls(tls, http.is_encrypted, http.tls);
    out_.connector = std::move(http);
  }

  void load_url(const YamlNode& node, HttpPollSource& http) {
    const std::string_view text = node.text;
    const auto endpoint = read_url(text, "http", http.is_encrypted);
    const bool is_plain = std::ranges::all_of(text, [](char c) { return c > ' ' && c < 0x7f; });
    if (!endpoint || !is_plain || endpoint->rest.find('#') != std::string::npos) {
      return mistake(node, fmt::format("expected http://HOST:PORT/PATH or https://HOST:PORT/PATH "
                                       "for 'url', percent-encoded and without a user, found '{}'",
                                       text.substr(0, text.find_first_of("?@"))));
    }
    http.url = text;
    http.host_port = endpoint->host_port(http.is_encrypted ? "443" : "80");
    http.target = endpoint->rest.starts_with('/') ? endpoint->rest : "/" + endpoint->rest;
  }

  BodyFormat body_format(const YamlNode* node, bool is_file) {
    if (node == nullptr) return BodyFormat::by_type;
    if (node->text == "json") return BodyFormat::json;
    if (node->text == "lines") return BodyFormat::lines;
    if (node->text == "csv") return BodyFormat::csv;
    if (is_file && node->text == "parquet") return BodyFormat::parquet;
    mistake(*node,
            fmt::format("unknown {} '{}': expected json, lines{}", is_file ? "format" : "body",
                        node->text, is_file ? ", csv or parquet" : " or csv"));
    return BodyFormat::by_type;
  }

  void load_csv(const YamlNode* node, BodyFormat format, CsvFormat& csv) {
    if (node == nullptr) return;
    if (format != BodyFormat::csv && format != BodyFormat::by_type) {
      mistake(*node, "'csv' says how CSV is written, but the format is another");
    }
    YamlMap map(*node, "'csv'", mistakes_);
    const YamlNode* delimiter = map.find("delimiter");
    const YamlNode* encoding = map.find("encoding");
    const YamlNode* columns = map.find("columns");
    map.finish();
    if (encoding != nullptr) load_encoding(*encoding, csv);
    if (delimiter != nullptr) load_delimiter(*delimiter, csv);
    if (columns != nullptr) {
      for (const YamlNode* column : read_list(*columns)) {
        if (auto name = read_text(*column, "a column's name", mistakes_)) {
          csv.columns.push_back(*std::move(name));
        }
      }
      if (csv.columns.empty() || csv.columns.size() > kColumnsMax) {
        mistake(*columns, "expected the names of the columns, for a file without a line of names");
      }
    }
  }

  void load_encoding(const YamlNode& node, CsvFormat& csv) {
    if (node.text == "UTF-8") {
      csv.encoding = csv::TextEncoding::utf8;
    } else if (node.text == "GB18030" || node.text == "GBK" || node.text == "GB2312") {
      csv.encoding = csv::TextEncoding::gb18030;  // the others are subsets
    } else {
      mistake(node,
              fmt::format("unknown encoding '{}': expected UTF-8 or GB18030 (also GBK, GB2312)",
                          node.text));
    }
  }

  void load_delimiter(const YamlNode& node, CsvFormat& csv) {
    const std::string& text = node.text;
    if (text == "tab" || text == "\t") {
      csv.delimiter = '\t';
    } else if (text == "," || text == ";" || text == "|") {
      csv.delimiter = text[0];
    } else {
      mistake(node, fmt::format("expected ',', ';', '|' or tab for 'delimiter', found '{}'", text));
    }
    // Characters of GB18030 have this byte as their second.
    if (csv.delimiter == '|' && csv.encoding == csv::TextEncoding::gb18030) {
      mistake(node, "'|' cannot be told apart from parts of characters in GB18030");
    }
  }

  void load_files(YamlMap& map) {
    FilesSource files;
    const YamlNode* folder = map.require("folder", "the folder that the files are put into");
    files.names = map.text("names").value_or(files.names);
    const YamlNode* format = map.find("format");
    const YamlNode* csv = map.find("csv");
    const YamlNode* every = map.find("every");
    const YamlNode* quiet = map.find("quiet");
    map.finish();
    if (folder != nullptr) files.folder = path_of(folder->text);
    if (files.names.find('/') != std::string::npos) {
      mistakes_.add(map.place(), "'names' is about names within the folder: it cannot hold '/'");
    }
    files.format = body_format(format, true);
    if (files.format == BodyFormat::json) {
      mistake(*format,
              "files of JSON are read line by line: expected format lines, csv or parquet");
    }
    load_csv(csv, files.format, files.csv);
    files.every = duration(every, "every", files.every, Micros::from_seconds(1));
    files.quiet = duration(quiet, "quiet", files.quiet, {});
    out_.placeholders = {"file"};
    out_.connector = std::move(files);
  }

  const std::string_view source_name_;
  Mistakes& mistakes_;
  LoadedConnector out_;
};

}  // namespace

std::optional<LoadedConnector> load_connector(std::string_view kind, const YamlNode& node,
                                              std::string_view source_name, Mistakes& mistakes) {
  ConnectorLoader loader(source_name, mistakes);
  if (!loader.load(kind, node)) return std::nullopt;
  return loader.take();
}

}  // namespace ficus::connect
