// `ficus status` and `ficus reload`: what an operator asks a running brain from a terminal.
#include <fmt/format.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <optional>
#include <thread>

#include "app/command_list.h"
#include "app/status_screen.h"
#include "codec/json/json_reader.h"
#include "net/http_client.h"

namespace ficus::app {
namespace {

constexpr int kHealthy = 0;
constexpr int kDegraded = 1;
constexpr int kUnreachable = 2;
constexpr const char* kDefaultUrl = "http://127.0.0.1:8080";
constexpr Micros kPatience = Micros::from_seconds(10);

std::string host_port_of(std::string url) {
  if (url.starts_with("http://")) url.erase(0, 7);
  return url.substr(0, url.find('/'));
}

// One request on a loop of its own.
Result<net::HttpResponse> ask(const std::string& url, std::string method, std::string target) {
  net::EventLoop loop;
  net::HttpClient client(loop, host_port_of(url), {});
  std::optional<Result<net::HttpResponse>> answer;
  net::HttpRequest request;
  request.method = std::move(method);
  request.target = std::move(target);
  // Whoever runs the brain may give the command its token; it is no argument, which `ps` would
  // show.
  if (const char* const token = std::getenv("FICUS_TOKEN")) {
    request.headers.add("Authorization", fmt::format("Bearer {}", token));
  }
  client.request(std::move(request), [&](Result<net::HttpResponse> response) {
    answer = std::move(response);
    loop.stop();
  });
  net::Timer patience(loop);
  patience.start_once(kPatience, [&loop] { loop.stop(); });
  loop.run();
  if (!answer) return fail(ErrorCode::unavailable, "no answer within 10 s");
  return *std::move(answer);
}

bool speaks_chinese() {
  for (const char* const name : {"LC_ALL", "LC_MESSAGES", "LANG"}) {
    const char* const value = std::getenv(name);
    if (value != nullptr && *value != '\0') return std::string_view(value).starts_with("zh");
  }
  return false;
}

// Prints one look at the brain; returns the exit code for it.
int look(const std::string& url, bool as_json, bool clears_screen) {
  const auto answer = ask(url, "GET", "/status");
  if (clears_screen) fmt::print("\x1b[H\x1b[2J");
  if (!answer || answer->status != 200) {
    const std::string why =
        answer ? fmt::format("it answers {}", answer->status) : answer.error().message;
    fmt::print(stderr, "{}\n", unreachable_text(url, why, speaks_chinese()));
    return kUnreachable;
  }
  json::JsonDocument document({.bytes_max = std::size_t{64} << 20});
  const auto status = document.parse(answer->body);
  if (!status) return report(status.error());
  if (as_json) {
    fmt::print("{}\n", answer->body);
  } else {
    fmt::print("{}", status_screen(*status, {.chinese = speaks_chinese(),
                                             .colours = ::isatty(STDOUT_FILENO) == 1}));
  }
  std::fflush(stdout);
  const json::JsonValue word = status->member("status");
  const bool healthy = word.kind() == json::JsonKind::text && word.as_text() == "ok";
  return healthy ? kHealthy : kDegraded;
}

}  // namespace

int run_status(const Arguments& arguments, const Machine&) {
  const std::string url = arguments.value("url", kDefaultUrl);
  const auto seconds = arguments.number("interval", 2, 1, 3600);
  if (!seconds) {
    fmt::print(stderr, "ficus status: {}\n", seconds.error().message);
    return kUnreachable;
  }
  if (!arguments.has("watch")) return look(url, arguments.has("json"), false);
  while (true) {
    look(url, arguments.has("json"), !arguments.has("json") && ::isatty(STDOUT_FILENO) == 1);
    std::this_thread::sleep_for(std::chrono::duration<double>(*seconds));
  }
}

int run_reload(const Arguments& arguments, const Machine&) {
  const std::string url = arguments.value("url", kDefaultUrl);
  const auto answer = ask(url, "POST", "/admin/reload");
  if (!answer) {
    fmt::print(stderr, "{}\n", unreachable_text(url, answer.error().message, speaks_chinese()));
    return kUnreachable;
  }
  json::JsonDocument document({.bytes_max = std::size_t{16} << 20});
  const auto outcome = document.parse(answer->body);
  if (answer->status == 200 && outcome) {
    fmt::print("{}\n", answer->body);
    return 0;
  }
  if (!outcome) return report({ErrorCode::unavailable, answer->body});
  const json::JsonValue message = outcome->member("error").member("message");
  return report(
      {ErrorCode::invalid_input, message.kind() == json::JsonKind::text
                                     ? "nothing was changed:\n" + std::string(message.as_text())
                                     : answer->body});
}

}  // namespace ficus::app
