"""From rows to bytes: room in the log, scores, ids, and the wait until the answers are kept.

The raw fast path and the framework's routes both come here, so that they cannot answer differently.
"""

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from time import perf_counter, thread_time
from typing import NamedTuple, TypeVar

from vigie.api.collector import Collector
from vigie.api.errors import OVERLOADED, RequestError
from vigie.api.retries import Answer, Retry
from vigie.api.service import Service
from vigie.api.telemetry import Telemetry
from vigie.api.wire import AnswerBodies, id_text
from vigie.domain.prediction import Prediction
from vigie.domain.schema import Value
from vigie.errors import NoChampionError, StorageError
from vigie.inference.decoding import RowDecoder
from vigie.inference.payload import Rows
from vigie.inference.slots import ServingModel
from vigie.loop.predict import Scored, logged, now_us
from vigie.ports import EncodedRows

T = TypeVar("T")

Told = Callable[[StorageError | None], None]
"""Hears that rows are kept, or why they are not."""

COMPILED = "compiled"

MAX_COLLECTED_ROWS = 4_096
"""Rows that scikit-learn scores at once for several requests."""

MAX_TURN_S = 0.002
"""How long, about, the event loop may score for one request while all others wait."""

TIMED_ROWS = 16
"""Scores of fewer rows say little about what a row costs."""


class Served:
    """What answering with one version of a model takes, made once when its first request comes.

    Args:
        model: the version.
        service: collaborators and limits.
        threads: where scikit-learn and large bodies work.

    Attributes:
        light_rows: more are scored in a thread: the limit that the settings give, or what takes two milliseconds.
    """

    def __init__(self, model: ServingModel, service: Service, threads: ThreadPoolExecutor) -> None:
        self.model = model
        self.schema = model.schema
        self.decoder = RowDecoder(model.schema)
        self.encoder = service.writer.encoder(model.name, model.schema)
        self.light_rows = self._most_light_rows = service.limits.heavy_rows
        self._score_rows = model.scorer.score_rows
        self.bodies = AnswerBodies(model)
        compiled = model.scorer_kind == COMPILED
        self.collector = None if compiled else Collector(model.scorer.score_rows, threads, max_rows=MAX_COLLECTED_ROWS)

    def score(self, rows: Sequence[tuple[Value, ...]]) -> list[Prediction]:
        """Return one prediction per row; learn from it how many rows the event loop may score by itself.

        Raises:
            VigieError: as ``Scorer.score_rows``.
        """
        n = len(rows)
        if n < TIMED_ROWS:
            return self._score_rows(rows)
        began_s = thread_time()  # a thread that waits for its turn does not score
        found = self._score_rows(rows)
        row_s = max(thread_time() - began_s, 1e-9) / n
        self.light_rows = max(1, min(self._most_light_rows, int(MAX_TURN_S / row_s)))
        return found


def rehearse(model: ServingModel, service: Service) -> None:
    """Make what answering with a model takes, and let it go: what cannot be made is found out before the model serves.

    Raises:
        Exception: whatever making it raises.
    """
    with ThreadPoolExecutor(1) as threads:
        Served(model, service, threads)


class Shape(NamedTuple):
    """How answers are written: the type they are sent as, and what makes the body of one id (as text) per row."""

    content_type: str
    write: Callable[[Served, Scored, Sequence[str]], bytes]


