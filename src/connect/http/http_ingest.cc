#include "connect/http/http_ingest.h"

#include <fmt/format.h>

#include <optional>
#include <string>

#include "base/planted.h"
#include "codec/json/json_reader.h"
#include "codec/json/json_writer.h"
#include "codec/json/ndjson.h"
#include "connect/http/respond.h"
#include "connect/ingest/source_key.h"

namespace ficus::connect {
namespace {

bool is_newline_delimited(std::string_view content_type) {
  return content_type.starts_with("application/x-ndjson") ||
         content_type.starts_with("application/ndjson") ||
         content_type.starts_with("application/jsonl") ||
         content_type.starts_with("application/x-jsonlines");
}

// One POST from its first byte to its answer. Keeps itself alive through the callbacks it has given
// away.
class Upload : public std::enable_shared_from_this<Upload> {
 public:
  Upload(Ingest& ingest, std::shared_ptr<const Source> source, const HttpIngestLimits& limits,
         std::unique_ptr<net::HttpExchange> exchange, std::move_only_function<bool()> may_go_on)
      : ingest_(ingest),
        source_(std::move(source)),
        limits_(limits),
        exchange_(std::move(exchange)),
        may_go_on_(std::move(may_go_on)),
        builder_(source_->id),
        lines_(limits.line_bytes_max) {
    std::vector<std::string> values;
    for (const std::string& name : source_->declaration.placeholders) {
      placeholders_.push_back(exchange_->parameter(name));
      values.emplace_back(placeholders_.back());
    }
    key_ = http_key(source_->declaration, values);
  }

  void start() {
    if (is_newline_delimited(exchange_->header("Content-Type"))) {
      exchange_->stream_body(
          limits_.stream_bytes_max,
          [self = shared_from_this()](std::string_view piece) { self->on_piece(piece); },
          [self = shared_from_this()] { self->on_end(); });
    } else {
      exchange_->read_body(
          limits_.document_bytes_max,
          [self = shared_from_this()](std::string_view body) { self->on_document(body); });
    }
  }

 private:
  void map(std::string_view payload) {
    source_->declaration.mapping->map({.key = key_,
                                       .placeholders = placeholders_,
                                       .payload = payload,
                                       .received_at = ingest_.now()},
                                      scratch_, builder_);
    if (builder_.item_count() >= limits_.batch_items_max ||
        builder_.bytes() >= limits_.batch_bytes_max) {
      hand_over();
    }
  }

  void map_line(const json::NdjsonSplitter::Line& line) {
    if (!line.is_too_long) return map(line.text);
    builder_.quarantine(key_, fmt::format("a line is longer than {} bytes", limits_.line_bytes_max),
                        line.text);
  }

  void on_piece(std::string_view piece) {
    if (has_ended_) return;
    if (may_go_on_ && !may_go_on_()) return end_revoked();
    lines_.feed(piece);
    while (const auto line = lines_.next()) map_line(*line);
    hand_over();
    hold_back_if_needed();
  }

  // Who sends has lost the right meanwhile: what came before stays, nothing more is read.
  void end_revoked() {
    failure_ = Error{ErrorCode::denied, "the users have changed: log in again"};
    has_ended_ = true;
    exchange_->pause_body();
    if (in_flight_ == 0) answer();
  }

  void on_end() {
    if (has_ended_) return;
    if (const auto line = lines_.finish()) map_line(*line);
    finish();
  }

  // One JSON text (the mapping takes the elements of an array one by one), unless it only makes
  // sense line by line: many senders of newline-delimited JSON call it application/json.
  void on_document(std::string_view body) {
    if (body.find('\n') != std::string_view::npos && starts_with_whole_line(body)) {
      lines_.feed(body);
      while (const auto line = lines_.next()) map_line(*line);
      if (const auto line = lines_.finish()) map_line(*line);
    } else {
      map(body);
    }
    finish();
  }

  // Several lines of which the first is a JSON object by itself.
  bool starts_with_whole_line(std::string_view body) const {
    const std::size_t end = body.find('\n');
    if (body.find_first_not_of(" \t\r\n", end) == std::string_view::npos) return false;
    json::JsonDocument document({.bytes_max = limits_.document_bytes_max});
    const auto first = document.parse(body.substr(0, end));
    return first && first->kind() == json::JsonKind::object;
  }

  void note_quarantined() {
    for (std::size_t i = 0; i < builder_.quarantined().size(); ++i) {
      if (errors_.size() >= limits_.errors_listed_max) break;
      errors_.push_back(
          {received_ + builder_.quarantined_places()[i], builder_.quarantined()[i].reason});
    }
    received_ += builder_.item_count();
    quarantined_ += builder_.quarantined().size();
  }

