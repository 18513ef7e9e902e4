#pragma once

#include <list>
#include <memory>
#include <string>

#include "base/clock.h"
#include "base/logger.h"
#include "codec/ais/line_splitter.h"
#include "codec/ais/receiver.h"
#include "connect/ais/vessel_mapping.h"
#include "connect/ingest/ingest.h"
#include "connect/ingest/source_set.h"
#include "net/event_loop.h"
#include "net/tcp.h"
#include "net/udp.h"

namespace ficus::connect {

struct AisCounts {
  std::uint64_t lines = 0;
  std::uint64_t messages = 0;
  std::uint64_t datagrams_dropped = 0;    // by the kernel, before we could read them
  std::uint64_t connections = 0;          // open now
  std::uint64_t connections_refused = 0;  // over the listener's limit
};

// Hears one AIS source: NMEA 0183 lines over UDP, over TCP as a server, or over TCP as a client
// that connects again, with back-off, whenever the link is lost. Every message is an item of the
// source's books; lines that are no AIS are counted as refused ("not_ais"), damaged ones are
// quarantined.
//
// When the engine is full, TCP peers are read no further. UDP cannot be held back: it is gathered
// here, and what comes then is refused as "overloaded" and counted. Runs on the loop's thread.
class AisConnector {
 public:
  // REQUIRES: the source is an AIS source.
  static Result<std::unique_ptr<AisConnector>> open(net::EventLoop& loop, Ingest& ingest,
                                                    std::shared_ptr<const Source> source,
                                                    Schema& schema, const Clock& clock,
                                                    Logger& logger);
  // One that neither listens nor connects: what it hears is given to it by the two below.
  static Result<std::unique_ptr<AisConnector>> create(net::EventLoop& loop, Ingest& ingest,
                                                      std::shared_ptr<const Source> source,
                                                      Schema& schema, const Clock& clock,
                                                      Logger& logger);
  ~AisConnector();
  AisConnector(const AisConnector&) = delete;
  AisConnector& operator=(const AisConnector&) = delete;

  // Takes over a peer's connection, whatever carries it.
  void accept(std::unique_ptr<net::Connection> link);
  void accept_datagram(std::span<const std::byte> bytes, const net::Address& sender);
  // Hears nothing more; parts of messages that wait for others are quarantined.
  void drain();
  // Hears nothing more and gives up its port; it may be destroyed once everything is handed over.
  void stop();
  bool is_idle() const { return builder_.empty() && !room_awaited_ && !hand_over_posted_; }
  AisCounts counts() const;
  const std::string& name() const { return name_; }  // of the source
  // Where it listens; the peer's port is all there is for a client.
  net::Address address() const;

 private:
  class Peer;

  AisConnector(net::EventLoop& loop, Ingest& ingest, std::shared_ptr<const Source> source,
               const AisTypes& types, const Clock& clock, Logger& logger);
  void start();
  Status open_port();
  void connect();
  void connect_later();
  void remove_peer(Peer& peer);
  void take_lines(ais::LineSplitter& lines, std::uint64_t origin, const std::string& key);
  void take_line(std::string_view line, std::uint64_t origin, const std::string& key);
  void take_lost(const std::string& key);
  void hand_over_later();
  void hand_over();
  void await_room();
  void on_room();

  net::EventLoop& loop_;
  Ingest& ingest_;
  const std::shared_ptr<const Source> source_;
  const AisTypes types_;
  const Clock& clock_;
  Logger& logger_;
  const std::string name_;
  const bool is_udp_;
  ais::Receiver receiver_;
  SourceBatchBuilder builder_;
  ais::LineSplitter datagram_lines_;
  std::unique_ptr<net::UdpSocket> udp_;
  std::unique_ptr<net::TcpListener> listener_;
  std::unique_ptr<net::TcpConnector> connector_;
  std::list<std::unique_ptr<Peer>> peers_;
  net::Timer reconnect_;
  net::Timer expire_;
  Micros reconnect_after_;
  std::uint64_t next_origin_ = 1;
  bool hand_over_posted_ = false;
  bool room_awaited_ = false;
  bool is_draining_ = false;
  AisCounts counts_;
};

}  // namespace ficus::connect
