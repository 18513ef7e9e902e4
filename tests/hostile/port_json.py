"""JSON bodies: samples of every mapping of the pack, with values, keys and spelling changed, then bytes."""
import json
import pathlib

import mutate

NOW_US = 1_764_000_000_000_000  # fixed, so that a seed gives the same bytes tomorrow

SAMPLES = {
    "meter": {"meter": "m1", "t": NOW_US, "n": 1, "level": 12.5},
    "vehicle": {"id": "v1", "time": "2025-11-24T16:15:00.250+08:00", "spd": 21.5, "lon": 119.3, "lat": 26.08, "st": 1, "door": "ON",
                "owner": "city", "more": {"a": [1, {"b": None}]}, "y": 2025, "m": 11, "d": 24,
                "shape": {"type": "LineString", "coordinates": [[119.3, 26.0], [119.4, 26.1]]}},
    "fleet": {"operator": "bus", "time": NOW_US // 1000, "vehicles": [
        {"id": "1", "kind": "bus", "spd km/h": "40.5", "at": [26.08, 119.3]}, {"id": "2", "kind": "tram", "spd km/h": -9999, "at": "26.1,119.3"},
        {"id": "3", "kind": "other"}]},
    "clock": {"id": "c1", "time": "2025/11/24 16:15:00 +0800", "spd": 3},
}
SOURCES = {"gateway": "meter", "fleet": "fleet", "clock": "clock"}
CORPUS = [path.read_bytes() for name in ("json", "mapping") for path in
          sorted((pathlib.Path(__file__).parents[2] / "fuzz/corpus" / name).iterdir())]

# As they are written: what a number, a text, a value may be at its worst.
SPELLINGS = (
    b"1e400", b"-1e400", b"1e-400", b"-0", b"-0.0", b"9223372036854775807", b"9223372036854775808", b"-9223372036854775809",
    b"1" * 400, b"0." + b"3" * 400, b"1" + b"0" * 309, b"4.9e-324", b"2.4703282292062327e-324", b"1.7976931348623159e308", b"01", b"1.", b".5",
    b"+1", b"1e", b"NaN", b"Infinity", b"true", b"false", b"null", b"nul", b"{}", b"[]", b'""', b'"\\ud800"', b'"\\udc00\\ud800"',
    b'"\\ud83d\\ude8d"', b'"\\u0000"', b'"\xff"', b'"\xc0\xaf"', b'"\xed\xa0\x80"', b'"\xf4\x90\x80\x80"', b'"\x00"', b'"\t"', b'"\\x"', b'"\\u12"',
    b'"abc', b"'a'", b"/* */1", b"[1,]", b'{"a":1,}', b'{"a"}', b'{1:2}', b'"' + b"x" * 70_000 + b'"', b"[" * 63 + b"]" * 63,
    b"[" * 64 + b"]" * 64, b"[" * 65 + b"]" * 65, b"[" * 5000, b'{"a":' * 3000, b"[" + b"1," * 3000 + b"1]",
    b"9999999999999999", b"-62135596800000000", b"253402300800000000", b'"9999-12-31T23:59:60Z"', b'"0000-00-00T00:00:00Z"',
    b'"2025-02-30T25:61:61+99:99"', b'"-1"', b'"1e5"', b'"0x10"', b'" 5"', b"[181, 91]", b"[1e308, -1e308]", b'[null, null]',
    b'{"type":"Point","coordinates":[119.3,26.0]}', b'{"type":"Polygon","coordinates":[[]]}', b'{"type":"Polygon","coordinates":[[[0,0],[1,1]]]}',
    b'{"type":"GeometryCollection","geometries":[{"type":"GeometryCollection","geometries":[]}]}')


def write(random, value, strange):
    """The value as JSON; with chance `strange` a value is replaced, a key doubled, left out or renamed."""
    if random.random() < strange:
        return random.choice(SPELLINGS)
    if isinstance(value, dict):
        members = []
        for key, member in value.items():
            if random.random() < strange / 2:
                continue
            name = json.dumps(key if random.random() >= strange / 4 else mutate.text(random)).encode()
            members.append(name + b":" + write(random, member, strange))
            if random.random() < strange:
                members.append(name + b":" + random.choice(SPELLINGS))
        return b"{" + b",".join(members) + b"}"
    if isinstance(value, list):
        times = random.choice((1, 1, 1, 0, 40)) if random.random() < strange else 1
        return b"[" + b",".join(write(random, element, strange) for _ in range(times) for element in value) + b"]"
    if isinstance(value, str) and random.random() < strange:
        return json.dumps(mutate.text(random), ensure_ascii=random.random() < 0.5).encode("utf-8", "surrogatepass")
    if isinstance(value, (int, float)) and not isinstance(value, bool) and random.random() < 0.5:
        return repr(value + random.randrange(100_000)).encode()
    return json.dumps(value).encode()


def payload(random, name):
    """A payload for the mapping of that sample."""
    if random.random() < 0.04:
        return mutate.change(random, random.choice(CORPUS))
    strange = random.choice((0, 0.03, 0.1, 0.3))
    sample = dict(SAMPLES[name])
    if "meter" in sample:
        sample["meter"] = f"m{random.randrange(400)}"
    if "id" in sample:
        sample["id"] = f"v{random.randrange(400)}"
    body = write(random, sample, strange)
    return mutate.change(random, body, 3) if random.random() < 0.15 else body


def body(random, source):
    """A body for POST /ingest/SOURCE and its content type."""
    sample = SOURCES[source]
    how = random.random()
    if how < 0.4:
        return payload(random, sample), b"application/json"
    items = [payload(random, sample) for _ in range(random.choice((0, 1, 5, 12)))]
    if how < 0.7:
        return b"[" + random.choice((b",", b", ", b",\n")).join(items) + b"]", b"application/json"
    return random.choice((b"\n", b"\r\n", b"\n\n", b"\r")).join(items), b"application/x-ndjson"
