"""The best is kept unless a simpler one cannot be told apart from it, and the reason says which and why."""

from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest

from vigie.domain.task import Task
from vigie.evaluation.metrics import Scores
from vigie.training.candidates import Simplicity
from vigie.training.choice import MOST_BLOCKS, choose
from vigie.training.dataset import DataSpec, build_dataset
from vigie.training.search import TrainingSpec, train_candidates
from vigie.training.split import split

SPEC = DataSpec("y", None, None, None, None, (), 0.25, 7, "auto")
N = 300


def trained(y, names, metric="rmse", **changes):
    """Return the leaderboard on three hundred rows of two numbers, of which ``y`` makes the outcome."""
    rng = np.random.default_rng(3)
    a, b = rng.normal(size=N), rng.normal(size=N)
    spec = replace(SPEC, **changes)
    columns = {"a": a, "b": b, "noise": rng.normal(size=N), "y": y(a, b, rng)}
    data = build_dataset(pa.table(columns), spec, None)
    how = TrainingSpec(tuple(names), metric, 3, 7, None)
    return train_candidates(data, split(data, spec), how, progress=lambda *_: None, seconds=lambda: 0.0)


def bent(a, b, rng):
    """Return what no line can follow."""
    return np.abs(a) * 5 + b + rng.normal(size=N) / 2


def straight(a, _b, rng):
    """Return what a line follows, with one feature."""
    return 2 * a + rng.normal(size=N) * 3


@pytest.fixture(scope="module")
def entry():
    """Return one trained entry, to be given other losses."""
    return trained(straight, ["ols"]).winner


def named(entry, name, losses, simplicity, kept=None):
    """Return an entry whose out-of-fold squared errors are ``losses``."""
    scores = Scores(np.sqrt(losses), np.zeros(len(losses)))
    return replace(entry, name=name, simplicity=simplicity, n_features_kept=kept, out_of_fold=scores, losses=losses)


def test_a_clear_lead_is_kept():
    """Where a line cannot follow, the trees win although they are less simple."""
    board = trained(bent, ["ols", "gradient_boosting"])
    assert (board.choice.best, board.choice.kept, board.winner.name) == ("gradient_boosting",) * 3
    assert board.choice.reason.startswith(
        "kept gradient_boosting: every simpler one is worse beyond chance; against ols"
    )
    assert board.choice.compared["ols"].interval.low > 0


def test_of_equals_the_simpler_is_kept(entry):
    """A lead that chance could turn is no reason for a forest; the order of the board stays that of the scores."""
    rng = np.random.default_rng(1)
    losses = rng.uniform(1, 9, 200)
    forest = named(entry, "forest", losses, Simplicity.FLEXIBLE)
    line = named(entry, "line", losses + rng.normal(0.02, 0.5, 200), Simplicity.LINEAR, 3)
    found = choose([forest, line], Task.REGRESSION, None, np.random.default_rng(0))
    assert (found.best, found.kept) == ("forest", "line")
    assert found.compared["line"].interval.low <= 0 < found.compared["line"].interval.high
    assert found.reason.startswith("kept line: forest is ahead in cross-validation, but cannot be told apart: its mean")
    assert found.reason.endswith("on 200 out-of-fold rows; line is simpler (a linear model).")


def test_of_linear_models_the_one_with_fewer_features_is_kept(entry):
    """Ridge keeps all ten where the LASSO needs seven."""
    losses = np.random.default_rng(2).uniform(1, 9, 200)
    ridge = named(entry, "ridge", losses, Simplicity.LINEAR, 10)
    lasso = named(entry, "lasso", losses + np.tile([0.5, -0.49], 100), Simplicity.LINEAR, 7)
    found = choose([ridge, lasso], Task.REGRESSION, None, np.random.default_rng(0))
    assert found.kept == "lasso"
    assert found.reason.endswith("(7 features in place of 10).")


def test_the_simplest_of_several_is_kept(entry):
    """Not the first that is simpler, and not one of equal simplicity."""
    losses = np.random.default_rng(2).uniform(1, 9, 200)
    wobble = np.tile([0.5, -0.49], 100)
    entries = [
        named(entry, "forest", losses, Simplicity.FLEXIBLE),
        named(entry, "boosting", losses + wobble, Simplicity.FLEXIBLE),
        named(entry, "ridge", losses + wobble, Simplicity.LINEAR, 10),
        named(entry, "lasso", losses + wobble, Simplicity.LINEAR, 7),
    ]
    assert choose(entries, Task.REGRESSION, None, np.random.default_rng(0)).kept == "lasso"
    alike = choose(entries[:2], Task.REGRESSION, None, np.random.default_rng(0))
    assert (alike.kept, alike.compared) == ("forest", {})
    assert alike.reason == "kept forest: best in cross-validation, and none is simpler."


def test_a_simpler_one_that_is_worse_is_passed_over(entry):
    """The next simplest has its turn."""
    losses = np.random.default_rng(2).uniform(1, 9, 200)
    entries = [
        named(entry, "forest", losses, Simplicity.FLEXIBLE),
        named(entry, "ridge", losses + np.tile([0.5, -0.49], 100), Simplicity.LINEAR, 10),
        named(entry, "lasso", losses + 1, Simplicity.LINEAR, 7),
    ]
    found = choose(entries, Task.REGRESSION, None, np.random.default_rng(0))
    assert found.kept == "ridge"
    assert set(found.compared) == {"lasso", "ridge"}


def test_rows_of_one_client_count_as_one(entry):
    """Ten clients who agree ten times each are ten observations: the interval is that of ten."""
    rng = np.random.default_rng(5)
    clients = np.repeat(np.arange(10), 20)
    lead = np.repeat(rng.normal(0.3, 0.6, 10), 20)
    losses = np.full(200, 5.0)
    entries = [
        named(entry, "forest", losses, Simplicity.FLEXIBLE),
        named(entry, "line", losses + lead, Simplicity.LINEAR, 3),
    ]
    alone = choose(entries, Task.REGRESSION, None, np.random.default_rng(0)).compared["line"]
    together = choose(entries, Task.REGRESSION, clients, np.random.default_rng(0)).compared["line"]
    assert together.mean == pytest.approx(alone.mean) == pytest.approx(lead.mean())
    assert together.n == 10
    width = together.interval.high - together.interval.low
    # twenty equal rows a client: the standard error is that of ten values, sqrt(20) times what 200 rows pretend
    assert width / (alone.interval.high - alone.interval.low) == pytest.approx(20**0.5, rel=0.15)


def test_many_rows_are_dealt_into_blocks_without_changing_the_interval(entry):
    """The standard error of the mean is that of the rows."""
    n = 3 * MOST_BLOCKS
    lead = np.random.default_rng(5).normal(0.1, 2.0, n)
    entries = [
        named(entry, "forest", np.full(n, 50.0), Simplicity.FLEXIBLE),
        named(entry, "line", 50.0 + lead, Simplicity.LINEAR, 3),
    ]
    found = choose(entries, Task.REGRESSION, None, np.random.default_rng(0)).compared["line"]
    assert found.mean == pytest.approx(lead.mean())
    assert found.interval.high - found.interval.low == pytest.approx(2 * 1.96 * 2.0 / n**0.5, rel=0.1)


def test_the_dummy_is_never_kept():
    """Pure noise: no model can be told apart from looking at nothing, and that is for the gate to say."""
    board = trained(lambda _a, _b, rng: rng.normal(size=N), ["ols", "lasso"])
    assert board.entries[0].name in {"dummy", "lasso"}
    assert board.winner.name == "lasso"
