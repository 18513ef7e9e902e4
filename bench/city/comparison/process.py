"""A peer of ours as a process: started by us on loopback, on the servers' core, with its data in a folder that is removed
afterwards, stopped by its process id."""
import os
import pathlib
import shutil
import signal
import subprocess
import tempfile
import time

from servers import ROOT, SERVER_CORE, free_port, wait_for_port

PEERS = ROOT / "build/peers"
NOBODY = 65534


def is_there(program):
    return (PEERS / program).exists()


def environment(**more):
    """The packages are unpacked, not installed: their libraries are where we say."""
    folders = [PEERS / "usr/lib/x86_64-linux-gnu", PEERS / "lib/x86_64-linux-gnu"]
    return dict(os.environ, LD_LIBRARY_PATH=":".join(map(str, folders)), TZ="UTC", LC_ALL="C.UTF-8", **more)


def new_folder():
    return pathlib.Path(tempfile.mkdtemp(prefix="ficus-compare-", dir=os.environ.get("FICUS_COMPARE_DIRECTORY")))


def bytes_under(folder):
    """What it takes on disk. Files may vanish while we look."""
    total = 0
    for place, _, names in os.walk(folder):
        for name in names:
            try:
                total += os.lstat(os.path.join(place, name)).st_blocks * 512
            except FileNotFoundError:
                pass
    return total


def family(pid):
    """A process and all that came from it."""
    out = [pid]
    for task in pathlib.Path(f"/proc/{pid}/task").glob("*/children"):
        try:
            for child in task.read_text().split():
                out += family(int(child))
        except (FileNotFoundError, ProcessLookupError):
            pass
    return out


def processor_seconds(pid):
    """Of the process, its children, and those of its children that have ended."""
    total = 0
    for one in family(pid):
        try:
            fields = pathlib.Path(f"/proc/{one}/stat").read_text().rsplit(")", 1)[1].split()
            # utime stime cutime cstime (proc(5))
            total += sum(map(int, fields[11:15])) if one == pid else sum(map(int, fields[11:13]))
        except (FileNotFoundError, ProcessLookupError):
            pass
    return total / os.sysconf("SC_CLK_TCK")


def memory(pid):
    """Resident bytes of the process and its children, shared pages counted once (Pss)."""
    total = 0
    for one in family(pid):
        try:
            for line in pathlib.Path(f"/proc/{one}/smaps_rollup").read_text().splitlines():
                if line.startswith("Pss:"):
                    total += int(line.split()[1]) * 1024
        except (FileNotFoundError, ProcessLookupError):
            pass
    return total


class Peer:
    """A server for the time of a `with`. Its class says which program (`needs`, a path below build/peers or none)."""

    needs = None
    user = None  # runs as this user, if we are root
    end = signal.SIGTERM

    def __init__(self):
        if self.needs and not is_there(self.needs):
            raise RuntimeError("not installed: bench/city/install_peers")
        self.folder = new_folder()
        self.port = free_port()
        self.process = None
        if self.user and os.geteuid() == 0:
            os.chown(self.folder, self.user, self.user)

    def command(self):
        raise NotImplementedError

    def environment(self):
        return environment()

    def as_user(self):
        return {"user": self.user, "group": self.user, "extra_groups": []} if self.user and os.geteuid() == 0 else {}

    def start(self):
        log = open(self.folder / "stderr.log", "ab")
        os.chmod(self.folder / "stderr.log", 0o666)
        self.process = subprocess.Popen(SERVER_CORE + self.command(), stdout=log, stderr=log, stdin=subprocess.DEVNULL,
                                        env=self.environment(), cwd=self.folder, **self.as_user())
        log.close()
        try:
            wait_for_port(self.port, self.process)
            self.wait_until_ready()
        except Exception as error:
            tail = (self.folder / "stderr.log").read_text(errors="replace")[-600:]
            raise RuntimeError(f"{type(self).__name__}: {error}: {tail}") from error

    def wait_until_ready(self):
        pass

    def stop(self, how=None):
        if self.process is None:
            return
        self.process.send_signal(how or self.end)
        try:
            self.process.wait(30)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.process = None

    def kill(self):
        """kill -9 of it and its children."""
        for pid in family(self.process.pid):
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        self.process.wait()
        self.process = None

    def __enter__(self):
        try:
            self.start()
        except Exception:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    def processor_seconds(self):
        return processor_seconds(self.process.pid)

    def memory(self):
        return memory(self.process.pid)


def wait_for(what, is_so, seconds=60, pause=0.05):
    end = time.monotonic() + seconds
    while not is_so():
        if time.monotonic() > end:
            raise RuntimeError(f"waited {seconds} s in vain: {what}")
        time.sleep(pause)
