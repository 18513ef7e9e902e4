"""A backup of the running brain under load, kill -9, restore elsewhere: everything acknowledged before the backup began is
there, exactly once, with sessions and retained messages, and the books balance. What is no whole backup is refused."""
import json
import pathlib
import subprocess
import unittest

import paho.mqtt.client as mqtt

import harness
from test_crash import HttpMeter, MqttMeter, Subscriber


class Backup(unittest.TestCase):
    def refuse(self, *words):
        done = subprocess.run([str(harness.BINARY), *words], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=60,
                              check=False)
        self.assertEqual(done.returncode, 1, done.stdout)
        return done.stdout.decode()

    def check_meters(self, brain, before):
        """Each meter's rows are whole up to what was acknowledged before the backup, and none is twice."""
        for name, acknowledged in before.items():
            found = brain.sql(f"SELECT count(*), count(DISTINCT sequence), count(*) FILTER (sequence <= {acknowledged}) "
                              f"FROM Meter WHERE id = 'urn:ngsi-ld:Meter:{name}'")[0]
            rows, different, early = (int(float(value)) for value in found)
            self.assertEqual(rows, different, f"{name}: rows twice")
            self.assertEqual(early, acknowledged, f"{name}: rows lost")

    def test_backup_kill_restore(self):
        small = "log: {segment_mib_max: 1, snapshot_mib_every: 1}\nhistory: {tail_rows_max: 3000}\n"
        with harness.Brain("crash", config=small) as brain:
            subscriber = Subscriber(brain.mqtt_port)
            brain.wait_for("the subscription", lambda: subscriber.sessions, 10)
            publisher = mqtt.Client(client_id="marks", clean_session=True)
            publisher.connect("127.0.0.1", brain.mqtt_port)
            publisher.loop_start()
            for i in range(20):
                publisher.publish(f"mark/{i}", f"kept {i}", qos=1, retain=True).wait_for_publish(5)
            publisher.loop_stop()
            publisher.disconnect()
            subscriber.stop()  # its session stays
            meters = [MqttMeter(brain, "m0"), HttpMeter(brain, "h0")]
            for meter in meters:
                meter.start()
            brain.wait_for("acknowledgements", lambda: all(len(meter.acknowledged) > 1500 for meter in meters))
            brain.wait_for("a sealed file", lambda: list((brain.folder / "data/history/Meter").glob("*.parquet")))
            # What is acknowledged by now, without a hole, must be in the backup.
            before = {}
            for meter in meters:
                acknowledged = set(meter.acknowledged)
                before[meter.name_] = next(n for n in range(1, meter.number + 2) if n not in acknowledged) - 1
            copy = brain.folder / "copy"
            output = brain.run("backup", str(copy), "--url", f"http://127.0.0.1:{brain.http_port}")
            self.assertIn("is a whole backup", output)
            self.assertIn("not empty", self.refuse("backup", str(copy), "--url", f"http://127.0.0.1:{brain.http_port}"))
            brain.kill()
            for meter in meters:
                meter.running = False
                meter.unacknowledged.clear()
            self.assertIn("sound", brain.run("restore", str(copy), "--check"))
            self.assertIn("not empty", self.refuse("restore", str(copy), "--into", str(brain.folder / "data")))
            restored = brain.folder / "restored"
            brain.run("restore", str(copy), "--into", str(restored))
            brain.config.write_text(brain.config.read_text().replace(f"{brain.folder}/data", str(restored)))
            brain.start()
            brain.wait_for("history", lambda: int(brain.sql("SELECT count(*) FROM Meter")[0][0]) >= sum(before.values()))
            self.check_meters(brain, before)
            for name in ("meters", "gateway"):
                harness.assert_balanced(self, brain.books(name))
            self.assertGreaterEqual(sum(brain.books(name)["received"] for name in ("meters", "gateway")),
                                    sum(before.values()))
            heard = []
            again = mqtt.Client(client_id="archive", clean_session=False)
            sessions = []
            again.on_connect = lambda _c, _d, flags, _r: sessions.append(flags["session present"])
            again.on_message = lambda _c, _d, m: heard.append(m.topic)
            again.connect("127.0.0.1", brain.mqtt_port)
            again.loop_start()
            brain.wait_for("queued messages", lambda: "meter/m0" in heard, 10)
            again.subscribe("mark/#", qos=1)
            brain.wait_for("retained messages", lambda: sum(t.startswith("mark/") for t in heard) >= 20, 10)
            again.loop_stop()
            again.disconnect()
            self.assertEqual(sessions[0], 1, "the session was kept")
            self.spoil(brain, copy)
            # The restored brain works on.
            self.assertEqual(brain.request("POST", "/ingest/gateway", json.dumps(
                {"meter": "late", "n": 1, "t": 1_700_000_000_000_000, "level": 1}))[0], 200)

    def spoil(self, brain, copy):
        """A byte changed, and a backup that did not end."""
        target = str(brain.folder / "never")
        victim = sorted(pathlib.Path(copy).glob("log/shard-0/*"))[0]
        content = victim.read_bytes()
        victim.unlink()  # it may be another name of a file of the brain
        victim.write_bytes(content[:-7] + bytes([content[-7] ^ 1]) + content[-6:])
        self.assertIn("damaged", self.refuse("restore", str(copy), "--check"))
        self.assertIn("damaged", self.refuse("restore", str(copy), "--into", target))
        (copy / "backup.json").unlink()
        self.assertIn("no whole backup", self.refuse("restore", str(copy), "--into", target))
        self.assertFalse(pathlib.Path(target).exists())


if __name__ == "__main__":
    unittest.main(verbosity=2)
