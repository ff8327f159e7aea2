"""A prediction log in memory, written apart from the SQL ones so that each can catch the other."""

import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, Final
from uuid import UUID

import msgspec
import pyarrow as pa

from vigie.domain.prediction import Feedback, FeedbackStatus, PredictionRecord
from vigie.domain.schema import Kind, Label, Schema, Value
from vigie.domain.window import Window, check_utc
from vigie.errors import SchemaMismatchError, StorageError, UnknownPredictionError, Violation
from vigie.ports import Expired, Held, HourCounts, LoggedDay, LoggedRows, Tally

FEATURE_TYPES: Final = {
    Kind.INTEGER: pa.int64(),
    Kind.NUMBER: pa.float64(),
    Kind.BOOLEAN: pa.bool_(),
    Kind.CATEGORY: pa.string(),
}
RECORD_TYPES: Final = pa.schema(
    {
        "id": pa.string(),
        "at": pa.timestamp("us", tz="UTC"),
        "version": pa.string(),
        "entity": pa.string(),
        "latency_us": pa.int64(),
        "value": pa.float64(),
        "label": pa.string(),
        "probabilities": pa.list_(pa.float64()),
        "outcome": pa.string(),
        "observed_at": pa.timestamp("us", tz="UTC"),
        "received_at": pa.timestamp("us", tz="UTC"),
    }
)


_HOUR: Final = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class _Known:
    outcome: Label
    observed_at: datetime | None
    received_at: datetime


