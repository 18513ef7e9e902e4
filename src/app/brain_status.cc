// What the brain says of itself.
#include "api/metrics.h"
#include "app/brain_parts.h"
#include "app/process_figures.h"

namespace ficus::app {

void Brain::Parts::write_connector_metrics(api::MetricsWriter& out) const {
  ports->write_metrics(out);
  const connect::MqttServerCounts counts = mqtt->counts();
  const auto write = [&](auto family, const char* name, const char* help, std::uint64_t value) {
    (out.*family)(name, help);
    out.sample(static_cast<double>(value));
  };
  constexpr auto kGauge = &api::MetricsWriter::gauge;
  constexpr auto kCounter = &api::MetricsWriter::counter;
  write(kGauge, "ficus_mqtt_connections", "Connected MQTT clients", counts.connections);
  write(kGauge, "ficus_mqtt_sessions", "MQTT sessions, connected or kept", counts.sessions);
  write(kGauge, "ficus_mqtt_subscriptions", "MQTT subscriptions", counts.subscriptions);
  write(kGauge, "ficus_mqtt_retained_messages", "Retained messages", counts.retained_messages);
  write(kCounter, "ficus_mqtt_messages_received_total", "PUBLISH packets received",
        counts.messages_received);
  write(kCounter, "ficus_mqtt_messages_sent_total", "PUBLISH packets sent", counts.messages_sent);
  out.counter("ficus_mqtt_messages_dropped_total", "Messages that did not reach a subscriber");
  for (std::size_t i = 0; i < connect::kDropCauseNames.size(); ++i) {
    out.sample({{"cause", connect::kDropCauseNames[i]}},
               static_cast<double>(counts.messages_dropped.of(connect::DropCause(i))));
  }
  write(kGauge, "ficus_mqtt_retained_bytes", "What retained messages take", counts.retained_bytes);
  write(kGauge, "ficus_mqtt_queued_bytes", "What messages that wait for clients take",
        counts.queued_bytes);
  write(kGauge, "ficus_mqtt_messages_held", "QoS 2 messages on their way to the engine",
        counts.messages_held);
  write(kCounter, "ficus_mqtt_messages_expired_total",
        "Messages that expired before they were sent", counts.messages_expired);
  write(kCounter, "ficus_mqtt_messages_refused_total",
        "PUBLISH packets refused: no right, not as promised, or a full disk",
        counts.messages_refused);
  write(kCounter, "ficus_mqtt_retained_refused_total", "Messages not retained for want of room",
        counts.retained_refused);
  write(kCounter, "ficus_mqtt_connections_refused_total",
        "MQTT connections refused: too many, or the CONNECT was not accepted",
        counts.connections_refused);
  out.counter("ficus_mqtt_connects_refused_total", "CONNECTs refused, by reason code of MQTT 5.0");
  for (const auto& [reason, count] : counts.connects_refused) {
    out.sample({{"reason", mqtt::reason_code_name(reason)}}, static_cast<double>(count));
  }
  write(kCounter, "ficus_mqtt_protocol_errors_total", "Connections ended for what they sent",
        counts.protocol_errors);
  out.counter("ficus_mqtt_ended_total",
              "Connections ended for what did not come in time, by cause");
  out.sample({{"cause", "slow_connect"}}, static_cast<double>(counts.connects_slow));
  out.sample({{"cause", "keep_alive"}}, static_cast<double>(counts.keep_alives_missed));
  write_access_metrics(*access, *audit, out);
  connectors->write_metrics(out);
  links->write_metrics(out);
}

void Brain::Parts::write_process_status(json::JsonWriter& json) const {
  const Micros uptime = machine.clock.monotonic() - started_at;
  json.key("uptimeSeconds").integer(uptime.count / Micros::from_seconds(1).count);
  json.key("memoryBytes").integer(static_cast<std::int64_t>(resident_bytes()));
  json.key("dataDirectory").text(config.data_directory);
  json.key("configuration").text(Configuration{"", packs.parts}.fingerprint());
  const connect::MqttServerCounts counts = mqtt->counts();
  const auto write = [&](const char* key, std::uint64_t value) {
    json.key(key).integer(static_cast<std::int64_t>(value));
  };
  json.key("mqtt").begin_object();
  write("connections", counts.connections);
  write("sessions", counts.sessions);
  write("subscriptions", counts.subscriptions);
  write("retained", counts.retained_messages);
  write("received", counts.messages_received);
  write("sent", counts.messages_sent);
  write("dropped", counts.messages_dropped.total());
  write("protocolErrors", counts.protocol_errors);
  json.end_object();
  json.key("lastErrors").begin_array();
  for (const Logger::Recent& recent : machine.logger.recent()) {
    json.begin_object().key("time").time(recent.time);
    json.key("level").text(log_level_name(recent.level)).key("line").text(recent.line);
    json.end_object();
  }
  json.end_array();
}

}  // namespace ficus::app
