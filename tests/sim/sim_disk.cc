#include "sim_disk.h"

#include <algorithm>
#include <cstring>

#include "base/hash.h"

namespace ficus::sim {
namespace {

constexpr std::uint64_t kSectorBytes = 512;
constexpr std::uint64_t kFreeBytes = std::uint64_t{1} << 40;

bool is_segment(std::string_view path) { return path.ends_with(".log"); }
bool is_snapshot(std::string_view path) { return path.ends_with(".snap"); }

std::string directory_of(const std::string& path) { return parent_directory(path); }

}  // namespace

class SimFile final : public File {
 public:
  SimFile(SimDisk& disk, std::string path, std::shared_ptr<SimDisk::Node> node)
      : disk_(disk), path_(std::move(path)), node_(std::move(node)) {}

  Status append(std::span<const std::byte> bytes) override {
    return disk_.append(*node_, path_, bytes);
  }
  Status sync() override { return disk_.sync(*node_); }
  Result<std::size_t> read_at(std::uint64_t offset, std::span<std::byte> out) override {
    if (!disk_.io()) return disk_.dead();
    if (disk_.reads_to_fail_ > 0) {
      --disk_.reads_to_fail_;
      disk_.has_failed_reads_ = true;
      return fail(ErrorCode::unavailable, path_ + ": simulated read error");
    }
    const std::string& bytes = node_->bytes;
    if (offset >= bytes.size()) return std::size_t{0};
    const std::size_t count = std::min<std::size_t>(out.size(), bytes.size() - offset);
    if (count > 0) std::memcpy(out.data(), bytes.data() + offset, count);
    return count;
  }
  Result<std::uint64_t> size() override {
    if (disk_.is_dead()) return disk_.dead();
    return node_->bytes.size();
  }
  Status truncate(std::uint64_t size) override {
    if (!disk_.io()) return disk_.dead();
    disk_.truncate(*node_, size);
    return {};
  }

