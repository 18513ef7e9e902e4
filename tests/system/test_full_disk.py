"""A full disk: new data is refused with the reason, questions are answered, and when there is room again it goes on by
itself; nothing that was acknowledged is lost, and the books balance."""
import http.client
import json
import threading
import time
import unittest

import harness
import small_disk
from test_crash import MqttMeter

SMALL = ("log: {disk_reserve_mib: 8, segment_mib_max: 1, snapshot_mib_every: 2}\n"
         "history: {memory_mib_max: 128}\n")


class HttpMeter(threading.Thread):
    """Posts numbered readings; keeps what was acknowledged, and what was refused by its status."""

    def __init__(self, brain, name):
        super().__init__(daemon=True)
        self.brain = brain
        self.name_ = name
        self.running = True
        self.acknowledged = set()
        self.refused = {}
        self.last_refusal = None

    def run(self):
        number = 0
        while self.running:
            numbers = range(number + 1, number + 51)
            lines = "\n".join(json.dumps({"meter": self.name_, "n": n, "t": 1_700_000_000_000_000 + n * 1000, "level": 5})
                              for n in numbers) + "\n"
            try:
                status, body = self.brain.request("POST", "/ingest/gateway", lines,
                                                  {"Content-Type": "application/x-ndjson"}, timeout=10)
            except (OSError, http.client.HTTPException):
                time.sleep(0.05)
                continue
            if status == 200:
                self.acknowledged.update(numbers)
                number += 50
                time.sleep(0.01)
            else:
                self.refused[status] = self.refused.get(status, 0) + 1
                self.last_refusal = json.loads(body)
                time.sleep(0.02)


class FullDisk(unittest.TestCase):
    def check_all_there(self, brain, meter):
        wanted = len(meter.acknowledged)
        self.assertEqual(meter.acknowledged, set(range(1, wanted + 1)))
        brain.wait_for(f"what {meter.name_} sent", lambda: int(brain.sql(
            "SELECT count(DISTINCT sequence) FROM Meter WHERE "
            f"id = 'urn:ngsi-ld:Meter:{meter.name_}' AND sequence <= {wanted}")[0][0]) == wanted)

    def test_refuses_answers_and_recovers(self):
        with small_disk.SmallDiskBrain("crash", 96, config=SMALL) as brain:
            meter = HttpMeter(brain, "h0")
            publisher = MqttMeter(brain, "m0")
            meter.start()
            publisher.start()
            brain.wait_for("acknowledgements", lambda: len(meter.acknowledged) > 500 and len(publisher.acknowledged) > 100)
            brain.fill(leave_kib=4096)  # half of the reserve
            brain.wait_for("a refusal", lambda: meter.refused.get(507), 20)
            self.assertEqual(meter.last_refusal["error"]["code"], "disk_full")
            self.assertIn("disk_reserve_mib", meter.last_refusal["error"]["message"])
            # Questions are answered all the same.
            health = brain.get("/health")
            self.assertEqual(health["status"], "degraded")
            self.assertFalse(health["disk"]["takesNewData"])
            self.assertEqual(health["problems"][0]["code"], "disk_full")
            self.assertIn("ficus_takes_new_data 0", brain.request("GET", "/metrics")[1].decode())
            self.assertEqual(brain.get("/entities?type=Meter&limit=10")[0]["type"], "Meter")
            self.assertGreaterEqual(int(brain.sql("SELECT count(*) FROM Meter")[0][0]), 0)
            acknowledged = len(meter.acknowledged), len(publisher.acknowledged)
            time.sleep(1)
            self.assertLess(len(meter.acknowledged) - acknowledged[0], 100, "acknowledged on a full disk")
            brain.free()
            brain.wait_for("acknowledgements again", lambda: len(meter.acknowledged) > acknowledged[0] + 500
                           and len(publisher.acknowledged) > acknowledged[1] + 50, 30)
            for each in (meter, publisher):
                each.running = False
            for each in (meter, publisher):
                each.join(30)
                self.assertFalse(each.is_alive())
            self.check_all_there(brain, meter)
            self.check_all_there(brain, publisher)
            for name in ("meters", "gateway"):
                harness.assert_balanced(self, brain.books(name))
            self.assertEqual(brain.get("/health")["status"], "ok")
            log = (brain.folder / "brain.log").read_text()
            self.assertEqual(log.count("new data is refused"), 1, "said once")
            self.assertIn("new data is taken again", log)
            self.assertIn("free_bytes=", log)

    def test_no_byte_left_and_killed(self):
        """The filler takes the reserve, too: what is in flight waits, a kill loses nothing that was acknowledged."""
        with small_disk.SmallDiskBrain("crash", 64, config=SMALL) as brain:
            meter = HttpMeter(brain, "h0")
            meter.start()
            brain.wait_for("acknowledgements", lambda: len(meter.acknowledged) > 500)
            brain.fill()
            brain.wait_for("a refusal", lambda: meter.refused.get(507), 20)
            self.assertEqual(brain.get("/health")["status"], "degraded")
            brain.get("/entities?type=Meter&limit=10")
            brain.kill()
            brain.free()
            before = len(meter.acknowledged)
            brain.start()
            brain.wait_for("acknowledgements again", lambda: len(meter.acknowledged) > before + 500, 30)
            meter.running = False
            meter.join(30)
            self.check_all_there(brain, meter)
            harness.assert_balanced(self, brain.books("gateway"))


if __name__ == "__main__":
    unittest.main(verbosity=2)
