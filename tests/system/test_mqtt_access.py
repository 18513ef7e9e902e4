"""Who may do what over MQTT: logins in 3.1.1 and 5.0, topic rights, certificates, reloads, guessing, no secret in the log."""
import hashlib
import json
import re
import signal
import time
import unittest

import harness
from mqtt_peer import V311, V5, Peer
from test_access import basic, hash_of
from test_tls import TlsBrain

PASSWORDS = {"gate": "Xk7-gate-secret", "li": "Xk7-li-secret", "admin": "Xk7-admin-secret"}
TOKEN = "ficus_" + "5e" * 32
EXPIRED = "ficus_" + "6f" * 32
WRONG_TOKEN = "ficus_" + "00" * 32
# Reasons of CONNACK and of the rest: 3.1.1 has few of its own (3.2.2.3), and none in acknowledgements.
BAD_LOGIN, NOT_AUTHORIZED, BAD_CLIENT_ID, BUSY = ({V5: 0x86, V311: 4}, {V5: 0x87, V311: 5}, {V5: 0x85, V311: 2},
                                                 {V5: 0x89, V311: 3})
SUBACK_REFUSED = {V5: 0x87, V311: 0x80}
ADMINISTRATIVE = 0x98


def users_file(hashes, anonymous=""):
    sha = lambda text: hashlib.sha256(text.encode()).hexdigest()
    return f"""{anonymous}
roles:
  gateway: {{publish: ["meter/#", "own/%u/%c/#"], subscribe: ["own/%u/#"]}}
  reader: {{subscribe: ["own/#", "meter/#"]}}
users:
  - {{name: admin, password: "{hashes['admin']}", roles: administrator}}
  - {{name: gate, password: "{hashes['gate']}", roles: gateway}}
  - {{name: li, password: "{hashes['li']}", roles: reader}}
  - {{name: pump, certificate: pump-7, roles: device}}
tokens:
  - {{name: feed, user: gate, sha256: "{sha(TOKEN)}"}}
  - {{name: old, user: gate, sha256: "{sha(EXPIRED)}", expires: 2020-01-01}}
"""


