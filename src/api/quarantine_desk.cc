#include "api/quarantine_desk.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "api/entity_query.h"
#include "base/time_text.h"
#include "base/utf8.h"
#include "codec/json/json_reader.h"
#include "codec/json/json_writer.h"
#include "connect/http/respond.h"
#include "engine/engine.h"

namespace ficus::api {
namespace {

// A name that no user can have: its questions are nobody's to list or to cancel.
Asker desk_asker() { return {.user = "the quarantine's desk", .readable_types = std::nullopt}; }

using connect::QuarantineMarks;
using connect::respond_error;
using connect::respond_json;

constexpr std::size_t kBodyBytesMax = 16 << 10;
constexpr std::size_t kNameBytesMax = 200;
constexpr std::size_t kDigestDigits = 12;
constexpr std::size_t kAnswerBytesMax = std::size_t{80} << 20;
constexpr std::size_t kListMax = 10'000;

// The id of a row q of `quarantine`, in SQL.
constexpr const char* kIdSql =
    "lower(hex(epoch_us(q.\"receivedAt\"))) || '-' || left(md5(concat_ws(chr(10), q.source, "
    "q.\"key\", q.reason, md5(q.bytes))), 12)";

std::string quoted(std::string_view text) {
  std::string out = "'";
  for (const char c : text) out += c == '\'' ? std::string("''") : std::string(1, c);
  return out + "'";
}

std::string text_at(json::JsonValue row, std::size_t column) {
  const json::JsonValue cell = row.element(column);
  return cell.kind() == json::JsonKind::text ? std::string(cell.as_text()) : std::string();
}

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

std::string from_hex(std::string_view hex) {
  std::string out;
  out.reserve(hex.size() / 2);
  for (std::size_t i = 0; i + 1 < hex.size(); i += 2) {
    out += static_cast<char>(hex_digit(hex[i]) * 16 + hex_digit(hex[i + 1]));
  }
  return out;
}

std::optional<std::int64_t> micros_of(std::string_view id) {
  const std::size_t dash = id.find('-');
  if (dash == std::string_view::npos) return std::nullopt;
  std::uint64_t micros = 0;
  const char* const begin = id.data();
  const auto read = std::from_chars(begin, begin + dash, micros, 16);
  if (read.ec != std::errc() || read.ptr != begin + dash) return std::nullopt;
  return static_cast<std::int64_t>(micros);
}

// The conditions of a list, as SQL.
Result<std::string> conditions(const net::HttpTarget& target) {
  std::string where = "true";
  if (const auto source = target.parameter("source")) where += " AND q.source = " + quoted(*source);
  if (const auto reason = target.parameter("reason")) {
    where += fmt::format(" AND contains(q.reason, {})", quoted(*reason));
  }
  for (const auto& [name, comparison] : {std::pair{"since", ">="}, {"until", "<"}}) {
    const auto text = target.parameter(name);
    if (!text) continue;
    const auto time = parse_iso8601(*text);
    if (!time) {
      return invalid(
          fmt::format("{}: expected a time such as 2026-11-23T08:15:00Z, found '{}'", name, *text));
    }
    where += fmt::format(" AND q.\"receivedAt\" {} make_timestamp({})", comparison, time->micros);
  }
  const std::string_view state = target.parameter("state").value_or("open");
  if (state == "open") {
    where += " AND m.outcome IS NULL";
  } else if (state == QuarantineMarks::kReplayed || state == QuarantineMarks::kDropped) {
    where += " AND m.outcome = " + quoted(state);
  } else if (state != "all") {
    return invalid(
        fmt::format("state: expected open, replayed, dropped or all, found '{}'", state));
  }
  return where;
}

void write_text_or_null(std::string_view key, const std::string& text, json::JsonWriter& json) {
  json.key(key);
  text.empty() ? json.null() : json.text(text);
}

}  // namespace

bool is_quarantine_id(std::string_view id) {
  const std::size_t dash = id.find('-');
  if (dash == 0 || dash == std::string_view::npos || dash > 16) return false;
  if (id.size() != dash + 1 + kDigestDigits) return false;
  return std::ranges::all_of(
      id, [](char c) { return c == '-' || (hex_digit(c) >= 0 && !(c >= 'A' && c <= 'F')); });
}

struct QuarantineDesk::Case {
  Exchange exchange;
  std::string id;
  std::string by;
  Decision decision = Decision::replay;
  connect::StoredItem item;
  std::uint64_t items = 0;  // submitted
};

QuarantineDesk::QuarantineDesk(net::EventLoop& loop, connect::Ingest& ingest,
                               const connect::SourceSet& sources, HistoryService& history)
    : loop_(loop),
      ingest_(ingest),
      sources_(sources),
      history_(history),
      marks_(QuarantineMarks::declare(ingest.engine().schema())),
      own_(ingest.engine().intern_source("ficus")) {}

void QuarantineDesk::on_get(Exchange exchange) {
  const std::vector<std::string>& path = exchange->target().segments;
  if (path.size() == 1) return list(std::move(exchange));
  if (path.size() == 2 && is_quarantine_id(path[1])) {
    const std::string id = path[1];
    return show(std::move(exchange), id);
  }
  respond_error(*exchange,
                {ErrorCode::not_found, fmt::format("there is no {}", exchange->target().path)});
}

void QuarantineDesk::list(Exchange exchange) {
  const auto where = conditions(exchange->target());
  if (!where) return respond_error(*exchange, where.error());
  const auto limit = size_parameter(exchange->target(), "limit", 100, kListMax);
  if (!limit) return respond_error(*exchange, limit.error());
  std::string sql = fmt::format(
      "SELECT q.source, strftime(q.\"receivedAt\", '%Y-%m-%dT%H:%M:%S.%fZ'), q.\"key\", q.reason, "
      "octet_length(q.bytes), m.outcome, m.by, strftime(m.\"observedAt\", "
      "'%Y-%m-%dT%H:%M:%S.%fZ'), "
      "q.id FROM (SELECT q.*, {} AS id FROM quarantine q) q LEFT JOIN QuarantineMark m "
      "ON m.item = q.id WHERE {} ORDER BY q.\"receivedAt\" DESC, q.id LIMIT {}",
      kIdSql, *where, *limit + 1);
  history_.sql(history_.next_id(), std::move(sql), AnswerFormat::json, desk_asker(),
               [exchange = std::move(exchange), limit = *limit](Result<SqlAnswer> answer) mutable {
                 if (!answer) return respond_error(*exchange, answer.error());
                 json::JsonDocument document({.bytes_max = kAnswerBytesMax});
                 const auto root = document.parse(answer->body);
                 if (!root) return respond_error(*exchange, root.error());
                 std::string body;
                 json::JsonWriter json(body);
                 json.begin_object().key("items").begin_array();
                 std::size_t count = 0;
                 for (json::JsonItems rows(root->member("rows")); rows.next() && count < limit;
                      ++count) {
                   const json::JsonValue row = rows.value();
                   const std::string outcome = text_at(row, 5);
                   json.begin_object().key("id").text(text_at(row, 8));
                   json.key("source").text(text_at(row, 0)).key("receivedAt").text(text_at(row, 1));
                   json.key("key").text(text_at(row, 2)).key("reason").text(text_at(row, 3));
                   json.key("size").integer(row.element(4).as_integer().value_or(0));
                   json.key("state").text(outcome.empty() ? "open" : outcome);
                   write_text_or_null("by", text_at(row, 6), json);
                   write_text_or_null("resolvedAt", text_at(row, 7), json);
                   json.end_object();
                 }
                 const bool is_more = !root->member("rows").element(limit).is_missing();
                 json.end_array().key("truncated").boolean(is_more).end_object();
                 respond_json(*exchange, std::move(body));
               });
}

void QuarantineDesk::find(const std::string& id,
                          std::move_only_function<void(Result<connect::StoredItem>)> on_item) {
  std::string sql = fmt::format(
      "SELECT q.source, q.\"key\", q.reason, hex(q.bytes) FROM quarantine q "
      "WHERE q.\"receivedAt\" = make_timestamp({}) AND {} = {} LIMIT 1",
      micros_of(id).value_or(0), kIdSql, quoted(id));
  history_.sql(history_.next_id(), std::move(sql), AnswerFormat::json, desk_asker(),
               [id, on_item = std::move(on_item)](Result<SqlAnswer> answer) mutable {
                 if (!answer) return on_item(std::unexpected(std::move(answer).error()));
                 json::JsonDocument document({.bytes_max = kAnswerBytesMax});
                 const auto root = document.parse(answer->body);
                 if (!root) return on_item(std::unexpected(root.error()));
                 const json::JsonValue row = root->member("rows").element(0);
                 if (row.is_missing()) {
                   return on_item(fail(ErrorCode::not_found,
                                       fmt::format("there is no quarantined item {}", id)));
                 }
                 on_item(connect::StoredItem{.id = id,
                                             .source = text_at(row, 0),
                                             .received_at = {micros_of(id).value_or(0)},
                                             .key = text_at(row, 1),
                                             .reason = text_at(row, 2),
                                             .bytes = from_hex(text_at(row, 3))});
               });
}

void QuarantineDesk::show(Exchange exchange, const std::string& id) {
  find(id, [exchange = std::move(exchange)](Result<connect::StoredItem> item) mutable {
    if (!item) return respond_error(*exchange, item.error());
    std::string body;
    json::JsonWriter json(body);
    json.begin_object().key("id").text(item->id).key("source").text(item->source);
    json.key("receivedAt").time(item->received_at).key("key").text(item->key);
    json.key("reason").text(item->reason);
    json.key("size").integer(static_cast<std::int64_t>(item->bytes.size()));
    if (is_valid_utf8(item->bytes)) {
      json.key("text").text(item->bytes);
    } else {
      std::string hex;
      for (const char c : item->bytes) {
        hex += fmt::format("{:02x}", static_cast<unsigned>(static_cast<unsigned char>(c)));
      }
      json.key("hex").text(hex);
    }
    json.end_object();
    respond_json(*exchange, std::move(body));
  });
}

void QuarantineDesk::on_post(Exchange exchange, std::string by) {
  const std::vector<std::string>& path = exchange->target().segments;
  const bool is_known =
      path.size() == 3 && is_quarantine_id(path[1]) && (path[2] == "replay" || path[2] == "drop");
  if (!is_known) {
    return respond_error(*exchange, {ErrorCode::not_found,
                                     "expected POST /quarantine/ID/replay or /quarantine/ID/drop"});
  }
  if (!marks_) return respond_error(*exchange, marks_.error());
  auto c = std::make_shared<Case>();
  c->id = path[1];
  c->decision = path[2] == "replay" ? Decision::replay : Decision::drop;
  c->by = std::move(by);
  c->exchange = std::move(exchange);
  c->exchange->read_body(kBodyBytesMax, [this, c](std::string_view body) {
    json::JsonDocument document;
    const auto value = document.parse(body.empty() ? "{}" : body);
    if (!value) return respond_error(*c->exchange, value.error());
    const json::JsonValue name = value->member("by");
    if (c->by.empty() && name.kind() == json::JsonKind::text) c->by = name.as_text();
    if (c->by.empty() || c->by.size() > kNameBytesMax) {
      return respond_error(
          *c->exchange, invalid(fmt::format("expected a text \"by\" of 1 to {} bytes: who decides",
                                            kNameBytesMax))
                            .error());
    }
    if (!busy_.insert(c->id).second) {
      return respond_error(*c->exchange,
                           {ErrorCode::conflict, "the item is being decided about just now"});
    }
    check_open(c);
  });
}

// The twin knows of every decision; history hears of it a moment later.
void QuarantineDesk::check_open(const CasePtr& c) {
  ingest_.engine().find(
      QuarantineMarks::id(c->id), [this, c](Result<twin::EntityView> found) mutable {
        loop_.post([this, c = std::move(c), found = std::move(found)] {
          if (!found && found.error().code != ErrorCode::not_found) {
            return refuse(c, found.error());
          }
          const std::string outcome = found ? marks_->outcome_of(*found) : std::string();
          if (!outcome.empty()) {
            return refuse(c, {ErrorCode::conflict, fmt::format("the item is {} already", outcome)});
          }
          find(c->id, [this, c](Result<connect::StoredItem> item) {
            if (!item) return refuse(c, item.error());
            c->item = *std::move(item);
            decide(c);
          });
        });
      });
}

void QuarantineDesk::decide(const CasePtr& c) {
  if (c->decision == Decision::drop) return mark(c);
  if (ingest_.is_congested()) {
    return refuse(c, {ErrorCode::overloaded, "the brain is behind: try again in a second"});
  }
  submit(c);
}

void QuarantineDesk::submit(const CasePtr& c) {
  auto batch = connect::replay_item(c->item, sources_);
  if (!batch) return refuse(c, batch.error());
  c->items = batch->item_count();
  ingest_.submit(*std::move(batch), [this, c](const Status& status) {
    if (!status) return refuse(c, status.error());
    mark(c);
  });
}

void QuarantineDesk::mark(const CasePtr& c) {
  const Timestamp now = std::max(ingest_.now(), last_mark_ + Micros{1});
  last_mark_ = now;
  SourceBatch batch;
  batch.source = own_;
  batch.received_at = now;
  const std::string_view outcome =
      c->decision == Decision::replay ? QuarantineMarks::kReplayed : QuarantineMarks::kDropped;
  batch.observations.push_back(marks_->row(c->id, outcome, c->by, now));
  ingest_.submit(std::move(batch), [this, c](const Status& status) {
    if (!status) return refuse(c, status.error());
    finish(c);
  });
}

void QuarantineDesk::finish(const CasePtr& c) {
  busy_.erase(c->id);
  std::string body;
  json::JsonWriter json(body);
  json.begin_object().key("id").text(c->id);
  json.key("state").text(c->decision == Decision::replay ? QuarantineMarks::kReplayed
                                                         : QuarantineMarks::kDropped);
  json.key("items").integer(static_cast<std::int64_t>(c->items)).key("by").text(c->by);
  json.end_object();
  respond_json(*c->exchange, std::move(body));
}

void QuarantineDesk::refuse(const CasePtr& c, const Error& error) {
  busy_.erase(c->id);
  respond_error(*c->exchange, error);
}

}  // namespace ficus::api
