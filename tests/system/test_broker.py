"""The broker with clients that others wrote: mosquitto's and paho's."""
import json
import signal
import subprocess
import threading
import time
import unittest

import paho.mqtt.client as mqtt

import harness


class Broker(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.brain = harness.Brain("crash")
        cls.brain.start()

    @classmethod
    def tearDownClass(cls):
        cls.brain.stop()

    def setUp(self):
        self.said = {}  # by subscriber: the begin of what it has said

    def publish(self, *words):
        subprocess.run(["mosquitto_pub", "-p", str(self.brain.mqtt_port), *words], check=True, timeout=20)

    def listen(self, *words):
        """A subscriber whose subscription is there; it says so itself, line by line."""
        process = subprocess.Popen(["stdbuf", "-oL", "mosquitto_sub", "-d", "-p", str(self.brain.mqtt_port), *words],
                                   stdout=subprocess.PIPE, bufsize=0)
        self.said[process] = b""
        while b"Subscribed (mid" not in self.said[process]:
            part = process.stdout.read(1)
            if not part:  # it has ended: a session that was there has had its messages at once
                break
            self.said[process] += part
        return process

    def lines(self, process, timeout=20):
        text = (self.said.pop(process) + process.communicate(timeout=timeout)[0]).decode()
        return [line for line in text.splitlines() if not line.startswith(("Client ", "Subscribed (mid"))]

    def test_publish_and_subscribe_in_both_versions(self):
        for version in ("mqttv311", "mqttv5"):
            for qos in ("0", "1"):
                with self.subTest(version=version, qos=qos):
                    listener = self.listen("-V", version, "-t", "plain/+/x", "-q", qos, "-C", "2", "-W", "10")
                    self.publish("-V", version, "-t", "plain/a/x", "-m", "你好", "-q", qos)
                    self.publish("-V", version, "-t", "plain/a/y", "-m", "not wanted", "-q", qos)
                    self.publish("-V", version, "-t", "plain/b/x", "-m", "two", "-q", qos)
                    self.assertEqual(self.lines(listener), ["你好", "two"])

    def test_retained(self):
        self.publish("-t", "kept/a", "-m", "1", "-r", "-q", "1")
        self.publish("-t", "kept/b", "-m", "2", "-r")
        self.publish("-t", "kept/b", "-n", "-r")
        listener = self.listen("-t", "kept/#", "-W", "4", "-F", "%t %p %r")
        self.assertEqual(self.lines(listener), ["kept/a 1 1"])

    def test_will(self):
        listener = self.listen("-t", "will/#", "-C", "1", "-W", "15")
        doomed = self.listen("-t", "nothing", "--will-topic", "will/me", "--will-payload", "gone", "-i", "doomed")
        doomed.kill()
        doomed.wait()
        self.assertEqual(self.lines(listener), ["gone"])

    def test_session_keeps_messages(self):
        for version in ("mqttv311", "mqttv5"):
            with self.subTest(version=version):
                session = ["-V", version, "-i", f"keeper-{version}", "-c", "-q", "1", "-t", f"later/{version}"]
                self.listen(*session, "-W", "2").communicate(timeout=10)
                for i in range(5):
                    self.publish("-t", f"later/{version}", "-m", str(i), "-q", "1")
                listener = self.listen(*session, "-C", "5", "-W", "10")
                self.assertEqual(self.lines(listener), ["0", "1", "2", "3", "4"])

    def test_take_over(self):
        first = self.listen("-i", "twin", "-t", "x", "-W", "20")
        first.send_signal(signal.SIGSTOP)  # or it would take its place back
        second = self.listen("-i", "twin", "-t", "x", "-C", "1", "-W", "10")
        self.publish("-t", "x", "-m", "to the second")
        self.assertEqual(self.lines(second), ["to the second"])
        first.kill()
        first.wait()

    def test_ten_thousand_in_order(self):
        got = []
        reader = mqtt.Client("reader", protocol=mqtt.MQTTv5)
        reader.on_message = lambda _c, _d, m: got.append(int(m.payload))
        reader.connect("127.0.0.1", self.brain.mqtt_port)
        subscribed = threading.Event()
        reader.on_subscribe = lambda *_: subscribed.set()
        reader.subscribe("many", qos=1)
        reader.loop_start()
        self.assertTrue(subscribed.wait(30))
        writer = mqtt.Client("writer")
        writer.max_queued_messages_set(0)
        writer.connect("127.0.0.1", self.brain.mqtt_port)
        writer.loop_start()
        for i in range(10_000):
            info = writer.publish("many", str(i), qos=1)
        info.wait_for_publish(30)
        self.brain.wait_for("all messages", lambda: len(got) >= 10_000, 30)
        self.assertEqual(got, list(range(10_000)))
        for client in (reader, writer):
            client.loop_stop()
            client.disconnect()

    def test_alerts_and_changes_are_messages(self):
        alerts = self.listen("-t", "ficus/alert/#", "-C", "2", "-W", "15", "-F", "%t %p")
        changes = self.listen("-t", "ficus/entity/Meter/+", "-C", "2", "-W", "15")
        now = int(time.time() * 1e6)
        self.publish("-t", "meter/loud", "-m", json.dumps({"n": 1, "t": now, "level": 95}), "-q", "1")
        self.publish("-t", "meter/loud", "-m", json.dumps({"n": 2, "t": now + 1000, "level": 10}), "-q", "1")
        lines = self.lines(alerts)
        topics = [line.split(" ", 1)[0] for line in lines]
        self.assertEqual(topics, ["ficus/alert/-/high/high_level"] * 2)
        self.assertEqual([json.loads(line.split(" ", 1)[1])["status"] for line in lines], ["raised", "cleared"])
        self.assertEqual([json.loads(line)["level"] for line in self.lines(changes)], [95, 10])

    def test_own_topics_are_protected(self):
        listener = self.listen("-t", "ficus/alert/#", "-W", "2")
        self.publish("-t", "ficus/alert/forged/high/x", "-m", "false alarm", "-q", "1")
        self.assertEqual(self.lines(listener), [])


if __name__ == "__main__":
    unittest.main(verbosity=2)
