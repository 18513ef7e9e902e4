"""MQTT as clients use it, in 3.1.1 and 5.0: QoS 2, sessions, shared subscriptions, wills, expiry, properties, aliases."""
import json
import subprocess
import time
import unittest

from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.subscribeoptions import SubscribeOptions

import harness
from mqtt_peer import V311, V5, Peer, properties

VERSIONS = {"mqttv311": V311, "mqttv5": V5}


class Mqtt(unittest.TestCase):
    """A brain, and clients that are closed behind each test."""

    @classmethod
    def setUpClass(cls):
        cls.brain = harness.Brain("crash")
        cls.brain.start()

    @classmethod
    def tearDownClass(cls):
        cls.brain.__exit__(None, None, None)

    def peer(self, client_id="", **more):
        peer = Peer(self.brain.mqtt_port, client_id, **more)
        self.addCleanup(peer.close)
        return peer

    def connections(self):
        return self.brain.metric("ficus_mqtt_connections")

    def noticed(self, action):
        """Does what ends one connection, and waits until the brain knows of it."""
        before = self.connections()
        action()
        self.brain.wait_for("one connection fewer", lambda: self.connections() < before, 10)

    def mosquitto(self, program, *words, **more):
        # By line even into a pipe, so that we hear of a SUBACK when it has come.
        return subprocess.Popen(["stdbuf", "-oL", program, "-p", str(self.brain.mqtt_port), *words], stdout=subprocess.PIPE, **more)

    def publish(self, *words):
        subprocess.run(["mosquitto_pub", "-p", str(self.brain.mqtt_port), *words], check=True, timeout=20)

    def listen(self, *words):
        """mosquitto_sub, when it has its SUBACK (it says so with -d)."""
        process = self.mosquitto("mosquitto_sub", "-d", *words)
        while b"Subscribed (mid" not in process.stdout.readline():
            self.assertIsNone(process.poll(), "mosquitto_sub ended early")
        return process

    def lines(self, process):
        """What it printed, without what -d adds."""
        text = process.communicate(timeout=20)[0].decode()
        return [line for line in text.splitlines() if not line.startswith("Client ")]


