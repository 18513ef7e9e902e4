#include "log/crash_disk.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>

namespace ficus::log {
namespace {

constexpr std::size_t kSectorBytes = 512;
constexpr std::size_t kVersionsMax = 16;

void remember(CrashDisk::Node& node) {
  node.versions.push_back(node.bytes);
  if (node.versions.size() > kVersionsMax) node.versions.erase(node.versions.begin() + 1);
}

std::string survivor(const CrashDisk::Node& node, Random& random) {
  const auto pick = [&]() -> const std::string& {
    return node.versions[random.below(node.versions.size())];
  };
  std::string bytes(pick().size(), '\0');
  for (std::size_t at = 0; at < bytes.size(); at += kSectorBytes) {
    const std::string& version = pick();
    if (at >= version.size()) continue;
    const std::size_t count = std::min({kSectorBytes, bytes.size() - at, version.size() - at});
    std::memcpy(bytes.data() + at, version.data() + at, count);
  }
  return bytes;
}

}  // namespace

class CrashFile final : public File {
 public:
  CrashFile(CrashDisk& disk, std::shared_ptr<CrashDisk::Node> node)
      : disk_(disk), node_(std::move(node)) {}

  Status append(std::span<const std::byte> bytes) override {
    const std::lock_guard lock(disk_.mutex_);
    const std::uint64_t used = disk_.used_bytes_locked();
    const std::uint64_t room = disk_.capacity_ > used ? disk_.capacity_ - used : 0;
    const std::size_t taken = std::min<std::uint64_t>(bytes.size(), room);
    node_->bytes.append(reinterpret_cast<const char*>(bytes.data()), taken);
    remember(*node_);
    if (taken < bytes.size()) return fail(ErrorCode::disk_full, "disk is full");
    return {};
  }
  Status sync() override {
    const std::lock_guard lock(disk_.mutex_);
    if (disk_.sync_fails_) return fail(disk_.sync_failure_code_, "sync fails");
    node_->versions.assign(1, node_->bytes);
    return {};
  }
  Result<std::size_t> read_at(std::uint64_t offset, std::span<std::byte> out) override {
    const std::lock_guard lock(disk_.mutex_);
    if (disk_.read_fails_) return fail(ErrorCode::unavailable, "read fails");
    if (offset >= node_->bytes.size()) return 0;
    const std::size_t count = std::min<std::size_t>(out.size(), node_->bytes.size() - offset);
    if (count > 0) std::memcpy(out.data(), node_->bytes.data() + offset, count);
    return count;
  }
  Result<std::uint64_t> size() override {
    const std::lock_guard lock(disk_.mutex_);
    return node_->bytes.size();
  }
  Status truncate(std::uint64_t size) override {
    const std::lock_guard lock(disk_.mutex_);
    if (disk_.truncate_fails_) return fail(ErrorCode::unavailable, "truncate fails");
    node_->bytes.resize(size);
    remember(*node_);
    return {};
  }

