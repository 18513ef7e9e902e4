"""Sources that we fetch from: another broker (a second brain) and a URL, with either side going away."""
import http.server
import json
import ssl
import threading
import time
import unittest

import paho.mqtt.client as paho

import harness
from test_tls import Authority, TlsBrain

SECRET = "s3cret-of-the-city"


class Server(http.server.BaseHTTPRequestHandler):
    """Answers what the test says, and remembers what it was asked."""
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        state = self.server.state
        with state["lock"]:
            state["asked"].append({"path": self.path, "time": time.monotonic(), **dict(self.headers)})
            status, headers, body = state["answer"]
        if status == 200 and headers.get("ETag") and self.headers.get("If-None-Match") == headers["ETag"]:
            status, body = 304, b""
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


def serve(answer, port=0):
    server = http.server.ThreadingHTTPServer(("127.0.0.1", port), Server)
    server.state = {"lock": threading.Lock(), "asked": [], "answer": answer}
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server


def meters(count, level, first=0):
    return json.dumps([{"id": f"m{i}", "t": 1_700_000_000_000 + 1000 * level, "level": level, "place": "库"}
                       for i in range(first, first + count)]).encode()


def secret_file(folder):
    path = folder / "secret"
    path.write_text(SECRET + "\n", encoding="utf-8")
    return path


