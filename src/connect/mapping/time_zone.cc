#include "connect/mapping/time_zone.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/time_text.h"

namespace ficus::connect {
namespace {

constexpr std::size_t kFileBytesMax = 1U << 20U;
constexpr std::size_t kHeaderBytes = 44;

std::int64_t read_big_endian(std::string_view bytes) {
  std::uint64_t value = bytes.front() < 0 ? ~std::uint64_t{0} : 0;  // extends the sign
  for (const char c : bytes) value = value << 8U | static_cast<unsigned char>(c);
  return static_cast<std::int64_t>(value);
}

// The counts of one header and where its data lies (RFC 8536, 3.1 and 3.2).
struct Block {
  char version = 0;
  std::size_t transition_count = 0;
  std::size_t type_count = 0;
  std::string_view times;
  std::string_view indices;
  std::string_view types;
  std::size_t end = 0;
};

bool read_block(std::string_view file, std::size_t begin, std::size_t time_bytes, Block& out) {
  if (file.size() < begin + kHeaderBytes || file.substr(begin, 4) != "TZif") return false;
  const auto count = [&](std::size_t at) {
    return static_cast<std::size_t>(read_big_endian(file.substr(begin + at, 4)) & 0xFFFF'FFFF);
  };
  out.version = file[begin + 4];
  const std::size_t ut_count = count(20);
  const std::size_t standard_count = count(24);
  const std::size_t leap_count = count(28);
  out.transition_count = count(32);
  out.type_count = count(36);
  const std::size_t name_bytes = count(40);
  for (const std::size_t n :
       {ut_count, standard_count, leap_count, out.transition_count, out.type_count, name_bytes}) {
    if (n > kFileBytesMax) return false;
  }
  std::size_t at = begin + kHeaderBytes;
  const std::size_t times = at;
  const std::size_t indices = times + out.transition_count * time_bytes;
  const std::size_t types = indices + out.transition_count;
  out.end = types + out.type_count * 6 + name_bytes + leap_count * (time_bytes + 4) +
            standard_count + ut_count;
  if (out.end > file.size() || out.type_count == 0) return false;
  out.times = file.substr(times, indices - times);
  out.indices = file.substr(indices, types - indices);
  out.types = file.substr(types, out.type_count * 6);
  return true;
}

bool is_zone_name(std::string_view name) {
  if (name.empty() || name.size() > 100 || name.starts_with('/') || name.contains("..")) {
    return false;
  }
  return std::ranges::all_of(name, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           std::string_view("_+-/").contains(c);
  });
}

// "+08:00", "-0330", "+08"; the parser of ISO 8601 knows these.
std::optional<Micros> read_offset(std::string_view name) {
  if (!name.starts_with('+') && !name.starts_with('-')) return std::nullopt;
  const auto t = parse_iso8601("1970-01-01T00:00:00" + std::string(name));
  if (!t) return std::nullopt;
  return Micros{-t->micros};
}

}  // namespace

TimeZone TimeZone::fixed(Micros east_of_utc) {
  TimeZone zone;
  zone.first_offset_ = east_of_utc.count / 1'000'000;
  return zone;
}

Result<TimeZone> TimeZone::parse(std::string_view bytes) {
  constexpr const char* kBad = "not a zone file (TZif, RFC 8536)";
  Block block;
  if (bytes.size() > kFileBytesMax || !read_block(bytes, 0, 4, block)) return invalid(kBad);
  std::size_t time_bytes = 4;
  TimeZone zone;
  if (block.version >= '2') {  // a second block with times of 64 bits, then the rule
    time_bytes = 8;
    if (!read_block(bytes, std::exchange(block.end, 0), 8, block)) return invalid(kBad);
    const std::string_view footer = bytes.substr(block.end);
    const std::size_t end = footer.find('\n', 1);
    if (!footer.starts_with('\n') || end == std::string_view::npos) return invalid(kBad);
    if (end > 1) {
      zone.rule_ = ZoneRule::parse(footer.substr(1, end - 1));
      if (!zone.rule_) return invalid(kBad);
    }
  }
  const auto offset_of = [&](std::size_t type) {
    return read_big_endian(block.types.substr(type * 6, 4));
  };
  zone.first_offset_ = offset_of(0);
  for (std::size_t i = 0; i < block.transition_count; ++i) {
    const auto type = static_cast<std::size_t>(static_cast<unsigned char>(block.indices[i]));
    const std::int64_t at = read_big_endian(block.times.substr(i * time_bytes, time_bytes));
    const bool in_order = zone.transitions_.empty() || at > zone.transitions_.back().at;
    if (type >= block.type_count || !in_order) return invalid(kBad);
    zone.transitions_.push_back({at, offset_of(type)});
  }
  return zone;
}

Result<TimeZone> TimeZone::load(std::string_view name, Disk& disk, const std::string& directory) {
  if (name == "UTC" || name == "Z") return TimeZone();
  if (const auto offset = read_offset(name)) return fixed(*offset);
  if (!is_zone_name(name)) {
    return invalid(fmt::format(
        "'{}' is not a zone: expected a name such as Asia/Shanghai or an offset such as +08:00",
        name));
  }
  const std::string path = fmt::format("{}/{}", directory, name);
  auto bytes = read_file(disk, path, kFileBytesMax);
  if (!bytes) {
    return invalid(
        fmt::format("zone '{}' is not in {}: expected a name such as Asia/Shanghai (is the package "
                    "tzdata installed?) or an offset such as +08:00",
                    name, directory));
  }
  auto zone = parse(*bytes);
  if (!zone) return in_context(path + ": ", std::move(zone).error());
  return zone;
}

bool TimeZone::is_utc() const { return first_offset_ == 0 && transitions_.empty() && !rule_; }

Micros TimeZone::offset_at(Timestamp utc) const {
  std::int64_t seconds = utc.micros / 1'000'000;
  if (utc.micros % 1'000'000 < 0) --seconds;
  if (transitions_.empty() || seconds < transitions_.front().at) {
    if (transitions_.empty() && rule_) return Micros::from_seconds(rule_->offset_at(seconds));
    return Micros::from_seconds(first_offset_);
  }
  if (rule_ && seconds >= transitions_.back().at) {
    return Micros::from_seconds(rule_->offset_at(seconds));
  }
  const auto after = std::ranges::upper_bound(transitions_, seconds, {}, &Transition::at);
  return Micros::from_seconds((after - 1)->offset);
}

Timestamp TimeZone::from_local(Timestamp local) const {
  if (transitions_.empty() && !rule_) return local - Micros::from_seconds(first_offset_);
  // No zone changes its offset twice within two days, so these are the offsets before and after a
  // change that may be near.
  const Micros day = Micros::from_hours(24);
  const Micros before = offset_at(local - day);
  const Micros after = offset_at(local + day);
  if (offset_at(local - before) == before) return local - before;
  if (offset_at(local - after) == after) return local - after;
  return local - before;
}

}  // namespace ficus::connect
