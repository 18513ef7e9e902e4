"""kill -9 at random moments while meters send over MQTT QoS 1 and HTTP and vessels over AIS: what was acknowledged is there
afterwards, exactly once, and so are sessions and retained messages; a QoS 2 publisher and subscriber lose and double nothing.

FICUS_CRASH_KILLS=200 python3 -m unittest -v test_crash     more of the same; FICUS_CRASH_SEED chooses other moments
"""
import collections
import http.client
import json
import os
import random
import socket
import threading
import time
import unittest

import paho.mqtt.client as mqtt

import harness

KILLS = int(os.environ.get("FICUS_CRASH_KILLS", "50"))
SEED = int(os.environ.get("FICUS_CRASH_SEED", "1"))

AIS_TYPES = ("Vessel", "AisBaseStation", "SarAircraft", "AidToNavigation")


class Meter(threading.Thread):
    """Sends numbered readings until told to stop; a reading that was not acknowledged is sent again, unchanged."""

    def __init__(self, brain, name):
        super().__init__(daemon=True)
        self.brain = brain
        self.name_ = name
        self.running = True
        self.number = 0
        self.unacknowledged = {}  # number -> payload
        self.acknowledged = set()

    def next_reading(self):
        self.number += 1
        reading = {"meter": self.name_, "n": self.number, "t": 1_700_000_000_000_000 + self.number * 1000,
                   "level": self.number % 100}
        self.unacknowledged[self.number] = json.dumps(reading)
        return self.number

    def acknowledge(self, number):
        if self.unacknowledged.pop(number, None) is not None:
            self.acknowledged.add(number)


class HttpMeter(Meter):
    def run(self):
        while self.running or self.unacknowledged:
            while self.running and len(self.unacknowledged) < 20:
                self.next_reading()
            batch = dict(self.unacknowledged)
            try:
                status, _ = self.brain.request("POST", "/ingest/gateway", "\n".join(batch.values()) + "\n",
                                               {"Content-Type": "application/x-ndjson"}, timeout=10)
            except (OSError, http.client.HTTPException):
                time.sleep(0.05)
                continue
            if status == 200:
                for number in batch:
                    self.acknowledge(number)


class MqttMeter(Meter):
    WINDOW = 50

    def run(self):
        while self.running or self.unacknowledged:
            try:
                self.connection()
            except OSError:
                time.sleep(0.05)

    def connection(self):
        """One connection: first what is owed, then new readings."""
        in_flight = {}
        lock = threading.Lock()
        connected = threading.Event()
        broken = threading.Event()
        client = mqtt.Client(client_id=self.name_, clean_session=True)
        client.max_inflight_messages_set(self.WINDOW)
        client.on_connect = lambda *_: connected.set()
        client.on_disconnect = lambda *_: broken.set()

        def on_publish(_client, _data, mid):
            with lock:
                number = in_flight.pop(mid, None)
                if number is None:
                    early.add(mid)
                else:
                    self.acknowledge(number)

        early = set()
        client.on_publish = on_publish
        client.connect("127.0.0.1", self.brain.mqtt_port, keepalive=10)
        client.loop_start()
        try:
            if not connected.wait(3):
                return
            owed = sorted(self.unacknowledged)
            while not broken.is_set() and (self.running or self.unacknowledged):
                if owed:
                    number = owed.pop(0)
                elif self.running and len(in_flight) < self.WINDOW:
                    number = self.next_reading()
                else:
                    time.sleep(0.001)
                    continue
                # Not under the lock: paho calls on_publish with a lock of its own held, which publish takes too.
                info = client.publish(f"meter/{self.name_}", self.unacknowledged[number], qos=1)
                with lock:
                    if info.mid in early:
                        early.discard(info.mid)
                        self.acknowledge(number)
                    else:
                        in_flight[info.mid] = number
        finally:
            client.loop_stop()
            client.disconnect()


class OnceClient(mqtt.Client):
    """What paho forgets when a first attempt to reconnect fails: that the PUBREC has come, so that PUBREL is owed and
    not the PUBLISH again, which would be another message (MQTT 3.1.1, 4.3.3)."""

    def _messages_reconnect_reset_out(self):
        taken = [message for message in self._out_messages.values()
                 if message.state in (mqtt.mqtt_ms_wait_for_pubcomp, mqtt.mqtt_ms_resend_pubrel)]
        super()._messages_reconnect_reset_out()
        for message in taken:
            message.state = mqtt.mqtt_ms_resend_pubrel


