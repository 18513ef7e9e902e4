"""Attacks with a name on every port: each ends in a clear refusal that is counted, at a bounded cost, and others are served meanwhile.
What can be read in two ways, is too long or leads elsewhere is in test_doors; fuzzed sessions are in tests/hostile."""
import errno
import json
import multiprocessing
import os
import pathlib
import select
import socket
import struct
import subprocess
import sys
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "hostile"))
from probes import Probes  # noqa: E402  pylint: disable=wrong-import-position
from server import Server  # noqa: E402  pylint: disable=wrong-import-position

IP_BIND_ADDRESS_NO_PORT = 24  # ip(7); Python 3.12 has a name for it
STORM_SECONDS = float(os.environ.get("FICUS_STORM_SECONDS", "3"))
UPGRADE = (b"GET /mqtt HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
           b"Sec-WebSocket-Protocol: mqtt\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n")
CONNECT = b"\x10\xff\x01\x00\x04MQTT\x04\x02\x00\x00\x00\xf3" + b"x" * 0xf3
HELLO = b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"r" * 500


def connect(port, source=("", 0)):
    return socket.create_connection(("127.0.0.1", port), timeout=30, source_address=source)


def is_closed(connection):
    """Whether the other side has ended it; what it says before is read."""
    try:
        while select.select([connection], [], [], 0)[0]:
            if not connection.recv(65536):
                return True
    except ConnectionError:
        return True
    return False


def storm(ports, number, seconds, opened):
    """As many connections as one process can make: opened and closed, closed by half, reset, and left with half a message."""
    end = time.monotonic() + seconds
    # Resolved once: what the attacker's own processor does for each connection is what limits the storm.
    targets, sources = [("127.0.0.1", port) for port in ports], [(f"127.0.{number + 1}.{last}", 0) for last in range(1, 201)]
    half_closed, count = [], 0
    while time.monotonic() < end:
        one = socket.socket()
        try:
            # The port is chosen when both ends are known, so that 200 addresses are 200 times as many ports.
            one.setsockopt(socket.IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, 1)
            one.bind(sources[count % len(sources)])
            one.connect(targets[count % len(targets)])
        except OSError as problem:
            one.close()
            if problem.errno not in (errno.EADDRNOTAVAIL, errno.EADDRINUSE, errno.ECONNREFUSED, errno.ECONNRESET):
                raise
            continue
        count += 1
        try:
            how = count // len(ports) % 4
            if how == 0:
                one.close()
            elif how == 1:
                one.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                one.close()
            elif how == 2:
                one.shutdown(socket.SHUT_WR)
                half_closed.append(one)
            else:
                one.sendall(b"\x10\x16\x03")
                one.close()
        except OSError:
            pass
        if len(half_closed) > 200:
            half_closed.pop(0).close()
    for one in half_closed:
        one.close()
    with opened.get_lock():
        opened.value += count


