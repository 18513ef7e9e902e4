#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/logger.h"
#include "base/result.h"
#include "log/log_writer.h"

namespace ficus::app {

// ficus.yaml. Every option, its unit and meaning stand in docs/CONFIGURATION.md; the defaults here
// are the documented ones.
struct Config {
  std::string file;  // where it was read; empty: nothing was read, these are the defaults
  std::string data_directory = "data";
  LogLevel log_level = LogLevel::info;
  int shards = 1;
  std::vector<std::string> packs;  // folders
  bool allow_remote = false;       // listen on other addresses than loopback without TLS

  LoggerOptions logger;

  struct Http {
    std::vector<std::string> listen = {"127.0.0.1:8080"};
    std::vector<std::string> listen_tls = {};
    int connections_max = 10'000;  // of each address
    int held_mib_max = 256;        // bodies being collected and answers not taken yet, together
    int body_bytes_per_second_min = 1024;
    int answer_bytes_per_second_min = 4096;
  } http;

  struct Live {
    int clients_max = 1000;
    int clients_per_user_max = 20;
  } live;

  struct Access {
    std::string users;  // users.yaml (docs/SECURITY.md); empty: everybody may do everything
    int logins_waiting_max = 400;
    int session_idle_hours_max = 12;
    int session_hours_max = 24 * 7;
  } access;

  struct Mqtt {
    std::vector<std::string> listen = {"127.0.0.1:1883"};
    std::vector<std::string> listen_tls = {};
    int connections_max = 10'000;
    int packet_kib_max = 1024;
    int session_messages_max = 10'000;  // queued for a client that is away
    int session_kib_max = 16 * 1024;
    int queued_mib_max = 1024;  // of all clients together
    int retained_messages_max = 1'000'000;
    int retained_mib_max = 1024;
    int receive_maximum = 8192;      // QoS 1 and 2 messages of a client that are not answered yet
    int topic_alias_max = 32;        // of a client; 0: none
    int keep_alive_seconds_max = 0;  // 5.0 clients are told to use at most this; 0: as they wish
    int session_hours_max = 24 * 7;  // a session unused for so long is forgotten
    // What a connection may hold of packets that are not whole.
    std::size_t input_bytes_max() const {
      return (static_cast<std::size_t>(packet_kib_max) << 10) + (std::size_t{64} << 10);
    }
  } mqtt;

  struct Tls {
    std::string certificate = "";  // files, PEM
    std::string key = "";
    std::string client_ca = "";  // given: clients may show a certificate of these authorities
    std::string crl_file = "";   // given: those on these authorities' lists are refused
    bool requires_client_certificate = false;
  } tls;
  bool uses_tls() const { return !http.listen_tls.empty() || !mqtt.listen_tls.empty(); }

  struct Log {
    log::SyncPolicy sync = log::SyncPolicy::each_commit;
    int sync_interval_ms = 1000;
    int segment_mib_max = 256;
    int snapshot_mib_every = 512;
    int disk_reserve_mib = 256;  // of the disk; with less free, new data is refused
  } log;

  struct Twin {
    int entities_max = 2'000'000;  // of one shard
    int duplicate_window_rows = 1 << 20;
  } twin;

  struct History {
    int commit_interval_ms = 150;
    int tail_rows_max = 4'000'000;
    int tail_hours_max = 24;
    int retention_days = 0;  // 0: kept for ever
    int memory_mib_max = 1024;
    int threads = 2;
  } history;

  struct Sql {
    int seconds_max = 30;
    int rows_max = 100'000;
    int memory_mib_max = 512;
    int file_mib_max = 1024;  // of an answer as a Parquet file
    int running_max = 4;
    int running_per_user_max = 2;
    int waiting_max = 64;
    int waiting_per_user_max = 16;
  } sql;

  struct Alerts {
    int reopen_within_seconds = 300;
  } alerts;

  // All mistakes at once, one a line: "ficus.yaml:3:5: unknown key 'shard': did you mean
  // 'shards'?". Relative paths are seen from the folder of the file.
  static Result<Config> parse(std::string_view text, std::string_view file);
  // Checks that need no file: addresses, the remote rule.
  Status check() const;
};

}  // namespace ficus::app
