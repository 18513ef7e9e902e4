#include "api/api_server.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "api/entity_json.h"
#include "api/entity_query.h"
#include "api/metrics.h"
#include "api/page_files.h"
#include "base/time_text.h"
#include "codec/json/json_reader.h"
#include "codec/json/json_writer.h"
#include "connect/http/respond.h"

namespace ficus::api {
namespace {

using connect::respond_error;
using connect::respond_json;

constexpr Micros kSourcesBeat = Micros::from_seconds(2);
constexpr std::size_t kSqlBytesMax = 100'000;
constexpr std::size_t kCommandBytesMax = 16 << 10;
constexpr std::size_t kPointsMax = 10'000;
constexpr std::size_t kNameBytesMax = 200;

void write_label(const connect::Label& label, json::JsonWriter& json) {
  json.key("label").begin_object().key("zh").text(label.zh).key("en").text(label.en).end_object();
}

std::int64_t signed_count(std::uint64_t v) { return static_cast<std::int64_t>(v); }

// A text member of a command's body, trimmed of nothing; empty is an error.
Result<std::string> text_member(json::JsonValue body, std::string_view name) {
  const json::JsonValue value = body.member(name);
  if (value.kind() != json::JsonKind::text || value.as_text().empty() ||
      value.as_text().size() > kNameBytesMax) {
    return invalid(fmt::format("expected a text \"{}\" of 1 to {} bytes", name, kNameBytesMax));
  }
  return std::string(value.as_text());
}

}  // namespace

ApiServer::ApiServer(const ApiParts& parts)
    : parts_(parts), engine_(parts.ingest.engine()), sources_timer_(parts.loop) {
  sources_timer_.start_repeating(kSourcesBeat, [this] { broadcast_sources(); });
}

void ApiServer::on_request(Exchange exchange) {
  const std::string_view method = exchange->method();
  if (method == "GET" || method == "HEAD") return get(std::move(exchange));
  if (method == "POST") return post(std::move(exchange));
  exchange->respond(405, net::HttpHeaders{{"Allow", "GET, HEAD, POST"}}, "");
}

void ApiServer::get(Exchange exchange) {
  const std::vector<std::string>& path = exchange->target().segments;
  const std::string_view first = path.empty() ? std::string_view() : path[0];
  if (path.size() == 1) {
    using Route = void (ApiServer::*)(Exchange);
    static constexpr std::array<std::pair<std::string_view, Route>, 8> kRoutes{
        {{"health", &ApiServer::get_health},
         {"metrics", &ApiServer::get_metrics},
         {"types", &ApiServer::get_types},
         {"entities", &ApiServer::get_entities},
         {"alerts", &ApiServer::get_alerts},
         {"sources", &ApiServer::get_sources},
         {"rules", &ApiServer::get_rules},
         {"departments", &ApiServer::get_departments}}};
    for (const auto& [name, route] : kRoutes) {
      if (first == name) return (this->*route)(std::move(exchange));
    }
    if (first == "zones") return respond_json(*exchange, parts_.catalog.zones_geojson);
    if (first == "map") return respond_json(*exchange, parts_.catalog.map_geojson);
    if (first == "live") return parts_.live.accept(*exchange);
  }
  if ((first == "entities" || first == "alerts") && path.size() == 2) {
    std::string id = path[1];
    return get_entity(std::move(exchange), std::move(id));
  }
  if (first == "entities" && path.size() == 3 && path[2] == "history") {
    std::string id = path[1];
    return get_history(std::move(exchange), std::move(id));
  }
  get_page(std::move(exchange));
}

void ApiServer::post(Exchange exchange) {
  const std::vector<std::string> path = exchange->target().segments;
  if (path.size() == 2 && path[0] == "ingest") {
    return parts_.http_ingest.on_post(path[1], std::move(exchange));
  }
  if (path.size() == 1 && path[0] == "sql") return post_sql(std::move(exchange));
  if (path.size() == 3 && path[0] == "alerts") {
    return post_alert(std::move(exchange), path[1], path[2]);
  }
  respond_error(*exchange, {ErrorCode::not_found,
                            fmt::format("there is no POST {}", exchange->target().path)});
}

void ApiServer::get_health(Exchange exchange) {
  engine_.status([this, exchange = std::move(exchange)](EngineStatus status) mutable {
    parts_.loop.post([this, exchange = std::move(exchange), status = std::move(status)] {
      std::uint64_t entities = 0;
      for (const ShardStatus& shard : status.shards) entities += shard.entities;
      std::string body;
      json::JsonWriter json(body);
      json.begin_object().key("status").text("ok");
      json.key("version").text(parts_.catalog.version);
      json.key("time").time(parts_.ingest.now());
      json.key("shards").integer(signed_count(status.shards.size()));
      json.key("entities").integer(signed_count(entities));
      json.key("congested").boolean(parts_.ingest.is_congested()).end_object();
      respond_json(*exchange, std::move(body));
    });
  });
}

void ApiServer::get_metrics(Exchange exchange) {
  engine_.status([this, exchange = std::move(exchange)](EngineStatus status) mutable {
    engine_.books(
        [this, exchange = std::move(exchange), status = std::move(status)](auto books) mutable {
          parts_.loop.post([this, exchange = std::move(exchange), status = std::move(status),
                            books = std::move(books)] {
            std::string text;
            MetricsWriter out(text);
            write_books_metrics(books, out);
            write_engine_metrics(status, out);
            const history::HistoryFigures figures = parts_.history_store.figures();
            out.counter("ficus_history_rows_total", "Rows committed to history since start");
            out.sample(static_cast<double>(figures.rows_committed));
            out.gauge("ficus_history_rows", "Rows in history, by place");
            out.sample({{"place", "tail"}}, static_cast<double>(figures.rows_tail));
            out.sample({{"place", "sealed"}}, static_cast<double>(figures.rows_sealed));
            out.gauge("ficus_history_sealed_bytes", "Bytes of sealed files");
            out.sample(static_cast<double>(figures.bytes_sealed));
            const LiveStreamCounts live = parts_.live.counts();
            out.gauge("ficus_live_clients", "Open live streams");
            out.sample(static_cast<double>(live.clients));
            out.counter("ficus_live_slow_clients_total",
                        "Live streams closed since they took too little");
            out.sample(static_cast<double>(live.slow_clients_closed));
            if (parts_.connector_metrics) parts_.connector_metrics(out);
            exchange->respond(200, "text/plain; version=0.0.4; charset=utf-8", std::move(text));
          });
        });
  });
}

void ApiServer::get_types(Exchange exchange) {
  engine_.status([this, exchange = std::move(exchange)](EngineStatus status) mutable {
    parts_.loop.post([this, exchange = std::move(exchange), status = std::move(status)] {
      const Schema& schema = engine_.schema();
      std::string body;
      json::JsonWriter json(body);
      json.begin_array();
      for (TypeId type{0}; type.index() < schema.type_count(); type = TypeId(type.index() + 1)) {
        const std::string& name = schema.type_name(type);
        json.begin_object().key("name").text(name);
        const auto declared = std::find_if(parts_.catalog.types.begin(), parts_.catalog.types.end(),
                                           [&](const auto& t) { return t.id == type; });
        write_label(
            declared != parts_.catalog.types.end() ? declared->label : connect::Label{name, name},
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

void ApiServer::get_entities(Exchange exchange) {
  auto query = parse_entity_query(exchange->target(), engine_.schema());
  if (!query) return respond_error(*exchange, query.error());
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

void ApiServer::get_entity(Exchange exchange, std::string id) {
  const EntityForm form =
      has_option(exchange->target(), "keyValues") ? EntityForm::key_values : EntityForm::normalized;
  engine_.find(std::move(id), [this, form, exchange = std::move(exchange)](
                                  Result<twin::EntityView> entity) mutable {
    parts_.loop.post([this, form, exchange = std::move(exchange), entity = std::move(entity)] {
      if (!entity) return respond_error(*exchange, entity.error());
      std::string body;
      json::JsonWriter json(body);
      write_entity(*entity, engine_.schema(), form, json);
      respond_json(*exchange, std::move(body));
    });
  });
}

void ApiServer::get_alerts(Exchange exchange) {
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

std::string ApiServer::sources_json(const std::map<std::string, SourceBooks, std::less<>>& books) {
  const Timestamp now = parts_.ingest.now();
  std::string text;
  json::JsonWriter json(text);
  json.begin_object().key("kind").text("sources").key("sources").begin_array();
  for (const connect::Source& source : parts_.sources.all()) {
    const connect::SourceDeclaration& declaration = source.declaration;
    const auto found = books.find(declaration.name);
    const SourceBooks b = found != books.end() ? found->second : SourceBooks{};
    json.begin_object().key("name").text(declaration.name);
    write_label(declaration.label, json);
    json.key("protocol").text(declaration.protocol());
    json.key("simulated").boolean(declaration.is_simulated);
    json.key("received").integer(signed_count(b.received));
    json.key("applied").integer(signed_count(b.applied));
    json.key("late").integer(signed_count(b.late));
    json.key("duplicate").integer(signed_count(b.duplicate));
    json.key("quarantined").integer(signed_count(b.quarantined));
    json.key("refused").integer(signed_count(b.refused()));
    json.key("refusedBy").begin_object();
    for (const auto& [reason, items] : b.refused_by) json.key(reason).integer(signed_count(items));
    json.end_object();
    json.key("lastReceivedAt");
    if (b.last_received_at == Timestamp::min()) {
      json.null();
    } else {
      json.time(b.last_received_at);
    }
    Rate& rate = rates_[declaration.name];
    if (now - rate.at >= Micros::from_seconds(1)) {
      if (rate.at.micros != 0) {
        rate.per_second =
            static_cast<double>(b.received - rate.received) / (now - rate.at).seconds();
      }
      rate.received = b.received;
      rate.at = now;
    }
    json.key("ratePerSecond").number(rate.per_second).end_object();
  }
  json.end_array().end_object();
  return text;
}

void ApiServer::get_sources(Exchange exchange) {
  engine_.books([this, exchange = std::move(exchange)](auto books) mutable {
    parts_.loop.post([this, exchange = std::move(exchange), books = std::move(books)] {
      respond_json(*exchange, sources_json(books));
    });
  });
}

void ApiServer::broadcast_sources() {
  if (!parts_.live.has_clients()) return;
  engine_.books([this](auto books) {
    parts_.loop.post(
        [this, books = std::move(books)] { parts_.live.broadcast(sources_json(books)); });
  });
}

void ApiServer::get_rules(Exchange exchange) {
  engine_.status([this, exchange = std::move(exchange)](EngineStatus status) mutable {
    parts_.loop.post([exchange = std::move(exchange), status = std::move(status)] {
      std::string body;
      json::JsonWriter json(body);
      json.begin_array();
      for (const RuleStatus& rule : status.rules) {
        json.begin_object().key("name").text(rule.name).key("comment").text(rule.comment);
        json.key("text").text(rule.text).key("file").text(rule.file);
        json.key("from").text(rule.from).key("into").text(rule.into);
        json.key("rowsSeen").integer(signed_count(rule.rows_seen));
        json.key("met").integer(signed_count(rule.rows_met));
        json.key("raised").integer(signed_count(rule.raised));
        json.key("failures").integer(signed_count(rule.failures));
        json.key("lastError").text(rule.last_error).end_object();
      }
      json.end_array();
      respond_json(*exchange, std::move(body));
    });
  });
}

void ApiServer::get_departments(Exchange exchange) {
  std::string body;
  json::JsonWriter json(body);
  json.begin_array();
  for (const Department& department : parts_.catalog.departments) {
    json.begin_object().key("name").text(department.name).key("en").text(department.name_en);
    json.end_object();
  }
  json.end_array();
  respond_json(*exchange, std::move(body));
}

void ApiServer::get_page(Exchange exchange) {
  const std::string& path = exchange->target().path;
  const PageFile* const file = find_page_file(path == "/" ? "/index.html" : path);
  if (file == nullptr) {
    return respond_error(*exchange, {ErrorCode::not_found, fmt::format("there is no {}", path)});
  }
  // Files under /assets carry a hash of their content in the name; the others may change with the
  // binary.
  const bool is_hashed = path.starts_with("/assets/");
  exchange->respond(
      200,
      net::HttpHeaders{
          {"Content-Type", content_type_of(file->path)},
          {"Cache-Control", is_hashed ? "public, max-age=31536000, immutable" : "no-cache"},
          {"X-Content-Type-Options", "nosniff"}},
      std::string(file->content));
}

void ApiServer::get_history(Exchange exchange, std::string id) {
  const net::HttpTarget& target = exchange->target();
  history::SeriesRequest request;
  request.id = id;
  request.limits = parts_.history.limits();
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
  engine_.find(std::move(id), [this, names = std::move(names), request = std::move(request),
                               exchange =
                                   std::move(exchange)](Result<twin::EntityView> entity) mutable {
    parts_.loop.post([this, names = std::move(names), request = std::move(request),
                      exchange = std::move(exchange), entity = std::move(entity)]() mutable {
      if (!entity) return respond_error(*exchange, entity.error());
      const Schema& schema = engine_.schema();
      request.type = schema.type_name(entity->type);
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
      auto stop = std::make_shared<std::stop_source>();
      exchange->on_closed([stop](const Error&) { stop->request_stop(); });
      parts_.history.series(std::move(request), stop->get_token(),
                            [exchange = std::move(exchange)](Result<std::string> answer) {
                              if (!answer) return respond_error(*exchange, answer.error());
                              respond_json(*exchange, *std::move(answer));
                            });
    });
  });
}

void ApiServer::post_sql(Exchange exchange) {
  net::HttpExchange& e = *exchange;
  e.read_body(kSqlBytesMax, [this, exchange = std::move(exchange)](std::string_view body) mutable {
    std::string sql(body);
    bool is_csv = exchange->header("Accept").starts_with("text/csv");
    if (exchange->header("Content-Type").starts_with("application/json")) {
      json::JsonDocument document;
      const auto value = document.parse(body);
      if (!value) return respond_error(*exchange, value.error());
      const json::JsonValue text = value->member("sql");
      if (text.kind() != json::JsonKind::text) {
        return respond_error(*exchange,
                             {ErrorCode::invalid_input,
                              "expected {\"sql\":\"SELECT ...\",\"format\":\"json\"|\"csv\"}"});
      }
      sql = text.as_text();
      const json::JsonValue format = value->member("format");
      if (format.kind() == json::JsonKind::text) is_csv = format.as_text() == "csv";
    }
    auto stop = std::make_shared<std::stop_source>();
    exchange->on_closed([stop](const Error&) { stop->request_stop(); });
    parts_.history.sql(std::move(sql), is_csv ? AnswerFormat::csv : AnswerFormat::json,
                       stop->get_token(),
                       [is_csv, exchange = std::move(exchange)](Result<std::string> answer) {
                         if (!answer) return respond_error(*exchange, answer.error());
                         if (!is_csv) return respond_json(*exchange, *std::move(answer));
                         exchange->respond(200, "text/csv; charset=utf-8", *std::move(answer));
                       });
  });
}

namespace {

Result<AlertCommand> parse_command(std::string_view step, std::string_view body,
                                   const Catalog& catalog) {
  AlertCommand command;
  json::JsonDocument document;
  FICUS_TRY(const json::JsonValue value, document.parse(body.empty() ? "{}" : body));
  FICUS_TRY(command.by, text_member(value, "by"));
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

void ApiServer::post_alert(Exchange exchange, std::string id, std::string_view step) {
  net::HttpExchange& e = *exchange;
  e.read_body(kCommandBytesMax, [this, exchange = std::move(exchange), id = std::move(id),
                                 step = std::string(step)](std::string_view body) mutable {
    auto command = parse_command(step, body, parts_.catalog);
    if (!command) return respond_error(*exchange, command.error());
    command->alert_id = std::move(id);
    engine_.operate_alert(*std::move(command), [this, exchange = std::move(exchange)](
                                                   Result<twin::EntityView> alert) mutable {
      parts_.loop.post([this, exchange = std::move(exchange), alert = std::move(alert)] {
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
