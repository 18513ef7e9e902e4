"""Well-behaved clients that use every port while others attack it: each must go on being answered, correctly and in time."""
import base64
import json
import os
import socket
import struct
import threading
import time

import port_ais
import port_mqtt
from port_tls import Encrypted
from server import TOKEN

FROM = ("127.0.0.2", 0)


class Failed(Exception):
    """A probe was answered wrongly, or not in time."""


class Link:
    """Bytes to and from a port, with a bound on how long an answer may take."""

    def __init__(self, port, seconds, encrypted=False):
        self.seconds = seconds
        self.encrypted = Encrypted(port, timeout=seconds, source=FROM) if encrypted else None
        self.socket = None if encrypted else socket.create_connection(("127.0.0.1", port), timeout=seconds, source_address=FROM)
        self.buffer = b""

    def send(self, data):
        (self.encrypted.send if self.encrypted else self.socket.sendall)(data)

    def take(self, size):
        while len(self.buffer) < size:
            part = self.encrypted.receive() if self.encrypted else self.socket.recv(65536)
            if not part:
                raise Failed("the connection was closed")
            self.buffer += part
        out, self.buffer = self.buffer[:size], self.buffer[size:]
        return out

    def line(self):
        out = b""
        while not out.endswith(b"\n") and len(out) < 10_000:
            out += self.take(1)
        return out.rstrip(b"\r\n")

    def close(self):
        (self.encrypted or self.socket).close()


class OverWebSocket:
    """The payloads of binary messages (RFC 6455), as bytes."""

    def __init__(self, link, place, protocol=""):
        self.link, self.buffer = link, b""
        fields = f"Sec-WebSocket-Protocol: {protocol}\r\n" if protocol else ""
        link.send((f"GET {place} HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nAuthorization: Bearer {TOKEN}\r\n"
                   f"Sec-WebSocket-Key: {base64.b64encode(os.urandom(16)).decode()}\r\nSec-WebSocket-Version: 13\r\n{fields}\r\n").encode())
        status = link.line()
        if b" 101 " not in status:
            raise Failed(f"{place}: {status.decode()}")
        while link.line():
            pass

    def send(self, data, opcode=2):
        head = bytes([0x80 | len(data)]) if len(data) < 126 else b"\xfe" + struct.pack(">H", len(data))
        self.link.send(bytes([0x80 | opcode]) + head + b"\0\0\0\0" + data)

    def message(self):
        while True:
            head = self.link.take(2)
            size = head[1] & 127
            if size > 125:
                size = int.from_bytes(self.link.take(2 if size == 126 else 8), "big")
            data = self.link.take(size)
            if head[0] & 15 == 8:  # RFC 6455, 5.5.1
                raise Failed(f"the server closed the WebSocket: {int.from_bytes(data[:2], 'big')} {data[2:]!r}")
            if head[0] & 15 != 9:
                return data
            self.send(data, opcode=10)

    def take(self, size):
        while len(self.buffer) < size:
            self.buffer += self.message()
        out, self.buffer = self.buffer[:size], self.buffer[size:]
        return out

    def close(self):
        self.link.close()


class Mqtt:
    """Publishes to itself with QoS 1: what is acknowledged must also come."""

    def __init__(self, link, name):
        self.link, self.name, self.count = link, name, 0
        text = port_mqtt.text
        # No keep alive: another probe may wait longer for its answer than any keep alive would last.
        self.packet(0x10, b"\x00\x04MQTT\x04\xc2\x00\x00" + text(f"probe-{name}") + text("probe") + text(TOKEN))
        self.expect(0x20, b"\x00\x00")
        self.packet(0x82, b"\x00\x01" + text(f"probe/{name}/+") + b"\x01")
        self.expect(0x90, b"\x00\x01\x01")

    def packet(self, first, body):
        self.link.send(bytes([first]) + port_mqtt.number(len(body)) + body)

    def read(self):
        first, size, shift = self.link.take(1)[0], 0, 0
        while True:
            digit = self.link.take(1)[0]
            size |= (digit & 127) << shift
            shift += 7
            if not digit & 128:
                return first, self.link.take(size)

    def expect(self, first, body):
        got = self.read()
        if got != (first, body):
            raise Failed(f"MQTT answered {got!r}, not {(first, body)!r}")

    def __call__(self):
        self.count += 1
        topic, payload = f"probe/{self.name}/{self.count}", b"message %d" % self.count
        self.packet(0x32, port_mqtt.text(topic) + b"\x00\x07" + payload)
        wanted = {"acknowledged", "delivered"}
        end = time.monotonic() + 60
        while wanted:
            if time.monotonic() > end:
                raise Failed(f"not {wanted}")
            first, body = self.read()
            if (first, body) == (0x40, b"\x00\x07"):
                wanted.discard("acknowledged")
            elif first & 0xF0 == 0x30:
                size = 2 + int.from_bytes(body[:2], "big")
                self.packet(0x40, body[size:size + 2])
                if body[2:size] == topic.encode() and body[size + 2:] == payload:
                    wanted.discard("delivered")
                elif body[2:size] == topic.encode() or not body[2:].startswith(b"probe/"):
                    raise Failed(f"MQTT delivered {body[:200]!r}")


