#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "log/log_reader.h"
#include "log/log_writer.h"
#include "log/recover.h"

// What several tests of this module need.
namespace ficus::log {

constexpr std::uint32_t kTestSalt = 0x5a17ed42;
constexpr const char* kTestDirectory = "/data/log";

inline std::span<const std::byte> bytes_of(std::string_view text) {
  return std::as_bytes(std::span(text));
}
inline std::string text_of(std::span<const std::byte> bytes) {
  return std::string(reinterpret_cast<const char*>(bytes.data()), bytes.size());
}

// A record as a test remembers it.
struct Kept {
  Position position;
  Position end;
  RecordKind kind{};
  Timestamp time;
  std::string payload;

  friend bool operator==(const Kept&, const Kept&) = default;
};

class Collector final : public RecordVisitor {
 public:
  Status visit(const Record& record) override {
    records.push_back(
        {record.position, record.end, record.kind, record.time, text_of(record.payload)});
    return {};
  }
  std::vector<Kept> records;
};

// All records from `from` on, or the error together with what came before it.
inline Status read_all(Disk& disk, Position from, std::vector<Kept>& out) {
  Collector collector;
  const auto result = replay(disk, kTestDirectory, from, Position::max(), collector);
  out = std::move(collector.records);
  if (!result) return std::unexpected(result.error());
  return {};
}

inline Result<std::unique_ptr<LogWriter>> open_log(Disk& disk, LogOptions options = {},
                                                   RecoverOptions recover_options = {},
                                                   Recovered* report = nullptr) {
  options.salt = kTestSalt;
  FICUS_TRY(const Recovered recovered, recover(disk, kTestDirectory, recover_options));
  if (report != nullptr) *report = recovered;
  return LogWriter::open(disk, kTestDirectory, recovered, options);
}

}  // namespace ficus::log
