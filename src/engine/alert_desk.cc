#include "engine/alert_desk.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/planted.h"
#include "base/time_text.h"
#include "model/attribute_table.h"

namespace ficus {
namespace {

using Changes = std::vector<std::pair<AttributeId, Value>>;

bool has_attribute(std::span<const std::pair<AttributeId, Value>> values, AttributeId attribute) {
  return std::any_of(values.begin(), values.end(),
                     [&](const auto& v) { return v.first == attribute; });
}

std::string unclosed_key(std::string_view rule, std::string_view entity) {
  return fmt::format("{}\n{}", rule, entity);
}

// 20261123T081500Z, with microseconds where there are any: ids stay readable.
std::string compact_time(Timestamp t) {
  std::string text = to_iso8601(t);
  std::erase_if(text, [](char c) { return c == '-' || c == ':'; });
  return text;
}

std::string alert_id(const AlertOccasion& occasion) {
  constexpr std::string_view kPrefix = "urn:ngsi-ld:";
  std::string_view entity = occasion.entity_id;
  if (entity.starts_with(kPrefix)) entity.remove_prefix(kPrefix.size());
  return fmt::format("{}Alert:{}:{}:{}", kPrefix, occasion.rule, entity,
                     compact_time(occasion.observed_at));
}

const Value* find_value(const twin::EntityView& entity, AttributeId attribute) {
  const twin::AttributeView* const found = entity.find(attribute);
  return found == nullptr ? nullptr : &found->value;
}

// Strictly after everything known of the alert, whatever the clocks of sensors say: a step of its
// life is never late.
Timestamp next_moment(const twin::EntityView& alert, Timestamp now) {
  Timestamp newest = Timestamp::min();
  for (const twin::AttributeView& a : alert.attributes) newest = std::max(newest, a.observed_at);
  // Nothing is later than the end of time; at the same moment the last to come wins.
  return newest == Timestamp{INT64_MAX} ? newest : std::max(now, newest + Micros{1});
}

std::optional<AlertState> state_of(const twin::EntityView& alert, AttributeId status) {
  const Value* const value = find_value(alert, status);
  if (value == nullptr || value->kind() != ValueKind::text) return std::nullopt;
  return alert_state_from_name(value->as_text());
}

}  // namespace

Result<AlertAttributes> AlertAttributes::declare(Schema& schema) {
  using A = AlertAttributes;
  static constexpr AttributeRow<A> kTable[] = {
      {&A::category, "category", ValueKind::text, "类别", "category"},
      {&A::sub_category, "subCategory", ValueKind::text, "子类别", "subcategory"},
      {&A::severity, "severity", ValueKind::text, "级别", "severity"},
      {&A::alert_source, "alertSource", ValueKind::relationship, "来源实体", "source entity"},
      {&A::date_issued, "dateIssued", ValueKind::time, "发出时间", "issued"},
      {&A::description, "description", ValueKind::text, "说明", "description"},
      {&A::assigned_to, "assignedTo", ValueKind::text, "责任单位", "responsible department"},
      {&A::rule, "rule", ValueKind::text, "规则", "rule"},
      {&A::status, "status", ValueKind::text, "状态", "status"},
      {&A::acknowledged_by, "acknowledgedBy", ValueKind::text, "确认人", "acknowledged by"},
      {&A::acknowledged_at, "acknowledgedAt", ValueKind::time, "确认时间", "acknowledged at"},
      {&A::assigned_by, "assignedBy", ValueKind::text, "指派人", "assigned by"},
      {&A::cleared_at, "clearedAt", ValueKind::time, "解除时间", "cleared at"},
      {&A::cleared_because, "clearedBecause", ValueKind::text, "解除原因", "cleared because"},
      {&A::closed_by, "closedBy", ValueKind::text, "关闭人", "closed by"},
      {&A::closed_at, "closedAt", ValueKind::time, "关闭时间", "closed at"},
      {&A::location, "location", ValueKind::point, "位置", "location"},
  };
  AlertAttributes attributes;
  FICUS_TRY(attributes.type, schema.intern_type("Alert"));
  FICUS_TRY_VOID(declare_attributes<A>(schema, attributes.type, kTable, attributes));
  return attributes;
}

std::optional<twin::EntityView> AlertDesk::latest(const AlertOccasion& occasion,
                                                  const twin::Twin& twin) const {
  const auto found = unclosed_.find(unclosed_key(occasion.rule, occasion.entity_id));
  if (found == unclosed_.end()) return std::nullopt;
  return twin.find(found->second);
}

std::string AlertDesk::new_id(const AlertOccasion& occasion, const twin::Twin& twin) const {
  const std::string base = alert_id(occasion);
  std::string id = base;
  for (int n = 2; twin.find_entity(id); ++n) id = fmt::format("{}:{}", base, n);
  return id;
}

Value AlertDesk::location_of(std::string_view entity_id, const twin::Twin& twin) const {
  const std::optional<EntityId> entity = twin.find_entity(entity_id);
  if (!entity) return {};
  const auto location = schema_.find_attribute(twin.type_of(*entity), "location");
  if (!location) return {};
  Value value = twin.value(*entity, *location);
  return value.kind() == ValueKind::point ? value : Value();
}

void AlertDesk::on_met(const AlertOccasion& occasion, const twin::Twin& twin, Timestamp now,
                       ObservationBatch& out) const {
  const Changes given(occasion.values.begin(), occasion.values.end());
  if (const auto before = latest(occasion, twin)) {
    const AlertState state = state_of(*before, at_.status).value_or(AlertState::closed);
    if (is_open(state)) return;
    const Value* const cleared = find_value(*before, at_.cleared_at);
    const bool is_soon = cleared != nullptr && cleared->kind() == ValueKind::time &&
                         occasion.observed_at - cleared->as_time() <= reopen_within_;
    if (state == AlertState::cleared && is_soon) {
      return write(*before, next_moment(*before, now), next(state, AlertEvent::condition_met),
                   given, out);
    }
  }
  twin::EntityView alert;
  alert.id = new_id(occasion, twin);
  alert.type = at_.type;
  Changes changes = given;
  const auto add_default = [&](AttributeId attribute, Value value) {
    if (!has_attribute(given, attribute) && !value.is_none()) {
      changes.emplace_back(attribute, std::move(value));
    }
  };
  add_default(at_.severity, Value::text("medium"));
  add_default(at_.alert_source,
              Value::of_text_kind(ValueKind::relationship, std::string(occasion.entity_id)));
  add_default(at_.date_issued, Value::time(occasion.observed_at));
  add_default(at_.rule, Value::text(std::string(occasion.rule)));
  add_default(at_.location, location_of(occasion.entity_id, twin));
  write(alert, now, AlertState::raised, changes, out);
}

void AlertDesk::on_gone(const AlertOccasion& occasion, const twin::Twin& twin, Timestamp now,
                        ObservationBatch& out) const {
  const std::optional<twin::EntityView> alert = latest(occasion, twin);
  if (alert) clear(*alert, occasion.observed_at, "condition_ended", now, out);
}

void AlertDesk::clear(const twin::EntityView& alert, Timestamp cleared_at, const char* because,
                      Timestamp now, ObservationBatch& out) const {
  const std::optional<AlertState> state = state_of(alert, at_.status);
  if (!state || !is_open(*state)) return;
  const std::pair<AttributeId, Value> changes[] = {{at_.cleared_at, Value::time(cleared_at)},
                                                   {at_.cleared_because, Value::text(because)}};
  write(alert, next_moment(alert, now), next(*state, AlertEvent::condition_gone), changes, out);
}

std::size_t AlertDesk::open_count(const twin::Twin& twin) const {
  std::size_t count = 0;
  for (const auto& [key, id] : unclosed_) count += has_open(id, twin) ? 1 : 0;
  return count;
}

bool AlertDesk::has_open(std::string_view alert_id, const twin::Twin& twin) const {
  const auto alert = twin.find_entity(alert_id);
  const Value status = alert ? twin.value(*alert, at_.status) : Value();
  const auto state = holds_text(status.kind()) ? alert_state_from_name(status.as_text())
                                               : std::optional<AlertState>();
  return state && is_open(*state);
}

std::vector<std::string> AlertDesk::entities_with_open_alert(std::string_view rule,
                                                             const twin::Twin& twin) const {
  const std::string prefix = unclosed_key(rule, "");
  std::vector<std::string> entities;
  for (const auto& [key, id] : unclosed_) {
    if (!key.starts_with(prefix)) continue;
    if (has_open(id, twin)) entities.push_back(key.substr(prefix.size()));
  }
  std::ranges::sort(entities);  // the order of a hash table is not the same at replay
  return entities;
}

void AlertDesk::on_rule_removed(std::string_view rule, std::string_view entity_id,
                                const twin::Twin& twin, Timestamp now,
                                ObservationBatch& out) const {
  const auto alert =
      latest({.rule = rule, .entity_id = entity_id, .observed_at = now, .values = {}}, twin);
  if (alert) clear(*alert, now, "rule_removed", now, out);
}

Status AlertDesk::operate(const AlertCommand& command, const twin::Twin& twin, Timestamp now,
                          ObservationBatch& out) const {
  const std::optional<twin::EntityView> alert = twin.find(command.alert_id);
  if (!alert || alert->type != at_.type) {
    return fail(ErrorCode::not_found, fmt::format("there is no alert '{}'", command.alert_id));
  }
  const std::optional<AlertState> state = state_of(*alert, at_.status);
  if (!state) {
    return fail(ErrorCode::internal, fmt::format("alert '{}' has no status", command.alert_id));
  }
  if (const std::string& own = command.only_of_department; !own.empty()) {
    const Value* const assigned = find_value(*alert, at_.assigned_to);
    if (assigned == nullptr || assigned->kind() != ValueKind::text || assigned->as_text() != own) {
      return fail(
          ErrorCode::denied,
          fmt::format("alert '{}' is not assigned to {}: only those responsible may handle it",
                      command.alert_id, own));
    }
  }
  if (!is_allowed(*state, command.event)) {
    return fail(ErrorCode::conflict, fmt::format("alert '{}' is {}: this step is not possible now",
                                                 command.alert_id, alert_state_name(*state)));
  }
  Changes changes;
  switch (command.event) {
    case AlertEvent::operator_acknowledge:
      changes = {{at_.acknowledged_by, Value::text(command.by)},
                 {at_.acknowledged_at, Value::time(now)}};
      break;
    case AlertEvent::operator_assign:
      changes = {{at_.assigned_to, Value::text(command.department)},
                 {at_.assigned_by, Value::text(command.by)}};
      break;
    case AlertEvent::operator_close:
      changes = {{at_.closed_by, Value::text(command.by)}, {at_.closed_at, Value::time(now)}};
      break;
    case AlertEvent::condition_met:
    case AlertEvent::condition_gone:
      return fail(ErrorCode::internal, "only a rule says that a condition is met or gone");
  }
  write(*alert, next_moment(*alert, now), next(*state, command.event), changes, out);
  return {};
}

void AlertDesk::write(const twin::EntityView& alert, Timestamp observed_at, AlertState state,
                      std::span<const std::pair<AttributeId, Value>> changes,
                      ObservationBatch& out) const {
  out.begin_row(alert.id, observed_at);
  for (const twin::AttributeView& a : alert.attributes) {
    if (a.attribute != at_.status && !has_attribute(changes, a.attribute)) {
      out.set(a.attribute, a.value);
    }
  }
  for (const auto& [attribute, value] : changes) out.set(attribute, value);
  out.set_text(at_.status, ValueKind::text, alert_state_name(state));
}

void AlertDesk::learn_one(std::string_view rule, std::string_view entity, std::string_view status,
                          std::string_view id) {
  const std::optional<AlertState> state = alert_state_from_name(status);
  if (!state) return;
  std::string key = unclosed_key(rule, entity);
  if (*state != AlertState::closed) {
    unclosed_.insert_or_assign(std::move(key), std::string(id));
    return;
  }
  const auto found = unclosed_.find(key);
  if (found != unclosed_.end() && found->second == id) unclosed_.erase(found);
}

void AlertDesk::learn(const ObservationBatch& rows) {
  const Column* const rule = rows.find(at_.rule);
  const Column* const source = rows.find(at_.alert_source);
  const Column* const status = rows.find(at_.status);
  if (rule == nullptr || source == nullptr || status == nullptr) return;
  for (std::size_t row = 0; row < rows.row_count(); ++row) {
    if (rule->valid[row] == 0 || source->valid[row] == 0 || status->valid[row] == 0) continue;
    learn_one(rule->texts[row], source->texts[row], status->texts[row], rows.ids()[row]);
  }
}

void AlertDesk::rebuild(const twin::Twin& twin) {
  unclosed_.clear();
  if (FICUS_PLANTED(forget_alerts_at_restart)) return;
  // In the order in which they were made: of a rule and entity only the newest alert counts, be it
  // closed or not.
  for (std::uint32_t index = 0; index < twin.entity_count(); ++index) {
    const EntityId alert(index);
    if (twin.type_of(alert) != at_.type) continue;
    const Value rule = twin.value(alert, at_.rule);
    const Value source = twin.value(alert, at_.alert_source);
    const Value status = twin.value(alert, at_.status);
    if (rule.is_none() || source.is_none() || status.is_none()) continue;
    unclosed_.erase(unclosed_key(rule.as_text(), source.as_text()));
    learn_one(rule.as_text(), source.as_text(), status.as_text(), twin.id_of(alert));
  }
}

}  // namespace ficus
