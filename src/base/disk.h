#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace ficus {

// One open file. Written at its end, read anywhere. Used by one thread at a time, except that
// `sync` may run in another thread than `append`.
class File {
 public:
  virtual ~File() = default;
  // Appends all bytes or fails; after a failure the tail of the file is undefined until `truncate`.
  // A full disk is ErrorCode::disk_full.
  virtual Status append(std::span<const std::byte> bytes) = 0;
  // Returns when everything appended before the call is on the device (fdatasync).
  virtual Status sync() = 0;
  // Fills `out` as far as the file reaches; returns the bytes read.
  virtual Result<std::size_t> read_at(std::uint64_t offset, std::span<std::byte> out) = 0;
  virtual Result<std::uint64_t> size() = 0;
  virtual Status truncate(std::uint64_t size) = 0;
};

enum class OpenMode : std::uint8_t {
  read,    // must exist
  append,  // created if missing, its content kept
  create,  // created, or emptied if it exists
};

// The file system, as far as we need it. Thread-safe. Paths use '/'.
class Disk {
 public:
  virtual ~Disk() = default;
  virtual Result<std::unique_ptr<File>> open(const std::string& path, OpenMode mode) = 0;
  virtual Result<std::vector<std::string>> list(const std::string& directory) = 0;  // names, sorted
  virtual bool exists(const std::string& path) = 0;
  virtual Status make_directories(const std::string& path) = 0;
  virtual Status remove(const std::string& path) = 0;
  virtual Status rename(const std::string& from, const std::string& to) = 0;
  // Makes creations, renames and removals in the directory survive a power loss.
  virtual Status sync_directory(const std::string& path) = 0;
  virtual Result<std::uint64_t> free_bytes(const std::string& path) = 0;
  // A second name for a file that is never written again. Any failure means: copy it.
  virtual Status link(const std::string& from, const std::string& to);
};

// The machine's file system. Created in main only.
class PosixDisk final : public Disk {
 public:
  Result<std::unique_ptr<File>> open(const std::string& path, OpenMode mode) override;
  Result<std::vector<std::string>> list(const std::string& directory) override;
  bool exists(const std::string& path) override;
  Status make_directories(const std::string& path) override;
  Status remove(const std::string& path) override;
  Status rename(const std::string& from, const std::string& to) override;
  Status sync_directory(const std::string& path) override;
  Result<std::uint64_t> free_bytes(const std::string& path) override;
  Status link(const std::string& from, const std::string& to) override;
};

// Conveniences over any disk.
Result<std::string> read_file(Disk& disk, const std::string& path, std::uint64_t bytes_max);
// Writes `path` so that after a crash it holds either the old content or the new, never a mixture:
// temporary file, sync, rename, sync of the directory.
Status write_file_atomically(Disk& disk, const std::string& path, std::span<const std::byte> bytes);
std::string parent_directory(std::string_view path);

}  // namespace ficus
