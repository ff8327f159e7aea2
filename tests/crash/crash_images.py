"""What a disk may hold after a power cut, from the trace that ``shim.c`` writes.

A disk keeps what was synced. Of what was written since, it may have kept nothing, all, or any part, in any order, down
to single sectors of 512 bytes. What a failed sync should have written is lost for good: the kernel forgets it (and
SQLite must not count on it). A new file is there once its folder was synced.
"""

import struct
from dataclasses import dataclass, field

SECTOR = 512
HEAD = struct.Struct("<cH")
TAIL = struct.Struct("<qI")


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that happened: ``W``, ``T``, ``S``, ``F``, ``U`` on a path, or ``A``, data said on stdout."""

    kind: str
    path: str
    offset: int
    data: bytes


@dataclass(slots=True)
class DiskFile:
    """One file: its synced bytes and what was done to it since."""

    synced: bytearray = field(default_factory=bytearray)
    pending: list[Event] = field(default_factory=list)
    is_named: bool = False


def read_trace(path):
    """Return the events of a trace, in order."""
    raw, at, events = path.read_bytes(), 0, []
    while at < len(raw):
        kind, length = HEAD.unpack_from(raw, at)
        at += HEAD.size
        name = raw[at : at + length].decode()
        at += length
        offset, size = TAIL.unpack_from(raw, at)
        at += TAIL.size
        events.append(Event(kind.decode(), name, offset, raw[at : at + size]))
        at += size
    return events


class Disk:
    """Follows a trace; can be photographed at any time."""

    def __init__(self, folder):
        self.folder = str(folder)
        self.files = {}

    def follow(self, event):
        """Take in one event."""
        if event.path == self.folder:
            for file in self.files.values():
                file.is_named = event.kind == "S" or file.is_named
        elif event.kind in "WT":
            self.files.setdefault(event.path, DiskFile()).pending.append(event)
        elif event.kind == "S" and event.path in self.files:
            file = self.files[event.path]
            for done in file.pending:
                apply(file.synced, done)
            file.pending.clear()
        elif event.kind == "F" and event.path in self.files:
            self.files[event.path].pending.clear()
        elif event.kind == "U":
            self.files.pop(event.path, None)

    def photograph(self, folder, generator, share):
        """Write the files as a power cut now may leave them, each unsynced sector kept with probability ``share``."""
        folder.mkdir()
        for path, file in self.files.items():
            if not file.is_named:
                continue
            content = bytearray(file.synced)
            for event in file.pending:
                for part in torn(event):
                    if generator.random() < share:
                        apply(content, part)
            (folder / path.removeprefix(self.folder).lstrip("/")).write_bytes(content)


def apply(content, event):
    """Do to bytes what was done to the file."""
    if event.kind == "T":
        del content[event.offset :]
        content.extend(bytes(event.offset - len(content)))
        return
    end = event.offset + len(event.data)
    content.extend(bytes(max(0, end - len(content))))
    content[event.offset : end] = event.data


def torn(event):
    """Return a write as one event per sector it touches."""
    if event.kind == "T":
        return [event]
    parts, at = [], 0
    while at < len(event.data):
        size = SECTOR - (event.offset + at) % SECTOR
        parts.append(Event("W", event.path, event.offset + at, event.data[at : at + size]))
        at += size
    return parts
