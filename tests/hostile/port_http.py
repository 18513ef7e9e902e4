"""HTTP/1.1: requests of the real API, their lines, fields, bodies and order changed."""
import pathlib
import urllib.parse

import mutate
import port_json
from session import Session

CORPUS = [path.read_bytes() for name in ("http_request", "access") for path in
          sorted((pathlib.Path(__file__).parents[2] / "fuzz/corpus" / name).iterdir())]
PLACES = ("/", "/health", "/whoami", "/metrics", "/status", "/types", "/entities", "/alerts", "/sources", "/rules", "/zones", "/map",
          "/departments", "/quarantine", "/sql/queries", "/admin/backup", "/live", "/mqtt", "/index.html", "/assets/x.js",
          "/entities/urn:ngsi-ld:Meter:m1", "/entities/urn:ngsi-ld:Vehicle:v1/history", "/quarantine/1", "/alerts/x")
POSTS = ("/ingest/gateway", "/ingest/fleet", "/ingest/clock", "/ingest/meters", "/sql", "/login", "/logout", "/admin/reload",
         "/alerts/urn:ngsi-ld:Alert:high_level:Meter:m1/acknowledge", "/alerts/x/assign", "/alerts/x/close", "/quarantine/1/replay",
         "/quarantine/1/drop", "/ingest/none")
VALUES = ("", "0", "1", "-1", "10000", "10001", "99999999999999999999", "1e3", "NaN", "a,b", "Meter", "Vehicle", "*", "open", "all",
          "2025-11-24T00:00:00Z", "9999-12-31T23:59:59Z", "0001-01-01", "119,26,120,27", "180,90,-180,-90", "-180,-90,180,90", "nan,nan,nan,nan",
          "speed>40", 'speed>40;status=="moving"', "speed>" * 500, "(((((" * 200, "level<1|level>2", "near;maxDistance==1000", "within",
          "[119.3,26.0]", "[[[0,0],[1,0],[1,1],[0,0]]]", "[" * 500, "Point", "Polygon", "keyValues,count", "-distance", "level", "%", "%zz")
PARAMETERS = ("type", "id", "idPrefix", "q", "bbox", "georel", "geometry", "coordinates", "orderBy", "limit", "offset", "options",
              "attributes", "from", "to", "points", "state", "source", "reason", "since", "until", "line")
FIELDS = (b"Connection: close", b"Connection: keep-alive", b"Connection: upgrade", b"Upgrade: websocket", b"Upgrade: h2c", b"Expect: 100-continue",
          b"Expect: x", b"Transfer-Encoding: chunked", b"Transfer-Encoding: xchunked", b"Transfer-Encoding: chunked, chunked",
          b"Transfer-Encoding:\x0bchunked", b"Content-Length: 0", b"Content-Length: -1", b"Content-Length: 0x10", b"Content-Length: 5 5",
          b"Content-Length: 18446744073709551616", b"Content-Length: 1", b"Content-Encoding: gzip", b"Content-Encoding: deflate, gzip",
          b"Accept-Encoding: gzip;q=0", b"Accept-Encoding: *;q=9", b"Accept: text/csv", b"Accept: application/vnd.apache.arrow.stream",
          b"Accept: " + b"a/b," * 300, b"Range: bytes=0-0,1-1,-1", b"If-None-Match: *", b"If-Modified-Since: x", b"Origin: http://elsewhere",
          b"Authorization: Bearer x", b"Authorization: Basic ====", b"Authorization: Basic " + b"QUFB" * 3000, b"Cookie: ficus_session=x; a=b;;",
          b"Cookie: " + b"a=b; " * 900, b"Host: other", b"Host: [::1", b"X" * 300 + b": y", b"X: " + b"y" * 9000, b": none", b"X : y", b"X", b" X: folded",
          b"X: \x80\xff", b"X: a\x00b", b"Content-Type: application/json; charset=utf-16", b"Content-Type: multipart/form-data; boundary=" + b"-" * 70,
          b"Trailer: Content-Length", b"TE: trailers", b"Sec-WebSocket-Key: x", b"Sec-WebSocket-Version: 0", b"HTTP2-Settings: AAMA")
LOGIN_SAMPLES = (b'{"user":"a","password":"b"}', b"user=a&password=b", b"user=%zz&password=%00", b'{"user":"probe","password":""}')


def target(random, places, strange):
    place = random.choice(places)
    if random.random() < 0.35:
        pairs = [(random.choice(PARAMETERS), random.choice(VALUES)) for _ in range(random.choice((1, 2, 4)))]
        if random.random() < 0.8:
            place += "?" + "&".join(f"{name}={urllib.parse.quote(value, safe=',:')}" for name, value in pairs)
        else:
            place += "?" + "&".join(f"{name}={value}" for name, value in pairs).replace(" ", "+")
    if random.random() < strange:
        place = random.choice((
            "/.." * random.randint(1, 9) + "/etc/passwd", "/%2e%2e%2f" * 4 + "etc/passwd", "//" + place, place + "/..", place + "%00", place + "%",
            "http://localhost" + place, "*", "localhost:80", place.replace("/", "/%2f"), place + "#x", place + "\\..\\", "/" + "a/" * 2000,
            "/%c0%ae%c0%ae/" + place, place + "?" + "a=b&" * 1500, "/" + urllib.parse.quote(mutate.text(random)), place + ";x=y", ""))
    return place.encode("utf-8", "surrogatepass")


