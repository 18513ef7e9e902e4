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

}  // namespace

void ApiServer::post_sql(Exchange exchange) {
  net::HttpExchange& e = *exchange;
  e.read_body(kSqlBytesMax, [this, exchange = std::move(exchange)](std::string_view body) mutable {
    Result<Question> question = read_question(*exchange, body);
    if (!question) return respond_error(*exchange, question.error());
    const AnswerFormat format = question->format;
    const std::uint64_t number = parts_.history.next_id();
    exchange->on_closed([this, number](const Error&) { parts_.history.cancel(number); });
    parts_.history.sql(
        number, std::move(question->sql), format, {},
        [this, format, exchange = std::move(exchange)](Result<SqlAnswer> answer) mutable {
          if (!answer) return respond_sql_error(*exchange, answer.error());
          respond_sql(std::move(exchange), parts_.loop, format, *std::move(answer));
        });
  });
}

void ApiServer::get_queries(Exchange exchange) {
  std::string body;
  json::JsonWriter json(body);
  json.begin_object().key("queries").begin_array();
  for (const QueryState& query : parts_.history.list(std::nullopt)) {
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

void ApiServer::delete_query(Exchange exchange, std::string_view id) {
  std::uint64_t number = 0;
  const auto end = std::from_chars(id.data(), id.data() + id.size(), number);
  const bool is_number = end.ec == std::errc() && end.ptr == id.data() + id.size();
  if (!is_number || !parts_.history.cancel(number)) {
    return respond_error(
        *exchange, {ErrorCode::not_found, fmt::format("no query {} is running or waiting: GET "
                                                      "/sql/queries lists them",
                                                      id)});
  }
  exchange->respond(204, net::HttpHeaders{}, "");
}

}  // namespace ficus::api
