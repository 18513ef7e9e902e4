"""SQL: statements that would leave their sandbox, cost too much, or are none; from a small grammar and from samples."""
import json
import pathlib

import mutate
from session import Session

CORPUS = [path.read_bytes() for name in ("sql_guard", "sql") for path in
          sorted((pathlib.Path(__file__).parents[2] / "fuzz/corpus" / name).iterdir())]
# CANARY is replaced by the path of a file next to the data whose content no answer may hold.
FILES = ("/etc/passwd", "CANARY", "CANARY.csv", "file://CANARY", "http://127.0.0.1:1/x", "s3://b/k", "*", "data/**", "\\\\x\\y", "CANARY*")
READERS = ("read_csv", "read_csv_auto", "read_text", "read_blob", "read_json", "read_json_auto", "read_ndjson", "read_parquet", "parquet_scan", "glob", "sniff_csv",
           "parquet_metadata", "sqlite_scan", "postgres_scan", "query", "query_table", "duckdb_settings", "duckdb_secrets", "which_secret",
           "pragma_table_info", "getenv", "pragma_database_list", "duckdb_databases", "duckdb_logs", "add_parquet_key", "json_execute_serialized_sql",
           "checkpoint", "force_checkpoint", "nextval", "currval", "load_aws_credentials", "iceberg_scan", "delta_scan", "read_duckdb")
STATEMENTS = (
    "COPY (SELECT 1) TO '{file}'", "COPY Meter FROM '{file}'", "ATTACH '{file}' AS a", "ATTACH ':memory:' AS a", "DETACH a", "INSTALL httpfs", "LOAD httpfs",
    "LOAD '{file}'", "PRAGMA database_list", "PRAGMA enable_profiling", "PRAGMA version", "SET enable_external_access = true", "SET memory_limit = '100GB'",
    "RESET ALL", "SET GLOBAL threads = 64", "SET schema = 'main'", "CREATE TABLE t AS SELECT 1", "CREATE MACRO m() AS 1", "CREATE SECRET s (TYPE s3)",
    "CREATE VIEW v AS SELECT * FROM '{file}'", "DROP TABLE Meter", "DELETE FROM Meter", "UPDATE Meter SET level = 0", "INSERT INTO Meter VALUES (1)",
    "BEGIN", "COMMIT", "CHECKPOINT", "VACUUM", "EXPORT DATABASE '{file}'", "IMPORT DATABASE '{file}'", "CALL pragma_version()", "EXECUTE p", "PREPARE p AS SELECT 1",
    "USE system", "EXPLAIN ANALYZE COPY (SELECT 1) TO '{file}'", "WITH x AS (DELETE FROM Meter RETURNING *) SELECT * FROM x", "SELECT 1; SELECT 2",
    "SELECT 1; COPY (SELECT 1) TO '{file}'", "/* */ SELECT 1 -- ;\n; DROP TABLE Meter", "FROM '{file}'", "SELECT * FROM '{file}'", 'SELECT * FROM "{file}"', "DESCRIBE Meter",
    "SHOW ALL TABLES", "SUMMARIZE Meter", "SELECT * FROM information_schema.tables", "SELECT * FROM pg_catalog.pg_class", "SELECT * FROM sqlite_master",
    "PIVOT Meter ON id USING sum(level)", "SELECT current_setting('home_directory')", "SELECT getvariable('x')", "SELECT * FROM AuditEvent", "SELECT * FROM main.Meter",
    "SELECT * FROM ficus_position", "SELECT * FROM ficus_unplanned", "SELECT * FROM quarantine LIMIT 3", "SELECT * FROM ficus_sealed", "")