def chunked(random, data, strange):
    out = b""
    while data:
        size = random.randint(1, max(1, min(len(data), 3000)))
        shown = b"%x" % size
        if random.random() < strange:
            shown = random.choice((b"", b"-1", b"+5", b"0x5", b"fffffffffffffffff", b"ffffffff", b"5 ", b" 5", b"%x" % (size + 1), b"0", b"5;" + b"x" * 5000))
        elif random.random() < 0.1:
            shown += random.choice((b";a=b", b';a="b;c"', b" ;a"))
        out += shown + (b"\r\n" if random.random() >= strange else b"\n") + data[:size] + (b"\r\n" if random.random() >= strange else b"")
        data = data[size:]
    trailer = random.choice((b"", b"", b"X: y\r\n", b"Content-Length: 5\r\n", b"X: " + b"y" * 9000 + b"\r\n"))
    return out + b"0\r\n" + trailer + b"\r\n"


def posted(random, place):
    """Body and content type for a POST there."""
    for source in port_json.SOURCES:
        if b"/ingest/" + source.encode() in place:
            return port_json.body(random, source)
    if place.startswith(b"/login"):
        return random.choice(LOGIN_SAMPLES), random.choice((b"application/json", b"application/x-www-form-urlencoded"))
    if place.startswith(b"/alerts"):
        return port_json.write(random, {"by": "somebody", "to": "none"}, 0.2), b"application/json"
    if place.startswith(b"/sql"):
        return b'{"sql": "SELECT 1", "format": "json"}', b"application/json"
    return b'{"by": "x"}', b"application/json"


def request(random):
    strange = random.choice((0, 0.02, 0.1, 0.3))
    is_post = random.random() < 0.55
    method = b"POST" if is_post else random.choice((b"GET", b"GET", b"HEAD", b"DELETE"))
    place = target(random, POSTS if is_post else PLACES, strange)
    if place.startswith(b"/admin/reload") and random.random() < 0.9:
        place = b"/ingest/gateway"  # a reload is work for everybody: not so often
    if random.random() < strange:
        method = random.choice((b"PUT", b"OPTIONS", b"TRACE", b"CONNECT", b"PATCH", b"get", b"G\x00T", b"X" * 300, b""))
    version = b"HTTP/1.1" if random.random() >= strange else random.choice((b"HTTP/1.0", b"HTTP/2.0", b"HTTP/1.12", b"HTTP/", b"", b"http/1.1"))
    fields = [b"Host: localhost"] if random.random() >= strange / 2 else []
    data, kind = posted(random, place) if is_post else (b"", b"")
    if is_post:
        fields.append(b"Content-Type: " + kind)
        if random.random() < 0.3:
            fields.append(b"Transfer-Encoding: chunked")
            data = chunked(random, data, strange)
        else:
            shown = len(data) if random.random() >= strange else max(0, len(data) + random.choice((-3, 3, 1000)))
            fields.append(b"Content-Length: %d" % shown)
    while random.random() < (0.15 if strange == 0 else 0.5):
        fields.insert(random.randrange(len(fields) + 1), random.choice(FIELDS))
    end = b"\r\n" if random.random() >= strange / 3 else random.choice((b"\n", b"\r", b"\r\r\n"))
    return method + b" " + place + b" " + version + end + end.join(fields) + end + end + data


def generate(random, kind, seed, index):
    session = Session(kind, seed, index)
    data = b"".join(request(random) for _ in range(random.choice((1, 1, 1, 2, 5))))  # the later ones are pipelined
    how = random.random()
    if how < 0.05:
        data = mutate.change(random, random.choice(CORPUS))
    elif how < 0.2:
        data = mutate.change(random, data)
    if b"/admin/backup" in data:  # it writes files where it is told to
        data = data.replace(b"directory", b"d")
    mutate.deliver(random, session, data)
    session.read(0.02)
    session.end = mutate.how_it_ends(random)
    return session


def generate_json(random, kind, seed, index):
    """Sound requests with bad bodies: what counts is behind the HTTP parser."""
    session = Session(kind, seed, index)
    for _ in range(random.choice((1, 3, 10))):
        source = random.choice(tuple(port_json.SOURCES))
        data, content = port_json.body(random, source)
        session.send(b"POST /ingest/%s?line=K2 HTTP/1.1\r\nHost: localhost\r\nContent-Type: %s\r\nContent-Length: %d\r\n\r\n"
                     % (source.encode(), content, len(data)) + data)
    session.read(0.1)
    session.end = mutate.how_it_ends(random)
    return session
