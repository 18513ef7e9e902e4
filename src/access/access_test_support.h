#pragma once

#include <cstdint>
#include <deque>
#include <mutex>
#include <string>
#include <vector>

#include "access/access_control.h"
#include "access/password.h"
#include "base/random.h"

// What the tests of this room share.

namespace ficus::access::test {

// So cheap that a test does not wait for it.
inline std::string cheap_hash(std::string_view password) {
  return hash_password(password, Salt{1, 2, 3}, {.memory_kib = 64, .passes = 1, .lanes = 1});
}

// Tasks posted from any thread, run when the test says so.
class TaskList {
 public:
  void post(std::move_only_function<void()> task) {
    const std::lock_guard lock(mutex_);
    tasks_.push_back(std::move(task));
  }
  bool run_one() {
    std::move_only_function<void()> task;
    {
      const std::lock_guard lock(mutex_);
      if (tasks_.empty()) return false;
      task = std::move(tasks_.front());
      tasks_.pop_front();
    }
    task();
    return true;
  }

 private:
  std::mutex mutex_;
  std::deque<std::move_only_function<void()>> tasks_;
};

class AuditList final : public AuditSink {
 public:
  void record(const AuditEvent& event) override { events.push_back(event); }
  std::vector<AuditEvent> events;
};

// Access control with a clock that the test sets.
class Gate {
 public:
  Gate() : clock(Timestamp::from_seconds(1'795'420'800)), random_(7) {
    AccessParts parts{
        .clock = clock,
        .random =
            [this](Digest& out) {
              for (std::uint8_t& byte : out) {
                byte = static_cast<std::uint8_t>(random_.next());
              }
            },
        .post = [this](std::move_only_function<void()> task) { tasks.post(std::move(task)); },
        .audit = &audit};
    AccessOptions options;
    options.logins_waiting_max = 8;
    control = std::make_unique<AccessControl>(std::move(parts), options);
  }

  // Waits for the answer of one login.
  Result<PrincipalPtr> log_in(std::string_view user, std::string_view password,
                              std::string_view peer = "10.0.0.1:1") {
    std::optional<Result<PrincipalPtr>> answer;
    control->log_in(user, password, peer,
                    [&](Result<PrincipalPtr> result) { answer = std::move(result); });
    while (!answer) {
      if (!tasks.run_one()) std::this_thread::yield();
    }
    return *std::move(answer);
  }

  ManualClock clock;
  TaskList tasks;
  AuditList audit;
  std::unique_ptr<AccessControl> control;

 private:
  Random random_;
};

}  // namespace ficus::access::test
