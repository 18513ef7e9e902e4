#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "net/stream.h"
#include "net/tls.h"
#include "net/tls_core.h"

namespace ficus::net {

// TLS over a socket: first its handshake, step by step, then a Stream. For this module only.
class TlsStream final : public Stream {
 public:
  enum class Progress : std::uint8_t { done, wants_read, wants_write, failed };

  // `alpn`: the protocol spoken inside, such as "http/1.1": a client that offers others only is
  // refused (RFC 7301, 3.2), one that offers none is taken. Empty: any.
  static std::unique_ptr<TlsStream> make_server(TlsServerContext& context, int fd,
                                                std::string_view alpn);
  // `host`: what the server's certificate must be for, a name or a numeric address.
  static std::unique_ptr<TlsStream> make_client(std::shared_ptr<TlsClientContext> context, int fd,
                                                const std::string& host, std::uint16_t port,
                                                std::string_view alpn);
  ~TlsStream() override;

  // One step, as far as it goes without waiting. Each costs up to a signature (a millisecond with
  // RSA).
  Progress shake_hands();
  bool was_resumed() const { return SSL_session_reused(ssl_.get()) == 1; }
  // The failure is about a certificate: the peer's, or the peer refuses ours.
  bool is_certificate_problem() const { return is_certificate_problem_; }

  IoResult read_some(std::span<std::byte> out) override;
  IoResult write_some(std::span<const iovec> blocks) override;
  IoResult shutdown_send() override;
  void forget() override;
  std::string problem() const override { return problem_; }
  bool is_encrypted() const override { return true; }
  const PeerCertificate* peer_certificate() const override {
    return certificate_ ? &*certificate_ : nullptr;
  }

  // Called by OpenSSL.
  static int on_verify(int is_fine, X509_STORE_CTX* store);
  static int on_alpn(SSL* ssl, const unsigned char** out, unsigned char* out_size,
                     const unsigned char* in, unsigned in_size, void*);
  static int on_session(SSL* ssl, SSL_SESSION* session);

 private:
  TlsStream(SSL_CTX* context, int fd, std::string_view alpn);
  static int bio_read(BIO* bio, char* out, std::size_t size, std::size_t* got);
  static int bio_write(BIO* bio, const char* bytes, std::size_t size, std::size_t* put);
  static const BIO_METHOD* bio_method();
  IoResult outcome(int returned);
  void note_failure();
  void note_peer_certificate();

  const int fd_;
  int last_errno_ = 0;
  bool is_broken_ = false;  // OpenSSL must not be called for this connection any more
  bool is_certificate_problem_ = false;
  const std::string alpn_;
  std::string host_;  // a client's
  std::string host_port_;
  std::string problem_;
  std::string verify_problem_;
  std::optional<PeerCertificate> certificate_;
  std::shared_ptr<TlsClientContext> client_;  // keeps sessions
  SslPtr ssl_;
};

}  // namespace ficus::net
