#include "net/stream.h"

#include <sys/socket.h>

#include <cerrno>

namespace ficus::net {

bool IoResult::would_block() const {
  return error == EAGAIN || error == EWOULDBLOCK || error == EINTR;
}

namespace {

class PlainStream final : public Stream {
 public:
  explicit PlainStream(int fd) : fd_(fd) {}

  IoResult read_some(std::span<std::byte> out) override {
    return outcome(::recv(fd_, out.data(), out.size(), MSG_DONTWAIT));
  }

  IoResult write_some(std::span<const iovec> blocks) override {
    msghdr message{};
    message.msg_iov = const_cast<iovec*>(blocks.data());  // the kernel only reads it
    message.msg_iovlen = blocks.size();
    return outcome(::sendmsg(fd_, &message, MSG_NOSIGNAL | MSG_DONTWAIT));
  }

  IoResult shutdown_send() override {
    ::shutdown(fd_, SHUT_WR);
    return {};
  }

 private:
  static IoResult outcome(ssize_t bytes) {
    if (bytes < 0) return {.bytes = 0, .error = errno, .waits_other = false};
    return {.bytes = static_cast<std::size_t>(bytes), .error = 0, .waits_other = false};
  }

  const int fd_;
};

}  // namespace

std::unique_ptr<Stream> make_plain_stream(int fd) { return std::make_unique<PlainStream>(fd); }

}  // namespace ficus::net
