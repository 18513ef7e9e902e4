#include <fmt/format.h>

#include "api/api_server.h"
#include "api/json_parts.h"
#include "api/metrics.h"
#include "codec/json/json_reader.h"
#include "connect/http/respond.h"

namespace ficus::api {
namespace {

using connect::respond_json;

constexpr std::size_t kBackupBodyMax = 64 << 10;
void write_time(Timestamp time, json::JsonWriter& json) {
  time == Timestamp::min() ? json.null() : json.time(time);
}

void write_link(const connect::LinkStatus& link, json::JsonWriter& json) {
  json.key("connection").begin_object();
  json.key("state").text(connect::link_state_name(link.state));
  json.key("peer").text(link.peer);
  json.key("connectedAt");
  write_time(link.connected_at, json);
  json.key("lastError").text(link.last_error);
  json.key("lastErrorAt");
  write_time(link.last_error_at, json);
  json.key("attempts").integer(signed_count(link.attempts));
  json.key("failures").integer(signed_count(link.failures)).end_object();
}

}  // namespace

void ApiServer::get_health(Exchange exchange, const Who& who) {
  // Those who watch whether it lives need no login; they hear no more than that.
  if (who == nullptr) {
    const bool is_degraded = engine_.refusal() || !parts_.history_store.damage().empty();
    return respond_json(*exchange, is_degraded ? R"({"status":"degraded"})" : R"({"status":"ok"})");
  }
  // Which types have lost what is for those who may read them all.
  const bool sees_all = who->reads_the_city();
  engine_.status([this, exchange = std::move(exchange), sees_all](EngineStatus status) mutable {
    parts_.loop.post([this, exchange = std::move(exchange), status = std::move(status), sees_all] {
      std::uint64_t entities = 0;
      for (const ShardStatus& shard : status.shards) entities += shard.entities;
      std::string body;
      json::JsonWriter json(body);
      const auto refusal = engine_.refusal();
      const std::vector<std::string> damage = parts_.history_store.damage();
      json.begin_object().key("status").text(refusal || !damage.empty() ? "degraded" : "ok");
      json.key("version").text(parts_.catalog.version);
      json.key("time").time(parts_.ingest.now());
      json.key("shards").integer(signed_count(status.shards.size()));
      json.key("entities").integer(signed_count(entities));
      json.key("congested").boolean(parts_.ingest.is_congested());
      write_disk(json);
      json.key("problems").begin_array();
      if (refusal) {
        json.begin_object().key("code").text(error_code_name(refusal->code));
        json.key("message").text(refusal->message).end_object();
      }
      for (const std::string& what : damage) {
        json.begin_object().key("code").text("history_damage");
        json.key("message").text(sees_all ? what : "part of history was damaged").end_object();
      }
      json.end_array().end_object();
      respond_json(*exchange, std::move(body));
    });
  });
}

void ApiServer::write_disk(json::JsonWriter& json) const {
  if (parts_.intake == nullptr) return;
  json.key("disk").begin_object();
  json.key("freeBytes").integer(signed_count(parts_.intake->free_bytes()));
  json.key("reserveBytes").integer(signed_count(parts_.intake->reserve_bytes()));
  json.key("takesNewData").boolean(parts_.intake->is_open()).end_object();
}

void ApiServer::write_intake_metrics(MetricsWriter& out) const {
  if (parts_.intake == nullptr) return;
  out.gauge("ficus_disk_free_bytes", "Free on the disk of the data directory");
  out.sample(static_cast<double>(parts_.intake->free_bytes()));
  out.gauge("ficus_disk_reserve_bytes", "With less free, new data is refused");
  out.sample(static_cast<double>(parts_.intake->reserve_bytes()));
  out.gauge("ficus_takes_new_data", "1 while new data is taken, 0 while it is refused");
  out.sample(parts_.intake->is_open() ? 1 : 0);
  out.counter("ficus_intake_closed_total", "Times that new data began to be refused");
  out.sample(static_cast<double>(parts_.intake->times_closed()));
  out.counter("ficus_intake_items_refused_total", "Items refused while nothing could be written");
  for (const auto& [cause, items] : parts_.ingest.items_refused()) {
    out.sample({{"cause", cause}}, static_cast<double>(items));
  }
}

void ApiServer::get_metrics(Exchange exchange, const Who& who) {
  if (!who->reads_the_city()) return gate_.deny(*exchange, who, "read: *");
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
            out.gauge("ficus_history_damage",
                      "Files of history set aside, and stretches of it lost, since start");
            out.sample(static_cast<double>(parts_.history_store.damage().size()));
            out.gauge("ficus_history_sealed_bytes", "Bytes of sealed files");
            out.sample(static_cast<double>(figures.bytes_sealed));
            const LiveStreamCounts live = parts_.live.counts();
            out.gauge("ficus_live_clients", "Open live streams");
            out.sample(static_cast<double>(live.clients));
            out.counter("ficus_live_slow_clients_total",
                        "Live streams closed since they took too little");
            out.sample(static_cast<double>(live.slow_clients_closed));
            out.counter("ficus_live_refused_total", "Live streams refused, by cause");
            out.sample({{"cause", "clients_max"}}, static_cast<double>(live.refused_all));
            out.sample({{"cause", "clients_per_user_max"}}, static_cast<double>(live.refused_user));
            out.counter("ficus_live_left_out_total",
                        "Entities left out of a live message, as too many changed at once");
            out.sample(static_cast<double>(live.entities_left_out));
            write_intake_metrics(out);
            if (parts_.connector_metrics) parts_.connector_metrics(out);
            exchange->respond(200, "text/plain; version=0.0.4; charset=utf-8", std::move(text));
          });
        });
  });
}

