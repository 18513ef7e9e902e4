#include "history/file_care.h"

#include <fmt/format.h>

#include <algorithm>
#include <unordered_set>

#include "history/sealer.h"

namespace ficus::history {
namespace {

// What is wrong with the file at a glance; empty: nothing.
std::string quick_complaint(DuckConnection& connection, Disk& disk, const std::string& path,
                            const SealedFile& file) {
  if (!disk.exists(path)) return "it is missing";
  const auto opened = disk.open(path, OpenMode::read);
  if (!opened) return opened.error().message;
  const std::uint64_t bytes = (*opened)->size().value_or(0);
  if (bytes != file.bytes) return fmt::format("it has {} bytes instead of {}", bytes, file.bytes);
  const auto rows = connection.select(
      "SELECT CAST(num_rows AS BIGINT) FROM parquet_file_metadata(" + quoted_literal(path) + ")");
  if (!rows) return rows.error().message;
  if (rows->empty() || static_cast<std::uint64_t>(integer_of(rows->at(0)[0])) != file.row_count) {
    return "its footer names another number of rows";
  }
  return {};
}

std::string thorough_complaint(Disk& disk, const std::string& path, const SealedFile& file) {
  if (!disk.exists(path)) return "it is missing";
  const auto crc = file_checksum(disk, path);
  if (!crc) return crc.error().message;
  return *crc == file.crc ? "" : "its checksum is wrong";
}

bool is_ours(const std::string& name) {
  return name.ends_with(".parquet") || name.ends_with(".parquet.tmp");
}

}  // namespace

Status move_aside(Disk& disk, const std::string& directory, const std::string& file,
                  const std::string& complaint, MaintenanceReport& report) {
  std::string kept = "damaged/" + file;
  std::replace(kept.begin() + 8, kept.end(), '/', '-');
  if (disk.exists(directory + "/" + file)) {
    FICUS_TRY_VOID(disk.make_directories(directory + "/damaged"));
    FICUS_TRY_VOID(disk.rename(directory + "/" + file, directory + "/" + kept));
    FICUS_TRY_VOID(disk.sync_directory(directory + "/damaged"));
    report.set_aside.push_back(fmt::format("{}: {}, kept as {}", file, complaint, kept));
  } else {
    report.set_aside.push_back(fmt::format("{}: {}", file, complaint));
  }
  return {};
}

Status set_damaged_aside(DuckConnection& connection, Disk& disk, Catalog& catalog,
                         MaintenanceReport& report) {
  std::vector<std::pair<std::string, std::string>> damaged;
  for (const auto& [name, type] : catalog.types()) {
    for (const SealedFile& file : type.files) {
      const std::string complaint =
          quick_complaint(connection, disk, catalog.directory() + "/" + file.file, file);
      if (complaint.empty()) continue;
      FICUS_TRY_VOID(move_aside(disk, catalog.directory(), file.file, complaint, report));
      damaged.emplace_back(name, file.file);
    }
  }
  for (const auto& [type, file] : damaged) {
    FICUS_TRY_VOID(catalog.forget_file(connection, type, file));
  }
  return {};
}

Status remove_orphans(Disk& disk, const Catalog& catalog, MaintenanceReport& report) {
  std::unordered_set<std::string> known;
  for (const auto& [name, type] : catalog.types()) {
    for (const SealedFile& file : type.files) known.insert(file.file);
  }
  for (const auto& [name, type] : catalog.types()) {
    const std::string folder = catalog.directory() + "/" + type.view;
    const auto files = disk.list(folder);
    if (!files) continue;  // nothing of this type has been sealed yet
    for (const std::string& file : *files) {
      const std::string relative = type.view + "/" + file;
      if (!is_ours(file) || known.contains(relative)) continue;
      if (const Status removed = disk.remove(folder + "/" + file); removed) {
        report.orphans_removed.push_back(relative);
      } else {
        report.problems.push_back(relative +
                                  " is not ours and cannot be removed: " + removed.error().message);
      }
    }
  }
  return {};
}

FileCheck::FileCheck(const Catalog& catalog) {
  for (const auto& [name, type] : catalog.types()) {
    types_.push_back(name);
    for (const SealedFile& file : type.files) files_.emplace_back(name, file.file);
  }
}

Status FileCheck::step(DuckConnection& connection, Disk& disk, Catalog& catalog,
                       MaintenanceReport& report) {
  const std::size_t index = next_++;
  if (index >= files_.size()) {
    return catalog.rebuild_view(connection, types_[index - files_.size()]);
  }
  const auto& [type, name] = files_[index];
  return check_file(connection, disk, catalog, type, name, report);
}

Status FileCheck::check_file(DuckConnection& connection, Disk& disk, Catalog& catalog,
                             const std::string& type, const std::string& name,
                             MaintenanceReport& report) {
  const HistoryType* known = catalog.find(type);
  const auto found = std::find_if(known->files.begin(), known->files.end(),
                                  [&name](const SealedFile& f) { return f.file == name; });
  if (found == known->files.end()) return {};  // retention was quicker
  const std::string complaint = thorough_complaint(disk, catalog.directory() + "/" + name, *found);
  if (complaint.empty()) return {};
  FICUS_TRY_VOID(move_aside(disk, catalog.directory(), name, complaint, report));
  FICUS_TRY_VOID(catalog.forget_file(connection, type, name));
  return catalog.rebuild_view(connection, type);
}

}  // namespace ficus::history