  void hand_over() {
    if (builder_.empty()) return;
    note_quarantined();
    ++in_flight_;
    ingest_.submit(builder_.take(ingest_.now()),
                   [self = shared_from_this()](const Status& status) { self->on_durable(status); });
  }

  void hold_back_if_needed() {
    if (in_flight_ < limits_.batches_in_flight_max && !ingest_.is_congested()) return;
    exchange_->pause_body();
    is_held_ = true;
    await_room_if_congested();
  }

  void await_room_if_congested() {
    if (is_room_awaited_ || !ingest_.is_congested()) return;
    is_room_awaited_ = true;
    ingest_.on_room([self = shared_from_this()] {
      self->is_room_awaited_ = false;
      self->go_on();
    });
  }

  void go_on() {
    if (!is_held_ || in_flight_ >= limits_.batches_in_flight_max) return;
    // Its last batch may come back while the queues are full: nothing else would wake it.
    if (ingest_.is_congested()) return await_room_if_congested();
    is_held_ = false;
    exchange_->resume_body();
  }

  void on_durable(const Status& status) {
    --in_flight_;
    if (!status && !failure_) failure_ = status.error();
    if (has_ended_ && in_flight_ == 0) return answer();
    go_on();
  }

  void finish() {
    hand_over();
    has_ended_ = true;
    if (in_flight_ == 0 || FICUS_PLANTED(answer_post_before_sync)) answer();
  }

  void answer() {
    if (failure_) {
      // The books' word for it. From behind the queues `overloaded` comes only from a full twin.
      const std::string_view cause = failure_->code == ErrorCode::overloaded  ? "twin_full"
                                     : failure_->code == ErrorCode::disk_full ? "disk_full"
                                                                              : "";
      return respond_error(*exchange_, http_status(failure_->code), *failure_, cause);
    }
    std::string body;
    json::JsonWriter json(body);
    json.begin_object();
    json.key("received").integer(static_cast<std::int64_t>(received_));
    json.key("accepted").integer(static_cast<std::int64_t>(received_ - quarantined_));
    json.key("quarantined").integer(static_cast<std::int64_t>(quarantined_));
    json.key("errors").begin_array();
    for (const auto& [place, reason] : errors_) {
      json.begin_object();
      json.key("item").integer(static_cast<std::int64_t>(place)).key("message").text(reason);
      json.end_object();
    }
    json.end_array().end_object();
    const bool none_accepted = quarantined_ == received_ && received_ > 0;
    const int status = quarantined_ == 0 ? 200 : none_accepted ? 422 : 207;
    respond_json(*exchange_, std::move(body), status);
  }

  Ingest& ingest_;
  const std::shared_ptr<const Source> source_;
  const HttpIngestLimits limits_;
  std::unique_ptr<net::HttpExchange> exchange_;
  std::move_only_function<bool()> may_go_on_;
  SourceBatchBuilder builder_;
  MappingScratch scratch_;
  json::NdjsonSplitter lines_;
  std::string key_;
  std::vector<std::string_view> placeholders_;
  std::uint64_t received_ = 0;
  std::uint64_t quarantined_ = 0;
  std::vector<std::pair<std::uint64_t, std::string>> errors_;
  std::size_t in_flight_ = 0;
  bool is_held_ = false;
  bool is_room_awaited_ = false;
  bool has_ended_ = false;
  std::optional<Error> failure_;
};

}  // namespace

void HttpIngest::on_post(std::string_view source_name, std::unique_ptr<net::HttpExchange> exchange,
                         std::move_only_function<bool()> may_go_on) {
  const Source* const source = sources_.find(source_name);
  if (source == nullptr || !std::holds_alternative<HttpSource>(source->declaration.connector)) {
    return respond_error(
        *exchange, 404,
        {ErrorCode::not_found,
         fmt::format("there is no HTTP source '{}': declare it in sources.yaml", source_name)});
  }
  // Nothing is unpacked here, so nothing small can become large.
  const std::string_view coding = exchange->header("Content-Encoding");
  if (!coding.empty() && !net::equals_ignoring_case(coding, "identity")) {
    return respond_error(*exchange, 415,
                         {ErrorCode::invalid_input,
                          fmt::format("Content-Encoding: '{}' is not taken: send the body as it is",
                                      coding.substr(0, 64))});
  }
  if (const auto refused = ingest_.refusal()) return respond_error(*exchange, *refused);
  if (ingest_.is_congested()) {
    return respond_error(*exchange, 503,
                         {ErrorCode::overloaded, "the brain is behind: try again in a second"});
  }
  std::make_shared<Upload>(ingest_, sources_.share(*source), limits_, std::move(exchange),
                           std::move(may_go_on))
      ->start();
}

}  // namespace ficus::connect
