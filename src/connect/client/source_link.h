#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "base/time.h"

namespace ficus::connect {

// How a source that we fetch from is doing, for the page and for operators.
struct LinkStatus {
  enum class State : std::uint8_t {
    connecting,  // on the way
    connected,   // or: the last attempt succeeded
    waiting,     // after a failure, until the next attempt
    stopped,     // the brain is going down
  };
  State state = State::connecting;
  std::string peer;        // host and port, URL or folder
  std::string last_error;  // empty: none since the start
  Timestamp last_error_at = Timestamp::min();
  Timestamp connected_at = Timestamp::min();  // the last success
  std::uint64_t attempts = 0;
  std::uint64_t failures = 0;
};

const char* link_state_name(LinkStatus::State state);

struct Source;

// A source that we go and fetch from, instead of being sent to. Made and used on the loop's thread;
// destroying it ends everything it has begun.
class SourceLink {
 public:
  virtual ~SourceLink() = default;
  SourceLink(const SourceLink&) = delete;
  SourceLink& operator=(const SourceLink&) = delete;

  const std::string& name() const { return name_; }  // of the source
  const LinkStatus& status() const { return status_; }
  // Takes nothing new; what is under way is still acknowledged.
  virtual void drain() = 0;

  // Whether `next`, declared anew under the same name, is fetched as this is: only what is made of
  // its data may differ.
  virtual bool fetches_alike(const Source& next) const = 0;
  // Goes on with the new declaration. REQUIRES: fetches_alike(*next).
  virtual void declare(std::shared_ptr<const Source> next) = 0;
  // Begins to end. The link may be destroyed without making the loop wait once `is_ended`.
  virtual void end() {}
  virtual bool is_ended() const { return true; }

 protected:
  SourceLink(std::string name, std::string peer) : name_(std::move(name)) {
    status_.peer = std::move(peer);
  }
  void note_success(Timestamp now) {
    status_.state = LinkStatus::State::connected;
    status_.connected_at = now;
  }
  void note_failure(Timestamp now, std::string why) {
    status_.state = LinkStatus::State::waiting;
    status_.last_error = std::move(why);
    status_.last_error_at = now;
    ++status_.failures;
  }

  const std::string name_;
  LinkStatus status_;
};

}  // namespace ficus::connect
