#include "api/sql_response.h"

#include <utility>
#include <vector>

#include "connect/http/respond.h"

namespace ficus::api {
namespace {

constexpr std::size_t kPieceBytes = std::size_t{256} << 10;

net::HttpHeaders headers_of(AnswerFormat format, bool truncated) {
  net::HttpHeaders headers{{"Content-Type", media_type(format)}, {"Cache-Control", "no-store"}};
  if (format == AnswerFormat::parquet) {
    headers.add("Content-Disposition", "attachment; filename=\"answer.parquet\"");
  }
  if (truncated) headers.add("Ficus-Truncated", "true");
  return headers;
}

// Sends a file through one exchange. Keeps itself alive through the exchange's callback until the
// end, then lets go of both. The pieces come from the page cache: they were written just now.
class FileSender : public std::enable_shared_from_this<FileSender> {
 public:
  FileSender(std::unique_ptr<net::HttpExchange> exchange, net::EventLoop& loop, SqlAnswer answer)
      : exchange_(std::move(exchange)), loop_(loop), answer_(std::move(answer)) {}

  void start() {
    exchange_->start_stream(200, headers_of(AnswerFormat::parquet, false));
    exchange_->on_writable([self = shared_from_this()] { self->send(); });
    exchange_->on_closed([self = shared_from_this()](const Error&) { self->end(); });
    send();
  }

 private:
  void send() {
    if (exchange_ == nullptr || is_ended_) return;
    std::vector<std::byte> piece(kPieceBytes);
    while (!exchange_->is_congested()) {
      const Result<std::size_t> count = answer_.file->read_at(sent_, piece);
      if (!count) {
        exchange_->abort();
        return end();
      }
      if (*count == 0) {
        exchange_->finish();
        return end();
      }
      if (!exchange_->write({reinterpret_cast<const char*>(piece.data()), *count})) return;
      sent_ += *count;
    }
  }

  // Not at once: a callback of the exchange is running.
  void end() {
    if (is_ended_) return;
    is_ended_ = true;
    loop_.post([self = shared_from_this()] { self->exchange_.reset(); });
  }

  std::unique_ptr<net::HttpExchange> exchange_;
  net::EventLoop& loop_;
  SqlAnswer answer_;
  std::uint64_t sent_ = 0;
  bool is_ended_ = false;
};

}  // namespace

void respond_sql(std::unique_ptr<net::HttpExchange> exchange, net::EventLoop& loop,
                 AnswerFormat format, SqlAnswer answer) {
  if (answer.file != nullptr) {
    std::make_shared<FileSender>(std::move(exchange), loop, std::move(answer))->start();
    return;
  }
  exchange->respond(200, headers_of(format, answer.truncated), std::move(answer.body));
}

void respond_sql_error(net::HttpExchange& exchange, const Error& error) {
  connect::respond_error(
      exchange, error.code == ErrorCode::overloaded ? 429 : connect::http_status(error.code),
      error);
}

}  // namespace ficus::api