class InMemoryPredictionLog:
    """Implements ``ports.PredictionLog``; safe to call from several threads.

    Attributes:
        failure: when set, whatever writes raises it and keeps nothing: a log that is full, locked or broken.
    """

    def __init__(self) -> None:
        self.failure: StorageError | None = None
        self._lock = threading.Lock()
        self._records: dict[tuple[str, str], dict[UUID, PredictionRecord]] = {}
        self._outcomes: dict[tuple[str, UUID], _Known] = {}
        self._schemas: dict[str, Schema] = {}
        self._horizon = datetime.min.replace(tzinfo=UTC)
        self._closed = False

    def append(self, model: str, schema: Schema, records: Sequence[PredictionRecord]) -> None:
        """Keep answers, all or none.

        Raises:
            StorageError: ``failure`` is set, the log is closed, or an id is there already.
            SchemaMismatchError: a value does not fit the schema's kind.
            ValueError: an id is not a version 7 UUID, a time has no zone, or the number of features is wrong.
        """
        for record in records:
            _check_shape(schema, record)
        _feature_table(schema, records)
        _record_table(schema, records, [None] * len(records))
        with self._lock:
            self._refuse_if_broken()
            kept = self._records.get((model, schema.digest), {})
            new = {record.id: record for record in records}
            if len(new) < len(records) or kept.keys() & new.keys():
                problem = "a prediction id is in it already; none of the records was kept."
                raise StorageError("prediction log", problem, retryable=False, remedy="Give each answer a fresh id.")
            if records:
                self._records[model, schema.digest] = {**kept, **new}
                self._schemas[schema.digest] = schema

    def record_feedback(
        self, model: str, feedback: Sequence[Feedback], *, received_at: datetime
    ) -> list[FeedbackStatus]:
        """Keep outcomes, one status per item, in order.

        Raises:
            StorageError: ``failure`` is set or the log is closed.
            SchemaMismatchError: an outcome cannot be said in JSON; nothing was kept.
        """
        received = check_utc(received_at)
        for row, item in enumerate(feedback):
            _check_outcome(item.outcome, row)
        news = [
            _Known(item.outcome, None if item.observed_at is None else check_utc(item.observed_at), received)
            for item in feedback
        ]
        with self._lock:
            self._refuse_if_broken()
            return [self._keep(model, item.prediction_id, new) for item, new in zip(feedback, news, strict=True)]

    def rows(self, model: str, schema: Schema, window: Window, *, version: str | None = None) -> LoggedRows:
        """Return the predictions made in a window under this schema, with outcomes where known."""
        with self._lock:
            self._refuse_if_closed()
            kept = self._records.get((model, schema.digest), {}).values()
            wanted = [record for record in kept if record.at in window and version in {None, record.version}]
            wanted.sort(key=lambda record: record.id.int)
            outcomes = [self._outcomes.get((model, record.id)) for record in wanted]
        return LoggedRows(_feature_table(schema, wanted), _record_table(schema, wanted, outcomes))

    def records(self, model: str, schema: Schema, window: Window, *, version: str | None = None) -> pa.Table:
        """Return the ``records`` of ``rows`` alone."""
        return self.rows(model, schema, window, version=version).records

    def stream(self, model: str, schema: Schema, window: Window, *, version: str | None = None) -> Iterator[LoggedRows]:
        """Yield what ``rows`` returns in parts of 1, 2, 4 ... rows: whoever takes parts must take any."""
        rows = self.rows(model, schema, window, version=version)
        start, size = 0, 1
        while start < rows.records.num_rows:
            yield LoggedRows(rows.features.slice(start, size), rows.records.slice(start, size))
            start, size = start + size, 2 * size

    def hours(self, model: str, schema: Schema, window: Window, tally: Tally, *, version: str) -> list[HourCounts]:
        """Return a version's counts of the whole hours of a window that have rows, counted from the rows each time."""
        rows = self.rows(model, schema, window, version=version)
        starts = [at.replace(minute=0, second=0, microsecond=0) for at in rows.records["at"].to_pylist()]
        counted = []
        for start in sorted(set(starts)):
            if window.start <= start and start + _HOUR <= window.end:
                mask = pa.array([one == start for one in starts])
                part = LoggedRows(rows.features.filter(mask), rows.records.filter(mask))
                counted.append(HourCounts(Window(start, start + _HOUR), part.records.num_rows, tally.count(part)))
        return counted

    def days(self, model: str, first: date | None = None, last: date | None = None) -> list[LoggedDay]:
        """Return the days with predictions that are still whole, oldest first."""
        with self._lock:
            self._refuse_if_closed()
            states: dict[tuple[date, str], list[str]] = {}
            for (name, digest), kept in self._records.items():
                for record in kept.values() if name == model else ():
                    state = f"{record.id} {self._outcomes.get((model, record.id))}"
                    states.setdefault((record.at.date(), digest), []).append(state)
            return [
                LoggedDay(day, self._schemas[digest], len(state), " ".join(sorted(state)))
                for (day, digest), state in sorted(states.items())
                if (first or day) <= day <= (last or day) and datetime.combine(day, time(), UTC) >= self._horizon
            ]

    def expire(self, before: datetime, told: Callable[[int], None] | None = None) -> Expired:
        """Delete the predictions made before a time, their outcomes, and outcomes as old that have no prediction.

        Raises:
            StorageError: ``failure`` is set or the log is closed.
        """
        with self._lock:
            self._refuse_if_broken()
            self._horizon = max(self._horizon, check_utc(before))
            old = [(key, one.id) for key, kept in self._records.items() for one in kept.values() if one.at < before]
            n_outcomes = self._delete(old)
            logged = {(key[0], one) for key, kept in self._records.items() for one in kept}
            alone = [
                place for place, known in self._outcomes.items() if known.received_at < before and place not in logged
            ]
            for place in alone:
                del self._outcomes[place]
        if told:
            told(len(old))
        return Expired(len(old), n_outcomes, len(alone))

    def held(self, entity: str) -> Held:
        """Return what the log holds of an entity; this one keeps no answers for retries."""
        with self._lock:
            self._refuse_if_closed()
            found = self._of(entity)
            return Held(len(found), sum((key[0], one) in self._outcomes for key, one in found), 0)

    def erase(self, entity: str) -> Held:
        """Delete what the log holds of an entity.

        Raises:
            StorageError: ``failure`` is set or the log is closed.
        """
        held = self.held(entity)
        with self._lock:
            self._refuse_if_broken()
            self._delete(self._of(entity))
        return held

    def outcomes(self, model: str, schema: Schema, received: Window, *, version: str | None = None) -> LoggedRows:
        """Return the predictions whose outcome reached us in a window, whenever they were made, oldest first."""
        with self._lock:
            self._refuse_if_closed()
            kept = self._records.get((model, schema.digest), {}).values()
            known = [(record, self._outcomes.get((model, record.id))) for record in kept]
            wanted = [
                (record, outcome)
                for record, outcome in known
                if outcome and outcome.received_at in received and version in {None, record.version}
            ]
            wanted.sort(key=lambda pair: pair[0].id.int)
        records, outcomes = [record for record, _ in wanted], [outcome for _, outcome in wanted]
        return LoggedRows(_feature_table(schema, records), _record_table(schema, records, outcomes))

    def count(self, model: str, window: Window | None = None) -> int:
        """Return how many predictions of a model are logged, in a window or in all."""
        with self._lock:
            self._refuse_if_closed()
            ats = [record.at for key, kept in self._records.items() if key[0] == model for record in kept.values()]
        return len(ats) if window is None else sum(at in window for at in ats)

    def find(self, prediction_id: UUID) -> tuple[str, str, datetime]:
        """Return ``(model, version, at)`` of one prediction.

        Raises:
            UnknownPredictionError: nothing was logged under this id.
        """
        with self._lock:
            self._refuse_if_closed()
            for (model, _), kept in self._records.items():
                if prediction_id in kept:
                    return model, kept[prediction_id].version, kept[prediction_id].at
        raise UnknownPredictionError(str(prediction_id))

    def check(self) -> None:
        """Raise ``failure`` when it is set, StorageError when the log is closed."""
        self._refuse_if_broken()

    def close(self) -> None:
        """Refuse everything from now on; a second call does nothing."""
        self._closed = True

    def _of(self, entity: str) -> list[tuple[tuple[str, str], UUID]]:
        return [(key, one.id) for key, kept in self._records.items() for one in kept.values() if one.entity == entity]

    def _delete(self, places: Sequence[tuple[tuple[str, str], UUID]]) -> int:
        """Delete predictions with their outcomes; return how many of those there were."""
        for key, prediction_id in places:
            del self._records[key][prediction_id]
        return sum(self._outcomes.pop((key[0], one), None) is not None for key, one in places)

    def _refuse_if_broken(self) -> None:
        self._refuse_if_closed()
        if self.failure:
            raise self.failure

    def _refuse_if_closed(self) -> None:
        if self._closed:
            raise StorageError("prediction log", "it is closed.", retryable=False, remedy="Open it again.")

    def _keep(self, model: str, prediction_id: UUID, new: _Known) -> FeedbackStatus:
        known = self._outcomes.get((model, prediction_id))
        status = _status(known, new)
        if status in {FeedbackStatus.OUTDATED, FeedbackStatus.CONFLICT}:
            return status
        if known is None or _is_later(new, known):
            self._outcomes[model, prediction_id] = new
        logged = any(prediction_id in kept for key, kept in self._records.items() if key[0] == model)
        return status if logged else FeedbackStatus.UNMATCHED


