#include "base/memory_disk.h"

#include <algorithm>
#include <cstring>

#include "base/check.h"

namespace ficus {

class MemoryFile final : public File {
 public:
  MemoryFile(MemoryDisk& disk, std::shared_ptr<MemoryDisk::Inode> inode)
      : disk_(disk), inode_(std::move(inode)) {}

  Status append(std::span<const std::byte> bytes) override {
    const std::lock_guard lock(disk_.mutex_);
    const std::uint64_t used = disk_.used_bytes();
    const std::uint64_t room = disk_.capacity_ > used ? disk_.capacity_ - used : 0;
    const std::size_t taken = std::min<std::uint64_t>(bytes.size(), room);
    inode_->bytes.append(reinterpret_cast<const char*>(bytes.data()), taken);
    if (taken < bytes.size()) return fail(ErrorCode::disk_full, "memory disk is full");
    return {};
  }

  Status sync() override {
    const std::lock_guard lock(disk_.mutex_);
    inode_->synced = inode_->bytes.size();
    return {};
  }

  Result<std::size_t> read_at(std::uint64_t offset, std::span<std::byte> out) override {
    const std::lock_guard lock(disk_.mutex_);
    if (offset >= inode_->bytes.size()) return 0;
    const std::size_t count = std::min<std::size_t>(out.size(), inode_->bytes.size() - offset);
    if (count > 0) std::memcpy(out.data(), inode_->bytes.data() + offset, count);
    return count;
  }

  Result<std::uint64_t> size() override {
    const std::lock_guard lock(disk_.mutex_);
    return inode_->bytes.size();
  }

  Status truncate(std::uint64_t size) override {
    const std::lock_guard lock(disk_.mutex_);
    inode_->bytes.resize(size);
    inode_->synced = std::min(inode_->synced, inode_->bytes.size());
    return {};
  }

 private:
  MemoryDisk& disk_;
  std::shared_ptr<MemoryDisk::Inode> inode_;
};

Result<std::unique_ptr<File>> MemoryDisk::open(const std::string& path, OpenMode mode) {
  const std::lock_guard lock(mutex_);
  auto found = files_.find(path);
  if (found == files_.end()) {
    if (mode == OpenMode::read) return fail(ErrorCode::not_found, "no such file: " + path);
    found = files_.emplace(path, std::make_shared<Inode>()).first;
  } else if (mode == OpenMode::create) {
    *found->second = Inode{};
  }
  return std::make_unique<MemoryFile>(*this, found->second);
}

Result<std::vector<std::string>> MemoryDisk::list(const std::string& directory) {
  const std::lock_guard lock(mutex_);
  const std::string prefix = directory + "/";
  std::vector<std::string> names;
  for (const auto& [path, inode] : files_) {
    if (!path.starts_with(prefix)) continue;
    std::string name = path.substr(prefix.size());
    name.resize(std::min(name.size(), name.find('/')));
    if (names.empty() || names.back() != name) names.push_back(std::move(name));
  }
  std::sort(names.begin(), names.end());
  names.erase(std::unique(names.begin(), names.end()), names.end());
  return names;
}

bool MemoryDisk::exists(const std::string& path) {
  const std::lock_guard lock(mutex_);
  const auto at = files_.lower_bound(path);
  return at != files_.end() && (at->first == path || at->first.starts_with(path + "/"));
}

Status MemoryDisk::make_directories(const std::string&) { return {}; }

Status MemoryDisk::remove(const std::string& path) {
  const std::lock_guard lock(mutex_);
  if (files_.erase(path) == 0) return fail(ErrorCode::not_found, "no such file: " + path);
  return {};
}

Status MemoryDisk::rename(const std::string& from, const std::string& to) {
  const std::lock_guard lock(mutex_);
  const auto found = files_.find(from);
  if (found == files_.end()) return fail(ErrorCode::not_found, "no such file: " + from);
  auto inode = found->second;
  files_.erase(found);
  files_[to] = std::move(inode);
  return {};
}

Status MemoryDisk::sync_directory(const std::string&) { return {}; }

Result<std::uint64_t> MemoryDisk::free_bytes(const std::string&) {
  const std::lock_guard lock(mutex_);
  const std::uint64_t used = used_bytes();
  return capacity_ > used ? capacity_ - used : 0;
}

void MemoryDisk::lose_unsynced(std::size_t torn_bytes) {
  const std::lock_guard lock(mutex_);
  for (auto& [path, inode] : files_) {
    inode->bytes.resize(std::min(inode->bytes.size(), inode->synced + torn_bytes));
    inode->synced = inode->bytes.size();
  }
}

void MemoryDisk::set_capacity(std::uint64_t bytes) {
  const std::lock_guard lock(mutex_);
  capacity_ = bytes;
}

std::string MemoryDisk::content(const std::string& path) {
  const std::lock_guard lock(mutex_);
  const auto found = files_.find(path);
  FICUS_CHECK(found != files_.end());
  return found->second->bytes;
}

void MemoryDisk::set_content(const std::string& path, std::string bytes) {
  const std::lock_guard lock(mutex_);
  const auto found = files_.find(path);
  FICUS_CHECK(found != files_.end());
  found->second->synced = bytes.size();
  found->second->bytes = std::move(bytes);
}

std::uint64_t MemoryDisk::used_bytes() const {
  std::uint64_t used = 0;
  for (const auto& [path, inode] : files_) used += inode->bytes.size();
  return used;
}

}  // namespace ficus
