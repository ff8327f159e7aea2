"""From trials to results, gates and budgets."""

import pytest

from benchmarks.findings import Status
from benchmarks.processes import Failure
from benchmarks.training.benchmark import SERVING, differences, gates, result
from benchmarks.training.budget import next_budget
from benchmarks.training.cases import BOOSTERS, CASES, SCIKIT_LEARN, VIGIE
from benchmarks.training.trial import Trial

CASE = CASES[0]


def trial(quality: float, cpu_s: float = 10.0, wall_s: float = 20.0) -> Trial:
    """Return a trial that went well."""
    return Trial(quality, cpu_s, wall_s, 1.0, dict.fromkeys(SERVING, 0.5), ("chose something",))


def outcomes(**of_peers: float | None) -> dict[tuple[str, str], list[Trial | Failure]]:
    """One round on every table: Vigie at 0.800, its peers at the given values, None for a failed one."""
    found: dict[tuple[str, str], list[Trial | Failure]] = {}
    for case in CASES:
        found[case.name, VIGIE.name] = [trial(0.800)]
        for engine in BOOSTERS:
            value = of_peers.get(engine.module, 0.7)
            found[case.name, engine.name] = [Failure("it broke") if value is None else trial(value)]
    return found


def test_the_distance_is_from_the_best_peer() -> None:
    """Three peers, and the best of them counts."""
    assert differences(outcomes(lightgbm=0.790, xgboost=0.803, catboost=0.801), CASE, BOOSTERS) == pytest.approx(
        (-0.003,)
    )


def test_a_failed_peer_leaves_no_distance() -> None:
    """The peer that failed might have been the best."""
    assert differences(outcomes(catboost=None), CASE, BOOSTERS) == (None,)


def test_the_splits_of_a_round_are_one_value() -> None:
    """A small table is split several times a round: their mean is judged, and one that failed leaves none."""
    (small,) = (case for case in CASES if case.splits == 4)
    found = {(small.name, engine.name): [trial(0.7)] * 8 for engine in BOOSTERS}
    found[small.name, VIGIE.name] = [trial(0.7 + gap) for gap in (0.0, 0.01, -0.02, 0.0, 0.0, 0.0, 0.0, 0.004)]
    assert differences(found, small, BOOSTERS) == pytest.approx((-0.0025, 0.001))
    found[small.name, VIGIE.name][5] = Failure("it broke")
    assert differences(found, small, BOOSTERS) == (pytest.approx(-0.0025), None)


@pytest.mark.parametrize(("best", "met"), [(0.804, True), (0.806, False), (None, None)])
def test_the_gates_of_the_release(best: float | None, *, met: bool | None) -> None:
    """0.005 of AUC below the best peer is the limit on each of three tables; CPU time has a gate of its own."""
    cost, *qualities = gates(outcomes(catboost=best))
    assert cost.met is True
    assert [gate.met for gate in qualities] == [met] * 3


def test_a_training_over_a_minute_misses_its_gate() -> None:
    """Sixty CPU seconds are met, sixty-one are not."""
    found = outcomes()
    found[CASE.name, VIGIE.name] = [trial(0.8, cpu_s=61.0)]
    assert gates(found)[0].met is False


def test_one_failed_round_fails_the_engine() -> None:
    """An engine that failed once is reported as failed, with why, and without figures."""
    found = result(CASE, SCIKIT_LEARN, [trial(0.8), Failure("out of memory")])
    assert found.status is Status.FAILED
    assert found.why == "1 of 2 rounds: out of memory"
    assert found.measures == ()


def test_a_figure_the_system_does_not_give_is_left_out() -> None:
    """Where a system does not tell peak memory, the report has no such column instead of a made-up one."""
    unknown = trial(0.8)
    unknown.serving["memory_mib"] = None
    names = {measure.name for measure in result(CASE, SCIKIT_LEARN, [unknown]).measures}
    assert "memory" not in names
    assert {"roc_auc", "train", "on disk", "first answer", "1 row", "1,000 rows"} <= names


def test_the_first_budget_is_vigies_time_by_the_clock() -> None:
    """On a busy machine the clock runs faster than CPU time, for the search as well."""
    assert next_budget(trial(0.8, cpu_s=20, wall_s=50), None, None) == 50


@pytest.mark.parametrize(
    ("used_s", "expected_s"), [(20.0, 50.0), (16.0, 62.5), (25.0, 40.0), (2.0, 100.0), (400.0, 25.0)]
)
def test_later_budgets_follow_what_was_used(used_s: float, expected_s: float) -> None:
    """A search that used less CPU time than Vigie gets more, at most twice as much, and the other way round."""
    assert next_budget(trial(0.8, cpu_s=20), 50.0, trial(0.8, cpu_s=used_s)) == pytest.approx(expected_s)


def test_without_a_match_the_search_keeps_its_budget() -> None:
    """Where Vigie failed, its peers are measured all the same."""
    assert next_budget(Failure("broke"), 30.0, trial(0.8)) == 30.0
