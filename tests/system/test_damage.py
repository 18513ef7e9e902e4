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


if __name__ == "__main__":
    unittest.main(verbosity=2)
