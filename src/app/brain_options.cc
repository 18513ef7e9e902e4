#include "app/brain_options.h"

#include "base/hash.h"

namespace ficus::app {

CommitLogOptions log_options(const Config& config, std::uint64_t seed, Intake* intake) {
  CommitLogOptions options;
  options.log.segment_bytes_max = to_size(config.log.segment_mib_max) * kMiB;
  options.log.salt = static_cast<std::uint32_t>(hash_mix(seed, 0x5a17));
  options.policy = config.log.sync;
  options.sync_interval = Micros::from_millis(config.log.sync_interval_ms);
  options.snapshot_every_bytes = to_size(config.log.snapshot_mib_every) * kMiB;
  options.intake = intake;
  return options;
}

EngineOptions engine_options(const Config& config, std::uint64_t seed, Intake* intake) {
  EngineOptions options;
  options.data_directory = config.data_directory;
  options.shards = to_size(config.shards);
  options.log = log_options(config, seed, intake);
  options.state.twin.entities_max = to_size(config.twin.entities_max);
  options.state.twin.duplicate_window_rows = to_size(config.twin.duplicate_window_rows);
  options.state.reopen_within = Micros::from_seconds(config.alerts.reopen_within_seconds);
  return options;
}

history::DuckHistoryOptions history_options(const Config& config) {
  history::DuckHistoryOptions options;
  options.directory = config.data_directory + "/history";
  options.shard_count = static_cast<std::uint32_t>(config.shards);
  options.tail_rows_max = to_size(config.history.tail_rows_max);
  options.tail_age_max = Micros::from_hours(config.history.tail_hours_max);
  options.retention_days = config.history.retention_days;
  options.memory_bytes_max = to_size(config.history.memory_mib_max) * kMiB;
  options.threads = static_cast<std::uint32_t>(config.history.threads);
  options.queries_max = static_cast<std::uint32_t>(config.sql.running_max);
  return options;
}

connect::MqttServerOptions mqtt_options(const Config& config, const net::Address& address) {
  return {.address = address,
          .connections_max = to_size(config.mqtt.connections_max),
          .packet_bytes_max = to_size(config.mqtt.packet_kib_max) << 10,
          .session_messages_max = to_size(config.mqtt.session_messages_max),
          .session_bytes_max = to_size(config.mqtt.session_kib_max) << 10,
          .queued_bytes_max = to_size(config.mqtt.queued_mib_max) << 20,
          .retained_messages_max = to_size(config.mqtt.retained_messages_max),
          .retained_bytes_max = to_size(config.mqtt.retained_mib_max) << 20,
          .receive_maximum = static_cast<std::uint16_t>(config.mqtt.receive_maximum),
          .topic_alias_max = static_cast<std::uint16_t>(config.mqtt.topic_alias_max),
          .keep_alive_max_s = static_cast<std::uint16_t>(config.mqtt.keep_alive_seconds_max),
          .session_expiry_max = Micros::from_hours(config.mqtt.session_hours_max)};
}

api::HistoryServiceOptions query_options(const Config& config) {
  api::HistoryServiceOptions options;
  options.limits.time_max = Micros::from_seconds(config.sql.seconds_max);
  options.limits.rows_max = to_size(config.sql.rows_max);
  options.limits.memory_bytes_max = to_size(config.sql.memory_mib_max) * kMiB;
  options.limits.file_bytes_max = to_size(config.sql.file_mib_max) * kMiB;
  options.desk = {.threads = to_size(config.sql.running_max),
                  .running_per_user_max = to_size(config.sql.running_per_user_max),
                  .waiting_per_user_max = to_size(config.sql.waiting_per_user_max),
                  .waiting_max = to_size(config.sql.waiting_max)};
  return options;
}

}  // namespace ficus::app