class Delivery(Mqtt):
    def test_qos_2_from_end_to_end(self):
        for name, version in VERSIONS.items():
            with self.subTest(name):
                reader = self.peer(version=version).open().subscribe(f"twice/{name}")
                listener = self.listen("-V", name, "-q", "2", "-t", f"twice/{name}", "-C", "21", "-W", "10", "-F", "%q %p")
                writer = self.peer(version=version).open()
                sent = [str(i) for i in range(20)]
                for payload in sent:
                    writer.publish(f"twice/{name}", payload, qos=2)
                self.publish("-V", name, "-q", "2", "-t", f"twice/{name}", "-m", "last")
                self.assertEqual(reader.wait_for(21), [*sent, "last"])
                self.assertEqual({message.qos for message in reader.heard}, {2})
                self.assertEqual(self.lines(listener), [f"2 {payload}" for payload in [*sent, "last"]])

    def test_between_the_versions(self):
        old, new = (self.peer(version=version).open().subscribe("both") for version in (V311, V5))
        old.publish("both", "from 3.1.1", qos=2)
        new.publish("both", "from 5.0", qos=2, UserProperty=("k", "v"), MessageExpiryInterval=60)
        for reader in (old, new):
            self.assertEqual(reader.wait_for(2), ["from 3.1.1", "from 5.0"])
        self.assertEqual(new.heard[1].properties.UserProperty, [("k", "v")])

    def test_a_shared_subscription_goes_round(self):
        for name, version in VERSIONS.items():
            with self.subTest(name):
                members = [self.peer(version=version).open().subscribe(f"$share/crew/work/{name}/+", 1) for _ in range(2)]
                everything = self.peer().open().subscribe(f"work/{name}/#", 1)
                writer = self.peer(version=version).open()
                for i in range(20):
                    writer.publish(f"work/{name}/{i % 3}", str(i))
                everything.wait_for(20)
                members[0].wait("all shared messages", lambda: sum(len(m.heard) for m in members) >= 20)
                self.assertEqual(sorted(int(p) for m in members for p in m.payloads()), list(range(20)))
                for member in members:
                    self.assertGreaterEqual(len(member.heard), 5, "one member got nearly all")
                # Who stays gets the rest.
                self.noticed(members[0].close)
                for i in range(20, 25):
                    writer.publish(f"work/{name}/x", str(i))
                members[1].wait("the rest", lambda: members[1].payloads()[-5:] == [str(i) for i in range(20, 25)])

    def test_request_and_response(self):
        server = self.peer().open().subscribe("ask/+", 1)
        done = self.mosquitto("mosquitto_rr", "-V", "mqttv5", "-t", "ask/time", "-e", "answers/me", "-m", "when?",
                              "-D", "publish", "correlation-data", "call-17", "-D", "publish", "content-type", "text/plain",
                              "-D", "publish", "user-property", "district", "鼓楼", "-W", "10")
        server.wait_for(1)
        question = server.heard[0].properties
        self.assertEqual(question.ResponseTopic, "answers/me")
        self.assertEqual(question.CorrelationData, b"call-17")
        self.assertEqual(question.ContentType, "text/plain")
        self.assertEqual(question.UserProperty, [("district", "鼓楼")])
        server.publish(question.ResponseTopic, "now", CorrelationData=question.CorrelationData)
        self.assertEqual(done.communicate(timeout=20)[0].decode().strip(), "now")

    def test_every_property_is_carried_through_and_retained(self):
        wanted = {"PayloadFormatIndicator": 1, "ContentType": "application/json", "ResponseTopic": "r/1",
                  "CorrelationData": bytes(range(256)), "UserProperty": [("a", "1"), ("a", "2"), ("b", "")]}
        reader = self.peer().open().subscribe("rich", 2)
        self.peer().open().publish("rich", '{"好": 1}', qos=2, retain=True, **wanted)
        late = self.peer().open().subscribe("rich", 2)
        for peer, retained in ((reader, False), (late, True)):
            peer.wait_for(1)
            self.assertEqual(peer.heard[0].retain, retained)
            got = peer.heard[0].properties
            self.assertEqual({name: getattr(got, name) for name in wanted}, wanted)

    def test_topic_aliases(self):
        reader = self.peer().open().subscribe("long/#", 1)
        writer = self.peer().open()
        self.assertEqual(writer.publish("long/topic/of/a/meter", "1", TopicAlias=1), 0)
        self.assertEqual(writer.publish("", "2", TopicAlias=1), 0)
        writer.publish("", "3", qos=0, TopicAlias=1)
        self.assertEqual(writer.publish("long/other", "4", TopicAlias=1), 0)
        self.assertEqual(writer.publish("", "5", qos=2, TopicAlias=1), 0)
        self.assertEqual(reader.wait_for(5), ["1", "2", "3", "4", "5"])
        self.assertEqual([m.topic for m in reader.heard], ["long/topic/of/a/meter"] * 3 + ["long/other"] * 2)
        # An alias is one connection's own, and has a maximum (32, as CONNACK says).
        stranger = self.peer().open()
        stranger.client.publish("", "6", 1, properties=properties(PacketTypes.PUBLISH, TopicAlias=1))
        self.assertEqual(stranger.wait_closed(), 0x82)
        stranger = self.peer().open()
        stranger.client.publish("long/x", "7", 1, properties=properties(PacketTypes.PUBLISH, TopicAlias=33))
        self.assertEqual(stranger.wait_closed(), 0x94)
        self.assertEqual(len(reader.heard), 5)

    def test_an_alias_reaches_its_source(self):
        writer = self.peer().open()
        now = int(time.time() * 1e6)
        for i in range(3):
            topic = "meter/aliased" if i == 0 else ""
            writer.publish(topic, json.dumps({"n": i, "t": now + i, "level": i}), TopicAlias=7)
        level = lambda: self.brain.get("/entities/urn:ngsi-ld:Meter:aliased")["level"]["value"] == 2
        self.brain.wait_for("the last level", level, 10)

    def test_options_of_a_subscription(self):
        self.publish("-t", "options/old", "-m", "kept", "-r", "-q", "1")
        peer = self.peer().open()
        peer.subscribe("options/#", 1, options=SubscribeOptions(qos=1, noLocal=True, retainAsPublished=True, retainHandling=2))
        peer.publish("options/new", "my own", retain=True)
        self.publish("-t", "options/new", "-m", "another's", "-r", "-q", "1")
        self.assertEqual(peer.wait_for(1), ["another's"])
        self.assertTrue(peer.heard[0].retain)


