"""The whole chain, from a sensor's MQTT message to an alert on MQTT and a row in a database: Ficus alone, or mosquitto, Node-RED
and a time-series store. All parts of a chain share the servers' core."""
import json
import os
import pathlib
import signal
import time

from comparison.process import PEERS, Peer, bytes_under, wait_for
from comparison.publisher import Publisher
from comparison.stores import FicusStore, Influx, Victoria

HERE = pathlib.Path(__file__).resolve().parent


# How often mosquitto writes what it holds to disk: as Debian has it, or as often as it can be told to.
SAVES = {"half-hourly": "", "every second": "autosave_interval 1\n", "at every change": "autosave_on_changes true\nautosave_interval 1\n"}


class Broker(Peer):
    def __init__(self, saves):
        super().__init__()
        self.saves = saves

    def command(self):
        config = self.folder / "mosquitto.conf"
        config.write_text(f"listener {self.port} 127.0.0.1\nallow_anonymous true\npersistence true\npersistence_location {self.folder}/\n"
                          "max_inflight_messages 1000\nmax_queued_messages 0\nset_tcp_nodelay true\n"
                          + ("user root\n" if os.geteuid() == 0 else "") + SAVES[self.saves])
        return ["mosquitto", "-c", str(config)]

    def save(self):
        self.process.send_signal(signal.SIGUSR1)


class NodeRed(Peer):
    needs = "node-red/node_modules/.bin/node-red"

    def __init__(self, broker, store):
        super().__init__()
        self.broker, self.store = broker, store

    def environment(self):
        return dict(os.environ, COMPARE_PORT=str(self.port), HOME=str(self.folder))

    def command(self):
        text = (HERE / "flow.json").read_text()
        flow = json.loads(text.replace("MQTT_PORT", str(self.broker.port)).replace("STORE_PORT", str(self.store.port)))
        for node in flow:
            for key, value in node.items():
                if isinstance(value, str) and value.startswith("FILE "):
                    node[key] = (HERE / value[5:]).read_text()
        (self.folder / "flow.json").write_text(json.dumps(flow))
        (self.folder / "settings.js").write_text((HERE / "settings.js").read_text())
        return ["node", str(PEERS / "node-red/node_modules/node-red/red.js"), "--userDir", str(self.folder)]


class InfluxPart(Influx):
    def become_old(self, mqtt):
        pass

    def trips(self):
        return {int(row[1]) for row in self.query("SELECT trip FROM Vehicle")}

    def row_count(self):
        rows = self.query("SELECT count(trip) FROM Vehicle")
        return rows[0][1] if rows else 0


class VictoriaPart(Victoria):
    def become_old(self, mqtt):
        """One that has run for long has the names of all vehicles' series on disk: without them, rows that are there are not found."""
        publisher = Publisher(mqtt, 200)
        publisher.next_trip = 10_000_000
        publisher.start()
        time.sleep(2)
        publisher.stop()
        time.sleep(10)

    def export(self):
        self.client.ask("GET", "/internal/force_flush")
        return self.client.ask("GET", "/api/v1/export?match[]=Vehicle_trip").splitlines()

    def trips(self):
        return {int(value) for line in self.export() for value in json.loads(line)["values"]}

    def row_count(self):
        return sum(line.count(b",", line.find(b'"timestamps":[')) + 1 for line in self.export())


class FicusPart(FicusStore):
    def __init__(self):
        super().__init__(None)

    def command(self):
        words = super().command()
        path = pathlib.Path(words[-1])
        path.write_text(path.read_text() + "sql: {rows_max: 10000000}\n")
        return words

    def trips(self):
        return {int(row[0]) for row in self.sql("SELECT trip FROM Vehicle")}

    def row_count(self):
        return self.count()


class Chain:
    """The parts of a chain for the time of a `with`, and what is asked of them together."""

    alerts = "city/alert/#"

    def __init__(self):
        self.parts = {}

    def __enter__(self):
        try:
            for part in self.parts.values():
                part.start()
            self.store.prepare()
            self.wait_until_it_hears()
        except Exception:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        for part in reversed(list(self.parts.values())):
            part.__exit__()

    @property
    def mqtt(self):
        """What bench/city/load calls a server."""
        return self.broker.port

    def wait_until_it_hears(self):
        def heard():
            publisher = Publisher(self.mqtt, 50)
            publisher.start()
            time.sleep(0.2)
            publisher.stop()
            return self.store.row_count() > 0
        wait_for("the first row", heard, 60, 0.2)
        self.settled()

    def settled(self, seconds_max=60, quiet=1.0):
        """Waits until no row comes any more; gives how many there are."""
        end, last, since = time.monotonic() + seconds_max, -1, time.monotonic()
        while time.monotonic() < end and time.monotonic() - since < quiet:
            now = self.store.row_count()
            if now != last:
                last, since = now, time.monotonic()
            time.sleep(0.1)
        return last

    def processor_seconds(self):
        return sum(part.processor_seconds() for part in self.parts.values())

    def memory(self):
        return sum(part.memory() for part in self.parts.values())

    def bytes(self):
        return sum(bytes_under(part.folder) for part in self.parts.values())


class PeerChain(Chain):
    def __init__(self, store_kind, saves):
        super().__init__()
        self.broker, self.store = Broker(saves), store_kind()
        self.parts = {"mosquitto": self.broker, self.store.name: self.store, "Node-RED": NodeRed(self.broker, self.store)}

    def wait_until_it_hears(self):
        super().wait_until_it_hears()
        self.store.become_old(self.mqtt)
        self.broker.save()  # one that has run for long has Node-RED's session on disk


class FicusChain(Chain):
    alerts = "ficus/alert/#"
    name = "Ficus"

    def __init__(self):
        super().__init__()
        self.store = FicusPart()
        self.parts = {"Ficus": self.store}

    @property
    def mqtt(self):
        return self.store.mqtt


class InfluxChain(PeerChain):
    name = "mosquitto + Node-RED + InfluxDB"

    def __init__(self, saves="half-hourly"):
        super().__init__(InfluxPart, saves)


class VictoriaChain(PeerChain):
    name = "mosquitto + Node-RED + VictoriaMetrics"

    def __init__(self, saves="half-hourly"):
        super().__init__(VictoriaPart, saves)


CHAINS = {"ficus": FicusChain, "influx": InfluxChain, "victoria": VictoriaChain}
