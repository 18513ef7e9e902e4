#include <dirent.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "base/disk.h"
#include "base/errno_text.h"

namespace ficus {
namespace {

std::unexpected<Error> io_error(std::string_view action, const std::string& path) {
  const int error = errno;
  ErrorCode code = ErrorCode::unavailable;
  if (error == ENOSPC || error == EDQUOT) code = ErrorCode::disk_full;
  if (error == ENOENT || error == ENOTDIR) code = ErrorCode::not_found;
  if (error == EACCES || error == EPERM || error == EROFS) code = ErrorCode::denied;
  return fail(code, fmt::format("cannot {} {}: {}", action, path, errno_text(error)));
}

class PosixFile final : public File {
 public:
  PosixFile(int descriptor, std::string path) : descriptor_(descriptor), path_(std::move(path)) {}
  PosixFile(const PosixFile&) = delete;
  PosixFile& operator=(const PosixFile&) = delete;
  ~PosixFile() override { ::close(descriptor_); }

  Status append(std::span<const std::byte> bytes) override {
    while (!bytes.empty()) {
      const ssize_t written = ::write(descriptor_, bytes.data(), bytes.size());
      if (written < 0) {
        if (errno == EINTR) continue;
        return io_error("write", path_);
      }
      bytes = bytes.subspan(static_cast<std::size_t>(written));
    }
    return {};
  }

  Status sync() override {
    if (::fdatasync(descriptor_) != 0) return io_error("sync", path_);
    return {};
  }

  Result<std::size_t> read_at(std::uint64_t offset, std::span<std::byte> out) override {
    std::size_t total = 0;
    while (total < out.size()) {
      const ssize_t got = ::pread(descriptor_, out.data() + total, out.size() - total,
                                  static_cast<off_t>(offset + total));
      if (got < 0) {
        if (errno == EINTR) continue;
        return io_error("read", path_);
      }
      if (got == 0) break;
      total += static_cast<std::size_t>(got);
    }
    return total;
  }

  Result<std::uint64_t> size() override {
    struct stat info{};
    if (::fstat(descriptor_, &info) != 0) return io_error("stat", path_);
    return static_cast<std::uint64_t>(info.st_size);
  }

  Status truncate(std::uint64_t size) override {
    if (::ftruncate(descriptor_, static_cast<off_t>(size)) != 0) return io_error("truncate", path_);
    return {};
  }

 private:
  const int descriptor_;
  const std::string path_;
};

}  // namespace

Result<std::unique_ptr<File>> PosixDisk::open(const std::string& path, OpenMode mode) {
  int flags = O_CLOEXEC;
  switch (mode) {
    case OpenMode::read:
      // A FIFO that someone put among files must not make us wait; regular files do not care.
      flags |= O_RDONLY | O_NONBLOCK;
      break;
    case OpenMode::append:
      flags |= O_RDWR | O_APPEND | O_CREAT;
      break;
    case OpenMode::create:
      flags |= O_RDWR | O_APPEND | O_CREAT | O_TRUNC;
      break;
  }
  const int descriptor = ::open(path.c_str(), flags, 0640);
  if (descriptor < 0) return io_error("open", path);
  return std::make_unique<PosixFile>(descriptor, path);
}

Result<std::vector<std::string>> PosixDisk::list(const std::string& directory) {
  DIR* const dir = ::opendir(directory.c_str());
  if (dir == nullptr) return io_error("list", directory);
  std::vector<std::string> names;
  while (const dirent* entry = ::readdir(dir)) {
    const std::string_view name = entry->d_name;
    if (name != "." && name != "..") names.emplace_back(name);
  }
  ::closedir(dir);
  std::sort(names.begin(), names.end());
  return names;
}

bool PosixDisk::exists(const std::string& path) { return ::access(path.c_str(), F_OK) == 0; }

Status PosixDisk::make_directories(const std::string& path) {
  for (std::size_t end = path.find('/', 1);; end = path.find('/', end + 1)) {
    const std::string part = path.substr(0, end);
    if (!part.empty() && ::mkdir(part.c_str(), 0750) != 0 && errno != EEXIST) {
      return io_error("create directory", part);
    }
    if (end == std::string::npos) return {};
  }
}

Status PosixDisk::remove(const std::string& path) {
  if (::unlink(path.c_str()) != 0) return io_error("remove", path);
  return {};
}

Status PosixDisk::rename(const std::string& from, const std::string& to) {
  if (::rename(from.c_str(), to.c_str()) != 0) return io_error("rename", from);
  return {};
}

Status PosixDisk::link(const std::string& from, const std::string& to) {
  if (::link(from.c_str(), to.c_str()) != 0) return io_error("link", from);
  return {};
}

Status PosixDisk::sync_directory(const std::string& path) {
  const int descriptor = ::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (descriptor < 0) return io_error("open directory", path);
  const int result = ::fsync(descriptor);
  ::close(descriptor);
  if (result != 0) return io_error("sync directory", path);
  return {};
}

Result<std::uint64_t> PosixDisk::free_bytes(const std::string& path) {
  struct statvfs info{};
  if (::statvfs(path.c_str(), &info) != 0) return io_error("query free space of", path);
  return std::uint64_t{info.f_bavail} * info.f_frsize;
}

}  // namespace ficus
