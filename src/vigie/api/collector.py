"""Requests that meet in one tick of the event loop are scored together: fifty rows cost scikit-learn as much as one.

A lone request waits for nobody. While one batch is scored, in a thread, those that arrive meanwhile become the next.
"""

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from typing import NamedTuple

from vigie.domain.prediction import Prediction
from vigie.domain.schema import Value

Row = tuple[Value, ...]
Score = Callable[[Sequence[Row]], list[Prediction]]


class _Waiting(NamedTuple):
    rows: Sequence[Row]
    answered: "asyncio.Future[list[Prediction]]"


class Collector:
    """Scores rows of one version of a model. Used on the event loop only.

    Args:
        score: of the model.
        threads: where it runs; one batch at a time.
        max_rows: rows in a batch, unless a single request brings more.
    """

    def __init__(self, score: Score, threads: Executor, *, max_rows: int) -> None:
        self._score = score
        self._threads = threads
        self._max_rows = max_rows
        self._waiting: list[_Waiting] = []
        self._busy = False

    async def score(self, rows: Sequence[Row]) -> list[Prediction]:
        """Return one prediction per row, in order; errors are those of the scorer, for these rows alone."""
        loop = asyncio.get_running_loop()
        waiting = _Waiting(rows, loop.create_future())
        self._waiting.append(waiting)
        if not self._busy:
            self._busy = True
            loop.call_soon(self._start, loop)
        return await waiting.answered

    def _start(self, loop: asyncio.AbstractEventLoop) -> None:
        if not self._waiting:
            self._busy = False
            return
        batch = self._take()
        done = loop.run_in_executor(self._threads, self._answers, [waiting.rows for waiting in batch])
        done.add_done_callback(lambda answers: self._finish(loop, batch, answers))

    def _take(self) -> list[_Waiting]:
        n = size = 0
        while n < len(self._waiting) and (n == 0 or size + len(self._waiting[n].rows) <= self._max_rows):
            size += len(self._waiting[n].rows)
            n += 1
        batch, self._waiting = self._waiting[:n], self._waiting[n:]
        return batch

    def _answers(self, parts: list[Sequence[Row]]) -> list[list[Prediction] | Exception]:
        if len(parts) > 1:
            try:
                return _split(self._score([row for rows in parts for row in rows]), parts)
            except Exception:  # noqa: BLE001, S110 - the promise: one request's rows never spoil another's answer
                pass
        return [self._alone(rows) for rows in parts]

    def _alone(self, rows: Sequence[Row]) -> list[Prediction] | Exception:
        try:
            return self._score(rows)
        except Exception as exc:  # noqa: BLE001 - it is raised where these rows are waited for
            return exc

    def _finish(
        self,
        loop: asyncio.AbstractEventLoop,
        batch: list[_Waiting],
        answers: "asyncio.Future[list[list[Prediction] | Exception]]",
    ) -> None:
        failure = asyncio.CancelledError() if answers.cancelled() else answers.exception()
        found = [failure] * len(batch) if failure is not None else answers.result()
        for waiting, answer in zip(batch, found, strict=True):
            if waiting.answered.done():
                continue  # whoever asked has left
            if isinstance(answer, BaseException):
                waiting.answered.set_exception(answer)
            else:
                waiting.answered.set_result(answer)
        self._start(loop)


def _split(answers: list[Prediction], parts: Sequence[Sequence[Row]]) -> list[list[Prediction] | Exception]:
    found: list[list[Prediction] | Exception] = []
    start = 0
    for rows in parts:
        found.append(answers[start : start + len(rows)])
        start += len(rows)
    return found
