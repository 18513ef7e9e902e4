#include "history/faulty_disk_test_support.h"

#include <fmt/format.h>

namespace ficus::history {
namespace {

class FaultyFile final : public File {
 public:
  FaultyFile(FaultyDisk& disk, std::string path, std::unique_ptr<File> file)
      : disk_(disk), path_(std::move(path)), file_(std::move(file)) {}

  Status append(std::span<const std::byte> bytes) override {
    FICUS_TRY_VOID(disk_.attempt("append " + path_));
    return file_->append(bytes);
  }
  Status sync() override {
    FICUS_TRY_VOID(disk_.attempt("sync " + path_));
    return file_->sync();
  }
  Result<std::size_t> read_at(std::uint64_t offset, std::span<std::byte> out) override {
    FICUS_TRY_VOID(disk_.attempt("read " + path_));
    return file_->read_at(offset, out);
  }
  Result<std::uint64_t> size() override {
    FICUS_TRY_VOID(disk_.attempt("size " + path_));
    return file_->size();
  }
  Status truncate(std::uint64_t size) override {
    FICUS_TRY_VOID(disk_.attempt("truncate " + path_));
    return file_->truncate(size);
  }

 private:
  FaultyDisk& disk_;
  const std::string path_;
  std::unique_ptr<File> file_;
};

}  // namespace

void FaultyDisk::set_fault(Fault fault) {
  const std::lock_guard lock(mutex_);
  fault_ = std::move(fault);
  calls_.clear();
}

void FaultyDisk::fail_from(std::size_t count) {
  set_fault([this, count](const std::string&) { return calls_.size() > count; });
}

std::vector<std::string> FaultyDisk::calls() {
  const std::lock_guard lock(mutex_);
  return calls_;
}

Status FaultyDisk::attempt(std::string call) {
  const std::lock_guard lock(mutex_);
  if (!fault_) return {};
  calls_.push_back(call);
  if (!fault_(call)) return {};
  return fail(ErrorCode::unavailable, fmt::format("{}: the disk fails", call));
}

Result<std::unique_ptr<File>> FaultyDisk::open(const std::string& path, OpenMode mode) {
  FICUS_TRY_VOID(attempt("open " + path));
  FICUS_TRY(std::unique_ptr<File> file, disk_.open(path, mode));
  return std::make_unique<FaultyFile>(*this, path, std::move(file));
}

Result<std::vector<std::string>> FaultyDisk::list(const std::string& directory) {
  FICUS_TRY_VOID(attempt("list " + directory));
  return disk_.list(directory);
}

Status FaultyDisk::make_directories(const std::string& path) {
  FICUS_TRY_VOID(attempt("make " + path));
  return disk_.make_directories(path);
}

Status FaultyDisk::remove(const std::string& path) {
  FICUS_TRY_VOID(attempt("remove " + path));
  return disk_.remove(path);
}

Status FaultyDisk::rename(const std::string& from, const std::string& to) {
  FICUS_TRY_VOID(attempt(fmt::format("rename {} {}", from, to)));
  return disk_.rename(from, to);
}

Status FaultyDisk::sync_directory(const std::string& path) {
  FICUS_TRY_VOID(attempt("sync-directory " + path));
  return disk_.sync_directory(path);
}

}  // namespace ficus::history
