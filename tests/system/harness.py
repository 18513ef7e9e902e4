"""Starts the real binary on free ports with a data directory of its own, and asks it what it knows.

Everything here talks to the brain as any client would: MQTT through paho, HTTP through the standard library.
"""
import http.client
import json
import os
import pathlib
import random
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.parse

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
BINARY = pathlib.Path(os.environ.get("FICUS_BINARY", ROOT / "build/gcc/bin/ficus")).resolve()
DATA = pathlib.Path(os.environ.get("FICUS_TEST_DATA", ROOT.parent / "shared/data"))
PACKS = pathlib.Path(__file__).resolve().parent / "packs"


_reserved = []  # sockets with names, one for each port that was given out; they end with this process


def free_port(kind=socket.SOCK_STREAM):
    """A port that nobody has, nor gets while this process lives, also while the brain that listens on it is down.

    Not one that the kernel chooses: it gives the same to clients, so that one that tries to reconnect may take the port of
    the brain it is looking for, and even reach itself."""
    with open("/proc/sys/net/ipv4/ip_local_port_range", encoding="ascii") as file:
        chosen_by_kernel = int(file.read().split()[0])
    while True:
        port = random.SystemRandom().randrange(min(10_000, chosen_by_kernel - 5000), chosen_by_kernel)
        name = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        try:
            name.bind(f"\0ficus-test-port-{port}")  # other test processes look for it, too
            with socket.socket(socket.AF_INET, kind) as s:
                s.bind(("127.0.0.1", port))
        except OSError:
            name.close()
            continue
        _reserved.append(name)
        return port


def read_zst(path):
    """The content of a .zst file."""
    return subprocess.run(["zstd", "-dcq", str(path)], check=True, stdout=subprocess.PIPE).stdout


class Brain:
    """One ficus process; may be killed and started again on the same data."""

    def __init__(self, pack, **replacements):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="ficus-system-"))
        self.http_port = free_port()
        self.mqtt_port = free_port()
        self.process = None
        self.prefix = []  # words before the binary: to run it in another place
        self.log = open(self.folder / "brain.log", "ab")
        pack_folder = self.folder / "pack"
        shutil.copytree(PACKS / pack, pack_folder)
        for path in pack_folder.iterdir():
            text = path.read_text(encoding="utf-8")
            for name, value in replacements.items():
                text = text.replace("${" + name + "}", str(value))
            path.write_text(text, encoding="utf-8")
        self.config = self.folder / "ficus.yaml"
        text = replacements.get("config", "")
        text = self.section(text, "http", f"listen: '127.0.0.1:{self.http_port}'")
        text = self.section(text, "mqtt", f"listen: '127.0.0.1:{self.mqtt_port}'")
        self.config.write_text(f"data_directory: {self.folder}/data\npacks: [{pack_folder}]\n{text}", encoding="utf-8")

    @staticmethod
    def section(text, name, entry):
        """The configuration with `entry` in that section; what the section says already comes last, so it wins."""
        head, found, rest = text.partition(name + ": {")
        return f"{head}{name}: {{{entry}, {rest}" if found else f"{text}{name}: {{{entry}}}\n"

    def metric(self, name, headers=None):
        for line in self.request("GET", "/metrics", headers=headers)[1].decode().splitlines():
            if line.startswith(name + " "):
                return float(line.rsplit(" ", 1)[1])
        raise KeyError(name)

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, kind, value, trace):
        self.stop()
        self.log.close()
        if kind is None:
            shutil.rmtree(self.folder, ignore_errors=True)
        else:
            sys.stderr.write(f"kept for inspection: {self.folder}\n")
            sys.stderr.write((self.folder / "brain.log").read_text(errors="replace")[-4000:])

    def start(self, timeout=60):
        self.process = subprocess.Popen([*self.prefix, str(BINARY), "serve", "--config", str(self.config)], stderr=self.log,
                                        stdout=self.log)
        end = time.monotonic() + timeout
        while time.monotonic() < end:
            if self.process.poll() is not None:
                raise RuntimeError(f"the brain ended with {self.process.returncode}")
            try:
                if self.get("/health")["status"] in ("ok", "degraded"):
                    return
            except (OSError, http.client.HTTPException):
                time.sleep(0.02)
        raise RuntimeError("the brain did not become ready")

    def kill(self):
        """kill -9, and wait for the process to be gone."""
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def stop(self, timeout=60):
        if self.process is None or self.process.poll() is not None:
            return 0.0
        begin = time.monotonic()
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(timeout)
        return time.monotonic() - begin

    def request(self, method, target, body=None, headers=None, timeout=60):
        connection = http.client.HTTPConnection("127.0.0.1", self.http_port, timeout=timeout)
        try:
            connection.request(method, target, body, headers or {})
            answer = connection.getresponse()
            return answer.status, answer.read()
        finally:
            connection.close()

    def get(self, target):
        status, body = self.request("GET", target)
        if status != 200:
            raise RuntimeError(f"GET {target}: {status} {body[:500]!r}")
        return json.loads(body)

    def post(self, target, value, expect=200):
        status, body = self.request("POST", target, json.dumps(value), {"Content-Type": "application/json"})
        if status != expect:
            raise RuntimeError(f"POST {target}: {status} {body[:500]!r}")
        return json.loads(body)

    def sql(self, text):
        """The rows of a SELECT, all of them."""
        answer = self.post("/sql", {"sql": text})
        if answer["truncated"]:
            raise AssertionError(f"the answer is cut off at {len(answer['rows'])} rows: {text}")
        return answer["rows"]

    def books(self, source):
        for entry in self.get("/sources")["sources"]:
            if entry["name"] == source:
                return entry
        raise KeyError(source)

    def wait_for(self, what, condition, timeout=60):
        end = time.monotonic() + timeout
        while True:
            try:
                value = condition()
            except RuntimeError:  # an error answer: history has a table from its first row on
                value = None
            if value:
                return value
            if time.monotonic() > end:
                raise AssertionError(f"waited {timeout} s in vain for {what}")
            time.sleep(0.05)

    def wait_for_history(self, table, rows, timeout=60):
        self.wait_for(f"{rows} rows in {table}",
                      lambda: self.sql(f"SELECT count(*) FROM {table}")[0][0] >= rows, timeout)

    def run(self, *words, timeout=600):
        """Another command of the same binary; its output."""
        done = subprocess.run([str(BINARY), *words], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=timeout,
                              check=False)
        if done.returncode != 0:
            raise RuntimeError(f"ficus {' '.join(words)}: exit {done.returncode}: {done.stdout[-2000:]!r}")
        return done.stdout.decode()


def assert_balanced(test, books):
    total = sum(books[name] for name in ("applied", "late", "duplicate", "quarantined", "refused"))
    test.assertEqual(books["received"], total, books)


def quote(identifier):
    return urllib.parse.quote(identifier, safe="")
