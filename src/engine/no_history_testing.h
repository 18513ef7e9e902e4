#pragma once

#include "history/history_testing.h"

namespace ficus {

// Takes everything of one shard and keeps nothing, for tests of what stands in front of history.
class NoHistory final : public history::UnaskedHistory {
 public:
  Result<std::vector<std::uint64_t>> positions() override { return std::vector<std::uint64_t>{0}; }
  Status append(history::Rows) override { return {}; }
  Status append_quarantine(std::string_view, Timestamp, std::span<const QuarantinedItem>) override {
    return {};
  }
  Status commit(std::span<const std::uint64_t>) override { return {}; }
};

}  // namespace ficus
