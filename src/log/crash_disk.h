#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "base/disk.h"
#include "base/random.h"

namespace ficus::log {

// A disk for tests that loses whatever it may lose: at a power loss each 512-byte sector of a file
// independently holds what it held at the last sync or at any write or truncation since, the length
// likewise, and each name created, renamed or removed since the sync of its directory may be there
// or not. Thread-safe.
class CrashDisk final : public Disk {
 public:
  Result<std::unique_ptr<File>> open(const std::string& path, OpenMode mode) override;
  Result<std::vector<std::string>> list(const std::string& directory) override;
  bool exists(const std::string& path) override;
  Status make_directories(const std::string& path) override;
  Status remove(const std::string& path) override;
  Status rename(const std::string& from, const std::string& to) override;
  Status sync_directory(const std::string& path) override;
  Result<std::uint64_t> free_bytes(const std::string& path) override;

  void lose_power(Random& random);
  // Appends beyond this total fail after writing what fits.
  void set_capacity(std::uint64_t bytes);
  std::uint64_t used_bytes();
  // The next calls of this kind fail, until set to false.
  void fail_sync(bool fails, ErrorCode code = ErrorCode::unavailable);
  void fail_sync_directory(bool fails);
  void fail_truncate(bool fails);
  void fail_read(bool fails);
  void fail_remove(bool fails);

  std::string content(const std::string& path);
  void set_content(const std::string& path, std::string bytes);

  struct Node {
    std::string bytes;
    std::vector<std::string> versions;  // what may come back; the first is what was synced
  };

 private:
  friend class CrashFile;
  std::uint64_t used_bytes_locked() const;

  std::mutex mutex_;
  std::map<std::string, std::shared_ptr<Node>> names_;
  std::map<std::string, std::shared_ptr<Node>> durable_names_;
  std::uint64_t capacity_ = UINT64_MAX;
  bool sync_fails_ = false;
  ErrorCode sync_failure_code_ = ErrorCode::unavailable;
  bool sync_directory_fails_ = false;
  bool truncate_fails_ = false;
  bool read_fails_ = false;
  bool remove_fails_ = false;
};

}  // namespace ficus::log
