#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "history/history_testing.h"
#include "model/schema.h"
#include "sim_disk.h"

namespace ficus::sim {

struct HistoryRow {
  std::string type;
  std::string id;
  Timestamp observed_at;
  std::map<std::string, Value> values;
  std::string source;
  Timestamp received_at;
  std::uint32_t shard = 0;
  std::uint64_t position = 0;
};

struct HistoryQuarantined {
  std::string source;
  QuarantinedItem item;
};

// What a history has committed. It outlives the process.
struct HistoryStore {
  std::vector<HistoryRow> rows;  // in the order in which they were given
  std::vector<HistoryQuarantined> quarantined;
  std::vector<std::uint64_t> positions;
  bool refuses = false;
  std::uint64_t commits = 0;
  std::vector<std::string> breaches;  // of what the engine promises its history
};

// A history with the real one's promise: rows and positions are committed in one transaction, and
// what was not committed is gone with the process.
class SimHistory final : public history::UnaskedHistory {
 public:
  SimHistory(HistoryStore& store, SimDisk& disk, const Schema& schema)
      : store_(store), disk_(disk), schema_(schema) {}

  Result<std::vector<std::uint64_t>> positions() override { return store_.positions; }
  Status append(history::Rows rows) override;
  Status append_quarantine(std::string_view source, Timestamp received_at,
                           std::span<const QuarantinedItem> items) override;
  Status commit(std::span<const std::uint64_t> positions) override;
  std::size_t pending() const { return rows_.size(); }

 private:
  HistoryStore& store_;
  SimDisk& disk_;
  const Schema& schema_;
  std::vector<HistoryRow> rows_;
  std::vector<HistoryQuarantined> quarantined_;
};

}  // namespace ficus::sim
