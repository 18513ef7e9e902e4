// Expressions over the same rows, in ours and in DuckDB: every answer must be the same.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <limits>

#include "base/random.h"
#include "rules/binder.h"
#include "rules/expression_parser.h"
#include "rules/machine.h"
#include "rules/planner.h"
#include "rules/testing/duck_oracle.h"
#include "rules/testing/random_expression.h"
#include "rules/text_functions.h"

namespace ficus::rules {
namespace {

using testing::DuckOracle;
using testing::RandomExpression;
using Answer = std::vector<std::optional<std::string>>;

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
constexpr double kInfinity = std::numeric_limits<double>::infinity();

// a, b numbers; s, t texts; p, q booleans; w, z times.
class ExpressionOracle : public ::testing::Test {
 protected:
  ExpressionOracle() : type_(*schema_.intern_type("Reading")), machine_(zones_) {
    add("a", "DOUBLE", ValueKind::number);
    add("b", "DOUBLE", ValueKind::number);
    add("s", "VARCHAR", ValueKind::text);
    add("t", "VARCHAR", ValueKind::text);
    add("p", "BOOLEAN", ValueKind::boolean);
    add("q", "BOOLEAN", ValueKind::boolean);
    add("w", "TIMESTAMP", ValueKind::time);
    add("z", "TIMESTAMP", ValueKind::time);
    fill();
  }

  void add(const std::string& name, const std::string& sql_type, ValueKind kind) {
    const AttributeId id = *schema_.intern_attribute(type_, name, kind);
    columns_.emplace_back(id, kind);
    declaration_ += fmt::format(", {} {}", name, sql_type);
  }

