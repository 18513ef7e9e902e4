#include <fmt/format.h>
#include <unistd.h>

#include <cstdlib>

#include "app/backup_set.h"
#include "app/command_list.h"
#include "base/time_text.h"
#include "codec/json/json_reader.h"
#include "codec/json/json_writer.h"
#include "net/http_client.h"

namespace ficus::app {
namespace {

constexpr Micros kAskEvery = Micros::from_millis(200);

std::string host_port_of(std::string url) {
  if (url.starts_with("http://")) url.erase(0, 7);
  return url.substr(0, url.find('/'));
}

// The brain may run in another folder.
std::string absolute(const std::string& path) {
  if (path.starts_with('/')) return path;
  std::string here(4096, '\0');
  if (::getcwd(here.data(), here.size()) == nullptr) return path;
  here.resize(here.find('\0'));
  return here + "/" + path;
}

// One backup: asks for it, then how far it is, until it has ended.
class BackupRequest {
 public:
  BackupRequest(const std::string& host_port, std::string directory)
      : client_(loop_, host_port, {}), timer_(loop_), directory_(std::move(directory)) {}

  int run() {
    net::HttpRequest request;
    request.method = "POST";
    request.target = "/admin/backup";
    request.headers.add("Content-Type", "application/json");
    json::JsonWriter json(request.body);
    json.begin_object().key("directory").text(directory_).end_object();
    send(std::move(request), 202);
    timer_.start_repeating(kAskEvery, [this] { ask(); });
    loop_.run();
    return exit_code_;
  }

 private:
  void ask() {
    if (is_waiting_) return;
    net::HttpRequest request;
    request.target = "/admin/backup";
    send(std::move(request), 200);
  }

  void send(net::HttpRequest request, int expected) {
    is_waiting_ = true;
    if (const char* const token = std::getenv("FICUS_TOKEN")) {
      request.headers.add("Authorization", fmt::format("Bearer {}", token));
    }
    client_.request(std::move(request), [this, expected](Result<net::HttpResponse> response) {
      is_waiting_ = false;
      if (!response) return end(report(response.error()));
      on_answer(*response, expected);
    });
  }

  void on_answer(const net::HttpResponse& response, int expected) {
    json::JsonDocument document;
    const auto answer = document.parse(response.body);
    if (!answer) return end(report(answer.error()));
    if (response.status != expected) {
      const json::JsonValue message = answer->member("error").member("message");
      const bool has_message = message.kind() == json::JsonKind::text;
      return end(report(
          {ErrorCode::unavailable, has_message ? std::string(message.as_text()) : response.body}));
    }
    const json::JsonValue state = answer->member("state");
    if (state.kind() != json::JsonKind::text) return end(report({ErrorCode::internal, "no state"}));
    show(*answer);
    if (state.as_text() == "done") {
      fmt::print("{} is a whole backup\n", directory_);
      end(0);
    } else if (state.as_text() == "failed") {
      const json::JsonValue error = answer->member("error");
      end(report({ErrorCode::unavailable, "the backup failed: " + std::string(error.as_text())}));
    }
  }

  void show(const json::JsonValue& answer) {
    const auto files = answer.member("files").as_integer().value_or(0);
    if (files == shown_) return;
    shown_ = files;
    fmt::print("{} files, {} MiB\n", files, answer.member("bytes").as_integer().value_or(0) >> 20);
    std::fflush(stdout);
  }

  void end(int exit_code) {
    exit_code_ = exit_code;
    loop_.stop();
  }

  net::EventLoop loop_;
  net::HttpClient client_;
  net::Timer timer_;
  const std::string directory_;
  std::int64_t shown_ = -1;
  bool is_waiting_ = false;
  int exit_code_ = 1;
};

}  // namespace

int run_backup(const Arguments& arguments, const Machine&) {
  if (arguments.positional().size() != 1) {
    fmt::print(stderr,
               "ficus backup: expected the directory to write to, on the brain's machine\n");
    return 2;
  }
  const std::string url = arguments.value("url", "http://127.0.0.1:8080");
  return BackupRequest(host_port_of(url), absolute(arguments.positional()[0])).run();
}

int run_restore(const Arguments& arguments, const Machine& machine) {
  const std::string data = arguments.value("into", "");
  if (arguments.positional().size() != 1 || (data.empty() && !arguments.has("check"))) {
    fmt::print(stderr, "ficus restore: expected the directory of a backup, and --into DATA\n");
    return 2;
  }
  const std::string& directory = arguments.positional()[0];
  CopyProgress progress;
  const auto restored = arguments.has("check")
                            ? verify_backup(machine.disk, directory, progress)
                            : restore_backup(machine.disk, directory, absolute(data), progress);
  if (!restored) return report(restored.error());
  fmt::print("{}: {} files, {} bytes, begun {} by version {}\n", directory, restored->files.size(),
             restored->bytes(), to_iso8601(restored->began_at), restored->version);
  for (const BackupLog& log : restored->logs) {
    fmt::print("  log {} up to position {}\n", log.log, log.position);
  }
  if (arguments.has("check")) {
    fmt::print("sound\n");
  } else {
    fmt::print("restored into {}: start it with data_directory: {}\n", data, data);
  }
  return 0;
}

}  // namespace ficus::app
