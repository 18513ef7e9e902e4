"""Starts and stops the servers that bench/city/run measures: ours, mosquitto, and the bare forwarding loop. Each is pinned
to core 0 and speaks on loopback only, on ports of the machine's choice."""
import json
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import urllib.error
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
BIN = pathlib.Path(os.environ.get("FICUS_BENCH_BIN", ROOT / "build/bench/bin"))
SERVER_CORE = ["taskset", "-c", "0"]
GENERATOR_CORE = ["taskset", "-c", "1"]


def go_first():
    """Where it is allowed, the measurement runs before other processes (it and all that it starts share one group of the
    scheduler's), so that what else the machine does disturbs it less. Not before the kernel's threads, which have -20: one of
    them flushes the disk for each fdatasync, and when our group weighed as much as it, a busy server let it wait for up to
    0.16 s (perf sched)."""
    try:
        os.setsid()
    except OSError:
        pass  # it leads a group already
    try:
        pathlib.Path("/proc/self/autogroup").write_text("-10")
        os.nice(-15)
    except OSError:
        pass


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def wait_for_port(port, process, seconds=60):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if process.poll() is not None:
            raise RuntimeError("the server ended at once")
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            return
        except OSError:
            time.sleep(0.01)
    raise RuntimeError("the server did not start")


class Server:
    """A server for the time of a `with`."""

    cores = "0"

    def __init__(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="ficus-bench-"))
        self.mqtt = free_port()
        self.process = None

    def command(self):
        raise NotImplementedError

    def start(self):
        self.process = subprocess.Popen(["taskset", "-c", self.cores] + self.command(), stderr=subprocess.DEVNULL if self.is_chatty else None)
        wait_for_port(self.mqtt, self.process)

    is_chatty = False

    def stop(self, how=signal.SIGTERM):
        if self.process is not None:
            self.process.send_signal(how)
            self.process.wait()
            self.process = None

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    def memory(self, field="VmRSS"):
        """Bytes of this field of /proc/PID/status."""
        for line in pathlib.Path(f"/proc/{self.process.pid}/status").read_text().splitlines():
            if line.startswith(field + ":"):
                return int(line.split()[1]) * 1024
        raise RuntimeError("no " + field)

    def processor_seconds(self):
        fields = pathlib.Path(f"/proc/{self.process.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


class Mosquitto(Server):
    is_chatty = True

    def command(self):
        config = self.folder / "mosquitto.conf"
        config.write_text(f"listener {self.mqtt} 127.0.0.1\nallow_anonymous true\npersistence false\nmax_inflight_messages 0\n"
                          "max_queued_messages 0\nset_tcp_nodelay true\n")
        return ["mosquitto", "-c", str(config)]


class Forward(Server):
    def command(self):
        return [str(BIN / "city_forward"), str(self.mqtt)]


class Ficus(Server):
    """`settings`: lines of the configuration. `encrypted`: MQTT is heard over TLS as well, on port `mqtts`. `pack`: another than
    city/pack. `cores`: as taskset says them."""

    def __init__(self, settings="", encrypted=False, pack=ROOT / "bench/city/pack", cores="0"):
        super().__init__()
        self.pack, self.cores = pack, cores
        self.http = free_port()
        self.settings = settings
        self.mqtts = None
        if encrypted:
            self.mqtts = free_port()
            key, certificate = self.folder / "key.pem", self.folder / "certificate.pem"
            subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "60", "-keyout",
                            key, "-out", certificate, "-subj", "/CN=localhost"], check=True, stderr=subprocess.DEVNULL)
            self.settings += f"tls: {{certificate: {certificate}, key: {key}}}\n"

    def command(self):
        config = self.folder / "ficus.yaml"
        config.write_text(f"data_directory: {self.folder}/data\npacks: [{self.pack}]\n"
                          f"http: {{listen: '127.0.0.1:{self.http}'}}\n"
                          f"mqtt: {{listen: '127.0.0.1:{self.mqtt}', connections_max: 20000"
                          + (f", listen_tls: '127.0.0.1:{self.mqtts}'" if self.mqtts else "") + "}\n"
                          f"log_level: warning\nhistory: {{threads: 1}}\n" + self.settings)
        return [str(BIN / "ficus"), "serve", "--config", str(config)]

    def get(self, path):
        with urllib.request.urlopen(f"http://127.0.0.1:{self.http}{path}", timeout=60) as answer:
            return json.load(answer)

    def sql(self, statement):
        request = urllib.request.Request(f"http://127.0.0.1:{self.http}/sql", statement.encode(), method="POST")
        try:
            with urllib.request.urlopen(request, timeout=120) as answer:
                return json.load(answer)["rows"]
        except urllib.error.HTTPError as error:
            raise RuntimeError(f"{statement}: {error.code}: {error.read().decode(errors='replace')[:500]}") from error

    def books(self):
        """The books of all sources together; they must balance."""
        total = {}
        for source in self.get("/sources")["sources"]:
            for name in ("received", "applied", "late", "duplicate", "quarantined", "refused"):
                total[name] = total.get(name, 0) + source[name]
        if total["received"] != sum(total[name] for name in total if name != "received"):
            raise RuntimeError(f"the books do not balance: {total}")
        return total


def load(server, case, **options):
    """Runs one case of the generator and gives what it printed."""
    arguments = [f"{name}={value}" for name, value in options.items()]
    out = subprocess.run(GENERATOR_CORE + [str(BIN / "city_load"), case, f"127.0.0.1:{server.mqtt}"] + arguments, check=True,
                         stdout=subprocess.PIPE, timeout=200).stdout.decode()
    return parse(out)


def parse(line):
    return {name: float(value) for name, value in (word.split("=") for word in line.split())}


class Holding:
    """A case of the generator that prints, then holds its connections until the `with` ends."""

    def __init__(self, server, case, **options):
        arguments = [f"{name}={value}" for name, value in options.items()]
        self.process = subprocess.Popen(GENERATOR_CORE + [str(BIN / "city_load"), case, f"127.0.0.1:{server.mqtt}"] + arguments,
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.result = parse(self.process.stdout.readline().decode())

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.stdin.close()
        self.process.wait()
