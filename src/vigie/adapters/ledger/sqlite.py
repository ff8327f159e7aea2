"""The ledger in one SQLite file."""

import secrets
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

import msgspec

from vigie.adapters.sqlite.file import SqliteFile
from vigie.adapters.sqlite.moments import EPOCH, MICROSECOND, microseconds
from vigie.adapters.sqlite.statements import migrations, named_statements, sql_folder
from vigie.domain.event import Event, EventKind
from vigie.errors import LeaseHeldError, StorageError
from vigie.ports import Clock

APPLICATION_ID: Final = 0x56474C44  # "VGLD"

_FOLDER = sql_folder("vigie.adapters.ledger")
_SQL: Final = named_statements(_FOLDER)
_MIGRATIONS: Final = migrations(_FOLDER)


class SqliteLedger:
    """Implements ``ports.Ledger``; every event survives a power cut, and the file refuses to change or delete one.

    Safe to call from several threads, and from several processes on one machine.
    """

    def __init__(self, path: Path, *, clock: Clock) -> None:
        """Open the ledger, or start one.

        Args:
            path: the database file; ``.lock``, ``-wal`` and ``-shm`` live beside it.
            clock: tells when a lease expires; processes that share a ledger share a machine, hence a clock.

        Raises:
            StorageError: the file cannot be used; the message says why.
        """
        self._file = SqliteFile(
            path, store="ledger", application_id=APPLICATION_ID, migrations=_MIGRATIONS, durable=True
        )
        self._clock = clock

    def append(self, event: Event) -> Event:
        """Keep an event and return it with its ``seq``.

        Numbers in the evidence that JSON cannot say (NaN, infinities) are kept as null.

        Raises:
            StorageError: it was not kept.
            TypeError: the evidence is not plain JSON.
        """
        values = {
            "kind": event.kind.value,
            "at": microseconds(event.at),
            "model": event.model,
            "version": event.version,
            "summary": event.summary,
            "reasons": msgspec.json.encode(event.reasons).decode(),
            "evidence": msgspec.json.encode(event.evidence).decode(),
        }
        with self._file.write() as connection:
            seq = connection.execute(_SQL["append"], values).lastrowid
        return replace(event, seq=seq)

    def events(self, model: str, *, kinds: Sequence[EventKind] = (), version: str | None = None) -> list[Event]:
        """Return a model's events, oldest first, of some kinds or of all."""
        wanted = msgspec.json.encode([kind.value for kind in kinds]).decode()
        with self._file.read() as connection:
            rows = connection.execute(_SQL["events"], {"model": model, "kinds": wanted, "version": version})
            return [_event(row) for row in rows]

    @contextmanager
    def lease(self, name: str, *, owner: str, ttl_s: float) -> Iterator[None]:
        """Hold the right to change a model inside a ``with`` block; given back however the block ends.

        Not reentrant: who holds a lease and asks again is refused too.

        Raises:
            LeaseHeldError: somebody else holds it.
            StorageError: the ledger failed. When the block itself failed, its own error goes first.
        """
        token = self._take(name, owner, ttl_s)
        try:
            yield
        except BaseException:
            with suppress(StorageError):  # the block's own error says more, and the lease expires by itself
                self._give_back(name, token)
            raise
        self._give_back(name, token)

    def close(self) -> None:
        """Release the file; a second call does nothing."""
        self._file.close()

    def _take(self, name: str, owner: str, ttl_s: float) -> str:
        token = secrets.token_hex(16)
        with self._file.write() as connection:
            now = self._clock.now()
            holder = connection.execute(_SQL["lease_holder"], {"name": name, "now": microseconds(now)}).fetchone()
            if holder:
                raise LeaseHeldError(name, owner=holder[0])
            expires_at = microseconds(now + timedelta(seconds=ttl_s))
            values = {"name": name, "owner": owner, "token": token, "expires_at": expires_at}
            connection.execute(_SQL["take_lease"], values)
        return token

    def _give_back(self, name: str, token: str) -> None:
        with self._file.write() as connection:
            connection.execute(_SQL["give_back_lease"], {"name": name, "token": token})


def _event(row: tuple[Any, ...]) -> Event:
    kind, at, model, summary, version, reasons, evidence, seq = row
    return Event(
        kind=EventKind(kind),
        at=EPOCH + at * MICROSECOND,
        model=model,
        summary=summary,
        version=version,
        reasons=tuple(msgspec.json.decode(reasons)),
        evidence=msgspec.json.decode(evidence),
        seq=seq,
    )
