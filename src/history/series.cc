#include "history/series.h"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "base/utf8.h"
#include "history/catalog.h"

namespace ficus::history {
namespace {

constexpr std::size_t kAttributesMax = 50;
constexpr std::size_t kPointsMax = 100'000;

Status check(const SeriesRequest& request) {
  if (request.attributes.empty() || request.attributes.size() > kAttributesMax) {
    return invalid(fmt::format("a series has 1 to {} attributes, not {}", kAttributesMax,
                               request.attributes.size()));
  }
  if (request.points_max == 0 || request.points_max > kPointsMax) {
    return invalid(
        fmt::format("a series has 1 to {} points, not {}", kPointsMax, request.points_max));
  }
  for (const std::string& text : {request.id, request.type}) {
    if (text.contains('\0') || !is_valid_utf8(text)) return invalid("names are UTF-8 text");
  }
  if (request.from >= request.to) return invalid("a series needs from < to");
  return {};
}

// The type with its tails and the files that matter, read within the
// transaction: a view that flips meanwhile does not disturb.
Result<HistoryType> read_type(DuckConnection& connection, const SeriesRequest& request) {
  HistoryType type;
  type.type = request.type;
  const std::string name = quoted_literal(request.type);
  FICUS_TRY(const auto types,
            connection.select("SELECT view FROM ficus.types WHERE type = " + name));
  if (types.empty()) {
    return fail(ErrorCode::not_found,
                fmt::format("there is no history of type '{}'", request.type));
  }
  type.view = text_of(types[0][0]);
  FICUS_TRY(const auto columns, connection.select("SELECT attribute, kind, name FROM ficus.columns "
                                                  "WHERE type = " +
                                                  name + " ORDER BY number"));
  for (const DatumRow& row : columns) {
    type.columns.push_back(
        {text_of(row[0]), static_cast<ValueKind>(integer_of(row[1])), text_of(row[2])});
  }
  FICUS_TRY(const auto tails, connection.select("SELECT number FROM ficus.tails WHERE type = " +
                                                name + " ORDER BY number"));
  for (const DatumRow& row : tails) type.tails.push_back({integer_of(row[0]), {}, false, {}});
  FICUS_TRY(const auto files,
            connection.select(
                fmt::format("SELECT file, layout FROM ficus_sealed WHERE type = {} AND "
                            "lastObservedAt >= make_timestamp({}) AND firstObservedAt < "
                            "make_timestamp({}) ORDER BY number",
                            name, storable_micros(request.from), storable_micros(request.to))));
  for (const DatumRow& row : files) {
    type.files.emplace_back();
    type.files.back().file = text_of(row[0]);
    type.files.back().layout = text_of(row[1]);
  }
  return type;
}

// The column an attribute is in now: the newest, if its kind has changed.
Result<std::vector<HistoryColumn>> chosen_columns(const HistoryType& type,
                                                  const SeriesRequest& request) {
  std::vector<HistoryColumn> chosen;
  for (const std::string& attribute : request.attributes) {
    const auto found =
        std::find_if(type.columns.rbegin(), type.columns.rend(),
                     [&attribute](const HistoryColumn& c) { return c.attribute == attribute; });
    if (found == type.columns.rend()) {
      return fail(ErrorCode::not_found,
                  fmt::format("there is no history of {}.{}", request.type, attribute));
    }
    chosen.push_back(*found);
  }
  return chosen;
}

// (SELECT "observedAt" AS t, ... AS c0, ... of the entity within the time). The
// values are written out: a statement with parameters over files is planned
// twice.
std::string readings(const HistoryType& type, const std::vector<HistoryColumn>& columns,
                     const std::string& directory, const SeriesRequest& request) {
  std::string list;
  std::string any;
  for (std::size_t i = 0; i < columns.size(); ++i) {
    const std::string name = quoted_identifier(columns[i].name);
    list += fmt::format(", {} AS c{}", name, i);
    any += fmt::format("{}{} IS NOT NULL", i == 0 ? "" : " OR ", name);
  }
  return fmt::format(
      "(SELECT \"observedAt\" AS t{} FROM ({}) WHERE id = {} AND "
      "\"observedAt\" >= "
      "make_timestamp({}) AND \"observedAt\" < make_timestamp({}) AND ({}))",
      list, union_statement(type, directory), quoted_literal(request.id),
      storable_micros(request.from), storable_micros(request.to), any);
}

// The readings in order, or one more than `points_max` of them: reading ends there.
std::string all_points(const std::vector<HistoryColumn>& columns, const std::string& from,
                       std::size_t points_max) {
  std::string list;
  for (std::size_t i = 0; i < columns.size(); ++i) {
    list += fmt::format(", c{} AS {}", i, quoted_identifier(columns[i].attribute));
  }
  return fmt::format("SELECT t AS \"observedAt\"{} FROM (SELECT * FROM {} LIMIT {}) ORDER BY t",
                     list, from, points_max + 1);
}

std::string bucket_points(const std::vector<HistoryColumn>& columns, const std::string& from,
                          std::int64_t first, std::int64_t bucket) {
  std::string list;
  for (std::size_t i = 0; i < columns.size(); ++i) {
    const std::string& name = columns[i].attribute;
    if (columns[i].kind == ValueKind::number) {
      list += fmt::format(", avg(c{0}) AS {1}, min(c{0}) AS {2}, max(c{0}) AS {3}", i,
                          quoted_identifier(name), quoted_identifier(name + "_min"),
                          quoted_identifier(name + "_max"));
    } else {
      list += fmt::format(", arg_max(c{}, t) AS {}", i, quoted_identifier(name));
    }
  }
  return fmt::format(
      "SELECT make_timestamp({0} + ((epoch_us(t) - {0}) // {1}) "
      "* {1}) AS \"observedAt\"{2} FROM "
      "{3} GROUP BY ALL ORDER BY 1",
      first, bucket, list, from);
}

}  // namespace

Result<SeriesSummary> run_series(QueryRunner& runner, const std::string& directory,
                                 const SeriesRequest& request, RowSink& sink) {
  FICUS_TRY_VOID(check(request));
  DuckConnection& connection = runner.connection();
  FICUS_TRY(const HistoryType type, read_type(connection, request));
  FICUS_TRY(const std::vector<HistoryColumn> columns, chosen_columns(type, request));
  const std::string from = readings(type, columns, directory, request);
  SeriesSummary summary;
  // One statement for most charts, and little is read in vain for the others.
  FICUS_TRY(const auto points, runner.run_if_at_most(all_points(columns, from, request.points_max),
                                                     request.points_max, sink));
  if (points) {
    summary.query = points->query;
    summary.reading_count = points->row_count;
    return summary;
  }
  auto counted =
      connection.select("SELECT count(*), epoch_us(min(t)), epoch_us(max(t)) FROM " + from);
  if (!counted) return std::unexpected(runner.explained(counted.error()));
  const DatumRow& figures = counted->at(0);
  summary.reading_count = static_cast<std::uint64_t>(integer_of(figures[0]));
  summary.downsampled = true;
  const std::int64_t first = integer_of(figures[1]);
  // Unsigned: the ends may lie further apart than a signed number can say.
  const std::uint64_t span =
      static_cast<std::uint64_t>(integer_of(figures[2])) - static_cast<std::uint64_t>(first);
  summary.bucket = {static_cast<std::int64_t>(span / request.points_max + 1)};
  FICUS_TRY(summary.query,
            runner.run(bucket_points(columns, from, first, summary.bucket.count), sink));
  return summary;
}

}  // namespace ficus::history