def _status(known: _Known | None, new: _Known) -> FeedbackStatus:
    if known is None:
        return FeedbackStatus.RECORDED
    if known.outcome == new.outcome and isinstance(known.outcome, bool) is isinstance(new.outcome, bool):
        return FeedbackStatus.UNCHANGED
    if known.observed_at == new.observed_at:
        return FeedbackStatus.CONFLICT
    return FeedbackStatus.REPLACED if _is_later(new, known) else FeedbackStatus.OUTDATED


def _is_later(new: _Known, known: _Known) -> bool:
    if new.observed_at is None:
        return False
    return known.observed_at is None or new.observed_at > known.observed_at


def _check_shape(schema: Schema, record: PredictionRecord) -> None:
    if record.id.version != 7:
        raise ValueError(f"{record.id} is not a version 7 UUID; the log keeps time order by it")
    if len(record.features) != len(schema.features):
        raise ValueError(f"a record has {len(record.features)} features, its schema {len(schema.features)}")
    check_utc(record.at)


def _check_outcome(outcome: Any, row: int) -> None:
    try:
        if isinstance(outcome, float | int | str) and msgspec.json.encode(outcome) != b"null":
            return
    except UnicodeEncodeError:
        pass
    expected = "a finite number, a text or a boolean"
    raise SchemaMismatchError([Violation(row, "outcome", "unwritable", expected, "something else")])


def _feature_table(schema: Schema, records: Sequence[PredictionRecord]) -> pa.Table:
    """Return typed columns; NaN is missing."""
    columns = {}
    for place, feature in enumerate(schema.features):
        values = [_without_nan(record.features[place]) for record in records]
        try:
            if feature.kind is Kind.INTEGER and any(value is not None and value % 1 for value in values):
                raise ValueError("a fraction")  # noqa: TRY301  # Arrow itself would cut it off without a word
            columns[feature.name] = pa.array(values, FEATURE_TYPES[feature.kind])
        except (pa.ArrowException, TypeError, ValueError, OverflowError) as exc:
            expected = f"a storable {feature.kind.value}"
            raise SchemaMismatchError([Violation(0, feature.name, "unwritable", expected, "something else")]) from exc
    types = [(feature.name, FEATURE_TYPES[feature.kind]) for feature in schema.features]
    return pa.table(columns, schema=pa.schema(types))


def _record_table(schema: Schema, records: Sequence[PredictionRecord], outcomes: Sequence[_Known | None]) -> pa.Table:
    is_class = schema.target.task.is_classification
    rows = [
        {
            "id": str(record.id),
            "at": record.at,
            "version": record.version,
            "entity": record.entity,
            "latency_us": record.latency_us,
            "value": None if is_class else _without_nan(record.prediction.value),
            "label": msgspec.json.encode(record.prediction.value).decode() if is_class else None,
            "probabilities": [_without_nan(proba) for proba in record.prediction.probabilities] if is_class else None,
            "outcome": msgspec.json.encode(known.outcome).decode() if known else None,
            "observed_at": known.observed_at if known else None,
            "received_at": known.received_at if known else None,
        }
        for record, known in zip(records, outcomes, strict=True)
    ]
    try:
        columns = {
            name: pa.array([row[name] for row in rows], RECORD_TYPES.field(name).type) for name in RECORD_TYPES.names
        }
    except (pa.ArrowException, TypeError, ValueError, OverflowError) as exc:
        expected = "a storable answer"
        raise SchemaMismatchError([Violation(0, "prediction", "unwritable", expected, "something else")]) from exc
    return pa.table(columns, schema=RECORD_TYPES)


def _without_nan(value: Value) -> Value:
    """Return None for NaN."""
    return None if value != value else value  # noqa: PLR0124  # what NaN is
