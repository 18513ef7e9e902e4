#pragma once

#include "connect/mqtt/session.h"

namespace ficus::connect {

// What the queues of all sessions take together: a place for each message of each queue, and each
// message's bytes once, however many wait for it.
class QueueMemory {
 public:
  std::size_t bytes() const { return bytes_; }
  // What a message of so many bytes takes in one more queue, at most.
  static std::size_t most_of(std::size_t message_bytes) {
    return sizeof(QueuedMessage) + message_bytes;
  }

  void add(const QueuedMessage& queued) {
    bytes_ += sizeof(QueuedMessage);
    if (queued.message != nullptr && queued.message->places++ == 0) {
      bytes_ += queued.message->bytes().size();
    }
  }
  void remove(const QueuedMessage& queued) {
    remove_message(queued);
    bytes_ -= sizeof(QueuedMessage);
  }
  // Its place stays: the client has taken the message and owes an answer.
  void remove_message(const QueuedMessage& queued) {
    if (queued.message != nullptr && --queued.message->places == 0) {
      bytes_ -= queued.message->bytes().size();
    }
  }

 private:
  std::size_t bytes_ = 0;
};

}  // namespace ficus::connect
