#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "net/event_loop.h"
#include "net/tls.h"
#include "simulate/credentials.h"
#include "simulate/record_reader.h"

namespace ficus::simulate {

// Where replayed records go. Runs on the loop's thread.
class ReplayTarget {
 public:
  virtual ~ReplayTarget() = default;
  virtual RecordKind kind() const = 0;  // what it takes
  virtual Status begin_file(const std::vector<std::string>& columns) = 0;
  // No more now: `on_progress` will tell.
  virtual bool is_full() const = 0;
  // REQUIRES: !is_full(). `overloaded`: try the same again a little later.
  virtual Status send(const Record& record) = 0;
  virtual void flush() {}   // there may be a pause now
  virtual void finish() {}  // there will be no more
  // Everything sent is answered; after `finish` nothing is left to wait for.
  virtual bool is_idle() const = 0;
  virtual std::uint64_t acknowledged() const = 0;
  virtual std::string last_error() const = 0;
  // A pause between turns of `records_per_turn` records, where the receiver cannot say "slower".
  virtual Micros turn_pause() const { return {}; }
  virtual std::size_t records_per_turn() const { return 500; }
  // A failure that no waiting mends.
  virtual bool has_failed() const { return false; }
};

// "mqtt://HOST:PORT/TOPIC", "http://HOST:PORT/ingest/SOURCE", "udp://HOST:PORT", "tcp://HOST:PORT";
// with `tls` also "mqtts" and "https".
Result<std::unique_ptr<ReplayTarget>> open_target(net::EventLoop& loop, std::string_view url,
                                                  std::shared_ptr<net::TlsClientContext> tls,
                                                  const Credentials& credentials,
                                                  net::Task on_progress);

}  // namespace ficus::simulate
