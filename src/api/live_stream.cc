#include "api/live_stream.h"

#include <fmt/format.h>

#include <algorithm>

#include "codec/json/json_reader.h"
#include "codec/json/value_json.h"
#include "connect/http/respond.h"
#include "model/geometry.h"

namespace ficus::api {
namespace {

constexpr std::uint16_t kPolicyViolation = 1008;  // RFC 6455, 7.4.1

}  // namespace

// One browser: what it wants to see. {"subscribe":{"types":["Vehicle"],"bbox":[w,s,e,n]}}
class LiveStream::Client final : public net::WebSocketHandler {
 public:
  Client(LiveStream& stream, access::PrincipalPtr who, std::string counted_as)
      : stream_(stream),
        who_(std::move(who)),
        counted_as_(std::move(counted_as)),
        reads_everything_(who_->reads_everything()) {}

  const std::string& counted_as() const { return counted_as_; }
  std::size_t bytes_queued() const { return is_open() ? socket_->bytes_queued() : 0; }
  void end_slow() { socket_->close(net::kWebSocketTryLater, "too slow: others need the room"); }

  const access::Principal& who() const { return *who_; }
  // The page then asks to log in again.
  void end() { socket_->close(kPolicyViolation, "log in again"); }

  void open(std::unique_ptr<net::WebSocket> socket) { socket_ = std::move(socket); }

  bool is_open() const { return socket_ != nullptr && socket_->is_open(); }
  bool is_closed() const { return is_closed_; }
  void send(std::string_view text) {
    if (is_open() && socket_->send_text(text)) ++stream_.counts_.messages_sent;
  }

  bool wants(TypeId type, const GeoPoint* point) const {
    if (box_ && point != nullptr && !box_->contains(*point)) return false;
    if (!reads_everything_ && !who_->may_read(stream_.schema_.type_name(type))) return false;
    return types_.empty() || std::binary_search(types_.begin(), types_.end(), type);
  }
  bool is_unfiltered() const { return types_.empty() && !box_ && reads_everything_; }

  void on_message(net::WebSocketKind, std::span<const std::byte> payload) override {
    const std::string_view text(reinterpret_cast<const char*>(payload.data()), payload.size());
    const Status status = subscribe(text);
    if (status) return;
    std::string answer;
    json::JsonWriter json(answer);
    json.begin_object().key("kind").text("error").key("message").text(status.error().message);
    json.end_object();
    send(answer);
  }

  void on_closed(const net::WebSocketClose& close) override {
    is_closed_ = true;
    if (close.code == net::kWebSocketTryLater && !close.by_peer) {
      ++stream_.counts_.slow_clients_closed;
    }
  }

 private:
  Status subscribe(std::string_view text) {
    json::JsonDocument document({.bytes_max = 64 << 10});
    FICUS_TRY(const json::JsonValue message, document.parse(text));
    const json::JsonValue wish = message.member("subscribe");
    if (wish.kind() != json::JsonKind::object) return invalid("expected {\"subscribe\":{...}}");
    std::vector<TypeId> types;
    for (json::JsonItems items(wish.member("types")); items.next();) {
      if (items.value().kind() != json::JsonKind::text) return invalid("types: expected names");
      if (types.size() >= stream_.limits_.types_max) {
        return invalid(
            fmt::format("types: expected at most {}: subscribe without types and choose "
                        "from what comes",
                        stream_.limits_.types_max));
      }
      const auto type = stream_.schema_.find_type(items.value().as_text());
      // A type nobody has sent yet: remembered as one that fits nothing.
      types.push_back(type.value_or(TypeId::none()));
    }
    std::optional<BoundingBox> box;
    if (const json::JsonValue edges = wish.member("bbox"); !edges.is_missing()) {
      double numbers[4] = {};
      for (std::size_t i = 0; i < 4; ++i) {
        const json::JsonValue edge = edges.element(i);
        if (edge.kind() != json::JsonKind::number) return invalid("bbox: expected [w,s,e,n]");
        numbers[i] = edge.as_number();
      }
      box = BoundingBox{numbers[0], numbers[1], numbers[2], numbers[3]};
    }
    std::sort(types.begin(), types.end());
    types.erase(std::unique(types.begin(), types.end()), types.end());
    types_ = std::move(types);
    box_ = box;
    return {};
  }

