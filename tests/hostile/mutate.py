"""Changes to bytes, and how they are cut into pieces. All takes its chances from the given random numbers."""

WORTHY = (0, 1, 0x7F, 0x80, 0xFF, 0x0A, 0x0D, 0x20, 0x22, 0x25, 0x2F, 0x3A, 0x5C, 0x7B, 0xC0, 0xED, 0xEF, 0xF4)


def change(random, data, most=6):
    """Up to `most` small changes anywhere."""
    out = bytearray(data)
    for _ in range(random.randint(1, most)):
        at = random.randrange(len(out) + 1)
        what = random.randrange(9)
        if what == 0 and at < len(out):
            out[at] ^= 1 << random.randrange(8)
        elif what == 1 and at < len(out):
            out[at] = random.choice(WORTHY)
        elif what == 2:
            del out[at:at + random.randint(1, 20)]
        elif what == 3:
            begin = random.randrange(len(out) + 1)
            out[at:at] = out[begin:begin + random.randint(1, 60)]
        elif what == 4:
            out[at:at] = bytes([random.choice(WORTHY)]) * random.randint(1, 40)
        elif what == 5:
            out[at:at] = random.randbytes(random.randint(1, 16))
        elif what == 6:
            del out[at:]
        elif what == 7 and len(out) > 1:
            other = random.randrange(len(out))
            size = random.randint(1, 12)
            out[at:at + size], out[other:other + size] = out[other:other + size], out[at:at + size]
        else:
            out[at:at] = random.choice((b"\x00", b"\xff\xff\xff\xff", b"\x80\x80\x80\x80\x01", b"\r\n", b"\n", b"\r\n\r\n",
                                        b"%00", b"\xc0\xaf", b"\xed\xa0\x80", b"\xf4\x90\x80\x80", b"-1", b"99999999999999999999"))
    return bytes(out[:200_000])


def deliver(random, session, data):
    """Adds the bytes to the session: at once, in pieces, or byte by byte, sometimes with waits in between."""
    how = random.random()
    if how < 0.5 or len(data) < 2:
        session.send(data)
    elif how < 0.9:
        cuts = sorted(random.randrange(len(data)) for _ in range(random.randint(1, 6)))
        for begin, end in zip([0, *cuts], [*cuts, len(data)]):
            session.send(data[begin:end])
            if random.random() < 0.2:
                session.wait(random.choice((0.0005, 0.003)))
    else:
        for at in range(min(len(data), 60)):
            session.send(data[at:at + 1])
        session.send(data[60:])
    return session


def how_it_ends(random):
    return random.choices(("close", "reset", "half", "leave"), (60, 15, 15, 10))[0]


def text(random):
    """A text that somebody may have forgotten: of any script, empty, long, with what means something elsewhere."""
    return random.choice((
        "", "a", "x" * random.choice((10, 255, 256, 65535, 70000)), "公交车", "\u0000", "../../etc/passwd", "' OR 1=1 --", "$share/g/#",
        "+", "#", "a/+/b", "ficus/alert/x", "\ufeffbom", "e\u0301\u0302" * random.randint(1, 50), "\U0001f68d", "\u202eabc", "%s%n%x",
        "{$.x}", "{{", "<script>", "-0", "1e999", "NaN", "null", "\n\n", "\r\nX: y", "urn:ngsi-ld:Meter:1", "a" * 513))
