"""The stores that are compared, each with the same four questions about the same vehicle tracks:

    last(id)      [speed, longitude, latitude] of its newest reading
    hour(id)      [(second, speed, heading, longitude, latitude, fuel, status)] of the hour, in order
    average()     [mean speed of all vehicles] for every five minutes of the hour
    count()       how many readings there are

`load` brings the rows in by the store's own bulk protocol; `settle` lets it do what it does when left alone, before bytes and
questions are measured.
"""
import json
import os
import subprocess
import time
import urllib.parse

from comparison.http_client import Connection, lines_in_pieces, pieces, send_all
from comparison.process import NOBODY, PEERS, Peer, bytes_under, environment, wait_for
from servers import BIN, ROOT, SERVER_CORE, free_port

LINES_OF_BATCH = 10_000
STATUS = {0: "parked", 1: "stopped", 2: "moving"}


def quote(text):
    return urllib.parse.quote(text, safe="")


class Data:
    """The rows as files, and which hour they are of."""

    def __init__(self, folder, vehicles, begin):
        self.folder, self.vehicles, self.begin, self.seconds = folder, vehicles, begin, 3600
        self.rows = vehicles * self.seconds

    def file(self, form):
        return self.folder / f"rows.{form}"

    def vehicle(self, number):
        return f"urn:ngsi-ld:Vehicle:veh-{37 * (number + 1) % self.vehicles:05}"


class Store(Peer):
    name = version = protocol = settings = durability = ""
    note = ""

    def __init__(self, data):
        super().__init__()
        self.data = data

    def prepare(self):
        pass

    def load(self):
        raise NotImplementedError

    def settle(self):
        pass

    def seconds_of_answer(self):
        """From sending the last question until its whole answer was here; reading it is the client's affair."""
        return self.client.seconds

    def make_visible(self):
        """Asks for what a reader would otherwise wait for."""

    def store_bytes(self):
        """Without write-ahead logs."""
        return bytes_under(self.folder)

    def all_bytes(self):
        return bytes_under(self.folder)


class FicusStore(Store):
    name = "Ficus"
    protocol = "HTTP `POST /ingest`, JSON, 10,000 rows a request, 4 connections"
    settings = "defaults; one history thread; answers from the unsealed tail"
    durability = "each answer after fdatasync; twin, rules and books kept as well"
    tail = ""

    def __init__(self, data):
        super().__init__(data)
        self.mqtt = free_port()

    def command(self):
        config = self.folder / "ficus.yaml"
        config.write_text(f"data_directory: {self.folder}/data\npacks: [{ROOT}/bench/city/comparison/pack]\n"
                          f"http: {{listen: '127.0.0.1:{self.port}'}}\nmqtt: {{listen: '127.0.0.1:{self.mqtt}'}}\n"
                          f"log_level: warning\nhistory: {{threads: 1{self.tail}}}\n")
        return [str(BIN / "ficus"), "serve", "--config", str(config)]

    def wait_until_ready(self):
        self.client = Connection(self.port)
        self.version = json.loads(self.client.ask("GET", "/health"))["version"]

    def load(self):
        send_all(self.port, "/ingest/tracks", lines_in_pieces(self.data.file("ndjson"), LINES_OF_BATCH),
                 headers={"Content-Type": "application/x-ndjson"})

    def store_bytes(self):
        return bytes_under(self.folder / "data/history")

    def sql(self, statement):
        return json.loads(self.client.ask("POST", "/sql", statement))["rows"]

    def last(self, vehicle):
        found = json.loads(self.client.ask("GET", f"/entities/{vehicle}?options=keyValues"))
        return [found["speed"], *found["location"]["coordinates"]]

    def hour(self, vehicle):
        begin = self.data.begin * 1_000_000
        return self.sql("SELECT epoch_us(\"observedAt\") // 1000000, speed, heading, location.lon, location.lat, fuel, status "
                        f"FROM Vehicle WHERE id = '{vehicle}' AND \"observedAt\" >= make_timestamp({begin}) AND \"observedAt\" < "
                        f"make_timestamp({begin + 3_600_000_000}) ORDER BY \"observedAt\"")

    def average(self):
        begin = self.data.begin * 1_000_000
        return [row[1] for row in self.sql(
            f"SELECT epoch_us(\"observedAt\") // 300000000 AS t, avg(speed) FROM Vehicle WHERE \"observedAt\" >= make_timestamp({begin})"
            f" AND \"observedAt\" < make_timestamp({begin + 3_600_000_000}) GROUP BY t ORDER BY t")]

    def count(self):
        return self.sql("SELECT count(*) FROM Vehicle")[0][0]


