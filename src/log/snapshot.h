#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/disk.h"
#include "base/result.h"
#include "log/position.h"

// A snapshot is the state of all views at one position of the log: a file `<position as 20
// digits>.snap` of named sections. It either is there whole or is not there (temporary file, sync,
// rename, sync of the directory).
namespace ficus::log {

struct SnapshotSection {
  std::string name;
  std::uint64_t offset = 0;  // in the file
  std::uint64_t bytes = 0;
  std::uint32_t crc = 0;
};

// Streams a snapshot to disk, with one small buffer and no copy of the content. Used by one thread,
// any. A writer that is destroyed before finish() removes what it wrote.
class SnapshotWriter {
 public:
  // REQUIRES: the log is durable up to `position` (LogWriter::durable_end): the snapshot counts as
  // a witness of that. `disk` is borrowed for the life of the writer.
  static Result<std::unique_ptr<SnapshotWriter>> create(Disk& disk, std::string directory,
                                                        Position position);
  ~SnapshotWriter();
  SnapshotWriter(const SnapshotWriter&) = delete;
  SnapshotWriter& operator=(const SnapshotWriter&) = delete;

  // Ends the section before and begins one. Names are 1 to 255 bytes, each used once, 65535 at
  // most.
  Status begin_section(std::string_view name);
  // Adds to the section begun last. REQUIRES: one was begun.
  Status append(std::span<const std::byte> bytes);
  // Makes the snapshot durable and visible. After an error here or above only destruction is
  // allowed.
  Status finish();

 private:
  SnapshotWriter(Disk& disk, std::string directory, Position position);
  Status put(std::span<const std::byte> bytes);
  Status flush();

  Disk& disk_;
  const std::string directory_;
  const Position position_;
  std::unique_ptr<File> file_;
  std::vector<std::byte> buffer_;
  std::uint64_t file_bytes_ = 0;  // with what is buffered
  std::vector<SnapshotSection> sections_;
};

// Reads one snapshot. Used by one thread.
class SnapshotReader {
 public:
  // Checks the frame (header, table of sections, lengths), not yet the content of the sections.
  static Result<std::unique_ptr<SnapshotReader>> open(Disk& disk, const std::string& path);

  // Reads every section against its checksum.
  Status verify();

  Position position() const { return position_; }
  std::uint64_t file_bytes() const { return file_bytes_; }
  const std::vector<SnapshotSection>& sections() const { return sections_; }
  const SnapshotSection* find(std::string_view name) const;  // null if there is none
  // Fills `out` from `offset` of the section as far as the section reaches; returns the bytes read.
  Result<std::size_t> read(const SnapshotSection& section, std::uint64_t offset,
                           std::span<std::byte> out);

 private:
  SnapshotReader(std::string path, std::unique_ptr<File> file)
      : path_(std::move(path)), file_(std::move(file)) {}
  Status read_frame();
  Status read_table(std::span<const std::byte> table, std::uint64_t table_offset,
                    std::uint32_t section_count);
  Status read_exactly(std::uint64_t offset, std::span<std::byte> out);
  std::unexpected<Error> damaged(std::string_view what) const;

  const std::string path_;
  const std::unique_ptr<File> file_;
  std::uint64_t file_bytes_ = 0;
  Position position_;
  std::vector<SnapshotSection> sections_;
};

std::string snapshot_path(std::string_view directory, Position position);
// Ascending, sound or not.
Result<std::vector<Position>> list_snapshots(Disk& disk, const std::string& directory);

struct SnapshotSearch {
  std::unique_ptr<SnapshotReader> newest;  // verified; null if there is none
  std::vector<std::string> skipped;        // why each newer one could not be used, for the operator
};

// Finds the newest sound snapshot. A damaged one is passed over and the next older is tried. An
// empty or missing directory has none.
Result<SnapshotSearch> find_newest_snapshot(Disk& disk, const std::string& directory);

struct SnapshotsKept {
  std::vector<Position>
      positions;  // oldest first: the log may be truncated before the first of these
  std::uint64_t removed = 0;
};

// Removes all but the newest `keep` snapshots whose frame is sound, and leftovers of unfinished
// ones. REQUIRES: no SnapshotWriter is at work in the directory.
Result<SnapshotsKept> remove_old_snapshots(Disk& disk, const std::string& directory,
                                           std::size_t keep = 2);

}  // namespace ficus::log