class MqttAccess(unittest.TestCase):
    """A brain with users of its own for each test, as failures of one would delay the logins of another."""

    @classmethod
    def setUpClass(cls):
        cls.hashes = {user: hash_of(password) for user, password in PASSWORDS.items()}

    def start(self, anonymous="", brain=None):
        self.brain = brain or harness.Brain("crash", config="access: {users: users.yaml}\n")
        self.users = self.brain.folder / "users.yaml"
        self.users.write_text(users_file(self.hashes, anonymous), encoding="utf-8")
        self.brain.start()
        self.addCleanup(self.brain.__exit__, None, None, None)
        self.addCleanup(self.expect_no_secrets)

    def expect_no_secrets(self):
        self.brain.stop()
        log = (self.brain.folder / "brain.log").read_text(errors="replace")
        for secret in [*PASSWORDS.values(), *self.hashes.values(), TOKEN, EXPIRED, WRONG_TOKEN, "guess-"]:
            self.assertNotIn(secret, log)

    def peer(self, user=None, client_id="", password=None, **more):
        if user is not None and password is None:
            password = PASSWORDS[user]
        peer = Peer(more.pop("port", self.brain.mqtt_port), client_id, user=user, password=password, **more)
        self.addCleanup(peer.close)
        return peer

    def reload(self, text):
        self.users.write_text(text, encoding="utf-8")
        self.brain.process.send_signal(signal.SIGHUP)

    def test_logging_in(self):
        self.start()
        for version in (V311, V5):
            with self.subTest(version=version):
                for user, password, wanted in (("gate", None, 0), ("gate", "guess-1", BAD_LOGIN[version]),
                                               ("nobody", "guess-2", BAD_LOGIN[version]), ("gate", "", BAD_LOGIN[version]),
                                               ("gate", TOKEN, 0), ("li", TOKEN, BAD_LOGIN[version]),
                                               ("gate", EXPIRED, BAD_LOGIN[version]), ("gate", WRONG_TOKEN, BAD_LOGIN[version]),
                                               ("pump", "", BAD_LOGIN[version]), (None, None, NOT_AUTHORIZED[version])):
                    self.peer(user, password=password, version=version).open(expect=wanted)
        metrics = self.brain.request("GET", "/metrics", None, basic("admin"))[1].decode()
        failed = re.search(r'^ficus_logins_total\{[^}]*"failed"\} (\S+)', metrics, re.M)
        self.assertEqual(int(float(failed.group(1))), 8, metrics)  # tokens are counted apart

    def test_over_websocket(self):
        self.start()
        for version in (V311, V5):
            more = {"port": self.brain.http_port, "version": version, "transport": "websockets"}
            reader = self.peer("li", **more).open().subscribe("own/#", 1)
            self.peer("li", password="guess-7", **more).open(expect=BAD_LOGIN[version])
            self.peer(**more).open(expect=NOT_AUTHORIZED[version])
            self.peer("gate", "ws", **more).open().publish("own/gate/ws/x", "through")
            self.assertEqual(reader.wait_for(1), ["through"])

    def test_what_is_sent_with_the_connect_waits_for_the_login(self):
        self.start()
        for user, password, code in (("li", PASSWORDS["li"], 0), ("li", "guess-3", 4)):
            reader = self.peer("li").open().subscribe("meter/#", 0)
            words = [user.encode(), password.encode()]
            body = b"\0\4MQTT\4\xc2\0\0" + b"\0\1p" + b"".join(len(w).to_bytes(2, "big") + w for w in words)
            connect = bytes([0x10, len(body)]) + body
            subscribe = b"\x82\x0c\0\1\0\7meter/#\0"
            with harness.socket.create_connection(("127.0.0.1", self.brain.mqtt_port), 10) as link:
                link.sendall(connect + subscribe)
                answer = b""
                while len(answer) < (9 if code == 0 else 4) and (more := link.recv(100)):
                    answer += more
                self.assertEqual(answer, bytes([0x20, 2, 0, code]) + (b"\x90\3\0\1\0" if code == 0 else b""))
                if code != 0:
                    self.assertEqual(link.recv(100), b"")
            reader.close()

    def test_nobody_or_somebody_limited(self):
        self.start("anonymous: device\n")
        for version in (V311, V5):
            with self.subTest(version=version):
                peer = self.peer(version=version).open()
                peer.subscribe("meter/#", 0, expect=SUBACK_REFUSED[version])
                self.assertEqual(peer.publish("meter/x", "{}"), NOT_AUTHORIZED[V5] if version == V5 else 0)
                # A wrong proof is not the same as none.
                self.peer("gate", password="guess-4", version=version).open(expect=BAD_LOGIN[version])

    def test_the_right_to_publish(self):
        self.start()
        reader = self.peer("li").open().subscribe("own/#", 2).subscribe("meter/#", 2)
        now = int(time.time() * 1e6)
        for version, denied in ((V311, 0), (V5, 0x87)):
            writer = self.peer("gate", f"c{version}", version=version).open()
            for qos in (1, 2):
                for topic in ("own/li/x", f"own/gate/another/{qos}", "elsewhere", "ficus/alert/x", "own/gate"):
                    self.assertEqual(writer.publish(topic, "forged", qos=qos), denied, (version, topic))
                self.assertEqual(writer.publish(f"own/gate/c{version}/{qos}", "mine", qos=qos), 0)
            writer.publish("elsewhere", "forged", qos=0)
            self.assertEqual(writer.publish("meter/m", json.dumps({"n": version, "t": now + version, "level": 3})), 0)
        # A reader may not write, neither to readers nor to a source; retained neither.
        for version, denied in ((V311, 0), (V5, 0x87)):
            spoiler = self.peer("li", version=version).open()
            body = json.dumps({"n": 9, "t": now + 9, "level": 99})
            self.assertEqual(spoiler.publish("meter/m", body, retain=True), denied)
            spoiler.publish("meter/m", body, qos=0)
        self.peer("gate", "last").open().publish("own/gate/last/end", "end", qos=2)
        reader.wait("the end", lambda: "end" in reader.payloads())
        self.assertEqual([p for p in reader.payloads() if p == "mine"], ["mine"] * 4)
        self.assertFalse([p for p in reader.payloads() if p == "forged" or '"n": 9' in p])
        books = self.brain.request("GET", "/sources", None, basic("admin"))[1]
        books = next(s for s in json.loads(books)["sources"] if s["name"] == "meters")
        self.assertEqual((books["received"], books["applied"]), (2, 2))

    def test_the_right_of_a_will(self):
        self.start()
        for version in (V311, V5):
            for topic, wanted in (("elsewhere", NOT_AUTHORIZED[version]), ("ficus/alert/x", NOT_AUTHORIZED[version]),
                                  ("meter/x", 0)):
                self.peer("gate", version=version, will={"topic": topic, "payload": "{}"}).open(expect=wanted)

    def test_the_right_to_subscribe(self):
        self.start()
        for version in (V311, V5):
            peer = self.peer("gate", version=version).open()
            for topic in ("#", "+/gate/x", "own/li/#", "own/#", "own/+/x", "ficus/#", "$share/g/own/li/#", "meter/x"):
                peer.subscribe(topic, 1, expect=SUBACK_REFUSED[version])
            for topic in ("own/gate/x", "own/gate/#", "own/gate/+/y", "$share/g/own/gate/#"):
                peer.subscribe(topic, 1)
        self.peer("admin").open().publish("own/li/x", "not for gate", retain=True)
        self.peer("admin").open().publish("own/gate/x", "for gate")
        self.assertEqual(set(peer.wait_for(1)), {"for gate"})

    def test_a_client_id_belongs_to_its_user(self):
        self.start()
        keeper = self.peer("gate", "gate-1", keep=True).open().subscribe("own/gate/#", 1)
        for version in (V311, V5):
            self.peer("li", "gate-1", version=version).open(expect=BAD_CLIENT_ID[version])
        self.peer("gate", "gate-1", password="guess-5").open(expect=BAD_LOGIN[V5])
        self.assertFalse(keeper.is_closed)  # nobody has taken it over
        keeper.close()
        for version in (V311, V5):  # nor while it is away
            self.peer("li", "gate-1", version=version).open(expect=BAD_CLIENT_ID[version])
        self.assertTrue(keeper.open().session_present)
        # The same user may.
        other = self.peer("gate", "gate-1", keep=True).open()
        self.assertTrue(other.session_present)
        self.assertEqual(keeper.wait_closed(), 0x8E)

    def test_users_are_reloaded(self):
        self.start()
        gate, old, by_token = (self.peer("gate", "kept", keep=True).open().subscribe("own/gate/#", 1),
                               self.peer("gate", version=V311).open(), self.peer("gate", password=TOKEN).open())
        li = self.peer("li").open().subscribe("own/#", 1)
        text = users_file(self.hashes)
        # A file with mistakes ends nobody's connection.
        self.reload("users: nonsense\n")
        log = self.brain.folder / "brain.log"
        self.brain.wait_for("the refusal", lambda: "users.yaml:1:8" in log.read_text(), 10)
        # A revoked token ends what stands on it, and nothing else.
        self.reload(re.sub(r"  - \{name: feed.*\n", "", text))
        self.assertEqual(by_token.wait_closed(), ADMINISTRATIVE)
        self.peer("gate", password=TOKEN).open(expect=BAD_LOGIN[V5])
        time.sleep(1.2)  # who has no right is found every second
        self.assertFalse(gate.is_closed or old.is_closed or li.is_closed)
        # A user with other rights must come again, and has lost the subscriptions beyond them.
        self.reload(text.replace('subscribe: ["own/%u/#"]', 'subscribe: ["own/%u/x"]'))
        self.assertEqual(gate.wait_closed(), ADMINISTRATIVE)
        self.assertIsNone(old.wait_closed())
        self.assertTrue(gate.open().session_present)
        gate.publish("own/gate/kept/y", "heard no more")
        gate.subscribe("own/gate/x", 1)
        self.peer("admin").open().publish("own/gate/x", "heard")
        self.assertEqual(gate.wait_for(1), ["heard"])
        # A removed user.
        self.assertFalse(li.is_closed)
        self.reload(re.sub(r"  - \{name: li.*\n", "", text))
        self.assertEqual(li.wait_closed(), ADMINISTRATIVE)
        self.peer("li").open(expect=BAD_LOGIN[V5])

    def test_a_right_withdrawn_while_away(self):
        """Neither what was published since is delivered, nor what waited from before."""
        self.start()
        for version in (V311, V5):
            self.peer("gate", f"away-{version}", version=version, keep=True).open().subscribe("own/gate/#", 1).close()
        self.peer("admin").open().publish("own/gate/y", "of before the reload")
        sign = self.peer("li").open()
        self.reload(users_file(self.hashes).replace('subscribe: ["own/%u/#"]', 'subscribe: ["own/%u/x"]')
                    .replace('"meter/#"]}', '"meter/+", "own/#"]}'))
        self.assertEqual(sign.wait_closed(), ADMINISTRATIVE)  # now the reload holds
        writer = self.peer("admin").open()
        writer.publish("own/gate/y", "of after the reload")
        for version in (V311, V5):
            gate = self.peer("gate", f"away-{version}", version=version, keep=True).open()
            self.assertTrue(gate.session_present)
            gate.subscribe("own/gate/x", 1)
            writer.publish("own/gate/x", "end")
            gate.wait("the end", lambda: "end" in gate.payloads())
            self.assertEqual(set(gate.payloads()), {"end"})
            gate.close()

    def test_guessing_is_slowed_down(self):
        self.start()
        self.peer("gate").open()
        codes = {BAD_LOGIN[V5]: 0, BUSY[V5]: 0}
        for i in range(8):
            guess = self.peer("li", password=f"guess-{i}")
            try:
                guess.open(expect=BAD_LOGIN[V5])
            except AssertionError:
                self.assertEqual(guess.connack, BUSY[V5])
            codes[guess.connack] += 1
            if i == 5:
                # Even the right one must wait now, in both versions; it does not count.
                for version in (V311, V5):
                    self.peer("li", version=version).open(expect=BUSY[version])
        self.assertGreaterEqual(codes[BAD_LOGIN[V5]], 6)
        self.assertGreaterEqual(codes[BUSY[V5]], 1)
        self.peer("gate").open()  # who is known here is not held up
        self.peer("gate", password=TOKEN).open()


