"""One fuzzed session: what is sent, piece by piece, and how it ends. Made by a generator from a seed, played over a transport,
kept as text so that it can be played again."""
import base64
import json
import select
import socket
import ssl
import struct
import time

END = ("close", "reset", "half", "leave")  # leave: without reading what is still to come


class Session:
    """Steps are ("send", bytes), ("wait", seconds) and ("read", seconds): read until so long nothing came."""

    def __init__(self, kind, seed=0, number=0):
        self.kind, self.seed, self.number = kind, seed, number
        self.steps = []
        self.end = "close"
        self.records = ()  # what is done to TLS records on their way (port_tls.py)

    def send(self, data):
        if data:
            self.steps.append(("send", bytes(data)))
        return self

    def wait(self, seconds):
        self.steps.append(("wait", seconds))
        return self

    def read(self, seconds=0.05):
        self.steps.append(("read", seconds))
        return self

    def size(self):
        return sum(len(value) for what, value in self.steps if what == "send")

    def to_text(self):
        steps = [[what, base64.b64encode(value).decode() if what == "send" else value] for what, value in self.steps]
        return json.dumps({"kind": self.kind, "seed": self.seed, "number": self.number, "steps": steps, "end": self.end,
                           "records": self.records})

    @staticmethod
    def from_text(text):
        value = json.loads(text)
        session = Session(value["kind"], value["seed"], value["number"])
        session.steps = [(what, base64.b64decode(given) if what == "send" else given) for what, given in value["steps"]]
        session.end, session.records = value["end"], [tuple(record) for record in value["records"]]
        return session


class Plain:
    """A TCP connection as it is."""

    def __init__(self, port, timeout=20):
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=timeout)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def send(self, data):
        self.socket.sendall(data)

    def pending(self):
        return False

    def receive(self):
        return self.socket.recv(65536)

    def finish(self, end):
        if end == "reset":
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        elif end == "half":
            self.socket.shutdown(socket.SHUT_WR)

    def close(self):
        self.socket.close()


class Datagrams(Plain):
    """Each piece is a datagram."""

    def __init__(self, port):
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.connect(("127.0.0.1", port))

    def send(self, data):
        self.socket.send(data[:60000])

    def finish(self, end):
        pass


def hear(transport, quiet, end, most=1 << 20):
    """What comes until it has been quiet so long; None in its place: the peer has closed."""
    heard = b""
    while time.monotonic() < end and len(heard) < most:
        if not transport.pending() and not select.select([transport.socket], [], [], quiet)[0]:
            return heard, True
        part = transport.receive()
        if not part:
            return heard, False
        heard += part
    return heard, True


def play(session, transport, seconds_max=3):
    """Plays it on an open transport; returns all that was answered. A peer that ends it is no error: it is what is expected."""
    answer = b""
    end = time.monotonic() + seconds_max
    try:
        for what, value in session.steps:
            if what == "send":
                transport.send(value)
            elif what == "wait":
                time.sleep(value)
            else:
                part, is_open = hear(transport, value, end)
                answer += part
                if not is_open:
                    break
        transport.finish(session.end)
        if session.end in ("close", "half"):
            answer += hear(transport, 0.02, end)[0]
    except (ConnectionError, TimeoutError, BlockingIOError, ssl.SSLError, OSError):
        pass  # it was refused
    finally:
        transport.close()
    return answer
