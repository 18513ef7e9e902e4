"""SQL over HTTP and in the terminal: formats, limits, the list of queries, cancelling."""
import http.client
import json
import os
import pathlib
import shutil
import subprocess
import threading
import time
import unittest

import harness

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
MODULES = pathlib.Path(os.environ.get("FICUS_NODE_MODULES", ROOT / "web/node_modules"))
ARROW = "application/vnd.apache.arrow.stream"
PARQUET = "application/vnd.apache.parquet"
SLOW = "SELECT count(*) FROM range(100000000000) t(i) WHERE i % 7 = 3"

# Every kind of column an answer may have.
ALL_TYPES = """
SELECT * FROM (VALUES
  (1, true, 7::TINYINT, 9::UBIGINT, 1.5::DOUBLE, 2.5::FLOAT, 12.34::DECIMAL(9,2), 170141183460469231731::HUGEINT, '中文',
   TIMESTAMP '2026-11-23 08:15:00.123456', DATE '2026-11-23', TIME '01:02:03', INTERVAL '1 month 2 days',
   {'lon': 119.3::DOUBLE, 'lat': 26.08::DOUBLE}, [1, 2, NULL], MAP {'a': 1}, 'x'::BLOB, [{'a': ['b']}], NULL,
   '00000000-0000-0000-0000-000000000001'::UUID, [1,2]::INTEGER[2]),
  (2, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
  (3, false, -7, 0, -0.5, 0.25, -0.01, -1, '', TIMESTAMP '1969-12-31 23:59:59', DATE '1969-12-31', TIME '00:00:00',
   INTERVAL '0 days', {'lon': NULL, 'lat': -1}, [], MAP {}, ''::BLOB, [], NULL, gen_random_uuid(), [3,4])
) t(n, b, i8, u64, f64, f32, dec, huge, txt, t, day, clock, span, point, list, map, bytes, deep, nothing, uuid, pair)
ORDER BY n"""


