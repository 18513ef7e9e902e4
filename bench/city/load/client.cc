#include "client.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>

#include "base/errno_text.h"

namespace load {
namespace {

int connect_to(const std::string& host_port) {
  const std::size_t colon = host_port.rfind(':');
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(std::atoi(host_port.c_str() + colon + 1)));
  ::inet_pton(AF_INET, host_port.substr(0, colon).c_str(), &address.sin_addr);
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0) give_up("no socket");
  if (::connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) != 0) {
    give_up("cannot connect to " + host_port);
  }
  const int on = 1;
  ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
  // Closing resets, so that ten thousand connections leave no ports behind in TIME_WAIT.
  const linger reset{.l_onoff = 1, .l_linger = 0};
  ::setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
  ::fcntl(fd, F_SETFL, O_NONBLOCK);
  return fd;
}

void append_u16(std::size_t value, std::string& out) {
  out += static_cast<char>(value >> 8);
  out += static_cast<char>(value & 0xff);
}

void append_text(std::string_view text, std::string& out) {
  append_u16(text.size(), out);
  out += text;
}

// The packet's header length and body length (MQTT 3.1.1, 2.2.3); false if it is not here yet.
bool frame(std::string_view bytes, std::size_t& header, std::size_t& body) {
  body = 0;
  for (std::size_t i = 1; i < bytes.size() && i < 5; ++i) {
    const auto byte = static_cast<unsigned char>(bytes[i]);
    body |= static_cast<std::size_t>(byte & 0x7f) << (7 * (i - 1));
    if ((byte & 0x80) == 0) {
      header = i + 1;
      return true;
    }
  }
  return false;
}

}  // namespace

void give_up(std::string_view what) {
  fmt::print(stderr, "load: {} ({})\n", what, ficus::errno_text(errno));
  std::exit(1);
}

Poller::Poller()
    : epoll_(::epoll_create1(EPOLL_CLOEXEC)),
      buffer_(std::make_unique_for_overwrite<char[]>(kReadBytes)) {}

Poller::~Poller() { ::close(epoll_); }

void Poller::watch(Client& client, bool reading, bool writing, bool is_new) {
  epoll_event event{};
  if (reading) event.events |= static_cast<std::uint32_t>(EPOLLIN);
  if (writing) event.events |= static_cast<std::uint32_t>(EPOLLOUT);
  event.data.ptr = &client;
  ::epoll_ctl(epoll_, is_new ? EPOLL_CTL_ADD : EPOLL_CTL_MOD, client.fd_, &event);
}

void Poller::poll(int wait_ms_max) {
  std::array<epoll_event, 256> events;
  const int count =
      ::epoll_wait(epoll_, events.data(), static_cast<int>(events.size()), wait_ms_max);
  for (int i = 0; i < count; ++i) {
    const epoll_event& event = events[static_cast<std::size_t>(i)];
    auto* const client = static_cast<Client*>(event.data.ptr);
    if ((event.events & EPOLLOUT) != 0) client->flush();
    if ((event.events & ~static_cast<std::uint32_t>(EPOLLOUT)) != 0) client->read();
  }
}

Client::Client(Poller& poller, const std::string& host_port, std::string_view id,
               PacketHandler* handler)
    : poller_(poller), handler_(handler), fd_(connect_to(host_port)) {
  poller_.watch(*this, true, false, true);
  std::string packet("\x10\x00\x00\x04MQTT\x04\x02\x00\x00", 12);  // 3.1
  append_text(id, packet);
  packet[1] = static_cast<char>(packet.size() - 2);
  send(packet);
}

Client::~Client() { ::close(fd_); }

void Client::subscribe(std::string_view filter) {
  std::string packet("\x82\x00\x00\x01", 4);  // 3.8
  append_text(filter, packet);
  packet += '\0';
  packet[1] = static_cast<char>(packet.size() - 2);
  send(packet);
}

void Client::send(std::string_view bytes) {
  if (output_.empty()) {
    const ssize_t put = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (put < 0 && errno != EAGAIN) give_up("connection lost");
    if (put > 0) bytes.remove_prefix(static_cast<std::size_t>(put));
    if (bytes.empty()) return;
    poller_.watch(*this, is_reading_, true, false);
  }
  output_ += bytes;
}

void Client::flush() {
  const ssize_t put = ::send(fd_, output_.data(), output_.size(), MSG_NOSIGNAL);
  if (put < 0 && errno != EAGAIN) give_up("connection lost");
  if (put > 0) output_.erase(0, static_cast<std::size_t>(put));
  if (output_.empty()) poller_.watch(*this, is_reading_, false, false);
}

void Client::stop_reading() {
  is_reading_ = false;
  poller_.watch(*this, false, has_backlog(), false);
}

void Client::read() {
  if (!is_reading_) return;
  char* const buffer = poller_.buffer_.get();
  std::memcpy(buffer, rest_.data(), rest_.size());
  const ssize_t got = ::recv(fd_, buffer + rest_.size(), Poller::kReadBytes - rest_.size(), 0);
  if (got < 0 && errno == EAGAIN) return;
  if (got <= 0) give_up("connection lost");
  const std::string_view bytes(buffer, rest_.size() + static_cast<std::size_t>(got));
  rest_ = bytes.substr(take_packets(bytes));
}

std::size_t Client::take_packets(std::string_view bytes) {
  std::size_t used = 0;
  std::size_t header = 0;
  std::size_t body = 0;
  while (frame(bytes.substr(used), header, body) && used + header + body <= bytes.size()) {
    const auto first = static_cast<std::uint8_t>(bytes[used]);
    const std::string_view rest = bytes.substr(used + header, body);
    switch (first >> 4) {
      case 2:
        if (rest != std::string_view("\0\0", 2)) give_up("the server refused the connection");
        is_connected_ = true;
        break;
      case 3:
        ++publishes_;
        break;
      case 4:
        break;
      case 9:
        is_subscribed_ = true;
        break;
      default:
        give_up(fmt::format("unexpected packet {:#x}", first));
    }
    if (handler_ != nullptr) handler_->on_packet(*this, first, rest);
    used += header + body;
  }
  return used;
}

}  // namespace load
