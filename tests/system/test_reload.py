"""A reload while everything runs: by signal, by HTTP and by command; nothing lost, all or nothing, the same after kill -9."""
import json
import re
import signal
import socket
import threading
import time
import unittest

import harness

START = 1_790_000_000


class Reload(unittest.TestCase):
    def open(self, **more):
        self.ais_port = harness.free_port(socket.SOCK_DGRAM)
        brain = harness.Brain("reload", ais_port=self.ais_port, **more)
        brain.start()
        self.addCleanup(brain.__exit__, None, None, None)
        return brain

    def edit(self, brain, name, change):
        path = brain.folder / "pack" / name
        path.write_text(change(path.read_text(encoding="utf-8")), encoding="utf-8")

    def send(self, brain, tram, second, speed, lon=119.5, source="trams"):
        brain.post(f"/ingest/{source}", {"id": tram, "t": START + second, "speed": speed, "lon": lon, "lat": 26.1})

    def alerts(self, brain):
        """Rule and tram of every alert, with its state."""
        found = brain.get("/entities?type=Alert&limit=1000")
        return sorted((a["rule"]["value"], a["alertSource"]["object"].split(":")[-1], a["status"]["value"],
                       a.get("clearedBecause", {}).get("value")) for a in found)

    def configuration(self, brain):
        return brain.get("/entities/urn:ngsi-ld:Configuration:packs")["fingerprint"]["value"]

    def test_rules_zones_and_mappings_change_and_the_rest_stays(self):
        brain = self.open()
        before = self.configuration(brain)
        self.send(brain, "1", 0, 70)
        self.send(brain, "2", 0, 50)
        self.send(brain, "3", 0, 20, lon=119.1)
        self.assertEqual([a[:3] for a in self.alerts(brain)], [("fast", "1", "raised"), ("in_depot", "3", "raised")])
        # The limit of one rule, the zone of another; long_fast goes on counting from second 0.
        self.edit(brain, "rules.sql", lambda text: text.replace("> 60", "> 45"))
        self.edit(brain, "zones.geojson", lambda text: text.replace("119.2", "119.05"))
        # Another name for the same reading, a source more.
        self.edit(brain, "sources.yaml", lambda text: text.replace("speed: {path: $.speed}", "speed: {path: $.v}", 1)
                  + text.partition("  - name: broadcast")[0].replace("sources:\n", "").replace("trams", "night"))
        answer = brain.post("/admin/reload", {})
        self.assertEqual(answer["rules"], {"added": [], "changed": ["fast", "in_depot"], "removed": [], "kept": 1})
        self.assertEqual(answer["sources"], {"added": ["night"], "removed": []})
        self.assertNotEqual(self.configuration(brain), before)
        brain.post("/ingest/trams", {"id": "2", "t": START + 100, "v": 50, "lon": 119.5, "lat": 26.1})
        self.send(brain, "3", 100, 20, lon=119.1, source="night")
        self.assertEqual([a[:3] for a in self.alerts(brain)],
                         [("fast", "1", "raised"), ("fast", "2", "raised"), ("in_depot", "3", "cleared"),
                          ("long_fast", "2", "raised")])
        self.assertEqual(brain.post("/admin/reload", {})["changed"], False)
        # A rule is gone: its alerts are cleared and say why.
        self.edit(brain, "rules.sql", lambda text: text[text.index("CREATE RULE long_fast"):])
        self.assertEqual(brain.run("reload", "--url", f"http://127.0.0.1:{brain.http_port}").count('"removed":["fast"]'), 1)
        self.assertIn(("fast", "1", "cleared", "rule_removed"), self.alerts(brain))
        brain.wait_for("history of the configuration", lambda: brain.sql(
            "SELECT count(DISTINCT fingerprint) FROM Configuration") == [[3]])
        for source in ("trams", "night"):
            harness.assert_balanced(self, brain.books(source))

    def test_any_mistake_changes_nothing(self):
        brain = self.open()
        self.send(brain, "1", 0, 70)
        before = (self.alerts(brain), brain.get("/rules"), brain.get("/types"), self.configuration(brain))
        self.edit(brain, "types.yaml", lambda text: text + "  Ferry:\n    attributes:\n      draught: {kind: number}\n")
        self.edit(brain, "rules.sql", lambda text: text.replace("speed > 60", "sped > 60").replace("'depot'", "'pot'"))
        status, body = brain.request("POST", "/admin/reload")
        self.assertEqual(status, 422)
        message = json.loads(body)["error"]["message"]
        self.assertRegex(message, r"rules.sql:2:\d+: unknown attribute 'sped'")
        self.assertRegex(message, r"rules.sql:8:\d+: unknown zone 'pot'")
        self.edit(brain, "sources.yaml", lambda text: text.replace("attributes:", "atributes:", 1))
        self.edit(brain, "zones.geojson", lambda text: text.replace('"Polygon"', '"Point"'))
        message = json.loads(brain.request("POST", "/admin/reload")[1])["error"]["message"]
        self.assertIn("unknown key 'atributes'", message)
        self.assertIn("zones.geojson", message)
        after = (self.alerts(brain), brain.get("/rules"), brain.get("/types"), self.configuration(brain))
        self.assertEqual(after, before)
        brain.log.flush()
        self.assertIn("nothing was changed", (brain.folder / "brain.log").read_text(encoding="utf-8"))

    def test_connectors_of_changed_sources_only(self):
        brain = self.open()
        def say(port):
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
                s.sendto(b"!AIVDM,1,1,,A,13u?etPv2;0n:dDPwUM1U1Cb069D,0*23\r\n", ("127.0.0.1", port))

        def listen_on(port):
            self.edit(brain, "sources.yaml", lambda text: re.sub(r"udp://127.0.0.1:\d+", f"udp://127.0.0.1:{port}", text))

        def lines():
            text = brain.request("GET", "/metrics")[1].decode()
            return [int(line.split()[-1]) for line in text.splitlines() if line.startswith("ficus_ais_lines_total{")]

        say(self.ais_port)
        brain.wait_for("a line", lambda: lines() == [1])
        self.edit(brain, "rules.sql", lambda text: text.replace("> 60", "> 61"))
        brain.post("/admin/reload", {})
        say(self.ais_port)
        brain.wait_for("the same connector", lambda: lines() == [2])
        # A port that is taken: nothing changes, the old one still hears.
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
            taken.bind(("127.0.0.1", 0))
            listen_on(taken.getsockname()[1])
            status, body = brain.request("POST", "/admin/reload")
            self.assertNotEqual(status, 200, body)
        say(self.ais_port)
        brain.wait_for("the old port again", lambda: lines() == [1])
        port = harness.free_port(socket.SOCK_DGRAM)
        listen_on(port)
        brain.post("/admin/reload", {})
        say(port)
        brain.wait_for("the new port", lambda: lines() == [1])
        self.edit(brain, "sources.yaml", lambda t: t[:t.index("  - name: receiver")])
        brain.post("/admin/reload", {})
        self.assertEqual(lines(), [])
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as again:
            again.bind(("127.0.0.1", port))  # given up

    def test_no_message_is_lost_while_reloading(self):
        brain = self.open(config="shards: 2\n")
        stop = threading.Event()
        sent = [0, 0]

        def sender(number):
            second = 0
            while not stop.is_set():
                second += 1
                lines = "".join(json.dumps({"id": f"{number}-{i}", "t": START + second, "speed": 50, "lon": 119.5, "lat": 26})
                                + "\n" for i in range(50))
                status, body = brain.request("POST", "/ingest/trams", lines, {"Content-Type": "application/x-ndjson"})
                assert status == 200, body
                sent[number] += 50

        threads = [threading.Thread(target=sender, args=(n,)) for n in range(2)]
        for thread in threads:
            thread.start()
        for i in range(10):
            self.edit(brain, "rules.sql", lambda text: text.replace("> 60", "> 6") if i % 2 == 0 else text.replace("> 6;", "> 60;"))
            if i < 5:
                brain.post("/admin/reload", {})
            else:
                brain.process.send_signal(signal.SIGHUP)
            time.sleep(0.1)
        stop.set()
        for thread in threads:
            thread.join()
        books = brain.books("trams")
        harness.assert_balanced(self, books)
        self.assertEqual(books["received"], sum(sent))
        self.assertEqual(books["applied"], sum(sent))
        brain.wait_for_history("Tram", sum(sent))

    def run_story(self, kill):
        """A stream with a reload in the middle; `kill`: with kill -9 before and behind it, and once with new files."""
        brain = self.open(config="shards: 2\n")

        def pause():
            if kill:
                brain.kill()
                brain.start()

        for second in range(0, 150, 25):
            for tram in range(6):
                self.send(brain, str(tram), second, [70, 35, 20, 50, 65, 32][tram] + second // 25, lon=119.0 + tram / 10)
            if second == 25:
                pause()
            if second == 50:
                self.edit(brain, "rules.sql", lambda text: text.replace("> 60", "> 40")
                          + "CREATE RULE slow AS INSERT INTO Alert (severity) SELECT 'low' FROM Tram WHERE speed < 25;\n")
                self.edit(brain, "zones.geojson", lambda text: text.replace("119.2", "119.35"))
                brain.post("/admin/reload", {})
                pause()
            if second == 75:
                pause()
            if second == 100:
                # Other rules at a start: the same as a reload.
                self.edit(brain, "rules.sql", lambda text: text[text.index("CREATE RULE long_fast"):])
                if kill:
                    pause()
                else:
                    brain.post("/admin/reload", {})
        return self.alerts(brain)

    def test_the_same_alerts_with_and_without_kill(self):
        quiet = self.run_story(kill=False)
        self.assertEqual(self.run_story(kill=True), quiet)
        self.assertEqual({a[0] for a in quiet}, {"fast", "long_fast", "in_depot", "slow"})
        # It was counting through the reload, and through four kills.
        self.assertIn("raised", {a[2] for a in quiet if a[0] == "long_fast"})
        self.assertEqual({a[2:] for a in quiet if a[0] == "fast"}, {("cleared", "rule_removed")})


if __name__ == "__main__":
    unittest.main()
