#include <utility>

#include "base/check.h"
#include "net/http_connection.h"
#include "net/http_server.h"
#include "net/websocket_core.h"
#include "net/websocket_handshake.h"

namespace ficus::net {

void HttpExchange::Core::end() {
  connection = nullptr;
  // What the callbacks hold may own this exchange: let go of them last, outside of the members.
  auto piece = std::move(on_body);
  auto body_end = std::move(on_body_end);
  auto writable = std::move(on_writable);
  auto closed = std::move(on_closed);
  on_body = nullptr;
  on_body_end = nullptr;
  on_writable = nullptr;
  on_closed = nullptr;
}

void HttpExchange::Core::break_off(const Error& reason) {
  auto callback = std::move(on_closed);
  on_closed = nullptr;
  end();
  if (callback && answer != Answer::complete) callback(reason);
}

HttpExchange::HttpExchange(std::shared_ptr<Core> core) : core_(std::move(core)) {}

HttpExchange::~HttpExchange() {
  core_->on_closed = nullptr;
  if (core_->connection == nullptr) return;
  if (core_->answer == Core::Answer::none) {
    respond(500, "text/plain", "the request was dropped\n");
  } else {
    abort();
  }
}

std::string_view HttpExchange::method() const { return core_->head.method; }
const HttpTarget& HttpExchange::target() const { return core_->target; }
const HttpHeaders& HttpExchange::headers() const { return core_->head.headers; }
const Address& HttpExchange::peer() const { return core_->peer; }
std::string_view HttpExchange::header(std::string_view name) const {
  return core_->head.headers.find(name).value_or(std::string_view());
}
std::string_view HttpExchange::parameter(std::string_view name) const {
  return core_->target.parameter(name).value_or(std::string_view());
}

void HttpExchange::read_body(std::size_t bytes_max,
                             std::move_only_function<void(std::string_view)> on_body) {
  if (!is_open()) return;
  FICUS_CHECK(core_->body_mode == Core::BodyMode::unclaimed);
  core_->body_mode = Core::BodyMode::collected;
  core_->body_bytes_max = bytes_max;
  core_->on_body = std::move(on_body);
  core_->connection->claim_body();
}

void HttpExchange::stream_body(std::uint64_t bytes_max,
                               std::move_only_function<void(std::string_view)> on_piece,
                               Task on_end) {
  if (!is_open()) return;
  FICUS_CHECK(core_->body_mode == Core::BodyMode::unclaimed);
  core_->body_mode = Core::BodyMode::streamed;
  core_->body_bytes_max = bytes_max;
  core_->on_body = std::move(on_piece);
  core_->on_body_end = std::move(on_end);
  core_->connection->claim_body();
}

void HttpExchange::pause_body() { core_->is_body_paused = true; }

void HttpExchange::resume_body() {
  if (!std::exchange(core_->is_body_paused, false)) return;
  if (is_open() && core_->body_mode != Core::BodyMode::unclaimed)
    core_->connection->continue_body();
}

std::uint64_t HttpExchange::body_bytes() const { return core_->body_bytes; }

void HttpExchange::respond(int status, std::string_view content_type, std::string body) {
  respond(status, HttpHeaders{{"Content-Type", content_type}}, std::move(body));
}

void HttpExchange::respond(int status, const HttpHeaders& headers, std::string body) {
  if (!is_open()) return;
  FICUS_CHECK(core_->answer == Core::Answer::none);
  core_->connection->respond(status, headers, std::move(body));
}

void HttpExchange::start_stream(int status, const HttpHeaders& headers) {
  if (!is_open()) return;
  FICUS_CHECK(core_->answer == Core::Answer::none);
  core_->connection->start_stream(status, headers);
}

bool HttpExchange::write(std::string_view text) {
  if (!is_open()) return false;
  FICUS_CHECK(core_->answer == Core::Answer::streaming);
  return core_->connection->write(text);
}

std::size_t HttpExchange::bytes_queued() const {
  return is_open() ? core_->connection->bytes_queued() : 0;
}
bool HttpExchange::is_congested() const { return is_open() && core_->connection->is_congested(); }
void HttpExchange::on_writable(Task callback) {
  if (is_open()) core_->on_writable = std::move(callback);
}

void HttpExchange::finish() {
  if (!is_open()) return;
  FICUS_CHECK(core_->answer == Core::Answer::streaming);
  core_->connection->finish();
}

void HttpExchange::abort() {
  if (!is_open()) return;
  core_->on_closed = nullptr;  // the owner knows
  core_->connection->abort_exchange({ErrorCode::unavailable, "aborted"});
}

const PeerCertificate* HttpExchange::peer_certificate() const {
  return is_open() ? core_->connection->carrier().peer_certificate() : nullptr;
}
bool HttpExchange::is_encrypted() const {
  return is_open() && core_->connection->carrier().is_encrypted();
}

EventLoop& HttpExchange::loop() const { return core_->connection->loop(); }

Result<std::unique_ptr<WebSocket>> HttpExchange::upgrade_websocket(const WebSocketOptions& options,
                                                                   WebSocketHandler& handler) {
  if (!is_open()) return fail(ErrorCode::unavailable, "the client has gone");
  FICUS_CHECK(core_->answer == Core::Answer::none);
  FICUS_TRY(const std::string answer, websocket_upgrade_answer(core_->head, options.subprotocol));
  EventLoop& loop = core_->connection->loop();
  return make_websocket(loop, core_->connection->release(answer), WebSocketRole::server, options, 0,
                        handler);
}

void HttpExchange::on_closed(std::move_only_function<void(const Error&)> callback) {
  if (is_open()) core_->on_closed = std::move(callback);
}
bool HttpExchange::is_open() const { return core_->connection != nullptr; }
bool HttpExchange::is_answered() const { return core_->answer != Core::Answer::none; }

}  // namespace ficus::net
