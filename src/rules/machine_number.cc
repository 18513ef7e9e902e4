#include <cmath>

#include "rules/kernels.h"
#include "rules/machine.h"

// Instructions over numbers and times, and all comparisons.
namespace ficus::rules {
namespace {

// Up to here whole numbers are exact.
constexpr double kIntegerMax = 9007199254740991.0;  // 2^53 - 1

double rounded_to(double value, double digits) {
  // As DuckDB: scale, round half away from zero, scale back; what overflows is taken as it is.
  if (digits < 0) {
    const double scale = std::pow(10.0, -digits);
    const double result = std::round(value / scale) * scale;
    return std::isfinite(result) ? result : 0;
  }
  const double scale = std::pow(10.0, digits);
  const double result = std::round(value * scale) / scale;
  return std::isfinite(result) ? result : value;
}

// Marks rows with a value that `is_bad` as failed or NULL; returns whether there was one.
template <typename T, typename IsBad>
bool mark(const T* values, std::uint8_t* ok, std::size_t count, std::uint8_t mark, IsBad is_bad) {
  bool found = false;
  for (std::size_t i = 0; i < count; ++i) {
    if (ok[i] == kOkValue && is_bad(values[i])) {
      ok[i] = mark;
      found = true;
    }
  }
  return found;
}

}  // namespace

bool Machine::run_number(const Instruction& instruction) {
  const Lane a = lane(instruction.a);
  const Lane b = lane(instruction.b);
  Register& result = registers_[instruction.result];
  double* out = result.as<double>();
  const std::size_t n = count_;
  const auto unary = [&](auto f) {
    map<double, double>(a, n, out, f);
    ok_of(a, n, result.ok());
  };
  const auto binary = [&](auto f) {
    map<double, double, double>(a, b, n, out, f);
    ok_of(a, b, n, result.ok());
  };
  const auto whole = [&](auto f) {
    binary(f);
    if (mark(out, result.ok(), n, kOkFailed,
             [](double v) { return !(std::abs(v) <= kIntegerMax); })) {
      failure_ = "the integer is beyond 2^53 - 1";
      failure_at_ = instruction.at;
    }
  };
  const auto null_by_zero = [&](auto f) {
    binary(f);
    for (std::size_t i = 0; i < n; ++i) {
      if (b.as<double>()[b.index(i)] == 0) result.ok()[i] &= kOkFailed;
    }
  };
  switch (instruction.op) {
    case Opcode::add:
      binary([](double x, double y) { return x + y; });
      return true;
    case Opcode::subtract:
      binary([](double x, double y) { return x - y; });
      return true;
    case Opcode::multiply:
      binary([](double x, double y) { return x * y; });
      return true;
    case Opcode::divide:
      binary([](double x, double y) { return x / y; });
      return true;
    case Opcode::divide_number_floor:
      null_by_zero([](double x, double y) { return x / y; });
      return true;
    case Opcode::modulo:
      binary([](double x, double y) { return std::fmod(x, y); });
      return true;
    case Opcode::negate:
      if (instruction.kind == Kind::integer) {
        unary([](double x) { return 0.0 - x; });
      } else {
        unary([](double x) { return -x; });
      }
      return true;
    case Opcode::integer_add:
      whole([](double x, double y) { return x + y; });
      return true;
    case Opcode::integer_subtract:
      whole([](double x, double y) { return x - y; });
      return true;
    case Opcode::integer_multiply:
      whole([](double x, double y) { return x * y + 0.0; });  // whole numbers have no -0
      return true;
    case Opcode::integer_divide:
      null_by_zero([](double x, double y) { return std::trunc(x / y) + 0.0; });
      return true;
    case Opcode::integer_modulo:
      null_by_zero([](double x, double y) { return std::fmod(x, y) + 0.0; });
      return true;
    case Opcode::absolute:
      unary([](double x) { return std::abs(x); });
      return true;
    case Opcode::round:
      unary([](double x) { return std::round(x); });
      return true;
    case Opcode::round_to:
      binary(rounded_to);
      if (instruction.kind == Kind::integer) {
        for (std::size_t i = 0; i < n; ++i) out[i] += 0.0;
      }
      return true;
    case Opcode::floor:
      unary([](double x) { return std::floor(x); });
      return true;
    case Opcode::ceiling:
      unary([](double x) { return std::ceil(x); });
      return true;
    case Opcode::square_root:
      unary([](double x) { return std::sqrt(x < 0 ? 0 : x); });
      for (std::size_t i = 0; i < n; ++i) {
        if (result.ok()[i] == kOkValue && a.as<double>()[a.index(i)] < 0) {
          fail_row(instruction, i, "cannot take the square root of a negative number");
        }
      }
      return true;
    case Opcode::is_nan:
      map<std::uint8_t, double>(a, n, result.as<std::uint8_t>(),
                                [](double x) { return static_cast<std::uint8_t>(x != x); });
      ok_of(a, n, result.ok());
      return true;
    default:
      return false;
  }
}

bool Machine::run_time(const Instruction& instruction) {
  const Lane a = lane(instruction.a);
  Register& result = registers_[instruction.result];
  Timestamp* out = result.as<Timestamp>();
  // Sums of wrapping integers, then a look at which of them have wrapped.
  const auto wrapped = [&](const Lane& x, const Lane& y, bool subtracts) {
    for (std::size_t i = 0; i < count_; ++i) {
      const std::int64_t left = x.data == nullptr ? 0 : x.as<Timestamp>()[x.index(i)].micros;
      const std::int64_t right = y.as<Timestamp>()[y.index(i)].micros;
      std::int64_t sum = 0;
      const bool overflows = subtracts ? __builtin_sub_overflow(left, right, &sum)
                                       : __builtin_add_overflow(left, right, &sum);
      out[i] = {sum};
      if (overflows && result.ok()[i] == kOkValue)
        fail_row(instruction, i, "the time is out of range");
    }
  };
  switch (instruction.op) {
    case Opcode::time_add:
    case Opcode::time_subtract: {
      const Lane b = lane(instruction.b);
      ok_of(a, b, count_, result.ok());
      wrapped(a, b, instruction.op == Opcode::time_subtract);
      return true;
    }
    case Opcode::time_negate:
      ok_of(a, count_, result.ok());
      wrapped(Lane{}, a, true);
      return true;
    default:
      return false;
  }
}

bool Machine::run_compare(const Instruction& instruction) {
  const Lane a = lane(instruction.a);
  const Lane b = lane(instruction.b);
  Register& result = registers_[instruction.result];
  std::uint8_t* out = result.as<std::uint8_t>();
  const std::size_t n = count_;
  using Byte = std::uint8_t;
  const auto compare = [&]<typename T>(const T*, auto f) {
    map<Byte, T, T>(a, b, n, out,
                    [f](const T& x, const T& y) { return static_cast<Byte>(f(x, y)); });
    ok_of(a, b, n, result.ok());
    return true;
  };
  // NULL equals NULL and nothing else; the answer is never NULL.
  const auto same = [&]<typename T>(const T* type, auto equal) {
    map<Byte, T, T>(a, b, n, out,
                    [equal](const T& x, const T& y) { return static_cast<Byte>(equal(x, y)); });
    for (std::size_t i = 0; i < n; ++i) {
      const Byte x = a.ok[a.index(i)];
      const Byte y = b.ok[b.index(i)];
      const bool both = (x & y & 1U) != 0;
      out[i] = both ? out[i] : static_cast<Byte>(x == y);
      result.ok()[i] = ((x | y) & 2U) != 0 ? kOkFailed : kOkValue;
    }
    return type == nullptr;
  };
  constexpr const double* kNumber = nullptr;
  constexpr const Byte* kBoolean = nullptr;
  constexpr const std::string_view* kText = nullptr;
  constexpr const Timestamp* kTime = nullptr;
  const auto equal = [](const auto& x, const auto& y) { return x == y; };
  const auto less = [](const auto& x, const auto& y) { return x < y; };
  const auto less_equal = [](const auto& x, const auto& y) { return x <= y; };
  switch (instruction.op) {
    case Opcode::number_equal:
      return compare(kNumber, [](double x, double y) { return number_equal(x, y); });
    case Opcode::number_less:
      return compare(kNumber, [](double x, double y) { return number_less(x, y); });
    case Opcode::number_less_equal:
      return compare(kNumber, [](double x, double y) { return number_less_equal(x, y); });
    case Opcode::boolean_equal:
      return compare(kBoolean, equal);
    case Opcode::boolean_less:
      return compare(kBoolean, less);
    case Opcode::boolean_less_equal:
      return compare(kBoolean, less_equal);
    case Opcode::text_equal:
      return compare(kText, equal);
    case Opcode::text_less:
      return compare(kText, less);
    case Opcode::text_less_equal:
      return compare(kText, less_equal);
    case Opcode::time_equal:
      return compare(kTime, equal);
    case Opcode::time_less:
      return compare(kTime, less);
    case Opcode::time_less_equal:
      return compare(kTime, less_equal);
    case Opcode::number_same:
      return same(kNumber, [](double x, double y) { return number_equal(x, y); });
    case Opcode::boolean_same:
      return same(kBoolean, equal);
    case Opcode::text_same:
      return same(kText, equal);
    case Opcode::time_same:
      return same(kTime, equal);
    default:
      return false;
  }
}

}  // namespace ficus::rules
