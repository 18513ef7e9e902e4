#include "history/sealed_metadata.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <map>
#include <set>
#include <utility>

#include "history/file_care.h"
#include "history/sealer.h"

namespace ficus::history {
namespace {

using Metadata = std::map<std::string, std::string>;

// One file as it describes itself.
struct FoundFile {
  HistoryType type;  // with this file's columns
  SealedFile file;
  std::vector<std::string> merged;
};

Result<Metadata> read_metadata(DuckConnection& connection, const std::string& path) {
  FICUS_TRY(const auto rows,
            connection.select("SELECT decode(key), decode(value) FROM parquet_kv_metadata(" +
                              quoted_literal(path) + ") WHERE starts_with(decode(key), 'ficus_')"));
  Metadata metadata;
  for (const DatumRow& row : rows) metadata[text_of(row[0])] = text_of(row[1]);
  return metadata;
}

Result<std::string> text_in(const Metadata& metadata, const std::string& key) {
  const auto found = metadata.find(key);
  if (found != metadata.end()) return found->second;
  return fail(ErrorCode::corrupt, "it does not say what it holds: " + key + " is missing in it");
}

Result<std::int64_t> number_in(const Metadata& metadata, const std::string& key) {
  FICUS_TRY(const std::string text, text_in(metadata, key));
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error == std::errc{} && end == text.data() + text.size()) return number;
  return fail(ErrorCode::corrupt, "it does not say what it holds: " + key + " is no number");
}

Result<std::vector<HistoryColumn>> columns_in(const Metadata& metadata) {
  std::vector<HistoryColumn> columns;
  for (std::size_t i = 0; metadata.contains(fmt::format("ficus_column_{}", i)); ++i) {
    HistoryColumn column;
    FICUS_TRY(const std::int64_t kind, number_in(metadata, fmt::format("ficus_kind_{}", i)));
    if (kind < 0 || kind > static_cast<int>(ValueKind::json)) {
      return fail(ErrorCode::corrupt, "it has a column of an unknown kind");
    }
    column.kind = static_cast<ValueKind>(kind);
    FICUS_TRY(column.name, text_in(metadata, fmt::format("ficus_column_{}", i)));
    FICUS_TRY(column.attribute, text_in(metadata, fmt::format("ficus_attribute_{}", i)));
    columns.push_back(std::move(column));
  }
  return columns;
}

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = std::min(text.find('\n', at), text.size());
    lines.push_back(text.substr(at, end - at));
    at = end + 1;
  }
  return lines;
}

// Reading every value finds what the footer does not tell: there is no checksum to compare with.
Status read_whole(DuckConnection& connection, const std::string& path, const SealedFile& file) {
  FICUS_TRY(const auto rows,
            connection.select("SELECT count(*), CAST(bit_xor(hash(r)) % 2 AS BIGINT) FROM "
                              "read_parquet(" +
                              quoted_literal(path) + ") r"));
  if (static_cast<std::uint64_t>(integer_of(rows.at(0)[0])) == file.row_count) return {};
  return fail(ErrorCode::corrupt,
              fmt::format("it has {} rows instead of {}", integer_of(rows[0][0]), file.row_count));
}

Result<FoundFile> read_file(DuckConnection& connection, Disk& disk, const std::string& directory,
                            const std::string& folder, const std::string& name) {
  FoundFile found;
  SealedFile& file = found.file;
  file.file = folder + "/" + name;
  const std::string path = directory + "/" + file.file;
  FICUS_TRY(const Metadata metadata, read_metadata(connection, path));
  FICUS_TRY(found.type.type, text_in(metadata, "ficus_type"));
  FICUS_TRY(found.type.view, text_in(metadata, "ficus_view"));
  if (found.type.view != folder) {
    return fail(ErrorCode::corrupt, "it belongs into the folder " + found.type.view);
  }
  FICUS_TRY(found.type.columns, columns_in(metadata));
  FICUS_TRY(file.number, number_in(metadata, "ficus_number"));
  FICUS_TRY(file.first_observed.micros, number_in(metadata, "ficus_first_observed"));
  FICUS_TRY(file.last_observed.micros, number_in(metadata, "ficus_last_observed"));
  FICUS_TRY(file.last_received.micros, number_in(metadata, "ficus_last_received"));
  FICUS_TRY(const std::int64_t rows, number_in(metadata, "ficus_rows"));
  file.row_count = static_cast<std::uint64_t>(rows);
  FICUS_TRY(file.layout, text_in(metadata, "ficus_layout"));
  FICUS_TRY(const std::string spans, text_in(metadata, "ficus_spans"));
  FICUS_TRY(file.spans, spans_of(spans));
  FICUS_TRY(const std::string merged, text_in(metadata, "ficus_merged"));
  found.merged = lines_of(merged);
  FICUS_TRY_VOID(read_whole(connection, path, file));
  FICUS_TRY(file.crc, file_checksum(disk, path));
  FICUS_TRY(const std::unique_ptr<File> opened, disk.open(path, OpenMode::read));
  FICUS_TRY(file.bytes, opened->size());
  return found;
}