class Wills(Mqtt):
    def test_a_killed_client(self):
        for name in VERSIONS:
            with self.subTest(name):
                reader = self.peer().open().subscribe(f"will/{name}")
                doomed = self.listen("-V", name, "-t", "nothing", "--will-topic", f"will/{name}", "--will-payload", "gone",
                                     "--will-qos", "2", "--will-retain")
                doomed.kill()
                doomed.communicate()
                self.assertEqual(reader.wait_for(1), ["gone"])
                late = self.peer().open().subscribe(f"will/{name}")
                self.assertEqual(late.wait_for(1), ["gone"])
                self.assertTrue(late.heard[0].retain)

    def test_a_proper_end_takes_it_back(self):
        reader = self.peer().open().subscribe("will/proper")
        for version in VERSIONS.values():
            self.peer(version=version, will={"topic": "will/proper", "payload": "not wanted"}).open().close()
        self.publish("-t", "will/proper", "-m", "end", "-q", "2")
        self.assertEqual(reader.wait_for(1), ["end"])

    def will(self, topic, delay):
        return {"topic": topic, "payload": "gone", "qos": 1,
                "properties": properties(PacketTypes.WILLMESSAGE, WillDelayInterval=delay)}

    def test_a_delay(self):
        reader = self.peer().open().subscribe("will/late/#")
        returns = self.peer("returns", keep=True, will=self.will("will/late/returns", 3)).open()
        stays_away = self.peer("stays-away", keep=True, will=self.will("will/late/away", 3)).open()
        # One whose session ends with its connection: the will waits no longer than the session.
        unkept = self.peer("unkept", will=self.will("will/late/unkept", 30)).open()
        unkept.drop()
        self.assertEqual(reader.wait_for(1), ["gone"])
        begin = time.monotonic()
        self.noticed(returns.drop)
        stays_away.drop()
        self.assertTrue(returns.open().session_present)
        in_time = time.monotonic() - begin < 3
        away = lambda: "will/late/away" in [m.topic for m in reader.heard]
        reader.wait("the will of the one that stays away", away, 20)
        self.assertGreater(time.monotonic() - begin, 2.9)
        self.assertTrue(in_time, "this machine was too slow: the other's will was due before it came back")
        # The other's would have been due before it.
        self.publish("-t", "will/late/end", "-m", "end", "-q", "1")
        reader.wait("the end", lambda: "end" in reader.payloads())
        self.assertEqual([m.topic for m in reader.heard], ["will/late/unkept", "will/late/away", "will/late/end"])


class Expiry(Mqtt):
    def test_of_messages_for_one_who_is_away(self):
        away = self.peer("away", keep=True).open().subscribe("fleeting", 2)
        old = self.peer("away-311", version=V311, keep=True).open().subscribe("fleeting", 2)
        for peer in (away, old):
            peer.close()
        writer = self.peer().open()
        begin = time.monotonic()
        for qos in (1, 2):
            writer.publish("fleeting", f"short {qos}", qos=qos, MessageExpiryInterval=1)
            writer.publish("fleeting", f"long {qos}", qos=qos, MessageExpiryInterval=60)
            writer.publish("fleeting", f"for ever {qos}", qos=qos)
        self.publish("-V", "mqttv5", "-t", "fleeting", "-q", "1", "-m", "short 3", "-D", "publish",
                     "message-expiry-interval", "1")
        time.sleep(2.1)
        long = ["long 1", "long 2", "for ever 1", "for ever 2"]
        for peer in (away, old):
            self.assertTrue(peer.open().session_present)
            peer.wait_for(4)
            writer.publish("fleeting", f"end {peer.version}", qos=2)
            peer.wait("the end", lambda p=peer: f"end {p.version}" in p.payloads())
            # In any order: a client shows a QoS 1 message when it comes, a QoS 2 message at its PUBREL.
            self.assertEqual(sorted(p for p in peer.payloads() if "end" not in p), sorted(long))
        left = next(m for m in away.heard if m.payload == b"long 1").properties.MessageExpiryInterval  # what is left of it
        self.assertTrue(59 - (time.monotonic() - begin) <= left <= 58, left)

    def test_of_retained_messages(self):
        writer = self.peer().open()
        begin = time.monotonic()
        writer.publish("kept/short", "1", retain=True, MessageExpiryInterval=2)
        writer.publish("kept/long", "2", retain=True, MessageExpiryInterval=60)
        writer.publish("kept/ever", "3", retain=True)
        at_once = self.peer().open().subscribe("kept/#", 1)
        at_once.publish("kept/marker", "end")
        at_once.wait("the end", lambda: "end" in at_once.payloads())
        in_time = time.monotonic() - begin < 2
        self.assertEqual(sorted(at_once.payloads()), (["1"] if in_time or "1" in at_once.payloads() else []) + ["2", "3", "end"])
        time.sleep(max(0, begin + 3.1 - time.monotonic()))
        late = self.peer().open().subscribe("kept/#", 1)
        late.publish("kept/marker", "end")
        late.wait("the end", lambda: "end" in late.payloads())
        self.assertEqual(sorted(late.payloads()), ["2", "3", "end"])