  LiveStream& stream_;
  const access::PrincipalPtr who_;
  const std::string counted_as_;
  const bool reads_everything_;
  std::unique_ptr<net::WebSocket> socket_;
  std::vector<TypeId> types_;  // sorted; empty: all
  std::optional<BoundingBox> box_;
  bool is_closed_ = false;
};

namespace {

constexpr std::string_view kAlertType = "Alert";

// The row's point, if it carries one.
const GeoPoint* point_of(const ObservationBatch& rows, std::size_t row) {
  for (const Column& column : rows.columns()) {
    if (column.kind == ValueKind::point && column.valid[row] != 0) return &column.points[row];
  }
  return nullptr;
}

// Whether `later` says everything anew that `earlier` said. Sources such as AIS tell an entity's
// attributes in turns; then both rows are sent.
template <typename Change>
bool covers(const Change& later, const Change& earlier) {
  for (const Column& column : earlier.rows->columns()) {
    if (column.valid[earlier.row] == 0) continue;
    const Column* const again = later.rows->find(column.attribute);
    if (again == nullptr || again->valid[later.row] == 0) return false;
  }
  return true;
}

}  // namespace

LiveStream::LiveStream(connect::Ingest& ingest, net::EventLoop& loop, const Schema& schema,
                       const access::AccessControl& access, bool any_simulated,
                       LiveStreamLimits limits)
    : ingest_(ingest),
      schema_(schema),
      access_(access),
      any_simulated_(any_simulated),
      limits_(limits),
      timer_(loop) {
  ingest_.add_follower(*this);
  timer_.start_repeating(limits_.beat, [this] { beat(); });
}

LiveStream::~LiveStream() = default;

// A user by name, whoever has no login by address. Nobody is told apart where nobody logs in.
std::string LiveStream::counted_as(const net::HttpExchange& exchange,
                                   const access::Principal& who) const {
  if (access_.is_open()) return {};
  if (!who.name().empty()) return "user " + who.name();
  const std::string peer = exchange.peer().text();
  return "address " + peer.substr(0, peer.rfind(':'));
}

// Closed ones may still stand in the list: it is cleared at the next beat.
std::size_t LiveStream::open_streams_of(std::string_view name) const {
  return static_cast<std::size_t>(std::count_if(
      clients_.begin(), clients_.end(),
      [&](const auto& client) { return client->is_open() && client->counted_as() == name; }));
}

void LiveStream::accept(net::HttpExchange& exchange, const access::PrincipalPtr& who) {
  if (clients_.size() >= limits_.clients_max) {
    ++counts_.refused_all;
    return connect::respond_error(
        exchange, {ErrorCode::overloaded, "too many live connections: raise live.clients_max"});
  }
  std::string name = counted_as(exchange, *who);
  if (!name.empty() && open_streams_of(name) >= limits_.clients_per_user_max) {
    ++counts_.refused_user;
    return connect::respond_error(
        exchange, 429,
        {ErrorCode::overloaded, fmt::format("{} has {} live streams already: close one, or raise "
                                            "live.clients_per_user_max",
                                            name, limits_.clients_per_user_max)});
  }
  auto client = std::make_unique<Client>(*this, who, std::move(name));
  auto socket = exchange.upgrade_websocket({}, *client);
  if (!socket) return connect::respond_error(exchange, socket.error());
  client->open(*std::move(socket));
  std::string hello;
  json::JsonWriter json(hello);
  json.begin_object().key("kind").text("hello");
  json.key("simulated").boolean(any_simulated_).key("time").time(ingest_.now()).end_object();
  client->send(hello);
  clients_.push_back(std::move(client));
  counts_.clients = clients_.size();
  ingest_.set_follower_active(*this, true);
}

void LiveStream::broadcast(std::string_view text) {
  for (const auto& client : clients_) client->send(text);
}

void LiveStream::broadcast_sources(std::string_view text) {
  for (const auto& client : clients_) {
    // To the others it says no more than that the line is alive.
    client->send(client->who().reads_the_city() ? text : R"({"kind":"sources","sources":[]})");
  }
}

void LiveStream::on_settled(const SettledBatch& batch) {
  const bool is_alert = schema_.type_name(batch.rows->type()) == kAlertType;
  for (std::uint32_t row = 0; row < batch.rows->row_count(); ++row) {
    if (batch.outcomes[row] != twin::RowOutcome::applied) continue;
    if (is_alert) {
      if (alerts_.size() < limits_.entities_waiting_max) alerts_.push_back({batch.rows, row});
      continue;
    }
    note_change({batch.rows, row});
  }
}

void LiveStream::note_change(Change change) {
  const std::string_view id = change.rows->ids()[change.row];
  std::vector<Change> kept;
  if (const auto found = changes_.find(id); found != changes_.end()) {
    for (Change& earlier : found->second) {
      if (!covers(change, earlier)) kept.push_back(std::move(earlier));
    }
    changes_.erase(found);  // its key lives in a batch that may go
  } else if (changes_.size() >= limits_.entities_waiting_max) {
    ++counts_.entities_left_out;
    return;
  }
  kept.push_back(std::move(change));
  changes_.emplace(id, std::move(kept));
}

void LiveStream::remove_closed() {
  clients_.remove_if([](const auto& client) { return client->is_closed(); });
  counts_.clients = clients_.size();
}

void LiveStream::end_fallen() {
  for (const auto& client : clients_) {
    if (client->is_open() && !access_.is_current(client->who())) client->end();
  }
}

// What one message adds is bounded, so once a beat is often enough.
void LiveStream::close_fullest() {
  std::size_t total = 0;
  for (const auto& client : clients_) total += client->bytes_queued();
  if (total <= limits_.queued_bytes_max) return;
  std::vector<Client*> fullest;
  for (const auto& client : clients_) {
    if (client->bytes_queued() > 0) fullest.push_back(client.get());
  }
  std::sort(fullest.begin(), fullest.end(),
            [](const Client* a, const Client* b) { return a->bytes_queued() > b->bytes_queued(); });
  for (Client* const client : fullest) {
    if (total <= limits_.queued_bytes_max) return;
    total -= client->bytes_queued();
    client->end_slow();
  }
}

void LiveStream::beat() {
  remove_closed();
  end_fallen();
  close_fullest();
  if (clients_.empty()) {
    ingest_.set_follower_active(*this, false);
    changes_.clear();
    alerts_.clear();
    return;
  }
  if (!changes_.empty()) send_entities();
  if (!alerts_.empty()) send_alerts();
}

void LiveStream::send_entities() {
  // Written once for all who want everything; once more for each who filters.
  const auto message_for = [&](const Client* client) {
    bool is_empty = true;
    std::string text;
    json::JsonWriter json(text);
    json.begin_object().key("kind").text("entities").key("entities").begin_array();
    for (const auto& [id, rows] : changes_) {
      for (const Change& change : rows) {
        if (client != nullptr &&
            !client->wants(change.rows->type(), point_of(*change.rows, change.row))) {
          continue;
        }
        json::write_row(*change.rows, change.row, schema_, json);
        is_empty = false;
      }
    }
    json.end_array().end_object();
    return is_empty ? std::string() : text;
  };
  std::optional<std::string> for_everybody;
  for (const auto& client : clients_) {
    if (!client->is_open()) continue;
    if (!client->is_unfiltered()) {
      const std::string text = message_for(client.get());
      if (!text.empty()) client->send(text);
      continue;
    }
    if (!for_everybody) for_everybody = message_for(nullptr);
    client->send(*for_everybody);
  }
  changes_.clear();
}

void LiveStream::send_alerts() {
  std::string text;
  json::JsonWriter json(text);
  json.begin_object().key("kind").text("alerts").key("alerts").begin_array();
  for (const Change& change : alerts_) json::write_row(*change.rows, change.row, schema_, json);
  json.end_array().end_object();
  for (const auto& client : clients_) {
    if (client->who().may_read(kAlertType)) client->send(text);
  }
  alerts_.clear();
}

}  // namespace ficus::api
