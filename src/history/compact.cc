#include "history/compact.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <utility>

#include "history/sealed_metadata.h"

namespace ficus::history {
namespace {

// The longest run from `begin` that fits the limits.
std::size_t run_length(const std::vector<SealedFile>& files, std::size_t begin,
                       const CompactLimits& limits) {
  std::uint64_t rows = 0;
  Timestamp last = files[begin].last_observed;
  std::size_t count = 0;
  for (std::size_t i = begin; i < files.size(); ++i, ++count) {
    rows += files[i].row_count;
    last = std::max(last, files[i].last_observed);
    if (rows > limits.rows_max || last - files[begin].first_observed > limits.span_max) break;
  }
  return count;
}

}  // namespace

std::vector<SealedFile> files_to_merge(const HistoryType& type, const CompactLimits& limits) {
  std::map<std::string, std::vector<SealedFile>> by_layout;
  for (const SealedFile& file : type.files) {
    if (file.row_count < limits.rows_max / 4) by_layout[file.layout].push_back(file);
  }
  for (auto& [layout, files] : by_layout) {
    std::sort(files.begin(), files.end(), [](const SealedFile& a, const SealedFile& b) {
      return std::pair(a.first_observed, a.number) < std::pair(b.first_observed, b.number);
    });
    for (std::size_t begin = 0; begin + limits.files_min <= files.size(); ++begin) {
      const std::size_t count = run_length(files, begin, limits);
      if (count < limits.files_min) continue;
      const auto first = files.begin() + static_cast<std::ptrdiff_t>(begin);
      return {first, first + static_cast<std::ptrdiff_t>(count)};
    }
  }
  return {};
}

Result<std::optional<SealedFile>> merge_files(DuckConnection& connection, Disk& disk,
                                              const std::string& directory, const SealJob& job) {
  SealedFile out = job.merge.front();
  out.number = job.number;
  out.row_count = 0;
  out.spans.clear();
  std::vector<std::string> merged;
  std::string list;
  for (const SealedFile& file : job.merge) {
    const std::string path = directory + "/" + file.file;
    FICUS_TRY(const std::uint32_t crc, file_checksum(disk, path));
    if (crc != file.crc) {
      return fail(ErrorCode::corrupt, fmt::format("{}: its checksum is wrong", file.file));
    }
    out.first_observed = std::min(out.first_observed, file.first_observed);
    out.last_observed = std::max(out.last_observed, file.last_observed);
    out.last_received = std::max(out.last_received, file.last_received);
    out.row_count += file.row_count;
    out.spans = joined(std::move(out.spans), file.spans);
    merged.push_back(file.file);
    list += (list.empty() ? "" : ", ") + quoted_literal(path);
  }
  out.file = sealed_name(job.type, out);
  const std::string statement =
      sealing_statement("* REPLACE (CAST(\"receivedAt\" AS TIMESTAMP_MS) AS \"receivedAt\")",
                        "read_parquet([" + list + "])", directory + "/" + out.file + ".tmp",
                        sealed_metadata(job.type, out, merged));
  FICUS_TRY_VOID(write_sealed(connection, disk, directory, statement, out));
  return std::optional(std::move(out));
}

}  // namespace ficus::history
