#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/disk.h"
#include "base/random.h"

namespace ficus::sim {

enum class Death : std::uint8_t {
  kill,        // of the process: what was written stays, synced or not
  power_loss,  // what was not synced stays or goes, sector by sector and name by name
};

// The disk of a simulated machine. Every call is an I/O at which the process may die; from then on
// every call fails until revive(). One thread.
//
// What may happen to it beyond a crash: no room, syncs that fail or are slow, reads that fail, a
// bit that flips in stored data, a write that lands in another place. Damage is remembered, so that
// the simulation can tell what it did and can take it back.
class SimDisk final : public Disk {
 public:
  explicit SimDisk(ManualClock& clock) : clock_(clock) {}

  Result<std::unique_ptr<File>> open(const std::string& path, OpenMode mode) override;
  Result<std::vector<std::string>> list(const std::string& directory) override;
  bool exists(const std::string& path) override;
  Status make_directories(const std::string& path) override;
  Status remove(const std::string& path) override;
  Status rename(const std::string& from, const std::string& to) override;
  Status sync_directory(const std::string& path) override;
  Result<std::uint64_t> free_bytes(const std::string& path) override;

  // --- the process's death

  // The process dies inside the n-th I/O from now; one that appends leaves a part of its bytes.
  void die_at(std::uint64_t ios_from_now) { ios_to_death_ = ios_from_now; }
  void live_on() { ios_to_death_.reset(); }  // takes it back, if it is not dead yet
  void die_now() { is_dead_ = true; }
  bool is_dead() const { return is_dead_; }
  bool was_killed() const { return was_killed_; }  // by die_at
  const bool& death() const { return is_dead_; }   // the same, as it changes
  // An I/O that is not the disk's own (the history's commit): false if the process died in it.
  bool io();
  // The machine is there again.
  void revive(Death death, Random& random);

  // --- faults

  void set_capacity(std::optional<std::uint64_t> bytes) { capacity_ = bytes; }
  void set_sync_fails(bool fails) { sync_fails_ = fails; }
  void set_sync_takes(Micros time) { sync_takes_ = time; }
  void fail_reads(std::uint32_t count) { reads_to_fail_ = count; }
  bool has_failed_reads() const { return has_failed_reads_; }

  // One bit flips in stored data whose end is known from other records behind it: in a log segment
  // before the last record, in a snapshot anywhere. Which file, or empty if there is none.
  std::string flip_bit(Random& random);
  // One in every snapshot of one log.
  std::string flip_bits_of_snapshots(Random& random);
  // The next append to a log segment lands further in front in the same file. Zeros stay in its
  // own place.
  void misdirect_next_write(Random& random) { misdirect_seed_ = random.next() | 1U; }
  // The damaged file, while there is damage.
  const std::string& damaged_file() const { return damaged_; }
  // The damage as if it had never been.
  void heal();

  // --- for the checker

  std::uint64_t used_bytes() const;
  std::uint64_t io_count() const { return ios_; }
  std::uint64_t sync_count() const { return syncs_; }
  std::uint64_t hash() const;  // of all names and bytes
  // A disk with the same files, for looking into them at any time: it never dies.
  std::unique_ptr<SimDisk> copy() const;

  struct Write {
    std::uint64_t offset = 0;
    std::string bytes;  // of a truncation: none
    std::uint64_t size_after = 0;
  };
  struct Node {
    std::string bytes;
    std::string synced;
    std::vector<Write> unsynced;
    std::uint64_t witnessed = 0;   // before it, damage shows by what was synced behind it
    std::uint64_t dirty_from = 0;  // bytes and synced are the same before
  };

 private:
  friend class SimFile;
  void flip(const std::string& name, std::uint64_t offset, Random& random);
  std::unexpected<Error> dead() const;
  Status append(Node& node, const std::string& path, std::span<const std::byte> bytes);
  void write(Node& node, std::uint64_t offset, std::string_view bytes);
  bool misdirect(Node& node, const std::string& path, std::string_view bytes);
  void truncate(Node& node, std::uint64_t size);
  Status sync(Node& node);
  static void lose_unsynced(Node& node, Random& random);
  void lose_names(Random& random);

  ManualClock& clock_;
  std::map<std::string, std::shared_ptr<Node>> names_;
  std::map<std::string, std::shared_ptr<Node>> durable_names_;
  bool is_dead_ = false;
  bool was_killed_ = false;
  std::optional<std::uint64_t> ios_to_death_;
  std::uint64_t ios_ = 0;
  std::uint64_t syncs_ = 0;
  std::optional<std::uint64_t> capacity_;
  bool sync_fails_ = false;
  Micros sync_takes_;
  std::uint32_t reads_to_fail_ = 0;
  bool has_failed_reads_ = false;
  std::uint64_t misdirect_seed_ = 0;

  struct Damage {
    std::shared_ptr<Node> node;
    std::uint64_t offset = 0;
    std::string sound;
  };
  std::vector<Damage> damage_;
  std::string damaged_;
};

}  // namespace ficus::sim