class OnceMeter(Meter):
    """QoS 2 with a session of its own that lasts: the client sends again what is owed, and nothing else does."""
    WINDOW = 20

    def run(self):
        lock = threading.Lock()
        in_flight = {}
        early = set()
        client = OnceClient(client_id=self.name_, clean_session=False)
        client.max_inflight_messages_set(self.WINDOW)
        client.max_queued_messages_set(0)
        client.reconnect_delay_set(1, 1)

        def on_publish(_client, _data, mid):
            with lock:
                if mid in in_flight:
                    self.acknowledge(in_flight.pop(mid))
                else:
                    early.add(mid)

        client.on_publish = on_publish
        # The loop makes the first connection, too: the brain may be down when this thread gets its turn.
        client.connect_async("127.0.0.1", self.brain.mqtt_port, keepalive=10)
        client.loop_start()
        while self.running or self.unacknowledged:
            if not self.running or len(self.unacknowledged) >= self.WINDOW:
                time.sleep(0.001)
                continue
            number = self.next_reading()
            info = client.publish(f"meter/{self.name_}", self.unacknowledged[number], qos=2)
            with lock:
                if info.mid in early:
                    early.discard(info.mid)
                    self.acknowledge(number)
                else:
                    in_flight[info.mid] = number
        client.loop_stop()
        client.disconnect()


class Vessels(threading.Thread):
    """Sends a recorded AIS log over UDP, which acknowledges nothing: what was taken must be booked and kept all the same."""

    def __init__(self, port):
        super().__init__(daemon=True)
        self.port = port
        self.running = True
        self.sent = 0

    def run(self):
        lines = harness.read_zst(harness.DATA / "ais/opencpn/Hakefjord.log.zst").splitlines()
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as out:
            while self.running:
                try:
                    out.sendto(lines[self.sent % len(lines)] + b"\r\n", ("127.0.0.1", self.port))
                except ConnectionRefusedError:
                    pass  # nobody listens just now
                self.sent += 1
                time.sleep(0.002)


class Subscriber:
    """A persistent session that hears every meter; remembers what it was handed, and how often."""

    def __init__(self, port, name="archive", topic="meter/#", qos=1):
        self.heard = collections.Counter()
        self.sessions = []
        self.subscribed = threading.Event()
        self.topic = topic
        self.qos = qos
        self.client = mqtt.Client(client_id=name, clean_session=False)
        self.client.on_message = lambda _c, _d, m: self.heard.update([(m.topic, json.loads(m.payload)["n"])])
        self.client.on_connect = self.on_connect
        self.client.on_subscribe = lambda *_: self.subscribed.set()
        self.client.reconnect_delay_set(1, 1)
        self.client.connect("127.0.0.1", port, keepalive=10)
        self.client.loop_start()

    def on_connect(self, client, _data, flags, _code):
        self.sessions.append(flags["session present"])
        if not flags["session present"]:
            client.subscribe(self.topic, qos=self.qos)

    def stop(self):
        self.client.loop_stop()
        self.client.disconnect()


