"""Files as sources: recorded hours of Beijing's air in a folder, growing, replaced, with kill -9 in between."""
import csv
import io
import json
import os
import shutil
import tempfile
import pathlib
import unittest

import harness

FILES = sorted((harness.DATA / "beijing-prsa").glob("*.csv.zst"))


@unittest.skipUnless(FILES, "recorded data is not there")
class Files(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.text = harness.read_zst(FILES[0])
        cls.other = harness.read_zst(FILES[1])
        cls.rows = len(list(csv.DictReader(io.StringIO(cls.text.decode()))))

    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="ficus-files-"))
        self.addCleanup(shutil.rmtree, self.folder, True)

    def brain(self, config=""):
        brain = harness.Brain("files", folder=self.folder, config=config)
        brain.start()
        self.addCleanup(lambda: brain.__exit__(None, None, None))
        return brain

    def put(self, name, content):
        part = self.folder / (name + ".part")
        part.write_bytes(content)
        part.rename(self.folder / name)

    def test_what_is_no_file_of_the_folder_is_set_aside(self):
        """Whoever may write there must not make us read what only we may read, wait, or read other files by a pattern."""
        rows = self.text.splitlines(keepends=True)
        self.put("PRSA_[a]*?.csv", b"".join(rows[:11]))  # a name is a name
        (self.folder / "PRSA_b.csv").symlink_to("/etc/passwd")
        os.mkfifo(self.folder / "PRSA_c.csv")
        (self.folder / "PRSA_d.csv").mkdir()
        (self.folder / "*.parquet").symlink_to(self.folder / "elsewhere")
        brain = self.brain()
        brain.wait_for("the ten rows", lambda: brain.books("archive")["applied"] == 10)
        log = brain.folder / "brain.log"
        for said in ("PRSA_b.csv: it is a symbolic link", "PRSA_c.csv: it is a pipe", "PRSA_d.csv: it is a folder",
                     "*.parquet: it is a symbolic link"):
            brain.wait_for(said, lambda said=said: said in log.read_text(errors="replace"))
        self.assertNotIn("root:", log.read_text(errors="replace"))
        books = brain.books("archive")
        self.assertEqual((books["received"], books["quarantined"]), (10, 0))
        # A Parquet file whose name is a pattern is itself and nothing else.
        (self.folder / "*.parquet").unlink()
        for name, value in (("one", 1), ("two", 2)):
            status, body = brain.request("POST", "/sql", json.dumps(
                {"format": "parquet",
                 "sql": f"SELECT '{name}' AS id, TIMESTAMP '2026-01-01 00:00:00' AS \"observedAt\", {value} AS pm25"}),
                {"Content-Type": "application/json"})
            self.assertEqual(status, 200, body)
            self.put({"one": "*.parquet", "two": "kept.elsewhere"}[name], body)
        brain.wait_for("one row", lambda: brain.books("sealed")["applied"] == 1)
        self.put("x.parquet", (self.folder / "kept.elsewhere").read_bytes())
        brain.wait_for("the other", lambda: brain.books("sealed")["applied"] == 2)
        self.assertEqual(brain.books("sealed")["received"], 2)

    def received(self, brain):
        return brain.books("archive")["received"]

    def test_a_kill_in_the_middle_of_a_file_loses_and_doubles_nothing(self):
        self.put("PRSA_a.csv", self.text)
        brain = self.brain()
        for share in (0.1, 0.4, 0.7):
            brain.wait_for("part of it", lambda: brain.books("archive")["applied"] > share * self.rows)
            brain.kill()
            brain.start()
        brain.wait_for("all of it", lambda: brain.books("archive")["applied"] == self.rows)
        books = brain.books("archive")
        harness.assert_balanced(self, books)
        self.assertEqual((books["quarantined"], books["late"], books["refused"]), (0, 0, 0))
        # At most one chunk is read again each time.
        self.assertLessEqual(books["duplicate"], 3 * 2048)
        brain.wait_for_history("AirQualityObserved", self.rows)
        counts = brain.sql('SELECT count(*), count(DISTINCT "observedAt"), count(pm25) FROM AirQualityObserved')[0]
        known = sum(1 for row in csv.DictReader(io.StringIO(self.text.decode())) if row["PM2.5"] != "NA")
        self.assertEqual(counts, [self.rows, self.rows, known])
        self.assertEqual(books["connection"]["state"], "connected")
        self.assertEqual(brain.sql("SELECT DISTINCT file FROM AirQualityObserved"), [["PRSA_a.csv"]])
        # Nothing is read again after an orderly stop either.
        received = books["received"]
        brain.stop()
        brain.start()
        self.put("PRSA_b.csv", self.other[:100_000])
        brain.wait_for("the next file", lambda: self.received(brain) > received)
        self.assertEqual(brain.books("archive")["duplicate"], books["duplicate"])

    def test_growing_files_and_damaged_lines(self):
        lines = self.text.splitlines(keepends=True)
        path = self.folder / "PRSA_grows.csv"
        path.write_bytes(b"".join(lines[:11]))
        brain = self.brain()
        brain.wait_for("ten rows", lambda: self.received(brain) == 10)
        with open(path, "ab") as file:
            file.write(lines[11] + b'1,2,"3"4\n' + lines[12].rstrip(b"\r\n"))
        # The last line has no end: it is whole when the file has been quiet for a second.
        brain.wait_for("the rest", lambda: self.received(brain) == 13)
        books = brain.books("archive")
        harness.assert_balanced(self, books)
        self.assertEqual((books["applied"], books["quarantined"]), (12, 1))
        brain.wait_for("the quarantine", lambda: brain.sql("SELECT count(*) FROM quarantine")[0][0] == 1)
        self.assertIn("PRSA_grows.csv", brain.sql('SELECT "key" FROM quarantine')[0][0])
        self.assertIn("line 13", brain.sql("SELECT reason FROM quarantine")[0][0])

    def test_a_folder_that_goes_away_and_comes_back(self):
        brain = self.brain()
        self.put("PRSA_a.csv", b"".join(self.text.splitlines(keepends=True)[:11]))
        brain.wait_for("ten rows", lambda: self.received(brain) == 10)
        shutil.rmtree(self.folder)
        connection = brain.wait_for("the loss", lambda: brain.books("archive")["connection"]["state"] == "waiting"
                                    and brain.books("archive")["connection"])
        self.assertIn(str(self.folder), connection["lastError"])
        self.folder.mkdir()
        self.put("PRSA_a.csv", b"".join(self.text.splitlines(keepends=True)[:16]))
        # The same file, grown: only what is new.
        brain.wait_for("five more", lambda: self.received(brain) == 15)
        self.assertEqual(brain.books("archive")["duplicate"], 0)

    def test_parquet(self):
        # What a brain has sealed is Parquet as anybody's: here it is a source.
        brain = self.brain("history: {tail_rows_max: 1000}\n")
        self.put("PRSA_a.csv", self.text)
        brain.wait_for("all of it", lambda: brain.books("archive")["applied"] == self.rows)
        sealed = brain.wait_for("a sealed file", lambda: sorted(brain.folder.glob("data/history/**/*.parquet")))[0]
        name = sealed.name
        rows = brain.wait_for("its rows", lambda: brain.sql(f"SELECT rows FROM ficus_sealed WHERE file LIKE '%{name}'"))[0][0]
        self.put("copy.parquet", sealed.read_bytes())
        self.put("damaged.parquet", sealed.read_bytes()[:-10])
        brain.wait_for("part of it", lambda: brain.books("sealed")["applied"] > 0)
        brain.kill()
        brain.start()
        # A sealed file need not be in the order of time, so some rows may be late.
        def stored():
            books = brain.books("sealed")
            return books["applied"] + books["late"]
        brain.wait_for("all of it", lambda: stored() == rows)
        harness.assert_balanced(self, brain.books("sealed"))
        connection = brain.wait_for("the damage to be told", lambda: brain.books("sealed")["connection"]["lastError"]
                                    and brain.books("sealed")["connection"])
        self.assertIn("damaged.parquet", connection["lastError"])
        brain.wait_for_history("Copy", rows)
        different = """SELECT count(*) FROM Copy c JOIN AirQualityObserved a ON c.id = 'urn:ngsi-ld:Copy:' || a.id
            AND c."observedAt" = a."observedAt" WHERE c.pm25 IS DISTINCT FROM a.pm25"""
        self.assertEqual(brain.sql(different), [[0]])


if __name__ == "__main__":
    unittest.main()
