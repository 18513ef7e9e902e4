"""MQTT 3.1.1 and 5.0: sound sessions whose packets are then changed, one field at a time or with no regard for fields."""
import pathlib
import struct

import mutate
import port_json
from session import Session

CONNECT, CONNACK, PUBLISH, PUBACK, PUBREC, PUBREL, PUBCOMP, SUBSCRIBE, SUBACK, UNSUBSCRIBE, UNSUBACK, PINGREQ, PINGRESP, \
    DISCONNECT, AUTH = range(1, 16)

# Identifier and form of each property (5.0, 2.2.2.2): byte, two bytes, four, a variable integer, text, binary, pair of texts.
PROPERTIES = {0x01: "b", 0x02: "4", 0x03: "t", 0x08: "t", 0x09: "d", 0x0B: "v", 0x11: "4", 0x12: "t", 0x13: "2", 0x15: "t", 0x16: "d",
              0x17: "b", 0x18: "4", 0x19: "b", 0x1A: "t", 0x1C: "t", 0x1F: "t", 0x21: "2", 0x22: "2", 0x23: "2", 0x24: "b", 0x25: "b",
              0x26: "p", 0x27: "4", 0x28: "b", 0x29: "b", 0x2A: "b"}
OF_PACKET = {CONNECT: (0x11, 0x21, 0x27, 0x22, 0x19, 0x17, 0x26), PUBLISH: (0x01, 0x02, 0x23, 0x08, 0x09, 0x26, 0x03),
             SUBSCRIBE: (0x0B, 0x26), UNSUBSCRIBE: (0x26,), DISCONNECT: (0x11, 0x1F, 0x26), AUTH: (0x15, 0x16),
             PUBACK: (0x1F, 0x26), PUBREC: (0x1F, 0x26), PUBREL: (0x1F, 0x26), PUBCOMP: (0x1F, 0x26)}
TOPICS = ("meter/1", "meter/2", "meter/公", "city/K2/vehicle/7", "hostile/a", "hostile/a/b", "text/1", "$SYS/x", "ficus/alert/x", "/", "")
FILTERS = ("hostile/#", "#", "+/+", "meter/+", "$share/g/hostile/#", "$share/g/meter/+", "$share/h/#", "$share/g", "ficus/#", "+/#/x",
           "hostile/a", "$share//x", "$SYS/#", "", "a+/b")
SAMPLES = [path.read_bytes() for path in sorted((pathlib.Path(__file__).parents[2] / "fuzz/corpus/mqtt").iterdir())]


def number(value):
    """A variable byte integer (5.0, 1.5.5)."""
    out = bytearray()
    while True:
        value, digit = divmod(value, 128)
        out.append(digit | (0x80 if value else 0))
        if not value:
            return bytes(out)


def text(value):
    data = value.encode("utf-8", "surrogatepass") if isinstance(value, str) else value
    return struct.pack(">H", len(data) & 0xFFFF) + data


