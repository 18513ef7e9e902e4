#include "api/query_desk.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace ficus::api {
namespace {

std::unexpected<Error> cancelled() {
  return fail(ErrorCode::timed_out, "the query was cancelled before it began");
}

bool is_of(const QueryState& state, const std::optional<std::string>& user) {
  return !user || state.user == *user;
}

}  // namespace

QueryDesk::QueryDesk(const Clock& clock, const QueryDeskOptions& options)
    : clock_(clock), options_(options) {
  for (std::size_t i = 0; i < options.threads; ++i) threads_.emplace_back([this] { run(); });
}

QueryDesk::~QueryDesk() {
  std::map<std::string, User> left;
  {
    const std::lock_guard lock(mutex_);
    ending_ = true;
    left.swap(users_);
    for (Question& question : running_) question.stop.request_stop();
  }
  changed_.notify_all();
  for (auto& [name, user] : left) {
    for (Question& question : user.waiting) question.work(cancelled(), {});
  }
  for (std::thread& thread : threads_) thread.join();
}

std::uint64_t QueryDesk::next_id() {
  const std::lock_guard lock(mutex_);
  return ++last_id_;
}

Status QueryDesk::submit(std::uint64_t id, std::string user, std::string text, Work&& work) {
  {
    const std::lock_guard lock(mutex_);
    if (ending_) return fail(ErrorCode::unavailable, "the server is stopping");
    if (waiting_ >= options_.waiting_max) {
      return fail(ErrorCode::overloaded,
                  fmt::format("{} queries wait already, the most allowed: try again later",
                              options_.waiting_max));
    }
    User& asker = users_[user];
    // Those that a free thread is about to take do not wait.
    const std::size_t startable =
        std::min(options_.running_per_user_max - asker.running, options_.threads - running_.size());
    if (asker.waiting.size() >= options_.waiting_per_user_max + startable) {
      return fail(ErrorCode::overloaded,
                  fmt::format("{} of your queries wait already, the most allowed: wait for their "
                              "answers or cancel some (DELETE /sql/queries/ID)",
                              options_.waiting_per_user_max));
    }
    QueryState state;
    state.id = id;
    state.user = std::move(user);
    state.text = std::move(text);
    state.asked_at = clock_.now();
    state.started_at = state.asked_at;
    asker.waiting.push_back(
        {std::move(state), clock_.monotonic(), std::move(work), std::stop_source()});
    ++waiting_;
  }
  changed_.notify_one();
  return {};
}

std::vector<QueryState> QueryDesk::list(const std::optional<std::string>& user) const {
  std::vector<QueryState> out;
  const Micros now = clock_.monotonic();
  const std::lock_guard lock(mutex_);
  const auto add = [&](const Question& question) {
    if (!is_of(question.state, user)) return;
    out.push_back(question.state);
    out.back().elapsed = now - question.asked;
  };
  for (const Question& question : running_) add(question);
  for (const auto& [name, asker] : users_) {
    for (const Question& question : asker.waiting) add(question);
  }
  std::sort(out.begin(), out.end(), [](const QueryState& a, const QueryState& b) {
    return a.is_running != b.is_running ? a.is_running : a.id < b.id;
  });
  return out;
}

bool QueryDesk::cancel(std::uint64_t id, const std::optional<std::string>& user) {
  Work work;
  {
    const std::lock_guard lock(mutex_);
    for (Question& question : running_) {
      if (question.state.id != id || !is_of(question.state, user)) continue;
      question.stop.request_stop();
      return true;
    }
    for (auto& [name, asker] : users_) {
      const auto found =
          std::find_if(asker.waiting.begin(), asker.waiting.end(),
                       [id](const Question& question) { return question.state.id == id; });
      if (found == asker.waiting.end()) continue;
      if (!is_of(found->state, user)) return false;
      work = std::move(found->work);
      asker.waiting.erase(found);
      --waiting_;
      if (asker.waiting.empty() && asker.running == 0) users_.erase(name);
      break;
    }
  }
  if (!work) return false;
  work(cancelled(), {});
  return true;
}

QueryDesk::User* QueryDesk::next_user() {
  User* best = nullptr;
  for (auto& [name, user] : users_) {
    if (user.waiting.empty() || user.running >= options_.running_per_user_max) continue;
    if (best == nullptr || user.running < best->running ||
        (user.running == best->running && user.served < best->served)) {
      best = &user;
    }
  }
  return best;
}

void QueryDesk::run() {
  std::unique_lock lock(mutex_);
  while (true) {
    User* user = nullptr;
    changed_.wait(lock, [&] { return ending_ || (user = next_user()) != nullptr; });
    if (ending_) return;
    running_.push_back(std::move(user->waiting.front()));
    const auto question = std::prev(running_.end());
    user->waiting.pop_front();
    --waiting_;
    ++user->running;
    user->served = ++turn_;
    question->state.is_running = true;
    question->state.started_at = clock_.now();
    lock.unlock();
    question->work({}, question->stop.get_token());
    question->work = nullptr;  // what it holds goes before the lock is taken
    lock.lock();
    const std::string name = question->state.user;
    running_.erase(question);
    if (ending_) return;
    User& done = users_.at(name);
    if (--done.running == 0 && done.waiting.empty()) users_.erase(name);
    // The user may have more that waited for this one to end.
    changed_.notify_one();
  }
}

}  // namespace ficus::api