class Probes:
    """All of them, one after the other, again and again on a thread of their own."""

    def __init__(self, server, seconds):
        self.server, self.seconds = server, seconds
        self.problems, self.rounds, self.slowest = [], 0, {}
        self.clients, self.meter, self.course = {}, 0, 0
        self.stopped = threading.Event()
        self.thread = threading.Thread(target=self.go_on, daemon=True)

    def start(self):
        self.thread.start()
        return self

    def stop(self):
        self.stopped.set()
        self.thread.join(self.seconds * 4)
        for client in self.clients.values():
            client.link.close()

    def go_on(self):
        while not self.stopped.is_set() and not self.problems:
            self.round()
            self.stopped.wait(0.5)

    def round(self):
        ports = self.server
        probes = {"http health": self.health, "http entity": self.entity, "sql": self.sql, "live": self.live, "ais-udp": self.ais_udp, "ais-tcp": self.ais_tcp,
                  "mqtt": lambda: self.mqtt("mqtt", lambda: Link(ports.mqtt_port, self.seconds)),
                  "mqtts": lambda: self.mqtt("mqtts", lambda: Link(ports.mqtts_port, self.seconds, encrypted=True)),
                  "websocket": lambda: self.websocket(ports.http_port),
                  "https": self.https}
        for name, probe in probes.items():
            begin = time.monotonic()
            try:
                probe()
                took = time.monotonic() - begin
                self.slowest[name] = max(took, self.slowest.get(name, 0))
                if took > self.seconds:
                    raise Failed(f"answered after {took:.1f} s")
            except (Failed, OSError, ValueError, KeyError, IndexError) as problem:
                if not self.stopped.is_set():
                    self.problems.append(f"the probe '{name}' failed: {type(problem).__name__}: {problem}")
        self.rounds += 1

    def ask(self, method, target, body=None, headers=None):
        status, answer = self.server.request(method, target, body, headers, timeout=self.seconds)
        if status != 200:
            raise Failed(f"{method} {target}: {status} {answer[:300]!r}")
        return json.loads(answer)

    def health(self):
        if self.ask("GET", "/health")["status"] not in ("ok", "degraded"):
            raise Failed("GET /health")

    def https(self):
        link = Link(self.server.https_port, self.seconds, encrypted=True)
        try:
            link.send(b"GET /health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
            status = link.line()
            if b" 200 " not in status:
                raise Failed(status.decode())
        finally:
            link.close()

    def entity(self):
        self.meter += 1
        row = {"meter": "probe", "t": int(time.time() * 1e6), "n": self.meter, "level": 1}
        self.ask("POST", "/ingest/gateway", json.dumps(row), {"Content-Type": "application/json"})
        found = self.ask("GET", "/entities/urn:ngsi-ld:Meter:probe?options=keyValues")
        if found["sequence"] != self.meter:
            raise Failed(f"the entity has {found}, not {row}")

    def sql(self):
        rows = self.ask("POST", "/sql", json.dumps({"sql": "SELECT 40 + 2"}), {"Content-Type": "application/json"})["rows"]
        if rows != [[42]]:
            raise Failed(f"40 + 2 is {rows}")

    def live(self):
        link = Link(self.server.http_port, self.seconds)
        try:
            if json.loads(OverWebSocket(link, "/live").message())["kind"] != "hello":
                raise Failed("no hello")
        finally:
            link.close()

    def mqtt(self, name, connect):
        if name not in self.clients:
            self.clients[name] = Mqtt(connect(), name)
        self.clients[name]()

    def websocket(self, port):
        # A new one each time: while another probe waits for its answer nobody would answer this one's pings (RFC 6455, 5.5.2).
        if "ws" in self.clients:
            self.clients.pop("ws").link.close()
        self.mqtt("ws", lambda: OverWebSocket(Link(port, self.seconds), "/mqtt", "mqtt"))

    def ais_line(self, vessel):
        """A position of a vessel of ours, each time with another course (ITU-R M.1371, message 1)."""
        self.course = (self.course + 1) % 3600
        bits = (f"{1:06b}{0:02b}{vessel:030b}{0:04b}{0:08b}{100:010b}1{int(11.8 * 600_000):028b}{int(57.7 * 600_000):027b}"
                f"{self.course:012b}{90:09b}{30:06b}{0:025b}")
        payload = "".join(port_ais.ARMOR[int(bits[at:at + 6], 2)] for at in range(0, len(bits), 6))
        body = f"AIVDM,1,1,,A,{payload},0".encode()
        return b"!" + body + b"*%02X\r\n" % port_ais.checksum(body)

    def ais(self, vessel, send):
        """Sends until what is known of the vessel has changed: the twin may be full, but not for who was there before."""
        place = f"/entities/urn:ngsi-ld:Vessel:{vessel}?options=keyValues"
        before, end = self.server.request("GET", place, timeout=self.seconds), time.monotonic() + self.seconds
        # A line with every question, as answers may be slow and a flooded port of UDP drops most of what comes.
        while time.monotonic() < end:
            send(self.ais_line(vessel))
            status, body = self.server.request("GET", place, timeout=self.seconds)
            if status == 200 and (status, body) != before:
                return
            time.sleep(0.02)
        raise Failed(f"vessel {vessel} was not heard")

    def ais_udp(self):
        # What comes too fast is dropped by the kernel, the good with the bad: it is sent until it is heard.
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as link:
            self.ais(265_000_001, lambda line: link.sendto(line, ("127.0.0.1", self.server.udp_port)))

    def ais_tcp(self):
        with socket.create_connection(("127.0.0.1", self.server.ais_port), timeout=self.seconds, source_address=FROM) as link:
            self.ais(265_000_002, link.sendall)
