"""What an operator sees in the terminal: `ficus status`, its exit codes, the log lines."""
import json
import os
import re
import signal
import subprocess
import unittest

import harness


def ficus(*words, **environment):
    done = subprocess.run([str(harness.BINARY), *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=30,
                          env={**os.environ, "LC_ALL": "", **environment}, check=False)
    return done.returncode, done.stdout.decode(), done.stderr.decode()


class Status(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.brain = harness.Brain("crash", config="shards: 2\nlogger: {format: json}\n")
        cls.brain.start()
        cls.url = f"http://127.0.0.1:{cls.brain.http_port}"

    @classmethod
    def tearDownClass(cls):
        cls.brain.__exit__(None, None, None)

    def test_one_screen(self):
        self.brain.post("/ingest/gateway", [{"meter": "1", "n": 1, "t": 1_700_000_000_000_000, "level": 95},
                                            {"meter": "2", "n": "x", "t": 0, "level": 5}], expect=207)
        code, screen, _ = ficus("status", "--url", self.url, LANG="en_GB.UTF-8")
        self.assertEqual(code, 0, screen)
        self.assertRegex(screen, r"^ficus \d+\.\d+\.\d+  ok  up \d+ s")
        self.assertRegex(screen, r"open alerts 1 ")
        self.assertRegex(screen, r"gateway +\d+\.\d +2 +1 +0 +0 +1 +0 +balanced")
        self.assertEqual(screen.count("0/256"), 2, screen)
        self.assertIn("正常", ficus("status", "--url", self.url, LANG="zh_CN.UTF-8")[1])

    def test_the_rate_is_there_though_nobody_watches(self):
        def rate():
            return next(s for s in json.loads(ficus("status", "--url", self.url, "--json")[1])["sources"]["sources"]
                        if s["name"] == "gateway")["ratePerSecond"]

        sent = 100

        def send_and_ask():
            nonlocal sent
            self.brain.post("/ingest/gateway", [{"meter": "3", "n": sent + i, "t": 1_700_000_000_000_000 + sent + i,
                                                 "level": 1} for i in range(50)])
            sent += 50
            return rate() > 0

        self.brain.wait_for("a rate above zero", send_and_ask, 10)
        self.brain.wait_for("a rate of zero again", lambda: rate() == 0, 10)

    def test_json_for_scripts(self):
        code, text, _ = ficus("status", "--url", self.url, "--json")
        self.assertEqual(code, 0)
        status = json.loads(text)
        self.assertEqual(status["status"], "ok")
        self.assertEqual(status["problems"], [])
        self.assertEqual(len(status["shards"]), 2)
        self.assertGreater(status["memoryBytes"], 1 << 20)
        self.assertGreater(status["disk"]["freeBytes"], 0)
        for key in ("uptimeSeconds", "mqtt", "history", "sources", "lastErrors", "alertsOpen", "configuration"):
            self.assertIn(key, status)

    def test_watch(self):
        process = subprocess.Popen([str(harness.BINARY), "status", "--url", self.url, "--watch", "--interval", "1"],
                                   stdout=subprocess.PIPE)
        seen = 0
        while seen < 2:
            seen += process.stdout.readline().startswith(b"ficus ")
        process.send_signal(signal.SIGINT)
        process.wait(10)

    def test_unreachable(self):
        code, text, error = ficus("status", "--url", f"http://127.0.0.1:{harness.free_port()}", LANG="C")
        self.assertEqual((code, text), (2, ""))
        self.assertIn("cannot reach", error)

    def test_degraded(self):
        # More is kept in reserve than any disk has: nothing new can be taken.
        with harness.Brain("crash", config="log: {disk_reserve_mib: 1000000}\n") as brain:
            code, screen, _ = ficus("status", "--url", f"http://127.0.0.1:{brain.http_port}", LANG="C")
            self.assertEqual(code, 1, screen)
            self.assertIn("disk_full", screen)
            self.assertIn("last warnings and errors:", screen)

    def test_log_lines_are_json(self):
        self.brain.log.flush()
        lines = [json.loads(line) for line in (self.brain.folder / "brain.log").read_text(encoding="utf-8").splitlines()]
        self.assertIn("ready", [line["message"] for line in lines])
        self.assertTrue(all({"time", "level", "room"} <= line.keys() for line in lines))

    def test_every_command_has_help_completion_and_manual(self):
        commands = re.findall(r"^  ([a-z]+(?: [a-z-]+)?)  ", ficus("--help")[1], re.MULTILINE)
        self.assertIn("log check", commands)
        self.assertIn("status", commands)
        completion = ficus("completion", "bash")[1]
        manual = ficus("manual")[1]
        for command in commands:
            code, text, _ = ficus(*command.split(), "--help")
            self.assertEqual(code, 0, command)
            self.assertTrue(text.startswith(f"usage: ficus {command}"), text)
            self.assertIn(f'"{command}"*)', completion)
            self.assertIn(".SS ficus " + command.replace("-", "\\-"), manual)
        subprocess.run(["bash", "-n"], input=completion.encode(), check=True)


if __name__ == "__main__":
    unittest.main()
