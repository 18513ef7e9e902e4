#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>

#include "model/value.h"

namespace ficus::rules {

// Whether a row has a value: bit 0 is set if it has, bit 1 if the computation failed, neither for
// NULL. One byte a row, beside the values.
inline constexpr std::uint8_t kOkNull = 0;
inline constexpr std::uint8_t kOkValue = 1;
inline constexpr std::uint8_t kOkFailed = 2;

// Of two operands that both need a value.
constexpr std::uint8_t ok_of_both(std::uint8_t a, std::uint8_t b) {
  return static_cast<std::uint8_t>((a & b & 1U) | ((a | b) & 2U));
}

// Values of one column, borrowed: an array with one element a row or, if `scalar`, one element for
// all rows. The elements are uint8_t for boolean (0 or 1), double for integer and number,
// string_view for text, Timestamp for time and interval, GeoPoint for point. Where `ok` is not
// kOkValue the element is there but means nothing.
struct Lane {
  const void* data = nullptr;
  const std::uint8_t* ok = nullptr;
  bool scalar = false;

  template <typename T>
  const T* as() const {
    return static_cast<const T*>(data);
  }
  std::size_t index(std::size_t row) const { return scalar ? 0 : row; }
};

// Memory for one column of any kind, of up to `row_capacity` rows.
class Register {
 public:
  static constexpr std::size_t kElementBytesMax = 16;
  static_assert(sizeof(std::string_view) <= kElementBytesMax);
  static_assert(sizeof(GeoPoint) <= kElementBytesMax);

  explicit Register(std::size_t row_capacity)
      : data_(new std::byte[row_capacity * kElementBytesMax]()),
        ok_(new std::uint8_t[row_capacity]()) {}

  template <typename T>
  T* as() {
    return reinterpret_cast<T*>(data_.get());
  }
  std::uint8_t* ok() { return ok_.get(); }
  Lane lane() const { return {data_.get(), ok_.get(), false}; }

 private:
  std::unique_ptr<std::byte[]> data_;
  std::unique_ptr<std::uint8_t[]> ok_;
};

}  // namespace ficus::rules
