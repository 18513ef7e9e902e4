"""Who may do what: every way in with no, wrong, weak and right credentials."""
import base64
import hashlib
import http.client
import json
import os
import pathlib
import re
import signal
import socket
import struct
import subprocess
import tempfile
import time
import unittest

import harness

PASSWORDS = {"admin": "Xk7-admin-secret", "wang": "Xk7-wang-secret", "li": "Xk7-li-secret", "gate": "Xk7-gate-secret",
             "ana": "Xk7-ana-secret"}
TOKEN = "ficus_" + "5e" * 32
ADMIN_TOKEN = "ficus_" + "9c" * 32
EXPIRED = "ficus_" + "6f" * 32


def hash_of(password):
    done = subprocess.run([str(harness.BINARY), "user", "hash"], input=password + "\n", stdout=subprocess.PIPE, text=True,
                          check=True, timeout=60)
    return done.stdout.strip()


def users_file(hashes, extra=""):
    sha = lambda text: hashlib.sha256(text.encode()).hexdigest()
    return f"""
roles:
  gateway: {{ingest: [gateway], publish: ["m/%u/#"]}}
  meters: {{read: [Meter], sql: true, subscribe: ["ficus/entity/Meter/#"]}}
users:
  - {{name: admin, password: "{hashes['admin']}", roles: administrator}}
  - {{name: wang, password: "{hashes['wang']}", department: 市水务局, roles: operator}}
  - {{name: li, password: "{hashes['li']}", roles: meters}}
  - {{name: gate, password: "{hashes['gate']}", roles: gateway}}
  - {{name: ana, password: "{hashes['ana']}", roles: analyst}}
tokens:
  - {{name: feed, user: gate, sha256: "{sha(TOKEN)}", expires: 2099-01-01}}
  - {{name: tool, user: admin, sha256: "{sha(ADMIN_TOKEN)}"}}
  - {{name: old, user: admin, sha256: "{sha(EXPIRED)}", expires: 2020-01-01}}
{extra}"""


def basic(user, password=None):
    pair = f"{user}:{PASSWORDS[user] if password is None else password}"
    return {"Authorization": "Basic " + base64.b64encode(pair.encode()).decode()}


def bearer(token):
    return {"Authorization": "Bearer " + token}


