"""What the HTTP edge is made with: collaborators and limits, passed in by whoever starts the process."""

from collections.abc import Set as AbstractSet
from dataclasses import dataclass

from vigie.inference.slots import Slots
from vigie.ports import Clock, IdSource, PredictionLog


@dataclass(frozen=True, slots=True)
class Limits:
    """How much one request may hold."""

    max_body_bytes: int
    max_rows: int


@dataclass(frozen=True, slots=True)
class Service:
    """Everything a server needs.

    Attributes:
        name: the registered model's name, also while no version of it is loaded.
        slots: who serves.
        log: the memory of every answer.
        log_mode: the promise the log keeps, for people: ``durable`` or ``fast``.
        clock: the only source of time.
        ids: the only source of prediction ids.
        limits: how much one request may hold.
        hosts: names (lower case, without port) that requests may be addressed to; None for any.
    """

    name: str
    slots: Slots
    log: PredictionLog
    log_mode: str
    clock: Clock
    ids: IdSource
    limits: Limits
    hosts: AbstractSet[str] | None