BOMBS = (
    "SELECT count(*) FROM range({big})", "SELECT * FROM range({big})", "SELECT sum(a.range * b.range) FROM range({big}) a, range({big}) b",
    "SELECT list(i) FROM range({big}) t(i)", "SELECT string_agg(repeat('x', 1000), '') FROM range({big})", "SELECT repeat('x', {big})", "SELECT range({big})",
    "SELECT generate_series(1, {big})", "SELECT unnest(range({big}))", "SELECT lpad('x', {big}, 'y')", "SELECT rpad('x', {big}, 'y')", "SELECT list_resize([1], {big})",
    "SELECT printf('%{big}d', 1)", "SELECT format('{{:{big}}}', 1)", "SELECT array_to_string(list_resize(['a'], {big}), 'x')", "SELECT bar(1, 0, 10, {big})",
    "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT * FROM n", "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT max(i) FROM n",
    "SELECT regexp_matches(repeat('a', 30000), '(a*)*b')", "SELECT regexp_replace(repeat('a', 100000), '.', repeat('b', 10000), 'g')", "SELECT ('a' LIKE repeat('%a', 5000))",
    "SELECT levenshtein(repeat('a', 100000), repeat('b', 100000))", "SELECT 1::DECIMAL(38,0) * {big}", "SELECT '{big}'::BIT", "SELECT replace(repeat('a', 1000000), 'a', repeat('b', 1000))",
    "SELECT translate(repeat('a', 1000000), 'a', 'b')", "SELECT concat_ws(repeat('x', 1000000), *COLUMNS(*)) FROM Meter", "SELECT hash(i), row_number() OVER (ORDER BY random()) FROM range({big}) t(i)",
    "SELECT list_sort(list_reverse(range({big})))", "SELECT map(range({big}), range({big}))", "SELECT jaro_winkler_similarity(repeat('a', 50000), repeat('b', 50000))",
    "SELECT i FROM range({big}) t(i) ORDER BY random()", "SELECT DISTINCT hash(i) FROM range({big}) t(i)", "SELECT factorial({big})", "SELECT date_trunc('day', unnest(generate_series(TIMESTAMP '0001-01-01', TIMESTAMP '9999-01-01', INTERVAL 1 SECOND)))")
NUMBERS = ("10", "1000", "100000", "10000000", "1000000000", "9223372036854775807", "-1", "0")
FORMATS = ("json", "csv", "arrow", "parquet", "xml", "")
ACCEPTS = (b"application/json", b"text/csv", b"application/vnd.apache.arrow.stream", b"application/vnd.apache.parquet", b"*/*", b"")
ATOMS = ("1", "'x'", "NULL", "level", "id", "*", "-0.0", "1e308", "DATE '2025-11-24'", "TRUE", "[1, 2]", "{'a': 1}", "$1", "?", "lambda y: y", "time", "9223372036854775807")
CALLS = ("sum", "max", "abs", "list_transform", "coalesce", "cast", "strftime", "to_json", "json_extract", "regexp_extract", "substr", "sqrt", "date_part", "list_aggregate")


def expression(random, depth):
    if depth == 0 or random.random() < 0.2:
        return random.choice(ATOMS)
    how = random.randrange(8)
    inner = expression(random, depth - 1)
    if how == 0:
        return f"({inner} {random.choice(('+', '-', '*', '/', '%', '||', '=', '<', 'AND', 'OR', '->', '->>', '^', '//', '<<'))} {expression(random, depth - 1)})"
    if how == 1:
        return f"{random.choice(CALLS)}({inner})"
    if how == 2:
        return f"CAST({inner} AS {random.choice(('BIGINT', 'DOUBLE', 'VARCHAR', 'DECIMAL(38,10)', 'TIMESTAMP', 'INTERVAL', 'BIT', 'UUID', 'BLOB', 'HUGEINT', 'STRUCT(a INT)', 'INT[]'))})"
    if how == 3:
        return f"CASE WHEN {inner} THEN {expression(random, depth - 1)} END"
    if how == 4:
        return f"(SELECT {inner} FROM {table(random, depth - 1)})"
    if how == 5:
        return f"{inner} IN ({', '.join(expression(random, 0) for _ in range(random.choice((1, 3, 500))))})"
    if how == 6:
        return f"{random.choice(('sum', 'rank', 'lag'))}({inner}) OVER (PARTITION BY id ORDER BY time)"
    return f"-{inner}" if random.random() < 0.5 else f"NOT {inner}"


def table(random, depth):
    how = random.randrange(8)
    if depth > 0 and how == 0:
        return f"({select(random, depth - 1)}) t{random.randrange(9)}"
    if depth > 0 and how == 1:
        return f"{table(random, depth - 1)} {random.choice(('CROSS JOIN', 'NATURAL JOIN', 'ASOF JOIN', 'POSITIONAL JOIN', ','))} {table(random, depth - 1)}"
    if how == 2:
        return f"{random.choice(READERS)}('{random.choice(FILES)}')"
    if how == 3:
        return f"'{random.choice(FILES)}'"
    if how == 4:
        return f"range({random.choice(NUMBERS[:4])}) r(level)"
    return random.choice(("Meter", "Vehicle", "Alert", "quarantine", "Vessel", "AuditEvent", "main.Meter"))


