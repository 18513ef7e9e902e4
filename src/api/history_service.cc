#include "api/history_service.h"

#include <fmt/format.h>

#include "api/answer_writer.h"

namespace ficus::api {
namespace {

// A stop that is asked for when the client goes or when the service ends.
class EitherStop {
 public:
  EitherStop(const std::stop_token& client, const std::stop_token& service)
      : by_client_(client, Request{source_}), by_service_(service, Request{source_}) {}
  std::stop_token token() const { return source_.get_token(); }

 private:
  struct Request {
    std::stop_source& source;
    void operator()() const noexcept { source.request_stop(); }
  };
  std::stop_source source_;
  std::stop_callback<Request> by_client_;
  std::stop_callback<Request> by_service_;
};

}  // namespace

HistoryService::HistoryService(history::History& history, net::EventLoop& loop,
                               HistoryServiceOptions options)
    : history_(history),
      loop_(loop),
      options_(std::move(options)),
      questions_(options_.waiting_max) {
  for (std::size_t i = 0; i < options_.threads; ++i) threads_.emplace_back([this] { work(); });
}

HistoryService::~HistoryService() {
  questions_.close();
  stopping_.request_stop();
  for (std::thread& thread : threads_) thread.join();
}

void HistoryService::ask(Job job, OnAnswer on_answer) {
  Question question{std::move(job), std::move(on_answer)};
  if (questions_.try_push(std::move(question))) return;
  question.on_answer(fail(
      ErrorCode::overloaded,
      fmt::format("{} questions to history wait already: try again later", options_.waiting_max)));
}

void HistoryService::work() {
  while (true) {
    std::optional<Question> question = questions_.pop();
    if (!question) return;
    Result<std::string> answer = question->job();
    loop_.post([on_answer = std::move(question->on_answer), answer = std::move(answer)]() mutable {
      on_answer(std::move(answer));
    });
  }
}

void HistoryService::sql(std::string sql, AnswerFormat format, std::stop_token stop,
                         OnAnswer on_answer) {
  ask(
      [this, sql = std::move(sql), format, stop]() -> Result<std::string> {
        const EitherStop either(stop, stopping_.get_token());
        if (format == AnswerFormat::csv) {
          CsvAnswer csv(options_.answer_bytes_max);
          FICUS_TRY_VOID(history_.query(sql, options_.limits, csv, either.token()));
          return csv.take();
        }
        JsonAnswer json(options_.answer_bytes_max, JsonAnswer::Columns::with_types);
        FICUS_TRY(const history::QuerySummary summary,
                  history_.query(sql, options_.limits, json, either.token()));
        return json.finish(summary);
      },
      std::move(on_answer));
}

void HistoryService::series(history::SeriesRequest request, std::stop_token stop,
                            OnAnswer on_answer) {
  ask(
      [this, request = std::move(request), stop]() -> Result<std::string> {
        const EitherStop either(stop, stopping_.get_token());
        JsonAnswer json(options_.answer_bytes_max, JsonAnswer::Columns::names);
        FICUS_TRY(const history::SeriesSummary summary,
                  history_.series(request, json, either.token()));
        return json.finish(summary.query, summary.downsampled);
      },
      std::move(on_answer));
}

}  // namespace ficus::api
