// What is said about rules that cannot be loaded.
#include <gtest/gtest.h>

#include "rules/rule_book.h"

namespace ficus::rules {
namespace {

class LoadError : public ::testing::Test {
 protected:
  LoadError() {
    const TypeId vehicle = *schema_.intern_type("Vehicle");
    const auto add = [&](TypeId type, const char* name, ValueKind kind) {
      EXPECT_TRUE(schema_.intern_attribute(type, name, kind));
    };
    add(vehicle, "speed", ValueKind::number);
    add(vehicle, "plate", ValueKind::text);
    add(vehicle, "parked", ValueKind::boolean);
    add(vehicle, "location", ValueKind::point);
    add(vehicle, "seen", ValueKind::time);
    add(vehicle, "extra", ValueKind::json);
    add(vehicle, "Extra", ValueKind::number);
    add(vehicle, "end", ValueKind::number);
    const TypeId alert = *schema_.intern_type("Alert");
    add(alert, "category", ValueKind::text);
    add(alert, "alertSource", ValueKind::relationship);
    add(alert, "payload", ValueKind::json);
    add(alert, "level", ValueKind::number);
    EXPECT_TRUE(zones_.add("no1", "school", MultiPolygon{{to_polygon({0, 0, 1, 1})}}));
  }

  std::string load(std::string_view text, RuleLimits limits = {}) {
    auto book = RuleBook::compile(text, "r.sql", schema_, zones_, limits);
    if (book) return "";
    EXPECT_EQ(book.error().code, ErrorCode::invalid_input);
    return book.error().message;
  }
  // Of a rule with this condition, which begins at column 1 of line 2.
  std::string where(const std::string& condition, RuleLimits limits = {}) {
    return load("CREATE RULE r AS INSERT INTO Alert (category) SELECT 'x' FROM Vehicle v WHERE\n" +
                    condition,
                limits);
  }
  // Of a rule that selects this into the column.
  std::string select(const std::string& column, const std::string& expression) {
    return load("CREATE RULE r AS INSERT INTO Alert (" + column + ") SELECT\n" + expression +
                " FROM Vehicle WHERE true");
  }

