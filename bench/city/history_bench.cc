// Measures history over vehicle tracks: feed, bytes a row, questions. Run by bench/city/history.
//
//   city_history DIRECTORY VEHICLES SECONDS [keep|feed]
//
// Prints one "name value" a line. DIRECTORY must not exist; it is removed unless `keep` is given.
// `feed`: no questions, no sealing, for a profile.
#include <fmt/format.h>
#include <sys/resource.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "base/check.h"
#include "base/clock.h"
#include "base/disk.h"
#include "history/duck.h"
#include "history/duck_history.h"
#include "history/feed.h"
#include "vehicle_tracks.h"

namespace ficus::bench {
namespace {

using history::FeedItem;
using history::HistoryFeed;

constexpr std::int64_t kBegin = 1'795'392'000;  // 2026-11-23T00:00:00Z
// Two ways to say "every five minutes".
constexpr const char* kByNumber = "epoch_us(\"observedAt\") // 300000000";
constexpr const char* kByTimeBucket = "time_bucket(INTERVAL '5 minutes', \"observedAt\")";
constexpr std::size_t kBatchRows = 512;  // what one socket read of a busy loop brings

double processor_seconds() {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& t) {
    return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) * 1e-6;
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

template <typename T>
T must(Result<T> result) {
  if (result) return std::move(*result);
  fmt::print(stderr, "{}\n", result.error().message);
  std::exit(1);
}

class CountingSink final : public history::RowSink {
 public:
  void columns(std::span<const history::ResultColumn>) override {}
  bool row(std::span<const history::Cell>) override {
    ++rows;
    return true;
  }
  std::uint64_t rows = 0;
};

class Bench {
 public:
  Bench(std::string directory, std::uint32_t vehicles, std::int64_t seconds)
      : vehicles_(vehicles), seconds_(seconds), tracks_(schema_, vehicles, 42) {
    options_.directory = std::move(directory);
    options_.threads = 1;
    options_.seal_in_background = false;
    options_.tail_rows_max = UINT64_MAX;
    open();
  }

  void run(bool only_feed) {
    feed();
    if (only_feed) return;
    ask("tail");
    seal();
    ask("sealed");
    history_.reset();
    floor();
  }

 private:
  void open() {
    history_.reset();
    history::MaintenanceReport report;
    history_ = must(history::open_duck_history(options_, schema_, disk_, clock_, report));
  }

  // Generating is not measured: it happens between the pushes, and its time is taken off.
  void feed() {
    Random random(7);
    const std::uint64_t start[] = {0};
    double generating = 0;
    std::uint64_t rows_fed = 0;
    std::uint64_t position = 0;
    double used = -processor_seconds();
    double last_used = used;
    {
      HistoryFeed feed(*history_, clock_, {.queue_items_max = 64}, {}, start);
      for (std::int64_t second = 0; second < seconds_; ++second) {
        const double before = thread_seconds();
        auto batches = tracks_.second(kBegin + second, kBatchRows);
        generating += thread_seconds() - before;
        for (auto& batch : batches) {
          FeedItem item;
          item.position_end = ++position;
          history::Rows rows;
          rows_fed += batch->row_count();
          rows.batch = std::move(batch);
          rows.source = "vehicles";
          rows.received_at = Timestamp::from_seconds(kBegin + second) +
                             Micros{static_cast<std::int64_t>(20'000 + random.below(180'000))};
          item.rows.push_back(std::move(rows));
          FICUS_CHECK(feed.push(std::move(item)));
        }
      }
      FICUS_CHECK(feed.flush_and_stop(Micros::from_seconds(120)).has_value());
      last_used = processor_seconds();
    }
    used += last_used - generating;
    rows_ = rows_fed;
    fmt::print("rows {}\nfeed_processor_seconds {:.3f}\nfeed_rows_per_second {:.0f}\n", rows_fed,
               used, static_cast<double>(rows_fed) / used);
  }

