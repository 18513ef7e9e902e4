#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <thread>

#include "base/bounded_queue.h"

namespace ficus::access {

// Checks passwords one after the other on a thread of its own, so that a login never holds a loop
// up and at most one hash's memory (19 MiB) is in use. The destructor waits for the check under way
// and drops the others.
class PasswordChecker {
 public:
  // `on_checked` is called on the checker's thread.
  PasswordChecker(std::size_t waiting_max,
                  std::function<void(std::uint64_t number, bool fits)> on_checked);
  ~PasswordChecker();
  PasswordChecker(const PasswordChecker&) = delete;
  PasswordChecker& operator=(const PasswordChecker&) = delete;

  // False if `waiting_max` are waiting already.
  bool submit(std::uint64_t number, std::string phc, std::string password);
  std::size_t waiting() const { return queue_.size(); }

 private:
  struct Job {
    std::uint64_t number = 0;
    std::string phc;
    std::string password;  // wiped when checked
  };
  void run();

  const std::function<void(std::uint64_t, bool)> on_checked_;
  BoundedQueue<Job> queue_;
  std::thread thread_;
};

}  // namespace ficus::access
