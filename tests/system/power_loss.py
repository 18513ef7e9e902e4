"""What a power loss leaves of a directory: reads the journal that power/record.cc has written of a killed process and makes the
directory anew.

The model of the disk is a journaling file system without mercy for data:
- A write or truncation is on the disk for certain once the file has been synced since. Of those after the last sync each
  512-byte sector may be there or not, independently of all others, and the length may be that of any moment since.
- Names (new, renamed, removed) reach the disk in their order; any sync takes all names before it along; of those after
  the last sync any first part may be there.
(A disk that also forgets the order of names is what the log's unit tests use: log/crash_disk.h.)
"""
import pathlib
import shutil
import struct

SECTOR = 512
HEAD = struct.Struct("<cIQI")
NEW, TRUNCATED, DIRECTORY = 1, 2, 4


class Node:
    """A file: what is on the disk for certain, and what was done to it since."""

    def __init__(self, content=b""):
        self.durable = bytearray(content)
        self.since = []  # (offset, bytes), or (size, None) for a truncation

    def sync(self):
        for change in self.since:
            apply(self.durable, change)
        self.since.clear()

    def after_loss(self, chance, keep):
        """`keep`: how likely a sector that was not synced is there."""
        content = bytearray(self.durable)
        lengths = [len(content)]
        whole = len(content)
        for offset, data in self.since:
            whole = offset if data is None else max(whole, offset + len(data))
            lengths.append(whole)
            if data is None:
                if chance.random() < keep:
                    del content[offset:]
                continue
            at = 0
            while at < len(data):
                end = min(len(data), at + SECTOR - (offset + at) % SECTOR)
                if chance.random() < keep:
                    apply(content, (offset + at, data[at:end]))
                at = end
        length = chance.choice(lengths)
        if length < len(content):
            del content[length:]
        else:
            content.extend(bytes(length - len(content)))
        return content


def apply(content, change):
    offset, data = change
    if data is None:
        if offset < len(content):
            del content[offset:]
        else:
            content.extend(bytes(offset - len(content)))
        return
    if offset > len(content):
        content.extend(bytes(offset - len(content)))
    content[offset:offset + len(data)] = data


def rename(names, old, new):
    """Of a file, or of a directory with all below it."""
    for path in [path for path in names if path == old or path.startswith(old + "/")]:
        names[new + path[len(old):]] = names.pop(path)


class Disk:
    def __init__(self, folder):
        """`folder`: what is there when the process starts, all of it durable."""
        self.names = {}  # path -> Node; None: a directory
        for path in sorted(folder.rglob("*")) if folder.exists() else []:
            self.names[str(path.relative_to(folder))] = Node(path.read_bytes()) if path.is_file() else None
        self.durable_names = dict(self.names)
        self.name_changes = []  # since the last sync: functions that change a dictionary of names
        self.handles = {}

    def change_names(self, change):
        change(self.names)
        self.name_changes.append(change)

    def sync(self, handle):
        node = self.handles.get(handle)
        if node is not None:
            node.sync()
        for change in self.name_changes:
            change(self.durable_names)
        self.name_changes.clear()

    def take(self, kind, handle, a, data):
        if kind == b"O":
            path = data.decode()
            if a & DIRECTORY:
                self.handles[handle] = None
                return
            if a & NEW or path not in self.names:
                node = Node()
                self.change_names(lambda names: names.__setitem__(path, node))
            self.handles[handle] = node = self.names[path]
            if a & TRUNCATED:
                node.since.append((0, None))
        elif kind == b"W":
            self.handles[handle].since.append((a, data))
        elif kind == b"T":
            self.handles[handle].since.append((a, None))
        elif kind == b"S":
            self.sync(handle)
        elif kind == b"R":
            old, new = data.decode().split("\0")
            self.change_names(lambda names: rename(names, old, new))
        elif kind in (b"U", b"D"):
            path = data.decode()
            self.change_names(lambda names: names.pop(path, None))
        elif kind == b"M":
            path = data.decode()
            self.change_names(lambda names: names.setdefault(path, None))
        else:
            raise ValueError(f"unknown kind of entry {kind!r}")

    def after_loss(self, chance):
        """{path: content, or None for a directory}"""
        names = dict(self.durable_names)
        for change in self.name_changes[:chance.randint(0, len(self.name_changes))]:
            change(names)
        keep = chance.choice((0.0, 0.5, 0.9, 1.0))
        return {path: None if node is None else node.after_loss(chance, keep) for path, node in sorted(names.items())}


def entries(journal):
    """The journal's entries; the last may be torn, as the process was killed."""
    text = journal.read_bytes()
    at = 0
    while at + HEAD.size <= len(text):
        kind, handle, a, size = HEAD.unpack_from(text, at)
        at += HEAD.size
        if at + size > len(text):
            return
        yield kind, handle, a, text[at:at + size]
        at += size


def lose_power(before, journal, folder, chance):
    """Makes `folder` what a power loss left, for a process that found `before` in it and wrote `journal`. Gives how many bytes of
    writes were not synced."""
    disk = Disk(before)
    for entry in entries(journal):
        disk.take(*entry)
    at_risk = sum(len(data) for node in set(disk.names.values()) if node is not None for _, data in node.since if data)
    left = disk.after_loss(chance)
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for path, content in left.items():
        place = folder / path
        if content is None:
            place.mkdir(parents=True, exist_ok=True)
        else:
            place.parent.mkdir(parents=True, exist_ok=True)
            pathlib.Path(place).write_bytes(content)
    return at_risk