  static double thread_seconds() {
    timespec t{};
    ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_nsec) * 1e-9;
  }

  void seal() {
    options_.tail_rows_max = 1;
    open();
    const double before = processor_seconds();
    auto report = must(history_->maintain(Timestamp::from_seconds(kBegin + seconds_)));
    for (const std::string& problem : report.problems) fmt::print(stderr, "{}\n", problem);
    FICUS_CHECK(!report.sealed.empty());
    const double used = processor_seconds() - before;
    const history::HistoryFigures figures = history_->figures();
    FICUS_CHECK(figures.rows_sealed == rows_);
    fmt::print("seal_rows_per_second {:.0f}\nsealed_bytes_per_row {:.3f}\n",
               static_cast<double>(rows_) / used,
               static_cast<double>(figures.bytes_sealed) / static_cast<double>(rows_));
  }

  double milliseconds(const std::function<void()>& work, int times) {
    std::vector<double> took;
    for (int i = 0; i < times; ++i) {
      const Micros before = clock_.monotonic();
      work();
      took.push_back((clock_.monotonic() - before).seconds() * 1000);
    }
    std::sort(took.begin(), took.end());
    return took[took.size() / 2];
  }

  void ask(const char* where) {
    const std::int64_t hour_begin = kBegin + std::max<std::int64_t>(0, seconds_ - 3600);
    std::uint32_t vehicle = 0;
    const auto id = [&] {
      return fmt::format("urn:ngsi-ld:Vehicle:veh-{:05}", (vehicle += 37) % vehicles_);
    };
    const double series = milliseconds(
        [&] {
          CountingSink sink;
          history::SeriesRequest request{.type = "Vehicle",
                                         .id = id(),
                                         .attributes = {"speed"},
                                         .from = Timestamp::from_seconds(hour_begin),
                                         .to = Timestamp::from_seconds(hour_begin + 3600),
                                         .points_max = 4000,
                                         .limits = {}};
          (void)must(history_->series(request, sink));
          FICUS_CHECK(sink.rows >=
                      static_cast<std::uint64_t>(std::min<std::int64_t>(seconds_, 3600)));
        },
        31);
    const double rows = milliseconds(
        [&] {
          CountingSink sink;
          (void)must(history_->query(
              fmt::format("SELECT \"observedAt\", speed, heading, location, fuel, status FROM "
                          "Vehicle WHERE id = '{}' AND \"observedAt\" >= to_timestamp({}) AT TIME "
                          "ZONE 'UTC' AND \"observedAt\" < to_timestamp({}) AT TIME ZONE 'UTC'",
                          id(), hour_begin, hour_begin + 3600),
              {}, sink));
        },
        31);
    const auto average_by = [&](const char* bucket) {
      return milliseconds(
          [&] {
            CountingSink sink;
            (void)must(history_->query(average_statement(bucket, "Vehicle"), {}, sink));
            FICUS_CHECK(sink.rows >= 1);
          },
          7);
    };
    const double average = average_by(kByNumber);
    const double time_bucket = average_by(kByTimeBucket);
    fmt::print(
        "{0}_series_ms {1:.2f}\n{0}_one_vehicle_ms {2:.2f}\n{0}_average_ms {3:.1f}\n"
        "{0}_time_bucket_ms {4:.1f}\n",
        where, series, rows, average, time_bucket);
  }

  std::string average_statement(const char* bucket, const std::string& from) const {
    return fmt::format(
        "SELECT {} AS t, avg(speed) FROM {} WHERE \"observedAt\" >= make_timestamp({}) GROUP BY t "
        "ORDER BY t",
        bucket, from, (kBegin + std::max<std::int64_t>(0, seconds_ - 3600)) * 1'000'000);
  }

