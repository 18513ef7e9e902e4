#include "simulate/http_sender.h"

#include <fmt/format.h>

#include <algorithm>

#include "codec/json/json_reader.h"

namespace ficus::simulate {
namespace {

constexpr Micros kBackoffMin = Micros::from_millis(200);
constexpr Micros kBackoffMax = Micros::from_seconds(10);

// How many records the answer says were quarantined.
std::uint64_t quarantined_count(const std::string& body) {
  json::JsonDocument document({.bytes_max = std::size_t{64} << 20});
  const auto root = document.parse(body);
  if (!root) return 0;
  const json::JsonValue value = root->member("quarantined");
  if (value.kind() != json::JsonKind::number) return 0;
  return static_cast<std::uint64_t>(std::max(0.0, value.as_number()));
}

net::HttpClientOptions client_options(std::shared_ptr<net::TlsClientContext> tls) {
  net::HttpClientOptions options;
  options.tls = std::move(tls);
  return options;
}

}  // namespace

HttpSender::HttpSender(net::EventLoop& loop, std::string host_port, std::size_t bodies_max,
                       std::shared_ptr<net::TlsClientContext> tls, std::string authorization)
    : client_(loop, std::move(host_port), client_options(std::move(tls))),
      authorization_(std::move(authorization)),
      retry_(loop),
      bodies_max_(bodies_max),
      backoff_(kBackoffMin) {}

void HttpSender::post(std::string target, std::string content_type, std::string body,
                      std::size_t records) {
  counts_.accepted += records;
  queue_.push_back({std::move(target), std::move(content_type), std::move(body), records});
  if (queue_.size() == 1) send_first();
}

void HttpSender::send_first() {
  const Item& item = queue_.front();
  net::HttpRequest request;
  request.method = "POST";
  request.target = item.target;
  request.headers.add("Content-Type", item.content_type);
  if (!authorization_.empty()) request.headers.add("Authorization", authorization_);
  request.body = item.body;
  client_.request(std::move(request),
                  [this](Result<net::HttpResponse> answer) { on_answer(std::move(answer)); });
}

void HttpSender::on_answer(Result<net::HttpResponse> answer) {
  if (!answer) return retry_later(answer.error().message);
  const int status = answer->status;
  if (status == 429 || status >= 500) return retry_later(fmt::format("HTTP status {}", status));
  const Item& item = queue_.front();
  // 200 all, 207 some, 422 none was taken; what was not is kept in quarantine.
  if (status == 200 || status == 207 || status == 422) {
    counts_.acknowledged += item.records;
    counts_.quarantined += quarantined_count(answer->body);
  } else {
    counts_.refused += item.records;
    last_error_ =
        fmt::format("{}: HTTP status {}: {}", item.target, status, answer->body.substr(0, 200));
  }
  backoff_ = kBackoffMin;
  queue_.pop_front();
  if (!queue_.empty()) send_first();
  if (on_progress_) on_progress_();
}

void HttpSender::retry_later(std::string why) {
  last_error_ = std::move(why);
  ++counts_.retries;
  retry_.start_once(backoff_, [this] { send_first(); });
  backoff_ = std::min(kBackoffMax, backoff_ + backoff_);
}

}  // namespace ficus::simulate
