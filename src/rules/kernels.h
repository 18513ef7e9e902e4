#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

#include "rules/lane.h"

// Loops over columns. Values are computed for every row, valid or not, so that there is no branch
// and the compiler can use vector instructions; `ok` says which of them mean something. The result
// never overlaps an operand.
namespace ficus::rules {

// The ok bytes of a strict operation. A scalar operand of a strict operation is never NULL: the
// binder has folded those away.
inline void ok_of(const Lane& a, std::size_t count, std::uint8_t* __restrict out) {
  if (a.scalar) {
    std::memset(out, *a.ok, count);
  } else {
    std::memcpy(out, a.ok, count);
  }
}

inline void ok_of(const Lane& a, const Lane& b, std::size_t count, std::uint8_t* __restrict out) {
  if (a.scalar || b.scalar) return ok_of(a.scalar ? b : a, count, out);
  const std::uint8_t* x = a.ok;
  const std::uint8_t* y = b.ok;
  for (std::size_t i = 0; i < count; ++i) out[i] = ok_of_both(x[i], y[i]);
}

template <typename Out, typename A, typename F>
void map(const Lane& a, std::size_t count, Out* __restrict out, F f) {
  const A* x = a.as<A>();
  if (a.scalar) {
    const Out value = f(*x);
    for (std::size_t i = 0; i < count; ++i) out[i] = value;
    return;
  }
  for (std::size_t i = 0; i < count; ++i) out[i] = f(x[i]);
}

template <typename Out, typename A, typename B, typename F>
void map(const Lane& a, const Lane& b, std::size_t count, Out* __restrict out, F f) {
  const A* x = a.as<A>();
  const B* y = b.as<B>();
  if (a.scalar && b.scalar) {
    const Out value = f(*x, *y);
    for (std::size_t i = 0; i < count; ++i) out[i] = value;
  } else if (a.scalar) {
    const A value = *x;
    for (std::size_t i = 0; i < count; ++i) out[i] = f(value, y[i]);
  } else if (b.scalar) {
    const B value = *y;
    for (std::size_t i = 0; i < count; ++i) out[i] = f(x[i], value);
  } else {
    for (std::size_t i = 0; i < count; ++i) out[i] = f(x[i], y[i]);
  }
}

// Whether an earlier part of an AND is false on this row. No mask decides nothing.
inline bool is_decided(const Lane& mask, std::size_t row) {
  return mask.data != nullptr && mask.ok[row] == kOkValue && mask.as<std::uint8_t>()[row] == 0;
}

// The order of numbers in DuckDB is total: NaN equals NaN and is greater than all others. Written
// without branches.
inline std::uint8_t number_equal(double a, double b) {
  return static_cast<std::uint8_t>((a == b) | ((a != a) & (b != b)));
}
inline std::uint8_t number_less(double a, double b) {
  return static_cast<std::uint8_t>((a < b) | ((a == a) & (b != b)));
}
inline std::uint8_t number_less_equal(double a, double b) {
  return static_cast<std::uint8_t>((a <= b) | (b != b));
}

}  // namespace ficus::rules
