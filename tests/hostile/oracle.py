"""What no answer may be, whatever was asked."""
import re

from server import CANARY

STATUS = re.compile(rb"HTTP/1\.1 (\d{3}) ")
# 500 is a fault of ours. 503, 504, 507: it is too much at present; 501, 505: something we do not speak.
FORBIDDEN = (b"500", b"502")
# What the refusals of each port are counted as: the sum of these must have grown.
COUNTED = {
    "mqtt": ("ficus_mqtt_protocol_errors_total",), "mqtts": ("ficus_tls_refused_total",), "https": ("ficus_tls_refused_total",),
    "wss": ("ficus_tls_refused_total",), "http": ('ficus_http_requests_malformed_total',),
    "json": ('ficus_items_quarantined_total{source="gateway"',), "ais-udp": ('ficus_items_quarantined_total{source="coast"', 'ficus_items_refused_total{source="coast"'),
    "ais-tcp": ('ficus_items_quarantined_total{source="pilot"', 'ficus_items_refused_total{source="pilot"')}


def look(session, answer):
    """A line for each thing that is wrong with the answer to a session."""
    wrong = []
    if CANARY.encode() in answer:
        wrong.append("a file was read that nobody may read")
    if b"root:x:0:0" in answer:
        wrong.append("/etc/passwd was read")
    if not session.kind.startswith(("mqtt", "ais")):
        for status in STATUS.findall(answer):
            if status in FORBIDDEN:
                at = answer.index(b"HTTP/1.1 " + status)
                wrong.append(f"answered {answer[at:at + 700]!r}")
                break
    return wrong


def uncounted(before, after, sessions):
    """Ports whose refusals have not been counted, though there must have been some."""
    problems = []
    for kind, names in COUNTED.items():
        def total(values):
            return sum(value for name, value in values.items() if name.startswith(names))  # pylint: disable=cell-var-from-loop
        if sessions.get(kind, 0) >= 200 and total(after) <= total(before):
            problems.append(f"{kind}: no refusal is counted in {', '.join(names)}")
    return problems
