#include "connect/mqtt/mqtt_notifier.h"

#include <algorithm>

#include "access/rights.h"
#include "codec/json/value_json.h"

namespace ficus::connect {
namespace {

constexpr std::string_view kAlertLevels = "ficus/alert";
constexpr std::string_view kEntityLevels = "ficus/entity";

// A text as one topic level: what separates levels or is a wildcard becomes '_', nothing becomes
// '-'.
void append_level(std::string_view text, std::string& topic) {
  topic += '/';
  if (text.empty()) topic += '-';
  for (const char c : text) topic += c == '/' || c == '+' || c == '#' || c == '\0' ? '_' : c;
}

std::string_view text_of(const ObservationBatch& rows, std::size_t row, const Schema& schema,
                         std::string_view name) {
  const auto attribute = schema.find_attribute(rows.type(), name);
  const Column* const column = attribute ? rows.find(*attribute) : nullptr;
  if (column == nullptr || column->valid[row] == 0 || !holds_text(column->kind)) return {};
  return column->texts[row];
}

}  // namespace

MqttNotifier::MqttNotifier(MqttServer& server, Ingest& ingest, const Schema& schema)
    : server_(server), ingest_(ingest), schema_(schema) {
  ingest_.add_follower(*this);
  server_.on_subscriptions_changed([this] { check_subscribers(); });
  check_subscribers();
}

void MqttNotifier::check_subscribers() {
  ingest_.set_follower_active(*this, server_.has_subscriber_under(kAlertLevels) ||
                                         server_.has_subscriber_under(kEntityLevels));
}

void MqttNotifier::on_settled(const SettledBatch& batch) {
  const ObservationBatch& rows = *batch.rows;
  const bool is_alert = schema_.type_name(rows.type()) == "Alert";
  // Not published: whoever may subscribe to all entities need not be the one who watches users.
  if (schema_.type_name(rows.type()) == access::kAuditType) return;
  type_topic_ = kEntityLevels;
  append_level(schema_.type_name(rows.type()), type_topic_);
  const auto count = static_cast<std::size_t>(
      std::count(batch.outcomes.begin(), batch.outcomes.end(), twin::RowOutcome::applied));
  const bool is_entity_wanted = server_.has_taker_below(type_topic_, count);
  if (!is_alert && !is_entity_wanted) return;
  for (std::size_t row = 0; row < rows.row_count(); ++row) {
    if (batch.outcomes[row] != twin::RowOutcome::applied) continue;
    if (is_alert) publish_alert(rows, row);
    if (is_entity_wanted) publish_entity(rows, row);
  }
}

void MqttNotifier::publish_alert(const ObservationBatch& rows, std::size_t row) {
  topic_ = kAlertLevels;
  append_level(text_of(rows, row, schema_, "assignedTo"), topic_);
  append_level(text_of(rows, row, schema_, "severity"), topic_);
  append_level(text_of(rows, row, schema_, "rule"), topic_);
  publish(rows, row);
}

void MqttNotifier::publish_entity(const ObservationBatch& rows, std::size_t row) {
  topic_ = type_topic_;
  append_level(rows.ids()[row], topic_);
  publish(rows, row);
}

void MqttNotifier::publish(const ObservationBatch& rows, std::size_t row) {
  if (!server_.has_taker(topic_)) return;
  payload_.clear();
  json::JsonWriter json(payload_);
  json::write_row(rows, row, schema_, json);
  server_.publish(topic_, payload_);
}

}  // namespace ficus::connect
