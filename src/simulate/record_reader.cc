#include "simulate/record_reader.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>

#include "base/time_text.h"
#include "codec/ais/sentence.h"

namespace ficus::simulate {
namespace {

std::string_view unpacked_name(std::string_view path) {
  if (path.ends_with(".zst")) path.remove_suffix(4);
  return path;
}

bool is_nmea_line(std::string_view line) {
  return line.starts_with('!') || line.starts_with('$') || line.starts_with('\\');
}

std::optional<Timestamp> nmea_time(std::string_view line) {
  if (const auto stamp = ais::parse_gatehouse(line)) return stamp->time;
  const auto sentence = ais::parse_sentence(line);
  return sentence ? sentence->time() : std::nullopt;
}

}  // namespace

std::optional<Timestamp> parse_record_time(std::string_view text) {
  double number = 0;
  const auto [end, fault] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (fault != std::errc() || end != text.data() + text.size()) return parse_iso8601(text);
  // Seconds stay below 1e11 until the year 5138.
  const double size = std::fabs(number);
  const double micros = size < 1e11   ? number * 1e6
                        : size < 1e14 ? number * 1e3
                        : size < 1e17 ? number
                                      : number / 1e3;
  if (!(std::fabs(micros) < 9e18)) return {};
  return Timestamp{std::llround(micros)};
}

Result<RecordReader> RecordReader::open(Disk& disk, const std::string& path,
                                        std::string time_column) {
  auto names = disk.list(path);
  if (!names || names->empty()) {
    if (!disk.exists(path)) return fail(ErrorCode::not_found, "there is no file " + path);
    return RecordReader(disk, {path}, std::move(time_column), false);
  }
  std::sort(names->begin(), names->end());
  std::vector<std::string> paths;
  for (const std::string& name : *names) {
    const std::string_view plain = unpacked_name(name);
    const bool is_meant = plain.ends_with(".csv") || plain.ends_with(".log") ||
                          plain.ends_with(".nmea") || plain.ends_with(".txt");
    if (is_meant) paths.push_back(path + "/" + name);
  }
  if (paths.empty()) {
    return fail(ErrorCode::not_found,
                path + ": there is no .csv, .log, .nmea or .txt file (or one packed as .zst)");
  }
  return RecordReader(disk, std::move(paths), std::move(time_column), true);
}

Status RecordReader::begin_file(const std::string& path) {
  FICUS_TRY(bytes_, open_bytes(*disk_, path));
  lines_ = std::make_unique<LineReader>(*bytes_);
  std::string_view line;
  bool is_there = true;
  while (is_there && line.empty()) {
    FICUS_TRY(is_there, lines_->next(line));
  }
  if (is_nmea_line(line)) {
    kind_ = RecordKind::nmea;
  } else if (unpacked_name(path).ends_with(".csv")) {
    kind_ = RecordKind::csv;
  } else {
    return invalid("expected CSV (named .csv) or lines that begin with '!', '$' or '\\'");
  }
  // Once more from the front.
  FICUS_TRY(bytes_, open_bytes(*disk_, path));
  lines_ = std::make_unique<LineReader>(*bytes_);
  csv_ = std::make_unique<CsvReader>(*bytes_);
  time_index_.reset();
  if (kind_ == RecordKind::nmea) return {};
  FICUS_TRY_VOID(csv_->read_header());
  if (time_column_.empty()) return {};
  const auto& columns = csv_->columns();
  const auto found = std::find(columns.begin(), columns.end(), time_column_);
  if (found == columns.end()) {
    return invalid(fmt::format("--time: there is no column '{}'", time_column_));
  }
  time_index_ = static_cast<std::size_t>(found - columns.begin());
  return {};
}

Result<bool> RecordReader::open_next() {
  while (index_ < paths_.size()) {
    const std::string& path = paths_[index_++];
    const Status begun = begin_file(path);
    if (begun) {
      is_open_ = true;
      is_new_file_ = true;
      return true;
    }
    const bool is_other_file = is_folder_ && begun.error().code == ErrorCode::invalid_input &&
                               !unpacked_name(path).ends_with(".csv");
    if (!is_other_file) return in_context(path + ": ", begun.error());
    passed_over_.push_back(path);
  }
  return false;
}

Result<bool> RecordReader::read(Record& record) {
  record.time.reset();
  if (kind_ == RecordKind::csv) {
    FICUS_TRY(const bool is_there, csv_->next(record.cells));
    if (is_there && time_index_) record.time = parse_record_time(record.cells[*time_index_]);
    return is_there;
  }
  std::string_view line;
  do {
    FICUS_TRY(const bool is_there, lines_->next(line));
    if (!is_there) return false;
  } while (line.empty());
  record.line = line;
  record.time = nmea_time(line);
  return true;
}

Result<bool> RecordReader::next(Record& record) {
  is_new_file_ = false;
  while (true) {
    if (!is_open_) {
      FICUS_TRY(const bool is_there, open_next());
      if (!is_there) return false;
    }
    const auto got = read(record);
    if (!got) return in_context(path() + ": ", got.error());
    if (*got) return true;
    is_open_ = false;
  }
}

}  // namespace ficus::simulate
