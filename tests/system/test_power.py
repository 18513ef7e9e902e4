"""The power fails at random moments under the same load as in test_crash: what was not synced is gone, or half there
(power_loss.py says what the disk is taken to be), and still nothing that was acknowledged is lost or doubled.

FICUS_POWER_LOSSES=100 python3 -m unittest -v test_power     more of the same; FICUS_CRASH_SEED chooses other moments
"""
import os
import pathlib
import random
import shutil
import unittest

import harness
import power_loss
import test_crash

LOSSES = int(os.environ.get("FICUS_POWER_LOSSES", "12"))
RECORDER = pathlib.Path(os.environ.get("FICUS_POWER_RECORDER", harness.BINARY.parent / "libficus_power_recorder.so"))


class PoweredBrain(harness.Brain):
    """A brain whose writes are recorded; kill() is a power loss."""

    def __init__(self, pack, **replacements):
        super().__init__(pack, **replacements)
        self.data = self.folder / "data"
        self.before = self.folder / "before"
        self.journal = self.folder / "journal"
        self.chance = random.Random(test_crash.SEED)
        self.prefix = ["env", f"LD_PRELOAD={RECORDER}", f"FICUS_POWER_ROOT={self.data}", f"FICUS_POWER_JOURNAL={self.journal}"]
        self.bytes_at_risk = []

    def start(self, timeout=60):
        shutil.rmtree(self.before, ignore_errors=True)
        if self.data.exists():
            shutil.copytree(self.data, self.before)
        self.journal.unlink(missing_ok=True)
        super().start(timeout)

    def kill(self):
        super().kill()
        self.bytes_at_risk.append(power_loss.lose_power(self.before, self.journal, self.data, self.chance))


class Power(test_crash.Crash):
    brain_class = PoweredBrain
    outages = LOSSES
    least_acknowledged = LOSSES * 5
    books_go_forward = False  # what was not synced was not acknowledged, and may be gone

    def test_nothing_acknowledged_is_lost(self):
        super().test_nothing_acknowledged_is_lost()


class TheDisk(unittest.TestCase):
    """The model itself: it must be able to lose."""

    def setUp(self):
        self.disk = power_loss.Disk(pathlib.Path("/nonexistent"))
        for kind, handle, a, data in ((b"O", 1, power_loss.NEW, b"log"), (b"W", 1, 0, b"a" * 1024), (b"S", 1, 0, b""),
                                      (b"W", 1, 1024, b"b" * 1024), (b"O", 2, power_loss.NEW, b"other")):
            self.disk.take(kind, handle, a, data)

    def outcomes(self):
        return [self.disk.after_loss(random.Random(seed)) for seed in range(200)]

    def test_what_was_synced_is_there(self):
        for left in self.outcomes():
            self.assertEqual(left["log"][:1024], b"a" * 1024)

    def test_what_was_not_synced_may_be_gone_there_or_torn(self):
        tails = {bytes(left["log"][1024:]) for left in self.outcomes()}
        self.assertIn(b"", tails)
        self.assertIn(b"b" * 1024, tails)
        self.assertIn(bytes(512) + b"b" * 512, tails)
        self.assertEqual({"other" in left for left in self.outcomes()}, {True, False})

    def test_names_reach_the_disk_in_their_order(self):
        self.disk.take(b"R", 0, 0, b"log\0old")
        self.disk.take(b"U", 0, 0, b"other")
        for left in self.outcomes():
            if "other" not in left and "log" in left:
                self.assertNotIn("old", left)
        self.disk.take(b"S", 1, 0, b"")
        for left in self.outcomes():
            self.assertEqual(list(left), ["old"])


if __name__ == "__main__":
    unittest.main(verbosity=2)