class Answering:
    """Answers rows.

    Args:
        service: collaborators and limits.
        telemetry: where answers are counted.
    """

    def __init__(self, service: Service, telemetry: Telemetry) -> None:
        self._service = service
        self._writer = service.writer
        self._telemetry = telemetry
        self._threads = ThreadPoolExecutor(2, thread_name_prefix="vigie-score")
        self._served: Served | None = None
        self._under_way = 0

    def champion(self) -> Served | None:
        """Return who serves, ready to answer; None while there is none. A request stays with what it got."""
        model, served = self._service.slots.champion, self._served
        if model is None:
            return None
        if served is None or served.model is not model:
            served = self._served = Served(model, self._service, self._threads)
        return served

    def served(self) -> Served:
        """Return who serves.

        Raises:
            NoChampionError: nobody does.
        """
        served = self.champion()
        if served is None:
            raise NoChampionError(self._service.name)
        return served

    async def in_thread(self, function: Callable[[], T]) -> T:
        """Return what ``function`` returns, without keeping the event loop."""
        return await asyncio.get_running_loop().run_in_executor(self._threads, function)

    async def answer(self, served: Served, rows: Rows, shape: Shape, retry: Retry | None = None) -> Answer:
        """Return the body that answers ``rows``, once they are kept; or the one that answered this very request before.

        Raises:
            RequestError: too many predictions are under way, or the retry's key belongs to another request.
            DataError: the model cannot take the rows; nothing is logged.
            BundleError: the model's answer is no finite number; nothing is logged.
            StorageError: the log has no room or did not keep the answers, so there are none.
        """
        if self._under_way >= self._service.limits.max_under_way:
            raise RequestError(OVERLOADED, "Too many predictions are under way.")
        self._under_way += 1
        try:
            if retry is not None and (earlier := await self.in_thread(lambda: self._writer.replayed(retry.key))):
                return retry.again(earlier)
            body, batch = await self._scored(served, rows, shape)
            if retry is None:
                await self._writer.submit(batch)
            elif (earlier := await self._writer.submit(batch, retry.replay(body))) is not None:
                return retry.again(earlier)
        finally:
            self._under_way -= 1
        self._count(served, rows)
        return Answer(body, replayed=False)

    def begin(self, served: Served, rows: Rows, shape: Shape, told: Told) -> bytes | None:
        """Score rows at once, and return the body to send when ``told`` hears that they are kept; then call ``end``.

        None when they would take long or too many predictions are under way: ``answer`` has the patience and the words.

        Raises:
            VigieError: as ``answer``; nothing is under way.
        """
        n, most = len(rows.values), self._service.limits.max_under_way
        if served.collector is not None or n > served.light_rows or self._under_way >= most:
            return None
        self._writer.reserve(n)
        try:
            at_us, started_at = now_us(self._service.clock), perf_counter()
            body, batch = self._written(served, rows, shape, served.score(rows.values), (at_us, started_at))
        except BaseException:
            self._writer.release(n)
            raise
        self._under_way += 1
        self._writer.keep(batch, told)
        return body

    def end(self, served: Served, rows: Rows, failure: StorageError | None) -> None:
        """Count what ``begin`` began, now that it is kept or has failed."""
        self._under_way -= 1
        if failure is None:
            self._count(served, rows)

    async def _scored(self, served: Served, rows: Rows, shape: Shape) -> tuple[bytes, EncodedRows]:
        """Return the body, and the rows to keep, in room that is reserved for them."""
        n = len(rows.values)
        self._writer.reserve(n)  # before the model runs: what cannot be kept is not worked out
        try:
            at_us, started_at = now_us(self._service.clock), perf_counter()
            predictions = await served.collector.score(rows.values) if served.collector is not None else None

            def written() -> tuple[bytes, EncodedRows]:
                found = served.score(rows.values) if predictions is None else predictions
                return self._written(served, rows, shape, found, (at_us, started_at))

            return await self.in_thread(written) if n > served.light_rows else written()
        except BaseException:
            self._writer.release(n)
            raise

    def _written(
        self, served: Served, rows: Rows, shape: Shape, predictions: Sequence[Prediction], began: tuple[int, float]
    ) -> tuple[bytes, EncodedRows]:
        """Return answers as they travel and as they are kept; they began at a time and at a count of seconds."""
        at_us, started_at = began
        latency_us = int((perf_counter() - started_at) * 1e6)
        scored = Scored(rows, predictions, served.model.version, at_us, latency_us)
        ids = self._service.ids.take(at_us, len(predictions))
        return shape.write(served, scored, list(map(id_text, ids))), logged(scored, ids, served.encoder)

    def _count(self, served: Served, rows: Rows) -> None:
        self._telemetry.predictions.labels(served.model.name, served.model.version).inc(len(rows.values))
        for warnings in rows.warnings:
            for caution in warnings:
                self._telemetry.warnings.labels(caution.code).inc()


PREDICTIONS = Shape("application/json", lambda served, scored, ids: served.bodies.json(scored, ids))
INVOCATIONS = Shape("application/json", lambda served, scored, ids: served.bodies.invocation(scored, ids))
