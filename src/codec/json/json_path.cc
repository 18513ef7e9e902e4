#include "codec/json/json_path.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/check.h"
#include "base/utf8.h"

namespace ficus::json {
namespace {

constexpr std::size_t kStepsMax = 32;
constexpr std::size_t kIndexMax = 1'000'000;

// Letters of any script may stand in a bare name: every byte above ASCII is taken as one.
bool is_name_byte(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
         c == '-' || c == ':' || c == '@' || static_cast<unsigned char>(c) >= 0x80;
}

class Compiler {
 public:
  explicit Compiler(std::string_view text) : text_(text) {}

  Result<std::vector<JsonStep>> run() {
    if (!is_valid_utf8(text_)) return invalid("column 1: the path is not UTF-8");
    if (!take('$')) return expected("'$' at the beginning");
    std::vector<JsonStep> steps;
    while (at_ < text_.size()) {
      if (steps.size() == kStepsMax) return expected(fmt::format("at most {} steps", kStepsMax));
      FICUS_TRY(JsonStep step, next());
      steps.push_back(std::move(step));
    }
    return steps;
  }

 private:
  bool take(char c) {
    if (at_ == text_.size() || text_[at_] != c) return false;
    ++at_;
    return true;
  }
  std::unexpected<Error> expected(std::string_view what) const {
    return invalid(fmt::format("column {}: expected {}", at_ + 1, what));
  }

  Result<JsonStep> next() {
    JsonStep step;
    if (take('.')) {
      if (take('*')) {
        step.kind = JsonStep::Kind::each_member;
        return step;
      }
      const std::size_t begin = at_;
      while (at_ < text_.size() && is_name_byte(text_[at_])) ++at_;
      if (at_ == begin) return expected("a name or '*' after '.'");
      step.name = text_.substr(begin, at_ - begin);
      return step;
    }
    if (!take('[')) return expected("'.' or '['");
    if (take('*')) {
      step.kind = JsonStep::Kind::each_element;
    } else if (take('\'')) {
      FICUS_TRY(step.name, quoted('\''));
    } else if (take('"')) {
      FICUS_TRY(step.name, quoted('"'));
    } else {
      step.kind = JsonStep::Kind::element;
      FICUS_TRY(step.index, index());
    }
    if (!take(']')) return expected("']'");
    return step;
  }

  Result<std::string> quoted(char quote) {
    std::string name;
    while (at_ < text_.size() && text_[at_] != quote) {
      if (text_[at_] == '\\' && at_ + 1 < text_.size()) ++at_;
      name.push_back(text_[at_++]);
    }
    if (!take(quote)) return expected(fmt::format("a closing {}", quote));
    return name;
  }

  Result<std::size_t> index() {
    std::size_t value = 0;
    const std::size_t begin = at_;
    while (at_ < text_.size() && text_[at_] >= '0' && text_[at_] <= '9') {
      value = value * 10 + static_cast<std::size_t>(text_[at_++] - '0');
      if (value > kIndexMax) return expected(fmt::format("an index of at most {}", kIndexMax));
    }
    if (at_ == begin) return expected("an index, '*' or a quoted name after '['");
    return value;
  }

  const std::string_view text_;
  std::size_t at_ = 0;
};

}  // namespace

Result<JsonPath> JsonPath::compile(std::string_view text) {
  JsonPath path;
  FICUS_TRY(path.steps_, Compiler(text).run());
  return path;
}

bool JsonPath::fans_out() const { return std::ranges::any_of(steps_, &JsonStep::fans_out); }

JsonValue JsonPath::find(JsonValue root) const {
  for (const JsonStep& step : steps_) {
    FICUS_DCHECK(!step.fans_out());
    root = step.kind == JsonStep::Kind::member ? root.member(step.name) : root.element(step.index);
    if (root.is_missing()) break;
  }
  return root;
}

}  // namespace ficus::json
