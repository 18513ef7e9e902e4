#include <fmt/format.h>

#include <algorithm>

#include "api/api_server.h"
#include "api/entity_json.h"
#include "api/entity_query.h"
#include "api/json_parts.h"
#include "codec/json/json_reader.h"
#include "connect/http/respond.h"

namespace ficus::api {
namespace {

using connect::respond_error;
using connect::respond_json;

constexpr std::size_t kCommandBytesMax = 16 << 10;
constexpr std::size_t kNameBytesMax = 200;
constexpr std::string_view kAlertType = "Alert";

// A text member of a command's body, trimmed of nothing; empty is an error.
Result<std::string> text_member(json::JsonValue body, std::string_view name) {
  const json::JsonValue value = body.member(name);
  if (value.kind() != json::JsonKind::text || value.as_text().empty() ||
      value.as_text().size() > kNameBytesMax) {
    return invalid(fmt::format("expected a text \"{}\" of 1 to {} bytes", name, kNameBytesMax));
  }
  return std::string(value.as_text());
}

Result<AlertCommand> parse_command(std::string_view step, std::string_view body,
                                   const Catalog& catalog, const access::Principal& who) {
  AlertCommand command;
  json::JsonDocument document;
  FICUS_TRY(const json::JsonValue value, document.parse(body.empty() ? "{}" : body));
  // Who is logged in signs with their own name, whatever the body says.
  command.by = who.name();
  if (command.by.empty()) {
    FICUS_TRY(command.by, text_member(value, "by"));
  }
  if (who.rights().alerts == access::AlertRight::own_department) {
    command.only_of_department = who.department();
  }
  if (step == "acknowledge") {
    command.event = AlertEvent::operator_acknowledge;
  } else if (step == "close") {
    command.event = AlertEvent::operator_close;
  } else if (step == "assign") {
    command.event = AlertEvent::operator_assign;
    FICUS_TRY(command.department, text_member(value, "to"));
    const auto known =
        std::find_if(catalog.departments.begin(), catalog.departments.end(),
                     [&](const Department& d) { return d.name == command.department; });
    if (known == catalog.departments.end() && !catalog.departments.empty()) {
      return invalid(fmt::format("to: there is no department '{}': GET /departments lists them",
                                 command.department));
    }
  } else {
    return fail(ErrorCode::not_found,
                fmt::format("expected acknowledge, assign or close, found '{}'", step));
  }
  return command;
}

}  // namespace

void ApiServer::get_alerts(Exchange exchange, const Who& who) {
  if (!who->may_read(kAlertType)) return gate_.deny(*exchange, who, "read: Alert");
  const Schema& schema = engine_.schema();
  twin::EntityQuery query;
  query.type = schema.find_type("Alert");
  const auto issued = schema.find_attribute(*query.type, "dateIssued");
  const auto status = schema.find_attribute(*query.type, "status");
  query.order = {.by = twin::OrderBy::attribute, .attribute = *issued, .descending = true};
  query.count_total = true;
  auto limit = size_parameter(exchange->target(), "limit", 100, 10'000);
  if (!limit) return respond_error(*exchange, limit.error());
  auto offset = size_parameter(exchange->target(), "offset", 0, 10'000'000);
  if (!offset) return respond_error(*exchange, offset.error());
  query.limit = *limit;
  query.offset = *offset;
  const std::string_view state = exchange->target().parameter("state").value_or("open");
  const auto without = [&](const char* name) {
    query.filters.push_back({*status, twin::Comparison::ne, Value::text(name)});
  };
  if (state == "open") {
    without("cleared");
    without("closed");
  } else if (state == "unclosed") {
    without("closed");
  } else if (alert_state_from_name(state)) {
    query.filters.push_back({*status, twin::Comparison::eq, Value::text(std::string(state))});
  } else if (state != "all") {
    return respond_error(
        *exchange, {ErrorCode::invalid_input,
                    fmt::format("state: expected open, unclosed, raised, acknowledged, assigned, "
                                "cleared, closed or all, found '{}'",
                                state)});
  }
  engine_.query(std::move(query), [this, exchange = std::move(exchange)](
                                      Result<twin::QueryAnswer> answer) mutable {
    parts_.loop.post([this, exchange = std::move(exchange), answer = std::move(answer)] {
      if (!answer) return respond_error(*exchange, answer.error());
      std::string body;
      json::JsonWriter json(body);
      json.begin_object().key("alerts").begin_array();
      for (const twin::EntityView& alert : answer->entities) {
        write_entity(alert, engine_.schema(), EntityForm::key_values, json);
      }
      json.end_array().key("total").integer(signed_count(answer->total.value_or(0))).end_object();
      respond_json(*exchange, std::move(body));
    });
  });
}

void ApiServer::post_alert(Exchange exchange, const Who& who, std::string id,
                           std::string_view step) {
  net::HttpExchange& e = *exchange;
  if (!who->may_handle_alerts()) return gate_.deny(e, who, "alerts");
  e.read_body(kCommandBytesMax, [this, who, exchange = std::move(exchange), id = std::move(id),
                                 step = std::string(step)](std::string_view body) mutable {
    if (!gate_.still_stands(*exchange, who)) return;
    auto command = parse_command(step, body, parts_.catalog, *who);
    if (!command) return respond_error(*exchange, command.error());
    command->alert_id = std::move(id);
    const std::string what = fmt::format("{} {}", step, command->alert_id);
    engine_.operate_alert(*std::move(command), [this, who, what, exchange = std::move(exchange)](
                                                   Result<twin::EntityView> alert) mutable {
      parts_.loop.post([this, who, what, exchange = std::move(exchange), alert = std::move(alert)] {
        const access::AuditOutcome outcome = alert ? access::AuditOutcome::succeeded
                                             : alert.error().code == ErrorCode::denied
                                                 ? access::AuditOutcome::denied
                                                 : access::AuditOutcome::failed;
        gate_.access().audit(who.get(), exchange->peer().text(), access::AuditAction::alert_step,
                             what, outcome);
        if (!alert) return respond_error(*exchange, alert.error());
        std::string answer;
        json::JsonWriter json(answer);
        write_entity(*alert, engine_.schema(), EntityForm::key_values, json);
        respond_json(*exchange, std::move(answer));
      });
    });
  });
}

}  // namespace ficus::api
