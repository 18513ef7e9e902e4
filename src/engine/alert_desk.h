#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/result.h"
#include "engine/alert_command.h"
#include "model/observation_batch.h"
#include "model/schema.h"
#include "twin/twin.h"

namespace ficus {

// The attributes of the type Alert (Smart Data Models "Alert", and our life cycle).
struct AlertAttributes {
  TypeId type;
  AttributeId category, sub_category, severity, alert_source, date_issued, description, assigned_to,
      rule, status, acknowledged_by, acknowledged_at, assigned_by, cleared_at, cleared_because,
      closed_by, closed_at, location;

  static Result<AlertAttributes> declare(Schema& schema);
};

// What a rule says about one entity, in the desk's words.
struct AlertOccasion {
  std::string_view rule;
  std::string_view entity_id;
  Timestamp observed_at;
  // The values the rule SELECTs for the columns of Alert.
  std::span<const std::pair<AttributeId, Value>> values;
};

// Writes the rows of Alert entities: opens one alert at most per rule and entity, and moves it
// through its life cycle (model/alert_state.h). A row always carries the whole alert, so that
// history and subscribers see it complete. Part of a shard; no clock.
//
// A condition that comes back soon after its alert was cleared raises that alert again: a value
// that swings around its limit is one alert, not a flood.
//
// Which alerts are not closed is a fold over the Alert rows: learn() after each was applied,
// rebuild() from a restored twin.
class AlertDesk {
 public:
  AlertDesk(const Schema& schema, const AlertAttributes& attributes, Micros reopen_within)
      : schema_(schema), at_(attributes), reopen_within_(reopen_within) {}

  // The condition began to hold: opens an alert, or raises the one that was cleared just before.
  void on_met(const AlertOccasion& occasion, const twin::Twin& twin, Timestamp now,
              ObservationBatch& out) const;
  // The condition ended: clears the open alert, if there is one.
  void on_gone(const AlertOccasion& occasion, const twin::Twin& twin, Timestamp now,
               ObservationBatch& out) const;
  // Nobody watches any more whether the condition still holds, since the rule is gone: the open
  // alert is cleared, with the reason "rule_removed", and waits for an operator to close it.
  void on_rule_removed(std::string_view rule, std::string_view entity_id, const twin::Twin& twin,
                       Timestamp now, ObservationBatch& out) const;
  // The entities about which the rule has an open alert, in order of their ids.
  std::vector<std::string> entities_with_open_alert(std::string_view rule,
                                                    const twin::Twin& twin) const;
  std::size_t open_count(const twin::Twin& twin) const;
  // ErrorCode::not_found, or conflict with the state that forbids it.
  Status operate(const AlertCommand& command, const twin::Twin& twin, Timestamp now,
                 ObservationBatch& out) const;

  void learn(const ObservationBatch& rows);
  void rebuild(const twin::Twin& twin);

 private:
  // The alert of this rule and entity that is not closed, if there is one.
  std::optional<twin::EntityView> latest(const AlertOccasion& occasion,
                                         const twin::Twin& twin) const;
  // An id that no entity has: a condition may be met twice at one moment, but a closed alert stays
  // closed.
  std::string new_id(const AlertOccasion& occasion, const twin::Twin& twin) const;
  void clear(const twin::EntityView& alert, Timestamp cleared_at, const char* because,
             Timestamp now, ObservationBatch& out) const;
  bool has_open(std::string_view alert_id, const twin::Twin& twin) const;
  Value location_of(std::string_view entity_id, const twin::Twin& twin) const;
  void learn_one(std::string_view rule, std::string_view entity, std::string_view status,
                 std::string_view alert_id);
  void write(const twin::EntityView& alert, Timestamp observed_at, AlertState state,
             std::span<const std::pair<AttributeId, Value>> changes, ObservationBatch& out) const;

  const Schema& schema_;
  const AlertAttributes at_;
  const Micros reopen_within_;
  std::unordered_map<std::string, std::string> unclosed_;  // rule '\n' entity id -> newest alert id
};

}  // namespace ficus
