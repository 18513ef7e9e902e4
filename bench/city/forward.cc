// A bare forwarding loop, the limit of what a broker's latency can be on this machine: passes on
// every PUBLISH as it came to every connection that sent a SUBSCRIBE. It checks nothing, and knows
// of MQTT the packets' lengths: city_forward PORT
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace {

struct Peer {
  int fd = -1;
  std::string rest;  // the begin of a packet that is not whole yet
};

class Forwarder {
 public:
  explicit Forwarder(std::uint16_t port) : epoll_(::epoll_create1(0)) {
    listener_.fd = ::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    const int on = 1;
    ::setsockopt(listener_.fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (::bind(listener_.fd, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) != 0 ||
        ::listen(listener_.fd, 1024) != 0) {
      std::exit(1);
    }
    watch(listener_);
  }

  [[noreturn]] void run() {
    std::array<epoll_event, 64> events;
    while (true) {
      const int count = ::epoll_wait(epoll_, events.data(), static_cast<int>(events.size()), -1);
      for (int i = 0; i < count; ++i) {
        auto* const peer = static_cast<Peer*>(events[static_cast<std::size_t>(i)].data.ptr);
        if (peer == &listener_) {
          accept();
        } else {
          read(*peer);
        }
      }
    }
  }

 private:
  void watch(Peer& peer) {
    epoll_event event{};
    event.events = EPOLLIN;
    event.data.ptr = &peer;
    ::epoll_ctl(epoll_, EPOLL_CTL_ADD, peer.fd, &event);
  }

  void accept() {
    peers_.push_back(std::make_unique<Peer>());
    Peer& peer = *peers_.back();
    peer.fd = ::accept4(listener_.fd, nullptr, nullptr, 0);
    const int on = 1;
    ::setsockopt(peer.fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    watch(peer);
  }

  void read(Peer& peer) {
    const ssize_t got = ::recv(peer.fd, buffer_.data(), buffer_.size(), MSG_DONTWAIT);
    if (got < 0) return;
    if (got == 0) {
      std::erase(subscribers_, peer.fd);
      ::close(peer.fd);
      return;
    }
    std::string_view bytes(buffer_.data(), static_cast<std::size_t>(got));
    if (!peer.rest.empty()) bytes = peer.rest.append(bytes);
    const std::size_t used = take_packets(peer, bytes);
    peer.rest = std::string(bytes.substr(used));
  }

  std::size_t take_packets(Peer& peer, std::string_view bytes) {
    std::size_t used = 0;
    std::size_t passed = 0;  // from where on PUBLISHes wait to be passed on
    while (used + 2 <= bytes.size()) {
      std::size_t body = 0;
      std::size_t header = 1;
      while (used + header < bytes.size()) {
        const auto byte = static_cast<unsigned char>(bytes[used + header]);
        body |= static_cast<std::size_t>(byte & 0x7f) << (7 * (header - 1));
        ++header;
        if ((byte & 0x80) == 0) break;
      }
      if (used + header + body > bytes.size()) break;
      const std::string_view packet = bytes.substr(used, header + body);
      used += packet.size();
      if (packet[0] >> 4 == 3) continue;
      answer(peer, packet, header);
      passed = used;
    }
    for (const int fd : subscribers_) send(fd, bytes.substr(passed, used - passed));
    return used;
  }

  void answer(Peer& peer, std::string_view packet, std::size_t header) {
    if (packet[0] == 0x10) send(peer.fd, std::string_view("\x20\x02\0\0", 4));
    if (packet[0] != static_cast<char>(0x82)) return;
    const char suback[] = {static_cast<char>(0x90), 3, packet[header], packet[header + 1], 0};
    send(peer.fd, std::string_view(suback, sizeof(suback)));
    subscribers_.push_back(peer.fd);
  }

  static void send(int fd, std::string_view bytes) {
    if (!bytes.empty()) (void)::send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL);
  }

  const int epoll_;
  Peer listener_;
  std::vector<std::unique_ptr<Peer>> peers_;
  std::vector<int> subscribers_;
  std::array<char, 64 << 10> buffer_;
};

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) return 2;
  auto forwarder = std::make_unique<Forwarder>(static_cast<std::uint16_t>(std::atoi(argv[1])));
  forwarder->run();
}
