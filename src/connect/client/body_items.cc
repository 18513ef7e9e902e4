#include "connect/client/body_items.h"

#include <utility>

namespace ficus::connect {

BodyFormat body_format_of(std::string_view content_type) {
  for (const std::string_view type : {"application/x-ndjson", "application/ndjson",
                                      "application/jsonl", "application/x-jsonlines"}) {
    if (content_type.starts_with(type)) return BodyFormat::lines;
  }
  return content_type.starts_with("text/csv") ? BodyFormat::csv : BodyFormat::json;
}

Result<BodyItems> BodyItems::open(std::string body, BodyFormat format, const CsvFormat& csv) {
  BodyItems items(std::move(body), format);
  if (format == BodyFormat::csv) {
    FICUS_TRY(items.csv_, CsvItems::open(csv));
  }
  return items;
}

std::optional<BodyItem> BodyItems::next_line() {
  while (at_ < body_.size()) {
    const std::size_t end = std::min(body_.find('\n', at_), body_.size());
    std::string_view line = std::string_view(body_).substr(at_, end - at_);
    at_ = end + 1;
    if (line.find_first_not_of(" \t\r") == std::string_view::npos) continue;
    if (line.size() > kLineBytesMax) return BodyItem{line, "a line is longer than 1 MiB"};
    return BodyItem{line, {}};
  }
  return std::nullopt;
}

std::optional<BodyItem> BodyItems::next() {
  if (format_ == BodyFormat::lines) return next_line();
  const bool is_first = !std::exchange(is_begun_, true);
  if (!csv_) {
    if (!is_first || body_.find_first_not_of(" \t\r\n") == std::string::npos) return std::nullopt;
    return BodyItem{body_, {}};
  }
  // Fed here, and not in open(), since it is borrowed and this object may have moved since.
  if (is_first) {
    csv_->feed(body_);
    csv_->finish();
  }
  switch (csv_->next()) {
    case CsvItems::Step::item:
      return BodyItem{csv_->item(), {}};
    case CsvItems::Step::damaged:
      return BodyItem{csv_->raw(), csv_->problem()};
    case CsvItems::Step::needs_more:
    case CsvItems::Step::end:
      return std::nullopt;
  }
  std::unreachable();
}

}  // namespace ficus::connect