std::string ApiServer::sources_json(const std::map<std::string, SourceBooks, std::less<>>& books,
                                    const access::Principal* who) {
  std::string text;
  json::JsonWriter json(text);
  json.begin_object().key("kind").text("sources").key("sources").begin_array();
  for (const connect::Source& source : parts_.sources.all()) {
    const connect::SourceDeclaration& declaration = source.declaration;
    // Whoever feeds a source may see its books; the others belong to who watches the city.
    if (who != nullptr && !who->reads_the_city() && !who->may_ingest(declaration.name)) continue;
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
    write_time(b.last_received_at, json);
    json.key("ratePerSecond").number(rates_[declaration.name].per_second);
    const connect::LinkStatus* const link =
        parts_.link_status ? parts_.link_status(declaration.name) : nullptr;
    if (link != nullptr) write_link(*link, json);
    json.end_object();
  }
  json.end_array().end_object();
  return text;
}

void ApiServer::get_sources(Exchange exchange, const Who& who) {
  engine_.books([this, who, exchange = std::move(exchange)](auto books) mutable {
    parts_.loop.post([this, who, exchange = std::move(exchange), books = std::move(books)] {
      respond_json(*exchange, sources_json(books, who.get()));
    });
  });
}

// Whether anybody watches or not: whoever asks later wants to know how it has been.
void ApiServer::note_rates(const std::map<std::string, SourceBooks, std::less<>>& books) {
  const Timestamp now = parts_.ingest.now();
  for (const connect::Source& source : parts_.sources.all()) {
    const auto found = books.find(source.declaration.name);
    const std::uint64_t received = found != books.end() ? found->second.received : 0;
    Rate& rate = rates_[source.declaration.name];
    if (rate.at.micros != 0 && now > rate.at && received >= rate.received) {
      rate.per_second = static_cast<double>(received - rate.received) / (now - rate.at).seconds();
    }
    rate.received = received;
    rate.at = now;
  }
}

void ApiServer::broadcast_sources() {
  engine_.books([this](auto books) {
    parts_.loop.post([this, books = std::move(books)] {
      note_rates(books);
      if (!parts_.live.has_clients()) return;
      parts_.live.broadcast_sources(sources_json(books, nullptr));
    });
  });
}

void ApiServer::get_backup(Exchange exchange, const Who& who) {
  if (!who->may_administer()) return gate_.deny(*exchange, who, "backup");
  if (parts_.backups == nullptr) {
    return connect::respond_error(*exchange, {ErrorCode::unavailable, "no backups here"});
  }
  respond_json(*exchange, parts_.backups->status_json());
}

void ApiServer::post_backup(Exchange exchange, const Who& who) {
  net::HttpExchange& e = *exchange;
  if (!who->may_administer()) return gate_.deny(e, who, "backup");
  e.read_body(kBackupBodyMax, [this, who, exchange = std::move(exchange)](std::string_view body) {
    if (!gate_.still_stands(*exchange, who)) return;
    json::JsonDocument document;
    const auto value = document.parse(body);
    const json::JsonValue directory = value ? value->member("directory") : json::JsonValue();
    if (directory.kind() != json::JsonKind::text || !directory.as_text().starts_with('/')) {
      return connect::respond_error(*exchange,
                                    {ErrorCode::invalid_input,
                                     "expected {\"directory\": \"/absolute/path\"}, on the brain's "
                                     "machine"});
    }
    if (parts_.backups == nullptr) {
      return connect::respond_error(*exchange, {ErrorCode::unavailable, "no backups here"});
    }
    gate_.access().audit(who.get(), exchange->peer().text(), access::AuditAction::administer,
                         fmt::format("backup into {}", directory.as_text()));
    const Status started = parts_.backups->start(std::string(directory.as_text()));
    if (!started) return connect::respond_error(*exchange, started.error());
    respond_json(*exchange, parts_.backups->status_json(), 202);
  });
}

void ApiServer::get_rules(Exchange exchange, const Who& who) {
  engine_.status([this, who, exchange = std::move(exchange)](EngineStatus status) mutable {
    parts_.loop.post([who, exchange = std::move(exchange), status = std::move(status)] {
      std::string body;
      json::JsonWriter json(body);
      json.begin_array();
      for (const RuleStatus& rule : status.rules) {
        if (!who->may_read(rule.from) || !who->may_read(rule.into)) continue;
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

void ApiServer::get_departments(Exchange exchange, const Who&) {
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

}  // namespace ficus::api