class Restart(unittest.TestCase):
    """Sessions outlive the brain's process, ended in order or killed."""

    def test_queued_qos_2(self):
        with harness.Brain("crash") as brain:
            def peer(*words, **more):
                made = Peer(brain.mqtt_port, *words, **more)
                self.addCleanup(made.close)
                return made
            readers = [peer("keeper-311", version=V311, keep=True), peer("keeper-5", version=V5, keep=True)]
            for reader in readers:
                reader.open().subscribe("queued", 2).close()
            sent = []
            for end in (brain.stop, brain.kill):
                writer = peer().open()
                for qos in (2, 2, 1):
                    sent.append(f"{len(sent)} at QoS {qos}")
                    writer.publish("queued", sent[-1], qos=qos)
                writer.publish("kept", "retained", qos=2, retain=True)
                end()
                brain.start()
            for reader in readers:
                self.assertTrue(reader.open().session_present)
                reader.wait("what was queued", lambda r=reader: len([p for p in r.payloads() if p != "end"]) >= 6)
                for qos in (1, 2):  # in order; between the two a client has its own: QoS 2 is shown at its PUBREL
                    self.assertEqual([m.payload.decode() for m in reader.heard if m.qos == qos and m.payload != b"end"],
                                     [text for text in sent if text.endswith(str(qos))])
                # Taken once, they do not come again; the subscription still stands.
                reader.drop()
                brain.kill()
                brain.start()
                self.assertTrue(reader.open().session_present)
                reader.publish("queued", "end", qos=2)
                reader.wait("the end", lambda r=reader: r.payloads().count("end") == 1 + readers.index(r))
                self.assertEqual(sorted(p for p in reader.payloads() if p != "end"), sorted(sent))
            self.assertEqual(peer().open().subscribe("kept").wait_for(1), ["retained"])

    def test_a_writer_goes_on_after_a_crash(self):
        with harness.Brain("crash") as brain:
            writer = Peer(brain.mqtt_port, "writer", keep=True).open()
            self.addCleanup(writer.close)
            reader = Peer(brain.mqtt_port, "reader", keep=True).open().subscribe("through", 2)
            self.addCleanup(reader.close)
            writer.client.max_inflight_messages_set(100)
            completed = []
            writer.client.on_publish = lambda _client, _data, number: completed.append(number)
            for i in range(300):
                writer.client.publish("through", str(i), qos=2)
                if i == 200:
                    reader.wait_for(10)
                    brain.kill()
            for peer in (writer, reader):
                peer.wait_closed()
            brain.start()
            self.assertTrue(reader.open().session_present)
            self.assertTrue(writer.open().session_present)
            writer.wait("every PUBCOMP", lambda: len(completed) >= 300, 20)
            reader.wait_for(300, 20)
            self.assertEqual(sorted(int(p) for p in reader.payloads()), list(range(300)))

    def test_a_will_outlives_the_brain(self):
        with harness.Brain("crash") as brain:
            reader = Peer(brain.mqtt_port, "reader", keep=True).open().subscribe("will/brain", 1)
            self.addCleanup(reader.close)
            doomed = Peer(brain.mqtt_port, "doomed", will={"topic": "will/brain", "payload": "gone", "qos": 1}).open()
            brain.kill()
            for peer in (reader, doomed):
                peer.wait_closed()
            brain.start()
            reader.open()
            self.assertEqual(reader.wait_for(1), ["gone"])


if __name__ == "__main__":
    unittest.main(verbosity=2)
