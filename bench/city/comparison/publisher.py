"""A sensor gateway that keeps the rules of MQTT 3.1.1 at QoS 1: what is not acknowledged is sent again after a new connection.
It remembers which messages were acknowledged, so that they can be looked for afterwards."""
import socket
import struct
import threading
import time

VEHICLES = 100


def string(text):
    return struct.pack(">H", len(text)) + text.encode()


def packet(first, body):
    length, head = len(body), bytearray([first])
    while True:
        head.append(length % 128 | (128 if length > 127 else 0))
        length //= 128
        if not length:
            return bytes(head) + body


class Publisher:
    """Publishes `rate` messages a second from a thread of its own between `start` and `stop`."""

    window = 500

    def __init__(self, port, rate):
        self.port, self.rate = port, rate
        self.acknowledged, self.pending = set(), {}  # trips; packet id -> (trip, packet)
        self.next_trip, self.last_time = 1, 0
        self.is_running = False
        self.socket = None
        self.problem = None

    def message(self, trip):
        self.last_time = max(time.time_ns() // 1000, self.last_time + 1)
        payload = (f'{{"speed":{20 + trip % 40}.5,"heading":{trip % 360},"longitude":119.300000,"latitude":26.080000,"fuel":50.0,'
                   f'"status":"moving","trip":"{trip:010}","route":"K0001","time":{self.last_time}}}')
        identifier = trip % 60_000 + 1
        return identifier, packet(0x32, string(f"city/vehicle/v{trip % VEHICLES:07}") + struct.pack(">H", identifier) + payload.encode())

    def connect(self):
        while self.is_running or self.pending:
            try:
                self.socket = socket.create_connection(("127.0.0.1", self.port), 2)
                self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                self.socket.sendall(packet(0x10, string("MQTT") + b"\x04\x02\x00\x00" + string("gateway")))
                answer = b""
                while len(answer) < 4:
                    part = self.socket.recv(4 - len(answer))
                    if not part:
                        raise OSError("closed")
                    answer += part
                for _, message in sorted(self.pending.values()):
                    self.socket.sendall(bytes([message[0] | 8]) + message[1:])  # DUP (MQTT 3.1.1, 3.3.1.1)
                return b""
            except OSError:
                if time.monotonic() > self.give_up:
                    return None
                time.sleep(0.02)
        return None

    def take(self, data):
        """The acknowledgements in what was received; gives the rest."""
        while len(data) >= 4:
            if data[0] >> 4 == 4:
                found = self.pending.pop(struct.unpack(">H", data[2:4])[0], None)
                if found:
                    self.acknowledged.add(found[0])
            data = data[2 + data[1]:]  # a broker sends this client short packets only
        return data

    def work(self):
        rest, begin, sent = self.connect(), time.monotonic(), 0
        while rest is not None and (self.is_running or self.pending) and time.monotonic() < self.give_up:
            try:
                due = int((time.monotonic() - begin) * self.rate)
                out = []
                while self.is_running and sent < due and len(self.pending) < self.window:
                    identifier, message = self.message(self.next_trip)
                    self.pending[identifier] = (self.next_trip, message)
                    out.append(message)
                    self.next_trip += 1
                    sent += 1
                sent = max(sent, due - self.rate)  # it does not make up for more than a second of outage
                if out:
                    self.socket.sendall(b"".join(out))
                self.socket.settimeout(0.002)
                try:
                    part = self.socket.recv(65536)
                    if not part:
                        raise OSError("closed")
                    rest = self.take(rest + part)
                except TimeoutError:
                    pass
            except OSError:
                rest = self.connect()
        self.socket.close()

    def start(self):
        self.is_running = True
        self.give_up = time.monotonic() + 180
        self.thread = threading.Thread(target=self.work)
        self.thread.start()

    def stop(self):
        """Ends when everything sent is acknowledged, or after 20 s."""
        self.is_running = False
        self.give_up = time.monotonic() + 20
        self.thread.join()
