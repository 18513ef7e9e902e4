#include <cmath>
#include <cstring>

#include "rules/kernels.h"
#include "rules/machine.h"
#include "rules/text_functions.h"

// Instructions over texts, and casts.
namespace ficus::rules {
namespace {

using Byte = std::uint8_t;
using Text = std::string_view;

Text text_at(const Lane& lane, std::size_t row) { return lane.as<Text>()[lane.index(row)]; }
double number_at(const Lane& lane, std::size_t row) { return lane.as<double>()[lane.index(row)]; }

// Of LIKE: the third operand, a constant, or none.
char escape_of(const Lane& lane) {
  if (lane.data == nullptr || lane.as<Text>()->empty()) return '\0';
  return lane.as<Text>()->front();
}

}  // namespace

void Machine::store_text(const Instruction& instruction, std::size_t row, std::string_view text) {
  Register& result = registers_[instruction.result];
  char* memory = text.empty() ? nullptr : arena_.allocate(text.size());
  if (memory == nullptr && !text.empty()) {
    result.as<Text>()[row] = {};
    return fail_row(instruction, row, "the texts made for one batch of rows exceed 16 MiB");
  }
  if (memory != nullptr) std::memcpy(memory, text.data(), text.size());
  result.as<Text>()[row] = {memory, text.size()};
}

void Machine::settle_text_ok(const Instruction& instruction) {
  const Lane a = lane(instruction.a);
  const Lane b = lane(instruction.b);
  const Lane c = lane(instruction.c);
  std::uint8_t* ok = registers_[instruction.result].ok();
  if (b.data == nullptr) return ok_of(a, count_, ok);
  ok_of(a, b, count_, ok);
  if (c.data == nullptr || c.scalar) return;
  for (std::size_t i = 0; i < count_; ++i) ok[i] = ok_of_both(ok[i], c.ok[i]);
}

// Values are worked out only where there is one: texts cost too much to compute in vain.
bool Machine::run_text(const Instruction& instruction) {
  const Lane a = lane(instruction.a);
  const Lane b = lane(instruction.b);
  Register& result = registers_[instruction.result];
  const auto made = [&](auto append) {
    settle_text_ok(instruction);
    for (std::size_t i = 0; i < count_; ++i) {
      scratch_.clear();
      if (result.ok()[i] == kOkValue) append(i);
      store_text(instruction, i, scratch_);
    }
    return true;
  };
  switch (instruction.op) {
    case Opcode::concat:
      return made([&](std::size_t i) { scratch_.append(text_at(a, i)).append(text_at(b, i)); });
    case Opcode::lower:
      return made([&](std::size_t i) { append_lower(text_at(a, i), scratch_); });
    case Opcode::upper:
      return made([&](std::size_t i) { append_upper(text_at(a, i), scratch_); });
    case Opcode::length:
      settle_text_ok(instruction);
      for (std::size_t i = 0; i < count_; ++i) {
        result.as<double>()[i] =
            result.ok()[i] == kOkValue ? static_cast<double>(text_length(text_at(a, i))) : 0;
      }
      return true;
    default:
      return run_text_test(instruction) || run_text_part(instruction);
  }
}

bool Machine::run_text_test(const Instruction& instruction) {
  const Lane a = lane(instruction.a);
  const Lane b = lane(instruction.b);
  const Lane c = lane(instruction.c);
  const Lane mask = lane(instruction.mask);
  Register& result = registers_[instruction.result];
  const auto answer = [&](auto f) {
    settle_text_ok(instruction);
    for (std::size_t i = 0; i < count_; ++i) {
      const bool asks = result.ok()[i] == kOkValue && !is_decided(mask, i);
      result.as<Byte>()[i] = asks && f(text_at(a, i), text_at(b, i)) ? 1 : 0;
    }
    return true;
  };
  switch (instruction.op) {
    case Opcode::starts_with:
      return answer([](Text x, Text y) { return x.starts_with(y); });
    case Opcode::ends_with:
      return answer([](Text x, Text y) { return x.ends_with(y); });
    case Opcode::contains:
      return answer([](Text x, Text y) { return x.contains(y); });
    case Opcode::like:
      return answer([&](Text x, Text y) { return text_like(x, y, escape_of(c)); });
    case Opcode::like_ignore_case:
      return answer([&](Text x, Text y) {
        scratch_.clear();
        scratch_pattern_.clear();
        append_lower(x, scratch_);
        append_lower(y, scratch_pattern_);
        return text_like(scratch_, scratch_pattern_, escape_of(c));
      });
    default:
      return false;
  }
}

bool Machine::run_text_part(const Instruction& instruction) {
  const Lane a = lane(instruction.a);
  const Lane b = lane(instruction.b);
  const Lane c = lane(instruction.c);
  Register& result = registers_[instruction.result];
  const auto part = [&](auto f) {
    settle_text_ok(instruction);
    for (std::size_t i = 0; i < count_; ++i) {
      result.as<Text>()[i] = result.ok()[i] == kOkValue ? f(text_at(a, i), i) : Text();
    }
    return true;
  };
  const auto trimmed = [&](TrimSides sides) {
    return part([sides](Text text, std::size_t) { return text_trim(text, sides); });
  };
  const auto trimmed_of = [&](TrimSides sides) {
    return part([&](Text text, std::size_t i) { return text_trim(text, text_at(b, i), sides); });
  };
  switch (instruction.op) {
    case Opcode::substring:
      return part([&](Text text, std::size_t i) { return text_substring(text, number_at(b, i)); });
    case Opcode::substring_for:
      return part([&](Text text, std::size_t i) {
        return text_substring(text, number_at(b, i), number_at(c, i));
      });
    case Opcode::trim:
      return trimmed(TrimSides::both);
    case Opcode::trim_left:
      return trimmed(TrimSides::left);
    case Opcode::trim_right:
      return trimmed(TrimSides::right);
    case Opcode::trim_of:
      return trimmed_of(TrimSides::both);
    case Opcode::trim_left_of:
      return trimmed_of(TrimSides::left);
    case Opcode::trim_right_of:
      return trimmed_of(TrimSides::right);
    default:
      return false;
  }
}

bool Machine::run_cast(const Instruction& instruction) {
  const Lane a = lane(instruction.a);
  Register& result = registers_[instruction.result];
  const std::size_t n = count_;
  const auto printed = [&](auto append) {
    ok_of(a, n, result.ok());
    for (std::size_t i = 0; i < n; ++i) {
      scratch_.clear();
      if (result.ok()[i] == kOkValue) append(a.index(i));
      store_text(instruction, i, scratch_);
    }
    return true;
  };
  const auto read = [&](auto parse, auto* out, std::string_view why) {
    ok_of(a, n, result.ok());
    for (std::size_t i = 0; i < n; ++i) {
      out[i] = {};
      if (result.ok()[i] != kOkValue) continue;
      if (const auto value = parse(a.index(i))) {
        out[i] = static_cast<std::remove_pointer_t<decltype(out)>>(*value);
      } else if (instruction.tries) {
        result.ok()[i] = kOkNull;
      } else {
        fail_row(instruction, i, why);
      }
    }
    return true;
  };
  switch (instruction.op) {
    case Opcode::number_to_text:
      return printed([&](std::size_t i) { append_number(a.as<double>()[i], scratch_); });
    case Opcode::integer_to_text:
      return printed([&](std::size_t i) {
        scratch_.append(std::to_string(static_cast<std::int64_t>(a.as<double>()[i])));
      });
    case Opcode::boolean_to_text:
      return printed(
          [&](std::size_t i) { scratch_.append(a.as<Byte>()[i] != 0 ? "true" : "false"); });
    case Opcode::time_to_text:
      return printed([&](std::size_t i) { append_time(a.as<Timestamp>()[i], scratch_); });
    case Opcode::text_to_number:
      return read([&](std::size_t i) { return text_to_number(a.as<Text>()[i]); },
                  result.as<double>(), "the text is not a number");
    case Opcode::text_to_boolean:
      return read([&](std::size_t i) { return text_to_boolean(a.as<Text>()[i]); },
                  result.as<Byte>(), "the text is not a boolean");
    case Opcode::number_to_integer: {
      const double largest = *lane(instruction.b).as<double>();
      return read(
          [&](std::size_t i) -> std::optional<double> {
            const double whole = std::nearbyint(a.as<double>()[i]);  // half to even, as DuckDB
            if (!(whole >= -largest - 1 && whole <= largest)) return std::nullopt;
            return whole + 0.0;  // no negative zero
          },
          result.as<double>(), "the number is out of the range of the integer type");
    }
    case Opcode::number_to_boolean:
      map<Byte, double>(a, n, result.as<Byte>(),
                        [](double x) { return static_cast<Byte>(x != 0); });
      ok_of(a, n, result.ok());
      return true;
    case Opcode::boolean_to_number:
      map<double, Byte>(a, n, result.as<double>(), [](Byte x) { return x != 0 ? 1.0 : 0.0; });
      ok_of(a, n, result.ok());
      return true;
    default:
      return false;
  }
}

}  // namespace ficus::rules
