// A random life of a log beside a model in memory: appends, writes, syncs, full disks, kills, power
// losses, truncations and snapshots, from a seed. Whatever happens, what was durable is there, what
// is there was written there, and recovery never fails.

#include <gtest/gtest.h>

#include <algorithm>

#include "base/random.h"
#include "log/crash_disk.h"
#include "log/format.h"
#include "log/log_check.h"
#include "log/log_test_support.h"
#include "log/snapshot.h"

namespace ficus::log {
namespace {

class Life {
 public:
  explicit Life(std::uint64_t seed) : random_(seed) {
    options_.segment_bytes_max = 200 + random_.below(3000);
    options_.buffer_bytes_max = 4000;
    options_.payload_bytes_max = 2000;
  }

  void run(int steps) {
    reopen();
    for (int i = 0; i < steps && !testing::Test::HasFatalFailure(); ++i) step();
    if (!testing::Test::HasFatalFailure()) crash(/*power=*/true);
  }

 private:
  void step() {
    const std::uint64_t dice = random_.below(100);
    if (dice < 50)
      append();
    else if (dice < 66)
      write();
    else if (dice < 78)
      sync();
    else if (dice < 83)
      write_on_full_disk();
    else if (dice < 86)
      truncate();
    else if (dice < 89)
      snapshot();
    else if (dice < 91)
      mark();
    else if (dice < 92)
      close();
    else if (dice < 93)
      lose_sync();
    else
      crash(random_.chance(0.7));
  }

  std::string payload() {
    std::string bytes(random_.below(random_.chance(0.1) ? 1500 : 150), '\0');
    for (char& c : bytes) c = static_cast<char>(random_.next());
    if (random_.chance(0.1)) return std::string(bytes.size(), '\0');
    if (random_.chance(0.2)) bytes = forged(bytes);
    return bytes;
  }

  // A payload that holds what looks like a record of exactly the place where it will stand, and
  // claims that everything before is durable. Only the salt is not known to its sender.
  std::string forged(const std::string& tail) {
    std::vector<std::byte> record(kRecordHeaderBytes + tail.size());
    const Position place = log_->end() + kRecordHeaderBytes;
    seal_record({.payload_bytes = static_cast<std::uint32_t>(tail.size()),
                 .position = place,
                 .durable = place,
                 .time = {},
                 .salt = kTestSalt + 1,
                 .kind = RecordKind{7}},
                record);
    return text_of(record);
  }

  void append() {
    Kept kept;
    kept.kind = RecordKind{static_cast<std::uint8_t>(1 + random_.below(254))};
    kept.time = {static_cast<std::int64_t>(random_.next())};
    kept.payload = payload();
    const std::size_t cut = kept.payload.empty() ? 0 : random_.below(kept.payload.size());
    const std::span<const std::byte> parts[] = {bytes_of(kept.payload).first(cut),
                                                bytes_of(kept.payload).subspan(cut)};
    const Result<Position> at = log_->append(kept.kind, kept.time, parts);
    if (!at) {
      ASSERT_EQ(at.error().code, ErrorCode::overloaded);
      return;
    }
    kept.position = *at;
    kept.end = log_->end();
    records_.push_back(std::move(kept));
  }

  void forget_behind(Position end) {
    while (!records_.empty() && records_.back().end > end) records_.pop_back();
  }

  void write() {
    const bool restores_tail = log_->buffered_bytes() > 0;
    ASSERT_TRUE(log_->write());
    if (restores_tail) ghosts_.clear();
  }

  void sync() {
    const Result<Position> at = log_->sync();
    ASSERT_TRUE(at);
    ASSERT_EQ(*at, log_->written_end());
    ASSERT_EQ(log_->durable_end(), *at);
    durable_ = *at;
  }

  void write_on_full_disk() {
    disk_.set_capacity(disk_.used_bytes() + random_.below(300));
    const bool truncate_fails = random_.chance(0.3);
    disk_.fail_truncate(truncate_fails);
    const Position before = log_->written_end();
    const bool restores_tail = log_->buffered_bytes() > 0;
    const Status written = log_->write();
    disk_.set_capacity(UINT64_MAX);
    disk_.fail_truncate(false);
    if (written && !restores_tail) return;
    // Unless it failed before it wrote, because the tail of an earlier one could not be cut back
    // now.
    if (written || written.error().code == ErrorCode::disk_full) ghosts_.clear();
    if (written) return;
    if (truncate_fails && written.error().code == ErrorCode::disk_full) {
      for (const Kept& kept : records_) {
        if (kept.position >= before) ghosts_.push_back(kept);
      }
    }
    // A tail broken before that cannot be cut back now is a failing device.
    if (!truncate_fails) {
      ASSERT_EQ(written.error().code, ErrorCode::disk_full);
    }
    ASSERT_EQ(log_->written_end(), before);
    if (random_.chance(0.5)) {
      log_->discard_unwritten();
      ASSERT_EQ(log_->end(), before);
      forget_behind(before);
    }
  }