class Certificates(MqttAccess):
    def test_a_certificate_says_who_it_is(self):
        brain = TlsBrain()
        brain.config.write_text(brain.config.read_text(encoding="utf-8") + "access: {users: users.yaml}\n", encoding="utf-8")
        self.start(brain=brain)
        pump = brain.devices.issue("pump", "pump-7", ["extendedKeyUsage=clientAuth"])
        stranger = brain.devices.issue("stranger", "pump-8", ["extendedKeyUsage=clientAuth"])
        port = brain.mqtts_port
        for version in (V311, V5):
            with self.subTest(version=version):
                mine = self.peer(port=port, version=version, tls=brain.context(pump)).open()
                mine.subscribe("devices/pump/#", 1)
                mine.subscribe("devices/gate/#", 1, expect=SUBACK_REFUSED[version])
                mine.publish("devices/pump/x", "hello")
                self.assertEqual(mine.wait_for(1), ["hello"])
                self.peer(port=port, version=version, tls=brain.context(stranger)).open(expect=NOT_AUTHORIZED[version])
                self.peer(port=port, version=version, tls=brain.context()).open(expect=NOT_AUTHORIZED[version])
                # A name and password count before the certificate; a wrong one is not mended by it.
                named = self.peer("li", port=port, version=version, tls=brain.context(pump)).open()
                named.subscribe("own/#", 1)
                self.peer("li", password="guess-6", port=port, version=version,
                          tls=brain.context(pump)).open(expect=BAD_LOGIN[version])
        self.reload(re.sub(r"  - \{name: pump.*\n", "", users_file(self.hashes)))
        self.assertEqual(mine.wait_closed(), ADMINISTRATIVE)
        self.peer(port=port, tls=brain.context(pump)).open(expect=NOT_AUTHORIZED[V5])


# Its tests are MqttAccess's own.
def load_tests(loader, _tests, _pattern):
    suite = unittest.TestSuite([loader.loadTestsFromTestCase(MqttAccess)])
    suite.addTest(Certificates("test_a_certificate_says_who_it_is"))
    return suite


if __name__ == "__main__":
    unittest.main(verbosity=2)
