#include <fmt/format.h>

#include <charconv>

#include "api/api_server.h"
#include "api/sql_response.h"
#include "base/time_text.h"
#include "codec/json/json_reader.h"
#include "codec/json/json_writer.h"
#include "connect/http/respond.h"

namespace ficus::api {
namespace {

using connect::respond_error;
using connect::respond_json;

constexpr std::size_t kSqlBytesMax = 100'000;

struct Question {
  std::string sql;
  AnswerFormat format = AnswerFormat::json;
};

// The statement as text, or {"sql", "format"}.
Result<Question> read_question(const net::HttpExchange& exchange, std::string_view body) {
  Question question{std::string(body), format_of_accept(exchange.header("Accept"))};
  if (!exchange.header("Content-Type").starts_with("application/json")) return question;
  const auto expected = [] {
    return invalid(R"(expected {"sql":"SELECT ...","format":"json"|"csv"|"arrow"|"parquet"})");
  };
  json::JsonDocument document;
  FICUS_TRY(const json::JsonValue value, document.parse(body));
  const json::JsonValue text = value.member("sql");
  if (text.kind() != json::JsonKind::text) return expected();
  question.sql = text.as_text();
  const json::JsonValue word = value.member("format");
  if (word.kind() != json::JsonKind::text) return question;
  const std::optional<AnswerFormat> format = format_of_word(word.as_text());
  if (!format) return expected();
  question.format = *format;
  return question;
}

// The tables that are no type belong to who watches the city: payloads as they came in, and where
// history stands.
Asker asker_of(const access::Principal& who, const Schema& schema) {
  Asker asker;
  asker.user = who.name();
  if (who.reads_everything()) return asker;
  std::vector<std::string>& readable = asker.readable_types.emplace();
  for (std::uint32_t i = 0; i < schema.type_count(); ++i) {
    const std::string& name = schema.type_name(TypeId(i));
    if (who.may_read(name)) readable.push_back(name);
  }
  if (who.reads_the_city()) {
    for (const char* table : {"quarantine", "ficus_sealed", "ficus_position", "ficus_damaged"}) {
      readable.emplace_back(table);
    }
  }
  return asker;
}

// Whose questions somebody may see and stop: their own; all of them with the right to administer.
std::optional<std::string> questions_of(const access::Principal& who) {
  return who.may_administer() ? std::nullopt : std::optional(who.name());
}

}  // namespace

void ApiServer::post_sql(Exchange exchange, const Who& who) {
  net::HttpExchange& e = *exchange;
  if (!who->may_use_sql()) return gate_.deny(e, who, "sql");
  e.read_body(
      kSqlBytesMax, [this, who, exchange = std::move(exchange)](std::string_view body) mutable {
        if (!gate_.still_stands(*exchange, who)) return;
        Result<Question> question = read_question(*exchange, body);
        if (!question) return respond_error(*exchange, question.error());
        gate_.access().audit(who.get(), exchange->peer().text(), access::AuditAction::run_sql,
                             question->sql);
        const AnswerFormat format = question->format;
        const std::uint64_t number = parts_.history.next_id();
        exchange->on_closed([this, number](const Error&) { parts_.history.cancel(number); });
        parts_.history.sql(
            number, std::move(question->sql), format, asker_of(*who, engine_.schema()),
            [this, format, exchange = std::move(exchange)](Result<SqlAnswer> answer) mutable {
              if (!answer) return respond_sql_error(*exchange, answer.error());
              respond_sql(std::move(exchange), parts_.loop, format, *std::move(answer));
            });
      });
}

void ApiServer::get_queries(Exchange exchange, const Who& who) {
  if (!who->may_use_sql()) return gate_.deny(*exchange, who, "sql");
  std::string body;
  json::JsonWriter json(body);
  json.begin_object().key("queries").begin_array();
  for (const QueryState& query : parts_.history.list(questions_of(*who))) {
    json.begin_object().key("id").integer(static_cast<std::int64_t>(query.id));
    json.key("user").text(query.user);
    json.key("state").text(query.is_running ? "running" : "waiting");
    json.key("asked").text(to_iso8601(query.asked_at)).key("started");
    query.is_running ? json.text(to_iso8601(query.started_at)) : json.null();
    json.key("elapsedMs").number(static_cast<double>(query.elapsed.count) / 1000);
    json.key("sql").text(query.text).end_object();
  }
  json.end_array().end_object();
  respond_json(*exchange, std::move(body));
}

void ApiServer::delete_query(Exchange exchange, const Who& who, std::string_view id) {
  if (!who->may_use_sql()) return gate_.deny(*exchange, who, "sql");
  std::uint64_t number = 0;
  const auto end = std::from_chars(id.data(), id.data() + id.size(), number);
  const bool is_number = end.ec == std::errc() && end.ptr == id.data() + id.size();
  if (!is_number || !parts_.history.cancel(number, questions_of(*who))) {
    return respond_error(
        *exchange, {ErrorCode::not_found, fmt::format("no query {} is running or waiting: GET "
                                                      "/sql/queries lists them",
                                                      id)});
  }
  exchange->respond(204, net::HttpHeaders{}, "");
}

}  // namespace ficus::api