class Fetching(unittest.TestCase):
    def setUp(self):
        self.remote = harness.Brain("remote")
        self.addCleanup(lambda: self.remote.__exit__(None, None, None))

    def publisher(self):
        client = paho.Client("pump", protocol=paho.MQTTv5)
        client.connect("127.0.0.1", self.remote.mqtt_port)
        client.loop_start()
        return client

    def publish(self, first, count):
        client = self.publisher()
        infos = [client.publish(f"meters/m{i % 10}/level", json.dumps({"t": 1_700_000_000_000 + i, "level": i}), qos=1)
                 for i in range(first, first + count)]
        for info in infos:
            info.wait_for_publish(20)
        client.disconnect()
        client.loop_stop()

    def brain(self, http_port=1):
        secret = secret_file(self.remote.folder)
        brain = harness.Brain("fetch", mqtt=self.remote.mqtt_port, http=http_port, secret=secret)
        self.addCleanup(lambda: brain.__exit__(None, None, None))
        return brain

    def connection(self, brain, source):
        return brain.books(source)["connection"]

    def connected(self, brain, source="remote"):
        brain.wait_for(f"{source} to be connected",
                       lambda: self.connection(brain, source)["state"] == "connected")

    def test_another_broker_with_either_side_killed(self):
        self.remote.start()
        brain = self.brain()
        brain.start()
        self.connected(brain)
        self.publish(0, 500)
        brain.wait_for("500 rows", lambda: brain.books("remote")["applied"] == 500)
        # Ours is killed in the middle of the stream: what it had not made durable comes again.
        sender = threading.Thread(target=self.publish, args=(500, 3000))
        sender.start()
        brain.wait_for("part of it", lambda: brain.books("remote")["applied"] > 600)
        brain.kill()
        sender.join()
        brain.start()
        brain.wait_for("3500 rows", lambda: brain.books("remote")["applied"] == 3500)
        # The remote is killed: we come back to it, and hear what is said then.
        self.remote.kill()
        brain.wait_for("the loss to be noticed", lambda: self.connection(brain, "remote")["state"] != "connected")
        self.assertTrue(self.connection(brain, "remote")["lastError"])
        self.remote.start()
        self.connected(brain)
        self.publish(3500, 100)
        brain.wait_for("3600 rows", lambda: brain.books("remote")["applied"] == 3600)
        books = brain.books("remote")
        harness.assert_balanced(self, books)
        brain.wait_for_history("Meter", 3600)
        self.assertEqual(brain.sql("SELECT count(*), count(DISTINCT level), max(level) FROM Meter")[0], [3600, 3600, 3599])

    def test_a_stop_in_order_loses_nothing(self):
        self.remote.start()
        brain = self.brain()
        brain.start()
        self.connected(brain)
        sender = threading.Thread(target=self.publish, args=(0, 3000))
        sender.start()
        brain.wait_for("part of it", lambda: brain.books("remote")["applied"] > 100)
        brain.stop()
        sender.join()
        brain.start()
        brain.wait_for("all of it", lambda: brain.books("remote")["applied"] == 3000)

    def test_a_reload_touches_only_what_has_changed(self):
        server = serve((200, {"Content-Type": "application/json", "ETag": '"1"'}, meters(5, 1)))
        self.addCleanup(server.server_close)
        self.addCleanup(server.shutdown)
        self.remote.start()
        brain = self.brain(server.server_port)
        sources = brain.folder / "pack" / "sources.yaml"
        brain.start()
        self.connected(brain)
        brain.wait_for("5 rows", lambda: brain.books("polled")["applied"] == 5)
        before = self.connection(brain, "remote")
        text = sources.read_text(encoding="utf-8")
        # What is made of the data changes, where it comes from does not.
        sources.write_text(text.replace("attributes: {level: $.level}", "attributes: {level: {path: $.level, max: 50}}"),
                           encoding="utf-8")
        brain.run("reload", "--url", f"http://127.0.0.1:{brain.http_port}")
        self.publish(50, 2)  # 50 and 51
        brain.wait_for("the new mapping", lambda: brain.books("remote")["quarantined"] == 1)
        after = self.connection(brain, "remote")
        self.assertEqual((after["attempts"], after["connectedAt"]), (before["attempts"], before["connectedAt"]))
        # The poll still knows what it had: it asks with the ETag, and nothing comes twice.
        asked = len(server.state["asked"])
        brain.wait_for("another request", lambda: len(server.state["asked"]) > asked)
        self.assertEqual(server.state["asked"][-1]["If-None-Match"], '"1"')
        self.assertEqual(brain.books("polled")["received"], 5)
        # Another user for the broker: a new connection.
        sources.write_text(sources.read_text(encoding="utf-8").replace("user: fetcher", "user: other"), encoding="utf-8")
        brain.run("reload", "--url", f"http://127.0.0.1:{brain.http_port}")
        brain.wait_for("a new connection", lambda: self.connection(brain, "remote")["connectedAt"] not in
                       (None, before["connectedAt"]))
        self.publish(49, 1)
        brain.wait_for("what is said on it", lambda: brain.books("remote")["applied"] == 1)
        # A mistake in one source leaves all as they are.
        before = self.connection(brain, "remote")
        sources.write_text(sources.read_text(encoding="utf-8").replace("every: 1s", "every: nonsense"), encoding="utf-8")
        with self.assertRaises(RuntimeError):
            brain.run("reload", "--url", f"http://127.0.0.1:{brain.http_port}")
        self.assertEqual(self.connection(brain, "remote"), before)

    def test_over_tls(self):
        self.remote = TlsBrain(pack="remote")
        # Other meters than the broker's: of the same ones the older values would be late.
        server = serve((200, {"Content-Type": "application/json"}, meters(5, 1, first=100)))
        server.socket = self.server_context().wrap_socket(server.socket, server_side=True)
        self.addCleanup(server.server_close)
        self.addCleanup(server.shutdown)
        self.remote.start()
        secret = secret_file(self.remote.folder)
        brain = harness.Brain("fetch", mqtt=self.remote.mqtts_port, http=server.server_port, secret=secret)
        self.addCleanup(lambda: brain.__exit__(None, None, None))
        sources = brain.folder / "pack" / "sources.yaml"
        text = sources.read_text(encoding="utf-8").replace("mqtt://", "mqtts://").replace("http://", "https://")
        wrong = Authority(brain.folder, "stranger").certificate
        sources.write_text(self.with_ca(text, wrong), encoding="utf-8")
        brain.start()
        for source in ("remote", "polled"):
            brain.wait_for("the refusal", lambda source=source: "no authority that is trusted here" in
                           self.connection(brain, source)["lastError"])
            self.assertNotEqual(self.connection(brain, source)["state"], "connected")
        self.assertEqual(brain.books("polled")["received"], 0)
        sources.write_text(self.with_ca(text, self.remote.authority.certificate), encoding="utf-8")
        brain.run("reload", "--url", f"http://127.0.0.1:{brain.http_port}")
        brain.wait_for("what the URL answers", lambda: brain.books("polled")["applied"] == 5)
        self.connected(brain)
        self.publish(0, 10)
        brain.wait_for("what the broker says", lambda: brain.books("remote")["applied"] == 10)

    def server_context(self):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.remote.certificate, self.remote.key)
        return context

    @staticmethod
    def with_ca(text, ca):
        return text.replace("      user: fetcher\n", f"      user: fetcher\n      tls: {{ca: \"{ca}\"}}\n").replace(
            "      every: 1s\n", f"      every: 1s\n      tls: {{ca: \"{ca}\"}}\n")

    def test_polling(self):
        server = serve((200, {"Content-Type": "application/json", "ETag": '"1"', "Last-Modified":
                              "Sun, 06 Nov 1994 08:49:37 GMT"}, meters(5000, 1)))
        self.addCleanup(server.server_close)
        self.addCleanup(server.shutdown)
        state = server.state
        brain = self.brain(server.server_port)
        brain.start()
        brain.wait_for("5000 rows", lambda: brain.books("polled")["applied"] == 5000)
        brain.wait_for("three requests", lambda: len(state["asked"]) >= 3)
        self.assertEqual(state["asked"][0]["path"], "/lots?all=1")
        self.assertEqual(state["asked"][0]["X-Api-Key"], SECRET)
        self.assertNotIn("If-None-Match", state["asked"][0])
        self.assertEqual(state["asked"][-1]["If-None-Match"], '"1"')
        self.assertEqual(state["asked"][-1]["If-Modified-Since"], "Sun, 06 Nov 1994 08:49:37 GMT")
        self.assertEqual(brain.books("polled")["received"], 5000)
        # The same rows under another ETag, and two new ones: what is known counts as duplicate.
        with state["lock"]:
            state["answer"] = (200, {"Content-Type": "text/csv", "ETag": '"2"'},
                               "id,t,level,place\r\nm1,1700000001000,1,库\r\nm1,1700000002000,2,库\r\nm2,x\r\n".encode())
        brain.wait_for("the new row", lambda: brain.books("polled")["applied"] == 5001)
        books = brain.books("polled")
        self.assertEqual((books["duplicate"], books["quarantined"]), (1, 1))
        harness.assert_balanced(self, books)
        # It fails: we wait as long as it says, and say why.
        with state["lock"]:
            state["answer"] = (503, {"Retry-After": "2"}, b"")
        connection = brain.wait_for("the failure", lambda: self.connection(brain, "polled")["state"] == "waiting"
                                    and self.connection(brain, "polled"))
        self.assertIn("503", connection["lastError"])
        asked = len(state["asked"])
        before = state["asked"][-1]["time"]
        brain.wait_for("the next request", lambda: len(state["asked"]) > asked)
        self.assertGreaterEqual(state["asked"][asked]["time"] - before, 1.95)
        with state["lock"]:
            state["answer"] = (302, {"Location": "/elsewhere"}, b"")
        brain.wait_for("the redirect", lambda: "/elsewhere" in self.connection(brain, "polled")["lastError"])
        log = (brain.folder / "brain.log").read_text()
        self.assertNotIn(SECRET, log)
        self.assertNotIn("all=1", log)


if __name__ == "__main__":
    unittest.main()
