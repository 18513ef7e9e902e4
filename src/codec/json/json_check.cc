#include "codec/json/json_check.h"

#include <fmt/format.h>

#include <charconv>
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <system_error>

#include "base/utf8.h"

namespace ficus::json {
namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }

// Reads the text from front to back without recursion: a stack of brackets says what may come next.
class Checker {
 public:
  Checker(std::string_view text, std::size_t depth_max) : text_(text), depth_max_(depth_max) {}

  std::optional<JsonMistake> run() {
    if (!value()) return mistake_;
    while (!brackets_.empty()) {
      skip_space();
      if (!after_value()) return mistake_;
    }
    skip_space();
    if (!done()) wrong("expected the end of the text");
    return mistake_;
  }

 private:
  bool done() const { return at_ == text_.size(); }
  char peek() const { return done() ? '\0' : text_[at_]; }
  void skip_space() {
    while (!done() && (peek() == ' ' || peek() == '\t' || peek() == '\n' || peek() == '\r')) ++at_;
  }
  bool take(char c) {
    if (done() || peek() != c) return false;
    ++at_;
    return true;
  }
  bool wrong(std::string message) { return wrong_at(at_, std::move(message)); }
  bool wrong_at(std::size_t offset, std::string message) {
    if (!mistake_) mistake_ = JsonMistake{offset, std::move(message)};
    return false;
  }

  // Inside an array or object, behind one of its values.
  bool after_value() {
    const char bracket = brackets_.back();
    const char closing = bracket == '[' ? ']' : '}';
    if (take(closing)) {
      brackets_.pop_back();
      return true;
    }
    if (!take(',')) return wrong(fmt::format("expected ',' or '{}'", closing));
    return bracket == '[' ? value() : member();
  }

  bool member() {
    skip_space();
    if (peek() != '"') return wrong("expected a member name in double quotes");
    if (!string()) return false;
    skip_space();
    if (!take(':')) return wrong("expected ':' after the member name");
    return value();
  }

  // A scalar or an empty container whole; of another container the first bracket and value.
  bool value() {
    while (true) {
      skip_space();
      const char c = peek();
      if (c != '[' && c != '{') return scalar();
      if (brackets_.size() >= depth_max_) {
        return wrong(fmt::format("nested deeper than {} levels", depth_max_));
      }
      ++at_;
      brackets_.push_back(c);
      skip_space();
      if (take(c == '[' ? ']' : '}')) {
        brackets_.pop_back();
        return true;
      }
      if (c == '{') {
        if (peek() != '"') return wrong("expected a member name in double quotes or '}'");
        if (!string()) return false;
        skip_space();
        if (!take(':')) return wrong("expected ':' after the member name");
      }
    }
  }

  bool scalar() {
    const char c = peek();
    if (c == '"') return string();
    if (c == '-' || is_digit(c)) return number();
    for (const std::string_view word : {"true", "false", "null"}) {
      if (text_.substr(at_).starts_with(word)) {
        at_ += word.size();
        return true;
      }
    }
    return wrong("expected a value");
  }

  bool number() {
    const std::size_t begin = at_;
    take('-');
    if (!is_digit(peek())) return wrong("expected a digit");
    const bool leading_zero = peek() == '0';
    const std::size_t digits = at_;
    while (is_digit(peek())) ++at_;
    if (leading_zero && at_ - digits > 1) return wrong_at(digits, "a number has a leading zero");
    bool is_integer = true;
    if (take('.')) {
      is_integer = false;
      if (!is_digit(peek())) return wrong("expected a digit after '.'");
      while (is_digit(peek())) ++at_;
    }
    if (peek() == 'e' || peek() == 'E') {
      is_integer = false;
      ++at_;
      if (!take('+')) take('-');
      if (!is_digit(peek())) return wrong("expected a digit of the exponent");
      while (is_digit(peek())) ++at_;
    }
    return in_range(begin, is_integer);
  }

  bool in_range(std::size_t begin, bool is_integer) {
    const char* first = text_.data() + begin;
    const char* last = text_.data() + at_;
    if (is_integer) {
      std::int64_t negative = 0;
      std::uint64_t positive = 0;
      const auto read = *first == '-' ? std::from_chars(first, last, negative)
                                      : std::from_chars(first, last, positive);
      if (read.ec != std::errc()) return wrong_at(begin, "an integer of more than 64 bits");
      return true;
    }
    // Not from_chars, which leaves an overflow and an underflow indistinguishable.
    if (std::isinf(std::strtod(std::string(first, last).c_str(), nullptr))) {
      return wrong_at(begin, "a number too large for a double");
    }
    return true;
  }

  bool string() {
    const std::size_t begin = at_++;
    while (true) {
      if (done()) return wrong_at(begin, "a text that does not end");
      const auto c = static_cast<unsigned char>(peek());
      if (c == '"') break;
      if (c < 0x20) return wrong("a control character inside a text");
      if (c == '\\') {
        if (!escape()) return false;
      } else {
        ++at_;
      }
    }
    ++at_;
    return check_utf8(begin);
  }

  bool check_utf8(std::size_t begin) {
    const std::string_view token = text_.substr(begin, at_ - begin);
    if (is_valid_utf8(token)) return true;
    std::size_t good = 0;  // the longest valid prefix, character by character
    for (std::size_t length = 1; good < token.size() && length <= 4;) {
      if (good + length <= token.size() && is_valid_utf8(token.substr(good, length))) {
        good += length;
        length = 1;
      } else {
        ++length;
      }
    }
    return wrong_at(begin + good, "bytes that are not UTF-8");
  }

  bool hex4(std::uint32_t& out) {
    out = 0;
    for (int i = 0; i < 4; ++i, ++at_) {
      const char c = peek();
      const char lower = static_cast<char>(c | 0x20);
      if (is_digit(c)) {
        out = out * 16 + static_cast<std::uint32_t>(c - '0');
      } else if (lower >= 'a' && lower <= 'f') {
        out = out * 16 + static_cast<std::uint32_t>(lower - 'a' + 10);
      } else {
        return wrong("expected four hexadecimal digits after '\\u'");
      }
    }
    return true;
  }

  bool escape() {
    const std::size_t begin = at_++;
    const char c = peek();
    if (!done() && std::string_view("\"\\/bfnrt").contains(c)) {
      ++at_;
      return true;
    }
    if (!take('u')) return wrong_at(begin, "an unknown escape");
    std::uint32_t unit = 0;
    if (!hex4(unit)) return false;
    if (unit < 0xD800 || unit > 0xDFFF) return true;
    // A surrogate pair must be whole (RFC 8259, 7).
    std::uint32_t low = 0;
    if (unit > 0xDBFF || !take('\\') || !take('u')) return wrong_at(begin, "half a surrogate pair");
    if (!hex4(low)) return false;
    if (low < 0xDC00 || low > 0xDFFF) return wrong_at(begin, "half a surrogate pair");
    return true;
  }

  const std::string_view text_;
  const std::size_t depth_max_;
  std::size_t at_ = 0;
  std::string brackets_;
  std::optional<JsonMistake> mistake_;
};

}  // namespace

std::optional<JsonMistake> find_json_mistake(std::string_view text, std::size_t depth_max) {
  return Checker(text, depth_max).run();
}

}  // namespace ficus::json
