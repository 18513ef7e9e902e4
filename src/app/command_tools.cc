#include <fmt/format.h>

#include <cstdio>
#include <cstdlib>
#include <optional>

#include "api/history_service.h"
#include "app/client_target.h"
#include "app/command_list.h"
#include "codec/json/json_reader.h"
#include "net/http_client.h"

namespace ficus::app {
namespace {

// Shows an answer of POST /sql as a table whose columns are as wide as their cells.
void print_table(json::JsonValue answer) {
  std::vector<std::vector<std::string>> lines(1);
  for (json::JsonItems columns(answer.member("columns")); columns.next();) {
    lines[0].emplace_back(columns.value().member("name").as_text());
  }
  for (json::JsonItems rows(answer.member("rows")); rows.next();) {
    std::vector<std::string>& line = lines.emplace_back();
    for (json::JsonItems cells(rows.value()); cells.next();) {
      std::string& cell = line.emplace_back();
      if (cells.value().kind() == json::JsonKind::text) {
        cell = cells.value().as_text();
      } else {
        cells.value().append_json(cell);
      }
    }
  }
  std::vector<std::size_t> widths(lines[0].size());
  for (const auto& line : lines) {
    for (std::size_t i = 0; i < line.size() && i < widths.size(); ++i) {
      widths[i] = std::max(widths[i], line[i].size());
    }
  }
  for (const auto& line : lines) {
    for (std::size_t i = 0; i < line.size() && i < widths.size(); ++i) {
      fmt::print("{:<{}}  ", line[i], widths[i]);
    }
    fmt::print("\n");
  }
  const bool truncated = answer.member("truncated").kind() == json::JsonKind::boolean &&
                         answer.member("truncated").as_boolean();
  fmt::print("({} rows{})\n", lines.size() - 1, truncated ? ", truncated" : "");
}

std::optional<std::string_view> accept_of(std::string_view format) {
  if (format == "table") return api::media_type(api::AnswerFormat::json);
  const std::optional<api::AnswerFormat> known = api::format_of_word(format);
  if (!known) return std::nullopt;
  return api::media_type(*known);
}

int print_answer(const net::HttpResponse& response, const Arguments& arguments) {
  const std::string format = arguments.value("format", "table");
  if (response.status == 200 && format != "table") {
    std::fwrite(response.body.data(), 1, response.body.size(), stdout);
    if (format == "json") std::fputc('\n', stdout);
    if (response.headers.find("Ficus-Truncated")) {
      fmt::print(stderr, "ficus sql: the answer is cut short: sql.rows_max\n");
    }
    return std::fflush(stdout) == 0 ? 0 : 1;
  }
  json::JsonDocument document({.bytes_max = std::size_t{1} << 30});
  const auto answer = document.parse(response.body);
  if (!answer) return report(answer.error());
  if (response.status == 200) {
    print_table(*answer);
    return 0;
  }
  const json::JsonValue message = answer->member("error").member("message");
  return report({ErrorCode::invalid_input, message.kind() == json::JsonKind::text
                                               ? std::string(message.as_text())
                                               : response.body});
}

}  // namespace

int run_sql(const Arguments& arguments, const Machine& machine) {
  if (arguments.positional().size() != 1) {
    fmt::print(stderr, "ficus sql: expected one statement in quotes\n");
    return 2;
  }
  const std::string format = arguments.value("format", "table");
  const std::optional<std::string_view> accept = accept_of(format);
  if (!accept) {
    fmt::print(stderr, "ficus sql: --format {}: expected table, json, csv, arrow or parquet\n",
               format);
    return 2;
  }
  const auto target = client_target(arguments, arguments.value("url", "http://127.0.0.1:8080"),
                                    "http", machine.disk);
  if (!target) return report(target.error());
  net::EventLoop loop;
  net::HttpClientOptions options;
  options.tls = target->tls;
  options.response_bytes_max = std::size_t{4} << 30;  // a Parquet file: the server's limit holds
  options.request_timeout = {};
  net::HttpClient client(loop, target->host_port, options);
  std::optional<Result<net::HttpResponse>> answer;
  net::HttpRequest request;
  request.method = "POST";
  request.target = "/sql";
  request.headers.add("Content-Type", "text/plain; charset=utf-8");
  request.headers.add("Accept", *accept);
  // In the environment and not an argument, which every user of the machine can see.
  if (const char* const token = std::getenv("FICUS_TOKEN")) {
    request.headers.add("Authorization", fmt::format("Bearer {}", token));
  }
  request.body = arguments.positional()[0];
  client.request(std::move(request), [&](Result<net::HttpResponse> response) {
    answer = std::move(response);
    loop.stop();
  });
  loop.run();
  if (!*answer) return report((*answer).error());
  return print_answer(**answer, arguments);
}

}  // namespace ficus::app