  void truncate() {
    if (records_.empty()) return;
    const Position at = records_[random_.below(records_.size())].position;
    ASSERT_TRUE(log_->truncate_before(at));
    ASSERT_LE(log_->begin(), std::max(at, begin_));
    begin_ = std::max(begin_, at);
  }

  void snapshot() {
    sync();
    const Position at = log_->durable_end();
    {
      const auto writer = SnapshotWriter::create(disk_, kTestDirectory, at);
      ASSERT_TRUE(writer);
      ASSERT_TRUE((*writer)->begin_section("view"));
      ASSERT_TRUE((*writer)->append(bytes_of(std::to_string(at.offset))));
      if (random_.chance(0.2)) return;  // abandoned
      ASSERT_TRUE((*writer)->finish());
    }
    snapshot_ = at;
    const auto kept = remove_old_snapshots(disk_, kTestDirectory);
    ASSERT_TRUE(kept);
    ASSERT_LE(kept->positions.size(), 2U);
    ASSERT_EQ(kept->positions.back(), at);
    ASSERT_TRUE(log_->truncate_before(kept->positions.front()));
    begin_ = std::max(begin_, kept->positions.front());
  }

  void mark() {
    const Status marked = log_->append_durable_mark({});
    if (!marked) {
      ASSERT_EQ(marked.error().code, ErrorCode::overloaded);
    }
  }

  void close() {
    ASSERT_TRUE(log_->close({}));
    ghosts_.clear();
    durable_ = log_->durable_end();
    reopen();
  }

  // A failing device: nothing more is accepted until the log is opened anew.
  void lose_sync() {
    append();
    write();
    disk_.fail_sync(true);
    ASSERT_FALSE(log_->sync());
    disk_.fail_sync(false);
    ASSERT_FALSE(log_->sync());
    ASSERT_FALSE(log_->write());
    ASSERT_EQ(log_->durable_end(), durable_);
    crash(/*power=*/true);
  }

  void crash(bool power) {
    if (!power) durable_ = log_->written_end();  // the kernel still has it all
    forget_behind(log_->written_end());
    records_.insert(records_.end(), ghosts_.begin(), ghosts_.end());
    ghosts_.clear();
    log_.reset();
    if (power) disk_.lose_power(random_);
    reopen();
  }

  void reopen() {
    RecoverOptions recover_options;
    if (random_.chance(0.5)) recover_options = {snapshot_, snapshot_};
    log_.reset();
    Result<std::unique_ptr<LogWriter>> log = open_log(disk_, options_, recover_options);
    ASSERT_TRUE(log) << log.error().message;
    log_ = std::move(*log);
    ASSERT_GE(log_->end(), durable_);
    ASSERT_LE(log_->begin(), begin_);  // or records are missing that were never truncated
    durable_ = log_->end();
    forget_behind(log_->end());
    compare();
  }

  void compare() {
    std::vector<Kept> found;
    const Status status = read_all(disk_, log_->begin(), found);
    ASSERT_TRUE(status) << status.error().message;
    std::vector<Kept> expected;
    for (const Kept& kept : records_) {
      if (kept.position >= log_->begin()) expected.push_back(kept);
    }
    ASSERT_EQ(found.size(), expected.size());
    for (std::size_t i = 0; i < found.size(); ++i) {
      ASSERT_TRUE(found[i] == expected[i]) << i;
    }
    const CheckReport report = check(disk_, kTestDirectory);
    ASSERT_TRUE(report.sound()) << report.problems.front();
    ASSERT_EQ(report.torn_bytes, 0U) << report.torn_reason;
    ASSERT_EQ(report.end, log_->end());
    const auto search = find_newest_snapshot(disk_, kTestDirectory);
    ASSERT_TRUE(search);
    ASSERT_TRUE(search->skipped.empty());
    ASSERT_EQ(search->newest ? search->newest->position() : Position{}, snapshot_);
  }

  Random random_;
  LogOptions options_;
  CrashDisk disk_;
  std::unique_ptr<LogWriter> log_;
  std::vector<Kept> records_;
  std::vector<Kept>
      ghosts_;         // of a failed write that could not be cut back: a crash may bring them back
  Position durable_;   // acknowledged up to here
  Position begin_;     // the log may have been truncated up to here
  Position snapshot_;  // newest
};

TEST(LogModel, HoldsOverRandomLives) {
  for (std::uint64_t seed = 0; seed < 800; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Life(seed).run(150);
    if (HasFatalFailure()) return;
  }
}

}  // namespace
}  // namespace ficus::log
