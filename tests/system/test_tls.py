"""Encryption as clients meet it: HTTPS, MQTT over TLS, and both as WebSockets, with clients that others wrote."""
import base64
import http.client
import json
import os
import pathlib
import signal
import socket
import ssl
import struct
import subprocess
import time
import unittest

import paho.mqtt.client as paho

from harness import BINARY, Brain, free_port


def openssl(*words, text=None):
    subprocess.run(["openssl", *map(str, words)], check=True, input=text, stdout=subprocess.DEVNULL,
                   stderr=subprocess.DEVNULL)


class Authority:
    """Signs certificates in a folder."""

    def __init__(self, folder, name="authority"):
        self.folder = pathlib.Path(folder)
        self.key, self.certificate = self.folder / f"{name}.key", self.folder / f"{name}.crt"
        openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", 2,
                "-keyout", self.key, "-out", self.certificate, "-subj", f"/CN=Test {name}",
                "-addext", "keyUsage=critical,keyCertSign,cRLSign")

    def issue(self, file, common_name, extensions):
        key, request, certificate = (self.folder / f"{file}.{end}" for end in ("key", "csr", "crt"))
        openssl("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", key, "-out", request,
                "-subj", f"/CN={common_name}")
        wanted = self.folder / f"{file}.ext"
        wanted.write_text("\n".join(extensions), encoding="utf-8")
        openssl("x509", "-req", "-in", request, "-CA", self.certificate, "-CAkey", self.key, "-CAcreateserial",
                "-days", 2, "-out", certificate, "-extfile", wanted)
        return certificate, key

    def list_revoked(self, *certificates):
        """Writes the list of what it has taken back."""
        self.list = self.folder / "revoked.pem"
        index, settings = self.folder / "index.txt", self.folder / "ca.conf"
        if not index.exists():
            index.write_text("", encoding="utf-8")
            settings.write_text(f"[ca]\ndefault_ca=d\n[d]\ndatabase={index}\ndefault_md=sha256\ndefault_crl_days=2\n",
                                encoding="utf-8")
        words = ["ca", "-config", settings, "-cert", self.certificate, "-keyfile", self.key]
        for certificate in certificates:
            openssl(*words, "-revoke", certificate)
        openssl(*words, "-gencrl", "-out", self.list)


def issue_server(authority, file="server"):
    return authority.issue(file, "ficus", ["subjectAltName=DNS:localhost,IP:127.0.0.1", "extendedKeyUsage=serverAuth"])


class TlsBrain(Brain):
    def __init__(self, client_certificate="optional", pack="parking"):
        super().__init__(pack)
        self.https_port, self.mqtts_port = free_port(), free_port()
        self.authority = Authority(self.folder)
        self.devices = Authority(self.folder, "devices")
        self.certificate, self.key = issue_server(self.authority)
        text = self.config.read_text(encoding="utf-8")
        text = text.replace("http: {", f"http: {{listen_tls: '127.0.0.1:{self.https_port}', ")
        text = text.replace("mqtt: {", f"mqtt: {{listen_tls: '127.0.0.1:{self.mqtts_port}', ")
        text += (f"tls: {{certificate: {self.certificate}, key: {self.key}, client_ca: {self.devices.certificate}, "
                 f"client_certificate: {client_certificate}}}\n")
        self.config.write_text(text, encoding="utf-8")

    def context(self, identity=None, version=None):
        context = ssl.create_default_context(cafile=str(self.authority.certificate))
        if identity is not None:
            context.load_cert_chain(*map(str, identity))
        if version is not None:
            context.minimum_version = context.maximum_version = version
        return context


def round_trip(port, context=None, transport="tcp", host="127.0.0.1"):
    """Publishes with QoS 1 to itself; returns what came back."""
    client = paho.Client(client_id="tls-test", protocol=paho.MQTTv5, transport=transport)
    if transport == "websockets":
        client.ws_set_options(path="/mqtt")
    if context is not None:
        client.tls_set_context(context)
    heard = []
    client.on_connect = lambda c, *rest: c.subscribe("tls/test", 1)
    client.on_subscribe = lambda c, *rest: c.publish("tls/test", "x" * 5000, 1)
    client.on_message = lambda c, u, message: heard.append(message.payload)
    client.connect(host, port)
    client.loop_start()
    try:
        end = time.monotonic() + 10
        while not heard and time.monotonic() < end:
            time.sleep(0.01)
    finally:
        client.loop_stop()
        client.disconnect()
    return heard[0] if heard else None


