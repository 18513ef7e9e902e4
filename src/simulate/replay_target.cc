#include "simulate/replay_target.h"

#include <fmt/format.h>
#include <unistd.h>

#include <utility>

#include "codec/csv/csv_json.h"
#include "net/bytes.h"
#include "net/tcp.h"
#include "net/udp.h"
#include "simulate/http_sender.h"
#include "simulate/mqtt_client.h"
#include "simulate/topic_template.h"

namespace ficus::simulate {
namespace {

class MqttTarget final : public ReplayTarget {
 public:
  MqttTarget(net::EventLoop& loop, const std::string& host_port,
             std::shared_ptr<net::TlsClientContext> tls, const Credentials& credentials,
             TopicTemplate topic, net::Task on_progress)
      : topic_(std::move(topic)),
        client_(loop, {.host_port = host_port,
                       .client_id = fmt::format("ficus-replay-{}", getpid()),
                       .tls = std::move(tls),
                       .user = credentials.user,
                       .password = credentials.password,
                       .queue_messages_max = 2000}) {
    client_.on_progress(std::move(on_progress));
  }

  RecordKind kind() const override { return RecordKind::csv; }
  Status begin_file(const std::vector<std::string>& columns) override {
    columns_ = columns;
    return topic_.bind(columns_);
  }
  bool is_full() const override { return client_.is_full(); }
  Status send(const Record& record) override {
    std::string payload;
    csv::append_json(columns_, record.cells, payload);
    client_.publish(topic_.fill(record.cells), std::move(payload));
    return {};
  }
  bool is_idle() const override { return client_.is_idle(); }
  std::uint64_t acknowledged() const override { return client_.counts().acknowledged; }
  std::string last_error() const override { return client_.last_error(); }

 private:
  TopicTemplate topic_;
  std::vector<std::string> columns_;
  MqttClient client_;
};

class HttpTarget final : public ReplayTarget {
 public:
  HttpTarget(net::EventLoop& loop, const std::string& host_port,
             std::shared_ptr<net::TlsClientContext> tls, const Credentials& credentials,
             std::string target, net::Task on_progress)
      : target_(std::move(target)),
        sender_(loop, host_port, kBodiesMax, std::move(tls), credentials.authorization) {
    sender_.on_progress(std::move(on_progress));
  }

  RecordKind kind() const override { return RecordKind::csv; }
  Status begin_file(const std::vector<std::string>& columns) override {
    columns_ = columns;
    return {};
  }
  bool is_full() const override { return sender_.is_full(); }
  Status send(const Record& record) override {
    csv::append_json(columns_, record.cells, body_);
    body_ += '\n';
    if (++lines_ == kLinesMax || body_.size() >= kBodyBytes) flush();
    return {};
  }
  void flush() override {
    if (lines_ == 0) return;
    sender_.post(target_, "application/x-ndjson", std::exchange(body_, {}),
                 std::exchange(lines_, 0));
  }
  bool is_idle() const override { return sender_.is_idle() && lines_ == 0; }
  std::uint64_t acknowledged() const override { return sender_.counts().acknowledged; }
  std::string last_error() const override {
    if (sender_.counts().quarantined == 0) return sender_.last_error();
    return fmt::format("{} quarantined", sender_.counts().quarantined);
  }

 private:
  static constexpr std::size_t kBodiesMax = 4;
  static constexpr std::size_t kLinesMax = 1000;
  static constexpr std::size_t kBodyBytes = std::size_t{1} << 20;

  const std::string target_;
  std::vector<std::string> columns_;
  std::string body_;
  std::size_t lines_ = 0;
  HttpSender sender_;
};

class UdpTarget final : public ReplayTarget {
 public:
  UdpTarget(std::unique_ptr<net::UdpSocket> socket, const net::Address& receiver)
      : socket_(std::move(socket)), receiver_(receiver) {}

  RecordKind kind() const override { return RecordKind::nmea; }
  Status begin_file(const std::vector<std::string>&) override { return {}; }
  bool is_full() const override { return false; }
  Status send(const Record& record) override {
    const std::string line = record.line + "\r\n";
    FICUS_TRY_VOID(socket_->send(net::bytes_of(line), receiver_));
    ++sent_;
    return {};
  }
  bool is_idle() const override { return true; }
  std::uint64_t acknowledged() const override { return sent_; }  // nobody answers
  std::string last_error() const override { return {}; }
  // 20 000 lines a second: more, and the receiver's kernel may drop some.
  Micros turn_pause() const override { return Micros::from_millis(5); }
  std::size_t records_per_turn() const override { return 100; }

