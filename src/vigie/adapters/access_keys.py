"""Access keys in a file of the project's state, which only its owner reads: digests, never keys.

The file is replaced whole, under a lock of its own: a server that reads meanwhile sees the old or the new one. When a
key was last used stands in a second file, so that servers never write where keys are made and revoked.
"""

import fcntl
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import msgspec

from vigie.domain.access import AccessKey
from vigie.errors import ConfigurationError, StorageError

FILE = "access_keys.json"
USES = "access_keys_used.json"

FORMAT = 1

_MINE = 0o600
_WRITTEN_BY_OTHERS = 0o022


class _Kept(msgspec.Struct):
    version: int
    keys: list[AccessKey]


class AccessKeyFile:
    """The keys of one project.

    Args:
        root: its state folder, which exists.
    """

    def __init__(self, root: Path) -> None:
        self.path = root / FILE
        self._uses = root / USES

    def stamp(self) -> tuple[int, int, int] | None:
        """Return what changes whenever the keys do; None while no key was ever made."""
        try:
            found = self.path.stat()
        except FileNotFoundError:
            return None
        except OSError as exc:
            raise self._trouble(exc) from exc
        return (found.st_ino, found.st_mtime_ns, found.st_size)

    def read(self) -> tuple[AccessKey, ...]:
        """Return every key, the oldest first; none while no key was ever made.

        Raises:
            ConfigurationError: the file is not Vigie's, or others may write it.
            StorageError: it cannot be read.
        """
        try:
            with self.path.open("rb") as file:
                mode, content = os.fstat(file.fileno()).st_mode, file.read()
        except FileNotFoundError:
            return ()
        except OSError as exc:
            raise self._trouble(exc) from exc
        if mode & _WRITTEN_BY_OTHERS:
            raise ConfigurationError(
                "Others may write the access keys, and so make their own.",
                where=str(self.path),
                remedy=f"Look at `vigie keys list`, then run: chmod 600 {self.path}",
            )
        try:
            kept = msgspec.json.decode(content, type=_Kept)
        except (msgspec.MsgspecError, UnicodeDecodeError, ValueError, RecursionError) as exc:
            raise self._unreadable(str(exc)) from exc
        if kept.version != FORMAT:
            raise self._unreadable(f"its version is {kept.version}")
        return tuple(kept.keys)

    def add(self, key: AccessKey) -> None:
        """Keep a new key.

        Raises:
            ConfigurationError: the file is not Vigie's.
            StorageError: it cannot be written.
        """
        with self._changing():
            self._write([*self.read(), key])

    def revoke(self, key_id: str, at: datetime) -> AccessKey | None:
        """End a key and return it; None if there is none of that id. One that was revoked before stays as it is.

        Raises:
            ConfigurationError: the file is not Vigie's.
            StorageError: it cannot be written.
        """
        with self._changing():
            keys = {key.id: key for key in self.read()}
            key = keys.get(key_id)
            if key is not None and key.revoked_at is None:
                key = keys[key_id] = replace(key, revoked_at=at)
                self._write(list(keys.values()))
        return key

    def last_uses(self) -> dict[str, datetime]:
        """Return when each key was last used, by id; what cannot be read is unknown, never an error."""
        try:
            return msgspec.json.decode(self._uses.read_bytes(), type=dict[str, datetime])
        except (OSError, msgspec.MsgspecError, UnicodeDecodeError):
            return {}

    def note_uses(self, uses: Mapping[str, datetime]) -> None:
        """Keep when keys were last used, to about a few seconds; several servers may do so.

        Raises:
            StorageError: it cannot be written.
        """
        with self._changing():
            known = self.last_uses()
            for key_id, at in uses.items():
                known[key_id] = max(at, known.get(key_id, at))
            self._replace(self._uses, msgspec.json.encode(known))

    def _write(self, keys: list[AccessKey]) -> None:
        # Sets have no order: scopes are sorted, so that the same keys are the same bytes.
        self._replace(self.path, msgspec.json.format(msgspec.json.encode(_Kept(FORMAT, keys), order="deterministic")))

    def _replace(self, path: Path, content: bytes) -> None:
        new = path.with_suffix(".new")
        descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, _MINE)
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        new.replace(path)
        folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(folder)  # a revocation that was reported survives a power cut
        finally:
            os.close(folder)

    @contextmanager
    def _changing(self) -> Iterator[None]:
        try:
            with os.fdopen(os.open(self.path.with_suffix(".lock"), os.O_RDWR | os.O_CREAT, _MINE), "r") as lock:
                fcntl.flock(lock, fcntl.LOCK_EX)
                yield
        except OSError as exc:
            raise self._trouble(exc) from exc

    def _trouble(self, exc: OSError) -> StorageError:
        return StorageError(str(self.path), f"The access keys cannot be used: {exc.strerror}.", retryable=False)

    def _unreadable(self, why: str) -> ConfigurationError:
        return ConfigurationError(
            f"This is no file of access keys: {why}.",
            where=str(self.path),
            remedy="Restore it, or remove it and make new keys with `vigie keys new`.",
        )
