#include "history/history_test_support.h"

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>

namespace ficus::history {

TestFolder::TestFolder() {
  static std::atomic<int> next = 0;
  const auto base = std::filesystem::temp_directory_path();
  path_ = (base / fmt::format("ficus-history-{}-{}", getpid(), next++)).string();
  std::filesystem::create_directories(path_);
}

TestFolder::~TestFolder() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

std::string cell_text(const Cell& cell) {
  switch (cell.kind) {
    case CellKind::null:
      return "NULL";
    case CellKind::boolean:
      return cell.boolean ? "true" : "false";
    case CellKind::integer:
      return std::to_string(cell.integer);
    case CellKind::number:
      return fmt::format("{}", cell.number);
    case CellKind::decimal:
    case CellKind::text:
    case CellKind::time:
    case CellKind::json:
      return std::string(cell.text);
  }
  return "?";
}

bool TextSink::row(std::span<const Cell> cells) {
  std::string text;
  kinds.clear();
  for (const Cell& cell : cells) {
    if (!kinds.empty()) text += '|';
    text += cell_text(cell);
    kinds.push_back(cell.kind);
  }
  rows.push_back(std::move(text));
  return rows.size() < stop_after;
}

TestCity::TestCity(DuckHistoryOptions given) : options(std::move(given)) {
  options.directory = folder.path() + "/history";
  options.memory_bytes_max = std::min(options.memory_bytes_max, std::uint64_t{512} << 20);
  options.seal_in_background = false;
  open();
}

Result<std::unique_ptr<History>> TestCity::try_open() {
  open_report = {};
  return open_duck_history(options, schema, disk, clock, open_report);
}

void TestCity::open() {
  auto opened = try_open();
  ASSERT_TRUE(opened) << opened.error().message;
  history = std::move(*opened);
}

Result<QuerySummary> TestCity::query(const std::string& sql, TextSink& sink, QueryLimits limits) {
  return history->query(sql, limits, sink);
}

std::vector<std::string> TestCity::rows(const std::string& sql, QueryLimits limits) {
  TextSink sink;
  const auto summary = query(sql, sink, limits);
  if (!summary)
    return {fmt::format("{}: {}", error_code_name(summary.error().code), summary.error().message)};
  return sink.rows;
}

ErrorCode TestCity::refusal(const std::string& sql) {
  TextSink sink;
  const auto summary = query(sql, sink);
  EXPECT_FALSE(summary) << "not refused: " << sql;
  EXPECT_TRUE(sink.rows.empty()) << sql;
  return summary ? ErrorCode::internal : summary.error().code;
}

std::string TestCity::one(const std::string& sql) {
  const std::vector<std::string> all = rows(sql);
  EXPECT_EQ(all.size(), 1U) << sql;
  return all.empty() ? "" : all.front();
}

std::shared_ptr<const ObservationBatch> TestCity::vehicles(int first, int count) {
  const TypeId type = schema.intern_type("Vehicle").value();
  const auto attribute = [&](const char* name, ValueKind kind) {
    return schema.intern_attribute(type, name, kind).value();
  };
  AttributeInfo speed_info;
  speed_info.name = "speed";
  speed_info.kind = ValueKind::number;
  speed_info.decimals = 1;
  const AttributeId speed = schema.declare_attribute(type, speed_info).value();
  const AttributeId heading = attribute("heading", ValueKind::number);
  AttributeInfo location_info;
  location_info.name = "location";
  location_info.kind = ValueKind::point;
  location_info.decimals = 6;
  const AttributeId location = schema.declare_attribute(type, location_info).value();
  const AttributeId line = attribute("line", ValueKind::text);
  const AttributeId open = attribute("doorsOpen", ValueKind::boolean);
  const AttributeId due = attribute("due", ValueKind::time);
  const AttributeId fuel = attribute("fuel", ValueKind::number);
  ObservationBatch batch(type);
  for (int i = first; i < first + count; ++i) {
    batch.begin_row("urn:ngsi-ld:Vehicle:v" + std::to_string(i % 10), Timestamp::from_seconds(i));
    batch.set_number(speed, (i % 800) / 10.0);
    batch.set_number(heading, i % 360 + 0.25);
    batch.set_point(location, {(119'300'000 + i % 1000) / 1e6, (26'080'000 + i % 777) / 1e6});
    batch.set_text(line, ValueKind::text, "line " + std::to_string(i % 3));
    batch.set_boolean(open, i % 5 == 0);
    if (i % 4 == 0) batch.set_time(due, Timestamp::from_seconds(i + 600));
    batch.set_number(fuel, 1.0 / (1 + i % 7));
  }
  batch.finish();
  return std::make_shared<const ObservationBatch>(std::move(batch));
}

void TestCity::append(std::shared_ptr<const ObservationBatch> batch, std::string source) {
  Rows rows;
  rows.received_at = batch->observed_at().empty() ? Timestamp{} : batch->observed_at()[0];
  rows.batch = std::move(batch);
  rows.source = std::move(source);
  ASSERT_TRUE(history->append(std::move(rows)));
}

void TestCity::commit(std::uint64_t position) {
  const std::vector<std::uint64_t> positions(options.shard_count, position);
  const Status status = history->commit(positions);
  ASSERT_TRUE(status) << status.error().message;
}

MaintenanceReport TestCity::maintain(Timestamp now) {
  auto report = history->maintain(now);
  EXPECT_TRUE(report) << report.error().message;
  return report.value_or(MaintenanceReport{});
}

}  // namespace ficus::history
