#include "codec/ais/tag_block.h"

#include "codec/ais/ascii.h"

namespace ficus::ais {
namespace {

// The standard writes seconds or milliseconds and does not say which: 10^11 s is the year 5138,
// 10^11 ms the year 1973.
std::optional<Timestamp> parse_time(std::string_view text) {
  const std::optional<std::uint64_t> value = parse_unsigned(text);
  if (!value || *value > 9'999'999'999'999ULL) return std::nullopt;
  const auto count = static_cast<std::int64_t>(*value);
  if (*value >= 100'000'000'000ULL) return Timestamp{count * 1000};
  if (*value > 9'999'999'999ULL) return std::nullopt;
  return Timestamp::from_seconds(count);
}

std::optional<TagGroup> parse_group(std::string_view text) {
  const std::size_t first = text.find('-');
  if (first == std::string_view::npos) return std::nullopt;
  const std::size_t second = text.find('-', first + 1);
  if (second == std::string_view::npos) return std::nullopt;
  const auto sentence = parse_unsigned(text.substr(0, first));
  const auto count = parse_unsigned(text.substr(first + 1, second - first - 1));
  const auto id = parse_unsigned(text.substr(second + 1));
  if (!sentence || !count || !id) return std::nullopt;
  if (*sentence == 0 || *sentence > *count || *count > 9999 || *id > UINT32_MAX) {
    return std::nullopt;
  }
  return TagGroup{.sentence = static_cast<std::uint16_t>(*sentence),
                  .sentence_count = static_cast<std::uint16_t>(*count),
                  .id = static_cast<std::uint32_t>(*id)};
}

// The older form of a group puts its numbers into the code: "1G2:1604".
std::optional<TagGroup> parse_old_group(std::string_view code, std::string_view value) {
  const std::size_t g = code.find('G');
  if (g == std::string_view::npos) return std::nullopt;
  const auto sentence = parse_unsigned(code.substr(0, g));
  const auto count = parse_unsigned(code.substr(g + 1));
  const auto id = parse_unsigned(value);
  if (!sentence || !count || !id || *sentence == 0 || *sentence > *count || *count > 9999 ||
      *id > UINT32_MAX) {
    return std::nullopt;
  }
  return TagGroup{.sentence = static_cast<std::uint16_t>(*sentence),
                  .sentence_count = static_cast<std::uint16_t>(*count),
                  .id = static_cast<std::uint32_t>(*id)};
}

void take_field(TagBlock& block, std::string_view code, std::string_view value) {
  if (code == "s") {
    block.source = value;
  } else if (code == "d") {
    block.destination = value;
  } else if (code == "t" || code == "i") {
    block.text = value;
  } else if (code == "c") {
    block.time = parse_time(value);
  } else if (code == "n") {
    const auto count = parse_unsigned(value);
    if (count && *count <= UINT32_MAX) block.line_count = static_cast<std::uint32_t>(*count);
  } else if (code == "g") {
    block.group = parse_group(value);
  } else if (!block.group) {
    block.group = parse_old_group(code, value);
  }
}

// Calls `take(code, value)` for each "code:value" until it returns false.
template <typename Take>
void for_each_field(std::string_view content, Take take) {
  while (!content.empty()) {
    const std::size_t comma = content.find(',');
    const std::string_view field = content.substr(0, comma);
    content.remove_prefix(comma == std::string_view::npos ? content.size() : comma + 1);
    const std::size_t colon = field.find(':');
    if (colon == std::string_view::npos) continue;
    if (!take(field.substr(0, colon), field.substr(colon + 1))) return;
  }
}

}  // namespace

TagBlock parse_tag_block(std::string_view inside) {
  TagBlock block;
  const std::size_t star = inside.rfind('*');
  if (star == std::string_view::npos) {
    block.state = TagState::malformed;
    return block;
  }
  block.content = inside.substr(0, star);
  const std::optional<std::uint8_t> claimed = parse_hex_byte(inside.substr(star + 1));
  if (!claimed || inside.size() != star + 3) {
    block.state = TagState::malformed;
    return block;
  }
  if (*claimed != checksum(block.content)) {
    block.state = TagState::bad_checksum;
    return block;
  }
  block.state = TagState::sound;
  for_each_field(block.content, [&](std::string_view code, std::string_view value) {
    take_field(block, code, value);
    return true;
  });
  return block;
}

std::optional<std::string_view> tag_field(std::string_view content, std::string_view code) {
  std::optional<std::string_view> found;
  for_each_field(content, [&](std::string_view at, std::string_view value) {
    if (at != code) return true;
    found = value;
    return false;
  });
  return found;
}

}  // namespace ficus::ais
