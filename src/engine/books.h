#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "base/result.h"
#include "base/time.h"

namespace ficus {

// What became of every item that one source sent, since the data directory was created.
// Invariant: received == applied + late + duplicate + quarantined + refused().
struct SourceBooks {
  std::uint64_t received = 0;
  std::uint64_t applied = 0;
  std::uint64_t late = 0;
  std::uint64_t duplicate = 0;
  std::uint64_t quarantined = 0;
  std::map<std::string, std::uint64_t, std::less<>> refused_by;  // by reason
  Timestamp last_received_at = Timestamp::min();

  std::uint64_t refused() const;
  bool balanced() const { return received == applied + late + duplicate + quarantined + refused(); }
  void add(const SourceBooks& other);  // of another shard

  friend bool operator==(const SourceBooks&, const SourceBooks&) = default;
};

// The books of one shard, by source name. A view: a fold over the log, saved in snapshots.
class Books {
 public:
  SourceBooks& of(std::string_view source);
  const std::map<std::string, SourceBooks, std::less<>>& all() const { return sources_; }
  void encode(std::string& out) const;
  Status decode(std::string_view bytes);  // ErrorCode::corrupt if encode did not write it

 private:
  std::map<std::string, SourceBooks, std::less<>> sources_;
};

}  // namespace ficus
