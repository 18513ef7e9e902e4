#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "api/query_desk.h"
#include "base/clock.h"
#include "history/history.h"
#include "net/event_loop.h"

namespace ficus::api {

enum class AnswerFormat : std::uint8_t { json, csv, arrow, parquet };

// The media type of an answer, and the format that a word ("json", "csv", "arrow", "parquet") or
// the first media type of an Accept field names.
std::string_view media_type(AnswerFormat format);
std::optional<AnswerFormat> format_of_word(std::string_view word);
AnswerFormat format_of_accept(std::string_view accept);  // JSON for what we do not know

struct HistoryServiceOptions {
  QueryDeskOptions desk;
  std::size_t answer_bytes_max = std::size_t{64} << 20;  // then the answer is cut: `truncated`
  history::QueryLimits limits;
};

// Who asks, and what of history that person may read (history::QueryLimits).
struct Asker {
  std::string user;
  std::optional<std::vector<std::string>> readable_types;
};

struct SqlAnswer {
  std::string body;
  std::unique_ptr<File> file;  // instead of the body: Parquet
  std::uint64_t file_bytes = 0;
  bool truncated = false;
};

// Asks history in threads of its own, since it may take long, and answers on the loop's thread.
// Used on the loop's thread.
class HistoryService {
 public:
  using OnAnswer = std::move_only_function<void(Result<SqlAnswer>)>;

  HistoryService(history::History& history, net::EventLoop& loop, const Clock& clock,
                 HistoryServiceOptions options);
  HistoryService(const HistoryService&) = delete;
  HistoryService& operator=(const HistoryService&) = delete;

  // The number that the next question goes by, so that it can be cancelled.
  std::uint64_t next_id() { return desk_.next_id(); }
  // JSON: {"columns":[{"name","type"}],"rows":[[...]],"truncated":bool,"elapsedMs":n}; CSV
  // (RFC 4180) with a header; an Arrow IPC stream; a Parquet file.
  void sql(std::uint64_t id, std::string sql, AnswerFormat format, Asker asker, OnAnswer on_answer);
  // {"columns":["observedAt",...],"rows":[[...]],"downsampled":bool}. Who asks is in its limits.
  void series(std::uint64_t id, history::SeriesRequest request, OnAnswer on_answer);

  // Of one user, or of all.
  std::vector<QueryState> list(const std::optional<std::string>& user) const {
    return desk_.list(user);
  }
  // False if it is not there (any more), or another's.
  bool cancel(std::uint64_t id, const std::optional<std::string>& user = std::nullopt) {
    return desk_.cancel(id, user);
  }
  const history::QueryLimits& limits() const { return options_.limits; }

 private:
  using Job = std::move_only_function<Result<SqlAnswer>(std::stop_token)>;
  void ask(std::uint64_t id, std::string user, std::string text, Job job, OnAnswer on_answer);
  Result<SqlAnswer> answer(const std::string& sql, AnswerFormat format,
                           const history::QueryLimits& limits, std::stop_token stop);

  history::History& history_;
  net::EventLoop& loop_;
  const HistoryServiceOptions options_;
  QueryDesk desk_;
};

}  // namespace ficus::api
