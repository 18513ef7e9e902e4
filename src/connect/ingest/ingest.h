#pragma once

#include <deque>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "engine/delivery.h"
#include "model/source_batch.h"
#include "net/event_loop.h"

namespace ficus {
class Engine;
}

namespace ficus::connect {

// Hears of every settled batch, on the loop's thread: the live stream, MQTT notifications.
class Follower {
 public:
  virtual void on_settled(const SettledBatch& batch) = 0;
  // After the last batch of a delivery.
  virtual void on_delivery_end() {}

 protected:
  ~Follower() = default;
};

// The way from the connectors into the engine and back. Everything runs on the loop's thread, but
// for deliver(), which shards call.
//
// Backpressure: submit() always takes the batch, but once the engine's queues are full it has to
// wait here, and is_congested() tells every connector to read no more until on_room. A connector
// that hands over one batch a turn and obeys keeps at most one batch waiting.
class Ingest final : public DeliverySink {
 public:
  Ingest(Engine& engine, net::EventLoop& loop, const Clock& clock);

  // `done` runs on the loop's thread when everything in the batch is durable, or with an error;
  // never inside this call. While the intake is closed (full disk: ErrorCode::disk_full) the batch
  // is refused, and its items enter the books as refused when it opens again.
  void submit(SourceBatch&& batch, Completion&& done);
  // What submit() would say now: for those who can refuse before they read. Nothing while open.
  std::optional<Error> refusal() const;
  // Items refused by a closed intake, since start, by cause.
  const std::map<std::string, std::uint64_t>& items_refused() const { return items_refused_; }
  bool is_congested() const { return !waiting_.empty(); }
  // Called once, at the next time that there is room again; never inside this call.
  void on_room(net::Task task);

  // Whether the engine hands out settled batches depends on `present`: set it while someone
  // listens.
  void add_follower(Follower& follower);
  void set_follower_active(Follower& follower, bool active);

  Timestamp now() const { return clock_.now(); }
  Engine& engine() { return engine_; }

  void deliver(Delivery delivery) override;

 private:
  struct Waiting {
    SourceBatch batch;
    Completion done;
  };
  struct FollowerState {
    Follower* follower = nullptr;
    bool active = false;
  };
  void hand_on(Delivery& delivery);
  void submit_waiting();
  void refuse(SourceBatch&& batch, Completion&& done, const Error& error);
  void enter_refusals();

  Engine& engine_;
  net::EventLoop& loop_;
  const Clock& clock_;
  std::deque<Waiting> waiting_;
  std::vector<net::Task> on_room_;
  std::vector<FollowerState> followers_;
  net::Timer retry_;

  // Refused while nothing could be written, not yet in the books.
  std::map<SourceId, std::map<std::string, std::uint64_t>> unbooked_;
  std::map<std::string, std::uint64_t> items_refused_;
  net::Timer booking_;
};

}  // namespace ficus::connect
