// Writes vehicle tracks as files, in the form that each store of bench/city/compare takes them, in
// the order of time. The same arguments give the same rows.
//
//   city_tracks DIRECTORY VEHICLES SECONDS BEGIN [FORM...]
//
// BEGIN: unix seconds of the first reading. FORM: ndjson tsv lines import (default: all); rows.FORM
// is written.
//   ndjson   an object a line, for POST /ingest
//   tsv      columns, for COPY and INSERT
//   lines    the line protocol of InfluxDB, times in seconds
//   import   VictoriaMetrics' /api/v1/import: a series and its newest readings a line
#include <fmt/format.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <functional>
#include <iterator>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/check.h"
#include "vehicle_tracks.h"

namespace ficus::bench {
namespace {

struct Row {
  std::string_view id;
  std::int64_t second;
  double speed, heading, longitude, latitude, fuel;
  std::string_view status;
};

class File {
 public:
  explicit File(const std::string& path) : file_(std::fopen(path.c_str(), "wb")) {
    FICUS_CHECK(file_ != nullptr);
  }
  ~File() {
    flush();
    FICUS_CHECK(std::fclose(file_) == 0);
  }
  File(const File&) = delete;
  File& operator=(const File&) = delete;

  template <typename... Parts>
  void print(fmt::format_string<const Parts&...> form, const Parts&... parts) {
    fmt::format_to(std::back_inserter(buffer_), form, parts...);
    if (buffer_.size() > std::size_t{1} << 20) flush();
  }

 private:
  void flush() {
    FICUS_CHECK(std::fwrite(buffer_.data(), 1, buffer_.size(), file_) == buffer_.size());
    buffer_.clear();
  }
  std::FILE* file_;
  fmt::memory_buffer buffer_;
};

class Form {
 public:
  virtual ~Form() = default;
  virtual void row(const Row& row) = 0;
};

class Ndjson final : public Form {
 public:
  explicit Ndjson(const std::string& path) : file_(path) {}
  void row(const Row& r) override {
    file_.print(
        R"({{"vehicle":"{}","speed":{:.1f},"heading":{:.0f},"longitude":{:.6f},"latitude":{:.6f},)"
        R"("fuel":{:.1f},"status":"{}","time":{}}})"
        "\n",
        r.id, r.speed, r.heading, r.longitude, r.latitude, r.fuel, r.status, r.second);
  }

 private:
  File file_;
};

class Tsv final : public Form {
 public:
  explicit Tsv(const std::string& path) : file_(path) {}
  void row(const Row& r) override {
    if (r.second != second_) {
      second_ = r.second;
      const std::time_t time = r.second;
      std::tm utc{};
      ::gmtime_r(&time, &utc);
      std::array<char, 32> text{};
      std::strftime(text.data(), text.size(), "%Y-%m-%d %H:%M:%S", &utc);
      time_ = text.data();
    }
    file_.print("{}\t{}\t{:.1f}\t{:.0f}\t{:.6f}\t{:.6f}\t{:.1f}\t{}\n", r.id, time_, r.speed,
                r.heading, r.longitude, r.latitude, r.fuel, r.status);
  }

 private:
  File file_;
  std::int64_t second_ = -1;
  std::string time_;
};

class Lines final : public Form {
 public:
  explicit Lines(const std::string& path) : file_(path) {}
  void row(const Row& r) override {
    file_.print(
        "Vehicle,id={} "
        "speed={:.1f},heading={:.0f},lon={:.6f},lat={:.6f},fuel={:.1f},status=\"{}\" {}\n",
        r.id, r.speed, r.heading, r.longitude, r.latitude, r.fuel, r.status, r.second);
  }

 private:
  File file_;
};

// A collector that sends what it has heard in a minute. The status becomes a number:
// VictoriaMetrics keeps nothing else.
class Import final : public Form {
 public:
  explicit Import(const std::string& path) : file_(path) {}
  ~Import() override {
    for (auto& [id, readings] : vehicles_) write(id, readings);
  }
  Import(const Import&) = delete;
  Import& operator=(const Import&) = delete;

