#include "app/config.h"

#include <fmt/format.h>

#include "base/disk.h"
#include "codec/yaml/yaml_map.h"
#include "net/address.h"

namespace ficus::app {
namespace {

constexpr int kMillion = 1'000'000;

std::string from_folder_of(std::string_view file, const std::string& path) {
  if (path.starts_with('/')) return path;
  const std::string folder = parent_directory(file);
  return folder == "." ? path : folder + "/" + path;
}

// One section of the file: reads what is there, leaves the defaults for what is not.
class Section {
 public:
  Section(YamlMap& map) : map_(map) {}

  void integer(std::string_view key, int min, int max, int& value) {
    if (const auto given = map_.integer(key, min, max)) value = *given;
  }
  void text(std::string_view key, std::string& value) {
    if (auto given = map_.text(key)) value = *std::move(given);
  }

 private:
  YamlMap& map_;
};

// One address or a list of them; "" is none.
void read_addresses(YamlMap& map, std::string_view key, std::vector<std::string>& addresses,
                    Mistakes& mistakes) {
  const YamlNode* const node = map.find(key);
  if (node == nullptr) return;
  addresses.clear();
  for (const YamlNode* const one : read_list(*node)) {
    auto address = read_text(*one, key, mistakes);
    if (address && !address->empty()) addresses.push_back(*std::move(address));
  }
}

void read_http(YamlMap& map, Config::Http& http, Mistakes& mistakes) {
  read_addresses(map, "listen", http.listen, mistakes);
  read_addresses(map, "listen_tls", http.listen_tls, mistakes);
  Section in(map);
  in.integer("connections_max", 1, kMillion, http.connections_max);
  in.integer("held_mib_max", 1, kMillion, http.held_mib_max);
  in.integer("body_bytes_per_second_min", 0, kMillion, http.body_bytes_per_second_min);
  in.integer("answer_bytes_per_second_min", 0, kMillion, http.answer_bytes_per_second_min);
}

void read_live(Section in, Config::Live& live) {
  in.integer("clients_max", 1, kMillion, live.clients_max);
  in.integer("clients_per_user_max", 1, kMillion, live.clients_per_user_max);
}

void read_access(Section in, std::string_view file, Config::Access& access) {
  in.text("users", access.users);
  if (!access.users.empty()) access.users = from_folder_of(file, access.users);
  in.integer("logins_waiting_max", 1, 10'000, access.logins_waiting_max);
  in.integer("session_idle_hours_max", 1, 24 * 365, access.session_idle_hours_max);
  in.integer("session_hours_max", 1, 24 * 365, access.session_hours_max);
}

void read_mqtt(YamlMap& map, Config::Mqtt& mqtt, Mistakes& mistakes) {
  read_addresses(map, "listen", mqtt.listen, mistakes);
  read_addresses(map, "listen_tls", mqtt.listen_tls, mistakes);
  Section in(map);
  in.integer("connections_max", 1, kMillion, mqtt.connections_max);
  in.integer("packet_kib_max", 1, 32 * 1024, mqtt.packet_kib_max);
  in.integer("session_messages_max", 1, 10 * kMillion, mqtt.session_messages_max);
  in.integer("session_kib_max", 1, 1024 * 1024, mqtt.session_kib_max);
  in.integer("queued_mib_max", 1, 1024 * 1024, mqtt.queued_mib_max);
  in.integer("retained_messages_max", 1, 10 * kMillion, mqtt.retained_messages_max);
  in.integer("retained_mib_max", 1, 1024 * 1024, mqtt.retained_mib_max);
  in.integer("receive_maximum", 1, 65'535, mqtt.receive_maximum);
  in.integer("topic_alias_max", 0, 65'535, mqtt.topic_alias_max);
  in.integer("keep_alive_seconds_max", 0, 65'535, mqtt.keep_alive_seconds_max);
  in.integer("session_hours_max", 1, 24 * 365, mqtt.session_hours_max);
}

void read_twin(Section in, Config::Twin& twin) {
  in.integer("entities_max", 1, 100 * kMillion, twin.entities_max);
  in.integer("duplicate_window_rows", 1, 100 * kMillion, twin.duplicate_window_rows);
}

void read_history(Section in, Config::History& history) {
  in.integer("commit_interval_ms", 10, 10'000, history.commit_interval_ms);
  in.integer("tail_rows_max", 1000, 100 * kMillion, history.tail_rows_max);
  in.integer("tail_hours_max", 1, 24 * 365, history.tail_hours_max);
  in.integer("retention_days", 0, 36'500, history.retention_days);
  in.integer("memory_mib_max", 64, kMillion, history.memory_mib_max);
  in.integer("threads", 1, 256, history.threads);
}

void read_log(YamlMap& map, Config::Log& log, Mistakes& mistakes) {
  Section in(map);
  in.integer("sync_interval_ms", 1, 60'000, log.sync_interval_ms);
  in.integer("segment_mib_max", 1, 4096, log.segment_mib_max);
  in.integer("snapshot_mib_every", 1, kMillion, log.snapshot_mib_every);
  in.integer("disk_reserve_mib", 1, kMillion, log.disk_reserve_mib);
  const auto sync = map.text("sync");
  if (!sync) return;
  if (*sync == "each_commit") {
    log.sync = log::SyncPolicy::each_commit;
  } else if (*sync == "interval") {
    log.sync = log::SyncPolicy::interval;
  } else if (*sync == "never") {
    log.sync = log::SyncPolicy::never;
  } else {
    mistakes.add(map.find("sync")->place,
                 "sync: " + expected_one_of(*sync, {"each_commit", "interval", "never"}));
  }
}

void read_log_level(YamlMap& map, LogLevel& level, Mistakes& mistakes) {
  const auto text = map.text("log_level");
  if (!text) return;
  if (*text == "debug") {
    level = LogLevel::debug;
  } else if (*text == "info") {
    level = LogLevel::info;
  } else if (*text == "warning") {
    level = LogLevel::warning;
  } else if (*text == "error") {
    level = LogLevel::error;
  } else {
    mistakes.add(map.find("log_level")->place,
                 "log_level: " + expected_one_of(*text, {"debug", "info", "warning", "error"}));
  }
}

void read_tls(YamlMap& map, std::string_view file, Config::Tls& tls, Mistakes& mistakes) {
  Section in(map);
  for (const auto& [key, path] :
       {std::pair<std::string_view, std::string*>{"certificate", &tls.certificate},
        {"key", &tls.key},
        {"client_ca", &tls.client_ca},
        {"crl_file", &tls.crl_file}}) {
    in.text(key, *path);
    if (!path->empty()) *path = from_folder_of(file, *path);
  }
  const auto wish = map.text("client_certificate");
  if (!wish) return;
  tls.requires_client_certificate = *wish == "required";
  if (*wish != "required" && *wish != "optional") {
    mistakes.add(map.find("client_certificate")->place,
                 "client_certificate: " + expected_one_of(*wish, {"optional", "required"}));
  }
}

Status check_address(const Config& config, std::string_view key, const std::string& listen,
                     bool is_encrypted) {
  const auto address = net::Address::parse(listen);
  if (!address) return in_context(fmt::format("{}: ", key), address.error());
  if (address->is_loopback() || config.allow_remote) return {};
  if (config.access.users.empty()) {
    return invalid(
        fmt::format("{}: {} is reachable from other machines, and nobody needs to log in: name a "
                    "users file in access.users (docs/SECURITY.md), or set allow_remote: true if "
                    "a network you trust protects it",
                    key, listen));
  }
  if (is_encrypted) return {};
  return invalid(
      fmt::format("{}: {} is reachable from other machines and not encrypted: use {}_tls, or set "
                  "allow_remote: true if a network you trust protects it",
                  key, listen, key));
}

// The ports without encryption, and those with.
Status check_listeners(const Config& config) {
  struct Port {
    std::string_view key;
    const std::vector<std::string>& addresses;
    bool is_encrypted;
  };
  for (const Port& port : {Port{"http.listen", config.http.listen, false},
                           Port{"mqtt.listen", config.mqtt.listen, false},
                           Port{"http.listen_tls", config.http.listen_tls, true},
                           Port{"mqtt.listen_tls", config.mqtt.listen_tls, true}}) {
    if (port.addresses.empty() && !port.is_encrypted) {
      return invalid(fmt::format("{}: expected an address, such as 127.0.0.1:8080", port.key));
    }
    for (const std::string& listen : port.addresses) {
      FICUS_TRY_VOID(check_address(config, port.key, listen, port.is_encrypted));
    }
  }
  return {};
}

Status check_tls(const Config& config) {
  const Config::Tls& tls = config.tls;
  if (config.uses_tls() && (tls.certificate.empty() || tls.key.empty())) {
    return invalid(
        "tls: http.listen_tls and mqtt.listen_tls need tls.certificate and tls.key (PEM files): "
        "`ficus tls self-signed DIR` makes a pair for trials");
  }
  if (tls.requires_client_certificate && tls.client_ca.empty()) {
    return invalid(
        "tls.client_certificate: required needs tls.client_ca, the authorities that clients' "
        "certificates come from");
  }
  if (!tls.crl_file.empty() && tls.client_ca.empty()) {
    return invalid("tls.crl_file needs tls.client_ca, the authorities whose lists these are");
  }
  return {};
}

void read_logger(YamlMap& map, LoggerOptions& logger, Mistakes& mistakes) {
  int burst = static_cast<int>(logger.burst_lines);
  int seconds = static_cast<int>(logger.interval.count / Micros::from_seconds(1).count);
  Section in(map);
  in.integer("burst_lines", 0, kMillion, burst);
  in.integer("interval_seconds", 1, 86'400, seconds);
  logger.burst_lines = static_cast<std::uint32_t>(burst);
  logger.interval = Micros::from_seconds(seconds);
  const auto format = map.text("format");
  if (!format) return;
  if (*format == "json") {
    logger.format = LogFormat::json;
  } else if (*format == "logfmt") {
    logger.format = LogFormat::logfmt;
  } else {
    mistakes.add(map.find("format")->place,
                 "format: " + expected_one_of(*format, {"logfmt", "json"}));
  }
}

template <typename Read>
void read_section(YamlMap& root, std::string_view key, Mistakes& mistakes, Read read) {
  const YamlNode* const node = root.find(key);
  if (node == nullptr) return;
  YamlMap map(*node, std::string(key), mistakes);
  read(map);
  map.finish();
}

}  // namespace

Result<Config> Config::parse(std::string_view text, std::string_view file) {
  Config config;
  config.file = file;
  Mistakes mistakes(file);
  YamlNode root;
  if (!parse_yaml(text, root, mistakes)) {
    if (mistakes.empty()) return config;
    return std::unexpected(mistakes.to_error());
  }
  if (root.kind == YamlNode::Kind::null) return config;
  YamlMap map(root, "the configuration", mistakes);
  Section top(map);
  top.text("data_directory", config.data_directory);
  top.integer("shards", 1, 256, config.shards);
  config.allow_remote = map.boolean("allow_remote", config.allow_remote);
  read_log_level(map, config.log_level, mistakes);
  if (const YamlNode* const packs = map.find("packs")) {
    for (const YamlNode* const pack : read_list(*packs)) {
      if (auto folder = read_text(*pack, "a pack's folder", mistakes)) {
        config.packs.push_back(from_folder_of(file, *folder));
      }
    }
  }
  read_section(map, "logger", mistakes,
               [&](YamlMap& m) { read_logger(m, config.logger, mistakes); });
  read_section(map, "http", mistakes, [&](YamlMap& m) { read_http(m, config.http, mistakes); });
  read_section(map, "live", mistakes, [&](YamlMap& m) { read_live(m, config.live); });
  read_section(map, "access", mistakes, [&](YamlMap& m) { read_access(m, file, config.access); });
  read_section(map, "mqtt", mistakes, [&](YamlMap& m) { read_mqtt(m, config.mqtt, mistakes); });
  read_section(map, "tls", mistakes, [&](YamlMap& m) { read_tls(m, file, config.tls, mistakes); });
  read_section(map, "log", mistakes, [&](YamlMap& m) { read_log(m, config.log, mistakes); });
  read_section(map, "twin", mistakes, [&](YamlMap& m) { read_twin(m, config.twin); });
  read_section(map, "history", mistakes, [&](YamlMap& m) { read_history(m, config.history); });
  read_section(map, "sql", mistakes, [&](YamlMap& m) {
    Section in(m);
    in.integer("seconds_max", 1, 3600, config.sql.seconds_max);
    in.integer("rows_max", 1, 100 * kMillion, config.sql.rows_max);
    in.integer("memory_mib_max", 1, kMillion, config.sql.memory_mib_max);
    in.integer("file_mib_max", 1, kMillion, config.sql.file_mib_max);
    in.integer("running_max", 1, 64, config.sql.running_max);
    in.integer("running_per_user_max", 1, 64, config.sql.running_per_user_max);
    in.integer("waiting_max", 1, 10'000, config.sql.waiting_max);
    in.integer("waiting_per_user_max", 1, 10'000, config.sql.waiting_per_user_max);
  });
  read_section(map, "alerts", mistakes, [&](YamlMap& m) {
    Section(m).integer("reopen_within_seconds", 0, 86'400, config.alerts.reopen_within_seconds);
  });
  map.finish();
  if (!mistakes.empty()) return std::unexpected(mistakes.to_error());
  config.data_directory = from_folder_of(file, config.data_directory);
  return config;
}

Status Config::check() const {
  FICUS_TRY_VOID(check_listeners(*this));
  return check_tls(*this);
}

}  // namespace ficus::app
