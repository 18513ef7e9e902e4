"""Those who use the brain while it is loaded: each a thread that comes, asks and leaves again until it is told to stop."""
import base64
import json
import os
import socket
import struct
import threading
import time
import urllib.error
import urllib.request

DAYS_OLD = 2  # the meters' readings: over their retention when they are sealed
ROWS_A_POST, POSTS_A_SECOND = 1000, 5
METERS = 500


class Client(threading.Thread):
    """`done` counts what went well; `problems` keeps the first words of what did not."""

    pause = 1.0

    def __init__(self, server):
        super().__init__(daemon=True)
        self.server, self.done, self.problems, self.failed = server, 0, [], 0
        self.stopping = threading.Event()

    def run(self):
        while not self.stopping.wait(self.pause):
            try:
                self.step()
                self.done += 1
            except (OSError, RuntimeError, ValueError) as error:
                self.failed += 1
                if len(self.problems) < 5:
                    self.problems.append(f"{time.strftime('%H:%M:%S', time.gmtime())} {error}"[:300])

    def stop(self):
        self.stopping.set()
        self.join(130)

    def ask(self, path, body, kind="application/json"):
        request = urllib.request.Request(f"http://127.0.0.1:{self.server.http}{path}", body, {"Content-Type": kind}, method="POST")
        try:
            with urllib.request.urlopen(request, timeout=120) as answer:
                return answer.read()
        except urllib.error.HTTPError as error:
            raise RuntimeError(f"{path}: {error.code}: {error.read().decode(errors='replace')[:300]}") from error


class Meters(Client):
    """Readings by POST /ingest."""

    pause = 1 / POSTS_A_SECOND

    def __init__(self, server):
        super().__init__(server)
        self.time = (time.time_ns() // 1000) - DAYS_OLD * 86_400_000_000

    def step(self):
        rows = []
        for i in range(ROWS_A_POST):
            self.time += 1
            rows.append(f'{{"meter":"m{i % METERS}","level":{i % 700 / 100},"time":{self.time}}}')
        self.ask("/ingest/meters", "\n".join(rows).encode(), "application/x-ndjson")


class Questions(Client):
    """SQL, of all rows, of the last minute, of one vehicle."""

    pause = 2.0
    STATEMENTS = ("SELECT count(*) FROM Vehicle",
                  "SELECT time_bucket(INTERVAL '10 seconds', \"observedAt\") AS t, avg(speed) FROM Vehicle "
                  "WHERE \"observedAt\" > now()::TIMESTAMP - INTERVAL '1 minute' GROUP BY t ORDER BY t",
                  "SELECT \"observedAt\", speed FROM Vehicle WHERE id = 'urn:ngsi-ld:Vehicle:v0000007' AND "
                  "\"observedAt\" > now()::TIMESTAMP - INTERVAL '1 minute' ORDER BY 1 LIMIT 1000")

    def step(self):
        self.server.sql(self.STATEMENTS[(self.done + self.failed) % len(self.STATEMENTS)])


class Reloads(Client):
    pause = 60.0

    def step(self):
        self.ask("/admin/reload", b"")


def text(value):
    return struct.pack(">H", len(value)) + value.encode()


def exactly(connection, count):
    out = b""
    while len(out) < count:
        part = connection.recv(count - len(out))
        if not part:
            raise RuntimeError("the brain closed the connection")
        out += part
    return out


class Subscribers(Client):
    """MQTT 3.1.1: every other session is kept and found again; every third leaves without a word."""

    def step(self):
        turn = self.done + self.failed
        with socket.create_connection(("127.0.0.1", self.server.mqtt), 20) as connection:
            body = text("MQTT") + bytes([4, 2 * (turn % 2), 0, 60]) + text(f"soak-visitor-{turn % 10}")
            connection.sendall(bytes([0x10, len(body)]) + body)
            exactly(connection, 4)
            body = struct.pack(">H", 1) + text(f"city/vehicle/v{turn % 100:07}") + bytes([turn % 2])
            connection.sendall(bytes([0x82, len(body)]) + body)
            self.listen(connection, time.monotonic() + 1)
            if turn % 3 != 0:
                connection.sendall(b"\xe0\x00")

    def listen(self, connection, until):
        while time.monotonic() < until:
            connection.settimeout(max(0.01, until - time.monotonic()))
            try:
                first = exactly(connection, 1)[0]
            except TimeoutError:
                return
            connection.settimeout(20)
            length, shift = 0, 0
            while True:
                byte = exactly(connection, 1)[0]
                length |= (byte & 127) << shift
                shift += 7
                if byte < 128:
                    break
            body = exactly(connection, length)
            if first >> 4 == 3 and first & 6:  # QoS 1: acknowledged (3.3.4)
                at = 2 + struct.unpack(">H", body[:2])[0]
                connection.sendall(b"\x40\x02" + body[at:at + 2])


class Listeners(Client):
    """The live stream of a tenth of the vehicles, for three seconds each. `slow`: closed with 1013, as a client is that takes too
    little; with the generator on the same core that may be so."""

    slow = 0

    def step(self):
        with socket.create_connection(("127.0.0.1", self.server.http), 20) as connection:
            key = base64.b64encode(os.urandom(16)).decode()
            connection.sendall((f"GET /live HTTP/1.1\r\nHost: 127.0.0.1:{self.server.http}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                                f"Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n\r\n").encode())
            head = connection.recv(65536)
            if b" 101 " not in head.split(b"\r\n", 1)[0]:
                raise RuntimeError(f"/live: {head[:100]!r}")
            message = json.dumps({"subscribe": {"types": ["Vehicle"], "bbox": [119.3, 26, 119.31, 26.2]}}).encode()
            # A client masks what it sends (RFC 6455, 5.3); with zeros it stays as it is.
            connection.sendall(bytes([0x81, 0x80 | len(message)]) + bytes(4) + message)
            until, heard, tail = time.monotonic() + 3, 0, b""
            while (left := until - time.monotonic()) > 0:
                connection.settimeout(left)
                try:
                    part = connection.recv(1 << 20)
                except TimeoutError:
                    break
                if not part:
                    if b"\x03\xf5" in tail:
                        self.slow += 1
                        return
                    raise RuntimeError(f"/live: closed by the brain: {tail!r}")
                heard, tail = heard + len(part), (tail + part)[-100:]
            if heard == 0:
                raise RuntimeError("/live: nothing heard in three seconds")


ALL = (Meters, Questions, Reloads, Subscribers, Listeners)
