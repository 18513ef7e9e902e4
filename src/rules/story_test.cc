// Runs the stories of tests/sql (its README says how they are written).
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <fstream>
#include <memory>

#include "base/time_text.h"
#include "rules/rule_book.h"
#include "rules/testing/fake_twin.h"

namespace ficus::rules {
namespace {

using testing::FakeTwin;
using testing::Reading;

std::vector<std::string> split(const std::string& line) {
  std::vector<std::string> words;
  std::string word;
  bool in_parentheses = false;
  for (const char c : line) {
    in_parentheses = (in_parentheses || c == '(') && c != ')';
    if (c == ' ' && !in_parentheses) {
      if (!word.empty()) words.push_back(std::exchange(word, {}));
    } else {
      word.push_back(c);
    }
  }
  if (!word.empty()) words.push_back(word);
  return words;
}

double to_number(std::string_view text) {
  double number = 0;
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

Timestamp clock_time(const std::string& text) {
  const auto time = parse_iso8601("2026-01-01T" + text);
  FICUS_CHECK(time.has_value());
  return *time;
}

std::string shown(Timestamp time) { return to_iso8601(time).substr(11, 8); }

std::string shown(const Value& value) {
  switch (value.kind()) {
    case ValueKind::none:
      return "none";
    case ValueKind::boolean:
      return value.as_boolean() ? "true" : "false";
    case ValueKind::number:
      return fmt::format("{}", value.as_number());
    case ValueKind::time:
      return "T" + shown(value.as_time());
    case ValueKind::point:
      return fmt::format("({} {})", value.as_point().longitude, value.as_point().latitude);
    default:
      return fmt::format("'{}'", value.as_text());
  }
}

ValueKind kind_named(const std::string& name) {
  for (const ValueKind kind :
       {ValueKind::boolean, ValueKind::number, ValueKind::text, ValueKind::time, ValueKind::point,
        ValueKind::geometry, ValueKind::relationship, ValueKind::json}) {
    if (name == value_kind_name(kind)) return kind;
  }
  ADD_FAILURE() << "unknown kind " << name;
  return ValueKind::text;
}

// One file at work.
class Story {
 public:
  explicit Story(const std::filesystem::path& path) : path_(path) {
    std::ifstream in(path);
    for (std::string line; std::getline(in, line);) lines_.push_back(line);
  }

  void run() {
    while (at_ < lines_.size() && !::testing::Test::HasFailure()) {
      const std::string line = lines_[at_];
      line_ = ++at_;
      if (line.empty() || line.front() == '#') continue;
      step(line, split(line));
    }
    settle();
    EXPECT_TRUE(book_ != nullptr || !error_.empty()) << where() << "no rules";
  }

 private:
  std::string where() const { return fmt::format("{}:{}: ", path_.filename().string(), line_); }

  void step(const std::string& line, const std::vector<std::string>& words) {
    const std::string& word = words.front();
    if (word == ">") {
      EXPECT_FALSE(said_.empty()) << where() << "nothing more was said";
      if (said_.empty()) return;
      EXPECT_EQ("> " + said_.front(), line) << where();
      said_.erase(said_.begin());
      return;
    }
    if (word == "+") {
      batch_.push_back(reading({words.begin() + 1, words.end()}));
      return peek_flush();
    }
    settle();
    if (word == "type") return add_type(words);
    if (word == "zone") return add_zone(words);
    if (word == "rules") return load();
    if (word == "error") {
      EXPECT_EQ(block(), error_) << where();
      return;
    }
    ASSERT_NE(book_, nullptr) << where() << error_;
    if (word == "at") {
      now_ = clock_time(words[1]);
      return advance();
    }
    if (word == "restart") return restart();
    if (word == "failures") return check_failures(words);
    batch_.push_back(reading(words));
    peek_flush();
  }

  // A batch is complete where no '+' follows.
  void peek_flush() {
    if (at_ < lines_.size() && lines_[at_].starts_with("+")) return;
    std::vector<Emission> out;
    book_->advance(now_, SIZE_MAX, *twin_, out);
    twin_->observe(batch_, now_, *book_, out);
    batch_.clear();
    note(out);
  }

  // Everything said must have been expected by now.
  void settle() {
    for (const std::string& said : said_) ADD_FAILURE() << where() << "not expected: > " << said;
    said_.clear();
  }

  std::string block() {
    std::string text;
    for (; at_ < lines_.size() && lines_[at_] != "end"; ++at_) {
      if (!text.empty()) text.push_back('\n');
      text.append(lines_[at_]);
    }
    ++at_;
    return text;
  }

  void add_type(const std::vector<std::string>& words) {
    const TypeId type = *schema_.intern_type(words[1]);
    for (std::size_t i = 2; i < words.size(); ++i) {
      const std::size_t colon = words[i].find(':');
      ASSERT_TRUE(schema_.intern_attribute(type, words[i].substr(0, colon),
                                           kind_named(words[i].substr(colon + 1))));
    }
  }

  void add_zone(const std::vector<std::string>& words) {
    ASSERT_EQ(words.size(), 7u) << where();
    const BoundingBox box{to_number(words[3]), to_number(words[4]), to_number(words[5]),
                          to_number(words[6])};
    ASSERT_TRUE(zones_.add(words[1], words[2], MultiPolygon{{to_polygon(box)}})) << where();
  }

  void load() {
    text_ = block();
    auto book = RuleBook::compile(text_, "rules", schema_, zones_);
    if (!book) {
      error_ = book.error().message;
      return;
    }
    book_ = std::make_unique<RuleBook>(*std::move(book));
    if (twin_ == nullptr) twin_ = std::make_unique<FakeTwin>(schema_);
  }

  void restart() {
    std::string bytes;
    book_->encode(bytes);
    if (at_ < lines_.size() && lines_[at_] == "rules") {
      ++at_;
      text_ = block();
    }
    auto book = RuleBook::compile(text_, "rules", schema_, zones_);
    ASSERT_TRUE(book) << where() << book.error().message;
    auto report = book->decode(bytes);
    ASSERT_TRUE(report) << where() << report.error().message;
    for (const std::string& dropped : report->dropped) {
      said_.push_back("dropped " + dropped.substr(0, dropped.find(':')));
    }
    // The same state gives the same bytes.
    if (report->dropped.empty()) {
      std::string again;
      book->encode(again);
      EXPECT_EQ(again, bytes) << where();
    }
    book_ = std::make_unique<RuleBook>(*std::move(book));
  }

  void check_failures(const std::vector<std::string>& words) {
    for (std::uint32_t i = 0; i < book_->rule_count(); ++i) {
      if (book_->info(RuleId(i)).name != words[1]) continue;
      const RuleFigures figures = book_->figures(RuleId(i));
      EXPECT_EQ(std::to_string(figures.failures), words[2]) << where();
      EXPECT_EQ(figures.last_failure.has_value(), figures.failures > 0) << where();
      return;
    }
    ADD_FAILURE() << where() << "no rule " << words[1];
  }

  void advance() {
    std::vector<Emission> out;
    book_->advance(now_, SIZE_MAX, *twin_, out);
    note(out);
  }

  Reading reading(const std::vector<std::string>& words) {
    Reading reading{words[0], words[1], now_, {}};
    const TypeId type = *schema_.find_type(words[0]);
    for (std::size_t i = 2; i < words.size(); ++i) {
      const std::size_t equals = words[i].find('=');
      const std::string name = words[i].substr(0, equals);
      const std::string text = words[i].substr(equals + 1);
      if (name == "observed") {
        reading.observed_at = clock_time(text);
        continue;
      }
      const auto attribute = schema_.find_attribute(type, name);
      EXPECT_TRUE(attribute) << where() << name;
      if (attribute)
        reading.values.emplace_back(name, value(text, schema_.attribute_kind(type, *attribute)));
    }
    return reading;
  }

  static Value value(const std::string& text, ValueKind kind) {
    switch (kind) {
      case ValueKind::boolean:
        return Value::boolean(text == "true");
      case ValueKind::number:
        return Value::number(to_number(text));
      case ValueKind::time:
        return Value::time(clock_time(text.substr(1)));
      case ValueKind::point: {
        const std::size_t space = text.find(' ');
        return Value::point(
            {to_number(text.substr(1, space - 1)), to_number(text.substr(space + 1))});
      }
      default:
        return Value::of_text_kind(kind, text.substr(1, text.size() - 2));
    }
  }

  void note(const std::vector<Emission>& out) {
    for (const Emission& emission : out) {
      const RuleInfo& info = book_->info(emission.rule);
      std::string text = fmt::format("{} {} {} {}", info.name, emission.entity_id,
                                     emission.met ? "met" : "ended", shown(emission.observed_at));
      for (const auto& [attribute, value] : emission.values) {
        text += fmt::format(" {}={}", schema_.attribute_name(info.into, attribute), shown(value));
      }
      said_.push_back(text);
    }
  }

  std::filesystem::path path_;
  std::vector<std::string> lines_;
  std::size_t at_ = 0;
  std::size_t line_ = 0;
  Schema schema_;
  ZoneSet zones_;
  std::string text_;
  std::string error_;
  std::unique_ptr<RuleBook> book_;
  std::unique_ptr<FakeTwin> twin_;
  Timestamp now_ = clock_time("00:00:00");
  std::vector<Reading> batch_;
  std::vector<std::string> said_;
};

TEST(Stories, OfTheFolderTestsSql) {
  std::vector<std::filesystem::path> files;
  const std::filesystem::path folder = std::filesystem::path(FICUS_SOURCE_DIR) / "tests" / "sql";
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    if (entry.path().extension() == ".test") files.push_back(entry.path());
  }
  std::sort(files.begin(), files.end());
  EXPECT_GE(files.size(), 12u);
  for (const std::filesystem::path& file : files) {
    SCOPED_TRACE(file.filename().string());
    Story(file).run();
    if (HasFailure()) return;
  }
}

}  // namespace
}  // namespace ficus::rules