class Maker:
    """Makes the packets of one client; `strange` is how likely each choice is one that no sound client makes."""

    def __init__(self, random):
        self.random = random
        self.version = random.choice((4, 5, 5))
        self.strange = random.choice((0, 0, 0.02, 0.1))
        self.next_id = 1

    def odd(self):
        return self.random.random() < self.strange

    def packet(self, kind, flags, body):
        if self.odd():
            flags = self.random.randrange(16)
        if self.odd():
            kind = self.random.randrange(16)
        length = number(len(body))
        if self.odd():
            length = self.random.choice((number(max(0, len(body) + self.random.randint(-5, 300))), b"\xff\xff\xff\x7f",
                                         b"\xff\xff\xff\xff\x01", b"\x80\x80\x80\x00", number(268_435_455), b"\x80\x00"))
        return bytes([kind << 4 | flags]) + length + body

    def properties(self, kind):
        if self.version != 5:
            return b""
        body = b""
        for _ in range(self.random.choice((0, 0, 1, 2, 5))):
            identifier = self.random.choice(OF_PACKET.get(kind, (0x26,)))
            if self.odd():
                identifier = self.random.choice((*PROPERTIES, 0, 0x7F, 0xFF))
            body += number(identifier) + self.property(PROPERTIES.get(identifier, "t"), identifier)
        length = number(len(body))
        if self.odd():
            length = number(self.random.choice((0, 1, len(body) + 1, 10_000, 268_435_455)))
        return length + body

    def property(self, form, identifier):
        random = self.random
        if identifier == 0x23:
            return struct.pack(">H", random.choice((1, 1, 2, 3, 32, 33, 0, 65535) if self.odd() else (1, 2, 3, 32)))
        if form == "b":
            return bytes([random.choice((0, 1, 1, 2, 255) if self.odd() else (0, 1))])
        if form == "2":
            return struct.pack(">H", random.choice((0, 1, 2, 100, 65535)) if self.odd() else random.choice((1, 5, 100)))
        if form == "4":
            return struct.pack(">I", random.choice((0, 1, 2, 60, 0xFFFFFFFF)))
        if form == "v":
            return number(random.choice((1, 2, 127, 128, 268_435_455, 0) if self.odd() else (1, 2, 128)))
        if form == "p":
            return text(mutate.text(random)) + text("v") if self.odd() else text("k") + text("v")
        return text(mutate.text(random)) if self.odd() else text("hostile/answer")

    def connect(self):
        random = self.random
        flags = random.choice((0x00, 0x02, 0x02))
        tail = text(f"hostile-{random.randrange(12)}" if not self.odd() else mutate.text(random))
        if random.random() < 0.3:  # a will
            flags |= 0x04 | random.randrange(3) << 3 | (0x20 if random.random() < 0.3 else 0)
            tail += self.will() + text(random.choice(TOPICS)) + text(b"will" * random.choice((0, 1, 500)))
        if random.random() < 0.1:
            flags |= 0x80
            tail += text(mutate.text(random))
            if random.random() < 0.7:
                flags |= 0x40
                tail += text(mutate.text(random))
        if self.odd():
            flags ^= 1 << random.randrange(8)
        name = b"\x00\x04MQTT" if not self.odd() else random.choice((b"\x00\x06MQIsdp", b"\x00\x04mqtt", b"\x00\x00", b"\xff\xffMQTT"))
        level = self.version if not self.odd() else random.choice((0, 3, 6, 0x84, 255))
        keep_alive = random.choice((0, 1, 60, 65535))
        return self.packet(CONNECT, 0, name + struct.pack(">BBH", level, flags, keep_alive) + self.properties(CONNECT) + tail)

    def will(self):
        if self.version != 5:
            return b""
        body = b"\x18" + struct.pack(">I", self.random.choice((0, 1, 5, 0xFFFFFFFF))) if self.random.random() < 0.5 else b""
        return number(len(body)) + body

    def identifier(self):
        if self.odd():
            return struct.pack(">H", self.random.choice((0, 1, 2, 65535)))
        self.next_id += 1
        return struct.pack(">H", self.next_id)

    def payload(self, topic):
        random = self.random
        if topic.startswith(("meter", "city", "text")):
            return port_json.payload(random, {"meter": "meter", "city": "vehicle"}.get(topic.split("/")[0], "meter"))
        return random.randbytes(random.choice((0, 1, 20, 300))) if random.random() < 0.9 else b"z" * random.choice((70_000, 300_000))

    def publish(self):
        random = self.random
        qos = random.choice((0, 1, 1, 2, 2)) if not self.odd() else 3
        topic = random.choice(TOPICS[:7]) if not self.odd() else random.choice((mutate.text(random), *TOPICS))
        flags = qos << 1 | (1 if random.random() < 0.15 else 0) | (8 if random.random() < 0.1 else 0)
        head = text("" if self.version == 5 and random.random() < 0.15 else topic)
        identifier = self.identifier() if qos else b""
        packet = self.packet(PUBLISH, flags, head + identifier + self.properties(PUBLISH) + self.payload(topic))
        out = packet
        if random.random() < 0.1:
            out += packet  # again, as it is
        if qos == 2:
            for _ in range(random.choice((0, 1, 1, 1, 2))):
                out += self.answer(PUBREL, identifier)
        return out

    def answer(self, kind, identifier=None):
        body = identifier if identifier is not None else struct.pack(">H", self.random.choice((1, 2, 3, 4, 5, 6, 9, 65535)))
        if self.version == 5 and self.random.random() < 0.4:
            body += bytes([self.random.choice((0, 0, 0x10, 0x80, 0x92, 0xFF))])
            if self.random.random() < 0.5:
                body += self.properties(kind)
        return self.packet(kind, 2 if kind == PUBREL else 0, body)

    def subscribe(self):
        random = self.random
        body = self.identifier() + self.properties(SUBSCRIBE)
        for _ in range(random.choice((1, 1, 2, 8)) if not self.odd() else random.choice((0, 300))):
            topic_filter = random.choice(FILTERS[:7]) if not self.odd() else random.choice((*FILTERS, mutate.text(random)))
            options = random.randrange(3)
            if self.version == 5:
                options |= random.randrange(3) << 4 | (random.randrange(4) << 2 if "$share" not in topic_filter else 0)
            body += text(topic_filter) + bytes([options if not self.odd() else random.randrange(256)])
        return self.packet(SUBSCRIBE, 2, body)

    def unsubscribe(self):
        body = self.identifier() + self.properties(UNSUBSCRIBE)
        for _ in range(self.random.choice((1, 2))):
            body += text(self.random.choice(FILTERS))
        return self.packet(UNSUBSCRIBE, 2, body)

    def disconnect(self):
        body = b""
        if self.version == 5 and self.random.random() < 0.6:
            body = bytes([self.random.choice((0, 4, 0x81, 0xFF))]) + self.properties(DISCONNECT)
        return self.packet(DISCONNECT, 0, body)

    def any(self):
        what = self.random.random()
        if what < 0.45:
            return self.publish()
        if what < 0.6:
            return self.subscribe()
        if what < 0.8:  # answers to what we are sent: the first identifiers are 1, 2, 3 ...
            return self.answer(self.random.choice((PUBACK, PUBREC, PUBCOMP, PUBREL, PUBACK, PUBREC)))
        if what < 0.86:
            return self.unsubscribe()
        if what < 0.93:
            return self.packet(PINGREQ, 0, b"")
        if what < 0.95:
            return self.connect()  # a second one is a mistake
        if what < 0.97:
            return self.packet(AUTH, 0, bytes([0x18]) + self.properties(AUTH))
        return self.disconnect()


def packets(random):
    """The packets of a session, in their order, or nearly."""
    maker = Maker(random)
    out = [maker.connect()] + [maker.any() for _ in range(random.choice((1, 3, 6, 12, 30)))]
    if random.random() < 0.06:
        random.shuffle(out)
    if random.random() < 0.5:
        out.append(maker.disconnect())
    return out


def stream(random):
    """All that a client sends, as bytes."""
    if random.random() < 0.06:
        return mutate.change(random, random.choice(SAMPLES))
    data = b"".join(packets(random))
    if random.random() < 0.3:
        head = min(len(data), 20 if random.random() < 0.7 else 0)  # mostly not the CONNECT, or little comes behind it
        data = data[:head] + mutate.change(random, data[head:])
    return data


def generate(random, kind, seed, index):
    session = Session(kind, seed, index)
    if random.random() < 0.5:
        for packet in packets(random):  # with pauses, so that answers meet what comes later
            mutate.deliver(random, session, packet)
            if random.random() < 0.3:
                session.read(0.004)
    else:
        mutate.deliver(random, session, stream(random))
    session.end = mutate.how_it_ends(random)
    return session
