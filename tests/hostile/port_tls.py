"""TLS: hellos that are cut, changed or repeated, records that are none, and sound handshakes whose records are changed on their
way. Keys are made by OpenSSL here, so the bytes of the latter differ from run to run; what is done to them does not."""
import socket
import ssl
import struct

import mutate
from session import Plain, Session

CIPHERS = (0x1301, 0x1302, 0x1303, 0xC02B, 0xC02F, 0xCCA8, 0x009C, 0x002F, 0x0005, 0x00FF, 0x5600)


def extension(kind, body):
    return struct.pack(">HH", kind, len(body)) + body


def listed(body, form=">H"):
    return struct.pack(form, len(body)) + body


def hello(random, strange):
    """A ClientHello (RFC 8446, 4.1.2) with its record."""
    ciphers = b"".join(struct.pack(">H", cipher) for cipher in random.sample(CIPHERS, random.randint(1, len(CIPHERS))))
    if random.random() < strange:
        ciphers = random.randbytes(random.choice((0, 1, 3, 60000)))
    share = listed(struct.pack(">HH", 0x001D, 32) + random.randbytes(32))
    extensions = [extension(0, listed(b"\0" + listed(b"localhost"))), extension(10, listed(b"\x00\x1d\x00\x17\x00\x18")),
                  extension(13, listed(b"\x04\x03\x08\x04\x04\x01\x08\x07")), extension(43, listed(random.choice((b"\x03\x04", b"\x03\x04\x03\x03", b"\x03\x03", b"\x7f\x1c")), ">B")),
                  extension(51, share), extension(16, listed(listed(random.choice((b"http/1.1", b"h2", b"")), ">B"))), extension(35, random.randbytes(random.choice((0, 32, 200)))),
                  extension(23, b""), extension(0xFF01, b"\0"), extension(45, b"\x01\x01")]
    while random.random() < strange:
        extensions.append(random.choice((extension(random.randrange(65536), random.randbytes(random.choice((0, 5, 5000)))), random.choice(extensions),
                                         extension(41, random.randbytes(70)), extension(42, b""), extension(0, listed(b"\0" + listed(b"\0" * 300))), extension(51, b"\xff\xff"))))
    if random.random() < strange:
        random.shuffle(extensions)
    body = b"".join(extensions)[:65535]
    body = random.choice((b"\x03\x03", b"\x03\x01", b"\x03\x00") if random.random() < strange else (b"\x03\x03",)) + random.randbytes(32) + \
        listed(random.randbytes(random.choice((0, 32))), ">B") + listed(ciphers) + b"\x01\x00" + listed(body)
    size = len(body) if random.random() >= strange else random.choice((0, len(body) + 1, 0xFFFFFF, max(0, len(body) - 1)))
    message = b"\x01" + struct.pack(">I", size)[1:] + body
    out = b""
    while message:  # in records of some length
        part = min(len(message), random.choice((16384, 16384, 100, 1)) if random.random() < 0.3 else 16384)
        out += record(random, 22, message[:part], strange / 4)
        message = message[part:]
        if len(out) > 4000 and part == 1:
            break
    return out


def record(random, kind, body, strange):
    version = b"\x03\x01" if random.random() >= strange else random.choice((b"\x03\x04", b"\x02\x00", b"\xff\xff"))
    size = len(body) if random.random() >= strange else random.choice((0, 16385, 65535, len(body) + 1))
    return bytes([kind]) + version + struct.pack(">H", size) + body


def generate_raw(random, kind, seed, index):
    """Bytes in place of a handshake."""
    session = Session(kind + "-raw", seed, index)
    strange = random.choice((0, 0.1, 0.4))
    data = hello(random, strange)
    how = random.randrange(9)
    if how == 0:
        data = data[:random.randrange(len(data))]
    elif how == 1:
        data = mutate.change(random, data)
    elif how == 2:
        data += hello(random, strange) * random.choice((1, 5))  # again, in place of an answer
    elif how == 3:
        data = b"".join(record(random, random.choice((20, 21, 22, 23, 24, 99)), random.randbytes(random.choice((0, 1, 2, 40, 2000))), strange)
                        for _ in range(random.choice((1, 5, 40))))
    elif how == 4:
        data = random.choice((b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n", b"\x10\x10\x00\x04MQTT\x04\x02\x00\x3c\x00\x04abcd", b"\x80\x2e\x01\x00\x02" + random.randbytes(40)))
    elif how == 5:
        data += record(random, 21, random.choice((b"\x01\x00", b"\x02\x28", b"\x01", b"\x01\x5a" * 30)), strange)
    elif how == 6:
        data += record(random, 23, random.randbytes(500), strange) * random.choice((1, 20))
    mutate.deliver(random, session, data)
    session.read(0.02)
    session.end = mutate.how_it_ends(random)
    return session


def add_changes(random, session):
    """What is done to some of the client's records of a sound connection: (number of the record, what, a number)."""
    if random.random() < 0.4:
        session.records = [(random.randrange(12), random.choice(("flip", "cut", "twice", "plain", "alert", "hello", "drop")), random.randrange(1 << 30))
                           for _ in range(random.choice((1, 1, 3)))]
    return session


class Encrypted(Plain):
    """A TLS connection whose records can be changed on their way out."""

    def __init__(self, port, changes=(), timeout=20, source=None):
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=timeout, source_address=source)
        self.socket.settimeout(timeout)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        if any(number % 3 == 0 for number, *_ in changes):
            context.maximum_version = ssl.TLSVersion.TLSv1_2
        self.changes = {number: (what, chance) for number, what, chance in changes}
        self.sent_records = 0
        self.incoming, self.outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.tls = context.wrap_bio(self.incoming, self.outgoing, server_hostname="localhost")
        try:
            self.until_done(self.tls.do_handshake)
        except (OSError, ssl.SSLError):
            self.socket.close()
            raise

    def until_done(self, task):
        while True:
            try:
                result = task()
                self.flush()
                return result
            except ssl.SSLWantReadError:
                self.flush()
                data = self.socket.recv(65536)
                if not data:
                    raise ConnectionResetError("closed") from None
                self.incoming.write(data)

    def flush(self):
        data = self.outgoing.read()
        out = b""
        while data:
            size = 5 + int.from_bytes(data[3:5], "big")
            one, data = data[:size], data[size:]
            out += self.changed(bytearray(one))
            self.sent_records += 1
        if out:
            self.socket.sendall(out)

    def changed(self, one):
        what, chance = self.changes.get(self.sent_records, ("", 0))
        if what == "flip":
            one[chance % len(one)] ^= 1 << (chance >> 8) % 8
        elif what == "cut":
            del one[chance % len(one):]
        elif what == "twice":
            one += bytes(one)
        elif what == "plain":
            one += b"GET / HTTP/1.1\r\n\r\n"
        elif what == "alert":
            one += b"\x15\x03\x03\x00\x02\x02" + bytes([chance % 256])
        elif what == "hello":
            one += b"\x16\x03\x03\x00\x04\x01\x00\x00\x00"
        elif what == "drop":
            del one[:]
        return bytes(one)

    def send(self, data):
        for at in range(0, len(data), 65536):
            part = data[at:at + 65536]
            self.until_done(lambda: self.tls.write(part))

    def pending(self):
        return self.tls.pending() > 0 or self.incoming.pending > 0

    def receive(self):
        try:
            return self.until_done(lambda: self.tls.read(65536))
        except ssl.SSLZeroReturnError:
            return b""