class Hostile(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.brain = Server()
        cls.brain.start(timeout=120)

    @classmethod
    def tearDownClass(cls):
        cls.brain.__exit__(None, None, None)

    def total(self, name):
        """A figure, of all labels if none are given."""
        return sum(value for key, value in self.brain.metrics().items() if key == name or key.startswith(name + "{"))

    def test_slow_loris(self):
        """Whoever sends one byte at a time has ten seconds in all for what must come first, on every port."""
        brain, each = self.brain, 20
        counters = {"http": 'ficus_http_ended_total{port="http",cause="slow_header"}', "mqtt": 'ficus_mqtt_ended_total{cause="slow_connect"}',
                    "tls": "ficus_tls_refused_total"}
        before = {name: self.total(counter) for name, counter in counters.items()}
        # Each: the port, what comes whole, what comes byte by byte.
        slow = {"header": (brain.http_port, b"", UPGRADE * 3), "CONNECT": (brain.mqtt_port, b"", CONNECT),
                "CONNECT in a WebSocket": (brain.http_port, UPGRADE + b"\r\n\x82\xfe\x01\x00\0\0\0\0", CONNECT),
                "handshake of HTTPS": (brain.https_port, b"", HELLO), "handshake of MQTTS": (brain.mqtts_port, b"", HELLO)}
        open_now = []
        for what, (port, whole, trickle) in slow.items():
            for _ in range(each):
                one = connect(port)
                one.sendall(whole)
                open_now.append((what, one, trickle))
        listeners = [connect(brain.ais_port) for _ in range(each)]  # a receiver of AIS may be silent: it costs its place
        sent, end = 0, time.monotonic() + 120
        while open_now and time.monotonic() < end:
            still = []
            for what, one, trickle in open_now:
                try:
                    one.sendall(trickle[sent:sent + 1])
                except ConnectionError:
                    continue
                if is_closed(one):
                    one.close()
                else:
                    still.append((what, one, trickle))
            open_now, sent = still, sent + 1
            self.assertIn(brain.get("/health")["status"], ("ok", "degraded"))
            for one in listeners:
                one.sendall(b"!")
            time.sleep(0.3)
        self.assertEqual([what for what, *_ in open_now], [])
        after = {name: self.total(counter) for name, counter in counters.items()}
        self.assertEqual({name: after[name] - before[name] for name in counters}, {"http": each, "mqtt": 2 * each, "tls": 2 * each})
        self.assertGreaterEqual(self.total("ficus_ais_connections"), each)
        for one in listeners:
            one.close()
        brain.wait_for("the receivers to be gone", lambda: self.total("ficus_ais_connections") == 0)

    def test_storm_of_connections(self):
        brain = self.brain
        files, resident = brain.open_files(), brain.resident_mib()
        ports = [brain.http_port, brain.https_port, brain.mqtt_port, brain.mqtts_port, brain.ais_port]
        opened = multiprocessing.Value("L", 0)
        attackers = [multiprocessing.Process(target=storm, args=(ports, number, STORM_SECONDS, opened)) for number in range(2)]
        probes = Probes(brain, 60)
        for one in attackers:
            one.start()
        begin = time.monotonic()
        try:
            while any(one.is_alive() for one in attackers):
                probes.round()
                self.assertEqual(probes.problems, [])
        finally:
            for one in attackers:
                one.join()
        pace = opened.value / (time.monotonic() - begin)
        probes.round()
        self.assertEqual(probes.problems, [])
        probes.stopped.set()
        for client in probes.clients.values():
            client.link.close()
        print(f"{opened.value} connections, {pace:.0f} a second; {brain.resident_mib()} MiB resident, {resident} before", flush=True)
        self.assertEqual([one.exitcode for one in attackers], [0, 0])
        brain.wait_for("the connections to be gone", lambda: self.total("ficus_http_connections") <= 1 and
                       self.total("ficus_mqtt_connections") == 0 and self.total("ficus_ais_connections") == 0, 60)
        brain.wait_for("the files to be closed", lambda: brain.open_files() <= files + 20, 60)
        self.assertLess(brain.resident_mib(), resident + 700)

    def test_nothing_is_unpacked(self):
        """Compression is accepted nowhere, so there is no bomb: data that is packed says 415, other bodies are read as they are and
        make no sense, an extension is not agreed to, a packed frame ends its connection."""
        brain = self.brain
        for target, refusals in (("/ingest/gateway", (415,)), ("/ingest/fleet", (415,)), ("/sql", (400,)), ("/login", (400,)),
                                 ("/admin/backup", (400, 409))):
            for coding in ("gzip", "deflate", "br", "gzip, gzip"):
                status, body = brain.request("POST", target, b"\x1f\x8b\x08\x00" + b"\0" * 100,
                                             {"Content-Encoding": coding, "Content-Type": "application/json"})
                self.assertIn(status, refusals, (target, coding, body))
        self.assertEqual(brain.request("POST", "/ingest/gateway", b"x", {"Transfer-Encoding": "gzip, chunked"})[0], 501)
        status, _ = brain.request("GET", "/metrics", headers={"Accept-Encoding": "gzip, deflate, br"})
        self.assertEqual(status, 200)
        with connect(brain.http_port) as link:
            link.sendall(UPGRADE + b"Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\n\r\n")
            answer = b""
            while b"\r\n\r\n" not in answer:
                answer += link.recv(65536)
            self.assertIn(b" 101 ", answer.split(b"\r\n")[0])
            self.assertNotIn(b"extensions", answer.lower())
            link.sendall(b"\xc2\x84\0\0\0\0\x10\x02\0\0")  # RSV1: compressed (RFC 7692, 6.1)
            brain.wait_for("the end of it", lambda: is_closed(link), 20)

    def test_renegotiation_is_refused(self):
        brain = self.brain
        talk = subprocess.Popen(["openssl", "s_client", "-connect", f"127.0.0.1:{brain.https_port}", "-tls1_2"], stdin=subprocess.PIPE,
                                stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        talk.stdin.write(b"R\n")
        talk.stdin.flush()
        try:
            said = talk.communicate(timeout=60)[0]
        except subprocess.TimeoutExpired:
            talk.kill()
            said = talk.communicate()[0]
        self.assertIn(b"renegotiation", said.lower().replace(b"secure renegotiation", b""))
        self.assertIn(brain.get("/health")["status"], ("ok", "degraded"))

    def test_sql_costs_so_much_and_no_more(self):
        """Statements that would take all memory or all time are refused or ended, and the next question is answered."""
        brain = self.brain
        resident = brain.resident_mib()
        for text in ("SELECT sum(a.range * b.range) FROM range(1000000000) a, range(1000000000) b", "SELECT list(i) FROM range(1000000000) t(i)",
                     "SELECT repeat('x', 9223372036854775807)", "SELECT lpad('x', 1000000000, 'y')", "SELECT " + "(" * 50_000 + "1" + ")" * 50_000,
                     "SELECT 1" + " + 1" * 50_000, "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT max(i) FROM n",
                     "SELECT * FROM Meter WHERE sequence IN (" + "1," * 200_000 + "1)"):
            status, body = brain.request("POST", "/sql", json.dumps({"sql": text}), {"Content-Type": "application/json"})
            self.assertIn(status, (200, 400, 403, 413, 429, 503, 504), (text[:80], body[:300]))
            self.assertEqual(brain.sql("SELECT 1"), [[1]], text[:80])
        self.assertLess(brain.resident_mib(), resident + 900)


if __name__ == "__main__":
    unittest.main()
