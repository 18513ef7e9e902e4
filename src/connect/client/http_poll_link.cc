#include "connect/client/http_poll_link.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>

#include "base/hash.h"
#include "base/time_text.h"
#include "connect/client/client_tls.h"

namespace ficus::connect {
namespace {

constexpr Micros kBackOffMost = Micros::from_hours(1);
constexpr Micros kRetryAfterMost = Micros::from_hours(24);
constexpr std::uint64_t kBatchItemsMax = 2048;
constexpr std::size_t kBatchBytesMax = std::size_t{1} << 20;

// A query may hold a key: it is neither shown nor logged.
std::string without_query(const std::string& url) { return url.substr(0, url.find('?')); }

}  // namespace

// RFC 9110, 5.6.7: "Sun, 06 Nov 1994 08:49:37 GMT" is the one form that may be generated.
std::optional<Micros> read_retry_after(std::string_view text, Timestamp now) {
  std::int64_t seconds = 0;
  const auto read = std::from_chars(text.data(), text.data() + text.size(), seconds);
  if (read.ec == std::errc() && read.ptr == text.data() + text.size()) {
    if (seconds < 0) return std::nullopt;
    return std::min(Micros::from_seconds(std::min<std::int64_t>(seconds, 1'000'000)),
                    kRetryAfterMost);
  }
  if (text.size() != 29 || !text.ends_with(" GMT")) return std::nullopt;
  static constexpr std::array<std::string_view, 12> kMonths{
      "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  const auto month = std::ranges::find(kMonths, text.substr(8, 3));
  if (month == kMonths.end()) return std::nullopt;
  const auto when =
      parse_iso8601(fmt::format("{}-{:02}-{}T{}Z", text.substr(12, 4), month - kMonths.begin() + 1,
                                text.substr(5, 2), text.substr(17, 8)));
  if (!when) return std::nullopt;
  return std::clamp(*when - now, Micros{}, kRetryAfterMost);
}

HttpPollLink::HttpPollLink(const LinkParts& parts, std::shared_ptr<const Source> source)
    : SourceLink(source->declaration.name,
                 without_query(std::get<HttpPollSource>(source->declaration.connector).url)),
      parts_(parts),
      source_(std::move(source)),
      timer_(parts.loop),
      back_off_(std::min(declared().every, Micros::from_seconds(5)),
                std::max(kBackOffMost, declared().every),
                hash_mix(parts.random_seed, hash64(source_->declaration.name))),
      builder_(source_->id),
      key_(status_.peer) {}

HttpPollLink::~HttpPollLink() = default;

bool HttpPollLink::fetches_alike(const Source& next) const {
  const auto* const other = std::get_if<HttpPollSource>(&next.declaration.connector);
  if (other == nullptr || *other != declared()) return false;
  return !declared().is_encrypted ||
         client_tls_fingerprint(declared().tls, parts_.disk) == tls_fingerprint_;
}

Result<std::unique_ptr<HttpPollLink>> HttpPollLink::open(const LinkParts& parts,
                                                         std::shared_ptr<const Source> source) {
  std::unique_ptr<HttpPollLink> link(new HttpPollLink(parts, std::move(source)));
  net::HttpClientOptions options;
  options.response_bytes_max = link->declared().body_bytes_max;
  if (link->declared().is_encrypted) {
    FICUS_TRY(options.tls, make_client_tls(link->declared().tls, parts.disk));
    link->tls_fingerprint_ = client_tls_fingerprint(link->declared().tls, parts.disk);
  }
  link->client_ =
      std::make_unique<net::HttpClient>(parts.loop, link->declared().host_port, options);
  link->timer_.start_once({}, [self = link.get()] { self->poll(); });
  return link;
}

Result<net::HttpRequest> HttpPollLink::make_request() const {
  net::HttpRequest request;
  request.target = declared().target;
  bool has_accept = false;
  for (const HttpPollSource::Header& header : declared().headers) {
    has_accept = has_accept || net::equals_ignoring_case(header.name, "Accept");
    std::string value = header.value;
    if (!header.secret.is_none()) {
      FICUS_TRY(value, parts_.secrets.read(header.secret));
    }
    request.headers.add(header.name, value);
  }
  if (!has_accept) request.headers.add("Accept", "application/json, */*;q=0.5");
  request.headers.add("User-Agent", "ficus");
  if (!etag_.empty()) request.headers.add("If-None-Match", etag_);
  if (!last_modified_.empty()) request.headers.add("If-Modified-Since", last_modified_);
  return request;
}

void HttpPollLink::poll() {
  if (is_draining_) return;
  if (parts_.ingest.is_congested()) {
    return parts_.ingest.on_room([this, alive = std::weak_ptr(alive_)] {
      if (!alive.expired()) poll();
    });
  }
  ++status_.attempts;
  auto request = make_request();
  if (!request) return fail(std::move(request).error().message);
  client_->request(*std::move(request),
                   [this](Result<net::HttpResponse> answer) { on_answer(std::move(answer)); });
}

void HttpPollLink::on_answer(Result<net::HttpResponse> answer) {
  if (is_draining_) return;
  if (!answer) return fail(std::move(answer).error().message);
  if (answer->status == 304) return succeed();
  if (answer->status == 200) return on_body(*std::move(answer));
  const auto location = answer->headers.find("Location");
  if (answer->status / 100 == 3 && location) {
    // Without its query, which may hold a key.
    const std::string_view place =
        std::string_view(*location).substr(0, std::min<std::size_t>(location->find('?'), 200));
    return fail(fmt::format("the URL has moved to {} (status {}): change it in {}", place,
                            answer->status, source_->declaration.file));
  }
  std::optional<Micros> retry_after;
  if (const auto text = answer->headers.find("Retry-After")) {
    retry_after = read_retry_after(*text, parts_.ingest.now());
  }
  fail(fmt::format("answered {} {}", answer->status, net::http_reason(answer->status)),
       retry_after);
}

void HttpPollLink::on_body(net::HttpResponse answer) {
  new_etag_ = answer.headers.find("ETag").value_or("");
  new_last_modified_ = answer.headers.find("Last-Modified").value_or("");
  BodyFormat format = declared().body;
  if (format == BodyFormat::by_type) {
    format = body_format_of(answer.headers.find("Content-Type").value_or(""));
  }
  auto body = BodyItems::open(std::move(answer.body), format, declared().csv);
  if (!body) return fail(std::move(body).error().message);
  body_ = *std::move(body);
  take_body();
}

// Maps as much as one batch takes and hands it over; the next follows when it is durable.
void HttpPollLink::take_body() {
  if (!body_) return;
  if (parts_.ingest.is_congested()) {
    return parts_.ingest.on_room([this, alive = std::weak_ptr(alive_)] {
      if (!alive.expired()) take_body();
    });
  }
  const Timestamp now = parts_.ingest.now();
  while (builder_.item_count() < kBatchItemsMax && builder_.bytes() < kBatchBytesMax) {
    const auto item = body_->next();
    if (!item) break;
    if (!item->problem.empty()) {
      builder_.quarantine(key_, item->problem, item->payload);
      continue;
    }
    source_->declaration.mapping->map(
        {.key = key_, .placeholders = {}, .payload = item->payload, .received_at = now}, scratch_,
        builder_);
  }
  if (builder_.empty()) {
    body_.reset();
    etag_ = std::move(new_etag_);
    last_modified_ = std::move(new_last_modified_);
    return succeed();
  }
  parts_.ingest.submit(builder_.take(now),
                       [this, alive = std::weak_ptr(alive_)](const Status& status) {
                         if (!alive.expired()) on_batch_durable(status);
                       });
}

void HttpPollLink::on_batch_durable(const Status& status) {
  if (status) return take_body();
  body_.reset();
  fail(status.error().message);
}

void HttpPollLink::succeed() {
  note_success(parts_.ingest.now());
  back_off_.reset();
  if (!is_draining_) timer_.start_once(declared().every, [this] { poll(); });
}

void HttpPollLink::fail(std::string why, std::optional<Micros> retry_after) {
  if (is_draining_) return;
  const Micros wait = std::max(back_off_.next(), retry_after.value_or(Micros{}));
  parts_.logger.warning("http_poll", "cannot fetch; will try again",
                        {{"source", name_},
                         {"url", status_.peer},
                         {"error", why},
                         {"after_seconds", fmt::format("{:.1f}", wait.seconds())}});
  note_failure(parts_.ingest.now(), std::move(why));
  timer_.start_once(wait, [this] { poll(); });
}

void HttpPollLink::drain() {
  is_draining_ = true;
  status_.state = LinkStatus::State::stopped;
  timer_.cancel();
  body_.reset();
  client_.reset();
}

}  // namespace ficus::connect
