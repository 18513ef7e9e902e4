"""A brain whose data directory is a small file system of its own, which a test can fill up: a tmpfs in a mount namespace,
which needs no rights where users may make namespaces."""
import os
import pathlib
import subprocess
import unittest

import harness


class SmallDiskBrain(harness.Brain):
    """The namespace outlives the brain, so that it can be killed and started again on the same disk."""

    def __init__(self, pack, mib, **replacements):
        super().__init__(pack, **replacements)
        self.data = self.folder / "data"
        self.data.mkdir()
        self.holder = subprocess.Popen(
            ["unshare", "-rm", "sh", "-c",
             f"mount -t tmpfs -o size={mib}m tmpfs {self.data} && echo mounted && exec sleep 600"],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        if self.holder.stdout.readline().strip() != b"mounted":
            self.holder.wait()
            raise unittest.SkipTest("no small file system here: this needs unshare -rm with a tmpfs mount, which said: "
                                    + self.holder.stderr.read().decode(errors="replace").strip())
        self.prefix = ["nsenter", "--preserve-credentials", "-U", "-m", "-t", str(self.holder.pid)]
        self.inside = pathlib.Path(f"/proc/{self.holder.pid}/root{self.data}")

    def __enter__(self):
        try:
            return super().__enter__()
        except BaseException:
            self.end_holder()
            raise

    def __exit__(self, kind, value, trace):
        try:
            super().__exit__(kind, value, trace)
        finally:
            self.end_holder()

    def end_holder(self):
        self.holder.kill()
        self.holder.wait()
        self.holder.stdout.close()
        self.holder.stderr.close()

    def fill(self, leave_kib=0):
        """Takes all of the disk but a little."""
        with open(self.inside / "filler", "ab", buffering=0) as filler:
            block = b"x" * 16384
            while True:
                free = self.free_kib()
                if free <= leave_kib:
                    return
                try:
                    filler.write(block[:min(len(block), (free - leave_kib) * 1024)])
                except OSError:
                    return

    def free_kib(self):
        space = os.statvfs(self.inside)
        return space.f_bavail * space.f_frsize // 1024

    def free(self):
        (self.inside / "filler").unlink()
