#include "api/history_service.h"

#include <fmt/format.h>

#include "api/answer_writer.h"

namespace ficus::api {

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
        // Ends when the client goes or when the service does.
        std::stop_source either;
        const std::stop_callback by_client(stop, [&] { either.request_stop(); });
        const std::stop_callback by_us(stopping_.get_token(), [&] { either.request_stop(); });
        if (format == AnswerFormat::csv) {
          CsvAnswer csv(options_.answer_bytes_max);
          FICUS_TRY_VOID(history_.query(sql, options_.limits, csv, either.get_token()));
          return csv.take();
        }
        JsonAnswer json(options_.answer_bytes_max, JsonAnswer::Columns::with_types);
        FICUS_TRY(const history::QuerySummary summary,
                  history_.query(sql, options_.limits, json, either.get_token()));
        return json.finish(summary);
      },
      std::move(on_answer));
}

void HistoryService::series(history::SeriesRequest request, std::stop_token stop,
                            OnAnswer on_answer) {
  ask(
      [this, request = std::move(request), stop]() -> Result<std::string> {
        std::stop_source either;
        const std::stop_callback by_client(stop, [&] { either.request_stop(); });
        const std::stop_callback by_us(stopping_.get_token(), [&] { either.request_stop(); });
        JsonAnswer json(options_.answer_bytes_max, JsonAnswer::Columns::names);
        FICUS_TRY(const history::SeriesSummary summary,
                  history_.series(request, json, either.get_token()));
        return json.finish(summary.query, summary.downsampled);
      },
      std::move(on_answer));
}

}  // namespace ficus::api
