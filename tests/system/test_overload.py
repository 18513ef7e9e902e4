"""Senders without a brake: MQTT QoS 0 and QoS 1 and HTTP as fast as sockets take it. Memory stays within a bound, questions are
answered meanwhile, nothing acknowledged is lost, and every item is in the books."""
import json
import pathlib
import socket
import struct
import threading
import time
import unittest

import harness

SECONDS = 6
RSS_MIB_MAX = 1200  # docs/OPERATIONS.md, "Memory": with the limits of this test
LIMITS = "history: {memory_mib_max: 256, tail_rows_max: 1000000}\ntwin: {duplicate_window_rows: 65536}\n"


def text(value):
    return struct.pack(">H", len(value)) + value.encode()


def packet(first, body):
    length = b""
    rest = len(body)
    while True:
        rest, digit = rest >> 7, rest & 127
        length += bytes([digit | (128 if rest else 0)])
        if not rest:
            return bytes([first]) + length + body


class Flood(threading.Thread):
    """One connection that writes PUBLISH packets in blocks and reads only acknowledgements."""

    def __init__(self, brain, number, qos):
        super().__init__(daemon=True)
        self.port = brain.mqtt_port
        self.number = number
        self.qos = qos
        self.sent = 0
        self.acknowledged = 0
        self.end = time.monotonic() + SECONDS

    def block(self):
        packets = []
        for _ in range(200):
            self.sent += 1
            payload = json.dumps({"meter": f"f{self.number}", "n": self.sent, "level": self.sent % 90,
                                  "t": 1_700_000_000_000_000 + self.sent * 1000}).encode()
            identifier = struct.pack(">H", self.sent % 65535 + 1) if self.qos else b""
            packets.append(packet(0x30 | self.qos << 1, text(f"meter/f{self.number}") + identifier + payload))
        return b"".join(packets)

    def run(self):
        with socket.create_connection(("127.0.0.1", self.port), timeout=30) as s:
            s.sendall(packet(0x10, text("MQTT") + b"\x04\x02\x00\x00" + text(f"flood-{self.number}")))
            assert s.recv(4)[3] == 0
            reader = threading.Thread(target=self.read, args=(s,), daemon=True)
            reader.start()
            while time.monotonic() < self.end:
                s.sendall(self.block())
            if self.qos:
                end = time.monotonic() + 60
                while self.acknowledged < self.sent and time.monotonic() < end:
                    time.sleep(0.02)
            s.sendall(b"\xe0\x00")
            reader.join(30)

    def read(self, s):
        data = b""
        while True:
            try:
                part = s.recv(65536)
            except OSError:
                return
            if not part:
                return
            data += part
            self.acknowledged += len(data) // 4  # PUBACK: 4 bytes
            data = data[len(data) // 4 * 4:]


class Overload(unittest.TestCase):
    def test_memory_is_bounded(self):
        with harness.Brain("crash", config=LIMITS) as brain:
            floods = [Flood(brain, i, qos=i % 2) for i in range(4)]
            for flood in floods:
                flood.start()
            most = 0
            slowest = 0.0
            while any(flood.is_alive() for flood in floods):
                begin = time.monotonic()
                brain.get("/entities?type=Meter&limit=1")
                slowest = max(slowest, time.monotonic() - begin)
                status = pathlib.Path(f"/proc/{brain.process.pid}/status").read_text(encoding="ascii")
                most = max(most, int(status.split("VmRSS:")[1].split()[0]) // 1024)
                time.sleep(0.05)
            sent = sum(flood.sent for flood in floods)
            print(f"{sent} messages sent; {most} MiB at most; the slowest answer took {slowest * 1000:.0f} ms", flush=True)
            self.assertLess(most, RSS_MIB_MAX)
            self.assertLess(slowest, 5)
            for flood in floods:
                if flood.qos:
                    self.assertEqual(flood.acknowledged, flood.sent)
            # TCP holds senders back, so nothing is dropped, not even of QoS 0.
            brain.wait_for("all of it", lambda: brain.books("meters")["received"] >= sent, 30)
            books = brain.books("meters")
            harness.assert_balanced(self, books)
            self.assertEqual((books["received"], books["refused"]), (sent, 0), books)


if __name__ == "__main__":
    unittest.main(verbosity=2)
