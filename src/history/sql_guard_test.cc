#include "history/sql_guard.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "history/history_test_support.h"
#include "history/syntax_tree.h"

namespace ficus::history {
namespace {

using Lines = std::vector<std::string>;

class SqlGuard : public testing::Test {
 protected:
  SqlGuard() {
    setenv("FICUS_TEST_SECRET", "squirrel", 1);
    city.append(city.vehicles(0, 100));
    city.commit(1);
    std::ofstream(inside()) << "a,b\n1,squirrel\n";
    std::ofstream(city.folder.path() + "/outside.csv") << "a,b\n1,squirrel\n";
  }
  // Within the folder that DuckDB itself may read: only the guard stands before it.
  std::string inside() const { return city.options.directory + "/inside.csv"; }

  TestCity city;
};

TEST_F(SqlGuard, LetsQueriesThrough) {
  const char* allowed[] = {
      "SELECT count(*) FROM Vehicle",
      "  select COUNT(*) from vehicle;  ",
      "-- how many\nSELECT count(*) FROM main.Vehicle /* all */",
      "FROM Vehicle SELECT count(*)",
      "WITH fast AS (SELECT * FROM Vehicle WHERE speed > 1) SELECT count(*) FROM fast",
      "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 5) SELECT sum(i) "
      "FROM n",
      "VALUES (1, 'a')",
      "SELECT 1 UNION ALL (SELECT 2 EXCEPT SELECT 3) ORDER BY 1 LIMIT 1 OFFSET 0",
      "TABLE quarantine",
      "SELECT * FROM ficus_position, ficus_sealed",
      "DESCRIBE Vehicle",
      "DESCRIBE SELECT 1",
      "SUMMARIZE Vehicle",
      "SHOW TABLES",
      "EXPLAIN SELECT * FROM Vehicle",
      "explain analyze SELECT count(*) FROM Vehicle",
      "SELECT * FROM (DESCRIBE Vehicle)",
      "SELECT i FROM range(10) t(i), LATERAL (SELECT i + 1)",
      "SELECT unnest([1, 2, 3])",
      "SELECT time_bucket(INTERVAL '1 minute', \"observedAt\"), avg(speed), quantile_cont(speed, "
      "0.9) "
      "FROM Vehicle GROUP BY 1",
      "SELECT id, speed - lag(speed) OVER (PARTITION BY id ORDER BY \"observedAt\") FROM Vehicle",
      "SELECT list(speed ORDER BY speed)[1:3], max(speed) FILTER (line = 'line 1') FROM Vehicle",
      "SELECT location.lon, {'a': 1}, [x * 2 FOR x IN [1, 2] IF x > 1], MAP {'k': 1} FROM Vehicle",
      "SELECT CAST('1' AS INTEGER), TRY_CAST('x' AS DOUBLE), '2020-01-01'::DATE, 1::DECIMAL(9,2)",
      "SELECT CASE WHEN speed > 40 THEN 'fast' ELSE 'slow' END, count(*) FROM Vehicle GROUP BY ALL",
      "SELECT * EXCLUDE (fuel), COLUMNS('spe.*') FROM Vehicle WHERE speed BETWEEN 1 AND 2",
      "SELECT a.id FROM Vehicle a ASOF JOIN Vehicle b ON a.id = b.id AND a.\"observedAt\" >= "
      "b.\"observedAt\"",
      "SELECT * FROM Vehicle USING SAMPLE 10 ROWS",
      "SELECT * FROM (SELECT line, speed FROM Vehicle) PIVOT (avg(speed) FOR line IN ('line 1'))",
      "UNPIVOT (SELECT speed, heading FROM Vehicle) ON speed, heading",
      "SELECT regexp_extract(id, 'v(.)', 1), id LIKE '%v1', strftime(\"observedAt\", '%H') FROM "
      "Vehicle",
      "SELECT '{\"a\": 1}'->>'a', json_extract('[1]', '$[0]'), id ~ 'v.*', NOT true, -speed, "
      "speed IS NULL FROM Vehicle",
      "SELECT DISTINCT ON (id) * FROM Vehicle QUALIFY row_number() OVER (ORDER BY speed) < 3",
      "SELECT now(), current_date, version()",
  };
  for (const std::string sql : allowed) {
    TextSink sink;
    const auto summary = city.query(sql, sink);
    EXPECT_TRUE(summary) << sql << ": " << summary.error().message;
  }
}

TEST_F(SqlGuard, RefusesEscapes) {
  const std::string file = inside();
  const std::string outside = city.folder.path() + "/outside.csv";
  const Lines attempts = {
      // Other statements, alone, after another, hidden.
      "INSERT INTO Vehicle (id) VALUES ('x')",
      "DELETE FROM quarantine",
      "UPDATE ficus_position SET position = 0",
      "DROP VIEW Vehicle",
      "DROP TABLE tail.\"Vehicle_1\"",
      "CREATE TABLE t AS SELECT 1",
      "CREATE TEMP TABLE t(a INT)",
      "CREATE MACRO m() AS 1",
      "CREATE VIEW v AS SELECT 1",
      "CREATE SECRET s (TYPE s3)",
      "CREATE SEQUENCE s",
      "ALTER TABLE quarantine ADD COLUMN x INT",
      "TRUNCATE quarantine",
      "SELECT 1; DROP VIEW Vehicle",
      "SELECT 1; SELECT 2",
      "BEGIN",
      "COMMIT",
      "ROLLBACK",
      "COMMIT; DROP VIEW Vehicle",
      "SET threads = 8",
      "SET memory_limit = '100GB'",
      "RESET lock_configuration",
      "SET VARIABLE x = 1",
      "PRAGMA database_list",
      "PRAGMA table_info('Vehicle')",
      "CALL pragma_version()",
      "CALL checkpoint()",
      "CHECKPOINT",
      "VACUUM",
      "ANALYZE",
      "PREPARE p AS SELECT 1",
      "EXECUTE p",
      "DEALLOCATE p",
      "LOAD httpfs",
      "INSTALL httpfs",
      "FORCE INSTALL httpfs",
      "USE memory",
      "ATTACH '" + file + ".db' AS x",
      "ATTACH ':memory:' AS x",
      "DETACH history",
      "COPY Vehicle TO '" + file + ".out'",
      "COPY (SELECT 1) TO '" + file + ".out'",
      "COPY quarantine FROM '" + file + "'",
      "EXPORT DATABASE '" + file + ".d'",
      "IMPORT DATABASE '" + file + ".d'",
      "EXPLAIN COPY Vehicle TO '" + file + ".out'",
      "EXPLAIN ANALYZE DELETE FROM quarantine",
      "EXPLAIN ANALYZE CREATE TABLE t(a INT)",
      "EXPLAIN EXPLAIN SELECT 1",
      "EXPLAIN",
      "EXPLAIN ANALYZE COPY (SELECT 1) TO '" + file + ".o'",
      "WITH x AS (INSERT INTO quarantine VALUES (1) RETURNING *) SELECT * FROM x",
      "WITH x AS (SELECT 1) INSERT INTO quarantine SELECT * FROM x",
      "WITH x AS (SELECT 1) DELETE FROM quarantine",
      "MERGE INTO quarantine USING Vehicle ON true "
      "WHEN MATCHED THEN DELETE",
      // Files as tables.
      "SELECT * FROM '" + file + "'",
      "SELECT * FROM \"" + file + "\"",
      "FROM '" + file + "'",
      "SELECT * FROM '" + outside + "'",
      "SELECT * FROM '/etc/passwd'",
      "SELECT * FROM '" + city.options.directory + "/*.csv'",
      "SELECT * FROM 'https://example.org/a.csv'",
      "SELECT * FROM 's3://bucket/a.parquet'",
      "TABLE '" + file + "'",
      "DESCRIBE '" + file + "'",
      "SUMMARIZE '" + file + "'",
      "DESCRIBE SELECT * FROM '" + file + "'",
      "SELECT * FROM (SUMMARIZE '" + file + "')",
      "SELECT (SELECT max(b) FROM '" + file + "')",
      "SELECT * FROM Vehicle WHERE id IN (SELECT b FROM '" + file + "')",
      "SELECT * FROM Vehicle WHERE EXISTS (FROM '" + file + "')",
      "SELECT ARRAY(SELECT b FROM '" + file + "')",
      "WITH x AS (SELECT * FROM '" + file + "') SELECT * FROM x",
      "WITH x AS MATERIALIZED (SELECT * FROM '" + file + "') SELECT 1",
      "WITH RECURSIVE x AS (SELECT b FROM '" + file + "' UNION ALL SELECT * FROM x) FROM x",
      "WITH \"" + file + "\" AS (SELECT 1) SELECT * FROM \"" + file + "\"",
      "SELECT * FROM (WITH \"" + file + "\" AS (SELECT 1) SELECT 1) t, \"" + file + "\"",
      "WITH a AS (SELECT * FROM \"" + file + "\"), \"" + file + "\" AS (SELECT 1) SELECT * FROM a",
      "SELECT 1 UNION SELECT b FROM '" + file + "'",
      "SELECT 1 EXCEPT FROM '" + file + "'",
      "SELECT * FROM Vehicle, LATERAL (SELECT * FROM '" + file + "')",
      "SELECT * FROM Vehicle JOIN '" + file + "' ON true",
      "SELECT * FROM Vehicle POSITIONAL JOIN '" + file + "'",
      "SELECT * FROM Vehicle ORDER BY (SELECT max(b) FROM '" + file + "')",
      "SELECT * FROM Vehicle LIMIT (SELECT max(a) FROM '" + file + "')",
      "SELECT count(*) FILTER (EXISTS (FROM '" + file + "')) FROM Vehicle",
      "SELECT sum(speed) OVER (ORDER BY (SELECT max(a) FROM '" + file + "')) FROM Vehicle",
      "SELECT CASE WHEN true THEN (SELECT max(b) FROM '" + file + "') END",
      "SELECT list_transform([1], lambda x: (SELECT max(b) FROM '" + file + "'))",
      "SELECT COLUMNS(c -> c IN (SELECT b FROM '" + file + "')) FROM Vehicle",
      "SELECT * REPLACE ((SELECT max(b) FROM '" + file + "') AS id) FROM Vehicle",
      "SELECT * FROM (VALUES ((SELECT max(b) FROM '" + file + "')))",
      "PIVOT '" + file + "' ON a USING sum(a)",
      "UNPIVOT '" + file + "' ON a",
      "SELECT * FROM '" + file + "' PIVOT (max(a) FOR b IN ('x'))",
      "SELECT 1 GROUP BY (SELECT max(a) FROM '" + file + "')",
      "SELECT 1 HAVING EXISTS (FROM '" + file + "')",
      "SELECT * FROM Vehicle QUALIFY EXISTS (FROM '" + file + "')",
      // Table functions.
      "SELECT * FROM read_csv('" + file + "')",
      "SELECT * FROM read_csv_auto('" + file + "')",
      "SELECT * FROM READ_TEXT('" + file + "')",
      "SELECT * FROM read_blob('" + file + "')",
      "SELECT * FROM \"read_text\"('" + file + "')",
      "SELECT * FROM main.read_text('" + file + "')",
      "SELECT * FROM system.main.read_text('" + file + "')",
      "SELECT * FROM read_parquet('" + file + "')",
      "SELECT * FROM parquet_scan('" + file + "')",
      "SELECT * FROM parquet_metadata('" + file + "')",
      "SELECT * FROM read_json('" + file + "')",
      "SELECT * FROM read_duckdb('" + city.options.directory + "/history.duckdb')",
      "SELECT * FROM glob('/etc/*')",
      "SELECT * FROM sniff_csv('" + file + "')",
      "SELECT * FROM query('SELECT 1')",
      "SELECT * FROM query_table('" + file + "')",
      "SELECT * FROM query_table(['Vehicle'])",
      "SELECT * FROM histogram('" + file + "', a)",
      "SELECT * FROM histogram_values('" + file + "', a)",
      "SELECT * FROM seq_scan('Vehicle')",
      "SELECT * FROM duckdb_settings()",
      "SELECT * FROM duckdb_secrets()",
      "SELECT * FROM duckdb_logs()",
      "SELECT * FROM duckdb_tables()",
      "FROM duckdb_variables()",
      "SELECT * FROM which_secret('a', 's3')",
      "SELECT * FROM pragma_database_size()",
      "SELECT * FROM pragma_storage_info('quarantine')",
      "SELECT * FROM checkpoint()",
      "SELECT * FROM force_checkpoint()",
      "SELECT * FROM enable_logging()",
      "SELECT * FROM truncate_duckdb_logs()",
      "SELECT * FROM test_all_types()",
      "SELECT * FROM arrow_scan(1, 2, 3)",
      "SELECT * FROM summary((SELECT 1))",
      "SELECT * FROM json_execute_serialized_sql('{}')",
      "SELECT * FROM sql_auto_complete('S')",
      "SELECT * FROM repeat('x', 10)",
      "SELECT * FROM enable_peg_parser()",
      "SELECT * FROM range(1, (SELECT max(a) FROM '" + file + "'))",
      "SELECT * FROM unnest((SELECT list(content) FROM read_text('" + file + "')))",
      // Scalar functions.
      "SELECT getenv('FICUS_TEST_SECRET')",
      "SELECT current_setting('temp_directory')",
      "SELECT getvariable('x')",
      "SELECT nextval('s')",
      "SELECT currval('s')",
      "SELECT sleep_ms(10000)",
      "SELECT pg_sleep(10)",
      "SELECT write_log('x')",
      "SELECT json_serialize_plan('SELECT * FROM ''" + file + "''')",
      "SELECT repeat('x', 4000000000)",
      "SELECT 'x'.repeat(4000000000)",
      "SELECT lpad('x', 1000000000, 'y')",
      "SELECT range(10000000000)",
      "SELECT error('x')",
      "SELECT ficus.upper('x')",
      "SELECT memory.main.upper('x')",
      "SELECT main.getenv('HOME')",
      "SELECT system.main.current_setting('threads')",
      "SELECT txid_current()",
      "SELECT __internal_decompress_string(1)",
      "SELECT setseed(0.5)",
      "SELECT list_transform([1], lambda x: getenv('HOME'))",
      "SELECT 'HOME'.getenv()",
      "SELECT sum(speed) OVER w, nextval('s') OVER w FROM Vehicle WINDOW w AS ()",
      // Tables that are not for users.
      "SELECT * FROM tail.\"Vehicle_1\"",
      "SELECT * FROM history.tail.\"Vehicle_1\"",
      "SELECT * FROM ficus.types",
      "SELECT * FROM \"ficus\".\"columns\"",
      "SELECT * FROM duckdb_tables",
      "SELECT * FROM sqlite_master",
      "SELECT * FROM pragma_database_list",
      "SELECT * FROM information_schema.tables",
      "SELECT * FROM pg_catalog.pg_tables",
      "SELECT * FROM pg_class",
      "SELECT * FROM system.main.duckdb_settings",
      "SELECT * FROM temp.main.x",
      "SHOW ALL TABLES",
      "SHOW DATABASES",
      "DESCRIBE",
      "SHOW",
      "SHOW TABLES FROM system",
      "SELECT * FROM (SHOW ALL TABLES)",
      "WITH duckdb_settings AS (SELECT 1) SELECT 1",
      "SELECT * FROM nowhere",
      "SELECT * FROM (WITH v AS (SELECT 1) SELECT * FROM v) a, v",
      "SELECT * FROM Vehicle AT (VERSION => 1)",
      // Not a statement.
      "",
      ";",
      "   ",
      "-- nothing",
      "SELECT",
      "SELECT 'a",
      "SELECT $1",
      "SELECT ?",
      "SELECT $name",
      std::string("SELECT 1\0; DROP VIEW Vehicle", 28),
      "SELECT '\xff'",
      "'; DROP VIEW Vehicle; --",
      "SELECT 1 /*",
      "\\copy",
      ".open x",
      "ficus",
  };
  for (const std::string& sql : attempts) {
    const ErrorCode code = city.refusal(sql);
    EXPECT_TRUE(code == ErrorCode::denied || code == ErrorCode::invalid_input)
        << sql << ": " << error_code_name(code);
  }
  EXPECT_EQ(city.one("SELECT count(*) FROM Vehicle"), "100");
  for (const auto& entry : std::filesystem::recursive_directory_iterator(city.folder.path())) {
    EXPECT_FALSE(entry.path().string().starts_with(file + ".")) << entry.path();
  }
}

TEST_F(SqlGuard, MessagesSayWhatIsWrong) {
  EXPECT_EQ(city.rows("SELECT * FROM read_text('/etc/passwd')").at(0),
            "denied: the table function read_text is not allowed in a query");
  EXPECT_EQ(city.rows("SELECT getenv('HOME')").at(0),
            "denied: the function getenv is not allowed in a query");
  EXPECT_EQ(city.rows("SELECT 1; SELECT 2").at(0), "denied: one statement at a time: this is 2");
  EXPECT_TRUE(
      city.rows("DROP VIEW Vehicle").at(0).starts_with("denied: only a single SELECT is allowed"));
  EXPECT_TRUE(city.rows("SELECT * FROM 'a.csv'")
                  .at(0)
                  .starts_with("denied: there is no table 'a.csv': a query reads entity types, "
                               "quarantine, ficus_sealed"));
  EXPECT_TRUE(city.rows("SELEC 1").at(0).starts_with("invalid_input: the statement is not valid"));
  EXPECT_TRUE(city.rows("SELECT nothing FROM Vehicle").at(0).starts_with("invalid_input: "));
}

// Some types are not for everybody: with readable_types there are no others, by no way of naming.
TEST_F(SqlGuard, HiddenTypesCannotBeReached) {
  const TypeId secret = city.schema.intern_type("Informant").value();
  const AttributeId name =
      city.schema.intern_attribute(secret, "codeName", ValueKind::text).value();
  ObservationBatch batch(secret);
  batch.begin_row("urn:ngsi-ld:Informant:1", Timestamp::from_seconds(1));
  batch.set_text(name, ValueKind::text, "squirrel");
  batch.finish();
  city.append(std::make_shared<const ObservationBatch>(std::move(batch)));
  city.commit(2);
  QueryLimits limits;
  limits.user = "clerk";
  limits.readable_types = {{"Vehicle"}};
  for (const char* allowed :
       {"SELECT count(*) FROM vehicle", "SELECT count(*) FROM main.\"VEHICLE\"",
        "WITH fast AS (FROM Vehicle) SELECT count(*) FROM fast", "DESCRIBE Vehicle",
        "SELECT count(*) FROM Vehicle AS Informant", "SELECT 'Informant'"}) {
    TextSink sink;
    const auto answer = city.query(allowed, sink, limits);
    EXPECT_TRUE(answer) << allowed << ": " << answer.error().message;
  }
  const char* attempts[] = {
      "SELECT * FROM Informant",
      "SELECT * FROM informant",
      "FROM INFORMANT",
      "TABLE Informant",
      "SELECT * FROM \"Informant\"",
      "SELECT * FROM main.Informant",
      "SELECT * FROM \"main\".\"iNFORMANT\"",
      "SELECT * FROM history.Informant",
      "SELECT * FROM history.main.Informant",
      "SELECT * FROM 'Informant'",
      "SELECT * FROM Vehicle, Informant",
      "SELECT * FROM Vehicle WHERE id IN (SELECT \"codeName\" FROM Informant)",
      "SELECT (SELECT max(\"codeName\") FROM Informant)",
      "SELECT 1 UNION ALL BY NAME SELECT * FROM Informant",
      "SELECT * FROM Vehicle POSITIONAL JOIN Informant",
      "SELECT * FROM Vehicle ORDER BY (SELECT max(id) FROM Informant)",
      "DESCRIBE Informant",
      "SUMMARIZE Informant",
      "SELECT * FROM (DESCRIBE Informant)",
      "EXPLAIN SELECT * FROM Informant",
      "EXPLAIN ANALYZE SELECT * FROM Informant",
      "PIVOT Informant ON id IN ('x') USING count(*)",
      // WITH names that hide or stand for the view: outside their scope SQL sees the view.
      "WITH Informant AS (SELECT * FROM Informant) SELECT * FROM Informant",
      "WITH informant AS (SELECT 1) SELECT * FROM INFORMANT",
      "WITH a AS (SELECT * FROM Informant), Informant AS (SELECT 1) SELECT * FROM a",
      "SELECT * FROM (WITH Informant AS (SELECT 1) SELECT 1) x, Informant",
      "WITH RECURSIVE Informant AS (FROM Informant UNION ALL FROM Informant) FROM Informant",
      "WITH x AS (WITH Informant AS (FROM Informant) FROM Informant) FROM x",
      "WITH quarantine AS (FROM quarantine) FROM quarantine",
      // Our own tables hold what other types' sources sent, and names of files by type.
      "SELECT * FROM quarantine",
      "SELECT * FROM main.quarantine",
      "SELECT * FROM ficus_sealed",
      "SELECT * FROM ficus_position",
      "SELECT * FROM tail.\"Informant_2\"",
      "SELECT * FROM ficus.types",
      // Lists of names.
      "SHOW TABLES",
      "SELECT * FROM (SHOW TABLES)",
      "SHOW ALL TABLES",
      "SELECT * FROM information_schema.tables",
      "SELECT * FROM information_schema.columns",
      "SELECT * FROM duckdb_columns()",
      "SELECT * FROM duckdb_views",
      "SELECT * FROM sqlite_master",
      "SELECT * FROM pg_catalog.pg_class",
      "SELECT * FROM query_table('Informant')",
      "SELECT * FROM query('FROM Informant')",
      "SELECT * FROM pragma_table_info('Informant')",
      "SELECT * FROM pragma_show('Informant')",
      "SELECT * FROM summary((FROM Informant))",
      "SELECT * FROM histogram('Informant', id)",
      "SELECT * FROM seq_scan('Informant')",
      "SELECT json_serialize_plan('FROM Informant')",
  };
  for (const char* sql : attempts) {
    TextSink sink;
    const auto answer = city.query(sql, sink, limits);
    ASSERT_FALSE(answer) << sql;
    EXPECT_TRUE(sink.rows.empty() && sink.header.empty()) << sql;
    EXPECT_TRUE(answer.error().code == ErrorCode::denied ||
                answer.error().code == ErrorCode::invalid_input)
        << sql;
    EXPECT_FALSE(answer.error().message.contains("squirrel")) << sql;
    EXPECT_FALSE(answer.error().message.contains("codeName")) << sql;
  }
  // A hidden table and one that does not exist are refused in the same words.
  const auto message = [&](const std::string& table) {
    return city.rows("SELECT * FROM " + table, limits).at(0);
  };
  EXPECT_EQ(message("Informant"),
            "denied: there is no table 'Informant' that you may read: you may read vehicle");
  EXPECT_EQ(message("Nonsense"),
            "denied: there is no table 'Nonsense' that you may read: you may read vehicle");
  SeriesRequest series{.type = "Informant",
                       .id = "urn:ngsi-ld:Informant:1",
                       .attributes = {"codeName"},
                       .from = Timestamp::from_seconds(0),
                       .to = Timestamp::from_seconds(9),
                       .points_max = 10,
                       .limits = limits};
  TextSink sink;
  EXPECT_EQ(city.history->series(series, sink).error().code, ErrorCode::denied);
  limits.readable_types = {{"Vehicle", "Informant", "quarantine"}};
  EXPECT_EQ(city.rows("SELECT \"codeName\" FROM Informant, quarantine", limits), Lines{});
  series.limits = limits;
  EXPECT_TRUE(city.history->series(series, sink));
  limits.readable_types = std::vector<std::string>{};
  EXPECT_EQ(city.rows("SELECT 1 + 1", limits), Lines{"2"});
  EXPECT_EQ(city.rows("FROM Vehicle", limits).at(0),
            "denied: there is no table 'Vehicle' that you may read: you may read none");
}

// The walls behind the guard: what a hole in it would meet.
TEST_F(SqlGuard, TheConnectionItselfIsReadOnlyAndLocked) {
  city.close();
  DuckSettings settings;
  settings.path = city.options.directory + "/history.duckdb";
  settings.directory = city.options.directory;
  settings.spill_directory = city.options.directory + "/spill";
  settings.memory_bytes_max = 100'000'000;
  settings.spill_bytes_max = 100'000'000;
  auto database = DuckDatabase::open(settings);
  ASSERT_TRUE(database) << database.error().message;
  auto connection = DuckConnection::open(**database).value();
  DuckTransaction transaction(*connection);
  ASSERT_TRUE(transaction.begin(true));
  EXPECT_FALSE(connection->run("INSERT INTO quarantine (source) VALUES ('x')"));
  EXPECT_FALSE(connection->run("SET memory_limit = '100GB'"));
  const std::string outside = city.folder.path() + "/outside.csv";
  EXPECT_EQ(connection->select("SELECT b FROM read_csv('" + outside + "')").error().code,
            ErrorCode::denied);
  EXPECT_FALSE(connection->run("COPY (SELECT 1) TO '" + city.folder.path() + "/out.csv'"));
  EXPECT_FALSE(connection->run("LOAD '" + city.options.directory + "/x.duckdb_extension'"));
  EXPECT_FALSE(connection->run("INSTALL httpfs"));
}

TEST(SyntaxTree, EveryPrefixIsAnError) {
  const std::string json =
      R"({"a": [1, -2.5e3, true, null], "b\n\"\u0007": {"c": "x\\y\/"}, "d": [], "e": {}})";
  const auto tree = read_syntax_tree(json);
  ASSERT_TRUE(tree);
  EXPECT_EQ(tree->find("a")->children.size(), 4U);
  EXPECT_TRUE(tree->find("a")->children[3].is_null());
  EXPECT_EQ(tree->find("b\n\"\a")->text_of("c"), "x\\y/");
  EXPECT_EQ(tree->find("zzz"), nullptr);
  EXPECT_EQ(tree->text_of("zzz"), "");
  EXPECT_EQ(tree->text_of("a"), "") << "no text";
  EXPECT_EQ(read_syntax_tree("{\"a\" :\t\"\\b\\f\\r\\t\\u001F\\u005a\"\r\n}").value().text_of("a"),
            "\b\f\r\t\x1fZ");
  for (std::size_t length = 0; length < json.size(); ++length) {
    EXPECT_FALSE(read_syntax_tree(std::string_view(json).substr(0, length))) << length;
  }
  for (const char* bad : {"{} x", "{\"a\"}", "{a:1}", "[1,]x", "\"\\x\"", "\"\\u12\"",
                          "\"\\uffff\"", "{\"a\":1,}", "[", "\"\\uzzzz\""}) {
    EXPECT_FALSE(read_syntax_tree(bad)) << bad;
  }
  EXPECT_FALSE(read_syntax_tree(std::string(100'000, '[')));
}

// The parser would take the square of their length, and nothing could end it.
TEST_F(SqlGuard, LongRunsOfOperatorsAreRefusedBeforeTheyAreParsed) {
  for (const std::string_view piece : {"/*", "+", "-", "<>", "~"}) {
    std::string run;
    while (run.size() < 90'000) run += piece;
    EXPECT_EQ(city.rows("SELECT " + run + "1").at(0),
              "invalid_input: the statement has more than 1000 operator characters in a row");
  }
  EXPECT_EQ(city.one("SELECT '" + std::string(1000, '=') + "' = 'x'"), "false");
  EXPECT_EQ(city.one("SELECT 1 --" + std::string(900, '-')), "1");
}

TEST_F(SqlGuard, DeepStatementsAreRefusedNotCrashed) {
  std::string deep = "SELECT ";
  for (int i = 0; i < 20'000; ++i) deep += '(';
  deep += '1';
  for (int i = 0; i < 20'000; ++i) deep += ')';
  TextSink sink;
  const auto summary = city.query(deep, sink);
  EXPECT_FALSE(summary);
  std::string nested = "SELECT 1";
  for (int i = 0; i < 400; ++i) nested = "SELECT * FROM (" + nested + ")";
  (void)city.query(nested, sink);
  std::string chain = "SELECT 1";
  for (int i = 0; i < 20'000; ++i) chain += "+1";
  (void)city.query(chain, sink);
  EXPECT_EQ(city.one("SELECT 1"), "1");
}

}  // namespace
}  // namespace ficus::history
