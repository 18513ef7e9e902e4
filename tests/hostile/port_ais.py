"""AIS: NMEA 0183 sentences (IEC 61162-1) with changed fields, checksums, parts that never end, and lines that are none."""
import functools
import operator
import pathlib

import mutate
from session import Session

CORPUS = [path.read_bytes() for path in sorted((pathlib.Path(__file__).parents[2] / "fuzz/corpus/ais").iterdir())]
PAYLOADS = ("169?UCPP1D8R7;0>s<l3Q2nH08CQ", "13u?etPv2;0n:dDPwUM1U1Cb069D", "B69?UCP3wj8Qjh3fk=3Q3wv03P06", "H69?UCQ<4m04r3L000000000000",
            "403t=vAvbs`?18R7;0>s<l000000", "E>l5BmJ1T4W0h97aRh6ba84<h2d4A3UP7MVJ000000N0044QDlp0C1DU00", "X_x", "", "w" * 300,
            "569?UCP2;H;p944;L00lTr0`T4pL000000000016;@D8800Ht01UFR3m@000", "00000000008")
ARMOR = "0123456789:;<=>?@ABCDEFGHIJKLMNOPQRSTUVW`abcdefghijklmnopqrstuvw"


def checksum(text):
    return functools.reduce(operator.xor, text, 0)


def armored(random):
    payload = random.choice(PAYLOADS)
    how = random.random()
    if how < 0.4:
        out = list(payload)
        for _ in range(random.randint(1, 4)):
            if out:
                out[random.randrange(len(out))] = random.choice(ARMOR)
        payload = "".join(out)
    elif how < 0.5:
        payload = "".join(random.choice(ARMOR) for _ in range(random.choice((1, 5, 28, 60, 82, 200))))
    elif how < 0.6:
        payload = payload[:random.randint(0, len(payload))]
    return payload


def sentence(random, strange):
    parts, part, group = 1, 1, ""
    if random.random() < 0.4:  # of several, some of which never come
        parts = random.choice((2, 2, 3, 9))
        part, group = random.randint(1, parts), str(random.randrange(10))
    fields = [random.choice(("AIVDM", "AIVDO", "BSVDM", "ABVDM", "GPGLL" if random.random() < strange else "AIVDM")), str(parts), str(part), group,
              random.choice("AB"), armored(random), str(random.choice((0, 0, 2, 5)))]
    if random.random() < strange:
        fields[random.randrange(len(fields))] = random.choice(("", "0", "-1", "99", "x" * 90, "\x00", "é", "1e3"))
    if random.random() < strange:
        fields.insert(random.randrange(len(fields)), "")
    body = ",".join(fields).encode("utf-8")
    shown = b"*%02X" % checksum(body) if random.random() >= strange else random.choice((b"", b"*", b"*0", b"*GG", b"*00", b"*%02x" % checksum(body)))
    line = random.choice((b"!", b"!", b"!", b"$" if random.random() < strange else b"!")) + body + shown
    if random.random() < 0.15:
        tag = random.choice((b"s:station,c:1428621738", b"g:1-2-%d,s:r" % random.randrange(20), b"c:99999999999999999999", b"x" * 300, b"g:9-1-", b""))
        line = b"\\" + tag + b"*%02X" % (checksum(tag) if random.random() >= strange else 0) + b"\\" + line
    if random.random() < 0.1:
        line += random.choice((b",1325394060", b",d-109,S2105,r003669946,1325394060", b",x" * 50))
    return line


def generate(random, kind, seed, index):
    session = Session(kind, seed, index)
    strange = random.choice((0, 0.05, 0.3))
    for _ in range(random.choice((1, 5, 20)) if kind == "ais-udp" else 1):
        end = random.choice((b"\r\n", b"\r\n", b"\n", b"\r", b""))
        data = b"".join(sentence(random, strange) + end for _ in range(random.choice((1, 3, 20))))
        if random.random() < 0.03:
            data += b"!AIVDM,1,1,,A," + b"0" * random.choice((1000, 59_000))
        if random.random() < 0.25:
            data = mutate.change(random, data if random.random() < 0.7 else random.choice(CORPUS))
        if kind == "ais-udp":
            session.send(data[:60_000]).wait(0.01)  # a flood is another test (test_doors): here they shall be read
        else:
            mutate.deliver(random, session, data)
    session.end = "close" if kind == "ais-udp" else mutate.how_it_ends(random)
    return session
