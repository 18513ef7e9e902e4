#include "api/history_service.h"

#include <fmt/format.h>

#include <array>
#include <utility>

#include "api/answer_writer.h"

namespace ficus::api {
namespace {

struct FormatInfo {
  AnswerFormat format;
  std::string_view word;
  std::string_view media_type;  // without parameters
};

// https://www.iana.org/assignments/media-types: both Apache types are registered.
constexpr std::array<FormatInfo, 4> kFormats{
    {{AnswerFormat::json, "json", "application/json"},
     {AnswerFormat::csv, "csv", "text/csv"},
     {AnswerFormat::arrow, "arrow", "application/vnd.apache.arrow.stream"},
     {AnswerFormat::parquet, "parquet", "application/vnd.apache.parquet"}}};

}  // namespace

std::string_view media_type(AnswerFormat format) {
  switch (format) {
    case AnswerFormat::json:
      return "application/json; charset=utf-8";
    case AnswerFormat::csv:
      return "text/csv; charset=utf-8";
    case AnswerFormat::arrow:
      return kFormats[2].media_type;
    case AnswerFormat::parquet:
      return kFormats[3].media_type;
  }
  std::unreachable();
}

std::optional<AnswerFormat> format_of_word(std::string_view word) {
  for (const FormatInfo& info : kFormats) {
    if (info.word == word) return info.format;
  }
  return std::nullopt;
}

AnswerFormat format_of_accept(std::string_view accept) {
  for (const FormatInfo& info : kFormats) {
    if (accept.starts_with(info.media_type)) return info.format;
  }
  return AnswerFormat::json;
}

HistoryService::HistoryService(history::History& history, net::EventLoop& loop, const Clock& clock,
                               HistoryServiceOptions options)
    : history_(history), loop_(loop), options_(std::move(options)), desk_(clock, options_.desk) {}

void HistoryService::ask(std::uint64_t id, std::string user, std::string text, Job job,
                         OnAnswer on_answer) {
  // Shared: the work holds it, and so do we in case the desk refuses.
  auto respond = std::make_shared<OnAnswer>(std::move(on_answer));
  const Status taken = desk_.submit(
      id, std::move(user), std::move(text),
      [this, job = std::move(job), respond](const Status& admitted, std::stop_token stop) mutable {
        Result<SqlAnswer> answer =
            admitted ? job(std::move(stop)) : Result<SqlAnswer>(std::unexpected(admitted.error()));
        loop_.post([respond = std::move(respond), answer = std::move(answer)]() mutable {
          (*respond)(std::move(answer));
        });
      });
  if (!taken) (*respond)(std::unexpected(taken.error()));
}

Result<SqlAnswer> HistoryService::answer(const std::string& sql, AnswerFormat format,
                                         const history::QueryLimits& limits, std::stop_token stop) {
  SqlAnswer out;
  switch (format) {
    case AnswerFormat::json: {
      JsonAnswer json(options_.answer_bytes_max, JsonAnswer::Columns::with_types);
      FICUS_TRY(const history::QuerySummary summary,
                history_.query(sql, limits, json, std::move(stop)));
      out.body = json.finish(summary);
      out.truncated = summary.truncated;
      return out;
    }
    case AnswerFormat::csv: {
      CsvAnswer csv(options_.answer_bytes_max);
      FICUS_TRY(const history::QuerySummary summary,
                history_.query(sql, limits, csv, std::move(stop)));
      out.body = csv.take();
      out.truncated = summary.truncated;
      return out;
    }
    case AnswerFormat::arrow: {
      ArrowAnswer arrow(options_.answer_bytes_max);
      FICUS_TRY(const history::QuerySummary summary,
                history_.query_arrow(sql, limits, arrow, std::move(stop)));
      out.body = arrow.take();
      out.truncated = summary.truncated;
      return out;
    }
    case AnswerFormat::parquet: {
      FICUS_TRY(history::FileAnswer file, history_.query_parquet(sql, limits, std::move(stop)));
      out.file = std::move(file.file);
      out.file_bytes = file.bytes;
      return out;
    }
  }
  std::unreachable();
}

void HistoryService::sql(std::uint64_t id, std::string sql, AnswerFormat format, Asker asker,
                         OnAnswer on_answer) {
  history::QueryLimits limits = options_.limits;
  limits.user = asker.user;
  limits.readable_types = std::move(asker.readable_types);
  std::string text = sql;
  ask(
      id, std::move(asker.user), std::move(text),
      [this, sql = std::move(sql), format, limits = std::move(limits)](std::stop_token stop) {
        return answer(sql, format, limits, std::move(stop));
      },
      std::move(on_answer));
}

void HistoryService::series(std::uint64_t id, history::SeriesRequest request, OnAnswer on_answer) {
  std::string user = request.limits.user;
  std::string text = fmt::format("series of {} {}", request.type, request.id);
  ask(
      id, std::move(user), std::move(text),
      [this, request = std::move(request)](std::stop_token stop) -> Result<SqlAnswer> {
        JsonAnswer json(options_.answer_bytes_max, JsonAnswer::Columns::names);
        FICUS_TRY(const history::SeriesSummary summary,
                  history_.series(request, json, std::move(stop)));
        SqlAnswer out;
        out.body = json.finish(summary.query, summary.downsampled);
        out.truncated = summary.query.truncated;
        return out;
      },
      std::move(on_answer));
}

}  // namespace ficus::api
