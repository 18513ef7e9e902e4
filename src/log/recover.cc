#include "log/recover.h"

#include <fmt/format.h>

#include "log/log_repair.h"
#include "log/scan.h"
#include "log/segments.h"

namespace ficus::log {
namespace {

class NoVisitor final : public RecordVisitor {
 public:
  Status visit(const Record&) override { return {}; }
};

Result<std::uint64_t> file_bytes(Disk& disk, const std::string& path) {
  FICUS_TRY(const std::unique_ptr<File> file, disk.open(path, OpenMode::read));
  return file->size();
}

// A crash in the middle of this leaves damage at the same place or none, and no witness: it is cut
// again. sync_tail() makes it durable before anything is written behind the cut.
Status cut_tail(Disk& disk, const std::string& directory, const Scan& scan, Recovered& recovered) {
  const Damage& damage = *scan.damage;
  const std::size_t kept = damage.file_offset == 0 ? damage.segment : damage.segment + 1;
  while (recovered.segments.size() > kept) {
    const std::string path = segment_path(directory, recovered.segments.back());
    FICUS_TRY(const std::uint64_t bytes, file_bytes(disk, path));
    FICUS_TRY_VOID(disk.remove(path));
    recovered.bytes_cut += bytes;
    ++recovered.segments_removed;
    recovered.segments.pop_back();
  }
  recovered.cut_reason = describe(damage);
  if (damage.file_offset == 0) return {};
  FICUS_TRY(const std::unique_ptr<File> file, disk.open(damage.file, OpenMode::append));
  FICUS_TRY(const std::uint64_t bytes, file->size());
  if (bytes <= damage.file_offset) return {};  // the damage is that records are missing
  FICUS_TRY_VOID(file->truncate(damage.file_offset));
  // Were the cut lost in another crash, the old tail would stand behind records written from now
  // on.
  FICUS_TRY_VOID(file->sync());
  recovered.bytes_cut += bytes - damage.file_offset;
  return {};
}

// What a killed process had written may be in memory only, and still reads well. From here on it
// counts as durable, so it must be.
Status sync_tail(Disk& disk, const std::string& directory, const std::vector<Position>& segments,
                 Position durable) {
  for (std::size_t i = 0; i < segments.size(); ++i) {
    const bool last = i + 1 == segments.size();
    if (!last && segments[i + 1] <= durable) continue;
    FICUS_TRY(const std::unique_ptr<File> file,
              disk.open(segment_path(directory, segments[i]), OpenMode::append));
    FICUS_TRY_VOID(file->sync());
  }
  return disk.sync_directory(directory);
}

}  // namespace

Result<Recovered> recover(Disk& disk, const std::string& directory, const RecoverOptions& options) {
  FICUS_TRY_VOID(disk.make_directories(directory));
  FICUS_TRY(const std::vector<std::string> names, disk.list(directory));
  for (const std::string& name : names) {
    if (!name.ends_with(kRepairedSuffix)) continue;
    return fail(ErrorCode::corrupt, fmt::format("{}/{}: a repair was interrupted: run ficus log "
                                                "repair again",
                                                directory, name));
  }
  NoVisitor visitor;
  FICUS_TRY(const Scan scan, log::scan(disk, directory, options.verify_from, visitor));
  if (scan.damage) {
    FICUS_TRY_VOID(require_torn(disk, directory, scan, options.known_durable));
  } else if (options.known_durable > scan.end) {
    return fail(
        ErrorCode::corrupt,
        fmt::format("the log in {} ends at position {}, but everything up to {} is known to "
                    "have been synced: its newest segments are missing",
                    directory, scan.end.offset, options.known_durable.offset));
  }
  Recovered recovered;
  recovered.segments = scan.segments;
  recovered.end = scan.damage ? scan.damage->position : scan.end;
  recovered.salt = scan.salt.value_or(0);
  recovered.records_verified = scan.records;
  if (scan.damage) FICUS_TRY_VOID(cut_tail(disk, directory, scan, recovered));
  recovered.begin = recovered.segments.empty() ? recovered.end : recovered.segments.front();
  FICUS_TRY_VOID(sync_tail(disk, directory, recovered.segments, scan.durable));
  return recovered;
}

}  // namespace ficus::log
