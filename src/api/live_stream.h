#pragma once

#include <list>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "access/access_control.h"
#include "connect/ingest/ingest.h"
#include "model/geometry.h"
#include "model/schema.h"
#include "net/event_loop.h"
#include "net/http_server.h"
#include "net/websocket.h"

namespace ficus::api {

struct LiveStreamLimits {
  std::size_t clients_max = 1000;
  std::size_t clients_per_user_max = 20;  // without a login: of one address
  std::size_t types_max = 256;            // of one subscription
  // Of all clients together: then those with the most in their queues are closed with 1013.
  std::size_t queued_bytes_max = std::size_t{128} << 20;
  std::size_t entities_waiting_max =
      100'000;  // changed since the last beat; more are left out and counted
  Micros beat = Micros::from_millis(250);
};

struct LiveStreamCounts {
  std::uint64_t clients = 0;
  std::uint64_t messages_sent = 0;
  std::uint64_t slow_clients_closed = 0;
  std::uint64_t entities_left_out = 0;
  std::uint64_t refused_all = 0;   // over clients_max
  std::uint64_t refused_user = 0;  // over clients_per_user_max
};

// GET /live: what changes, pushed to browsers as JSON text over WebSocket. Between two beats only
// the newest state of each entity is kept, so that a client gets at most four messages a second
// however much happens. Runs on the loop's thread. A client that takes too little is closed with
// 1013 and counted; it stalls nobody. A further stream of somebody with too many gets 429.
class LiveStream final : public connect::Follower {
 public:
  LiveStream(connect::Ingest& ingest, net::EventLoop& loop, const Schema& schema,
             const access::AccessControl& access, bool any_simulated, LiveStreamLimits limits = {});
  ~LiveStream();

  // The client is shown what `who` may read, for as long as they may.
  void accept(net::HttpExchange& exchange, const access::PrincipalPtr& who);
  void set_any_simulated(bool any) { any_simulated_ = any; }
  // Sends a message that holds nothing of the city to everybody.
  void broadcast(std::string_view text);
  // Sends {"kind":"sources",...} to everybody who watches the city; `text` is the whole message.
  void broadcast_sources(std::string_view text);
  bool has_clients() const { return !clients_.empty(); }
  LiveStreamCounts counts() const { return counts_; }

  void on_settled(const SettledBatch& batch) override;

 private:
  class Client;
  struct Change {
    std::shared_ptr<const ObservationBatch> rows;
    std::uint32_t row = 0;
  };
  void note_change(Change change);
  void beat();
  void send_entities();
  void send_alerts();
  void remove_closed();
  std::string counted_as(const net::HttpExchange& exchange, const access::Principal& who) const;
  std::size_t open_streams_of(std::string_view name) const;
  void close_fullest();
  // Ends the streams of those whose rights were taken away or whose token has expired.
  void end_fallen();

  connect::Ingest& ingest_;
  const Schema& schema_;
  const access::AccessControl& access_;
  bool any_simulated_;
  const LiveStreamLimits limits_;
  std::list<std::unique_ptr<Client>> clients_;
  // By entity id (which lives in the last row's batch): the rows that together say all that is new.
  std::unordered_map<std::string_view, std::vector<Change>> changes_;
  std::vector<Change> alerts_;  // every step of every alert, in order
  LiveStreamCounts counts_;
  net::Timer timer_;
};

}  // namespace ficus::api