  void row(const Row& r) override {
    auto found = vehicles_.find(r.id);
    if (found == vehicles_.end()) found = vehicles_.emplace(r.id, Readings{}).first;
    Readings& readings = found->second;
    const char* comma = readings.count == 0 ? "" : ",";
    const auto add = [&](std::size_t i, double value, int decimals) {
      fmt::format_to(std::back_inserter(readings.values[i]), "{}{:.{}f}", comma, value, decimals);
    };
    add(0, r.speed, 1);
    add(1, r.heading, 0);
    add(2, r.longitude, 6);
    add(3, r.latitude, 6);
    add(4, r.fuel, 1);
    add(5, r.status == "parked" ? 0 : r.status == "stopped" ? 1 : 2, 0);
    fmt::format_to(std::back_inserter(readings.times), "{}{}000", comma, r.second);
    if (++readings.count == kReadingsOfLine) write(found->first, readings);
  }

 private:
  static constexpr int kReadingsOfLine = 60;
  static constexpr std::array<const char*, 6> kNames = {"speed", "heading", "lon",
                                                        "lat",   "fuel",    "status"};
  struct Readings {
    std::array<std::string, kNames.size()> values;
    std::string times;
    int count = 0;
  };

  void write(const std::string& id, Readings& readings) {
    if (readings.count == 0) return;
    for (std::size_t i = 0; i < kNames.size(); ++i) {
      file_.print(
          R"({{"metric":{{"__name__":"Vehicle_{}","id":"{}"}},"values":[{}],"timestamps":[{}]}})"
          "\n",
          kNames[i], id, readings.values[i], readings.times);
      readings.values[i].clear();
    }
    readings.times.clear();
    readings.count = 0;
  }

  File file_;
  std::map<std::string, Readings, std::less<>> vehicles_;
};

std::unique_ptr<Form> make_form(std::string_view name, const std::string& directory) {
  const std::string path = fmt::format("{}/rows.{}", directory, name);
  if (name == "ndjson") return std::make_unique<Ndjson>(path);
  if (name == "tsv") return std::make_unique<Tsv>(path);
  if (name == "lines") return std::make_unique<Lines>(path);
  if (name == "import") return std::make_unique<Import>(path);
  fmt::print(stderr, "there is no form {}: ndjson, tsv, lines or import\n", name);
  std::exit(2);
}

void write(std::uint32_t vehicles, std::int64_t seconds, std::int64_t begin,
           const std::vector<std::unique_ptr<Form>>& forms) {
  Schema schema;
  VehicleTracks tracks(schema, vehicles, 42);
  const auto column = [&](const ObservationBatch& batch, const char* name) -> const Column& {
    return *batch.find(schema.find_attribute(batch.type(), name).value());
  };
  for (std::int64_t second = begin; second < begin + seconds; ++second) {
    for (const auto& batch : tracks.second(second, ObservationBatch::kRowsMax)) {
      const Column& speed = column(*batch, "speed");
      const Column& heading = column(*batch, "heading");
      const Column& location = column(*batch, "location");
      const Column& fuel = column(*batch, "fuel");
      const Column& status = column(*batch, "status");
      for (std::size_t i = 0; i < batch->row_count(); ++i) {
        const GeoPoint& point = location.points[i];
        const Row row{batch->ids()[i], second,         speed.numbers[i], heading.numbers[i],
                      point.longitude, point.latitude, fuel.numbers[i],  status.texts[i]};
        for (const auto& form : forms) form->row(row);
      }
    }
  }
}

}  // namespace
}  // namespace ficus::bench

int main(int count, char** words) {
  if (count < 5) {
    fmt::print(stderr, "usage: city_tracks DIRECTORY VEHICLES SECONDS BEGIN [FORM...]\n");
    return 2;
  }
  std::vector<std::string_view> names(words + 5, words + count);
  if (names.empty()) names = {"ndjson", "tsv", "lines", "import"};
  std::vector<std::unique_ptr<ficus::bench::Form>> forms;
  for (const std::string_view name : names) {
    forms.push_back(ficus::bench::make_form(name, words[1]));
  }
  ficus::bench::write(static_cast<std::uint32_t>(std::atoi(words[2])), std::atoll(words[3]),
                      std::atoll(words[4]), forms);
  return 0;
}
