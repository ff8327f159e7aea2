"""Two versions weighed by what they answered at the same time."""

import json
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest

from vigie.bundle.trust import Trust
from vigie.domain.model import CHAMPION
from vigie.domain.prediction import Feedback
from vigie.errors import DataError
from vigie.evaluation.value import DecisionValue
from vigie.inference.payload import read_rows
from vigie.loop.compare import compare
from vigie.loop.feedback import record_feedback
from vigie.loop.open_bundle import open_bundle
from vigie.loop.predict import predict
from vigie.loop.promote import Move, promote
from vigie.testing.tables import churn_table


@pytest.fixture
def split(world, churn_trained):
    """Return a world with a second version, and what makes both answer at random, row by row in the order of time."""
    world.register(churn_trained)  # version 2 is version 1 again
    world.register(world.train(churn_table(900, seed=1, relation=1.0)))  # version 3 learnt in another world

    def answer(table, versions, *, known=1.0):
        rng = np.random.default_rng(4)
        chosen = rng.integers(0, len(versions), table.num_rows)
        for part in range(0, table.num_rows, 100):
            for place, version in enumerate(versions):
                mine = table.slice(part, 100).filter(pa.array(chosen[part : part + 100] == place))
                _ask(world, version, mine, known)
            world.clock.advance(60)

    return world, answer


def _ask(world, version, table, known):
    model = open_bundle(world.registry.members("churn", version), version=version, trust=Trust())
    rows = read_rows(table.select([*model.schema.names, "client_id"]).to_pylist(), model.schema, max_rows=10_000)
    answers = predict(rows, model, world.log, world.clock, world.ids)
    told = list(zip((a.prediction_id for a in answers), table.column("churn").to_pylist(), strict=True))
    world.clock.advance(1)
    items = [Feedback(found, outcome) for found, outcome in told[: round(known * len(told))]]
    record_feedback("churn", items, world.log, world.clock)


def test_the_better_version_is_named(split):
    """A version that learnt in another world loses, and the sentence holds at every look."""
    world, answer = split
    answer(churn_table(2_000, seed=8), ["1", "3"])
    read = compare(world.loop, world.opened("1"), world.opened("3"))
    assert read.better == "1"
    assert read.difference.interval.high < 0
    assert "Version 1 is better than 3: mean log-loss (nats) lower by 0." in read.reason
    json.dumps(read.to_dict(), allow_nan=False)


def test_an_answer_beyond_all_measure_settles_nothing(price_world, house_prices):
    """An error that has no square, or a square that has no variance, is told; nothing is warned of on the way."""
    world = price_world("ols", 500)
    world.register(world.train(house_prices(500, 3)))
    for size in (1e100, 1e200):
        rows = house_prices(n=300, seed=2)
        sizes = pa.array([size, *rows.column("size").to_pylist()[1:]])
        rows = rows.set_column(rows.column_names.index("size"), "size", sizes)
        for version in ("1", "2", "1"):
            world.registry.point("houses", CHAMPION, version)
            world.ask(rows)
    read = compare(world.loop, world.opened("1"), world.opened("2"))
    assert (read.better, read.difference) == (None, None)
    assert "answers are so far from the outcome that the error has no variance" in read.reason
    json.dumps(read.to_dict(), allow_nan=False)


def test_the_same_model_under_two_numbers_is_not_settled(split):
    """Versions 1 and 2 are one model: the interval holds zero."""
    world, answer = split
    answer(churn_table(2_000, seed=8), ["1", "2"], known=0.5)
    read = compare(world.loop, world.opened("1"), world.opened("2"))
    assert read.better is None
    assert read.reason.startswith("Not settled yet.")
    assert read.first.coverage.value == pytest.approx(0.5, abs=0.02)
    assert read.first.delay.value == pytest.approx(1.0)


def test_the_value_of_the_decisions_is_compared_too(split):
    """In the unit of the settings, per thousand decisions, above zero where the second brings more."""
    world, answer = split
    world.change(value=DecisionValue(80, -10, -60, 0, "EUR"))
    answer(churn_table(2_000, seed=8), ["3", "1"])
    read = compare(world.loop, world.opened("3"), world.opened("1"))
    assert read.unit == "EUR/1000"
    assert read.worth.interval.low > 0
    assert read.worth.interval.level == 0.975
    assert read.first.metrics[-1].name == "value"


def test_versions_that_followed_each_other_are_not_compared(split):
    """A change of champion is no experiment."""
    world, answer = split
    answer(churn_table(600, seed=8), ["1"])
    answer(churn_table(600, seed=9), ["3"])
    read = compare(world.loop, world.opened("1"), world.opened("3"))
    assert (read.window, read.difference, read.better) == (None, None, None)
    assert "never answered at the same time" in read.reason
    json.dumps(read.to_dict(), allow_nan=False)


def test_versions_that_were_champion_by_turns_are_told_from_a_split(split):
    """To and fro: both answered in that time, but the clock decided which; a split counts no turn."""
    world, answer = split
    answer(churn_table(600, seed=7), ["1", "3"])
    assert compare(world.loop, world.opened("1"), world.opened("3")).turns == 0
    for seed, version in ((8, "3"), (9, "1"), (10, "3"), (11, "1")):
        promote(world.loop, Move(version, expected=world.champion), owner="test")
        world.clock.advance(1)
        answer(churn_table(200, seed=seed), [version])
    read = compare(world.loop, world.opened("1"), world.opened("3"))
    assert read.turns == 3  # the fourth came after the last answer of version 3
    assert read.to_dict()["turns"] == 3


def test_few_outcomes_settle_nothing(split):
    """Below a hundred each, nothing is said of the difference; the metrics are shown."""
    world, answer = split
    answer(churn_table(160, seed=8), ["1", "3"])
    read = compare(world.loop, world.opened("1"), world.opened("3"))
    assert read.difference is None
    assert read.first.metrics
    assert "Not enough outcomes yet" in read.reason


def test_a_version_is_not_compared_with_itself(split):
    """Nor with one that answers another question."""
    world, _ = split
    first = world.opened("1")
    with pytest.raises(DataError, match="itself"):
        compare(world.loop, first, first)
    other = replace(first.schema, target=replace(first.schema.target, name="other"))
    second = replace(first, version="2", bundle=replace(first.bundle, schema=other))
    with pytest.raises(DataError, match="different questions"):
        compare(world.loop, first, second)