class FicusSealed(FicusStore):
    """The same after its tail was sealed into Parquet, as happens after 4,000,000 rows or a day."""

    name = "Ficus, sealed"
    settings = "the same rows after they were sealed into Parquet (here at once, by `tail_rows_max`)"
    note = "bytes are the Parquet files'; the emptied tail keeps its room in the database for the next rows"

    def settle(self):
        self.stop()
        self.tail = ", tail_rows_max: 1000"
        self.start()
        # The database keeps the room of the tail for the next one: of a fixed size, and not counted a row.
        wait_for("sealing", lambda: (self.sql("SELECT coalesce(sum(rows), 0) FROM ficus_sealed")[0][0] or 0) >= self.data.rows, 100, 0.5)


    def store_bytes(self):
        return int(self.sql("SELECT sum(bytes) FROM ficus_sealed")[0][0])


class DuckDb(Store):
    name = "DuckDB (floor)"
    version = "1.5.6"
    protocol = "COPY of a TSV file, in process"
    settings = "plain table in the order of arrival, one thread; no server, no network"
    durability = "one transaction"

    def __init__(self, data):
        super().__init__(data)
        self.milliseconds = 0.0

    def start(self):
        self.process = subprocess.Popen(SERVER_CORE + [str(BIN / "city_duckdb"), str(self.folder / "floor.duckdb")], text=True,
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.sql("SET threads = 1")

    def sql(self, statement):
        self.process.stdin.write(statement + "\n")
        self.process.stdin.flush()
        head = self.process.stdout.readline().split("\t")
        if len(head) != 2:
            raise RuntimeError("city_duckdb ended")
        self.milliseconds = float(head[0])
        return [self.process.stdout.readline().rstrip("\n").split("\t") for _ in range(int(head[1]))]

    def seconds_of_answer(self):
        return self.milliseconds / 1000

    def prepare(self):
        self.sql("CREATE TABLE tracks (id VARCHAR, time TIMESTAMP, speed DECIMAL(5,1), heading SMALLINT, lon DECIMAL(9,6), "
                 "lat DECIMAL(8,6), fuel DECIMAL(4,1), status VARCHAR)")

    def load(self):
        self.sql(f"COPY tracks FROM '{self.data.file('tsv')}' (DELIMITER '\\t', HEADER false)")

    def settle(self):
        self.sql("CHECKPOINT")

    def last(self, vehicle):
        return [float(cell) for cell in self.sql(
            f"SELECT speed, lon, lat FROM tracks WHERE id = '{vehicle}' ORDER BY time DESC LIMIT 1")[0]]

    def hour(self, vehicle):
        begin = self.data.begin * 1_000_000
        rows = self.sql(f"SELECT epoch_us(time) // 1000000, speed, heading, lon, lat, fuel, status FROM tracks WHERE id = '{vehicle}' AND "
                        f"time >= make_timestamp({begin}) AND time < make_timestamp({begin + 3_600_000_000}) ORDER BY time")
        return [numbers(row) for row in rows]

    def average(self):
        return [float(row[1]) for row in self.sql("SELECT epoch_us(time) // 300000000 AS t, avg(speed) FROM tracks GROUP BY t ORDER BY t")]

    def count(self):
        return int(self.sql("SELECT count(*) FROM tracks")[0][0])


def numbers(row):
    return [int(row[0]), *map(float, row[1:6]), row[6]]


class ClickHouse(Store):
    name = "ClickHouse"
    version = "18.16.1"
    needs = "usr/sbin/clickhouse-server"
    protocol = "clickhouse-client, native protocol, INSERT of TSV in its own blocks"
    settings = ("MergeTree, ORDER BY (id, time), parts compressed with ZSTD (this version knows no codec for a column), max_threads 1, "
                "status as Enum8")
    durability = "none: an INSERT is answered before anything is synced"

    def __init__(self, data):
        super().__init__(data)
        self.native = free_port()

    def command(self):
        (self.folder / "users.xml").write_text(
            "<yandex><profiles><default><max_threads>1</max_threads></default></profiles><users><default><password></password>"
            "<networks><ip>127.0.0.1</ip></networks><profile>default</profile><quota>default</quota></default></users>"
            "<quotas><default></default></quotas></yandex>")
        config = self.folder / "config.xml"
        config.write_text(
            f"<yandex><logger><level>warning</level><console>1</console></logger><http_port>{self.port}</http_port>"
            f"<tcp_port>{self.native}</tcp_port><listen_host>127.0.0.1</listen_host><path>{self.folder}/data/</path>"
            f"<tmp_path>{self.folder}/tmp/</tmp_path><users_config>{self.folder}/users.xml</users_config><timezone>UTC</timezone>"
            "<default_profile>default</default_profile><default_database>default</default_database>"
            "<mark_cache_size>1000000000</mark_cache_size><compression><case><min_part_size>0</min_part_size>"
            "<min_part_size_ratio>0</min_part_size_ratio><method>zstd</method></case></compression></yandex>")
        return [str(PEERS / self.needs), f"--config-file={config}"]

    def wait_until_ready(self):
        self.client = Connection(self.port)

    def sql(self, statement):
        text = self.client.ask("POST", "/", statement).decode()
        return [line.split("\t") for line in text.splitlines()]

    def prepare(self):
        self.sql("CREATE TABLE tracks (id String, time DateTime, speed Float32, heading UInt16, lon Float64, lat Float64, fuel Float32, "
                 "status Enum8('parked' = 0, 'stopped' = 1, 'moving' = 2)) ENGINE MergeTree() PARTITION BY toYYYYMM(time) "
                 "ORDER BY (id, time)")

    def load(self):
        with open(self.data.file("tsv"), "rb") as rows:
            subprocess.run([str(PEERS / "usr/bin/clickhouse-client"), "--host", "127.0.0.1", "--port", str(self.native),
                            "--query", "INSERT INTO tracks FORMAT TSV"], stdin=rows, check=True, env=environment(HOME=str(self.folder)))

    def settle(self):
        self.sql("OPTIMIZE TABLE tracks FINAL")

    def store_bytes(self):
        return int(self.sql("SELECT sum(bytes_on_disk) FROM system.parts WHERE table = 'tracks' AND active")[0][0])

    def last(self, vehicle):
        return [float(cell) for cell in self.sql(
            f"SELECT speed, lon, lat FROM tracks WHERE id = '{vehicle}' ORDER BY time DESC LIMIT 1")[0]]

    def hour(self, vehicle):
        rows = self.sql("SELECT toUInt32(time), speed, heading, lon, lat, fuel, status FROM tracks WHERE "
                        f"id = '{vehicle}' AND time >= toDateTime({self.data.begin}) AND time < toDateTime({self.data.begin + 3600}) ORDER BY time")
        return [numbers(row) for row in rows]

    def average(self):
        return [float(row[1]) for row in self.sql("SELECT toStartOfFiveMinute(time) AS t, avg(speed) FROM tracks WHERE time >= "
                                                  f"toDateTime({self.data.begin}) AND time < toDateTime({self.data.begin + 3600}) GROUP BY t ORDER BY t")]

    def count(self):
        return int(self.sql("SELECT count() FROM tracks")[0][0])


class Postgres(Store):
    name = "PostgreSQL"
    version = "15.20"
    needs = "usr/lib/postgresql/15/bin/postgres"
    user = NOBODY
    protocol = "psql, COPY, 10,000 rows a transaction"
    settings = ("shared_buffers 2 GB, max_wal_size 8 GB, wal_compression lz4, jit off, no parallel workers (one core); B-tree (id, time) "
                "and BRIN (time), numbers as real, place as double precision")
    durability = "each COPY after fdatasync of the write-ahead log"

    def __init__(self, data):
        super().__init__(data)
        self.psql = None

    def program(self, name):
        return str(PEERS / "usr/lib/postgresql/15/bin" / name)

    def environment(self):
        return environment()

    def command(self):
        if not (self.folder / "data").exists():
            subprocess.run([self.program("initdb"), "-D", str(self.folder / "data"), "-U", "bench", "-A", "trust", "-E", "UTF8", "--locale", "C.UTF-8"],
                           check=True, stdout=subprocess.DEVNULL, env=environment(), cwd=self.folder, **self.as_user())
        settings = {"listen_addresses": "127.0.0.1", "port": self.port, "unix_socket_directories": "", "shared_buffers": "2GB",
                    "max_wal_size": "8GB", "wal_compression": "lz4", "jit": "off", "max_parallel_workers_per_gather": 0, "work_mem": "64MB",
                    "effective_cache_size": "8GB", "checkpoint_timeout": "15min", "random_page_cost": 1.1, "timezone": "UTC"}
        words = [self.program("postgres"), "-D", str(self.folder / "data")]
        for name, value in settings.items():
            words += ["-c", f"{name}={value}"]
        return words

    def session(self, *more):
        return [self.program("psql"), "-X", "-q", "-A", "-t", "-F", "\t", "-v", "ON_ERROR_STOP=1", "-h", "127.0.0.1", "-p", str(self.port),
                "-U", "bench", "postgres", *more]

    def wait_until_ready(self):
        wait_for("PostgreSQL", lambda: subprocess.run(self.session("-c", "SELECT 1"), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                                                      env=environment()).returncode == 0)
        self.psql = subprocess.Popen(self.session(), bufsize=0, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment())

    def stop(self, how=None):
        if self.psql is not None:
            self.psql.stdin.close()
            self.psql.wait()
            self.psql = None
        super().stop(how)

    def sql(self, statement):
        begin = time.monotonic()
        self.psql.stdin.write(statement.encode() + b";\n\\echo :the-end\n")
        self.psql.stdin.flush()
        text = b""
        while not text.endswith(b":the-end\n"):
            part = os.read(self.psql.stdout.fileno(), 1 << 16)
            if not part:
                raise RuntimeError("psql ended")
            text += part
        self.seconds = time.monotonic() - begin
        return [line.split("\t") for line in text.decode().splitlines()[:-1]]

    def seconds_of_answer(self):
        return self.seconds

    def prepare(self):
        self.sql("CREATE TABLE tracks (id text, time timestamptz, speed real, heading smallint, lon double precision, lat double precision, "
                 "fuel real, status text); CREATE INDEX ON tracks (id, time); CREATE INDEX ON tracks USING brin (time)")

    def load(self):
        loader = subprocess.Popen(self.session(), stdin=subprocess.PIPE, env=environment())
        for piece in lines_in_pieces(self.data.file("tsv"), LINES_OF_BATCH):
            loader.stdin.write(b"COPY tracks FROM STDIN;\n")
            loader.stdin.write(piece)
            loader.stdin.write(b"\\.\n")
        loader.stdin.close()
        if loader.wait() != 0:
            raise RuntimeError("COPY failed")

    def settle(self):
        self.sql("VACUUM (ANALYZE, FREEZE) tracks")
        self.sql("CHECKPOINT")

    def store_bytes(self):
        return int(self.sql("SELECT pg_total_relation_size('tracks')")[0][0])

    def last(self, vehicle):
        return [float(cell) for cell in self.sql(
            f"SELECT speed, lon, lat FROM tracks WHERE id = '{vehicle}' ORDER BY time DESC LIMIT 1")[0]]

    def hour(self, vehicle):
        rows = self.sql("SELECT extract(epoch FROM time)::bigint, speed, heading, lon, lat, fuel, status FROM tracks WHERE "
                        f"id = '{vehicle}' AND time >= to_timestamp({self.data.begin}) AND time < to_timestamp({self.data.begin + 3600}) ORDER BY time")
        return [numbers(row) for row in rows]

    def average(self):
        begin = self.data.begin
        return [float(row[1]) for row in self.sql(
            f"SELECT date_bin('5 minutes', time, to_timestamp({begin})) AS t, avg(speed) FROM tracks WHERE time >= to_timestamp({begin}) AND time < "
            f"to_timestamp({begin + 3600}) GROUP BY t ORDER BY t")]

    def count(self):
        return int(self.sql("SELECT count(*) FROM tracks")[0][0])


class Influx(Store):
    name = "InfluxDB"
    version = "1.6.7"
    needs = "usr/bin/influxd"
    protocol = "HTTP `/write`, line protocol, 10,000 points a request, 4 connections"
    settings = "TSI index, no tracing, no own monitoring; a vehicle is a tag; one processor"
    durability = "each answer after fsync of the write-ahead log"

    def __init__(self, data=None):
        super().__init__(data)

    def environment(self):
        return environment(GOMAXPROCS="1", HOME=str(self.folder))

    def command(self):
        config = self.folder / "influxdb.conf"
        config.write_text(
            f"reporting-disabled = true\nbind-address = \"127.0.0.1:{free_port()}\"\n"
            f"[meta]\n  dir = \"{self.folder}/data/meta\"\n"
            f"[data]\n  dir = \"{self.folder}/data/data\"\n  wal-dir = \"{self.folder}/data/wal\"\n  index-version = \"tsi1\"\n"
            "  query-log-enabled = false\n  cache-snapshot-write-cold-duration = \"5s\"\n  compact-full-write-cold-duration = \"5s\"\n"
            "  cache-max-memory-size = 4294967296\n"
            f"[monitor]\n  store-enabled = false\n[http]\n  bind-address = \"127.0.0.1:{self.port}\"\n  log-enabled = false\n"
            "  max-row-limit = 0\n[subscriber]\n  enabled = false\n[continuous_queries]\n  enabled = false\n")
        return [str(PEERS / self.needs), "-config", str(config)]

    def wait_until_ready(self):
        self.client = Connection(self.port)

    def prepare(self):
        self.client.ask("POST", "/query?q=" + quote("CREATE DATABASE city"))

    def load(self):
        send_all(self.port, "/write?db=city&precision=s", lines_in_pieces(self.data.file("lines"), LINES_OF_BATCH))

    def settle(self):
        last, since = None, time.monotonic()
        end = since + 60
        while time.monotonic() < end and time.monotonic() - since < 8:
            now = self.store_bytes(), bytes_under(self.folder / "data/wal")
            if now != last:
                last, since = now, time.monotonic()
            time.sleep(0.5)

    def store_bytes(self):
        return bytes_under(self.folder / "data/data")

    def query(self, statement):
        answer = json.loads(self.client.ask("GET", "/query?db=city&epoch=s&q=" + quote(statement)))
        series = answer["results"][0].get("series")
        if "error" in answer["results"][0]:
            raise RuntimeError(answer["results"][0]["error"])
        return series[0]["values"] if series else []

    def last(self, vehicle):
        return self.query(f"SELECT last(speed), lon, lat FROM Vehicle WHERE id = '{vehicle}'")[0][1:]

    def hour(self, vehicle):
        return self.query("SELECT speed, heading, lon, lat, fuel, status FROM Vehicle WHERE "
                          f"id = '{vehicle}' AND time >= {self.data.begin}s AND time < {self.data.begin + 3600}s")

    def average(self):
        return [row[1] for row in self.query(
            f"SELECT mean(speed) FROM Vehicle WHERE time >= {self.data.begin}s AND time < {self.data.begin + 3600}s GROUP BY time(5m)")]

    def count(self):
        rows = self.query("SELECT count(speed) FROM Vehicle")
        return rows[0][1] if rows else 0


class Victoria(Store):
    name = "VictoriaMetrics"
    version = "1.79.5"
    needs = "usr/bin/victoria-metrics"
    protocol = "HTTP `/api/v1/import`, JSON, 60 readings of a series a line, 4 connections"
    settings = "defaults; its cache of answers off, as no other has one; one processor"
    durability = "none: answered before anything is on disk (it writes within seconds)"
    note = "numbers only: the status is kept as 0, 1, 2; answers put together from six series"

    def __init__(self, data=None):
        super().__init__(data)

    def environment(self):
        return environment(GOMAXPROCS="1")

    def command(self):
        return [str(PEERS / self.needs), f"-storageDataPath={self.folder}/data", f"-httpListenAddr=127.0.0.1:{self.port}", "-retentionPeriod=100y",
                "-search.disableCache", "-search.latencyOffset=0s", "-loggerLevel=ERROR", "-memory.allowedPercent=40",
                "-search.maxUniqueTimeseries=10000000"]

    def wait_until_ready(self):
        self.client = Connection(self.port)

    def load(self):
        send_all(self.port, "/api/v1/import", pieces(self.data.file("import"), 2 << 20))

    def settle(self):
        self.client.ask("GET", "/internal/force_flush")
        self.client.ask("GET", "/internal/force_merge")
        time.sleep(1)
        wait_for("merging", lambda: all(line.endswith(" 0") for line in self.client.ask("GET", "/metrics").decode().splitlines()
                                        if line.startswith("vm_active_merges")), 60, 0.3)

    def store_bytes(self):
        return bytes_under(self.folder / "data")

    def query(self, expression, at):
        answer = json.loads(self.client.ask("GET", f"/api/v1/query?nocache=1&time={at}&query={quote(expression)}"))
        return answer["data"]["result"]

    def last(self, vehicle):
        end = self.data.begin + 3599
        found = {one["metric"]["__name__"]: float(one["value"][1]) for one in self.query(
            f"last_over_time({{__name__=~\"Vehicle_(speed|lon|lat)\",id=\"{vehicle}\"}}[1h]) keep_metric_names", end)}
        return [found["Vehicle_speed"], found["Vehicle_lon"], found["Vehicle_lat"]]

    def hour(self, vehicle):
        match = quote(f"{{id=\"{vehicle}\"}}")
        text = self.client.ask("GET", f"/api/v1/export?start={self.data.begin}&end={self.data.begin + 3599}&match[]={match}")
        series = {}
        for line in text.splitlines():
            one = json.loads(line)
            series[one["metric"]["__name__"]] = one
        columns = [series["Vehicle_" + name]["values"] for name in ("speed", "heading", "lon", "lat", "fuel")]
        seconds = [time_ms // 1000 for time_ms in series["Vehicle_speed"]["timestamps"]]
        return [list(row) for row in zip(seconds, *columns, (STATUS[v] for v in series["Vehicle_status"]["values"]))]

    def average(self):
        # A window reaches back from its last second, that one included.
        begin = self.data.begin + 299
        answer = json.loads(self.client.ask("GET", f"/api/v1/query_range?nocache=1&start={begin}&end={begin + 3300}&step=300&query=" +
                                            quote("avg(avg_over_time(Vehicle_speed[5m]))")))
        return [float(value) for _, value in answer["data"]["result"][0]["values"]]

    def make_visible(self):
        self.client.ask("GET", "/internal/force_flush")

    def count(self):
        found = self.query("sum(count_over_time(Vehicle_speed[1h]))", self.data.begin + 3599)
        return int(float(found[0]["value"][1])) if found else 0


STORES = {"ficus": FicusStore, "sealed": FicusSealed, "victoria": Victoria, "influx": Influx, "clickhouse": ClickHouse, "postgres": Postgres,
          "duckdb": DuckDb}