  Schema schema_;
  ZoneSet zones_;
};

TEST_F(LoadError, Good) {
  EXPECT_EQ(where("v.speed > 40"), "");
  EXPECT_EQ(where("SPEED > 40 and \"end\" = 1 AND Extra = 1"), "");
  EXPECT_EQ(where("NULL"), "");
  EXPECT_EQ(load(""), "");
  EXPECT_EQ(load(" -- nothing\n ;; /* here /* nor */ here */ ;"), "");
  EXPECT_EQ(select("category", "plate"), "");
  EXPECT_EQ(select("alertSource", "id"), "");
  EXPECT_EQ(select("payload", "extra"), "");
  EXPECT_EQ(select("category", "extra"), "");
  EXPECT_EQ(select("category", "NULL"), "");
  EXPECT_EQ(select("level", "length(plate) AS level"), "");
  EXPECT_EQ(select("spot", "location"), "");
  EXPECT_EQ(schema_.attribute_kind(*schema_.find_type("Alert"),
                                   *schema_.find_attribute(*schema_.find_type("Alert"), "spot")),
            ValueKind::point);
}

TEST_F(LoadError, OfWords) {
  EXPECT_EQ(load("CREATE"), "r.sql:1:7: expected RULE, found the end of the text");
  EXPECT_EQ(load("SELECT 1"), "r.sql:1:1: expected CREATE, found 'SELECT'");
  EXPECT_EQ(load("CREATE RULE where"), "r.sql:1:13: expected the rule's name, found 'where'");
  EXPECT_EQ(load("CREATE RULE r COMMENT x"), "r.sql:1:23: expected a text in quotes, found 'x'");
  EXPECT_EQ(load("CREATE RULE r AS SELECT"), "r.sql:1:18: expected INSERT, found 'SELECT'");
  EXPECT_EQ(load("CREATE RULE r AS INSERT INTO Alert SELECT"),
            "r.sql:1:36: expected '(' and the names of the columns to write, found 'SELECT'");
  EXPECT_EQ(load("CREATE RULE r AS INSERT INTO Alert (a b)"),
            "r.sql:1:39: expected ',' or ')' after this column, found 'b'");
  EXPECT_EQ(load("CREATE RULE r AS INSERT INTO Alert (level) SELECT 1 WHERE"),
            "r.sql:1:53: expected an operator, ',' or FROM after this expression, found 'WHERE'");
  EXPECT_EQ(load("CREATE RULE r AS INSERT INTO Alert (level) SELECT 1 FROM Vehicle;"),
            "r.sql:1:65: expected WHERE, found ';'");
  EXPECT_EQ(
      load("CREATE RULE r AS INSERT INTO Alert (level) SELECT 1 FROM Vehicle, Alert WHERE true"),
      "r.sql:1:65: expected WHERE (a rule reads one entity type), found ','");
  EXPECT_EQ(where("speed > 1 GROUP BY id"),
            "r.sql:2:11: expected ';' (a rule ends with its condition), found 'GROUP'");
  EXPECT_EQ(where("speed > 1 speed"),
            "r.sql:2:11: expected an operator or ';' after this expression, found 'speed'");
}

TEST_F(LoadError, OfCharacters) {
  EXPECT_EQ(where("plate = 'x"),
            "r.sql:2:9: expected ' to end this text, found the end of the text");
  EXPECT_EQ(where("plate = \"x"),
            "r.sql:2:9: expected \" to end this name, found the end of the text");
  EXPECT_EQ(where("true /* x"),
            "r.sql:2:6: expected '*/' to end this comment, found the end of the text");
  EXPECT_EQ(where("speed > 1x"), "r.sql:2:10: expected the end of the number, found 'x'");
  EXPECT_EQ(where("speed > 1e"), "r.sql:2:9: expected digits after the exponent's 'e'");
  EXPECT_EQ(where("speed > 1e999"), "r.sql:2:9: the number 1e999 is out of range");
  EXPECT_EQ(
      where("speed > 9007199254740992"),
      "r.sql:2:9: this integer is too large (2^53 - 1 at most): write it with a decimal point");
  EXPECT_EQ(where("speed ? 1"),
            "r.sql:2:7: unexpected character '?': texts stand in 'single quotes'");
  EXPECT_EQ(where("速度 > 1"),
            "r.sql:2:1: unexpected character '速': texts stand in 'single quotes'");
  EXPECT_EQ(where("plate = '福' AND speed > “"),
            "r.sql:2:25: found the full-width character '“': expected '''");
  EXPECT_EQ(where(std::string("speed > 1 \x01")), "r.sql:2:11: unexpected control character 0x01");
  EXPECT_EQ(where("plate = '\xff'"), "r.sql:2:10: expected UTF-8, found a byte that is not");
  EXPECT_EQ(where(std::string("speed > 1 \0", 11)),
            "r.sql:2:11: unexpected control character 0x00");
}

TEST_F(LoadError, OfExpressions) {
  EXPECT_EQ(where("1 < speed < 3"),
            "r.sql:2:11: comparisons cannot be chained: join them with AND or use parentheses");
  EXPECT_EQ(
      where("plate LIKE 'a' LIKE 'b'"),
      "r.sql:2:16: BETWEEN, IN and LIKE cannot be chained: join them with AND or use parentheses");
  EXPECT_EQ(where("speed IS DISTINCT FROM 1 IS NULL"),
            "r.sql:2:26: IS DISTINCT FROM and IS cannot be chained: join them with AND or use "
            "parentheses");
  EXPECT_EQ(where("(speed > 1"),
            "r.sql:2:11: expected an operator or ')', found the end of the text");
  EXPECT_EQ(where("speed IS 1"),
            "r.sql:2:10: expected NULL, TRUE, FALSE, UNKNOWN or DISTINCT FROM, found '1'");
  EXPECT_EQ(where("speed IN ()"), "r.sql:2:11: expected an expression, found ')'");
  EXPECT_EQ(where("speed IN (1 2)"),
            "r.sql:2:13: expected ',' or ')' after this value of the list, found '2'");
  EXPECT_EQ(where("speed IN (SELECT 1)"),
            "r.sql:2:11: expected a list of values (queries in IN are not "
            "part of the language), found 'SELECT'");
  EXPECT_EQ(where("CASE speed END"), "r.sql:2:12: expected WHEN, found 'END'");
  EXPECT_EQ(where("CASE WHEN true THEN true"),
            "r.sql:2:25: expected WHEN, ELSE or END of this CASE, found the end of the text");
  EXPECT_EQ(where("speed BETWEEN 1 OR 2"), "r.sql:2:17: expected AND, found 'OR'");
  EXPECT_EQ(where("CAST(speed AS MONEY) = 1"),
            "r.sql:2:15: expected DOUBLE, INTEGER, BIGINT, VARCHAR, BOOLEAN or TIMESTAMP, found "
            "'MONEY'");
  EXPECT_EQ(where("speed >"), "r.sql:2:8: expected an expression, found the end of the text");
  EXPECT_EQ(
      where("seen > TIMESTAMP '2026-02-30'"),
      "r.sql:2:18: expected a UTC time such as '2026-01-31 08:15:00' without an offset, found "
      "the text '2026-02-30'");
  EXPECT_TRUE(where("seen > TIMESTAMP '2026-01-01 00:00:00+08:00'").contains("without an offset"));
  EXPECT_TRUE(where("held(speed > 1, INTERVAL '1 month')").contains("months and years"));
  EXPECT_EQ(where("held(speed > 1, INTERVAL 5 speed)"),
            "r.sql:2:28: expected a unit such as SECONDS, MINUTES, HOURS or DAYS, found 'speed'");
}

TEST_F(LoadError, OfNames) {
  EXPECT_EQ(where("sped > 40"),
            "r.sql:2:1: unknown attribute 'sped' of Vehicle: did you mean 'speed'?");
  EXPECT_EQ(where("v.sped > 40"),
            "r.sql:2:3: unknown attribute 'sped' of Vehicle: did you mean 'speed'?");
  EXPECT_EQ(where("x.speed > 40"), "r.sql:2:1: unknown name 'x' before '.': expected 'v'");
  EXPECT_EQ(where("humidity > 40"), "r.sql:2:1: unknown attribute 'humidity' of Vehicle");
  EXPECT_EQ(where("EXTRA IS NULL"),
            "r.sql:2:1: unknown attribute 'EXTRA' of Vehicle: did you mean "
            "'extra'?");
  EXPECT_EQ(where("end > 1"), "r.sql:2:1: expected an expression, found 'end'");
  EXPECT_EQ(where("lenght(plate) > 1"),
            "r.sql:2:1: unknown function 'lenght': did you mean 'length'?");
  EXPECT_EQ(where("within(location, zone('no2'))"),
            "r.sql:2:23: unknown zone 'no2': no zone has this name or kind: did you mean 'no1'?");
  EXPECT_EQ(
      load("CREATE RULE r AS INSERT INTO Alret (x) SELECT 1 FROM Vehicle WHERE true"),
      "r.sql:1:30: unknown entity type 'Alret': did you mean 'Alert'? (declare it if it is new)");
  EXPECT_EQ(select("catgory", "1"),
            "r.sql:1:37: unknown attribute 'catgory' of Alert: did you mean "
            "'category'? (declare it if it is new)");
  EXPECT_EQ(select("id", "'x'"),
            "r.sql:1:37: 'id' of what a rule writes is set by the engine: leave it "
            "out");
  EXPECT_EQ(select("level, level", "1, 2"), "r.sql:1:44: the column 'level' is named twice");
  EXPECT_EQ(select("level", "1 AS category"),
            "r.sql:2:6: expected the column 'level' in this place, "
            "found 'category': values go to columns by position");
  EXPECT_EQ(select("\"a b\"", "1"),
            "r.sql:1:37: 'a b' is not an attribute name: expected a letter, then "
            "letters, digits, '_'");
  EXPECT_TRUE(
      load("CREATE RULE \"a b\" AS INSERT INTO Alert (level) SELECT 1 FROM Vehicle WHERE true")
          .contains("is not a name for a rule"));
  EXPECT_TRUE(load("CREATE RULE r AS INSERT INTO \"1\" (level) SELECT 1 FROM Vehicle WHERE true")
                  .contains("is not a name for an entity type"));
  const std::string twice =
      "CREATE RULE r AS INSERT INTO Alert (level) SELECT 1 FROM Vehicle WHERE true;";
  EXPECT_EQ(load(twice + "\n" + twice),
            "r.sql:2:13: there is a rule 'r' already, at r.sql:1:13: expected "
            "another name");
}

TEST_F(LoadError, OfKinds) {
  EXPECT_EQ(where("speed > 'x'"), "r.sql:2:9: speed is a number, 'x' is a text");
  EXPECT_EQ(where("seen > INTERVAL '1 s'"),
            "r.sql:2:8: seen is a time, INTERVAL '1 s' is an interval");
  EXPECT_EQ(where("speed"), "r.sql:2:1: expected a condition after WHERE: speed is a number");
  EXPECT_EQ(where("speed AND true"), "r.sql:2:1: expected a condition: speed is a number");
  EXPECT_EQ(where("plate + 1 > 2"),
            "r.sql:2:7: cannot compute with these: plate is a text, 1 is a number");
  EXPECT_EQ(where("-plate > 2"), "r.sql:2:2: expected a number after '-': plate is a text");
  EXPECT_EQ(where("speed LIKE 'a'"), "r.sql:2:1: expected a text before LIKE: speed is a number");
  EXPECT_EQ(where("plate LIKE 1"), "r.sql:2:12: expected a text as pattern: 1 is a number");
  EXPECT_EQ(where("plate LIKE 'a' ESCAPE 'ab'"),
            "r.sql:2:23: expected one ASCII character in quotes, or '', after ESCAPE");
  EXPECT_EQ(where("plate LIKE 'a!' ESCAPE '!'"),
            "r.sql:2:12: expected a character after the last '!' of this pattern");
  EXPECT_EQ(where("location = location"),
            "r.sql:2:1: a point cannot be compared: use distance() or within()");
  EXPECT_EQ(where("location IN (location)"),
            "r.sql:2:1: expected a value that can be compared: location is a point");
  EXPECT_EQ(where("zone('no1')"),
            "r.sql:2:1: expected a condition after WHERE: zone('no1') is a zone");
  EXPECT_EQ(where("zone(plate) IS NULL"), "r.sql:2:1: expected the name of a zone: zone('name')");
  EXPECT_EQ(where("zone('no1') IS NULL"), "r.sql:2:1: expected a value: zone('no1') is a zone");
  EXPECT_EQ(where("within(speed, zone('no1'))"),
            "r.sql:2:8: expected a point in within(location, zone('name')): speed is a number");
  EXPECT_EQ(where("within(location, plate)"),
            "r.sql:2:18: expected zone('name') in within(location, zone('name')): plate is a text");
  EXPECT_EQ(where("within(location)"),
            "r.sql:2:1: expected within(location, zone('name')), found 1 "
            "argument");
  EXPECT_EQ(where("abs(plate) = 1"),
            "r.sql:2:5: expected a number in abs(number): plate is a text");
  EXPECT_EQ(
      where("substring(plate, 1.5) = 'a'"),
      "r.sql:2:18: expected a whole number in substring(text, from[, count]): 1.5 is a number");
  EXPECT_EQ(where("length() = 1"), "r.sql:2:1: expected length(text), found 0 arguments");
  EXPECT_EQ(where("coalesce() = 1"), "r.sql:2:1: expected values in coalesce(...)");
  EXPECT_EQ(where("nullif(1) = 1"), "r.sql:2:1: expected nullif(value, value), found 1 argument");
  EXPECT_EQ(where("CASE WHEN true THEN 1 ELSE 'a' END = 1"),
            "r.sql:2:28: 1 is a number, 'a' is a text");
  EXPECT_EQ(where("CASE speed WHEN 'a' THEN true END"),
            "r.sql:2:17: speed is a number, 'a' is a text");
  EXPECT_EQ(where("CAST(location AS VARCHAR) = ''"),
            "r.sql:2:6: expected a value that can become a text: location is a point");
  EXPECT_EQ(where("CAST(plate AS INTEGER) = 1"),
            "r.sql:2:1: cannot cast to INTEGER: plate is a text (cast it to DOUBLE first)");
  EXPECT_EQ(where("CAST(plate AS TIMESTAMP) = seen"),
            "r.sql:2:1: cannot cast to TIMESTAMP: plate is a "
            "text");
  EXPECT_EQ(select("category", "1"), "r.sql:2:1: Alert.category is a text, 1 is a number");
  EXPECT_EQ(select("payload", "plate"), "r.sql:2:1: Alert.payload is a json, plate is a text");
  EXPECT_EQ(select("unseen", "NULL"),
            "r.sql:2:1: expected a value that can be stored as Alert.unseen: "
            "NULL is NULL");
  EXPECT_EQ(select("unseen", "seen - seen"),
            "r.sql:2:1: expected a value that can be stored as "
            "Alert.unseen: seen - seen is an interval");
}

TEST_F(LoadError, OfHeldAndAbsent) {
  EXPECT_EQ(where("held(speed > 1)"),
            "r.sql:2:1: expected held(condition, INTERVAL '10 seconds'), found 1 "
            "argument");
  EXPECT_EQ(where("held(speed, INTERVAL '1 s')"),
            "r.sql:2:6: expected a condition: speed is a number");
  EXPECT_EQ(where("held(true, 10)"),
            "r.sql:2:12: expected an interval such as INTERVAL '10 seconds': 10 is a number");
  EXPECT_EQ(where("held(true, INTERVAL '-1 s')"),
            "r.sql:2:12: expected a constant interval, not negative");
  EXPECT_EQ(where("held(true, seen - seen)"),
            "r.sql:2:12: expected a constant interval, not negative");
  EXPECT_EQ(where("absent(INTERVAL '0 s')"),
            "r.sql:2:8: expected a constant interval longer than zero");
  EXPECT_EQ(where("absent()"),
            "r.sql:2:1: expected absent(INTERVAL '10 minutes'), found 0 arguments");
  const std::string misplaced = "(...) may stand only in WHERE, joined by AND, OR and NOT";
  EXPECT_EQ(where("held(absent(INTERVAL '1 s'), INTERVAL '1 s')"), "r.sql:2:6: absent" + misplaced);
  EXPECT_EQ(where("held(held(true, INTERVAL '1 s'), INTERVAL '1 s')"),
            "r.sql:2:6: held" + misplaced);
  EXPECT_EQ(where("absent(INTERVAL '1 s') = true"), "r.sql:2:1: absent" + misplaced);
  EXPECT_EQ(where("CASE WHEN absent(INTERVAL '1 s') THEN true END"),
            "r.sql:2:11: absent" + misplaced);
  EXPECT_TRUE(select("level", "absent(INTERVAL '1 s')").ends_with("absent" + misplaced));
}

TEST_F(LoadError, OfConstants) {
  EXPECT_EQ(where("sqrt(-1) > 0"), "r.sql:2:1: cannot take the square root of a negative number");
  EXPECT_EQ(where("CAST('x' AS DOUBLE) > 0"), "r.sql:2:1: the text is not a number");
  EXPECT_EQ(where("CAST('x' AS BOOLEAN)"), "r.sql:2:1: the text is not a boolean");
  EXPECT_EQ(where("CAST(3e9 AS INTEGER) > 0"),
            "r.sql:2:1: the number is out of the range of the integer "
            "type");
  EXPECT_EQ(where("9007199254740991 > 0"), "");
  EXPECT_EQ(where("9007199254740991 + 1 > 0"), "r.sql:2:18: the integer is beyond 2^53 - 1");
  EXPECT_EQ(where("distance(location, point(200, 0)) > 1"),
            "r.sql:2:20: point(longitude, latitude) lies outside of -180..180, -90..90");
}

TEST_F(LoadError, OfLimits) {
  EXPECT_EQ(
      where("true", {.text_bytes_max = 20}),
      "r.sql:1:1: the text has 82 bytes, 20 are the most allowed: split it into several files");
  const std::string rule =
      "CREATE RULE r AS INSERT INTO Alert (level) SELECT 1 FROM Vehicle WHERE true;";
  EXPECT_EQ(load(rule + rule, {.rules_max = 1}), "r.sql:1:77: more than 1 rules, the most allowed");
  EXPECT_EQ(load("CREATE RULE r AS INSERT INTO Alert (a, b)", {.columns_max = 1}),
            "r.sql:1:40: a rule may write 1 columns at most");
  EXPECT_EQ(load("CREATE RULE r AS INSERT INTO Alert (a) SELECT 1, 2", {.columns_max = 1}),
            "r.sql:1:50: a rule may write 1 columns at most");
  const std::string deep = " is nested more than 100 deep: split it";
  const auto nested = [](const std::string& open, const std::string& inner,
                         const std::string& close, int count) {
    std::string text;
    for (int i = 0; i < count; ++i) text += open;
    text += inner;
    for (int i = 0; i < count; ++i) text += close;
    return text;
  };
  EXPECT_EQ(where(nested("(", "true", ")", 99)), "");
  for (const int count : {100, 5000, 20'000}) {
    EXPECT_TRUE(where(nested("(", "true", ")", count)).ends_with(deep));
    EXPECT_TRUE(where(nested("NOT ", "true", "", count)).ends_with(deep));
    EXPECT_TRUE(where(nested("- ", "1", "", count)).ends_with(deep));
    EXPECT_TRUE(where(nested("+ ", "1", "", count)).ends_with(deep));
    EXPECT_TRUE(where(nested("1 + ", "1", "", count)).ends_with(deep));
    EXPECT_TRUE(where(nested("abs(", "1", ")", count)).ends_with(deep));
    EXPECT_TRUE(where(nested("CASE WHEN ", "true", " THEN true END", count)).ends_with(deep));
    EXPECT_TRUE(where(nested("", "speed", "::DOUBLE", count)).ends_with(deep));
  }
  std::string columns;
  std::string values;
  for (int i = 0; i < 60; ++i) {
    columns += (i == 0 ? "c" : ", c") + std::to_string(i);
    values += (i == 0 ? "" : ", ") + nested("abs(", "speed", ")", 50);
  }
  EXPECT_TRUE(select(columns, values).contains("columns at once while it is computed"));
  // Many conditions side by side are not deep.
  EXPECT_EQ(where(nested("speed > 1 AND ", "true", "", 5000)), "");
  EXPECT_EQ(where("speed IN (" + nested("1, ", "1", "", 5000) + ")"), "");
}

TEST_F(LoadError, ManyAreCutShort) {
  std::string text;
  for (int i = 0; i < 30; ++i) text += "CREATE;\n";
  const std::string message = load(text);
  EXPECT_TRUE(message.starts_with("r.sql:1:7: expected RULE, found ';'\nr.sql:2:7: "));
  EXPECT_TRUE(message.ends_with("\nand 10 more"));
}

TEST_F(LoadError, EveryPrefixOfARuleIsAnError) {
  const std::string text =
      "CREATE RULE r COMMENT 'c' AS INSERT INTO Alert (category, level) SELECT plate || 'x', "
      "-speed * 2 "
      "FROM Vehicle AS v WHERE held(speed BETWEEN 1 AND 2 OR plate LIKE 'a%', INTERVAL '1 s') AND "
      "NOT absent(INTERVAL 5 MINUTES) AND within(location, zone('no1'))";
  ASSERT_EQ(load(text), "");
  // Cuts that happen to leave a whole rule.
  std::size_t good = 0;
  for (std::size_t size = 1; size < text.size(); ++size) {
    good += load(text.substr(0, size)).empty() ? 1 : 0;
  }
  EXPECT_LE(good, 4u);
}

}  // namespace
}  // namespace ficus::rules
