#pragma once

#include <optional>
#include <string>

#include "codec/json/json_writer.h"
#include "history/query.h"

namespace ficus::api {

// Writes an answer of history as one JSON object while its rows arrive. Cut at a size.
class JsonAnswer final : public history::RowSink {
 public:
  enum class Columns : std::uint8_t { with_types, names };

  JsonAnswer(std::size_t bytes_max, Columns columns)
      : bytes_max_(bytes_max), columns_(columns), json_(text_) {}

  void columns(std::span<const history::ResultColumn> columns) override;
  bool row(std::span<const history::Cell> cells) override;
  std::string finish(const history::QuerySummary& summary,
                     std::optional<bool> downsampled = std::nullopt);

 private:
  const std::size_t bytes_max_;
  const Columns columns_;
  std::string text_;
  json::JsonWriter json_;
};

// The same as CSV (RFC 4180): a header line, CRLF, quotes where needed. NULL is an empty field.
class CsvAnswer final : public history::RowSink {
 public:
  explicit CsvAnswer(std::size_t bytes_max) : bytes_max_(bytes_max) {}

  void columns(std::span<const history::ResultColumn> columns) override;
  bool row(std::span<const history::Cell> cells) override;
  std::string take() { return std::move(text_); }

 private:
  void field(std::string_view text);

  const std::size_t bytes_max_;
  std::string text_;
};

// An Arrow stream, cut between two batches at a size; its end mark always fits.
class ArrowAnswer final : public history::ByteSink {
 public:
  explicit ArrowAnswer(std::size_t bytes_max) : bytes_max_(bytes_max) {}

  bool bytes(std::string_view piece) override {
    text_ += piece;
    return text_.size() < bytes_max_;
  }
  std::string take() { return std::move(text_); }

 private:
  const std::size_t bytes_max_;
  std::string text_;
};

}  // namespace ficus::api
