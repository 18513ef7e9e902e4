"""WebSocket (RFC 6455): handshakes and frames that are not as they should be; MQTT and the live stream inside."""
import pathlib
import struct

import mutate
import port_mqtt
from session import Session

CORPUS = [path.read_bytes() for path in sorted((pathlib.Path(__file__).parents[2] / "fuzz/corpus/websocket").iterdir())]
SUBSCRIPTIONS = (b'{"subscribe":{"types":["Meter"],"bbox":[119,26,120,27]}}', b'{"subscribe":{"types":[]}}', b'{"subscribe":{}}', b'{"subscribe":null}',
                 b'{"subscribe":{"types":["Meter"' + b',"Meter"' * 300 + b']}}', b'{"subscribe":{"bbox":[1e400,-1e400,0,"x"]}}',
                 b'{"subscribe":{"bbox":[180,90,-180,-90]}}', b"[" * 5000, b"{}", b"", b"\xff\xfe", b'{"subscribe":' * 500)


def handshake(random, place, strange):
    fields = [b"Host: localhost", b"Upgrade: websocket", b"Connection: Upgrade", b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
              b"Sec-WebSocket-Version: 13"]
    if place == b"/mqtt":
        fields.append(b"Sec-WebSocket-Protocol: mqtt")
    if random.random() < strange * 2:
        fields[random.randrange(len(fields))] = random.choice((
            b"Upgrade: h2c", b"Connection: close", b"Sec-WebSocket-Key: x", b"Sec-WebSocket-Key: " + b"A" * 5000, b"Sec-WebSocket-Version: 12",
            b"Sec-WebSocket-Version: 13, 8", b"Sec-WebSocket-Protocol: " + b"mqtt," * 100, b"Sec-WebSocket-Extensions: permessage-deflate",
            b"Content-Length: 5", b"Transfer-Encoding: chunked", b"Origin: http://elsewhere", b"Sec-WebSocket-Extensions: permessage-deflate; server_max_window_bits=99"))
    if random.random() < strange:
        del fields[random.randrange(len(fields))]
    return b"GET " + place + b" HTTP/1.1\r\n" + b"\r\n".join(fields) + b"\r\n\r\n"


def frame(random, opcode, payload, strange, fin=True):
    first = opcode | (0x80 if fin else 0)
    if random.random() < strange:
        first ^= random.choice((0x80, 0x40, 0x20, 0x10, 0x0F, 0x03))
    mask = random.randbytes(4)
    masked = 0x80 if random.random() >= strange else 0
    size = len(payload)
    if random.random() < strange:
        size = random.choice((0, 1, 125, 126, 65535, 65536, 1 << 31, (1 << 63) - 1, (1 << 64) - 1, size + 1, max(0, size - 1)))
    if size < 126 and random.random() >= strange / 2:
        head = bytes([first, masked | size])
    elif size < 65536 and random.random() >= strange / 2:
        head = bytes([first, masked | 126]) + struct.pack(">H", size)
    else:  # also where a shorter form would have to be used
        head = bytes([first, masked | 127]) + struct.pack(">Q", size)
    if not masked:
        return head + payload
    repeated = (mask * (len(payload) // 4 + 1))[:len(payload)]
    return head + mask + (int.from_bytes(payload, "big") ^ int.from_bytes(repeated, "big")).to_bytes(len(payload), "big")


def message(random, opcode, payload, strange):
    """A message in one frame or several, with control frames in between."""
    parts = [payload]
    if random.random() < 0.3 and payload:
        cuts = sorted(random.randrange(len(payload) + 1) for _ in range(random.choice((1, 2, 30))))
        parts = [payload[begin:end] for begin, end in zip([0, *cuts], [*cuts, len(payload)])]
    out = b""
    for index, part in enumerate(parts):
        out += frame(random, opcode if index == 0 else 0, part, strange, index == len(parts) - 1)
        if random.random() < 0.1:
            out += frame(random, random.choice((9, 10)), random.randbytes(random.choice((0, 5, 125, 126, 1000) if strange else (0, 5, 125))), strange)
    return out


def close(random):
    return random.choice((b"", b"\x03", b"\x03\xe8", b"\x03\xe8bye", b"\x03\xed", b"\x00\x00", b"\xff\xff", b"\x03\xe8\xff\xfe", b"\x03\xe8" + b"x" * 123))


def generate(random, kind, seed, index):
    session = Session(kind, seed, index)
    strange = random.choice((0, 0.02, 0.1, 0.3))
    place = random.choice((b"/mqtt", b"/mqtt", b"/live", b"/live", b"/health")) if random.random() < 0.9 else b"/mqtt?x=y"
    session.send(handshake(random, place, strange))
    if random.random() < 0.6:
        session.read(0.01)
    out = b""
    if b"/mqtt" in place:
        for packet in port_mqtt.packets(random):
            out += message(random, 2 if random.random() >= strange / 3 else 1, packet, strange)
    else:
        for _ in range(random.choice((1, 3, 10))):
            out += message(random, 1 if random.random() >= strange / 2 else 2, random.choice(SUBSCRIPTIONS), strange)
    if random.random() < 0.05:
        out += frame(random, 9, b"x" * 125, 0) * 400  # pings, of which each wants a pong
    if random.random() < 0.3:
        out += frame(random, 8, close(random), strange)
    how = random.random()
    if how < 0.05:
        out = mutate.change(random, random.choice(CORPUS))
    elif how < 0.15:
        out = mutate.change(random, out)
    mutate.deliver(random, session, out)
    session.read(0.01)
    session.end = mutate.how_it_ends(random)
    return session
