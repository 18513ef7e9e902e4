#pragma once

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <list>
#include <map>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

#include "base/clock.h"
#include "base/result.h"

namespace ficus::api {

struct QueryDeskOptions {
  std::size_t threads = 4;
  std::size_t running_per_user_max = 2;  // fewer than `threads`: nobody takes all of them
  std::size_t waiting_per_user_max = 16;
  std::size_t waiting_max = 64;  // of all users together
};

// One question, as a list shows it.
struct QueryState {
  std::uint64_t id = 0;
  std::string user;
  std::string text;
  Timestamp asked_at;
  Timestamp started_at;  // meaningless while it waits
  Micros elapsed;        // since it was asked
  bool is_running = false;
};

// Where questions that take long wait for a thread. Fair between users: a free thread takes the
// oldest question of the user who has fewest running and, among those, was served longest ago. So
// a user with a hundred questions does not delay another's first. Thread-safe.
class QueryDesk {
 public:
  // Called once: in one of the desk's threads with success, or with an error if the question was
  // cancelled while it waited (in the thread that cancelled it).
  using Work = std::move_only_function<void(const Status& admitted, std::stop_token stop)>;

  // `clock` is borrowed.
  QueryDesk(const Clock& clock, const QueryDeskOptions& options);
  QueryDesk(const QueryDesk&) = delete;
  QueryDesk& operator=(const QueryDesk&) = delete;
  ~QueryDesk();  // stops what runs, cancels what waits

  // A number for one `submit`, known before it so that whoever may cancel can be told.
  std::uint64_t next_id();
  // Refuses (ErrorCode::overloaded) beyond the limits; `work` is then untouched.
  Status submit(std::uint64_t id, std::string user, std::string text, Work&& work);

  // Those of one user, or all. Running ones first, each in the order of their asking.
  std::vector<QueryState> list(const std::optional<std::string>& user) const;
  // False if there is none with this id (any more), or it is another user's.
  bool cancel(std::uint64_t id, const std::optional<std::string>& user);

 private:
  struct Question {
    QueryState state;
    Micros asked;  // Clock::monotonic
    Work work;
    std::stop_source stop;
  };
  struct User {
    std::deque<Question> waiting;
    std::size_t running = 0;
    std::uint64_t served = 0;  // when, in turns
  };

  void run();
  User* next_user();

  const Clock& clock_;
  const QueryDeskOptions options_;
  // A question takes milliseconds at least, so one lock for all of them is seldom contended.
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::map<std::string, User> users_;  // those with questions
  std::list<Question> running_;
  std::size_t waiting_ = 0;
  std::uint64_t last_id_ = 0;
  std::uint64_t turn_ = 0;
  bool ending_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace ficus::api
