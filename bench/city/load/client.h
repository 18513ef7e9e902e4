#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace load {

class Client;

// Who hears of the packets that a client receives.
class PacketHandler {
 public:
  // `first` is the packet's first byte, `body` all behind its fixed header.
  virtual void on_packet(Client& client, std::uint8_t first, std::string_view body) = 0;

 protected:
  ~PacketHandler() = default;
};

// Waits for the sockets of many clients (epoll, level-triggered). One thread.
class Poller {
 public:
  Poller();
  ~Poller();
  Poller(const Poller&) = delete;
  Poller& operator=(const Poller&) = delete;

  // Reads from and writes to whoever is ready; waits for the first at most so long.
  void poll(int wait_ms_max);

 private:
  friend class Client;
  void watch(Client& client, bool reading, bool writing, bool is_new);

  static constexpr std::size_t kReadBytes = std::size_t{256} << 10;
  int epoll_;
  std::unique_ptr<char[]> buffer_;  // what the client being served reads into
};

// An MQTT 3.1.1 client on a bare socket, for a generator that must be faster than the servers it
// measures: it checks the framing of what it receives and nothing else. Ends the program when its
// connection breaks.
class Client {
 public:
  // Connects and sends CONNECT (clean session, no keep-alive). `handler` may be null: PUBLISHes are
  // counted either way.
  Client(Poller& poller, const std::string& host_port, std::string_view id,
         PacketHandler* handler = nullptr);
  ~Client();
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  void subscribe(std::string_view filter);  // QoS 0
  void send(std::string_view bytes);
  // The socket is full: what was sent waits.
  bool has_backlog() const { return !output_.empty(); }
  // Reads nothing any more: a client that has hung.
  void stop_reading();
  void read();

  bool is_connected() const { return is_connected_; }    // the CONNACK is here
  bool is_subscribed() const { return is_subscribed_; }  // the SUBACK is here
  std::uint64_t publishes() const { return publishes_; }

 private:
  friend class Poller;
  void flush();
  std::size_t take_packets(std::string_view bytes);

  Poller& poller_;
  PacketHandler* const handler_;
  int fd_ = -1;
  std::string output_;
  std::string rest_;  // the begin of a packet that is not whole yet
  std::uint64_t publishes_ = 0;
  bool is_connected_ = false;
  bool is_subscribed_ = false;
  bool is_reading_ = true;
};

// Polls until every client of a range has what `is_done` asks for; ends the program after 30 s.
template <typename Clients, typename Predicate>
void wait_for_all(Poller& poller, const Clients& clients, Predicate is_done);
[[noreturn]] void give_up(std::string_view what);

template <typename Clients, typename Predicate>
void wait_for_all(Poller& poller, const Clients& clients, Predicate is_done) {
  for (int i = 0; i < 3000; ++i) {
    bool all = true;
    for (const auto& client : clients) all = all && is_done(*client);
    if (all) return;
    poller.poll(10);
  }
  give_up("not every client was answered");
}

}  // namespace load
