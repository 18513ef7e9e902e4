#pragma once

#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

namespace ficus::fact {

// Writes little-endian binary. Fixed-width numbers are stored as they lie in memory: every machine
// we build for is little-endian, and the reader checks lengths, not byte order.
class ByteWriter {
 public:
  explicit ByteWriter(std::string& out) : out_(out) {}

  void u8(std::uint8_t v) { out_.push_back(static_cast<char>(v)); }
  void i64(std::int64_t v) { raw(&v, sizeof v); }
  void varint(std::uint64_t v) {  // LEB128
    while (v >= 0x80) {
      u8(static_cast<std::uint8_t>(v | 0x80));
      v >>= 7;
    }
    u8(static_cast<std::uint8_t>(v));
  }
  void text(std::string_view v) {
    varint(v.size());
    out_.append(v);
  }
  void raw(const void* data, std::size_t bytes) {
    out_.append(static_cast<const char*>(data), bytes);
  }

 private:
  std::string& out_;
};

// Reads what ByteWriter wrote, from bytes that may be anything: after the first read that does not
// fit, `ok()` is false and every further read yields zero or nothing.
class ByteReader {
 public:
  explicit ByteReader(std::string_view bytes) : rest_(bytes) {}

  bool ok() const { return ok_; }
  bool done() const { return ok_ && rest_.empty(); }
  std::size_t left() const { return rest_.size(); }

  std::uint8_t u8() {
    const std::string_view b = raw(1);
    return b.empty() ? std::uint8_t{0} : static_cast<std::uint8_t>(b[0]);
  }
  std::int64_t i64() {
    std::int64_t v = 0;
    const std::string_view b = raw(sizeof v);
    if (!b.empty()) std::memcpy(&v, b.data(), sizeof v);
    return v;
  }
  std::uint64_t varint() {
    std::uint64_t v = 0;
    for (int shift = 0; shift < 64; shift += 7) {
      const std::uint8_t b = u8();
      v |= std::uint64_t{static_cast<std::uint8_t>(b & 0x7f)} << shift;
      if ((b & 0x80) == 0) return ok_ ? v : 0;
    }
    ok_ = false;
    return 0;
  }
  // A number of things that take at least `bytes_each` bytes: never more than could follow.
  std::size_t count(std::size_t bytes_each) {
    const std::uint64_t v = varint();
    if (v > rest_.size() / bytes_each) ok_ = false;
    return ok_ ? static_cast<std::size_t>(v) : 0;
  }
  std::string_view text() {
    const std::uint64_t size = varint();
    return ok_ ? raw(size) : std::string_view();
  }
  std::string_view raw(std::uint64_t bytes) {
    if (!ok_ || bytes > rest_.size()) {
      ok_ = false;
      return {};
    }
    const std::string_view v = rest_.substr(0, bytes);
    rest_.remove_prefix(bytes);
    return v;
  }

 private:
  std::string_view rest_;
  bool ok_ = true;
};

}  // namespace ficus::fact