 private:
  CrashDisk& disk_;
  const std::shared_ptr<CrashDisk::Node> node_;
};

Result<std::unique_ptr<File>> CrashDisk::open(const std::string& path, OpenMode mode) {
  const std::lock_guard lock(mutex_);
  auto found = names_.find(path);
  if (found == names_.end()) {
    if (mode == OpenMode::read) return fail(ErrorCode::not_found, "no such file: " + path);
    found = names_.emplace(path, std::make_shared<Node>()).first;
    found->second->versions.emplace_back();
  } else if (mode == OpenMode::create) {
    found->second->bytes.clear();
    remember(*found->second);
  }
  return std::make_unique<CrashFile>(*this, found->second);
}

Result<std::vector<std::string>> CrashDisk::list(const std::string& directory) {
  const std::lock_guard lock(mutex_);
  std::vector<std::string> names;
  for (const auto& [path, node] : names_) {
    if (parent_directory(path) == directory) names.push_back(path.substr(directory.size() + 1));
  }
  return names;
}

bool CrashDisk::exists(const std::string& path) {
  const std::lock_guard lock(mutex_);
  const auto at = names_.lower_bound(path);
  return at != names_.end() && (at->first == path || at->first.starts_with(path + "/"));
}

Status CrashDisk::make_directories(const std::string&) { return {}; }

Status CrashDisk::remove(const std::string& path) {
  const std::lock_guard lock(mutex_);
  if (remove_fails_) return fail(ErrorCode::unavailable, "remove fails");
  if (names_.erase(path) == 0) return fail(ErrorCode::not_found, "no such file: " + path);
  return {};
}

Status CrashDisk::rename(const std::string& from, const std::string& to) {
  const std::lock_guard lock(mutex_);
  const auto found = names_.find(from);
  if (found == names_.end()) return fail(ErrorCode::not_found, "no such file: " + from);
  names_[to] = found->second;
  names_.erase(from);
  return {};
}

Status CrashDisk::sync_directory(const std::string& directory) {
  const std::lock_guard lock(mutex_);
  if (sync_directory_fails_) return fail(ErrorCode::unavailable, "sync of directory fails");
  const auto inside = [&](const auto& entry) { return parent_directory(entry.first) == directory; };
  std::erase_if(durable_names_, inside);
  for (const auto& entry : names_) {
    if (inside(entry)) durable_names_.insert(entry);
  }
  return {};
}

Result<std::uint64_t> CrashDisk::free_bytes(const std::string&) {
  const std::lock_guard lock(mutex_);
  const std::uint64_t used = used_bytes_locked();
  return capacity_ > used ? capacity_ - used : 0;
}

void CrashDisk::lose_power(Random& random) {
  const std::lock_guard lock(mutex_);
  std::map<std::string, std::shared_ptr<Node>> left;
  for (const auto& entry : durable_names_) {
    const auto now = names_.find(entry.first);
    const bool same = now != names_.end() && now->second == entry.second;
    if (same || random.chance(0.5)) left.insert(entry);
  }
  for (const auto& entry : names_) {
    if (!left.contains(entry.first) && !durable_names_.contains(entry.first) &&
        random.chance(0.5)) {
      left.insert(entry);
    }
  }
  for (const auto& entry : left) {
    Node& node = *entry.second;
    node.bytes = survivor(node, random);
    node.versions.assign(1, node.bytes);
  }
  names_ = left;
  durable_names_ = left;
}

void CrashDisk::set_capacity(std::uint64_t bytes) {
  const std::lock_guard lock(mutex_);
  capacity_ = bytes;
}
std::uint64_t CrashDisk::used_bytes() {
  const std::lock_guard lock(mutex_);
  return used_bytes_locked();
}
std::uint64_t CrashDisk::used_bytes_locked() const {
  std::uint64_t used = 0;
  for (const auto& [path, node] : names_) used += node->bytes.size();
  return used;
}
void CrashDisk::fail_sync(bool fails, ErrorCode code) {
  const std::lock_guard lock(mutex_);
  sync_fails_ = fails;
  sync_failure_code_ = code;
}
void CrashDisk::fail_sync_directory(bool fails) {
  const std::lock_guard lock(mutex_);
  sync_directory_fails_ = fails;
}
void CrashDisk::fail_truncate(bool fails) {
  const std::lock_guard lock(mutex_);
  truncate_fails_ = fails;
}
void CrashDisk::fail_read(bool fails) {
  const std::lock_guard lock(mutex_);
  read_fails_ = fails;
}
void CrashDisk::fail_remove(bool fails) {
  const std::lock_guard lock(mutex_);
  remove_fails_ = fails;
}

std::string CrashDisk::content(const std::string& path) {
  const std::lock_guard lock(mutex_);
  return names_.at(path)->bytes;
}
void CrashDisk::set_content(const std::string& path, std::string bytes) {
  const std::lock_guard lock(mutex_);
  auto& node = names_[path];
  if (!node) node = std::make_shared<Node>();
  durable_names_[path] = node;
  node->versions.assign(1, bytes);
  node->bytes = std::move(bytes);
}

TEST(CrashDisk, MixesSectorsOfWhatWasNotSynced) {
  bool mixed = false;
  for (std::uint64_t seed = 0; seed < 50; ++seed) {
    CrashDisk disk;
    Random random(seed);
    const auto file = disk.open("/d/f", OpenMode::append);
    const std::string synced(700, 's');
    const std::string more(2000, 'm');
    ASSERT_TRUE((*file)->append(std::as_bytes(std::span(synced))));
    ASSERT_TRUE((*file)->sync());
    ASSERT_TRUE(disk.sync_directory("/d"));
    ASSERT_TRUE((*file)->append(std::as_bytes(std::span(more))));
    disk.lose_power(random);
    const std::string left = disk.content("/d/f");
    ASSERT_EQ(left.substr(0, 700), synced);
    mixed |= left.size() == 2700 && left.contains('\0') && left.contains('m');
  }
  EXPECT_TRUE(mixed);
}

}  // namespace ficus::log