class Access(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.hashes = {user: hash_of(password) for user, password in PASSWORDS.items()}
        cls.brain = harness.Brain("crash", config="access: {users: users.yaml}\n")
        cls.users = cls.brain.folder / "users.yaml"
        cls.users.write_text(users_file(cls.hashes), encoding="utf-8")
        cls.brain.start()
        cls.now = int(time.time() * 1e6)
        rows = [{"meter": f"e{i}", "n": i, "t": cls.now + i, "level": i} for i in range(5)]
        status, body = cls.send("POST", "/ingest/gateway", json.dumps(rows), bearer(TOKEN))
        assert status == 200, body

    @classmethod
    def tearDownClass(cls):
        cls.brain.stop()
        log = (cls.brain.folder / "brain.log").read_text(errors="replace")
        for secret in [*PASSWORDS.values(), TOKEN, ADMIN_TOKEN, EXPIRED, *cls.hashes.values(), "guess-"]:
            assert secret not in log, f"a secret is in the log: {secret}"

    @classmethod
    def send(cls, method, target, body=None, headers=None):
        headers = {"Content-Type": "application/json", **(headers or {})}
        return cls.brain.request(method, target, body, headers)

    def status(self, method, target, headers=None, body=None):
        return self.send(method, target, body, headers)[0]

    def answer(self, target, headers):
        status, body = self.send("GET", target, None, headers)
        self.assertEqual(status, 200, body)
        return json.loads(body)

    GUARDED = [("GET", "/types"), ("GET", "/entities?type=Meter"), ("GET", "/entities/urn%3Angsi-ld%3AMeter%3Ae1"),
               ("GET", "/entities/urn%3Angsi-ld%3AMeter%3Ae1/history"), ("GET", "/alerts"), ("GET", "/alerts/x"),
               ("GET", "/sources"), ("GET", "/rules"), ("GET", "/departments"), ("GET", "/zones"), ("GET", "/map"),
               ("GET", "/metrics"), ("GET", "/live"), ("GET", "/whoami"), ("POST", "/sql"), ("POST", "/ingest/gateway"),
               ("POST", "/alerts/x/acknowledge"), ("POST", "/anything")]

    def test_without_credentials(self):
        for method, target in self.GUARDED:
            status, body = self.send(method, target, "{}" if method == "POST" else None)
            self.assertEqual(status, 401, (target, body))
            self.assertEqual(json.loads(body)["error"]["code"], "denied")
        self.assertEqual(self.status("GET", "/"), 200)
        status, body = self.send("GET", "/health")
        self.assertEqual((status, json.loads(body)), (200, {"status": "ok"}))

    def test_with_wrong_credentials(self):
        for headers in (bearer("ficus_" + "0" * 64), bearer(EXPIRED), bearer(""), {"Authorization": "Basic !!!"},
                        {"Authorization": "Digest x"}, {"Authorization": "x"}):
            for method, target in self.GUARDED:
                self.assertEqual(self.status(method, target, headers), 401, (headers, target))
        self.assertEqual(self.status("GET", "/types", basic("li", "guess-0")), 401)
        self.assertEqual(self.status("GET", "/types", basic("nobody", "guess-0")), 401)
        self.assertEqual(self.status("GET", "/types", {"Cookie": "ficus_session=" + "0" * 64}), 401)

    def test_what_each_may_do(self):
        sql = json.dumps({"sql": "SELECT count(*) FROM Meter"})
        alert = "/alerts/" + harness.quote("urn:ngsi-ld:Alert:none") + "/acknowledge"
        expected = {  # ingest, sql, alert step, metrics, entities
            "admin": (200, 200, 404, 200, 200),
            "wang": (403, 403, 404, 200, 200),
            "li": (403, 200, 403, 403, 200),
            "gate": (200, 403, 403, 403, 404),
            "ana": (403, 200, 403, 200, 200),
        }
        row = json.dumps({"meter": "one", "n": 1, "t": self.now, "level": 1})
        for user, wanted in expected.items():
            got = (self.status("POST", "/ingest/gateway", basic(user), row), self.status("POST", "/sql", basic(user), sql),
                   self.status("POST", alert, basic(user), "{}"), self.status("GET", "/metrics", basic(user)),
                   self.status("GET", "/entities?type=Meter", basic(user)))
            self.assertEqual(got, wanted, user)

    def test_what_may_not_be_read_is_not_there(self):
        self.assertEqual([t["name"] for t in self.answer("/types", basic("li"))], ["Meter"])
        self.assertNotIn("AuditEvent", [t["name"] for t in self.answer("/types", basic("wang"))])
        self.assertEqual(self.answer("/types", bearer(TOKEN)), [])
        self.assertEqual(self.answer("/entities", bearer(TOKEN)), [])
        self.assertEqual(self.status("GET", "/entities/urn%3Angsi-ld%3AMeter%3Ae1", bearer(TOKEN)), 404)
        self.assertEqual(self.status("GET", "/entities/urn%3Angsi-ld%3AMeter%3Ae1/history", bearer(TOKEN)), 404)
        self.assertEqual(self.status("GET", "/alerts", basic("li")), 403)
        self.assertEqual([s["name"] for s in self.answer("/sources", bearer(TOKEN))["sources"]], ["gateway"])
        self.assertEqual(self.answer("/sources", basic("li"))["sources"], [])
        for statement in ("SELECT * FROM Alert", "SELECT * FROM AuditEvent"):
            status, body = self.send("POST", "/sql", json.dumps({"sql": statement}), basic("li"))
            self.assertIn(status, (400, 403, 404), body)
            status, body = self.send("POST", "/sql", json.dumps({"sql": "SELECT * FROM AuditEvent"}), basic("ana"))
            self.assertIn(status, (400, 403, 404), body)

    def test_alerts_belong_to_departments(self):
        self.send("POST", "/ingest/gateway", json.dumps({"meter": "hot", "n": 1, "t": self.now, "level": 99}), bearer(TOKEN))
        alert = [a for a in self.answer("/alerts?limit=1000", basic("wang"))["alerts"]
                 if a["alertSource"] == "urn:ngsi-ld:Meter:hot"][0]
        where = "/alerts/" + harness.quote(alert["id"])
        own = alert.get("assignedTo") == "市水务局"
        self.assertEqual(self.status("POST", where + "/acknowledge", basic("wang"), "{}"), 200 if own else 403)
        if not own:
            self.assertEqual(self.status("POST", where + "/assign", basic("admin"), json.dumps({"to": "市水务局"})), 200)
        status, body = self.send("POST", where + "/close", json.dumps({"by": "somebody else"}), basic("wang"))
        self.assertEqual(status, 200, body)
        self.assertEqual(json.loads(body)["closedBy"], "wang")

    def log_in(self, user, password, headers=None):
        connection = http.client.HTTPConnection("127.0.0.1", self.brain.http_port, timeout=20)
        connection.request("POST", "/login", json.dumps({"user": user, "password": password}),
                           {"Content-Type": "application/json", **(headers or {})})
        answer = connection.getresponse()
        body = answer.read()
        connection.close()
        return answer.status, answer.headers, body

    def test_the_page_session(self):
        status, headers, body = self.log_in("wang", PASSWORDS["wang"])
        self.assertEqual(status, 200, body)
        self.assertEqual(json.loads(body)["user"], "wang")
        set_cookie = headers["Set-Cookie"]
        self.assertRegex(set_cookie, r"^ficus_session=[0-9a-f]{64}; Path=/; HttpOnly; SameSite=Strict$")
        cookie = {"Cookie": set_cookie.split(";")[0]}
        who = self.answer("/whoami", cookie)
        self.assertEqual((who["user"], who["department"], who["rights"]["alerts"]), ("wang", "市水务局", "department"))
        self.assertEqual(self.status("GET", "/entities?type=Meter", cookie), 200)
        # Another site's page cannot act with it.
        self.assertEqual(self.status("POST", "/alerts/x/acknowledge", {**cookie, "Origin": "http://evil.example"}, "{}"), 403)
        self.assertEqual(self.status("GET", "/live", {**cookie, "Origin": "http://evil.example", "Upgrade": "websocket"}), 403)
        here = f"http://127.0.0.1:{self.brain.http_port}"
        self.assertEqual(self.status("POST", "/alerts/x/acknowledge", {**cookie, "Origin": here}, "{}"), 404)
        self.assertEqual(self.log_in("wang", PASSWORDS["wang"], {"Origin": "http://evil.example"})[0], 403)
        self.assertEqual(self.status("POST", "/logout", cookie), 204)
        self.assertEqual(self.status("GET", "/whoami", cookie), 401)

    def test_our_own_command_takes_a_token(self):
        token = "ficus_" + "8b" * 32
        words = [str(harness.BINARY), "sql", "SELECT 40 + 2 AS answer", "--format", "csv", "--url",
                 f"http://127.0.0.1:{self.brain.http_port}"]
        for given, code in ((token, 1), (TOKEN, 1), (ADMIN_TOKEN, 0)):
            done = subprocess.run(words, env={**os.environ, "FICUS_TOKEN": given}, stdout=subprocess.PIPE,
                                  stderr=subprocess.STDOUT, text=True, timeout=60, check=False)
            self.assertEqual(done.returncode, code, done.stdout)
            self.assertEqual("42" in done.stdout, code == 0, done.stdout)

    def test_guessing_is_slowed_down(self):
        statuses = [self.log_in("ghost", f"guess-{i}")[0] for i in range(8)]
        self.assertEqual(statuses[:6], [401] * 6)
        self.assertIn(429, statuses[6:])
        status, headers, _ = self.log_in("ghost", "guess-9")
        self.assertEqual(status, 429)
        self.assertGreaterEqual(int(headers["Retry-After"]), 1)
        # Others are not held up.
        self.assertEqual(self.log_in("wang", PASSWORDS["wang"])[0], 200)

    def test_what_was_done_is_remembered(self):
        self.log_in("ana", "guess-wrong")
        statement = "SELECT 4242 AS marked"
        self.assertEqual(self.status("POST", "/sql", basic("ana"), json.dumps({"sql": statement})), 200)
        self.assertEqual(self.status("POST", "/sql", basic("gate"), json.dumps({"sql": statement})), 403)

        def rows(where):
            status, body = self.send("POST", "/sql", json.dumps(
                {"sql": f'SELECT "user", peer, action, "object", outcome FROM AuditEvent WHERE {where}'}), basic("admin"))
            return json.loads(body)["rows"] if status == 200 else []
        for where, wanted in (
                (f"\"object\" = '{statement}'", ["ana", "127.0.0.1", "run_sql", statement, "succeeded"]),
                ("\"user\" = 'ana' AND outcome = 'failed'", ["ana", "127.0.0.1", "log_in", "password", "failed"]),
                ("\"user\" = 'gate' AND outcome = 'denied' AND \"object\" = 'POST /sql'",
                 ["gate", "127.0.0.1", "access", "POST /sql", "denied"])):
            self.brain.wait_for(where, lambda: wanted in rows(where), 10)
        books = self.send("GET", "/metrics", None, basic("admin"))[1].decode()
        received = int(float(re.search(r'received_total\{source="ficus-audit"\} (\S+)', books).group(1)))
        applied = int(float(re.search(r'applied_total\{source="ficus-audit"\} (\S+)', books).group(1)))
        self.assertEqual(received, applied)
        self.assertGreater(received, 2)

    def test_users_are_reloaded(self):
        token = "ficus_" + "7a" * 32
        sha = hashlib.sha256(token.encode()).hexdigest()
        _, headers, _ = self.log_in("li", PASSWORDS["li"])
        cookie = {"Cookie": headers["Set-Cookie"].split(";")[0]}
        text = users_file(self.hashes)
        self.assertEqual(self.status("GET", "/types", bearer(token)), 401)
        try:
            self.users.write_text("users: nonsense\n", encoding="utf-8")
            self.brain.process.send_signal(signal.SIGHUP)
            self.brain.wait_for("the refusal", lambda: "users.yaml:1:8" in (self.brain.folder / "brain.log").read_text(), 10)
            self.assertEqual(self.status("GET", "/types", cookie), 200)
            self.users.write_text(text.replace("roles: meters", "roles: viewer").replace(
                "tokens:", f"tokens:\n  - {{name: new, user: ana, sha256: \"{sha}\"}}"), encoding="utf-8")
            self.brain.process.send_signal(signal.SIGHUP)
            self.brain.wait_for("the new token", lambda: self.status("GET", "/types", bearer(token)) == 200, 10)
            self.assertEqual(self.status("GET", "/types", cookie), 401)  # li's rights have changed
        finally:
            self.users.write_text(text, encoding="utf-8")
            self.brain.process.send_signal(signal.SIGHUP)
            self.brain.wait_for("the old users", lambda: self.status("GET", "/types", bearer(token)) == 401, 10)


class Commands(unittest.TestCase):
    """ficus user and ficus token change the users file, and nothing else in it."""

    def test_users_and_tokens(self):
        with tempfile.TemporaryDirectory() as folder:
            users = pathlib.Path(folder) / "users.yaml"

            def run(*words, given="", expect=0):
                done = subprocess.run([str(harness.BINARY), *words, "--users", str(users)], input=given, text=True,
                                      stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=60, check=False)
                self.assertEqual(done.returncode, expect, done.stderr)
                return done.stdout, done.stderr

            run("user", "add", "admin", "--roles", "administrator", given="Xk7-admin-secret\n")
            users.write_text("# our people\n" + users.read_text())
            users.chmod(0o640)
            run("user", "add", "王芳", "--roles", "viewer,analyst", "--department", "市水务局", "--no-password")
            self.assertEqual(users.stat().st_mode & 0o777, 0o640)
            listed = run("user", "list")[0]
            self.assertRegex(listed, r"admin +password +administrator")
            self.assertRegex(listed, r"王芳 +token only +viewer,analyst +市水务局")
            token = run("token", "add", "feed", "--user", "王芳", "--days", "10")[0].strip()
            self.assertRegex(token, r"^ficus_[0-9a-f]{64}$")
            text = users.read_text()
            self.assertIn(hashlib.sha256(token.encode()).hexdigest(), text)
            self.assertTrue(text.startswith("# our people\n"))
            for secret in (token, "Xk7-admin-secret"):
                self.assertNotIn(secret, text)
            self.assertIn("feed", run("token", "list")[0])
            # What would make a file that cannot be loaded changes nothing.
            for words, given in ((("user", "add", "admin"), "Xk7-admin-secret\n"), (("user", "add", "x", "--roles", "no"), "12345678\n"),
                                 (("user", "add", "y"), "short\n"), (("user", "add", "a b"), "12345678\n"),
                                 (("user", "remove", "nobody"), ""), (("user", "remove", "王芳"), ""),
                                 (("token", "add", "t", "--user", "nobody"), "")):
                run(*words, given=given, expect=1)
                self.assertEqual(users.read_text(), text, words)
            run("token", "revoke", "feed")
            run("user", "remove", "王芳")
            self.assertEqual(len(run("user", "list")[0].splitlines()), 1)


class Senders(unittest.TestCase):
    """Our own senders against a brain whose users must log in."""

    def test_replay_and_simulate_log_in(self):
        hashes = {user: hash_of(password) for user, password in PASSWORDS.items()}
        brain = harness.Brain("crash", config="access: {users: users.yaml}\n")
        (brain.folder / "users.yaml").write_text(users_file(hashes).replace(
            'publish: ["m/%u/#"]', 'publish: ["meter/#", "city/#"]'), encoding="utf-8")
        files = {"password": PASSWORDS["gate"], "token": TOKEN, "wrong": "guess-file"}
        for name, secret in files.items():
            (brain.folder / name).write_text(secret + "\n", encoding="utf-8")
        password, token, wrong = (str(brain.folder / name) for name in files)
        data = brain.folder / "rows.csv"
        data.write_text("meter,n,t,level\n" + "".join(f"r{i},{i},{1_700_000_000_000_000 + i},5\n" for i in range(20)),
                        encoding="utf-8")
        with brain:
            targets = {"mqtt": f"mqtt://127.0.0.1:{brain.mqtt_port}/meter/{{meter}}",
                       "http": f"http://127.0.0.1:{brain.http_port}/ingest/gateway"}

            def replay(to, *words):
                return brain.run("replay", str(data), "--to", targets[to], "--speed", "0", *words, timeout=60)

            for words in (["--user", "gate", "--password-file", password], ["--user", "gate", "--token-file", token]):
                for to in targets:
                    self.assertIn("sent 20 records, acknowledged 20", replay(to, *words), (to, words))
            self.assertIn("acknowledged 20", replay("http", "--token-file", token))
            with self.assertRaisesRegex(RuntimeError, "HTTP status 401"):
                replay("http")
            with self.assertRaisesRegex(RuntimeError, "HTTP status 401"):
                replay("http", "--user", "gate", "--password-file", wrong)
            for words, why in ((["--password-file", password], "--user NAME"), (["--user", "gate"], "--password-file FILE"),
                               (["--token-file", token], "--user NAME"),
                               (["--user", "gate", "--password-file", str(brain.folder / "none")], "password-file")):
                with self.assertRaisesRegex(RuntimeError, why):
                    replay("mqtt", *words)
            said = brain.run("simulate", "--mqtt", f"127.0.0.1:{brain.mqtt_port}", "--http", f"127.0.0.1:{brain.http_port}",
                             "--user", "gate", "--token-file", token, "--seconds", "3", "--speed", "10", "--scale", "0.1",
                             timeout=60)
            self.assertRegex(said, r"sent [1-9]\d*, acknowledged [1-9]")
            self.assertNotIn("no connection", said)
        log = (brain.folder / "brain.log").read_text(errors="replace") if brain.folder.exists() else ""
        for secret in files.values():
            self.assertNotIn(secret, log)


class LiveStreams(unittest.TestCase):
    def test_one_user_has_so_many(self):
        hashes = {user: hash_of(password) for user, password in PASSWORDS.items()}
        brain = harness.Brain("crash", config="access: {users: users.yaml}\nlive: {clients_per_user_max: 3}\n")
        (brain.folder / "users.yaml").write_text(users_file(hashes), encoding="utf-8")
        with brain:
            streams = [Live(brain, basic("wang")) for _ in range(3)]
            self.assertEqual([stream.status for stream in streams], [101] * 3)
            refused = Live(brain, basic("wang"))
            self.assertEqual(refused.status, 429)
            self.assertIn("live.clients_per_user_max", refused.rest())
            self.assertEqual(Live(brain, basic("li")).status, 101)  # somebody else
            streams[0].close()
            brain.wait_for("room", lambda: Live(brain, basic("wang"), keep=False).status == 101, 10)
            name = 'ficus_live_refused_total{cause="clients_per_user_max"}'
            self.assertGreaterEqual(brain.metric(name, bearer(ADMIN_TOKEN)), 1)
            # A subscription names so many types; each is looked up quickly.
            stream = streams[1]
            self.assertEqual(stream.message()["kind"], "hello")
            stream.send({"subscribe": {"types": [f"T{i}" for i in range(257)]}})
            self.assertIn("at most 256", stream.next("error")["message"])
            stream.send({"subscribe": {"types": ["Meter"] + [f"T{i % 7}" for i in range(255)]}})
            time.sleep(0.3)
            status, body = brain.request("POST", "/ingest/gateway", json.dumps(
                {"meter": "seen", "n": 1, "t": int(time.time() * 1e6), "level": 1}),
                {"Content-Type": "application/json", **bearer(TOKEN)})
            self.assertEqual(status, 200, body)
            self.assertEqual(stream.next("entities")["entities"][0]["type"], "Meter")
            for one in streams:
                one.close()


class Live:
    """As much of a WebSocket as it takes to hear /live."""

    def __init__(self, brain, headers, keep=True, rcvbuf=None):
        self.socket = socket.socket()
        if rcvbuf is not None:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, rcvbuf)
        self.socket.settimeout(20)
        self.socket.connect(("127.0.0.1", brain.http_port))
        lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        self.socket.sendall((f"GET /live HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                             f"Sec-WebSocket-Key: {base64.b64encode(os.urandom(16)).decode()}\r\n"
                             f"Sec-WebSocket-Version: 13\r\n{lines}\r\n").encode())
        self.file = self.socket.makefile("rb")
        self.status = int(self.file.readline().split()[1])
        self.length = 0
        for line in iter(self.file.readline, b"\r\n"):
            if line.lower().startswith(b"content-length:"):
                self.length = int(line.split(b":")[1])
        if not keep:
            self.close()

    def rest(self):
        return self.file.read(self.length).decode()

    def send(self, value):
        body = json.dumps(value).encode()
        size = bytes([0x80 | len(body)]) if len(body) < 126 else b"\xfe" + struct.pack(">H", len(body))
        self.socket.sendall(b"\x81" + size + b"\0\0\0\0" + body)

    def message(self):
        head = self.file.read(2)
        size = head[1] & 127
        if size > 125:
            size = int.from_bytes(self.file.read(2 if size == 126 else 8), "big")
        return json.loads(self.file.read(size))

    def next(self, kind):
        while True:
            message = self.message()
            if message["kind"] == kind:
                return message

    def close(self):
        self.file.close()
        self.socket.close()


