#include "api/answer_writer.h"

#include <cmath>

namespace ficus::api {
namespace {

void write_cell(const history::Cell& cell, json::JsonWriter& json) {
  switch (cell.kind) {
    case history::CellKind::null:
      json.null();
      return;
    case history::CellKind::boolean:
      json.boolean(cell.boolean);
      return;
    case history::CellKind::integer:
      json.integer(cell.integer);
      return;
    case history::CellKind::number:
      json.number(cell.number);
      return;
    case history::CellKind::decimal:
    case history::CellKind::json:
      json.raw(cell.text);
      return;
    case history::CellKind::text:
    case history::CellKind::time:
      json.text(cell.text);
      return;
  }
}

}  // namespace

void JsonAnswer::columns(std::span<const history::ResultColumn> columns) {
  json_.begin_object().key("columns").begin_array();
  for (const history::ResultColumn& column : columns) {
    if (columns_ == Columns::names) {
      json_.text(column.name);
    } else {
      json_.begin_object().key("name").text(column.name).key("type").text(column.type).end_object();
    }
  }
  json_.end_array().key("rows").begin_array();
}

bool JsonAnswer::row(std::span<const history::Cell> cells) {
  if (text_.size() >= bytes_max_) return false;
  json_.begin_array();
  for (const history::Cell& cell : cells) write_cell(cell, json_);
  json_.end_array();
  return true;
}

std::string JsonAnswer::finish(const history::QuerySummary& summary,
                               std::optional<bool> downsampled) {
  json_.end_array();
  if (downsampled) json_.key("downsampled").boolean(*downsampled);
  json_.key("truncated").boolean(summary.truncated);
  json_.key("elapsedMs").number(static_cast<double>(summary.elapsed.count) / 1000);
  json_.end_object();
  return std::move(text_);
}

void CsvAnswer::field(std::string_view text) {
  if (text.find_first_of(",\"\r\n") == std::string_view::npos) {
    text_ += text;
    return;
  }
  text_ += '"';
  for (const char c : text) {
    if (c == '"') text_ += '"';
    text_ += c;
  }
  text_ += '"';
}

void CsvAnswer::columns(std::span<const history::ResultColumn> columns) {
  for (std::size_t i = 0; i < columns.size(); ++i) {
    if (i > 0) text_ += ',';
    field(columns[i].name);
  }
  text_ += "\r\n";
}

bool CsvAnswer::row(std::span<const history::Cell> cells) {
  if (text_.size() >= bytes_max_) return false;
  for (std::size_t i = 0; i < cells.size(); ++i) {
    if (i > 0) text_ += ',';
    const history::Cell& cell = cells[i];
    switch (cell.kind) {
      case history::CellKind::null:
        break;
      case history::CellKind::boolean:
        text_ += cell.boolean ? "true" : "false";
        break;
      case history::CellKind::integer:
        text_ += std::to_string(cell.integer);
        break;
      case history::CellKind::number:
        if (std::isfinite(cell.number)) {
          json::append_number(cell.number, text_);
        } else {
          text_ += std::isnan(cell.number) ? "nan" : cell.number > 0 ? "inf" : "-inf";
        }
        break;
      case history::CellKind::decimal:
      case history::CellKind::json:
      case history::CellKind::text:
      case history::CellKind::time:
        field(cell.text);
        break;
    }
  }
  text_ += "\r\n";
  return true;
}

}  // namespace ficus::api
