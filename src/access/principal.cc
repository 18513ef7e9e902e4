#include "access/principal.h"

#include <algorithm>
#include <utility>

#include "codec/mqtt/topic.h"

namespace ficus::access {
namespace {

// Alerts are entities of this type (engine/alert_desk.h).
constexpr std::string_view kAlertType = "Alert";

// Whether a filter level can match this text.
bool can_be(std::string_view level, std::string_view text) { return level == "+" || level == text; }

}  // namespace

Principal::Principal(std::string name, std::string department, Rights rights,
                     std::uint64_t definition)
    : name_(std::move(name)),
      department_(std::move(department)),
      rights_(std::move(rights)),
      definition_(definition) {
  for (TopicRight& right : rights_.publish) right = right.for_user(name_);
  for (TopicRight& right : rights_.subscribe) right = right.for_user(name_);
}

bool Principal::may_publish(std::string_view topic, std::string_view client_id) const {
  return std::ranges::any_of(rights_.publish, [&](const TopicRight& right) {
    return right.covers_topic(topic, client_id);
  });
}

bool Principal::may_subscribe(std::string_view filter, std::string_view client_id) const {
  const auto parsed = mqtt::parse_filter(filter);
  if (!parsed) return false;
  const bool is_covered = std::ranges::any_of(rights_.subscribe, [&](const TopicRight& right) {
    return right.covers_filter(parsed->filter, client_id);
  });
  if (!is_covered) return false;
  // Our own topics are ficus/alert/... and ficus/entity/TYPE/...
  mqtt::TopicLevels levels(parsed->filter);
  const std::string_view first = *levels.next();
  if (first == "#") return rights_.read.is_all;
  if (!can_be(first, "ficus")) return true;
  const std::string_view second = levels.next().value_or("");
  if (second == "#") return rights_.read.is_all;
  if (can_be(second, "alert") && !may_read(kAlertType)) return false;
  if (!can_be(second, "entity")) return true;
  const std::string_view type = levels.next().value_or("#");
  if (type == "#" || type == "+") return rights_.read.is_all;
  return may_read(type);
}

bool Principal::may_ingest(std::string_view source) const {
  return rights_.ingest.contains(source);
}

bool Principal::may_read(std::string_view type) const {
  if (type == kAuditType) return rights_.read.names.contains(kAuditType);
  return rights_.read.contains(type);
}

bool Principal::reads_everything() const { return rights_.read.is_all && may_read(kAuditType); }

bool Principal::may_handle_alerts_of(std::string_view department) const {
  switch (rights_.alerts) {
    case AlertRight::none:
      return false;
    case AlertRight::own_department:
      return !department_.empty() && department == department_;
    case AlertRight::all:
      return true;
  }
  std::unreachable();
}

}  // namespace ficus::access
