#pragma once

#include <bit>
#include <cstddef>
#include <cstring>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

// Plain numbers in memory order, written and read whole arrays at a time: a snapshot is as large as
// the twin.
namespace ficus::twin {

static_assert(std::endian::native == std::endian::little,
              "the snapshot format is little-endian: swap bytes here");

template <typename T>
concept Plain = std::is_trivially_copyable_v<T>;

template <Plain T>
void put(std::string& out, const T& value) {
  out.append(reinterpret_cast<const char*>(&value), sizeof(T));
}

template <Plain T>
void put_all(std::string& out, std::span<const T> values) {
  out.append(reinterpret_cast<const char*>(values.data()), values.size_bytes());
}

// Reads what put wrote. After a failure every further read fails, so one check at the end of a
// group will do; what was read since is zero or empty. Never allocates more than the bytes that are
// left.
class SnapshotBytes {
 public:
  explicit SnapshotBytes(std::string_view bytes) : rest_(bytes) {}

  bool has_failed() const { return has_failed_; }
  bool is_at_end() const { return !has_failed_ && rest_.empty(); }

  std::string_view text(std::size_t bytes) {
    if (has_failed_ || bytes > rest_.size()) {
      has_failed_ = true;
      return {};
    }
    const std::string_view out = rest_.substr(0, bytes);
    rest_.remove_prefix(bytes);
    return out;
  }

  template <Plain T>
  T value() {
    T out{};
    const std::string_view bytes = text(sizeof(T));
    if (!has_failed_) std::memcpy(&out, bytes.data(), bytes.size());
    return out;
  }

  template <Plain T>
  std::vector<T> values(std::size_t count) {
    if (has_failed_ || count > rest_.size() / sizeof(T)) {
      has_failed_ = true;
      return {};
    }
    std::vector<T> out(count);
    const std::string_view bytes = text(count * sizeof(T));
    if (count > 0) std::memcpy(out.data(), bytes.data(), bytes.size());
    return out;
  }

 private:
  std::string_view rest_;
  bool has_failed_ = false;
};

}  // namespace ficus::twin