class LiveStream:
    """As much of a WebSocket client as it takes to hear /live."""

    def __init__(self, plain, context):
        self.socket = context.wrap_socket(plain, server_hostname="localhost")
        key = base64.b64encode(os.urandom(16)).decode()
        self.socket.sendall((f"GET /live HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                             f"Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n\r\n").encode())
        self.file = self.socket.makefile("rb")
        self.status = self.file.readline().split()[1]
        while self.file.readline() not in (b"\r\n", b""):
            pass

    def send(self, value):
        body = json.dumps(value).encode()
        self.socket.sendall(bytes([0x81, 0x80 | len(body)]) + b"\0\0\0\0" + body)

    def message(self):
        head = self.file.read(2)
        size = head[1] & 127
        if size == 126:
            size = struct.unpack(">H", self.file.read(2))[0]
        elif size == 127:
            size = struct.unpack(">Q", self.file.read(8))[0]
        return json.loads(self.file.read(size))

    def close(self):
        self.file.close()
        self.socket.close()


class Tls(unittest.TestCase):
    def curl(self, brain, *words):
        return subprocess.run(["curl", "-sS", "--max-time", "10", *map(str, words),
                               f"https://localhost:{brain.https_port}/health"],
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False)

    def test_clients_of_every_kind(self):
        with TlsBrain() as brain:
            done = self.curl(brain, "--cacert", brain.authority.certificate)
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assertEqual(json.loads(done.stdout)["status"], "ok")
            for version in ("1.2", "1.3"):
                done = self.curl(brain, "--cacert", brain.authority.certificate, f"--tlsv{version}", "--tls-max", version)
                self.assertEqual(done.returncode, 0, done.stderr)
            self.assertEqual(self.curl(brain).returncode, 60)  # nobody known has signed it

            pump = brain.devices.issue("pump", "pump-7", ["extendedKeyUsage=clientAuth"])
            for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
                for identity in (None, pump):
                    context = brain.context(identity, version)
                    self.assertEqual(round_trip(brain.mqtts_port, context), b"x" * 5000, (version, identity))
            self.assertEqual(round_trip(brain.http_port, transport="websockets"), b"x" * 5000)
            self.assertEqual(round_trip(brain.https_port, brain.context(), "websockets"), b"x" * 5000)

            live = LiveStream(socket.create_connection(("127.0.0.1", brain.https_port), timeout=10), brain.context())
            self.assertEqual(live.status, b"101")
            self.assertIsInstance(live.message(), dict)
            live.close()

            ca, url = ["--ca", str(brain.authority.certificate)], f"https://localhost:{brain.https_port}"
            self.assertIn("42", brain.run("sql", "SELECT 42", "--url", url, *ca))
            with self.assertRaisesRegex(RuntimeError, "no authority that is trusted here"):
                brain.run("sql", "SELECT 42", "--url", url)
            brain.run("simulate", "--mqtt", f"mqtts://127.0.0.1:{brain.mqtts_port}", "--http", url, *ca, "--seconds", "3",
                      "--speed", "10", "--scale", "0.1")
            self.assertGreater(self.metric(brain, 'ficus_tls_handshakes_total{port="mqtts"}'), 4)

    def metric(self, brain, name):
        return brain.metric(name)

    def test_a_port_may_have_several_addresses(self):
        brain = TlsBrain()
        text = brain.config.read_text(encoding="utf-8")
        ports = {"http": brain.http_port, "mqtt": brain.mqtt_port, "https": brain.https_port, "mqtts": brain.mqtts_port}
        for port in ports.values():
            text = text.replace(f"'127.0.0.1:{port}'", f"['127.0.0.1:{port}', '[::1]:{port}']")
        brain.config.write_text(text, encoding="utf-8")
        with brain:
            for host in ("127.0.0.1", "[::1]"):
                url = f"http://{host}:{ports['http']}/health"
                self.assertEqual(subprocess.run(["curl", "-sSf", url], stdout=subprocess.DEVNULL, check=False).returncode, 0)
            for host in ("127.0.0.1", "::1"):
                self.assertEqual(round_trip(ports["mqtt"], host=host), b"x" * 5000)
                done = self.curl(brain, "--cacert", brain.authority.certificate, "--connect-to",
                                 f"::{'[::1]' if ':' in host else host}:")
                self.assertEqual(done.returncode, 0, done.stderr)
                with brain.context().wrap_socket(socket.create_connection((host, ports["mqtts"])),
                                                 server_hostname="localhost") as s:
                    s.sendall(b"\x10\x0d\x00\x04MQTT\x04\x02\x00\x3c\x00\x01a")
                    self.assertEqual(s.recv(4), b"\x20\x02\x00\x00")
            log = (brain.folder / "brain.log").read_text(encoding="utf-8")
            self.assertIn(f"127.0.0.1:{ports['https']},[::1]:{ports['https']}", log)
            self.assertGreaterEqual(self.metric(brain, 'ficus_http_requests_total{port="https"}'), 2)

    def test_who_a_certificate_says_and_when_it_is_revoked(self):
        brain = TlsBrain()
        brain.devices.list_revoked()
        brain.config.write_text(brain.config.read_text(encoding="utf-8").replace(
            "client_ca:", f"crl_file: {brain.devices.list}, client_ca:") + "access: {users: users.yaml}\n", encoding="utf-8")
        password = "Xk7-wang-secret"
        hashed = subprocess.run([str(BINARY), "user", "hash"], input=password + "\n", stdout=subprocess.PIPE, text=True,
                                check=True).stdout.strip()
        (brain.folder / "users.yaml").write_text(
            f"users:\n  - {{name: wang, password: \"{hashed}\", department: Water, roles: operator}}\n"
            "  - {name: pump, roles: viewer, certificate: pump-7}\n", encoding="utf-8")
        usage = ["extendedKeyUsage=clientAuth"]
        pump, other = brain.devices.issue("pump", "pump-7", usage), brain.devices.issue("other", "pump-8", usage)
        with brain:
            def ask(method, target, identity=None, body=None, headers=None):
                connection = http.client.HTTPSConnection("localhost", brain.https_port, context=brain.context(identity),
                                                         timeout=10)
                try:
                    connection.request(method, target, body, headers or {})
                    answer = connection.getresponse()
                    return answer.status, answer.headers, answer.read()
                finally:
                    connection.close()

            self.assertEqual(ask("GET", "/types")[0], 401)
            status, _, body = ask("GET", "/whoami", pump)
            self.assertEqual((status, json.loads(body)["user"]), (200, "pump"))
            self.assertEqual(ask("GET", "/types", other)[0], 401)  # signed, but nobody's
            # The page's cookie goes back over encrypted connections only.
            status, headers, _ = ask("POST", "/login", None, json.dumps({"user": "wang", "password": password}),
                                     {"Content-Type": "application/json"})
            self.assertEqual(status, 200)
            flags = [word.strip() for word in headers["Set-Cookie"].split(";")]
            self.assertTrue({"Secure", "HttpOnly", "SameSite=Strict"} <= set(flags), flags)
            plain = http.client.HTTPConnection("127.0.0.1", brain.http_port, timeout=10)
            plain.request("POST", "/login", json.dumps({"user": "wang", "password": password}),
                          {"Content-Type": "application/json"})
            self.assertNotIn("Secure", plain.getresponse().headers["Set-Cookie"])
            plain.close()
            # The authority takes it back: a reload is enough.
            brain.devices.list_revoked(pump[0])
            brain.process.send_signal(signal.SIGHUP)

            def is_refused():
                try:
                    return ask("GET", "/whoami", pump)[0] == 401 and None
                except (ssl.SSLError, ConnectionError):
                    return True

            brain.wait_for("the refusal", is_refused, 20)
            self.assertIn("has been revoked", (brain.folder / "brain.log").read_text(errors="replace"))
            self.assertEqual(ask("GET", "/types", other)[0], 401)  # not revoked: the connection is taken

    def test_what_is_refused_says_why(self):
        with TlsBrain() as brain:
            for words in (["-tls1_1", "-cipher", "ALL:@SECLEVEL=0"], ["-tls1_2", "-cipher", "AES128-SHA:@SECLEVEL=0"]):
                done = subprocess.run(["openssl", "s_client", "-connect", f"127.0.0.1:{brain.mqtts_port}", *words],
                                      stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
                self.assertNotEqual(done.returncode, 0, done.stdout)
                self.assertIn(b"alert", done.stdout)
            with socket.create_connection(("127.0.0.1", brain.mqtts_port), timeout=10) as plain:
                plain.sendall(b"\x10\x0c\x00\x04MQTT\x04\x02\x00\x3c\x00\x00")
                self.assertEqual(plain.recv(100), b"")
            stranger = brain.authority.issue("stranger", "pump-7", ["extendedKeyUsage=clientAuth"])
            with self.assertRaises((ssl.SSLError, ConnectionError)):
                context = brain.context(stranger, ssl.TLSVersion.TLSv1_2)
                context.wrap_socket(socket.create_connection(("127.0.0.1", brain.mqtts_port)), server_hostname="localhost")
            cause = 'ficus_tls_refused_total{port="mqtts",cause="%s"}'
            self.assertEqual(self.metric(brain, cause % "protocol"), 2)
            self.assertEqual(self.metric(brain, cause % "plain_text"), 1)
            self.assertEqual(self.metric(brain, cause % "certificate"), 1)
            # A storm of them does not fill the log.
            for _ in range(50):
                with socket.create_connection(("127.0.0.1", brain.https_port)) as plain:
                    plain.sendall(b"GET / HTTP/1.1\r\n\r\n")
            brain.wait_for("fifty refusals", lambda: self.metric(
                brain, 'ficus_tls_refused_total{port="https",cause="plain_text"}') == 50)
            log = (brain.folder / "brain.log").read_text(errors="replace")
            self.assertIn("at least 1.2", log)
            self.assertIn("speaks no TLS", log)
            self.assertLessEqual(log.count("port=https"), 4)

    def test_a_certificate_may_be_required(self):
        with TlsBrain("required") as brain:
            pump = brain.devices.issue("pump", "pump-7", ["extendedKeyUsage=clientAuth"])
            self.assertEqual(round_trip(brain.mqtts_port, brain.context(pump)), b"x" * 5000)
            done = self.curl(brain, "--cacert", brain.authority.certificate)
            self.assertNotEqual(done.returncode, 0)
            done = self.curl(brain, "--cacert", brain.authority.certificate, "--cert", pump[0], "--key", pump[1])
            self.assertEqual(done.returncode, 0, done.stderr)

    def test_new_certificates_without_a_restart(self):
        with TlsBrain() as brain:
            old = brain.context()
            connection = old.wrap_socket(socket.create_connection(("127.0.0.1", brain.https_port)),
                                         server_hostname="localhost")
            other = Authority(brain.folder, "other")
            made = issue_server(other, "made")
            # What cannot be used changes nothing.
            brain.key.write_text("nonsense", encoding="utf-8")
            brain.process.send_signal(signal.SIGHUP)
            log = brain.folder / "brain.log"
            brain.wait_for("the refusal", lambda: "nothing was changed" in log.read_text(errors="replace"))
            self.assertEqual(self.curl(brain, "--cacert", brain.authority.certificate).returncode, 0)
            for target, source in zip((brain.certificate, brain.key), made):
                target.write_bytes(source.read_bytes())
            brain.process.send_signal(signal.SIGHUP)
            brain.wait_for("the new certificate",
                           lambda: self.curl(brain, "--cacert", other.certificate).returncode == 0)
            self.assertEqual(self.curl(brain, "--cacert", brain.authority.certificate).returncode, 60)
            connection.sendall(b"GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n")  # the old one lives on
            self.assertIn(b"200", connection.recv(100))
            connection.close()


class SelfSigned(unittest.TestCase):
    def test_the_command_makes_what_serve_takes(self):
        brain = Brain("parking")
        folder = brain.folder / "trial"
        self.assertIn("server.key", brain.run("tls", "self-signed", str(folder), "--host", "ficus.test"))
        self.assertEqual((folder / "server.key").stat().st_mode & 0o777, 0o600)
        with self.assertRaisesRegex(RuntimeError, "exists"):
            brain.run("tls", "self-signed", str(folder))
        port = free_port()
        text = brain.config.read_text(encoding="utf-8").replace("http: {", f"http: {{listen_tls: '127.0.0.1:{port}', ")
        brain.config.write_text(text + f"tls: {{certificate: {folder}/server.crt, key: {folder}/server.key}}\n",
                                encoding="utf-8")
        with brain:
            for host in ("localhost", "127.0.0.1", "ficus.test"):
                done = subprocess.run(["curl", "-sS", "--cacert", folder / "server.crt", "--resolve",
                                       f"{host}:{port}:127.0.0.1", f"https://{host}:{port}/health"],
                                      stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False)
                self.assertEqual(done.returncode, 0, done.stderr)

    def test_a_plain_port_for_everyone_is_refused(self):
        brain = Brain("parking")
        text = brain.config.read_text(encoding="utf-8").replace("listen: '127.0.0.1:", "listen: '0.0.0.0:")
        (brain.folder / "users.yaml").write_text("users: [{name: wang, roles: viewer, certificate: wang}]\n",
                                                 encoding="utf-8")
        brain.config.write_text(text + "access: {users: users.yaml}\n", encoding="utf-8")
        done = subprocess.run([str(BINARY), "check", "--config", str(brain.config)], stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, check=False)
        self.assertEqual(done.returncode, 1)
        self.assertIn(b"http.listen_tls", done.stdout)
        self.assertIn(b"allow_remote", done.stdout)


if __name__ == "__main__":
    unittest.main()
