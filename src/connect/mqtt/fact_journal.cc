#include "connect/mqtt/fact_journal.h"

#include "connect/mqtt/broker_facts.h"

namespace ficus::connect {
namespace {

constexpr std::size_t kHeadBytes = 2;
constexpr char kBegins = 1;
constexpr char kEnds = 2;

}  // namespace

void FactJournal::begin_record() {
  present_ += static_cast<char>(facts::kVersion);
  present_ += full_.empty() ? kBegins : char{0};
}

std::string& FactJournal::next() {
  if (present_.size() >= kRecordBytes) {
    full_bytes_ += present_.size();
    full_.push_back(std::move(present_));
    present_.clear();
  }
  if (present_.empty()) begin_record();
  return present_;
}

std::vector<std::string> FactJournal::take() {
  std::vector<std::string> records = std::move(full_);
  full_.clear();
  full_bytes_ = 0;
  ++step_;
  if (present_.empty()) return records;
  present_[1] = static_cast<char>(present_[1] | kEnds);
  records.push_back(std::move(present_));
  present_.clear();
  return records;
}

Status StepReader::add(std::string_view payload, std::vector<std::string_view>& facts) {
  facts.clear();
  given_.clear();
  if (payload.empty()) return {};  // a record that a repair has left
  if (payload.size() < kHeadBytes || static_cast<std::uint8_t>(payload[0]) != facts::kVersion) {
    return fail(ErrorCode::corrupt, "the broker's log is of another version of Ficus");
  }
  const char flags = payload[1];
  payload.remove_prefix(kHeadBytes);
  if ((flags & kBegins) != 0) waiting_.clear();
  if ((flags & kEnds) == 0) {
    waiting_.emplace_back(payload);
    return {};
  }
  given_.swap(waiting_);
  for (const std::string& earlier : given_) facts.push_back(earlier);
  facts.push_back(payload);
  return {};
}

}  // namespace ficus::connect
