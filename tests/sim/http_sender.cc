#include "http_sender.h"

#include <fmt/format.h>

#include <charconv>

namespace ficus::sim {
namespace {

constexpr std::size_t kEarlierMax = 16;

std::string json_of(const Reading& reading, std::uint64_t number) {
  const std::string vehicle = reading.entity.substr(reading.entity.rfind(':') + 1);
  return fmt::format(R"({{"vehicle":{},"ts":{},"speed":{},"seq":{}}})", vehicle,
                     reading.observed_at.micros / 1000, reading.speed, number);
}

// The number behind these words, or -1.
long number_behind(std::string_view text, std::string_view words) {
  const std::size_t at = text.find(words);
  long number = -1;
  if (at == std::string_view::npos) return number;
  const std::string_view rest = text.substr(at + words.size());
  std::from_chars(rest.data(), rest.data() + rest.size(), number);
  return number;
}

std::string joined(const std::vector<std::string>& items, char separator) {
  std::string text;
  for (const std::string& item : items) {
    if (!text.empty()) text += separator;
    text += item;
  }
  return text;
}

}  // namespace

// Chunks: RFC 9112, 7.1.
std::string http_post(std::string_view source, std::string_view type, const std::string& body,
                      bool is_chunked, Random& random) {
  std::string text =
      fmt::format("POST /ingest/{} HTTP/1.1\r\nHost: city\r\nContent-Type: {}\r\n", source, type);
  if (!is_chunked) return text + fmt::format("Content-Length: {}\r\n\r\n", body.size()) + body;
  text += "Transfer-Encoding: chunked\r\n\r\n";
  for (std::size_t at = 0; at < body.size();) {
    const std::size_t count = std::min<std::size_t>(body.size() - at, 1 + random.below(100));
    text += fmt::format("{:x}\r\n{}\r\n", count, body.substr(at, count));
    at += count;
  }
  return text + "0\r\n\r\n";
}

void HttpSender::post(std::vector<std::uint64_t> readings, Random& random) {
  Batch& batch = outbox_.emplace_back();
  batch.readings = std::move(readings);
  while (random.chance(0.1)) {
    batch.nonsense.push_back(fmt::format("\"nonsense {}\"", model_.next_number++));
  }
  if (random.chance(0.1)) {
    const std::uint64_t number = batch.readings.front();
    std::string line = json_of(model_.readings.at(number), number);
    line.resize(1 + random.below(line.size() - 1));
    batch.nonsense.push_back(std::move(line));
    batch.is_json = false;
  }
  if (!earlier_.empty() && random.chance(0.2)) {
    batch.readings.push_back(earlier_[random.below(earlier_.size())]);
  }
}

void HttpSender::on_disconnected() {
  wire_.reset();
  is_sent_ = false;
  answer_.clear();
}

void HttpSender::act(Micros now, Random& random) {
  answer_ += std::exchange(wire_->arrived, {});
  const std::size_t end = answer_.find("\r\n\r\n");
  if (end != std::string::npos) {
    const std::string_view head = std::string_view(answer_).substr(0, end);
    const long length = number_behind(head, "Content-Length: ");
    const long status = number_behind(head, "HTTP/1.1 ");
    if (length < 0 || status < 0) {
      return report_.violation(now, fmt::format("{}: no answer of HTTP: {}", id_, head));
    }
    const std::size_t bytes = end + 4 + static_cast<std::size_t>(length);
    if (answer_.size() >= bytes) {
      const std::string answer = std::exchange(answer_, answer_.substr(bytes));
      hear(static_cast<int>(status), std::string_view(answer).substr(end + 4), now);
    }
  }
  if (!is_sent_ && !outbox_.empty() && !wire_->is_ended && random.chance(0.5)) send(random);
}

void HttpSender::send(Random& random) {
  is_sent_ = true;
  const Batch& batch = outbox_.front();
  std::vector<std::string> items;
  for (const std::uint64_t number : batch.readings) {
    Reading& reading = model_.readings.at(number);
    reading.was_sent = true;
    items.push_back(json_of(reading, number));
  }
  for (const std::string& item : batch.nonsense) {
    model_.nonsense.try_emplace(item, false);
    items.push_back(item);
  }
  model_.copies["gateways"] += items.size();
  const bool is_document = batch.is_json && random.chance(0.4);
  const bool is_chunked = random.chance(0.4);
  std::string body = joined(items, is_document ? ',' : '\n');
  if (!is_document) {
    if (random.chance(0.5)) body += '\n';  // the last line may have no end
  } else if (items.size() > 1 || random.chance(0.5)) {
    body = "[" + body + "]";
  }
  const char* const type = is_document ? "application/json" : "application/x-ndjson";
  wire_->to_broker += http_post("gateways", type, body, is_chunked, random);
}

void HttpSender::hear(int status, std::string_view body, Micros now) {
  ++model_.answers[status];
  // Too slow, busy, or the disk is full: again, later.
  const bool is_refused = status == 408 || status == 503 || status == 507;
  if (!is_sent_ && !is_refused) {
    return report_.violation(now, fmt::format("{}: an answer {} to nothing", id_, status));
  }
  is_sent_ = false;
  if (is_refused) return;
  const Batch& batch = outbox_.front();
  const auto accepted = static_cast<long>(batch.readings.size());
  const auto quarantined = static_cast<long>(batch.nonsense.size());
  if (status != (quarantined == 0 ? 200 : 207) ||
      number_behind(body, "\"received\":") != accepted + quarantined ||
      number_behind(body, "\"accepted\":") != accepted) {
    return report_.violation(
        now, fmt::format("{}: {} readings and {} lines of nonsense were answered by {} {}", id_,
                         accepted, quarantined, status, body));
  }
  for (const std::uint64_t number : batch.readings) {
    model_.readings.at(number).is_acknowledged = true;
    earlier_.push_back(number);
    if (earlier_.size() > kEarlierMax) earlier_.pop_front();
  }
  for (const std::string& item : batch.nonsense) model_.nonsense[item] = true;
  outbox_.pop_front();
}

}  // namespace ficus::sim
