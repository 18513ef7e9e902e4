"""Damaged files: a log that is damaged in the middle is refused, repaired with the loss named, and serves again with all that
was not lost."""
import json
import subprocess
import unittest

import harness


class Damage(unittest.TestCase):
    def post(self, brain, numbers):
        lines = "\n".join(json.dumps({"meter": "m", "n": n, "t": 1_700_000_000_000_000 + n * 1000, "level": 5})
                          for n in numbers) + "\n"
        status, body = brain.request("POST", "/ingest/gateway", lines, {"Content-Type": "application/x-ndjson"})
        self.assertEqual(status, 200, body)

    def ficus(self, *words):
        done = subprocess.run([str(harness.BINARY), *words], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=60,
                              check=False)
        return done.returncode, done.stdout.decode()

    def sequences(self, brain):
        return {int(float(row[0])) for row in brain.sql("SELECT sequence FROM Meter")}

    def test_log_repair(self):
        with harness.Brain("crash") as brain:
            for n in range(1, 41):
                self.post(brain, [n])
            brain.wait_for_history("Meter", 40)
            brain.kill()
            # A byte in the middle of the log.
            segment = sorted((brain.folder / "data/log/shard-0").glob("*.log"))[0]
            content = bytearray(segment.read_bytes())
            content[len(content) // 2] ^= 1
            segment.write_bytes(content)
            with self.assertRaises(RuntimeError):
                brain.start()
            self.assertIn("the log is damaged in the middle", (brain.folder / "brain.log").read_text())
            code, output = self.ficus("log", "check", "--config", str(brain.config))
            self.assertEqual(code, 1)
            self.assertIn("DAMAGED", output)
            code, output = self.ficus("log", "repair", "--dry-run", "--config", str(brain.config))
            self.assertEqual(code, 0, output)
            self.assertIn("LOST: positions", output)
            self.assertEqual(segment.read_bytes(), bytes(content))
            code, output = self.ficus("log", "repair", "--config", str(brain.config))
            self.assertEqual(code, 0, output)
            self.assertIn("1 records can still be told apart", output)
            self.assertIn("repaired", output)
            self.assertEqual((segment.parent / (segment.name + ".damaged")).read_bytes(), bytes(content))
            brain.start()
            code, output = self.ficus("log", "repair", "--config", str(brain.config))
            self.assertEqual(code, 1)
            self.assertIn("in use by another ficus process", output)
            harness.assert_balanced(self, brain.books("gateway"))
            self.assertEqual(brain.books("gateway")["received"], 39)
            self.post(brain, [41])
            brain.wait_for_history("Meter", 41)  # history had them all before the damage
            self.assertEqual(self.sequences(brain), set(range(1, 42)))
            brain.stop()
            code, output = self.ficus("log", "check", "--config", str(brain.config))
            self.assertEqual(code, 0, output)
            self.assertIn("1 places were lost", output)

    def test_newest_segment_gone(self):
        """History knows positions that the log has no more: they are not used again."""
        with harness.Brain("crash") as brain:
            for n in range(1, 21):
                self.post(brain, [n])
            brain.wait_for_history("Meter", 20)
            brain.kill()
            segment = sorted((brain.folder / "data/log/shard-0").glob("*.log"))[0]
            segment.rename(brain.folder / "gone")
            with self.assertRaises(RuntimeError):
                brain.start()
            code, output = self.ficus("log", "repair", "--config", str(brain.config))
            self.assertEqual(code, 0, output)
            self.assertIn("LOST: positions 0 to", output)
            brain.start()
            self.post(brain, [100])
            brain.wait_for_history("Meter", 21)
            self.assertEqual(self.sequences(brain), {*range(1, 21), 100})

    def flip(self, path, begin, end):
        content = bytearray(path.read_bytes())
        for at in range(begin, min(end, len(content))):
            content[at] ^= 0x55
        path.write_bytes(content)

    def everything(self, brain):
        return brain.sql("SELECT id, sequence, level, observedAt, source FROM Meter ORDER BY sequence")

    def test_damaged_history(self):
        """The database is set aside and made anew from the sealed files and the log; nothing is missing, nothing twice."""
        with harness.Brain("crash", config="history: {tail_rows_max: 1000}\n") as brain:
            history = brain.folder / "data/history"
            for first in (1, 1101):
                self.post(brain, range(first, first + 1100))
                brain.wait_for_history("Meter", first + 1099)
                files = first // 1100 + 1
                brain.wait_for("a sealed file", lambda n=files: len(list(history.glob("Meter/*.parquet"))) == n)
            self.post(brain, range(2201, 2301))
            brain.wait_for_history("Meter", 2300)
            before = self.everything(brain)
            self.assertEqual(len(before), 2300)
            self.assertEqual(brain.get("/health")["status"], "ok")

            for stop in (brain.kill, brain.stop):  # without a snapshot, and with one at the very end
                stop()
                self.flip(history / "history.duckdb", 4096, 40_000)
                brain.start()
                brain.wait_for_history("Meter", 2300)
                self.assertEqual(self.everything(brain), before)
                health = brain.get("/health")
                self.assertEqual(health["status"], "degraded")
                self.assertIn("history.duckdb: ", health["problems"][0]["message"])
                self.assertIn("kept as damaged/history-", health["problems"][0]["message"])
                self.assertIn("ficus_history_damage 1", brain.request("GET", "/metrics")[1].decode())
                self.assertIn("set a damaged file aside", (brain.folder / "brain.log").read_text())

            # A sealed file alone: the log gives its rows again, at once and once.
            for stop in (brain.kill, brain.stop):
                stop()
                sealed = sorted(history.glob("Meter/*.parquet"))[0]
                self.flip(sealed, sealed.stat().st_size - 60, sealed.stat().st_size)
                brain.start()
                brain.wait_for_history("Meter", 2300)
                self.assertEqual(self.everything(brain), before)
                self.assertIn(sealed.name, brain.get("/health")["problems"][0]["message"])
                brain.wait_for("the file to be whole again", lambda: brain.sql("SELECT count(*) FROM ficus_damaged") == [[0]])
                brain.wait_for("its rows to be sealed", lambda: len(list(history.glob("Meter/*.parquet"))) >= 2)

            # And together with the database.
            brain.stop()
            sealed = sorted(history.glob("Meter/*.parquet"))[0]
            self.flip(sealed, sealed.stat().st_size - 60, sealed.stat().st_size)
            (history / "history.duckdb").unlink()
            brain.start()
            brain.wait_for_history("Meter", 2300)
            self.assertEqual(self.everything(brain), before)
            self.post(brain, [5000])
            brain.wait_for_history("Meter", 2301)
            brain.stop()
            brain.start()
            self.assertEqual(brain.get("/health")["status"], "ok")
            self.assertEqual(len(self.everything(brain)), 2301)

    def test_a_file_is_damaged_while_it_runs(self):
        """A question fails on it, then it is set aside and named, and others are answered; the next start has its rows again."""
        with harness.Brain("crash", config="history: {tail_rows_max: 1000}\n") as brain:
            history = brain.folder / "data/history"
            self.post(brain, range(1, 1101))
            brain.wait_for_history("Meter", 1100)
            files = brain.wait_for("a sealed file", lambda: brain.sql("SELECT file FROM ficus_sealed WHERE type = 'Meter'"))
            sealed = history / files[0][0]
            before = self.everything(brain)
            self.flip(sealed, 4, sealed.stat().st_size // 2)

            def is_named():
                try:
                    self.everything(brain)  # fails until the file has left the view
                except RuntimeError:
                    pass
                return [p["message"] for p in brain.get("/health").get("problems", []) if sealed.name in p["message"]]

            named = brain.wait_for("the damage to be named", is_named)
            self.assertIn("its checksum is wrong, kept as damaged/", named[0])
            brain.wait_for("an answer", lambda: brain.sql("SELECT count(*) FROM ficus_damaged") == [[1]])
            self.post(brain, [5000])
            brain.kill()
            brain.start()
            brain.wait_for_history("Meter", 1101)
            self.assertEqual([row for row in self.everything(brain) if row in before], before)
            brain.wait_for("nothing to be missing", lambda: brain.sql("SELECT count(*) FROM ficus_damaged") == [[0]])

    def test_what_is_lost_is_named(self):
        """History is damaged and the log no longer reaches back to its begin: the rest is rebuilt, the loss is named."""
        with harness.Brain("crash", config="log: {segment_mib_max: 1, snapshot_mib_every: 1}\n") as brain:
            log = brain.folder / "data/log/shard-0"
            rows = 0
            while (log / "00000000000000000000.log").exists():
                self.assertLess(rows, 400_000)
                self.post(brain, range(rows + 1, rows + 10_001))
                rows += 10_000
                brain.wait_for_history("Meter", rows)
            brain.kill()
            self.flip(brain.folder / "data/history/history.duckdb", 4096, 40_000)
            brain.start()
            brain.wait_for("the rows of the log", lambda: brain.sql("SELECT max(sequence) FROM Meter") == [[rows]])
            # All behind the place where the log begins, each once.
            count, distinct, first = brain.sql("SELECT count(*), count(DISTINCT sequence), min(sequence) FROM Meter")[0]
            self.assertGreater(first, 1)
            self.assertEqual(count, distinct)
            self.assertEqual(count, rows - first + 1)
            self.assertEqual(brain.books("gateway")["received"], rows)
            health = brain.get("/health")
            self.assertEqual(health["status"], "degraded")
            messages = [problem["message"] for problem in health["problems"]]
            self.assertTrue(any("log positions 0 to" in m and "Meter" in m for m in messages), messages)
            self.assertIn("part of history is lost", (brain.folder / "brain.log").read_text())
            self.assertIn("ficus_history_damage 2", brain.request("GET", "/metrics")[1].decode())
            brain.stop()
            brain.start()
            self.assertEqual(brain.get("/health")["status"], "ok")
            self.assertEqual(brain.sql("SELECT count(*) FROM Meter"), [[count]])


if __name__ == "__main__":
    unittest.main(verbosity=2)
