"""A ledger in memory."""

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, timedelta

import msgspec

from vigie.domain.event import Event, EventKind
from vigie.errors import LeaseHeldError
from vigie.ports import Clock


class InMemoryLedger:
    """Implements ``ports.Ledger``; leases expire by the clock it is given."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._events: list[Event] = []
        self._leases: dict[str, tuple[object, str, datetime]] = {}

    def append(self, event: Event) -> Event:
        """Keep an event and return it with its ``seq``.

        Evidence is kept as JSON says it, as a real ledger would: NaN becomes null, tuples become lists.

        Raises:
            TypeError: the evidence is not plain JSON.
        """
        evidence = msgspec.json.decode(msgspec.json.encode(event.evidence))
        with self._lock:
            seq = len(self._events) + 1
            self._events.append(replace(event, seq=seq, evidence=evidence))
        return replace(event, seq=seq)

    def events(self, model: str, *, kinds: Sequence[EventKind] = (), version: str | None = None) -> list[Event]:
        """Return a model's events, oldest first, of some kinds or of all."""
        return [
            event
            for event in self._events
            if event.model == model
            and (not kinds or event.kind in kinds)
            and (version is None or event.version == version)
        ]

    @contextmanager
    def lease(self, name: str, *, owner: str, ttl_s: float) -> Iterator[None]:
        """Hold the right to change a model inside a ``with`` block.

        Raises:
            LeaseHeldError: somebody else holds it.
        """
        token = object()
        with self._lock:
            now = self._clock.now()
            held = self._leases.get(name)
            if held and held[2] > now:
                raise LeaseHeldError(name, owner=held[1])
            self._leases[name] = (token, owner, now + timedelta(seconds=ttl_s))
        try:
            yield
        finally:
            with self._lock:
                if name in self._leases and self._leases[name][0] is token:
                    del self._leases[name]

    def close(self) -> None:
        """Do nothing: memory needs no closing."""
