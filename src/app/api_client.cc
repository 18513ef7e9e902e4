#include "app/api_client.h"

#include <fmt/format.h>

#include <cstdlib>
#include <optional>

#include "app/client_target.h"
#include "codec/json/json_reader.h"
#include "net/http_client.h"

namespace ficus::app {
namespace {

Error error_of(const net::HttpResponse& response) {
  json::JsonDocument document;
  const auto root = document.parse(response.body);
  if (root) {
    const json::JsonValue message = root->member("error").member("message");
    const ErrorCode code = response.status == 404   ? ErrorCode::not_found
                           : response.status == 409 ? ErrorCode::conflict
                           : response.status >= 500 ? ErrorCode::unavailable
                                                    : ErrorCode::invalid_input;
    if (message.kind() == json::JsonKind::text) return {code, std::string(message.as_text())};
  }
  return {ErrorCode::unavailable,
          fmt::format("answered {} {}", response.status, net::http_reason(response.status))};
}

}  // namespace

ApiClient::ApiClient(const Arguments& arguments, Disk& disk)
    : arguments_(arguments), disk_(disk), url_(arguments.value("url", "http://127.0.0.1:8080")) {}

Result<std::string> ApiClient::get(const std::string& target) { return ask("GET", target, {}); }

Result<std::string> ApiClient::post(const std::string& target, std::string json_body) {
  return ask("POST", target, std::move(json_body));
}

Result<std::string> ApiClient::ask(std::string method, const std::string& target,
                                   std::string body) {
  FICUS_TRY(const ClientTarget target_of, client_target(arguments_, url_, "http", disk_));
  net::HttpClientOptions options;
  options.tls = target_of.tls;
  net::EventLoop loop;
  net::HttpClient client(loop, target_of.host_port, options);
  net::HttpRequest request;
  request.method = std::move(method);
  request.target = target;
  if (!body.empty()) request.headers.add("Content-Type", "application/json");
  if (const char* const token = std::getenv("FICUS_TOKEN"); token != nullptr && *token != '\0') {
    request.headers.add("Authorization", fmt::format("Bearer {}", token));
  }
  request.body = std::move(body);
  std::optional<Result<net::HttpResponse>> answer;
  client.request(std::move(request), [&](Result<net::HttpResponse> response) {
    answer = std::move(response);
    loop.stop();
  });
  loop.run();
  if (!*answer) return in_context(url_ + ": ", (*answer).error());
  if ((*answer)->status / 100 != 2) return std::unexpected(error_of(**answer));
  return std::move((*answer)->body);
}

}  // namespace ficus::app
