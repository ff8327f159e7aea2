"""The prediction log and the copies made of it."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING, Protocol
from uuid import UUID

from vigie.domain.prediction import Feedback, FeedbackStatus, PredictionRecord
from vigie.domain.schema import Schema
from vigie.domain.window import Window

if TYPE_CHECKING:  # the server writes without Arrow: only what reads the log loads it
    import pyarrow as pa


@dataclass(frozen=True, slots=True)
class LoggedRows:
    """Logged predictions of one window, oldest first; both tables have one row per prediction, in the same order.

    Attributes:
        features: one column per feature of the schema, null for missing: float64 for numbers, int64 for integers,
            bool for booleans, string for categories.
        records: ``id`` string, ``at`` timestamp[us, UTC], ``version`` string, ``entity`` string, ``latency_us``
            int64, ``value`` float64 (regression, else null), ``label`` string (JSON text of the predicted class,
            null for regression), ``probabilities`` list<float64> (null for regression), ``outcome`` string (JSON
            text of the outcome, null while unknown), ``observed_at`` and ``received_at`` timestamp[us, UTC]
            (when the outcome was seen, when it reached us).
    """

    features: "pa.Table"
    records: "pa.Table"


@dataclass(frozen=True, slots=True)
class LoggedDay:
    """One UTC day of a model's predictions under one schema.

    Attributes:
        day: which.
        schema: names, kinds and target; without ranges, which the log does not keep.
        n: predictions.
        fingerprint: another text whenever rows or their outcomes have changed.
    """

    day: date
    schema: Schema
    n: int
    fingerprint: str

    @property
    def window(self) -> Window:
        """From midnight to midnight, UTC."""
        start = datetime.combine(self.day, time(), UTC)
        return Window(start, start + timedelta(days=1))


@dataclass(frozen=True, slots=True)
class Expired:
    """What age took away: predictions, their outcomes, and outcomes that belonged to no prediction."""

    predictions: int
    outcomes: int
    orphans: int


@dataclass(frozen=True, slots=True)
class Held:
    """What a log holds of one entity: predictions, their outcomes, and answers kept for retries."""

    predictions: int
    outcomes: int
    replays: int


@dataclass(frozen=True, slots=True)
class HourCounts:
    """What a tally made of the rows of one whole hour: ``n`` of them, at least one."""

    window: Window
    n: int
    content: bytes


class Tally(Protocol):
    """Reduces rows to counts that add up; to a log they are bytes."""

    @property
    def digest(self) -> bytes:
        """What is counted and how: counts of one digest add up, and are never asked for under another."""
        ...

    def count(self, rows: LoggedRows) -> bytes:
        """Return the counts of some rows, at least one. Their outcomes are not given: they come later."""
        ...

    def add(self, first: bytes, second: bytes) -> bytes:
        """Return the counts of both sets of rows together, whichever comes first."""
        ...


class PredictionLog(Protocol):
    """The memory of every answer and its outcome."""

    def append(self, model: str, schema: Schema, records: Sequence[PredictionRecord]) -> None:
        """Keep answers; when it returns, they survive a crash and, in durable mode, a power cut.

        All or nothing: on an error none of ``records`` is kept.

        Raises:
            StorageError: the log is full, locked or broken. The caller must not answer.
        """
        ...

    def record_feedback(
        self, model: str, feedback: Sequence[Feedback], *, received_at: datetime
    ) -> list[FeedbackStatus]:
        """Keep outcomes, one status per item, in order. A conflict changes nothing and does not stop the others."""
        ...

    def rows(self, model: str, schema: Schema, window: Window, *, version: str | None = None) -> LoggedRows:
        """Return the predictions made in a window under this schema, with outcomes where known."""
        ...

    def records(self, model: str, schema: Schema, window: Window, *, version: str | None = None) -> "pa.Table":
        """Return the ``records`` of ``rows`` alone, for whoever needs no feature."""
        ...

    def stream(self, model: str, schema: Schema, window: Window, *, version: str | None = None) -> Iterator[LoggedRows]:
        """Yield what ``rows`` returns in parts of at most 65,536, so that a long window need not fit in memory.

        What is logged, labelled or deleted meanwhile may be in or not.
        """
        ...

    def outcomes(self, model: str, schema: Schema, received: Window, *, version: str | None = None) -> LoggedRows:
        """Return the predictions whose outcome reached us in a window, whenever they were made, oldest first."""
        ...

    def hours(self, model: str, schema: Schema, window: Window, tally: Tally, *, version: str) -> list[HourCounts]:
        """Return a version's counts of the whole hours of a window that have rows, oldest first.

        Counts are kept beside the log and always equal those of the rows: what was logged since the last call, late
        rows too, is counted first, each row once, and hours of which rows were deleted are counted anew. So asking
        costs what is new, not what is in the window. What is logged during the call may be in or not.

        Args:
            model: the registered model's name.
            schema: what it takes.
            window: hours that begin before it or end after it are left out; read their rows.
            tally: what counts; another digest begins other counts.
            version: whose rows.

        Raises:
            StorageError: the log cannot be read, or the counts cannot be written.
        """
        ...

    def count(self, model: str, window: Window | None = None) -> int:
        """Return how many predictions of a model are logged, in a window or in all."""
        ...

    def find(self, prediction_id: UUID) -> tuple[str, str, datetime]:
        """Return ``(model, version, at)`` of one prediction.

        Raises:
            UnknownPredictionError: nothing was logged under this id.
        """
        ...

    def days(self, model: str, first: date | None = None, last: date | None = None) -> list[LoggedDay]:
        """Return the days with predictions that are still whole, oldest first, by day and schema.

        Args:
            model: the registered model's name.
            first: nothing before this day; None for the log's first.
            last: nothing after this day; None for the log's last.
        """
        ...

    def expire(self, before: datetime, told: Callable[[int], None] | None = None) -> Expired:
        """Delete the predictions of all models made before a time, with their outcomes, and what is as old and alone.

        In small steps, so that writers hardly wait; when it is interrupted, the next call goes on.

        Args:
            before: later predictions stay.
            told: takes how many predictions have gone, every now and then.

        Raises:
            StorageError: what is gone is gone, the rest is kept.
        """
        ...

    def held(self, entity: str) -> Held:
        """Return what the log holds of an entity, under every model."""
        ...

    def erase(self, entity: str) -> Held:
        """Delete what the log holds of an entity, so that no byte of it is left in the log's files.

        When it is interrupted, the next call goes on; without anything to delete it looks for bytes all the same.

        Raises:
            StorageError: it is not done, or not known to be; try again.
        """
        ...

    def check(self) -> None:
        """Do nothing when the log can be written.

        Raises:
            StorageError: it cannot.
        """
        ...

    def close(self) -> None:
        """Release what is held; a second call does nothing."""
        ...


class Exports(Protocol):
    """Copies of the log outside of it, one file per model, day and schema."""

    def fingerprint(self, model: str, day: LoggedDay) -> str | None:
        """Return that of the copy of a day, None when there is no copy."""
        ...

    def put(self, model: str, day: LoggedDay, parts: Iterable[LoggedRows]) -> None:
        """Write a day's copy in place of an older one, all of it or nothing.

        Raises:
            StorageError: it cannot be written; an older one stays.
        """
        ...

    def files_of(self, entity: str) -> list[str]:
        """Return the files that hold rows of an entity, and those that may: what an interrupted export left."""
        ...

    def erase(self, entity: str) -> list[str]:
        """Take an entity's rows out of every file, and what interrupted exports left; return the files changed.

        Raises:
            StorageError: the rest stays; try again.
        """
        ...
