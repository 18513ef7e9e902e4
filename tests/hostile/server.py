"""The real server with every port open, watched from outside: whether it lives, what it holds, whether it stops in order."""
import hashlib
import http.client
import os
import pathlib
import signal
import socket
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "system"))
sys.dont_write_bytecode = True
import harness  # noqa: E402  pylint: disable=wrong-import-position

TOKEN = "ficus_" + "7a" * 32  # of the probes, who are somebody else than the attackers
CANARY = "canary-5f1b7c93"
# Fuzzing shall reach the limits, so they are low. The address sanitizer keeps freed memory for a while: not more than that.
CONFIG = """
http: {{listen_tls: '127.0.0.1:{https}', connections_max: 2000, held_mib_max: 64}}
mqtt: {{listen_tls: '127.0.0.1:{mqtts}', connections_max: 2000, session_messages_max: 500, session_kib_max: 1024, retained_messages_max: 500, retained_mib_max: 16, session_hours_max: 1}}
tls: {{certificate: tls/server.crt, key: tls/server.key}}
access: {{users: users.yaml, logins_waiting_max: 20}}
live: {{clients_max: 200, clients_per_user_max: 100}}
log: {{segment_mib_max: 16, snapshot_mib_every: 32}}
twin: {{entities_max: 20000}}
history: {{memory_mib_max: 256}}
sql: {{seconds_max: 2, memory_mib_max: 128, file_mib_max: 16, rows_max: 10000}}
"""
USERS = f"""
anonymous: administrator
users:
  - {{name: probe, roles: [administrator], certificate: probe.example}}
tokens:
  - {{name: probe, user: probe, sha256: "{hashlib.sha256(TOKEN.encode()).hexdigest()}"}}
"""
# LeakSanitizer looks when the server ends in order; a report of any kind makes the exit code another than 0.
SANITIZERS = {"ASAN_OPTIONS": "detect_leaks=1:quarantine_size_mb=64:exitcode=86:abort_on_error=0:allocator_may_return_null=0",
              "LSAN_OPTIONS": f"suppressions={HERE / 'lsan.supp'}:print_suppressions=0",
              "UBSAN_OPTIONS": "print_stacktrace=1:halt_on_error=1"}
REPORTS = ("ERROR: AddressSanitizer", "ERROR: LeakSanitizer", "runtime error:", "check failed", "FICUS_CHECK")


class Server(harness.Brain):
    def __init__(self):
        os.environ.update(SANITIZERS)
        self.https_port, self.mqtts_port, self.ais_port = (harness.free_port() for _ in range(3))
        self.udp_port = harness.free_port(socket.SOCK_DGRAM)
        super().__init__(HERE / "pack", udp_port=self.udp_port, ais_port=self.ais_port,
                         config=CONFIG.format(https=self.https_port, mqtts=self.mqtts_port))
        (self.folder / "users.yaml").write_text(USERS, encoding="utf-8")
        (self.folder / "users.yaml").chmod(0o600)
        self.canary = self.folder / "canary"
        for name in ("canary", "canary.csv"):
            (self.folder / name).write_text(f"{CANARY}\n", encoding="utf-8")
        self.run("tls", "self-signed", str(self.folder / "tls"), "--host", "localhost")

    def request(self, method, target, body=None, headers=None, timeout=60):
        """As the probes' user, and from another address than the attackers."""
        connection = http.client.HTTPConnection("127.0.0.1", self.http_port, timeout=timeout, source_address=("127.0.0.2", 0))
        try:
            connection.request(method, target, body, {"Authorization": f"Bearer {TOKEN}", **(headers or {})})
            answer = connection.getresponse()
            return answer.status, answer.read()
        finally:
            connection.close()

    def metrics(self):
        """All figures, by name with labels."""
        values = {}
        for line in self.request("GET", "/metrics")[1].decode().splitlines():
            if not line.startswith("#"):
                name, _, value = line.rpartition(" ")
                values[name] = float(value)
        return values

    def is_alive(self):
        return self.process.poll() is None

    def resident_mib(self):
        status = pathlib.Path(f"/proc/{self.process.pid}/status").read_text(encoding="ascii")
        return int(status.split("VmRSS:")[1].split()[0]) // 1024 if "VmRSS:" in status else 0

    def open_files(self):
        return len(os.listdir(f"/proc/{self.process.pid}/fd"))

    def log_text(self):
        return (self.folder / "brain.log").read_text(encoding="utf-8", errors="replace")

    def reports(self):
        """Lines of the log with which a sanitizer or a broken invariant speaks."""
        return [line for line in self.log_text().splitlines() if any(word in line for word in REPORTS)]

    def stop_in_order(self, timeout=120):
        """SIGTERM; the exit code."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(timeout)
