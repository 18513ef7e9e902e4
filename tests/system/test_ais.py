"""A recorded AIS log, over UDP and over TCP, against an independent count in Python."""
import socket
import unittest

import harness

FILE = harness.DATA / "ais/opencpn/Hakefjord.log.zst"
BOX = (11.6, 57.9, 11.9, 58.1)  # west, south, east, north: the zone of packs/harbour
MAPPED = {1, 2, 3, 5, 11, 18, 19, 24, 27}


def bits_of(payload):
    bits = []
    for c in payload:
        v = ord(c) - 48
        v = v - 8 if v > 40 else v
        bits.append(format(v, "06b"))
    return "".join(bits)


def signed(bits):
    value = int(bits, 2)
    return value - (1 << len(bits)) if bits[0] == "1" else value


def checksum_fits(line):
    body, star, given = line[1:].rpartition("*")
    if not star or len(given.strip()) < 2:
        return line[3:6] not in ("VDM", "VDO")  # other sentences may go without
    sum_ = 0
    for c in body.encode("latin-1"):
        sum_ ^= c
    return format(sum_, "02X") == given.strip().upper()[:2]


class KernelDropped(Exception):
    pass


class Counted:
    """What the log holds, read with as little code as will do."""

    def __init__(self, lines):
        self.not_ais = self.vessel_rows = self.damaged = 0
        self.other = {}
        self.vessels = set()
        self.in_zone = set()
        waiting = {}
        for line in lines:
            if not line:
                continue
            if line[3:6] not in ("VDM", "VDO"):
                if line[0] in "$!" and checksum_fits(line):
                    self.not_ais += 1
                else:
                    self.damaged += 1
                continue
            if not checksum_fits(line):
                self.damaged += 1
                continue
            fields = line.split("*")[0].split(",")
            count, number = int(fields[1]), int(fields[2])
            payload = fields[5]
            if count > 1:
                key = (fields[0], fields[3], fields[4])
                parts = waiting.setdefault(key, [])
                if number != len(parts) + 1:
                    raise AssertionError("the log has fragments out of order: count them")
                parts.append(payload)
                if number < count:
                    continue
                payload = "".join(waiting.pop(key))
            self.message(bits_of(payload))
        assert not waiting

    def message(self, bits):
        kind = int(bits[:6], 2)
        mmsi = int(bits[8:38], 2)
        if kind in MAPPED:
            self.vessel_rows += 1
            self.vessels.add(mmsi)
            where = {1: 61, 2: 61, 3: 61, 18: 57, 19: 57}.get(kind)
            if where:
                lon, lat = signed(bits[where:where + 28]) / 600000, signed(bits[where + 28:where + 55]) / 600000
                if BOX[0] <= lon <= BOX[2] and BOX[1] <= lat <= BOX[3]:
                    self.in_zone.add(mmsi)
        else:
            self.other[kind] = self.other.get(kind, 0) + 1


@unittest.skipUnless(FILE.exists(), f"recorded data is not there: {FILE}")
class Hakefjord(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        lines = harness.read_zst(FILE).decode("latin-1").replace("\r", "\n").split("\n")
        cls.expected = Counted(lines)

    @staticmethod
    def dropped(brain):
        for line in brain.request("GET", "/metrics")[1].decode().splitlines():
            if line.startswith("ficus_ais_datagrams_dropped_total{"):
                return int(float(line.rsplit(" ", 1)[1]))
        raise AssertionError("no count of dropped datagrams in /metrics")

    def replay(self, transport, kind):
        port = harness.free_port(kind)
        expected = self.expected
        with harness.Brain("harbour", transport=transport, port=port) as brain:
            print(brain.run("replay", str(FILE), "--to", f"{transport}://127.0.0.1:{port}", "--speed", "0"), end="")
            received = expected.not_ais + expected.damaged + expected.vessel_rows + sum(expected.other.values())
            dropped = lambda: self.dropped(brain) if transport == "udp" else 0
            brain.wait_for("every line to be booked or dropped",
                           lambda: brain.books("coast")["received"] >= received or dropped() > 0, 120)
            if dropped() > 0:
                raise KernelDropped(f"the kernel dropped {dropped()} datagrams")
            books = brain.books("coast")
            harness.assert_balanced(self, books)
            self.assertEqual(books["received"], received)
            self.assertEqual(books["quarantined"], expected.damaged)
            refused = books["refusedBy"]
            self.assertEqual(refused.pop("not_ais"), expected.not_ais)
            mapped_elsewhere = {4: "AisBaseStation", 9: "SarAircraft", 21: "AidToNavigation"}
            unmapped = {f"ais_type_{k}": n for k, n in expected.other.items() if k not in mapped_elsewhere}
            self.assertEqual(refused, unmapped)
            kept = books["applied"] + books["late"]
            others = sum(n for k, n in expected.other.items() if k in mapped_elsewhere)
            self.assertEqual(kept + books["duplicate"], expected.vessel_rows + others)
            brain.wait_for_history("Vessel", expected.vessel_rows - books["duplicate"])
            self.assertEqual(brain.sql("SELECT count(DISTINCT id) FROM Vessel")[0][0], len(expected.vessels))
            tables = ["Vessel"] + [name for k, name in mapped_elsewhere.items() if k in expected.other]
            rows = sum(brain.sql(f"SELECT count(*) FROM {table}")[0][0] for table in tables)
            self.assertEqual(rows, kept)
            if expected.in_zone:
                brain.wait_for_history("Alert", len(expected.in_zone))
                raised = brain.sql("SELECT DISTINCT alertSource FROM Alert WHERE rule = 'vessel_in_fairway'")
                self.assertEqual({row[0] for row in raised},
                                 {f"urn:ngsi-ld:Vessel:{mmsi:09d}" for mmsi in expected.in_zone})

    def test_over_udp(self):
        # On a busy machine the kernel may drop datagrams before anybody can read them; it says so, and the replay is
        # then repeated.
        for _ in range(4):
            try:
                return self.replay("udp", socket.SOCK_DGRAM)
            except KernelDropped as dropped:
                print(dropped, flush=True)
        self.fail("the kernel dropped datagrams in every replay")

    def test_over_tcp(self):
        self.replay("tcp", socket.SOCK_STREAM)


if __name__ == "__main__":
    unittest.main(verbosity=2)
