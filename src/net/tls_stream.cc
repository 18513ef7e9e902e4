#include "net/tls_stream.h"

#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <sys/socket.h>

#include <cerrno>
#include <utility>

#include "net/tls_words.h"

namespace ficus::net {

namespace {

// Encrypted before the loop serves others again: a quarter of a millisecond.
constexpr std::size_t kBytesPerWrite = std::size_t{256} << 10;

}  // namespace

TlsStream::TlsStream(SSL_CTX* context, int fd, std::string_view alpn)
    : fd_(fd), alpn_(alpn), ssl_(SSL_new(context)) {
  BIO* const bio = BIO_new(bio_method());
  BIO_set_data(bio, this);
  BIO_set_init(bio, 1);
  SSL_set_bio(ssl_.get(), bio, bio);
  SSL_set_app_data(ssl_.get(), this);
}

TlsStream::~TlsStream() { forget(); }

// A connection that ends without close_notify need not cost its session (RFC 4346, 7.2.1): OpenSSL
// would make it unusable.
void TlsStream::forget() {
  if (ssl_ == nullptr) return;
  if (!is_broken_) SSL_set_shutdown(ssl_.get(), SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
  is_broken_ = true;
  has_more_ = false;
  ssl_.reset();
}

std::unique_ptr<TlsStream> TlsStream::make_server(TlsServerContext& context, int fd,
                                                  std::string_view alpn) {
  std::unique_ptr<TlsStream> stream(new TlsStream(context.core().context.get(), fd, alpn));
  SSL_set_accept_state(stream->ssl_.get());
  return stream;
}

std::unique_ptr<TlsStream> TlsStream::make_client(std::shared_ptr<TlsClientContext> context, int fd,
                                                  const std::string& host, std::uint16_t port,
                                                  std::string_view alpn) {
  std::unique_ptr<TlsStream> stream(new TlsStream(context->core().context.get(), fd, alpn));
  SSL* const ssl = stream->ssl_.get();
  SSL_set_connect_state(ssl);
  stream->host_ = host;
  stream->host_port_ = host + ":" + std::to_string(port);
  X509_VERIFY_PARAM* const rules = SSL_get0_param(ssl);
  X509_VERIFY_PARAM_set_hostflags(rules, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
  if (X509_VERIFY_PARAM_set1_ip_asc(rules, host.c_str()) != 1) {
    SSL_set1_host(ssl, host.c_str());
    // Names only (RFC 6066, 3). The macro for this has a cast that GCC reports.
    SSL_ctrl(ssl, SSL_CTRL_SET_TLSEXT_HOSTNAME, TLSEXT_NAMETYPE_host_name,
             const_cast<char*>(host.c_str()));
  }
  if (!alpn.empty()) {
    const std::string offer = static_cast<char>(alpn.size()) + std::string(alpn);
    SSL_set_alpn_protos(ssl, reinterpret_cast<const unsigned char*>(offer.data()),
                        static_cast<unsigned>(offer.size()));
  }
  if (SSL_SESSION* const earlier = context->core().session(stream->host_port_)) {
    SSL_set_session(ssl, earlier);
  }
  stream->client_ = std::move(context);
  ERR_clear_error();
  return stream;
}

// --- the socket

// OpenSSL's own socket BIO writes without MSG_NOSIGNAL: a peer that is gone would end the process.
const BIO_METHOD* TlsStream::bio_method() {
  static const BIO_METHOD* const method = [] {
    BIO_METHOD* const made = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "socket");
    BIO_meth_set_read_ex(made, bio_read);
    BIO_meth_set_write_ex(made, bio_write);
    BIO_meth_set_ctrl(made, [](BIO* bio, int command, long, void*) -> long {
      if (command == BIO_CTRL_EOF) return BIO_test_flags(bio, BIO_FLAGS_IN_EOF) != 0 ? 1 : 0;
      return command == BIO_CTRL_FLUSH ? 1 : 0;
    });
    return made;
  }();
  return method;
}

int TlsStream::bio_read(BIO* bio, char* out, std::size_t size, std::size_t* got) {
  auto& self = *static_cast<TlsStream*>(BIO_get_data(bio));
  BIO_clear_retry_flags(bio);
  const ssize_t bytes = ::recv(self.fd_, out, size, MSG_DONTWAIT);
  self.last_errno_ = bytes < 0 ? errno : 0;
  if (bytes > 0) {
    *got = static_cast<std::size_t>(bytes);
    return 1;
  }
  if (bytes == 0) {
    BIO_set_flags(bio, BIO_FLAGS_IN_EOF);
  } else if (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR) {
    BIO_set_retry_read(bio);
  }
  return 0;
}

int TlsStream::bio_write(BIO* bio, const char* bytes, std::size_t size, std::size_t* put) {
  auto& self = *static_cast<TlsStream*>(BIO_get_data(bio));
  BIO_clear_retry_flags(bio);
  const ssize_t sent = ::send(self.fd_, bytes, size, MSG_NOSIGNAL | MSG_DONTWAIT);
  self.last_errno_ = sent < 0 ? errno : 0;
  if (sent >= 0) {
    *put = static_cast<std::size_t>(sent);
    return 1;
  }
  if (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR) BIO_set_retry_write(bio);
  return 0;
}

// --- the stream

IoResult TlsStream::outcome(int returned) {
  switch (SSL_get_error(ssl_.get(), returned)) {
    case SSL_ERROR_WANT_READ:
      return {.bytes = 0, .error = EAGAIN, .waits_other = false};
    case SSL_ERROR_WANT_WRITE:
      return {.bytes = 0, .error = EAGAIN, .waits_other = true};
    case SSL_ERROR_ZERO_RETURN:
      return {};
    case SSL_ERROR_SYSCALL:
      is_broken_ = true;
      ERR_clear_error();
      return {.bytes = 0, .error = last_errno_ != 0 ? last_errno_ : EPROTO, .waits_other = false};
    default:
      note_failure();
      return {.bytes = 0, .error = EPROTO, .waits_other = false};
  }
}

void TlsStream::note_failure() {
  is_broken_ = true;
  const TlsFailure failure = describe_tls_failure(ERR_peek_error(), verify_problem_);
  ERR_clear_error();
  is_certificate_problem_ = failure.is_certificate_problem;
  if (problem_.empty()) problem_ = failure.text;
}

IoResult TlsStream::read_some(std::span<std::byte> out) {
  has_more_ = false;
  IoResult total;
  while (total.bytes < out.size()) {
    if (is_broken_) {
      if (total.bytes == 0) total.error = EPROTO;
      return total;
    }
    ERR_clear_error();
    std::size_t got = 0;
    const int returned =
        SSL_read_ex(ssl_.get(), out.data() + total.bytes, out.size() - total.bytes, &got);
    if (returned == 1) {
      total.bytes += got;
      continue;
    }
    const IoResult end = outcome(returned);
    if (total.bytes == 0) return end;
    // What ended it is found again by the next read, for which the socket may never be readable.
    has_more_ = !end.would_block() || end.waits_other;
    return total;
  }
  has_more_ = true;
  return total;
}

IoResult TlsStream::write_some(std::span<const iovec> blocks) {
  IoResult total;
  for (const iovec& block : blocks) {
    const char* at = static_cast<const char*>(block.iov_base);
    std::size_t left = block.iov_len;
    while (left > 0) {
      if (total.bytes >= kBytesPerWrite) return total;
      if (is_broken_) return {.bytes = total.bytes, .error = EPROTO, .waits_other = false};
      ERR_clear_error();
      std::size_t put = 0;
      const int returned = SSL_write_ex(ssl_.get(), at, left, &put);
      if (returned != 1) {
        if (total.bytes > 0) return total;  // what stopped it is found again by the next call
        IoResult end = outcome(returned);
        // For a write it is reading that would be the opposite.
        end.waits_other = end.would_block() && !end.waits_other;
        return end;
      }
      at += put;
      left -= put;
      total.bytes += put;
    }
  }
  return total;
}

IoResult TlsStream::shutdown_send() {
  if (!is_broken_) {
    ERR_clear_error();
    const int returned = SSL_shutdown(ssl_.get());  // close_notify (RFC 8446, 6.1)
    if (returned < 0) {
      const IoResult end = outcome(returned);
      if (end.would_block() && end.waits_other) return end;
    }
  }
  ::shutdown(fd_, SHUT_WR);
  return {};
}

// --- the handshake

TlsStream::Progress TlsStream::shake_hands() {
  ERR_clear_error();
  const int returned = SSL_do_handshake(ssl_.get());
  if (returned == 1) {
    note_peer_certificate();
    has_more_ = true;  // the first bytes may have come with the handshake's last
    return Progress::done;
  }
  const IoResult end = outcome(returned);
  if (end.would_block()) return end.waits_other ? Progress::wants_write : Progress::wants_read;
  if (problem_.empty()) {
    problem_ = end.error == EPROTO || end.error == 0 || end.error == ECONNRESET
                   ? "the peer broke the TLS handshake off"
                   : std::string("the TLS handshake broke: ") + errno_text(end.error);
  }
  return Progress::failed;
}

void TlsStream::note_peer_certificate() {
  const X509* const certificate = SSL_get0_peer_certificate(ssl_.get());
  if (certificate == nullptr || SSL_get_verify_result(ssl_.get()) != X509_V_OK) return;
  certificate_ = describe_certificate(*certificate);
}

int TlsStream::on_verify(int is_fine, X509_STORE_CTX* store) {
  if (is_fine == 1) return 1;
  SSL* const ssl =
      static_cast<SSL*>(X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx()));
  auto& self = *static_cast<TlsStream*>(SSL_get_app_data(ssl));
  self.verify_problem_ = describe_verify_failure(store, self.host_);
  return 0;
}

int TlsStream::on_alpn(SSL* ssl, const unsigned char** out, unsigned char* out_size,
                       const unsigned char* in, unsigned in_size, void*) {
  const auto& self = *static_cast<TlsStream*>(SSL_get_app_data(ssl));
  if (self.alpn_.empty()) return SSL_TLSEXT_ERR_NOACK;
  for (unsigned at = 0; at < in_size; at += 1U + in[at]) {
    const std::string_view offered(reinterpret_cast<const char*>(in) + at + 1, in[at]);
    if (offered != self.alpn_) continue;
    *out = in + at + 1;
    *out_size = in[at];
    return SSL_TLSEXT_ERR_OK;
  }
  return SSL_TLSEXT_ERR_ALERT_FATAL;
}

int TlsStream::on_session(SSL* ssl, SSL_SESSION* session) {
  const auto& self = *static_cast<TlsStream*>(SSL_get_app_data(ssl));
  if (self.client_ == nullptr) return 0;
  self.client_->core().keep_session(self.host_port_, SslSessionPtr(session));
  return 1;  // the session is ours now
}

}  // namespace ficus::net