 private:
  std::unique_ptr<net::UdpSocket> socket_;
  const net::Address receiver_;
  std::uint64_t sent_ = 0;
};

// Acknowledged is what the peer's kernel has room for: when the connection closed in order, all.
class TcpTarget final : public ReplayTarget, private net::ConnectionHandler {
 public:
  TcpTarget(net::EventLoop& loop, std::string_view host_port, net::Task on_progress)
      : on_progress_(std::move(on_progress)),
        connector_(loop, host_port, {}, [this](Result<std::unique_ptr<net::TcpConnection>> tcp) {
          if (!tcp) {
            error_ = tcp.error().message;
            is_closed_ = true;
          } else {
            tcp_ = *std::move(tcp);
            tcp_->start(*this);
          }
          on_progress_();
        }) {}

  RecordKind kind() const override { return RecordKind::nmea; }
  Status begin_file(const std::vector<std::string>&) override { return {}; }
  bool is_full() const override { return tcp_ == nullptr || tcp_->is_congested(); }
  Status send(const Record& record) override {
    const std::string line = record.line + "\r\n";
    if (!tcp_->send(line)) return fail(ErrorCode::overloaded, "the connection is full");
    ++sent_;
    bytes_ += line.size();
    return {};
  }
  void finish() override {
    if (tcp_ != nullptr) tcp_->close();
  }
  bool is_idle() const override { return is_closed_; }
  std::uint64_t acknowledged() const override { return is_all_taken_ ? sent_ : 0; }
  std::string last_error() const override { return error_; }
  bool has_failed() const override { return is_closed_; }

 private:
  std::size_t on_bytes(std::span<const std::byte> bytes) override { return bytes.size(); }
  void on_writable() override { on_progress_(); }
  void on_closed(const Error& reason) override {
    is_closed_ = true;
    is_all_taken_ = tcp_->bytes_sent() == bytes_;
    if (!is_all_taken_) error_ = reason.message;
    on_progress_();
  }

  net::Task on_progress_;
  net::TcpConnector connector_;
  std::unique_ptr<net::TcpConnection> tcp_;
  std::uint64_t sent_ = 0;
  std::uint64_t bytes_ = 0;
  bool is_closed_ = false;
  bool is_all_taken_ = false;
  std::string error_;
};

Result<std::unique_ptr<ReplayTarget>> open_udp(net::EventLoop& loop, std::string host_port) {
  if (host_port.starts_with("localhost:")) host_port.replace(0, 9, "127.0.0.1");
  FICUS_TRY(const net::Address receiver, net::Address::parse(host_port));
  const bool is_v6 = receiver.family == net::AddressFamily::v6;
  FICUS_TRY(const net::Address any, net::Address::parse(is_v6 ? "[::]:0" : "0.0.0.0:0"));
  FICUS_TRY(auto socket, net::UdpSocket::open(loop, any, {}, {}));
  return std::make_unique<UdpTarget>(std::move(socket), receiver);
}

}  // namespace

Result<std::unique_ptr<ReplayTarget>> open_target(net::EventLoop& loop, std::string_view url,
                                                  std::shared_ptr<net::TlsClientContext> tls,
                                                  const Credentials& credentials,
                                                  net::Task on_progress) {
  const std::size_t after_scheme = url.find("://");
  if (after_scheme == std::string_view::npos) {
    return invalid(fmt::format("expected mqtt://, http://, udp:// or tcp://, got '{}'", url));
  }
  const std::string_view scheme = url.substr(0, after_scheme);
  const std::string_view rest = url.substr(after_scheme + 3);
  const std::size_t slash = rest.find('/');
  const std::string host_port(rest.substr(0, slash));
  const std::string_view path =
      slash == std::string_view::npos ? std::string_view() : rest.substr(slash);
  FICUS_TRY_VOID([&]() -> Status {
    FICUS_TRY([[maybe_unused]] const net::HostPort checked, net::parse_host_port(host_port));
    return {};
  }());
  if (scheme == "mqtt" || scheme == "http") tls = nullptr;
  const bool is_encrypted = tls != nullptr;
  if (scheme == "mqtt" || (scheme == "mqtts" && is_encrypted)) {
    FICUS_TRY(TopicTemplate topic, TopicTemplate::parse(path.substr(path.empty() ? 0 : 1)));
    return std::make_unique<MqttTarget>(loop, host_port, std::move(tls), credentials,
                                        std::move(topic), std::move(on_progress));
  }
  if (scheme == "http" || (scheme == "https" && is_encrypted)) {
    if (path.size() < 2) return invalid("expected http://HOST:PORT/ingest/SOURCE");
    return std::make_unique<HttpTarget>(loop, host_port, std::move(tls), credentials,
                                        std::string(path), std::move(on_progress));
  }
  if (!path.empty() && path != "/") return invalid("expected nothing after HOST:PORT");
  if (scheme == "udp") return open_udp(loop, host_port);
  if (scheme == "tcp") {
    return std::make_unique<TcpTarget>(loop, host_port, std::move(on_progress));
  }
  return invalid(fmt::format("expected mqtt, mqtts, http, https, udp or tcp, got '{}'", scheme));
}

}  // namespace ficus::simulate
