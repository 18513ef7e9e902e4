#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "base/disk.h"

namespace ficus::history {

// The machine's disk, whose calls fail when told to: a fault sees every call as "open PATH",
// "append PATH", "rename FROM TO" and so on. What DuckDB does by itself does not come here.
// Thread-safe.
class FaultyDisk final : public Disk {
 public:
  using Fault = std::function<bool(const std::string& call)>;

  // Which calls fail from now on; none: no call.
  void set_fault(Fault fault);
  // The call behind `count` others fails, and all that follow.
  void fail_from(std::size_t count);
  // Since a fault was set; also the calls that have failed.
  std::vector<std::string> calls();

  Result<std::unique_ptr<File>> open(const std::string& path, OpenMode mode) override;
  Result<std::vector<std::string>> list(const std::string& directory) override;
  bool exists(const std::string& path) override { return disk_.exists(path); }
  Status make_directories(const std::string& path) override;
  Status remove(const std::string& path) override;
  Status rename(const std::string& from, const std::string& to) override;
  Status sync_directory(const std::string& path) override;
  Result<std::uint64_t> free_bytes(const std::string& path) override {
    return disk_.free_bytes(path);
  }

  Status attempt(std::string call);  // also of the files

 private:
  PosixDisk disk_;
  std::mutex mutex_;
  Fault fault_;
  std::vector<std::string> calls_;
};

}  // namespace ficus::history
