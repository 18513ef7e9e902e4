"""What could not be mapped: listed, shown, replayed once the mapping is mended, dropped; decisions survive kill -9."""
import json
import unittest

import harness

WRONG = """sources:
  - name: stations
    http: {parameters: [city]}
    map:
      items: $.stations[*].readings[*]
      type: Meter
      id: "urn:ngsi-ld:Meter:{city}:{^.code}:{$.n}"
      observed_at: {path: $.t, format: unix_s}
      attributes: {level: {path: $.level, kind: number}}
"""
MENDED = WRONG.replace("kind: number}", "kind: number, enum: {none: 0}}")


class Quarantine(unittest.TestCase):
    def setUp(self):
        self.brain = harness.Brain("remote")
        self.addCleanup(lambda: self.brain.__exit__(None, None, None))
        self.declare(WRONG)
        self.brain.start()

    def declare(self, sources):
        (self.brain.folder / "pack/sources.yaml").write_text(sources, encoding="utf-8")

    def run_command(self, *words):
        return self.brain.run("quarantine", *words, "--url", f"http://127.0.0.1:{self.brain.http_port}")

    def items(self, state="open"):
        return self.brain.get(f"/quarantine?state={state}")["items"]

    def send(self, level="none", moment=1_700_000_000):
        body = {"stations": [{"code": "s1", "name": "东", "readings": [
            {"n": 1, "t": moment, "level": 3}, {"n": 2, "t": moment, "level": level}]}]}
        self.brain.request("POST", "/ingest/stations?city=fz", json.dumps(body), {"Content-Type": "application/json"})

    def test_replay_after_mending_and_drop(self):
        brain = self.brain
        for i in range(3):
            self.send(moment=1_700_000_000 + i)
        self.send(level="broken", moment=1_700_000_009)
        brain.wait_for("four items", lambda: len(self.items()) == 4)
        listed = self.run_command("list", "--source", "stations", "--reason", "none")
        self.assertIn("3 items", listed)
        self.assertIn("$.level: expected a number", listed)
        first = [item for item in self.items() if '"none"' in item["reason"]][0]
        shown = self.run_command("show", first["id"])
        self.assertIn('{"stations":[{"code":"s1","name":"东","readings":[{"n":2', shown)
        # Not mended yet: it stays where it is, and nothing is counted.
        with self.assertRaises(RuntimeError) as failed:
            self.run_command("replay", first["id"])
        self.assertIn("expected a number", str(failed.exception))
        self.assertEqual(brain.books("stations")["received"], 8)
        brain.stop()
        self.declare(MENDED)
        brain.start()
        self.assertIn("3 of 3 replayed", self.run_command("replay", "--source", "stations", "--reason", "none"))
        books = brain.books("stations")
        harness.assert_balanced(self, books)
        self.assertEqual((books["received"], books["applied"], books["quarantined"]), (11, 7, 4))
        entity = brain.get("/entities/" + harness.quote("urn:ngsi-ld:Meter:fz:s1:2"))
        self.assertEqual(entity["type"], "Meter")
        # Not twice, neither now nor after a kill.
        for _ in range(2):
            status, body = brain.request("POST", f"/quarantine/{first['id']}/replay", '{"by": "me"}')
            self.assertEqual(status, 409, body)
            self.assertIn("replayed already", body.decode())
            brain.kill()
            brain.start()
        brain.wait_for("one left", lambda: len(self.items()) == 1)
        left = self.items()[0]
        self.assertIn("1 of 1 dropped", self.run_command("drop", left["id"], "--by", "李"))
        brain.wait_for("none left", lambda: not self.items())
        dropped = self.items("dropped")
        self.assertEqual([(item["id"], item["by"]) for item in dropped], [(left["id"], "李")])
        self.assertEqual(len(self.items("replayed")), 3)
        self.assertEqual(brain.books("stations")["received"], 11)

    def test_what_is_asked_wrongly_is_refused(self):
        brain = self.brain
        for target, status in (("/quarantine?state=x", 400), ("/quarantine?since=x", 400), ("/quarantine?limit=x", 400),
                               ("/quarantine/1-000000000000", 404), ("/quarantine/x'y", 404)):
            self.assertEqual(brain.request("GET", harness.urllib.parse.quote(target, safe="/?="))[0], status, target)
        self.assertEqual(self.items(), [])
        for target, body, status in (("/quarantine/1-000000000000/replay", '{"by":"x"}', 404),
                                     ("/quarantine/1-000000000000/replay", "{}", 400),
                                     ("/quarantine/1-000000000000/eat", '{"by":"x"}', 404),
                                     ("/quarantine/1-000000000000/drop", "no json", 400)):
            self.assertEqual(brain.request("POST", target, body)[0], status, (target, body))
        # A source's name and a reason are texts, whatever is in them.
        self.assertEqual(brain.get("/quarantine?source=" + harness.quote("x' OR 'a'='a"))["items"], [])


if __name__ == "__main__":
    unittest.main()