// Do the file's columns mean what the type's mean?
bool agrees(const HistoryType& type, const HistoryType& file) {
  if (type.type != file.type) return false;
  return std::all_of(file.columns.begin(), file.columns.end(), [&](const HistoryColumn& column) {
    return std::none_of(type.columns.begin(), type.columns.end(), [&](const HistoryColumn& known) {
      const bool is_same_name = folded(known.name) == folded(column.name);
      const bool is_same = known.kind == column.kind && known.attribute == column.attribute;
      return is_same_name != is_same;
    });
  });
}

Result<HistoryType> type_of(std::vector<FoundFile> found, Disk& disk, const std::string& directory,
                            MaintenanceReport& report) {
  std::set<std::string> replaced;
  for (const FoundFile& one : found) replaced.insert(one.merged.begin(), one.merged.end());
  std::erase_if(found, [&](const FoundFile& one) { return replaced.contains(one.file.file); });
  std::sort(found.begin(), found.end(),
            [](const FoundFile& a, const FoundFile& b) { return a.file.number < b.file.number; });
  HistoryType type;
  for (FoundFile& one : found) {
    if (type.files.empty()) {
      type.type = one.type.type;
      type.view = one.type.view;
    }
    if (!agrees(type, one.type)) {
      FICUS_TRY_VOID(move_aside(disk, directory, one.file.file,
                                "its columns contradict those of older files", report));
      continue;
    }
    for (HistoryColumn& column : one.type.columns) {
      if (type.find(column.attribute, column.kind) == nullptr) {
        type.columns.push_back(std::move(column));
      }
    }
    type.files.push_back(std::move(one.file));
  }
  return type;
}

}  // namespace

std::string sealed_metadata(const HistoryType& type, const SealedFile& file,
                            const std::vector<std::string>& merged) {
  std::string sql = "{";
  const auto add = [&sql](const std::string& key, std::string_view value) {
    sql += fmt::format("{}'{}': {}", sql.size() > 1 ? ", " : "", key, quoted_literal(value));
  };
  add("ficus_type", type.type);
  add("ficus_view", type.view);
  add("ficus_number", std::to_string(file.number));
  add("ficus_first_observed", std::to_string(file.first_observed.micros));
  add("ficus_last_observed", std::to_string(file.last_observed.micros));
  add("ficus_last_received", std::to_string(file.last_received.micros));
  add("ficus_rows", std::to_string(file.row_count));
  add("ficus_layout", file.layout);
  add("ficus_spans", spans_text(file.spans));
  std::string lines;
  for (const std::string& name : merged) lines += name + "\n";
  add("ficus_merged", lines);
  for (std::size_t i = 0; i < type.columns.size(); ++i) {
    const HistoryColumn& column = type.columns[i];
    add(fmt::format("ficus_column_{}", i), column.name);
    add(fmt::format("ficus_kind_{}", i), std::to_string(static_cast<int>(column.kind)));
    add(fmt::format("ficus_attribute_{}", i), column.attribute);
  }
  return sql + "}";
}

Result<std::vector<HistoryType>> find_sealed_files(DuckConnection& connection, Disk& disk,
                                                   const std::string& directory,
                                                   MaintenanceReport& report) {
  std::vector<HistoryType> types;
  FICUS_TRY(const std::vector<std::string> folders, disk.list(directory));
  for (const std::string& folder : folders) {
    if (folder == "damaged" || folder == "spill" || folder.starts_with('.')) continue;
    const auto names = disk.list(directory + "/" + folder);
    if (!names && names.error().code == ErrorCode::not_found) continue;  // a file
    // Files that are not seen now would be forgotten for ever.
    if (!names) return std::unexpected(names.error());
    std::vector<FoundFile> found;
    for (const std::string& name : *names) {
      if (!name.ends_with(".parquet")) continue;
      Result<FoundFile> one = read_file(connection, disk, directory, folder, name);
      if (one) {
        found.push_back(*std::move(one));
      } else {
        FICUS_TRY_VOID(
            move_aside(disk, directory, folder + "/" + name, one.error().message, report));
      }
    }
    if (found.empty()) continue;
    FICUS_TRY(HistoryType type, type_of(std::move(found), disk, directory, report));
    types.push_back(std::move(type));
  }
  return types;
}

}  // namespace ficus::history
