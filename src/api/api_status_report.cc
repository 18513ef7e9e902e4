// GET /status: everything an operator looks at first, in one answer. `ficus status` shows it.
#include "api/api_server.h"
#include "api/json_parts.h"
#include "connect/http/respond.h"

namespace ficus::api {
namespace {

// So much of the log may history lack before it counts as behind.
constexpr std::uint64_t kHistoryLagBytesMax = std::uint64_t{256} << 20;

std::uint64_t history_lag(const ShardStatus& shard) {
  return shard.log_durable > shard.history_position ? shard.log_durable - shard.history_position
                                                    : 0;
}

void write_shards(const EngineStatus& status, json::JsonWriter& json) {
  json.key("shards").begin_array();
  for (const ShardStatus& shard : status.shards) {
    json.begin_object().key("entities").integer(signed_count(shard.entities));
    json.key("twinBytes").integer(signed_count(shard.twin_bytes));
    json.key("queued").integer(signed_count(shard.queue_length));
    json.key("queueMax").integer(signed_count(shard.queue_max));
    json.key("logBytes").integer(signed_count(shard.log_end - shard.log_begin));
    json.key("unsyncedBytes").integer(signed_count(shard.log_end - shard.log_durable));
    json.key("acknowledgeMicros").integer(shard.acknowledge_mean.count);
    json.key("acknowledgeMicrosMax").integer(shard.acknowledge_max.count);
    json.key("historyLagBytes").integer(signed_count(history_lag(shard))).end_object();
  }
  json.end_array();
}

void write_problem(std::string_view code, std::string_view message, json::JsonWriter& json) {
  json.begin_object().key("code").text(code).key("message").text(message).end_object();
}

}  // namespace

void ApiServer::get_status(Exchange exchange, const Who& who) {
  if (!who->reads_the_city()) return gate_.deny(*exchange, who, "of the role operator or above");
  engine_.status([this, who, exchange = std::move(exchange)](EngineStatus status) mutable {
    engine_.books([this, who, exchange = std::move(exchange),
                   status = std::move(status)](auto books) mutable {
      parts_.loop.post([this, who, exchange = std::move(exchange), status = std::move(status),
                        books = std::move(books)] {
        connect::respond_json(*exchange, status_report(status, books, who.get()));
      });
    });
  });
}

void ApiServer::write_problems(const EngineStatus& status,
                               const std::map<std::string, SourceBooks, std::less<>>& books,
                               json::JsonWriter& json) const {
  if (const auto refusal = engine_.refusal()) {
    write_problem(error_code_name(refusal->code), refusal->message, json);
  }
  for (const std::string& what : parts_.history_store.damage()) {
    write_problem("history_damage", what, json);
  }
  if (parts_.ingest.is_congested()) {
    write_problem("congested", "more comes in than can be taken: senders are slowed down", json);
  }
  for (const ShardStatus& shard : status.shards) {
    if (history_lag(shard) <= kHistoryLagBytesMax) continue;
    write_problem("history_behind",
                  "history is far behind the log: is the disk slow, or a query too heavy?", json);
  }
  for (const auto& [name, b] : books) {
    if (b.balanced()) continue;
    write_problem("books", "the books of source '" + name + "' do not balance: report this", json);
  }
}

std::string ApiServer::status_report(const EngineStatus& status,
                                     const std::map<std::string, SourceBooks, std::less<>>& books,
                                     const access::Principal* who) {
  std::string problems;
  json::JsonWriter problem_list(problems);
  problem_list.begin_array();
  write_problems(status, books, problem_list);
  problem_list.end_array();
  std::string text;
  json::JsonWriter json(text);
  json.begin_object().key("status").text(problems == "[]" ? "ok" : "degraded");
  json.key("problems").raw(problems);
  json.key("version").text(parts_.catalog.version);
  json.key("time").time(parts_.ingest.now());
  if (parts_.process_status) parts_.process_status(json);
  std::uint64_t alerts_open = 0;
  std::uint64_t entities = 0;
  for (const ShardStatus& shard : status.shards) {
    alerts_open += shard.alerts_open;
    entities += shard.entities;
  }
  json.key("entities").integer(signed_count(entities));
  json.key("alertsOpen").integer(signed_count(alerts_open));
  json.key("rules").integer(signed_count(status.rules.size()));
  std::uint64_t failures = 0;
  for (const RuleStatus& rule : status.rules) failures += rule.failures;
  json.key("ruleFailures").integer(signed_count(failures));
  write_disk(json);
  const history::HistoryFigures figures = parts_.history_store.figures();
  json.key("history").begin_object();
  json.key("rowsTail").integer(signed_count(figures.rows_tail));
  json.key("rowsSealed").integer(signed_count(figures.rows_sealed));
  json.key("bytesSealed").integer(signed_count(figures.bytes_sealed)).end_object();
  json.key("liveClients").integer(signed_count(parts_.live.counts().clients));
  write_shards(status, json);
  // The same list as GET /sources has.
  json.key("sources").raw(sources_json(books, who));
  json.end_object();
  return text;
}

}  // namespace ficus::api
