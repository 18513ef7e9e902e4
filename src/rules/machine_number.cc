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

// Rows whose divisor is zero have no quotient.
void null_by_zero(const Lane& divisor, std::uint8_t* ok, std::size_t count) {
  for (std::size_t i = 0; i < count; ++i) {
    if (divisor.as<double>()[divisor.index(i)] == 0) ok[i] &= kOkFailed;
  }
}

}  // namespace

bool Machine::run_number(const Instruction& instruction) {
  const Lane a = lane(instruction.a);
  const Lane b = lane(instruction.b);
  Register& result = registers_[instruction.result];
  const auto binary = [&](auto f) {
    map<double, double, double>(a, b, count_, result.as<double>(), f);
    ok_of(a, b, count_, result.ok());
    return true;
  };
  switch (instruction.op) {
    case Opcode::add:
      return binary([](double x, double y) { return x + y; });
    case Opcode::subtract:
      return binary([](double x, double y) { return x - y; });
    case Opcode::multiply:
      return binary([](double x, double y) { return x * y; });
    case Opcode::divide:
      return binary([](double x, double y) { return x / y; });
    case Opcode::divide_number_floor:
      binary([](double x, double y) { return x / y; });
      null_by_zero(b, result.ok(), count_);
      return true;
    case Opcode::modulo:
      return binary([](double x, double y) { return std::fmod(x, y); });
    default:
      return run_integer(instruction) || run_rounding(instruction);
  }
}

bool Machine::run_integer(const Instruction& instruction) {
  const Lane a = lane(instruction.a);
  const Lane b = lane(instruction.b);
  Register& result = registers_[instruction.result];
  double* out = result.as<double>();
  // Whole numbers have no -0: "+ 0.0" makes it 0.
  const auto exact = [&](auto f) {
    map<double, double, double>(a, b, count_, out, f);
    ok_of(a, b, count_, result.ok());
    for (std::size_t i = 0; i < count_; ++i) {
      const bool in_range = std::abs(out[i]) <= kIntegerMax;
      if (!in_range && result.ok()[i] == kOkValue) {
        fail_row(instruction, i, "the integer is beyond 2^53 - 1");
      }
    }
    return true;
  };
  const auto quotient = [&](auto f) {
    map<double, double, double>(a, b, count_, out, f);
    ok_of(a, b, count_, result.ok());
    null_by_zero(b, result.ok(), count_);
    return true;
  };
  switch (instruction.op) {
    case Opcode::integer_add:
      return exact([](double x, double y) { return x + y; });
    case Opcode::integer_subtract:
      return exact([](double x, double y) { return x - y; });
    case Opcode::integer_multiply:
      return exact([](double x, double y) { return x * y + 0.0; });
    case Opcode::integer_divide:
      return quotient([](double x, double y) { return std::trunc(x / y) + 0.0; });
    case Opcode::integer_modulo:
      return quotient([](double x, double y) { return std::fmod(x, y) + 0.0; });
    default:
      return false;
  }
}

bool Machine::run_rounding(const Instruction& instruction) {
  const Lane a = lane(instruction.a);
  Register& result = registers_[instruction.result];
  double* out = result.as<double>();
  const auto unary = [&](auto f) {
    map<double, double>(a, count_, out, f);
    ok_of(a, count_, result.ok());
    return true;
  };
  switch (instruction.op) {
    case Opcode::negate:
      // 0 - x, since a whole number has no -0.
      if (instruction.kind == Kind::integer) return unary([](double x) { return 0.0 - x; });
      return unary([](double x) { return -x; });
    case Opcode::absolute:
      return unary([](double x) { return std::abs(x); });
    case Opcode::round:
      return unary([](double x) { return std::round(x); });
    case Opcode::round_to: {
      const Lane digits = lane(instruction.b);
      const double zero = instruction.kind == Kind::integer ? 0.0 : -0.0;  // -0.0 adds nothing
      map<double, double, double>(a, digits, count_, out,
                                  [zero](double x, double y) { return rounded_to(x, y) + zero; });
      ok_of(a, digits, count_, result.ok());
      return true;
    }
    case Opcode::floor:
      return unary([](double x) { return std::floor(x); });
    case Opcode::ceiling:
      return unary([](double x) { return std::ceil(x); });
    case Opcode::square_root:
      unary([](double x) { return std::sqrt(x < 0 ? 0 : x); });
      for (std::size_t i = 0; i < count_; ++i) {
        if (result.ok()[i] == kOkValue && a.as<double>()[a.index(i)] < 0) {
          fail_row(instruction, i, "cannot take the square root of a negative number");
        }
      }
      return true;
    case Opcode::is_nan:
      map<std::uint8_t, double>(a, count_, result.as<std::uint8_t>(),
                                [](double x) { return static_cast<std::uint8_t>(x != x); });
      ok_of(a, count_, result.ok());
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
