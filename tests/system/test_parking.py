"""Birmingham's car parks over HTTP, newline-delimited, against an independent computation in Python."""
import csv
import datetime
import io
import json
import pathlib
import unittest

import harness

FILE = harness.DATA / "transdim/birmingham_parking.csv.zst"


@unittest.skipUnless(FILE.exists(), f"recorded data is not there: {FILE}")
class BirminghamParking(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.records = []
        cls.missing = 0
        cls.raised = {}
        full = {}
        first = datetime.datetime(2016, 10, 4, 8)
        rows = list(csv.DictReader(io.StringIO(harness.read_zst(FILE).decode())))
        rows.sort(key=lambda r: (int(r["park"]), int(r["day"]), int(r["slot"])))
        for row in rows:
            when = first + datetime.timedelta(days=int(row["day"]), minutes=30 * int(row["slot"]))
            cls.records.append((row["park"], when.strftime("%Y-%m-%d %H:%M"), row["occupied"], row["capacity_at_least"]))
            if row["occupied"] == "":
                cls.missing += 1
                continue  # the car park is as full as it was
            is_full = float(row["occupied"]) > 0.95 * float(row["capacity_at_least"])
            if is_full and not full.get(row["park"]):
                cls.raised.setdefault(row["park"], []).append(when)
            full[row["park"]] = is_full

    def alerts_expected(self):
        """An alert that comes back within five minutes is the same one; half-hourly data never does."""
        return sum(len(moments) for moments in self.raised.values())

    def test_rows_and_alerts(self):
        with harness.Brain("parking") as brain:
            source = pathlib.Path(brain.folder) / "parking.csv"
            with open(source, "w", newline="", encoding="utf-8") as out:
                writer = csv.writer(out)
                writer.writerow(["park", "time", "occupied", "capacity"])
                writer.writerows(self.records)
            print(brain.run("replay", str(source), "--to",
                            f"http://127.0.0.1:{brain.http_port}/ingest/carparks", "--speed", "0"), end="")
            books = brain.books("carparks")
            harness.assert_balanced(self, books)
            self.assertEqual(books["received"], len(self.records))
            self.assertEqual(books["quarantined"], 0)
            brain.wait_for_history("OffStreetParking", len(self.records))
            rows, occupied = brain.sql("SELECT count(*), count(occupied) FROM OffStreetParking")[0]
            self.assertEqual((rows, occupied), (len(self.records), len(self.records) - self.missing))
            self.assertGreater(self.alerts_expected(), 50)
            self.assertEqual(brain.sql("SELECT count(*) FROM Alert WHERE status = 'raised'")[0][0], self.alerts_expected())

    def test_partial_failure_names_the_items(self):
        with harness.Brain("parking") as brain:
            good = {"park": "1", "time": "2016-10-04 08:00", "occupied": 5, "capacity": 100}
            body = "\n".join([json.dumps(good), "{not json", json.dumps({**good, "park": "2", "occupied": "many"}),
                              json.dumps({**good, "park": "3"})])
            status, answer = brain.request("POST", "/ingest/carparks", body, {"Content-Type": "application/x-ndjson"})
            answer = json.loads(answer)
            self.assertEqual(status, 207)
            self.assertEqual((answer["received"], answer["accepted"], answer["quarantined"]), (4, 2, 2))
            self.assertEqual([error["item"] for error in answer["errors"]], [1, 2])
            self.assertIn("occupied", answer["errors"][1]["message"])
            brain.wait_for_history("quarantine", 2)
            kept = brain.sql("SELECT bytes FROM quarantine ORDER BY reason")
            self.assertIn("{not json", {row[0] for row in kept})
            # An array, one object, and nothing that fits.
            status, answer = brain.request("POST", "/ingest/carparks", json.dumps([{**good, "park": "8"}, {**good, "park": "9"}]),
                                           {"Content-Type": "application/json"})
            self.assertEqual((status, json.loads(answer)["accepted"]), (200, 2))
            status, _ = brain.request("POST", "/ingest/carparks", "[]]", {"Content-Type": "application/json"})
            self.assertEqual(status, 422)
            status, answer = brain.request("POST", "/ingest/nobody", "{}")
            self.assertEqual(status, 404)
            self.assertIn("nobody", json.loads(answer)["error"]["message"])
            harness.assert_balanced(self, brain.books("carparks"))

    def test_sql_cannot_leave_its_room(self):
        with harness.Brain("parking") as brain:
            for text in ("SELECT * FROM read_csv('/etc/passwd')", "COPY (SELECT 1) TO '/tmp/x'", "ATTACH '/tmp/x.db'",
                         "INSTALL httpfs", "CREATE TABLE t (a INT)", "SELECT * FROM '/etc/passwd'",
                         "SELECT getenv('HOME')", "SET memory_limit='1TB'", "SELECT 1; SELECT 2"):
                status, answer = brain.request("POST", "/sql", json.dumps({"sql": text}), {"Content-Type": "application/json"})
                self.assertEqual(status // 100, 4, (text, answer))
            status, answer = brain.request("POST", "/sql", "SELECT 1 AS one, 'a,b' AS two", {"Accept": "text/csv"})
            self.assertEqual((status, answer), (200, b'one,two\r\n1,"a,b"\r\n'))


if __name__ == "__main__":
    unittest.main(verbosity=2)
