"""HTTP as the measurements need it: connections that are kept, and a file sent in pieces over several of them."""
import http.client
import socket
import threading
import time


class Connection:
    def __init__(self, port):
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=200)
        self.connect()
        self.seconds = 0.0  # of the last request, until its whole answer was here

    def connect(self):
        self.connection.connect()
        self.connection.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def ask(self, method, path, body=None, headers=None):
        """A question. Servers close connections that were idle for long: then it is asked again on a new one."""
        try:
            return self.send(method, path, body, headers)
        except (http.client.RemoteDisconnected, ConnectionResetError, BrokenPipeError):
            self.connection.close()
            self.connect()
            return self.send(method, path, body, headers)

    def send(self, method, path, body=None, headers=None):
        begin = time.monotonic()
        self.connection.request(method, path, body, headers or {})
        answer = self.connection.getresponse()
        text = answer.read()
        self.seconds = time.monotonic() - begin
        if answer.status >= 300:
            raise RuntimeError(f"{method} {path[:80]}: {answer.status} {text[:300]!r}")
        return text

    def close(self):
        self.connection.close()


def pieces(path, bytes_of_piece):
    """The file's lines in pieces of about so many bytes."""
    data = memoryview(path.read_bytes())
    whole = data.obj
    begin = 0
    while begin < len(whole):
        end = whole.find(b"\n", min(begin + bytes_of_piece, len(whole)) - 1) + 1 or len(whole)
        yield data[begin:end]
        begin = end


def lines_in_pieces(path, lines):
    """Pieces of about so many lines: they are of about one length."""
    with open(path, "rb") as file:
        head = file.read(1 << 20)
    return pieces(path, lines * len(head) // max(1, head.count(b"\n")))


def send_all(port, path, parts, connections=4, headers=None):
    """Each part is one POST; the connections take them in turn. The first failure is raised."""
    parts = iter(parts)
    lock = threading.Lock()
    failures = []

    def work():
        connection = Connection(port)
        try:
            while not failures:
                with lock:
                    part = next(parts, None)
                if part is None:
                    return
                connection.send("POST", path, part, headers)
        except Exception as error:  # it belongs to the thread that waits
            failures.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=work) for _ in range(connections)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failures:
        raise failures[0]