class PageLogin(unittest.TestCase):
    """The page in a real browser: it asks who is there, and shows them what they may see."""

    def test_log_in_and_out(self):
        from selenium.webdriver.common.by import By
        from test_page import browser
        hashes = {user: hash_of(password) for user, password in PASSWORDS.items()}
        brain = harness.Brain("crash", config="access: {users: users.yaml}\n")
        (brain.folder / "users.yaml").write_text(users_file(hashes), encoding="utf-8")
        with brain:
            driver = browser(brain.folder)
            try:
                def find(name):
                    found = driver.find_elements(By.CSS_SELECTOR, f"[data-testid={name}]")
                    return found[0] if found else None

                def log_in(user, password):
                    brain.wait_for("the login view", lambda: find("login"), 20)
                    for field, value in (("login-user", user), ("login-password", password)):
                        find(field).clear()
                        find(field).send_keys(value)
                    find("login-submit").click()

                def state():
                    connection = find("connection")
                    return connection and connection.get_attribute("data-state")

                driver.get(f"http://127.0.0.1:{brain.http_port}/")
                log_in("wang", "guess-page")
                brain.wait_for("the refusal", lambda: find("login-problem").text, 10)
                self.assertIn(find("login-problem").text, ("用户名或密码不正确", "Wrong user name or password"))
                log_in("wang", PASSWORDS["wang"])
                brain.wait_for("the live page", lambda: find("login") is None and state() == "live", 20)
                self.assertIn("wang", find("operator").text)
                self.assertIn("市水务局", find("operator").get_attribute("title"))
                self.assertNotIn("ficus_session", driver.execute_script("return document.cookie"))
                status, body = brain.request("POST", "/ingest/gateway", json.dumps(
                    {"meter": "seen", "n": 1, "t": int(time.time() * 1e6), "level": 1}),
                    {"Content-Type": "application/json", **bearer(TOKEN)})
                self.assertEqual(status, 200, body)
                brain.wait_for("the meter", lambda: find("entity-count").get_attribute("data-count") == "1", 20)
                driver.refresh()  # the cookie is remembered
                brain.wait_for("the live page", lambda: find("login") is None and state() == "live", 20)
                find("operator").click()
                brain.wait_for("the question", lambda: find("dialog-yes"), 10)
                find("dialog-yes").click()
                brain.wait_for("the login view", lambda: find("login"), 20)
            finally:
                driver.quit()


if __name__ == "__main__":
    unittest.main()
