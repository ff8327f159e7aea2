"""What is held out, and how answers are judged."""

import json
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from benchmarks.training import cases
from benchmarks.training.cases import CASES, QUICK_CASES, Case, Holdout, hold_out, quality
from vigie.domain.task import Task
from vigie.training.dataset import DataSpec, build_dataset
from vigie.training.split import split

(QUICK,) = QUICK_CASES


def holdout(case: Case, truth: list[object]) -> Holdout:
    """Return a split of which only the answers matter."""
    return Holdout(case, 0, Path(), np.array(truth), list(range(len(truth))))


def test_the_held_out_rows_are_vigies(tmp_path: Path) -> None:
    """The harness holds out the very rows, in the very order, that Vigie's own split takes with this seed."""
    found = hold_out(QUICK, 7, tmp_path / "split", None)
    spec = DataSpec(
        target="churn",
        task=Task.BINARY,
        positive=None,
        entity=None,
        time=None,
        exclude=(),
        test_fraction=0.2,
        seed=7,
        split="auto",
    )
    own = split(build_dataset(pq.read_table(tmp_path / "split" / "all.parquet"), spec, None), spec)
    assert list(found.test_rows) == own.test.tolist()
    assert pq.read_table(tmp_path / "split" / "train.parquet").num_rows == len(own.train)


def test_no_peer_is_given_a_held_out_answer(tmp_path: Path) -> None:
    """The rows that engines are asked about lack the target, and are not among the training rows."""
    found = hold_out(QUICK, 7, tmp_path / "split", None)
    asked = json.loads((tmp_path / "split" / "records.json").read_text())
    assert len(asked) == len(found.truth) == 600
    assert all("churn" not in row for row in asked)
    trained = {row["x01"] for row in pq.read_table(tmp_path / "split" / "train.parquet").to_pylist()}
    assert not trained & {row["x01"] for row in asked}


def test_answers_are_judged_by_the_tasks_metric() -> None:
    """AUC, root mean squared error and log-loss of answers worked by hand."""
    by_task = {case.task: case for case in CASES}
    binary = holdout(by_task["binary"], ["no", "yes", "no", "yes"])
    assert quality(binary, [[0.9, 0.1], [0.6, 0.4], [0.5, 0.5], [0.2, 0.8]]) == 0.75  # 3 of the 4 pairs in order
    assert quality(holdout(by_task["regression"], [1.0, 2.0]), [4.0, 6.0]) == pytest.approx(np.sqrt(12.5))
    three = holdout(by_task["multiclass"], ["a", "b", "c"])
    even = [[0.5, 0.25, 0.25], [0.25, 0.5, 0.25], [0.25, 0.25, 0.5]]
    assert quality(three, even) == pytest.approx(np.log(2))


@pytest.mark.parametrize(
    "answers",
    [
        [[0.9, 0.1]],
        [[0.9, 0.1], [float("nan"), 1.0]],
        [[0.9, 0.3], [0.5, 0.5]],
        [[1.2, -0.2], [0.5, 0.5]],
        [0.1, 0.4],
    ],
    ids=["too few", "nan", "not adding up", "negative", "one number"],
)
def test_answers_that_are_none_are_refused(answers: list[object]) -> None:
    """An engine that answers too little, nothing finite or no probabilities has failed."""
    with pytest.raises(ValueError, match="answers"):
        quality(holdout(QUICK, ["no", "yes"]), answers)


def test_the_full_run_covers_what_it_promises() -> None:
    """Three tables for the gates, and three tasks at equal cost."""
    boosted = [case.name for case in CASES if set(cases.BOOSTERS) <= set(case.peers)]
    searched = {case.task for case in CASES if any(engine.is_budgeted for engine in case.peers)}
    assert len(boosted) == 3
    assert searched == {"binary", "regression", "multiclass"}
