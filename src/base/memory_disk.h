#pragma once

#include <map>
#include <mutex>

#include "base/disk.h"

namespace ficus {

// A disk in memory for tests and simulation. `lose_unsynced` is a power loss: every file falls back
// to what was synced (plus, if asked, a torn part of what was not). Thread-safe. Directories are
// implicit, and a creation, rename or removal is durable at once.
class MemoryDisk final : public Disk {
 public:
  Result<std::unique_ptr<File>> open(const std::string& path, OpenMode mode) override;
  Result<std::vector<std::string>> list(const std::string& directory) override;
  bool exists(const std::string& path) override;
  Status make_directories(const std::string& path) override;
  Status remove(const std::string& path) override;
  Status rename(const std::string& from, const std::string& to) override;
  Status sync_directory(const std::string& path) override;
  Result<std::uint64_t> free_bytes(const std::string& path) override;

  // Keeps of each file's unsynced tail only `torn_bytes` (at most what there is).
  void lose_unsynced(std::size_t torn_bytes = 0);
  // From now on appends beyond this total fail as on a full disk.
  void set_capacity(std::uint64_t bytes);
  // Direct access for tests that damage a file. REQUIRES: the file exists.
  std::string content(const std::string& path);
  void set_content(const std::string& path, std::string bytes);

  struct Inode {
    std::string bytes;
    std::size_t synced = 0;  // length of the prefix that is on the device
  };

 private:
  friend class MemoryFile;
  std::uint64_t used_bytes() const;

  std::mutex mutex_;
  std::map<std::string, std::shared_ptr<Inode>> files_;
  std::uint64_t capacity_ = UINT64_MAX;
};

}  // namespace ficus