 private:
  SimDisk& disk_;
  const std::string path_;
  const std::shared_ptr<SimDisk::Node> node_;
};

std::unexpected<Error> SimDisk::dead() const {
  return fail(ErrorCode::unavailable, "the simulated process is dead");
}

bool SimDisk::io() {
  ++ios_;
  if (is_dead_) return false;
  if (!ios_to_death_ || (*ios_to_death_)-- > 0) return true;
  ios_to_death_.reset();
  is_dead_ = was_killed_ = true;
  return false;
}

Result<std::unique_ptr<File>> SimDisk::open(const std::string& path, OpenMode mode) {
  const auto found = names_.find(path);
  if (mode == OpenMode::read || (mode == OpenMode::append && found != names_.end())) {
    if (is_dead_) return dead();
    if (found == names_.end()) return fail(ErrorCode::not_found, path + " does not exist");
    return std::make_unique<SimFile>(*this, path, found->second);
  }
  if (!io()) return dead();
  std::shared_ptr<Node>& node = names_[path];
  if (node == nullptr) {
    node = std::make_shared<Node>();
  } else {
    truncate(*node, 0);
  }
  return std::make_unique<SimFile>(*this, path, node);
}

Result<std::vector<std::string>> SimDisk::list(const std::string& directory) {
  if (is_dead_) return dead();
  std::vector<std::string> names;
  const std::string prefix = directory + "/";
  for (auto at = names_.lower_bound(prefix); at != names_.end(); ++at) {
    if (!at->first.starts_with(prefix)) break;
    const std::string_view rest = std::string_view(at->first).substr(prefix.size());
    if (!rest.contains('/')) names.emplace_back(rest);
  }
  return names;
}

bool SimDisk::exists(const std::string& path) {
  if (names_.contains(path)) return true;
  const auto below = names_.lower_bound(path + "/");
  return below != names_.end() && below->first.starts_with(path + "/");
}

Status SimDisk::make_directories(const std::string&) {
  if (is_dead_) return dead();
  return {};
}

Status SimDisk::remove(const std::string& path) {
  if (!io()) return dead();
  if (names_.erase(path) == 0) return fail(ErrorCode::not_found, path + " does not exist");
  return {};
}

Status SimDisk::rename(const std::string& from, const std::string& to) {
  if (!io()) return dead();
  const auto found = names_.find(from);
  if (found == names_.end()) return fail(ErrorCode::not_found, from + " does not exist");
  names_[to] = found->second;
  names_.erase(from);
  return {};
}

Status SimDisk::sync_directory(const std::string& path) {
  if (!io()) return dead();
  clock_.advance(sync_takes_);
  if (sync_fails_) return fail(ErrorCode::unavailable, path + ": simulated failure of a sync");
  std::erase_if(durable_names_, [&](const auto& entry) {
    return directory_of(entry.first) == path && !names_.contains(entry.first);
  });
  for (const auto& [name, node] : names_) {
    if (directory_of(name) == path) durable_names_[name] = node;
  }
  return {};
}

Result<std::uint64_t> SimDisk::free_bytes(const std::string&) {
  if (is_dead_) return dead();
  if (!capacity_) return kFreeBytes;
  const std::uint64_t used = used_bytes();
  return used < *capacity_ ? *capacity_ - used : 0;
}

std::uint64_t SimDisk::used_bytes() const {
  std::uint64_t bytes = 0;
  for (const auto& [name, node] : names_) bytes += node->bytes.size();
  return bytes;
}

// ---- contents

void SimDisk::write(Node& node, std::uint64_t offset, std::string_view bytes) {
  node.dirty_from = std::min(node.dirty_from, offset);
  if (node.bytes.size() < offset + bytes.size()) node.bytes.resize(offset + bytes.size());
  node.bytes.replace(offset, bytes.size(), bytes);
  node.unsynced.push_back({offset, std::string(bytes), node.bytes.size()});
}

void SimDisk::truncate(Node& node, std::uint64_t size) {
  node.dirty_from = std::min<std::uint64_t>(node.dirty_from, std::min(size, node.bytes.size()));
  node.bytes.resize(size);
  node.witnessed = std::min(node.witnessed, size);
  node.unsynced.push_back({size, {}, size});
}

Status SimDisk::append(Node& node, const std::string& path, std::span<const std::byte> bytes) {
  std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  if (is_dead_) return dead();
  if (!io()) {
    // Who dies while it writes leaves a part.
    write(node, node.bytes.size(), text.substr(0, hash_mix(ios_, 7) % (text.size() + 1)));
    return dead();
  }
  const std::uint64_t free = *free_bytes(path);
  const bool fits = text.size() <= free;
  if (!fits) text = text.substr(0, free);
  if (!misdirect(node, path, text)) write(node, node.bytes.size(), text);
  if (!fits) return fail(ErrorCode::disk_full, path + ": simulated full disk");
  return {};
}

bool SimDisk::misdirect(Node& node, const std::string& path, std::string_view bytes) {
  if (misdirect_seed_ == 0 || !is_segment(path) || !damage_.empty() || bytes.empty()) return false;
  const std::uint64_t sectors = node.witnessed / kSectorBytes;
  if (sectors < 2) return false;
  const std::uint64_t place = (1 + misdirect_seed_ % (sectors - 1)) * kSectorBytes;
  misdirect_seed_ = 0;
  const auto at = names_.find(path);
  if (place + bytes.size() > node.witnessed || at == names_.end()) return false;
  damaged_ = path;
  const std::uint64_t own_place = node.bytes.size();
  damage_.push_back({at->second, place, node.bytes.substr(place, bytes.size())});
  damage_.push_back({at->second, own_place, std::string(bytes)});
  write(node, place, bytes);
  write(node, own_place, std::string(bytes.size(), '\0'));
  return true;
}

Status SimDisk::sync(Node& node) {
  if (!io()) return dead();
  ++syncs_;
  clock_.advance(sync_takes_);
  if (sync_fails_) return fail(ErrorCode::unavailable, "simulated failure of a sync");
  if (node.unsynced.empty()) return {};
  node.witnessed = std::min(node.synced.size(), node.bytes.size());
  const std::uint64_t same = std::min<std::uint64_t>(node.dirty_from, node.synced.size());
  node.synced.resize(same);
  node.synced.append(node.bytes, same);
  node.unsynced.clear();
  node.dirty_from = node.bytes.size();
  return {};
}

// ---- death

// Each sector holds what it held at the last sync or after any write since; the length likewise.
void SimDisk::lose_unsynced(Node& node, Random& random) {
  if (node.unsynced.empty()) return;
  const std::size_t versions = node.unsynced.size() + 1;
  const auto drawn = [&] { return static_cast<std::size_t>(random.below(versions)); };
  const std::size_t of_length = drawn();
  std::string bytes = node.synced;
  std::map<std::uint64_t, std::size_t> of_sector;
  for (std::size_t i = 0; i < node.unsynced.size(); ++i) {
    const Write& write = node.unsynced[i];
    for (std::uint64_t at = 0; at < write.bytes.size();) {
      const std::uint64_t offset = write.offset + at;
      const std::uint64_t sector = offset / kSectorBytes;
      const std::uint64_t count =
          std::min<std::uint64_t>(write.bytes.size() - at, (sector + 1) * kSectorBytes - offset);
      const auto [version, is_new] = of_sector.try_emplace(sector, 0);
      if (is_new) version->second = drawn();
      if (i < version->second) {
        if (bytes.size() < offset + count) bytes.resize(offset + count);
        bytes.replace(offset, count, write.bytes, at, count);
      }
      at += count;
    }
  }
  bytes.resize(of_length == 0 ? node.synced.size() : node.unsynced[of_length - 1].size_after);
  node.bytes = bytes;
  node.synced = std::move(bytes);
  node.unsynced.clear();
  node.dirty_from = node.bytes.size();
  node.witnessed = std::min<std::uint64_t>(node.witnessed, node.bytes.size());
}

void SimDisk::lose_names(Random& random) {
  std::map<std::string, std::shared_ptr<Node>> names;
  for (const auto& [name, node] : names_) {
    const auto before = durable_names_.find(name);
    const bool is_new = before == durable_names_.end() || before->second != node;
    if (!is_new || random.chance(0.5)) {
      names[name] = node;
    } else if (before != durable_names_.end()) {
      names[name] = before->second;
    }
  }
  for (const auto& [name, node] : durable_names_) {
    if (!names_.contains(name) && random.chance(0.5)) names[name] = node;
  }
  names_ = names;
  durable_names_ = std::move(names);
}

void SimDisk::revive(Death death, Random& random) {
  if (death == Death::power_loss) {
    std::erase_if(damage_, [](const Damage& d) { return d.offset >= d.node->synced.size(); });
    if (damage_.empty()) damaged_.clear();
    lose_names(random);
    for (const auto& [name, node] : names_) lose_unsynced(*node, random);
  }
  is_dead_ = was_killed_ = has_failed_reads_ = false;
  ios_to_death_.reset();
  sync_fails_ = false;
}

// ---- damage

std::string SimDisk::flip_bit(Random& random) {
  if (!damage_.empty()) return {};
  std::vector<std::pair<std::string, std::uint64_t>> places;  // how many bytes each has
  for (const auto& [name, node] : names_) {
    const std::uint64_t bytes = is_snapshot(name)  ? node->bytes.size()
                                : is_segment(name) ? node->witnessed
                                                   : 0;
    if (bytes > 0) places.emplace_back(name, bytes);
  }
  if (places.empty()) return {};
  const auto& [name, bytes] = places[random.below(places.size())];
  flip(name, random.below(bytes), random);
  return name;
}

std::string SimDisk::flip_bits_of_snapshots(Random& random) {
  if (!damage_.empty()) return {};
  std::vector<std::string> snapshots;
  for (const auto& [name, node] : names_) {
    if (is_snapshot(name) && !node->bytes.empty()) snapshots.push_back(name);
  }
  if (snapshots.empty()) return {};
  const std::string directory = directory_of(snapshots[random.below(snapshots.size())]);
  for (const std::string& name : snapshots) {
    if (directory_of(name) != directory) continue;
    flip(name, random.below(names_.at(name)->bytes.size()), random);
  }
  return directory;
}

void SimDisk::flip(const std::string& name, std::uint64_t offset, Random& random) {
  const std::shared_ptr<Node>& node = names_.at(name);
  damage_.push_back({node, offset, node->bytes.substr(offset, 1)});
  const char flipped = static_cast<char>(node->bytes[offset] ^ (1 << random.below(8)));
  node->bytes[offset] = flipped;
  if (offset < node->synced.size()) node->synced[offset] = flipped;
  damaged_ = name;
}

void SimDisk::heal() {
  for (const Damage& damage : damage_) {
    for (std::string* const bytes : {&damage.node->bytes, &damage.node->synced}) {
      if (damage.offset + damage.sound.size() > bytes->size()) continue;
      bytes->replace(damage.offset, damage.sound.size(), damage.sound);
    }
  }
  damage_.clear();
  damaged_.clear();
}

std::uint64_t SimDisk::hash() const {
  std::uint64_t hash = 0;
  for (const auto& [name, node] : names_) {
    hash = hash_mix(hash_mix(hash, hash64(name)), hash64(node->bytes));
  }
  return hash;
}

std::unique_ptr<SimDisk> SimDisk::copy() const {
  auto copy = std::make_unique<SimDisk>(clock_);
  for (const auto& [name, node] : names_) {
    copy->names_[name] = std::make_shared<Node>(*node);
  }
  return copy;
}

}  // namespace ficus::sim