  void fill() {
    const std::vector<Value> numbers = {
        {},          number(0),    number(-0.0),      number(1),          number(-1),
        number(2.5), number(-2.5), number(40),        number(1e20),       number(1e-7),
        number(0.1), number(kNan), number(kInfinity), number(-kInfinity), number(123456.789),
        number(3)};
    const std::vector<Value> texts = {{},
                                      text(""),
                                      text("a"),
                                      text("A"),
                                      text("ab"),
                                      text("abc"),
                                      text("福州市"),
                                      text("1.5"),
                                      text("Äpfel"),
                                      text("straße"),
                                      text(" a b "),
                                      text("%"),
                                      text("a_b"),
                                      text("true"),
                                      text("　福　"),
                                      text("NaN")};
    const std::vector<Value> booleans = {{}, Value::boolean(true), Value::boolean(false)};
    const std::vector<Value> times = {{},
                                      Value::time({0}),
                                      Value::time({1767225600'000000}),
                                      Value::time({1767225600'250000}),
                                      Value::time({-1})};
    Random random(7);
    for (int row = 0; row < 160; ++row) {
      for (std::size_t c = 0; c < columns_.size(); ++c) {
        const std::vector<Value>& pool = c < 2 ? numbers : c < 4 ? texts : c < 6 ? booleans : times;
        // The first rows go through the pool, the others are random pairs.
        const std::size_t pick = row < 16 && c % 2 == 0
                                     ? static_cast<std::size_t>(row) % pool.size()
                                     : random.below(pool.size());
        columns_[c].push(pool[pick]);
      }
      ids_.push_back(fmt::format("urn:{}", row));
      observed_at_.push_back(Timestamp::from_seconds(row));
      entities_.push_back(EntityId(static_cast<std::uint32_t>(row)));
    }
    load_table();
    rows_ = {type_, &ids_, observed_at_, entities_, columns_, {}};
    machine_.use(rows_);
  }

  static Value number(double v) { return Value::number(v); }
  static Value text(const char* v) { return Value::text(v); }

  void load_table() {
    duck_.run("CREATE TABLE rows (row INTEGER, id VARCHAR, observedAt TIMESTAMP" + declaration_ +
              ")");
    duckdb_appender appender = nullptr;
    ASSERT_EQ(duckdb_appender_create(duck_.connection(), nullptr, "rows", &appender),
              DuckDBSuccess);
    for (std::size_t row = 0; row < ids_.size(); ++row) {
      duckdb_append_int32(appender, static_cast<std::int32_t>(row));
      duckdb_append_varchar_length(appender, ids_[row].data(), ids_[row].size());
      duckdb_append_timestamp(appender, {observed_at_[row].micros});
      for (const Column& column : columns_) append(appender, column.value(row));
      duckdb_appender_end_row(appender);
    }
    ASSERT_EQ(duckdb_appender_destroy(&appender), DuckDBSuccess);
  }

  static void append(duckdb_appender appender, const Value& value) {
    switch (value.kind()) {
      case ValueKind::boolean:
        duckdb_append_bool(appender, value.as_boolean());
        return;
      case ValueKind::number:
        duckdb_append_double(appender, value.as_number());
        return;
      case ValueKind::time:
        duckdb_append_timestamp(appender, {value.as_time().micros});
        return;
      case ValueKind::text:
        duckdb_append_varchar_length(appender, value.as_text().data(), value.as_text().size());
        return;
      default:
        duckdb_append_null(appender);
    }
  }

  // Parses, binds and plans; the program sees all columns at their own positions.
  Parsed<Program> compile(std::string_view sql, Kind& kind, bool only_truth_counts = false) {
    FICUS_TRY(const std::vector<Token> tokens, tokenize(sql));
    TokenCursor cursor(tokens);
    FICUS_TRY(const ExprPtr expr, parse_expression(cursor, 100));
    if (cursor.peek().kind != TokenKind::end) return cursor.expected("the end");
    const Scope scope{sql, &schema_, &zones_, type_, "", false};
    FICUS_TRY(const BoundPtr bound, bind(*expr, scope));
    kind = bound->kind;
    const Bound* expression = bound.get();
    Program program = plan({&expression, 1}, only_truth_counts);
    for (const AttributeId attribute : program.attributes) {
      program.positions.push_back(static_cast<std::uint16_t>(attribute.index()));
    }
    return program;
  }

  static std::string shown(const Lane& lane, std::size_t row, Kind kind) {
    const std::size_t i = lane.index(row);
    std::string out;
    switch (kind) {
      case Kind::boolean:
        return lane.as<std::uint8_t>()[i] != 0 ? "true" : "false";
      case Kind::integer:
        return std::to_string(static_cast<std::int64_t>(lane.as<double>()[i]));
      case Kind::number:
        append_number(lane.as<double>()[i], out);
        return out;
      case Kind::text:
        return std::string(lane.as<std::string_view>()[i]);
      case Kind::time:
        append_time(lane.as<Timestamp>()[i], out);
        return out;
      case Kind::interval:
        return std::to_string(lane.as<Timestamp>()[i].micros);
      default:
        return "?";
    }
  }

  Answer read(const Program& program, Kind kind, std::size_t count) {
    Answer answer;
    const Lane lane = machine_.result(program, 0);
    for (std::size_t row = 0; row < count; ++row) {
      const std::uint8_t ok = lane.ok[lane.index(row)];
      answer.emplace_back();
      if (ok == kOkValue) answer.back() = shown(lane, row, kind);
      if ((ok & kOkFailed) != 0) answer.back() = fmt::format("failed: {}", machine_.failure());
    }
    return answer;
  }

  // What DuckDB says, as text; NaN without its sign, intervals in microseconds.
  std::optional<Answer> asked(const std::string& sql, Kind kind) {
    std::string query = fmt::format("({})", sql);
    if (kind == Kind::interval) query = fmt::format("epoch_us({})", query);
    auto answer = duck_.column(fmt::format("SELECT ({})::VARCHAR FROM rows ORDER BY row", query));
    if (!answer) return std::nullopt;
    for (std::optional<std::string>& value : *answer) {
      if (value == "-nan") value = "nan";
    }
    return answer;
  }

  // Returns false if DuckDB refuses the expression at run time.
  bool compare(const std::string& sql) {
    Kind kind = Kind::null;
    const auto program = compile(sql, kind);
    EXPECT_TRUE(program.has_value()) << sql << "\n" << (program ? "" : program.error().message);
    if (!program) return true;
    const auto expected = asked(sql, kind);
    if (!expected) return false;
    const std::size_t count = ids_.size();
    machine_.run(*program, 0, count);
    const Answer all = read(*program, kind, count);
    EXPECT_EQ(all.size(), expected->size()) << sql;
    for (std::size_t row = 0; row < count; ++row) {
      if (all[row] == (*expected)[row]) continue;
      ADD_FAILURE() << sql << "\nrow " << row << ": " << describe(row) << "\nours "
                    << all[row].value_or("NULL") << ", DuckDB "
                    << (*expected)[row].value_or("NULL");
      return true;
    }
    // Row by row must be the same as all at once.
    for (std::size_t row = 0; row < count; row += 13) {
      machine_.run(*program, row, 1);
      EXPECT_EQ(read(*program, kind, 1)[0], all[row]) << sql << " row " << row;
    }
    if (kind == Kind::boolean) compare_truth(sql, all);
    return true;
  }

  // As the condition of a rule: only what is true matters.
  void compare_truth(const std::string& sql, const Answer& all) {
    Kind kind = Kind::null;
    const auto program = compile(sql, kind, true);
    machine_.run(*program, 0, all.size());
    const Answer truths = read(*program, kind, all.size());
    for (std::size_t row = 0; row < all.size(); ++row) {
      EXPECT_EQ(truths[row] == "true", all[row] == "true") << sql << " row " << row;
    }
  }

  std::string describe(std::size_t row) const {
    std::string out;
    for (const Column& column : columns_) {
      const Value value = column.value(row);
      out += schema_.attribute_name(type_, column.attribute) + "=";
      if (value.is_none()) out += "NULL";
      if (value.kind() == ValueKind::number) append_number(value.as_number(), out);
      if (value.kind() == ValueKind::text) out += "'" + value.as_text() + "'";
      if (value.kind() == ValueKind::boolean) out += value.as_boolean() ? "true" : "false";
      if (value.kind() == ValueKind::time) append_time(value.as_time(), out);
      out += " ";
    }
    return out;
  }

  Schema schema_;
  ZoneSet zones_;
  TypeId type_;
  std::string declaration_;
  std::vector<Column> columns_;
  TextColumn ids_;
  std::vector<Timestamp> observed_at_;
  std::vector<EntityId> entities_;
  RowsView rows_;
  Machine machine_;
  DuckOracle duck_;
};

TEST_F(ExpressionOracle, WrittenByHand) {
  const std::vector<std::string> expressions = {
      // literals
      "1",
      "1_000",
      "1e3",
      "1.5e-3",
      ".5e0",
      "'it''s'",
      "true",
      "NULL IS NULL",
      "'福州'",
      "''",
      "TIMESTAMP '2026-01-01'",
      "TIMESTAMP '2026-01-01 08:15:00.25'",
      "TIMESTAMP '2026-01-01T00:00:00Z'",
      "INTERVAL '10 seconds'",
      "INTERVAL 10 SECONDS",
      "INTERVAL '1' MINUTE",
      "INTERVAL '1.5 hours'",
      "INTERVAL '1 hour 30 minutes'",
      "INTERVAL '01:30:00'",
      "INTERVAL '-5 ms'",
      "INTERVAL '1h30m'",
      "INTERVAL '10'",
      "INTERVAL '2 weeks'",
      "INTERVAL '3 us'",
      "INTERVAL '1 day 2 hours'",
      // precedence
      "1 + 2 * 3",
      "(1 + 2) * 3",
      "10 - 2 - 3",
      "100 / 10 / 2",
      "7 // 2 * 2",
      "-2 * -3",
      "- - 5",
      "+5",
      "1 + 2 || 'a'",
      "'a' || 1 + 2",
      "'a' || 'b' LIKE 'ab'",
      "NOT 1 = 1",
      "NOT true = false",
      "1 = 1 IS NULL",
      "1 IS NULL = true",
      "5 BETWEEN 1 AND 3 + 4",
      "1 BETWEEN 0 AND 2 AND false",
      "2 = 2 IS NOT DISTINCT FROM true",
      "true OR true AND false",
      "NOT true OR true",
      "NOT false AND false",
      "true = NOT true IS NULL",
      "1 < 2 AND NOT 2 < 1",
      "p IS NULL OR q AND p",
      "p = q IN (true)",
      "1 IN (1) IN (true)",
      "(a > 1) = (b > 1)",
      "1 - -1",
      "-a + b",
      "a::VARCHAR || 'x'",
      "a ISNULL",
      "a NOTNULL",
      // numbers
      "a + b",
      "a - b",
      "a * b",
      "a / b",
      "a // b",
      "a % b",
      "-a",
      "7 // 2",
      "-7 // 2",
      "-7 % 3",
      "7 % -3",
      "7 // 0",
      "7 % 0",
      "1 / 0",
      "abs(a)",
      "abs(-3)",
      "round(a)",
      "round(a, 1)",
      "round(a, -1)",
      "round(15, -1)",
      "round(2.5e0)",
      "floor(a)",
      "ceil(a)",
      "ceiling(b)",
      "floor(3)",
      "sqrt(abs(a))",
      "isnan(a)",
      "a + NULL",
      "round(a, NULL)",
      "round(123.456e0, 400)",
      "round(123.456e0, -400)",
      "abs(a) + round(b, 2) * 3",
      "1 / 3",
      "2 * 3 + length(s)",
      // a literal with a decimal point beside a column is a DOUBLE in DuckDB, too
      "a > 2.5",
      "a * 1.1",
      "a + 0.1 - b",
      "round(a * 1.5, 1)",
      "a BETWEEN 0.1 AND 2.5",
      "a IN (2.5, 0.1)",
      "a / 0.3",
      "b % 0.7",
      "COALESCE(a, 0.5)",
      "CASE WHEN p THEN a ELSE 1.25 END",
      "123456.789 = a",
      "GREATEST(a, -2.5)",
      "a = 0.1",
      // comparison, NaN, NULL
      "a = b",
      "a <> b",
      "a != b",
      "a == b",
      "a < b",
      "a <= b",
      "a > b",
      "a >= b",
      "a > 1",
      "1 < a",
      "a = a",
      "a < NULL",
      "NULL = NULL",
      "s = t",
      "s < t",
      "s >= t",
      "s > 'a'",
      "p = q",
      "p < q",
      "p >= q",
      "w < z",
      "w >= z",
      "w = z",
      "w > TIMESTAMP '2026-01-01'",
      "p = true",
      "a BETWEEN b AND 2",
      "a NOT BETWEEN 0 AND b",
      "NULL BETWEEN a AND b",
      "s BETWEEN 'A' AND t",
      "w BETWEEN z AND z",
      "a BETWEEN NULL AND 1",
      "a IS DISTINCT FROM b",
      "a IS NOT DISTINCT FROM b",
      "a IS DISTINCT FROM NULL",
      "s IS NOT DISTINCT FROM t",
      "p IS DISTINCT FROM q",
      "w IS NOT DISTINCT FROM z",
      "NULL IS DISTINCT FROM NULL",
      "a IS NULL",
      "s IS NOT NULL",
      "p IS TRUE",
      "p IS NOT TRUE",
      "p IS FALSE",
      "p IS NOT FALSE",
      "p IS UNKNOWN",
      "p IS NOT UNKNOWN",
      "(a > b) IS TRUE",
      "a IN (1, 2.5e0, b)",
      "a IN (1, 40)",
      "a IN (1, NULL)",
      "a NOT IN (1, NULL)",
      "NULL IN (1)",
      "s IN ('a', '福州市')",
      "s NOT IN ('a', NULL)",
      "s IN (t, 'ab')",
      "p IN (q, NULL)",
      "w IN (z)",
      "NULL IN (NULL, 'a')",
      "a IN (NULL)",
      "a NOT IN (1)",
      // truth
      "p AND q",
      "p OR q",
      "NOT p",
      "p AND NULL",
      "p OR NULL",
      "NOT NULL",
      "p AND true",
      "p OR false",
      "p AND q AND a > 1 AND s LIKE '%a%'",
      "p OR q OR a > 1 OR s = 'a'",
      "NOT (p AND NOT q)",
      "(p OR q) AND (a > 1 OR b > 1)",
      "true AND NULL",
      "false AND NULL",
      "true OR NULL",
      "p AND (q OR a < 0) OR NOT (b > 1 AND s IS NULL)",
      // choice
      "CASE WHEN a > 1 THEN 'high' WHEN a > 0 THEN 'mid' ELSE 'low' END",
      "CASE WHEN p THEN a END",
      "CASE a WHEN 1 THEN 'one' WHEN b THEN 'b' END",
      "CASE WHEN NULL THEN 1 ELSE 2 END",
      "CASE NULL WHEN NULL THEN 1 ELSE 2 END",
      "CASE a WHEN NULL THEN 1 ELSE 2 END",
      "CASE s WHEN 'a' THEN t WHEN t THEN 'same' ELSE s END",
      "CASE WHEN p THEN 1 ELSE a END",
      "CASE WHEN p THEN NULL ELSE w END",
      "CASE WHEN p THEN q ELSE NULL END",
      "COALESCE(a, b)",
      "COALESCE(a, b, 0)",
      "COALESCE(NULL, s, t, 'none')",
      "COALESCE(p, q)",
      "COALESCE(w, z)",
      "NULLIF(a, b)",
      "NULLIF(s, 'a')",
      "NULLIF(a, 1) + 1",
      "LEAST(a, b)",
      "GREATEST(a, b)",
      "LEAST(a, b, 0)",
      "GREATEST(s, t)",
      "LEAST(s, 'b')",
      "GREATEST(p, q)",
      "GREATEST(w, z)",
      "LEAST(a, NULL)",
      "GREATEST(NULL, 1)",
      // texts
      "s || t",
      "s || a",
      "a || s",
      "s || p",
      "w || s",
      "s || 1",
      "1 || 2",
      "s || NULL",
      "a || 'x'",
      "lower(s)",
      "upper(s)",
      "length(s)",
      "length(s || t)",
      "starts_with(s, 'a')",
      "starts_with(s, t)",
      "ends_with(s, t)",
      "contains(s, t)",
      "contains(s, '')",
      "substring(s, 2)",
      "substring(s, 2, 1)",
      "substring(s, 0, 2)",
      "substring(s, -2)",
      "substring(s, -2, 1)",
      "substring(s, 2, -1)",
      "substring(s, -10, 9)",
      "substring(s, 0)",
      "substring(s, length(t))",
      "substr(s, 1, 2)",
      "substring(s, NULL, 1)",
      "substring('hello', -10, 7)",
      "substring('hello', 6, -3)",
      "substring('hello', 10, -3)",
      "substring('hello', 0, -3)",
      "substring('hello', -2, -2)",
      "trim(s)",
      "ltrim(s)",
      "rtrim(s)",
      "trim(s, 'a')",
      "trim(s, t)",
      "ltrim(s, ' a')",
      "rtrim(s, 'b 　')",
      "trim(s, '')",
      "s LIKE 'a%'",
      "s LIKE '%a%'",
      "s LIKE '_'",
      "s LIKE '__市'",
      "s LIKE t",
      "s NOT LIKE 'a%'",
      "s ILIKE 'A%'",
      "s ILIKE t",
      "s ILIKE 'ÄPFEL'",
      "s NOT ILIKE '%E'",
      "s LIKE '%\\%' ESCAPE '\\'",
      "s LIKE 'a!_b' ESCAPE '!'",
      "s LIKE '%'",
      "s LIKE ''",
      "s LIKE 'a%' ESCAPE ''",
      "NULL LIKE 'a'",
      "s LIKE NULL",
      "s LIKE '%a%b%'",
      // casts
      "CAST(a AS VARCHAR)",
      "CAST(1 AS VARCHAR)",
      "CAST(p AS VARCHAR)",
      "CAST(w AS VARCHAR)",
      "TRY_CAST(s AS DOUBLE)",
      "TRY_CAST(s AS BOOLEAN)",
      "CAST(a AS BOOLEAN)",
      "CAST(p AS DOUBLE)",
      "CAST(p AS INTEGER)",
      "CAST(1 AS DOUBLE)",
      "TRY_CAST(a AS INTEGER)",
      "TRY_CAST(b AS INTEGER)",
      "CAST(2.5e0 AS INTEGER)",
      "CAST(3.5e0 AS INTEGER)",
      "CAST(-2.5e0 AS BIGINT)",
      "1::DOUBLE || ''",
      "TRY_CAST(' 1.5 ' AS DOUBLE)",
      "TRY_CAST('+1' AS DOUBLE)",
      "TRY_CAST('1_000' AS DOUBLE)",
      "TRY_CAST('inf' AS DOUBLE)",
      "TRY_CAST('-Infinity' AS DOUBLE)",
      "TRY_CAST('0x10' AS DOUBLE)",
      "TRY_CAST('1.' AS DOUBLE)",
      "TRY_CAST('.5' AS DOUBLE)",
      "TRY_CAST('1e400' AS DOUBLE)",
      "TRY_CAST('-1e400' AS DOUBLE)",
      "TRY_CAST('1e-400' AS DOUBLE)",
      "TRY_CAST('1e' AS DOUBLE)",
      "TRY_CAST('' AS DOUBLE)",
      "TRY_CAST('nan' AS DOUBLE)",
      "TRY_CAST('+-1' AS DOUBLE)",
      "TRY_CAST('- 1' AS DOUBLE)",
      "TRY_CAST('1 2' AS DOUBLE)",
      "TRY_CAST('t' AS BOOLEAN)",
      "TRY_CAST('YES' AS BOOLEAN)",
      "TRY_CAST('n' AS BOOLEAN)",
      "TRY_CAST('1' AS BOOLEAN)",
      "TRY_CAST(' true' AS BOOLEAN)",
      "TRY_CAST('on' AS BOOLEAN)",
      "CAST(w AS TIMESTAMP)",
      "CAST(NULL AS DOUBLE)",
      "CAST(a AS STRING)",
      "TRY_CAST('1__0' AS DOUBLE)",
      "TRY_CAST('_1' AS DOUBLE)",
      "TRY_CAST('1_' AS DOUBLE)",
      "TRY_CAST('1e1_0' AS DOUBLE)",
      "TRY_CAST('infi' AS DOUBLE)",
      // times
      "w - z",
      "w + INTERVAL '1 hour'",
      "INTERVAL '1 day' + w",
      "w - INTERVAL '10 seconds'",
      "w - z > INTERVAL '1 hour'",
      "INTERVAL '1 hour' - INTERVAL '20 minutes'",
      "-INTERVAL '1 hour'",
      "INTERVAL '30 minutes' < INTERVAL '1 hour'",
      "w - z = INTERVAL '0 seconds'",
      "observedAt",
      "observedAt > TIMESTAMP '1970-01-01 00:01:00'",
      "id || '!'",
      "id LIKE 'urn:1%'",
      "CASE WHEN p THEN w - z ELSE INTERVAL '1 s' END",
      "(w - z) IS NULL",
      "observedat - w",
  };
  for (const std::string& sql : expressions) {
    if (compare(sql)) continue;
    ADD_FAILURE() << "DuckDB refuses " << sql << ": " << duck_.error();
  }
  RecordProperty("expressions", static_cast<int>(expressions.size()));
}

TEST_F(ExpressionOracle, RandomFromTheGrammar) {
  constexpr int kCount = 1500;
  Random random(20261123);
  int refused = 0;
  for (int i = 0; i < kCount && !HasFailure(); ++i) {
    const std::string sql = RandomExpression(random).any(4);
    if (!compare(sql)) ++refused;
  }
  // DuckDB refuses what overflows an INTEGER of 32 bits, and nothing else.
  EXPECT_LT(refused, kCount / 50) << duck_.error();
}

TEST_F(ExpressionOracle, CaseMappingOfEveryCodePoint) {
  for (const bool up : {false, true}) {
    const auto expected = duck_.column(fmt::format(
        "SELECT {}(chr(i::INTEGER)) FROM range(1, 1114112) r(i) WHERE i < 55296 OR i > 57343 "
        "ORDER BY i",
        up ? "upper" : "lower"));
    const auto points = duck_.column(
        "SELECT chr(i::INTEGER) FROM range(1, 1114112) r(i) WHERE i < 55296 OR i > 57343 ORDER BY "
        "i");
    ASSERT_TRUE(expected && points);
    std::size_t different = 0;
    for (std::size_t i = 0; i < points->size(); ++i) {
      std::string mapped;
      up ? append_upper(*(*points)[i], mapped) : append_lower(*(*points)[i], mapped);
      different += mapped == *(*expected)[i] ? 0 : 1;
    }
    EXPECT_EQ(different, 0u);
  }
}

}  // namespace
}  // namespace ficus::rules