class Crash(unittest.TestCase):
    brain_class = harness.Brain
    outages = KILLS
    least_acknowledged = KILLS * 20
    books_go_forward = True  # a killed process leaves what it has written to the system, whether synced or not

    def test_nothing_acknowledged_is_lost(self):
        chance = random.Random(SEED)
        ais_port = harness.free_port(socket.SOCK_DGRAM)
        with self.brain_class("outage", ais_port=ais_port,
                              config="mqtt: {session_messages_max: 1000000, session_kib_max: 1048576}\n") as brain:
            publisher = mqtt.Client(client_id="marks", clean_session=True)
            publisher.connect("127.0.0.1", brain.mqtt_port)
            publisher.loop_start()
            for i in range(20):
                publisher.publish(f"mark/{i}", f"kept {i}", qos=1, retain=True).wait_for_publish(5)
            publisher.loop_stop()
            publisher.disconnect()
            subscriber = Subscriber(brain.mqtt_port)
            once = Subscriber(brain.mqtt_port, "once", "meter/q0", 2)
            for each in (subscriber, once):
                self.assertTrue(each.subscribed.wait(30))
            meters = [MqttMeter(brain, f"m{i}") for i in range(3)] + [HttpMeter(brain, f"h{i}") for i in range(2)]
            meters.append(OnceMeter(brain, "q0"))
            vessels = Vessels(ais_port)
            for sender in (*meters, vessels):
                sender.start()
            received_before = 0
            for cycle in range(self.outages):
                time.sleep(chance.uniform(0.05, 0.9))
                brain.kill()
                brain.start()
                received = sum(brain.books(name)["received"] for name in ("meters", "gateway"))
                if self.books_go_forward:
                    self.assertGreaterEqual(received, received_before, "the books went backwards")
                received_before = received
                print(f"outage {cycle + 1}: {sum(len(m.acknowledged) for m in meters)} acknowledged", flush=True)
            brain.wait_for("enough to look at", lambda: sum(len(m.acknowledged) for m in meters) > self.least_acknowledged
                           and len(meters[-1].acknowledged) > self.outages
                           and brain.books("coast")["applied"] > self.outages)
            for sender in (*meters, vessels):
                sender.running = False
            for meter in meters:
                meter.join(60)
                self.assertFalse(meter.is_alive(), f"{meter.name_} still has {len(meter.unacknowledged)} unacknowledged")
            total = sum(len(meter.acknowledged) for meter in meters)
            brain.wait_for_history("Meter", total)
            time.sleep(0.5)
            for meter in meters:
                # Everything that was numbered has been acknowledged in the end, so the rows must be 1 to N, once each.
                self.assertEqual(meter.acknowledged, set(range(1, meter.number + 1)), meter.name_)
                found = brain.sql("SELECT count(*), count(DISTINCT sequence), min(sequence), max(sequence) FROM Meter "
                                  f"WHERE id = 'urn:ngsi-ld:Meter:{meter.name_}'")[0]
                self.assertEqual([int(float(value)) for value in found], [meter.number, meter.number, 1, meter.number],
                                 f"{meter.name_}: rows, different rows, first, last")
            for name in ("meters", "gateway", "coast"):
                harness.assert_balanced(self, brain.books(name))
            vessels.join(10)

            def ais_rows():
                coast = brain.books("coast")  # anew each time: the last datagrams may still be on their way
                tables = [entry["name"] for entry in brain.get("/types") if entry["name"] in AIS_TYPES]
                return coast["applied"] + coast["late"] == sum(
                    int(brain.sql(f"SELECT count(*) FROM {table}")[0][0]) for table in tables)

            brain.wait_for("every AIS message in history", ais_rows)
            self.assertLessEqual(brain.books("coast")["received"], vessels.sent)
            # The subscriber's session was always resumed, and every acknowledged message has reached it.
            self.assertEqual(subscriber.sessions[0], 0)
            self.assertTrue(all(subscriber.sessions[1:]), subscriber.sessions)
            wanted = {(f"meter/{m.name_}", n) for m in meters
                      if isinstance(m, (MqttMeter, OnceMeter)) for n in m.acknowledged}
            # QoS 2 from end to end: each message once, none twice and none missing.
            exactly = {("meter/q0", n): 1 for n in meters[-1].acknowledged}
            try:
                brain.wait_for("the queued messages", lambda: wanted <= subscriber.heard.keys(), 60)
                brain.wait_for("the messages of QoS 2", lambda: exactly.keys() <= once.heard.keys(), 60)
                time.sleep(0.3)
                self.assertEqual(exactly, dict(once.heard))
                self.assertTrue(all(once.sessions[1:]), once.sessions)
            finally:
                subscriber.stop()
                once.stop()
            kept = []
            reader = mqtt.Client(client_id="reader", clean_session=True)
            reader.on_message = lambda _c, _d, m: kept.append((m.topic, m.payload.decode(), m.retain))
            reader.connect("127.0.0.1", brain.mqtt_port)
            reader.loop_start()
            reader.subscribe("mark/#", qos=1)
            brain.wait_for("the retained messages", lambda: len(kept) >= 20, 10)
            reader.loop_stop()
            reader.disconnect()
            self.assertEqual(sorted(kept), sorted((f"mark/{i}", f"kept {i}", 1) for i in range(20)))
            # Each rise over the limit is one alert; an alert that was cleared is raised again, not doubled.
            open_alerts = brain.get("/alerts?state=all&limit=10000")["alerts"]
            keys = [(a["rule"], a["alertSource"]) for a in open_alerts if a["status"] in ("raised", "acknowledged")]
            self.assertEqual(len(keys), len(set(keys)), "two open alerts for one rule and entity")
            output = brain.stop() and brain.run("log", "check", "--config", str(brain.config))
            self.assertIn("sound", output)


if __name__ == "__main__":
    unittest.main(verbosity=2)