  // Plain DuckDB over the same rows: a table fed by SQL, a Parquet file with its defaults.
  void floor() {
    const std::string sealed = sealed_file();
    const std::string plain = options_.directory + "/floor.parquet";
    history::DuckSettings settings;
    settings.path = options_.directory + "/floor.duckdb";
    settings.directory = options_.directory;
    settings.spill_directory = options_.directory + "/spill";
    settings.memory_bytes_max = options_.memory_bytes_max;
    settings.spill_bytes_max = options_.spill_bytes_max;
    const auto database = must(history::DuckDatabase::open(settings));
    const auto duck = must(history::DuckConnection::open(*database));
    const auto run = [&](const std::string& sql) { (void)must(duck->select(sql)); };
    for (const history::DatumRow& row : must(duck->select(
             "SELECT path_in_schema, sum(total_compressed_size)::DOUBLE FROM parquet_metadata('" +
             sealed + "') GROUP BY 1 ORDER BY 2 DESC"))) {
      fmt::print("column {} {:.4f}\n", history::text_of(row[0]),
                 std::get<double>(row[1]) / static_cast<double>(rows_));
    }
    const std::string rows =
        "SELECT id, \"observedAt\", \"receivedAt\", source, speed::DOUBLE AS speed, "
        "heading::DOUBLE AS heading, location.lon::DOUBLE AS lon, location.lat::DOUBLE AS lat, "
        "fuel::DOUBLE AS fuel, status FROM read_parquet('" +
        sealed + "') ORDER BY \"observedAt\"";
    run("CREATE TEMP TABLE given AS " + rows);
    double used = -processor_seconds();
    run("CREATE TABLE plain AS SELECT * FROM given");
    used += processor_seconds();
    run("COPY given TO '" + plain + "' (FORMAT parquet)");
    const double bytes = static_cast<double>(std::filesystem::file_size(plain));
    const std::string table = "read_parquet('" + plain + "')";
    const double one = milliseconds(
        [&] {
          run("SELECT max(speed + heading + lon + lat + fuel), max(status) FROM " + table +
              " WHERE id = 'urn:ngsi-ld:Vehicle:veh-00037'");
        },
        7);
    const double average = milliseconds([&] { run(doubles(kByNumber, table)); }, 7);
    const double time_bucket = milliseconds([&] { run(doubles(kByTimeBucket, table)); }, 7);
    fmt::print(
        "floor_feed_rows_per_second {:.0f}\nfloor_bytes_per_row {:.3f}\nfloor_one_vehicle_ms "
        "{:.2f}\nfloor_average_ms {:.1f}\nfloor_time_bucket_ms {:.1f}\n",
        static_cast<double>(rows_) / used, bytes / static_cast<double>(rows_), one, average,
        time_bucket);
  }

  // `select` gives small answers of a few types only, so the floor's are counted inside.
  std::string doubles(const char* bucket, const std::string& from) const {
    return "SELECT count(*) FROM (" + average_statement(bucket, from) + ")";
  }

  std::string sealed_file() const {
    for (const auto& entry : std::filesystem::directory_iterator(options_.directory + "/Vehicle")) {
      return entry.path().string();
    }
    return "";
  }

  SystemClock clock_;
  PosixDisk disk_;
  Schema schema_;
  std::uint32_t vehicles_;
  std::int64_t seconds_;
  VehicleTracks tracks_;
  history::DuckHistoryOptions options_;
  std::unique_ptr<history::History> history_;
  std::uint64_t rows_ = 0;
};

}  // namespace
}  // namespace ficus::bench

int main(int count, char** words) {
  if (count < 4) {
    fmt::print(stderr, "usage: city_history DIRECTORY VEHICLES SECONDS [keep|feed]\n");
    return 2;
  }
  const std::string mode = count > 4 ? words[4] : "";
  const std::string directory = std::filesystem::absolute(words[1]);
  FICUS_CHECK(!std::filesystem::exists(directory));
  ficus::bench::Bench(directory, static_cast<std::uint32_t>(std::atoi(words[2])),
                      std::atoi(words[3]))
      .run(mode == "feed");
  if (mode != "keep") std::filesystem::remove_all(directory);
  return 0;
}
