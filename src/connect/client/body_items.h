#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "connect/client/csv_items.h"

namespace ficus::connect {

// One piece of a body: a payload for the mapping, or what could not become one.
struct BodyItem {
  std::string_view payload;  // or the damaged bytes
  std::string_view problem;  // empty: none
};

// What a Content-Type says a body is; JSON if it does not tell.
BodyFormat body_format_of(std::string_view content_type);

// The payloads of a whole body, one after the other: the body itself if it is JSON, each line, or
// each record of CSV.
class BodyItems {
 public:
  // `format` is not `by_type`.
  static Result<BodyItems> open(std::string body, BodyFormat format, const CsvFormat& csv);

  // Valid until the next call; nothing at the end.
  std::optional<BodyItem> next();

 private:
  BodyItems(std::string body, BodyFormat format) : body_(std::move(body)), format_(format) {}
  std::optional<BodyItem> next_line();

  static constexpr std::size_t kLineBytesMax = std::size_t{1} << 20;

  std::string body_;
  BodyFormat format_;
  std::size_t at_ = 0;
  bool is_begun_ = false;
  std::optional<CsvItems> csv_;
};

}  // namespace ficus::connect
