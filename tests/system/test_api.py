"""Entities, alerts and errors over HTTP, and the page's files."""
import json
import time
import unittest

import harness


class Api(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.brain = harness.Brain("crash")
        cls.brain.start()
        cls.now = int(time.time() * 1e6)
        rows = [{"meter": f"e{i}", "n": i, "t": cls.now + i, "level": i} for i in range(100)]
        status, _ = cls.brain.request("POST", "/ingest/gateway", json.dumps(rows), {"Content-Type": "application/json"})
        assert status == 200

    @classmethod
    def tearDownClass(cls):
        cls.brain.stop()

    def test_entities(self):
        found = self.brain.get("/entities?type=Meter&q=level>=50;level<60&orderBy=-level&options=keyValues&limit=3")
        self.assertEqual([e["level"] for e in found], [59, 58, 57])
        one = self.brain.get("/entities/" + harness.quote("urn:ngsi-ld:Meter:e7"))
        self.assertEqual(one["level"]["value"], 7)
        self.assertEqual(one["level"]["type"], "Property")
        page = self.brain.get("/entities?type=Meter&orderBy=id&limit=10&offset=95&options=keyValues")
        self.assertEqual(len(page), 5)

    def test_errors_say_what_was_expected(self):
        for target, status, text in (("/entities?type=Nothing", 404, "Nothing"), ("/entities?type=Meter&q=lvl>3", 400, "lvl"),
                                     ("/entities?bbox=1,2,3", 400, "west,south,east,north"),
                                     ("/entities?limit=many", 400, "limit"), ("/entities/urn:x", 404, "urn:x"),
                                     ("/nothing", 404, "/nothing")):
            got, body = self.brain.request("GET", target)
            self.assertEqual(got, status, target)
            self.assertIn(text, json.loads(body)["error"]["message"], target)

    def test_life_of_an_alert(self):
        self.brain.post("/ingest/gateway", {"meter": "hot", "n": 1, "t": self.now, "level": 99})
        alert = self.brain.get("/alerts?state=open&limit=1000")["alerts"]
        alert = [a for a in alert if a["alertSource"] == "urn:ngsi-ld:Meter:hot"][0]
        self.assertEqual((alert["status"], alert["description"]), ("raised", "level 99.0"))
        where = "/alerts/" + harness.quote(alert["id"])
        self.assertEqual(self.brain.post(where + "/acknowledge", {"by": "王芳"})["status"], "acknowledged")
        self.brain.post(where + "/acknowledge", {"by": "x"}, expect=409)
        self.brain.post(where + "/acknowledge", {}, expect=400)
        done = self.brain.post(where + "/assign", {"to": "市水务局", "by": "王芳"})
        self.assertEqual((done["status"], done["assignedTo"], done["acknowledgedBy"]), ("assigned", "市水务局", "王芳"))
        self.brain.post("/ingest/gateway", {"meter": "hot", "n": 2, "t": self.now + 1000, "level": 1})
        self.brain.wait_for("the alert to clear", lambda: self.brain.get(where + "?options=keyValues")["status"] == "cleared", 5)
        self.assertEqual(self.brain.post(where + "/close", {"by": "王芳"})["status"], "closed")
        self.brain.wait_for("its history", lambda: self.brain.sql(
            f"SELECT count(*) FROM Alert WHERE id = '{alert['id']}'")[0][0] == 5, 5)

    def test_series(self):
        target = "/entities/" + harness.quote("urn:ngsi-ld:Meter:e9") + "/history?attributes=level&from=2020-01-01T00:00:00Z"
        self.brain.wait_for("the reading", lambda: self.brain.get(target)["rows"], 5)
        self.assertEqual(self.brain.get(target)["columns"], ["observedAt", "level"])

    def test_page_and_metrics(self):
        status, body = self.brain.request("GET", "/")
        self.assertEqual(status, 200)
        self.assertIn(b"<html", body)
        status, body = self.brain.request("GET", "/metrics")
        text = body.decode()
        self.assertIn('ficus_items_received_total{source="gateway"}', text)
        self.assertIn('ficus_books_balanced{source="gateway"} 1', text)
        for line in text.splitlines():
            self.assertTrue(line.startswith("#") or len(line.rsplit(" ", 1)) == 2, line)


class StartAndStop(unittest.TestCase):
    def test_two_processes_cannot_share_data(self):
        with harness.Brain("crash") as brain:
            with self.assertRaisesRegex(RuntimeError, "in use by another ficus process"):
                brain.run("serve", "--config", str(brain.config), timeout=10)

    def test_mistakes_are_named(self):
        brain = harness.Brain("crash", config="twin: {entities_mx: 5}\n")
        with self.assertRaisesRegex(RuntimeError, "entities_max"):
            brain.run("check", "--config", str(brain.config))
        (brain.folder / "pack/rules.sql").write_text("CREATE RULE r AS INSERT INTO Alert (category) SELECT 'x' FROM Meter WHERE levle > 3;")
        brain.config.write_text(brain.config.read_text().replace("entities_mx", "entities_max"))
        with self.assertRaisesRegex(RuntimeError, r"rules.sql:1:\d+: .*level"):
            brain.run("check", "--config", str(brain.config))

    def test_several_shards(self):
        with harness.Brain("crash", config="shards: 2\n") as brain:
            now = int(time.time() * 1e6)
            rows = [{"meter": f"s{i}", "n": i, "t": now + i, "level": 95} for i in range(200)]
            brain.post("/ingest/gateway", rows)
            self.assertEqual(len(brain.get("/entities?type=Meter&limit=1000&options=keyValues")), 200)
            self.assertEqual(brain.get("/alerts?limit=1000")["total"], 200)
            harness.assert_balanced(self, brain.books("gateway"))
            brain.kill()
            brain.start()
            self.assertEqual(brain.get("/alerts?limit=1000")["total"], 200)
            brain.wait_for_history("Meter", 200)


if __name__ == "__main__":
    unittest.main(verbosity=2)