def select(random, depth):
    out = ""
    if depth > 0 and random.random() < 0.15:
        out = f"WITH {random.choice(('', 'RECURSIVE '))}c AS ({select(random, depth - 1)}) "
    out += f"SELECT {random.choice(('', 'DISTINCT '))}{', '.join(expression(random, depth) for _ in range(random.choice((1, 1, 3))))} FROM {table(random, depth)}"
    if random.random() < 0.4:
        out += f" WHERE {expression(random, depth)}"
    if random.random() < 0.2:
        out += random.choice((" GROUP BY ALL", " ORDER BY 1 DESC", " LIMIT 10", " LIMIT (SELECT max(level) FROM Meter)", " USING SAMPLE 10%", " QUALIFY 1", " GROUP BY CUBE(id, level)"))
    if depth > 0 and random.random() < 0.1:
        out += f" {random.choice(('UNION ALL', 'UNION', 'EXCEPT', 'INTERSECT'))} {select(random, depth - 1)}"
    return out


def deep(random):
    times = random.choice((50, 500, 5000, 50_000))
    return random.choice((
        lambda: "SELECT " + "(" * times + "1" + ")" * times, lambda: "SELECT " + "-" * times + "1", lambda: "SELECT " + "NOT " * times + "true",
        lambda: "SELECT 1" + " + 1" * times, lambda: "SELECT * FROM Meter WHERE level IN (" + "1," * times + "1)", lambda: "SELECT " + "[" * times + "]" * times,
        lambda: "SELECT * FROM " + "(SELECT * FROM " * (times // 10) + "Meter" + ")" * (times // 10), lambda: "SELECT 1" + " UNION ALL SELECT 1" * (times // 10),
        lambda: "WITH " + ", ".join(f"c{i} AS (SELECT * FROM {'Meter' if i == 0 else f'c{i - 1}, c{i - 1} d{i}'})" for i in range(min(times, 60))) + " SELECT count(*) FROM c9",
        lambda: "SELECT " + "a." * times + "b", lambda: "SELECT " + ", ".join(["1"] * times), lambda: "SELECT CASE " * min(times, 3000) + "1", lambda: "SELECT '" + "x" * times * 4 + "'",
        lambda: "SELECT * FROM Meter" + ", Meter" * min(times, 500), lambda: "/*" * times, lambda: "SELECT " + "abs(" * times + "1" + ")" * times))()


def statement(random):
    how = random.random()
    file = random.choice(FILES)
    if how < 0.22:
        return random.choice(STATEMENTS).replace("{file}", file)
    if how < 0.36:
        return random.choice(BOMBS).replace("{big}", random.choice(NUMBERS)).replace("{{", "{").replace("}}", "}")
    if how < 0.46:
        return f"SELECT * FROM {random.choice(READERS)}('{file}')"
    if how < 0.54:
        return deep(random)
    return select(random, random.choice((0, 1, 2, 3, 4)))


def encoded(random):
    text = statement(random)
    data = text.encode("utf-8", "surrogatepass")
    if random.random() < 0.1:
        data = random.choice(CORPUS)
    if random.random() < 0.2:
        data = mutate.change(random, data, 3)
    if random.random() < 0.5:
        return data, b"application/sql"
    value = {"sql": data.decode("utf-8", "replace"), "format": random.choice(FORMATS)}
    if random.random() < 0.5:
        del value["format"]
    return json.dumps(value).encode(), b"application/json"


def generate(random, kind, seed, index):
    session = Session(kind, seed, index)
    for _ in range(random.choice((1, 1, 3))):
        data, content = encoded(random)
        accept = random.choice(ACCEPTS)
        session.send(b"POST /sql HTTP/1.1\r\nHost: localhost\r\nContent-Type: %s\r\nAccept: %s\r\nContent-Length: %d\r\n\r\n"
                     % (content, accept, len(data)) + data)
        session.read(random.choice((0.02, 0.3, 2)))
    session.end = random.choices(("close", "reset", "leave"), (80, 10, 10))[0]
    return session