class Sql(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.brain = harness.Brain("crash", config="sql: {running_max: 3, running_per_user_max: 2, waiting_per_user_max: 2, "
                                                 "file_mib_max: 4, seconds_max: 20}\n")
        cls.brain.start()

    @classmethod
    def tearDownClass(cls):
        cls.brain.stop()

    def ask(self, sql, accept, expect=200):
        status, body = self.brain.request("POST", "/sql", sql.encode(), {"Accept": accept, "Content-Type": "text/plain"})
        self.assertEqual(status, expect, body[:300])
        return body

    def read_arrow(self, stream):
        if not (MODULES / "apache-arrow").is_dir() or shutil.which("node") is None:
            self.skipTest("apache-arrow is not installed in web/node_modules: npm ci")
        out = subprocess.run(["node", str(ROOT / "tests/system/read_arrow.mjs"), str(MODULES)], input=stream,
                             stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=30)
        self.assertEqual(out.returncode, 0, out.stderr.decode()[-2000:])
        return json.loads(out.stdout)

    def test_declared_types_can_be_asked_before_their_first_row(self):
        self.assertEqual(self.brain.sql("SELECT count(*) FROM Meter"), [[0]])

    def test_arrow_of_every_type(self):
        table = self.read_arrow(self.ask(ALL_TYPES, ARROW))
        kinds = dict(table["columns"])
        for name, kind in {"b": "Bool", "i8": "Int8", "u64": "Uint64", "f64": "Float64", "f32": "Float32", "txt": "Utf8",
                           "t": "Timestamp<MICROSECOND, UTC>", "day": "Date32<DAY>", "clock": "Time64<MICROSECOND>",
                           "dec": "Decimal[9e+2]", "bytes": "Binary", "nothing": "Int32"}.items():
            self.assertEqual(kinds[name], kind, name)
        self.assertEqual(kinds["point"].replace(" ", ""), "Struct<{lon:Float64,lat:Float64}>".replace(" ", ""))
        rows = [dict(zip(kinds, row)) for row in table["rows"]]
        first, empty, last = rows
        self.assertEqual((first["b"], first["i8"], first["u64"], first["f64"], first["f32"], first["txt"]),
                         (True, 7, "9", 1.5, 2.5, "中文"))
        self.assertEqual(first["t"], 1795421700123.456)  # milliseconds
        self.assertEqual(first["dec"][0], 1234)
        self.assertEqual(first["list"], [1, 2, None])
        self.assertEqual(first["point"], {"lon": 119.3, "lat": 26.08})
        self.assertEqual(first["map"], {"a": 1})
        self.assertEqual(first["deep"], [{"a": ["b"]}])
        self.assertEqual(first["pair"], [1, 2])
        self.assertEqual({name for name, value in empty.items() if value is not None}, {"n"})
        self.assertEqual((last["b"], last["i8"], last["txt"], last["list"]), (False, -7, "", []))
        self.assertEqual(last["point"], {"lon": None, "lat": -1})

    def test_arrow_of_many_rows(self):
        sql = "SELECT i, 'row ' || i AS t, CASE WHEN i % 3 = 0 THEN i / 2 END AS h FROM range(50000) r(i)"
        table = self.read_arrow(self.ask(sql, ARROW))
        self.assertEqual(len(table["rows"]), 50000)
        for i in (0, 1, 2047, 2048, 49999):
            self.assertEqual(table["rows"][i], [str(i), f"row {i}", i / 2 if i % 3 == 0 else None])
        self.assertEqual(self.read_arrow(self.ask("SELECT 1 AS a WHERE false", ARROW))["rows"], [])

    def test_parquet(self):
        rows = [{"meter": f"p{i}", "n": i, "t": int(time.time() * 1e6) + i, "level": i / 4} for i in range(500)]
        self.brain.request("POST", "/ingest/gateway", json.dumps(rows), {"Content-Type": "application/json"})
        self.brain.wait_for("the rows", lambda: self.brain.sql("SELECT count(*) FROM Meter WHERE level < 125 AND id LIKE "
                                                               "'%:p%'") == [[500]], 5)
        body = self.ask("SELECT id, level FROM Meter WHERE id LIKE '%:p%' ORDER BY level; -- all of them", PARQUET)
        self.assertEqual((body[:4], body[-4:]), (b"PAR1", b"PAR1"))
        # DuckDB reads it back: as a file of the type, put where the history may look.
        self.assertIn(b"error", self.ask("EXPLAIN SELECT 1", PARQUET, 400))
        self.assertIn(b"not allowed", self.ask("SELECT * FROM read_text('/etc/passwd')", PARQUET, 403))
        self.assertIn(b"larger than 4194304 bytes",
                      self.ask("SELECT md5(i::VARCHAR) FROM range(10000000) t(i)", PARQUET, 400))
        self.assertEqual(list((self.brain.folder / "data/history/.answers").iterdir()), [])

    def test_command(self):
        out = self.brain.run("sql", "SELECT 1 AS a, 'x' AS b", "--format", "csv", "--url", f"http://127.0.0.1:{self.brain.http_port}")
        self.assertEqual(out, "a,b\r\n1,x\r\n")
        self.assertIn('"rows":[[1]]', self.brain.run("sql", "SELECT 1 AS a", "--format", "json", "--url", f"http://127.0.0.1:{self.brain.http_port}"))
        self.assertIn("(1 rows)", self.brain.run("sql", "SELECT 1 AS a", "--url", f"http://127.0.0.1:{self.brain.http_port}"))

    def test_queries_are_listed_and_cancelled(self):
        answers = []
        threads = [threading.Thread(target=lambda: answers.append(self.brain.request("POST", "/sql", SLOW))) for _ in range(4)]
        for thread in threads:
            thread.start()

        def two_run_and_two_wait():
            queries = self.brain.get("/sql/queries")["queries"]
            return queries if [q["state"] for q in queries] == ["running", "running", "waiting", "waiting"] else None

        states = self.brain.wait_for("two queries to run and two to wait", two_run_and_two_wait, 30)
        self.assertEqual(states[0]["sql"], SLOW)
        self.assertGreater(states[0]["elapsedMs"], 0)
        status, body = self.brain.request("POST", "/sql", "SELECT 1")
        self.assertEqual(status, 429, body)
        self.assertIn("2 of your queries wait already", json.loads(body)["error"]["message"])
        for query in reversed(states):
            self.assertEqual(self.brain.request("DELETE", f"/sql/queries/{query['id']}")[0], 204)
        for thread in threads:
            thread.join()
        self.assertEqual([status for status, _ in answers], [504] * 4)
        self.assertTrue(all(b"cancelled" in body for _, body in answers), answers)
        self.brain.wait_for("no query", lambda: self.brain.get("/sql/queries")["queries"] == [], 5)
        self.assertEqual(self.brain.request("DELETE", f"/sql/queries/{states[0]['id']}")[0], 404)
        self.assertEqual(self.brain.request("DELETE", "/sql/queries/x")[0], 404)

    def test_a_client_that_goes_away_ends_its_query(self):
        connection = http.client.HTTPConnection("127.0.0.1", self.brain.http_port)
        connection.request("POST", "/sql", SLOW)
        self.brain.wait_for("the query", lambda: len(self.brain.get("/sql/queries")["queries"]) == 1, 5)
        connection.close()
        self.brain.wait_for("its end", lambda: self.brain.get("/sql/queries")["queries"] == [], 5)


if __name__ == "__main__":
    unittest.main()
