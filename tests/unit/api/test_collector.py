"""Rows that arrive in one tick are scored at once; each request gets its own answers, or its own error."""

import asyncio
from concurrent.futures import ThreadPoolExecutor

import pytest

from vigie.api.collector import Collector
from vigie.domain.prediction import Prediction
from vigie.errors import DataError

MAX_ROWS = 10


class _Doubling:
    """A scorer that notes the size of its batches, and cannot take a negative number."""

    def __init__(self):
        self.batches = []

    def __call__(self, rows):
        self.batches.append(len(rows))
        if any(row[0] < 0 for row in rows):
            raise DataError("negative.", remedy="Send another.")
        return [Prediction(2.0 * row[0]) for row in rows]


def _gather(score, requests):
    """Ask for all requests in one tick; return what each got."""

    async def ask():
        with ThreadPoolExecutor(1) as threads:
            collector = Collector(score, threads, max_rows=MAX_ROWS)
            return await asyncio.gather(*map(collector.score, requests), return_exceptions=True)

    return asyncio.run(ask())


def test_requests_of_one_tick_are_one_batch():
    """Three requests, one call, each its own slice in its own order."""
    score = _Doubling()
    found = _gather(score, [[(1,)], [(2,), (3,)], [(4,)]])
    assert [[answer.value for answer in answers] for answers in found] == [[2.0], [4.0, 6.0], [8.0]]
    assert score.batches == [4]


def test_a_batch_holds_so_many_rows_and_one_request_at_least():
    """What does not fit any more is the next batch; a large request goes alone."""
    score = _Doubling()
    found = _gather(score, [[(1,)] * 6, [(2,)] * 5, [(3,)] * 40])
    assert [len(answers) for answers in found] == [6, 5, 40]
    assert score.batches == [6, 5, 40]


def test_a_request_that_fails_fails_alone():
    """The others of its batch are answered."""
    first, second, third = _gather(_Doubling(), [[(1,)], [(-1,)], [(3,)]])
    assert (first, third) == ([Prediction(2.0)], [Prediction(6.0)])
    assert isinstance(second, DataError)


def test_whoever_left_spoils_nothing():
    """A request that is cancelled while its batch is scored leaves the others their answers."""

    async def ask():
        with ThreadPoolExecutor(1) as threads:
            collector = Collector(_Doubling(), threads, max_rows=MAX_ROWS)
            leaving = asyncio.create_task(collector.score([(1,)]))
            staying = asyncio.create_task(collector.score([(2,)]))
            await asyncio.sleep(0)
            leaving.cancel()
            with pytest.raises(asyncio.CancelledError):
                await leaving
            return await staying, await collector.score([(3,)])

    assert asyncio.run(ask()) == ([Prediction(4.0)], [Prediction(6.0)])
