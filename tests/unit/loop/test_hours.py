"""A window's counts from the hours beside the log equal those of its rows."""

from contextlib import closing
from dataclasses import replace
from datetime import timedelta

import pytest

from vigie.adapters.prediction_log.sqlite import SqlitePredictionLog
from vigie.domain.window import Window
from vigie.loop.hours import counts_in
from vigie.loop.logged import frame_of, predicted_of
from vigie.monitoring.counts import count_window

MINUTE = timedelta(minutes=1)


@pytest.fixture(params=["memory", "sqlite"])
def busy(request, world, calm, tmp_path):
    """Return a world that was asked 40 rows every 25 minutes for four hours, and an opened champion."""
    start = world.clock.now()
    with closing(SqlitePredictionLog(tmp_path / "log.db", durable=False)) as log:
        if request.param == "sqlite":
            world.log = log
            world.loop = replace(world.loop, log=log)
        for part in range(10):
            world.ask(calm.slice(40 * part, 40))
            world.clock.advance(24 * 60)
        yield world, world.opened(), start


def counted_from_rows(world, opened, window):
    """Return the counts of a window by way of the frame that models take."""
    rows = world.log.rows(world.loop.model, opened.schema, window, version=opened.version)
    return count_window(opened.profile, frame_of(rows, opened.schema), predicted_of(rows, opened.schema))


def columns(counts):
    """Return every column's counts."""
    return (*counts.features, counts.prediction)


@pytest.mark.parametrize(
    ("begin", "end"),
    [(0, 260), (7, 200), (30, 31), (10, 50), (50, 70), (61, 119), (60, 120), (0, 0), (300, 400)],
    ids=str,
)
def test_counts_are_those_of_the_rows(busy, begin, end):
    """Whole hours, cut ones, an hour's inside, a window over one full hour, an empty one: exactly the rows' counts."""
    world, opened, start = busy
    hour = start.replace(minute=0, second=0, microsecond=0)
    window = Window(hour + begin * MINUTE, hour + end * MINUTE)
    mine, its = counts_in(world.loop, opened, window), counted_from_rows(world, opened, window)
    assert mine.n == its.n
    for one, other in zip(columns(mine), columns(its), strict=True):
        assert one.cells.tolist() == other.cells.tolist()
        for name in ("missing", "below", "above", "finite", "total", "squares"):
            assert getattr(one, name, 0) == pytest.approx(getattr(other, name, 0), rel=1e-9, abs=1e-9)
