#include "connect/files/files_link.h"

#include <gtest/gtest.h>

#include <condition_variable>
#include <mutex>
#include <optional>

#include "connect/ingest/engine_testing.h"
#include "net/loopback_testing.h"

namespace ficus::connect {
namespace {

constexpr std::string_view kSources = R"(
sources:
  - name: archive
    files: {folder: /in, every: 1s, quiet: 1s}
    map: &meter
      type: Meter
      id: "urn:ngsi-ld:Meter:{$.id}"
      observed_at: received
      attributes: {level: $.level}
  - name: other
    files: {folder: /elsewhere, every: 1s}
    map: *meter
)";
constexpr std::string_view kTypes =
    "types:\n  Meter:\n    attributes:\n      level: {kind: number}\n";

// A mount that hangs: whoever looks into a folder waits until it is let go.
class HangingDisk final : public Disk {
 public:
  Result<std::vector<std::string>> list(const std::string&) override {
    std::unique_lock lock(mutex_);
    is_asked_ = true;
    ++inside_;
    changed_.notify_all();
    changed_.wait(lock, [this] { return is_released_; });
    --inside_;
    changed_.notify_all();
    return std::vector<std::string>{};
  }
  ~HangingDisk() override {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return inside_ == 0; });
  }
  void wait_until_asked() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return is_asked_; });
  }
  void release() {
    const std::lock_guard lock(mutex_);
    is_released_ = true;
    changed_.notify_all();
  }

  Result<std::unique_ptr<File>> open(const std::string& path, OpenMode mode) override {
    return disk_.open(path, mode);
  }
  bool exists(const std::string& path) override { return disk_.exists(path); }
  Status make_directories(const std::string& path) override { return disk_.make_directories(path); }
  Status remove(const std::string& path) override { return disk_.remove(path); }
  Status rename(const std::string& a, const std::string& b) override { return disk_.rename(a, b); }
  Status sync_directory(const std::string& path) override { return disk_.sync_directory(path); }
  Result<std::uint64_t> free_bytes(const std::string& path) override {
    return disk_.free_bytes(path);
  }

 private:
  MemoryDisk disk_;
  std::mutex mutex_;
  std::condition_variable changed_;
  int inside_ = 0;
  bool is_asked_ = false;
  bool is_released_ = false;
};

class FilesLinkTest : public testing::Test {
 protected:
  std::unique_ptr<FilesLink> open() {
    auto link = FilesLink::open({.loop = house_.loop,
                                 .ingest = *house_.ingest,
                                 .secrets = secrets_,
                                 .disk = disk_,
                                 .clock = house_.clock,
                                 .logger = house_.logger},
                                share("archive"), {}, {});
    EXPECT_TRUE(link) << link.error().message;
    return *std::move(link);
  }
  std::shared_ptr<const Source> share(std::string_view name) {
    return house_.sources.share(*house_.sources.find(name));
  }

  EngineHouse house_{kSources, kTypes};
  HangingDisk disk_;
  SecretReader secrets_{house_.disk,
                        [](const std::string&) { return std::optional<std::string>(); }};
};

TEST_F(FilesLinkTest, EndsWithoutWaitingForAFolderThatHangs) {
  auto link = open();
  net::run_for(house_.loop, Micros::from_millis(10));
  disk_.wait_until_asked();
  const Micros begun = house_.clock.monotonic();
  link->end();
  EXPECT_FALSE(link->is_ended());
  net::run_for(house_.loop, Micros::from_millis(10));
  EXPECT_LT(house_.clock.monotonic() - begun, Micros::from_millis(500));
  disk_.release();
  EXPECT_TRUE(net::run_until(house_.loop, [&] { return link->is_ended(); }));
  link.reset();
}

TEST_F(FilesLinkTest, IsLeftBehindWhenAllStops) {
  auto link = open();
  net::run_for(house_.loop, Micros::from_millis(10));
  disk_.wait_until_asked();
  const Micros begun = house_.clock.monotonic();
  link.reset();
  EXPECT_LT(house_.clock.monotonic() - begun, Micros::from_seconds(5));
  disk_.release();
  // Its thread ends by itself and tells nobody.
  net::run_for(house_.loop, Micros::from_millis(50));
}

TEST_F(FilesLinkTest, KnowsWhatIsFetchedAlike) {
  disk_.release();
  const auto link = open();
  EXPECT_TRUE(link->fetches_alike(*share("archive")));
  EXPECT_FALSE(link->fetches_alike(*share("other")));
}

}  // namespace
}  // namespace ficus::connect
