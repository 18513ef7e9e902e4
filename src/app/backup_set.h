#pragma once

#include <atomic>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/disk.h"
#include "base/result.h"
#include "base/time.h"

namespace ficus::app {

// Name of the file that makes a directory a whole backup: it is written last.
constexpr std::string_view kBackupManifest = "backup.json";

struct BackupFile {
  std::string file;  // relative, with '/'
  std::uint64_t bytes = 0;
  std::uint32_t crc = 0;  // CRC-32C

  friend bool operator==(const BackupFile&, const BackupFile&) = default;
};

struct BackupLog {
  std::string log;  // "shard-0", "broker"
  std::uint64_t position = 0;

  friend bool operator==(const BackupLog&, const BackupLog&) = default;
};

// What a backup holds: everything that was durable at these positions of the logs.
struct BackupManifest {
  std::string version;  // of the program that wrote it
  Timestamp began_at;
  std::vector<BackupLog> logs;
  std::vector<BackupFile> files;

  std::string encode() const;  // JSON
  static Result<BackupManifest> decode(std::string_view text);
  std::uint64_t bytes() const;

  friend bool operator==(const BackupManifest&, const BackupManifest&) = default;
};

// How far it is, for another thread to read.
struct CopyProgress {
  std::atomic<std::uint64_t> files = 0;
  std::atomic<std::uint64_t> bytes = 0;
  std::atomic<bool> stop = false;  // asks the copy to end with an error
};

// Copies files into one directory and remembers what they hold. Used by one thread.
class BackupCopy {
 public:
  BackupCopy(Disk& disk, std::string directory, CopyProgress& progress)
      : disk_(disk), directory_(std::move(directory)), progress_(progress) {}

  // The first `bytes` of a file that may still grow; it is corrupt to have fewer.
  Status copy_part(const std::string& from, const std::string& file, std::uint64_t bytes);
  Status copy(const std::string& from, const std::string& file);
  // A file that is never written again: a second name if the disk can, else a copy.
  Status keep(const std::string& from, const std::string& file);
  // One that has been put there already.
  Status add_present(const std::string& file);
  // The log as far as `position`, with its snapshots up to there. REQUIRES: its files are held.
  Status copy_log(const std::string& from, const std::string& directory, std::uint64_t position);

  const std::vector<BackupFile>& files() const { return files_; }
  // Removes what was written, to give the room back.
  void remove_all();

 private:
  Result<BackupFile> prepare(const std::string& file);
  Status sync_parent(const std::string& file);

  Disk& disk_;
  const std::string directory_;
  CopyProgress& progress_;
  std::vector<BackupFile> files_;
};

// Compares every file of the backup with the manifest, and reads its logs and snapshots record by
// record.
Result<BackupManifest> verify_backup(Disk& disk, const std::string& directory,
                                     CopyProgress& progress);

// Makes `data` (missing or empty) a data directory with what the backup holds. It appears whole or
// not at all.
Result<BackupManifest> restore_backup(Disk& disk, const std::string& directory,
                                      const std::string& data, CopyProgress& progress);

// ErrorCode::conflict if there is anything in the directory; a missing one is fine.
Status require_empty(Disk& disk, const std::string& directory);

}  // namespace ficus::app
