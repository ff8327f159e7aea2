"""What the HTTP edge is made with: collaborators and limits, passed in by whoever starts the process."""

from collections.abc import Callable
from collections.abc import Set as AbstractSet
from dataclasses import dataclass

from vigie.api.door import Door
from vigie.inference.slots import Slots
from vigie.ports import Clock, IdSource, PredictionWriter


@dataclass(frozen=True, slots=True)
class Limits:
    """How much one request may hold, and how many may be under way.

    Attributes:
        max_body_bytes: larger bodies are refused.
        max_rows: longer arrays are refused.
        heavy_rows: longer ones are read and scored in a thread, so that others do not wait for them; shorter ones, too,
            where a row takes long.
        max_bulk_bytes: the same of an Arrow stream.
        max_bulk_rows: idem.
        max_under_way: predictions under way at a time; more are refused at once.
    """

    max_body_bytes: int
    max_rows: int
    heavy_rows: int = 256
    max_under_way: int = 1024
    max_bulk_bytes: int = 64 * 2**20
    max_bulk_rows: int = 100_000


@dataclass(frozen=True, slots=True)
class Service:
    """Everything a server needs.

    Attributes:
        name: the registered model's name, also while no version of it is loaded.
        slots: who serves.
        writer: the way into the memory of every answer.
        clock: the only source of time.
        ids: the only source of prediction ids.
        limits: how much one request may hold.
        door: who is let in.
        hosts: names (lower case, without port) that requests may be addressed to; None for any.
        fast_path: whether plain requests are answered without the framework.
        verdicts: returns what the watcher last found, in Prometheus' text format; it may read a file.
    """

    name: str
    slots: Slots
    writer: PredictionWriter
    clock: Clock
    ids: IdSource
    limits: Limits
    door: Door
    hosts: AbstractSet[str] | None
    fast_path: bool = True
    verdicts: Callable[[], bytes] = bytes
