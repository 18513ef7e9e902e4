#include <fmt/format.h>

#include <algorithm>

#include "api/api_server.h"
#include "api/entity_json.h"
#include "api/entity_query.h"
#include "api/json_parts.h"
#include "api/sql_response.h"
#include "base/time_text.h"
#include "connect/http/respond.h"

namespace ficus::api {
namespace {

using connect::respond_error;
using connect::respond_json;

constexpr std::size_t kPointsMax = 10'000;

// What is not to be read is as if it were not there.
Error no_entity(std::string_view id) {
  return {ErrorCode::not_found, fmt::format("there is no entity '{}'", id)};
}

std::optional<std::vector<bool>> readable_types(const access::Principal& who,
                                                const Schema& schema) {
  if (who.reads_everything()) return std::nullopt;
  std::vector<bool> readable(schema.type_count());
  for (std::uint32_t i = 0; i < readable.size(); ++i) {
    readable[i] = who.may_read(schema.type_name(TypeId(i)));
  }
  return readable;
}

}  // namespace

void ApiServer::get_types(Exchange exchange, const Who& who) {
  engine_.status([this, who, exchange = std::move(exchange)](EngineStatus status) mutable {
    parts_.loop.post([this, who, exchange = std::move(exchange), status = std::move(status)] {
      const Schema& schema = engine_.schema();
      std::string body;
      json::JsonWriter json(body);
      json.begin_array();
      for (TypeId type{0}; type.index() < schema.type_count(); type = TypeId(type.index() + 1)) {
        const std::string& name = schema.type_name(type);
        if (!who->may_read(name)) continue;
        json.begin_object().key("name").text(name);
        const auto declared = std::find_if(parts_.catalog.types.begin(), parts_.catalog.types.end(),
                                           [&](const auto& t) { return t.id == type; });
        write_label(declared != parts_.catalog.types.end() ? declared->label : Label{name, name},
                    json);
        std::uint64_t count = 0;
        for (const ShardStatus& shard : status.shards) {
          const auto found = shard.entities_by_type.find(name);
          if (found != shard.entities_by_type.end()) count += found->second;
        }
        json.key("count").integer(signed_count(count)).key("attributes").begin_array();
        for (std::uint32_t i = 0; i < schema.attribute_count(type); ++i) {
          const AttributeInfo info = schema.attribute(type, AttributeId(i));
          json.begin_object().key("name").text(info.name);
          json.key("kind").text(value_kind_name(info.kind)).key("unit").text(info.unit_code);
          json.key("decimals").integer(info.decimals);
          write_label({info.label_zh, info.label_en}, json);
          json.end_object();
        }
        json.end_array().end_object();
      }
      json.end_array();
      respond_json(*exchange, std::move(body));
    });
  });
}

void ApiServer::get_entities(Exchange exchange, const Who& who) {
  const std::string_view type = exchange->target().parameter("type").value_or("");
  auto query = parse_entity_query(exchange->target(), engine_.schema());
  if (!type.empty() && !who->may_read(type)) {
    query = fail(ErrorCode::not_found, fmt::format("type: there is no '{}'", type));
  }
  if (!query) return respond_error(*exchange, query.error());
  query->readable = readable_types(*who, engine_.schema());
  const EntityForm form =
      has_option(exchange->target(), "keyValues") ? EntityForm::key_values : EntityForm::normalized;
  engine_.query(*std::move(query), [this, form, exchange = std::move(exchange)](
                                       Result<twin::QueryAnswer> answer) mutable {
    parts_.loop.post([this, form, exchange = std::move(exchange), answer = std::move(answer)] {
      if (!answer) return respond_error(*exchange, answer.error());
      std::string body;
      json::JsonWriter json(body);
      json.begin_array();
      for (const twin::EntityView& entity : answer->entities) {
        write_entity(entity, engine_.schema(), form, json);
      }
      json.end_array();
      net::HttpHeaders headers{{"Content-Type", connect::kJsonType}, {"Cache-Control", "no-store"}};
      // ETSI GS CIM 009, 6.3.13: the count of all matches.
      if (answer->total) headers.add("NGSILD-Results-Count", std::to_string(*answer->total));
      exchange->respond(200, headers, std::move(body));
    });
  });
}

void ApiServer::get_entity(Exchange exchange, const Who& who, const std::string& id) {
  const EntityForm form =
      has_option(exchange->target(), "keyValues") ? EntityForm::key_values : EntityForm::normalized;
  engine_.find(id, [this, id, who, form,
                    exchange = std::move(exchange)](Result<twin::EntityView> entity) mutable {
    parts_.loop.post(
        [this, id, who, form, exchange = std::move(exchange), entity = std::move(entity)] {
          if (!entity) return respond_error(*exchange, entity.error());
          if (!who->may_read(engine_.schema().type_name(entity->type))) {
            return respond_error(*exchange, no_entity(id));
          }
          std::string body;
          json::JsonWriter json(body);
          write_entity(*entity, engine_.schema(), form, json);
          respond_json(*exchange, std::move(body));
        });
  });
}

void ApiServer::get_history(Exchange exchange, const Who& who, std::string id) {
  const net::HttpTarget& target = exchange->target();
  history::SeriesRequest request;
  request.id = id;
  request.limits = parts_.history.limits();
  request.limits.user = who->name();
  const auto time_of = [&](std::string_view name, Timestamp otherwise) -> Result<Timestamp> {
    const auto text = target.parameter(name);
    if (!text) return otherwise;
    const auto time = parse_iso8601(*text);
    if (!time)
      return invalid(fmt::format("{}: expected an ISO 8601 time, found '{}'", name, *text));
    return *time;
  };
  const Timestamp now = parts_.ingest.now();
  const auto to = time_of("to", now + Micros::from_seconds(60));
  if (!to) return respond_error(*exchange, to.error());
  const auto from = time_of("from", *to - Micros::from_hours(24));
  if (!from) return respond_error(*exchange, from.error());
  const auto points = size_parameter(target, "points", 500, kPointsMax);
  if (!points) return respond_error(*exchange, points.error());
  request.from = *from;
  request.to = *to;
  request.points_max = *points;
  std::string names(target.parameter("attributes").value_or(""));
  engine_.find(std::move(id), [this, who, names = std::move(names), request = std::move(request),
                               exchange =
                                   std::move(exchange)](Result<twin::EntityView> entity) mutable {
    parts_.loop.post([this, who, names = std::move(names), request = std::move(request),
                      exchange = std::move(exchange), entity = std::move(entity)]() mutable {
      if (!entity) return respond_error(*exchange, entity.error());
      const Schema& schema = engine_.schema();
      request.type = schema.type_name(entity->type);
      if (!who->may_read(request.type)) return respond_error(*exchange, no_entity(request.id));
      for (std::size_t at = 0; !names.empty() && at != std::string::npos;) {
        const std::size_t end = names.find(',', at);
        request.attributes.push_back(names.substr(at, end - at));
        at = end == std::string::npos ? end : end + 1;
      }
      if (request.attributes.empty()) {  // every number, which is what a chart shows
        for (const twin::AttributeView& a : entity->attributes) {
          if (a.value.kind() == ValueKind::number) {
            request.attributes.push_back(schema.attribute_name(entity->type, a.attribute));
          }
        }
      }
      if (request.attributes.empty()) {
        return respond_error(*exchange, {ErrorCode::invalid_input,
                                         "attributes: the entity has no number: name attributes"});
      }
      const std::uint64_t number = parts_.history.next_id();
      exchange->on_closed([this, number](const Error&) { parts_.history.cancel(number); });
      parts_.history.series(number, std::move(request),
                            [exchange = std::move(exchange)](Result<SqlAnswer> answer) {
                              if (!answer) return respond_sql_error(*exchange, answer.error());
                              respond_json(*exchange, std::move(answer->body));
                            });
    });
  });
}

}  // namespace ficus::api
