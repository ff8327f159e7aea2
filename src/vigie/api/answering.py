"""From rows to bytes: room in the log, scores, ids, and the wait until the answers are kept.

The raw fast path and the framework's routes both come here, so that they cannot answer differently.
"""

import asyncio
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple, TypeVar

from vigie.api.collector import Collector
from vigie.api.errors import OVERLOADED, RequestError
from vigie.api.service import Service
from vigie.api.telemetry import Telemetry
from vigie.api.wire import AnswerShape, id_text
from vigie.domain.prediction import Prediction
from vigie.errors import NoChampionError
from vigie.inference.decoding import RowDecoder
from vigie.inference.payload import Rows
from vigie.inference.slots import ServingModel
from vigie.loop.predict import Scored, logged, now_us

T = TypeVar("T")

COMPILED = "compiled"

MAX_COLLECTED_ROWS = 4_096
"""Rows that scikit-learn scores at once for several requests."""

Shape = Callable[["Served", Scored, Sequence[str]], bytes]
"""Writes the body of an answer; one id per row, as text."""


class Served:
    """What answering with one version of a model takes, made once when its first request comes.

    Args:
        model: the version.
        service: collaborators and limits.
        telemetry: where answers are counted.
        threads: where scikit-learn and large bodies work.
    """

    def __init__(
        self, model: ServingModel, service: Service, telemetry: Telemetry, threads: ThreadPoolExecutor
    ) -> None:
        self.model = model
        self.schema = model.schema
        self.decoder = RowDecoder(model.schema)
        self.encoder = service.writer.encoder(model.name, model.schema)
        self.shape = AnswerShape(model)
        self.answered = telemetry.predictions.labels(model.name, model.version)
        compiled = model.scorer_kind == COMPILED
        self.collector = None if compiled else Collector(model.scorer.score_rows, threads, max_rows=MAX_COLLECTED_ROWS)


class Answer(NamedTuple):
    """A body, and how it says it is written."""

    body: bytes
    content_type: str


class Answering:
    """Answers rows.

    Args:
        service: collaborators and limits.
        telemetry: where answers are counted.
    """

    def __init__(self, service: Service, telemetry: Telemetry) -> None:
        self._service = service
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
            served = self._served = Served(model, self._service, self._telemetry, self._threads)
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

    async def answer(self, served: Served, rows: Rows, shape: Shape) -> bytes:
        """Return the body that answers ``rows``, once they are kept.

        Raises:
            RequestError: too many predictions are under way.
            DataError: the model cannot take the rows; nothing is logged.
            BundleError: the model's answer is no finite number; nothing is logged.
            StorageError: the log has no room or did not keep the answers, so there are none.
        """
        if self._under_way >= self._service.limits.max_under_way:
            raise RequestError(OVERLOADED, "Too many predictions are under way.")
        self._under_way += 1
        try:
            return await self._answer(served, rows, shape)
        finally:
            self._under_way -= 1

    async def _answer(self, served: Served, rows: Rows, shape: Shape) -> bytes:
        service, n = self._service, len(rows.values)
        writer = service.writer
        writer.reserve(n)
        try:
            at_us = now_us(service.clock)
            predictions = await self._score(served, rows)
            latency_us = max(0, now_us(service.clock) - at_us)
            scored = Scored(rows, predictions, served.model.version, at_us, latency_us)
            ids = service.ids.take(at_us, n)
            batch = logged(scored, ids, served.encoder)
            body = shape(served, scored, [id_text(which) for which in ids])
        except BaseException:
            writer.release(n)
            raise
        await writer.submit(batch)
        served.answered.inc(n)
        if any(rows.warnings):
            codes = Counter(caution.code for warnings in rows.warnings for caution in warnings)
            for code, times in codes.items():
                self._telemetry.warnings.labels(code).inc(times)
        return body

    async def _score(self, served: Served, rows: Rows) -> list[Prediction]:
        if served.collector is not None:
            return await served.collector.score(rows.values)
        if len(rows.values) > self._service.limits.heavy_rows:
            return await self.in_thread(lambda: served.model.scorer.score_rows(rows.values))
        return served.model.scorer.score_rows(rows.values)


def json_answers(served: Served, scored: Scored, ids: Sequence[str]) -> bytes:
    """Write answers as ``/predict`` does."""
    return served.shape.json(scored, ids)
