#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

#include "base/bounded_queue.h"
#include "history/history.h"
#include "net/event_loop.h"

namespace ficus::api {

enum class AnswerFormat : std::uint8_t { json, csv };

struct HistoryServiceOptions {
  std::size_t threads = 2;
  std::size_t waiting_max = 64;                          // questions waiting for a thread
  std::size_t answer_bytes_max = std::size_t{64} << 20;  // then the answer is cut: `truncated`
  history::QueryLimits limits;
};

// Asks history in threads of its own, since it may take long, and answers on the loop's thread as
// text. Used on the loop's thread.
class HistoryService {
 public:
  using OnAnswer = std::move_only_function<void(Result<std::string>)>;

  HistoryService(history::History& history, net::EventLoop& loop, HistoryServiceOptions options);
  ~HistoryService();
  HistoryService(const HistoryService&) = delete;
  HistoryService& operator=(const HistoryService&) = delete;

  // {"columns":[{"name","type"}],"rows":[[...]],"truncated":bool,"elapsedMs":n}, or CSV (RFC 4180)
  // with a header. `stop` ends it early: the client went away.
  void sql(std::string sql, AnswerFormat format, std::stop_token stop, OnAnswer on_answer);
  // {"columns":["observedAt",...],"rows":[[...]],"downsampled":bool}
  void series(history::SeriesRequest request, std::stop_token stop, OnAnswer on_answer);

  const history::QueryLimits& limits() const { return options_.limits; }

 private:
  using Job = std::move_only_function<Result<std::string>()>;
  struct Question {
    Job job;
    OnAnswer on_answer;
  };
  void ask(Job job, OnAnswer on_answer);
  void work();

  history::History& history_;
  net::EventLoop& loop_;
  const HistoryServiceOptions options_;
  BoundedQueue<Question> questions_;
  std::stop_source stopping_;
  std::vector<std::thread> threads_;
};

}  // namespace ficus::api
