"""Quartiles, and gates that they decide."""

import numpy as np
import pytest

from benchmarks.findings import Gate, Goal, Measure, Result, Status, spread


@pytest.mark.parametrize("n", [2, 3, 4, 5, 8, 101])
def test_quartiles_are_numpys(n: int) -> None:
    """The quartiles of any number of values are those that numpy gives."""
    values = np.random.default_rng(n).normal(size=n).tolist()
    found = spread(values)
    assert (found.low, found.median, found.high) == pytest.approx(np.percentile(values, [25, 50, 75]), rel=1e-12)


def test_one_value_is_all_three_quartiles() -> None:
    """One round has no spread, and says its value."""
    assert spread([3.0]).to_dict() == {"low": 3.0, "median": 3.0, "high": 3.0}


@pytest.mark.parametrize("values", [[], [1.0, float("nan")], [float("inf")]], ids=["none", "nan", "inf"])
def test_what_is_no_measurement_has_no_quartiles(values: list[float]) -> None:
    """A missing or endless value cannot pass for a measurement."""
    with pytest.raises(ValueError, match="finite"):
        spread(values)


@pytest.mark.parametrize(
    ("values", "met"),
    [((50.0, 55.0, 59.0, 60.0), True), ((50.0, 51.0, 52.0, 90.0, 90.0), False), ((90.0, 90.0, 50.0), False)],
    ids=["all below", "median below, upper quartile above", "best round below"],
)
def test_a_cost_is_judged_by_its_upper_quartile(values: tuple[float, ...], *, met: bool) -> None:
    """A goal with at_most is met when three quarters of the rounds meet it, not by the median or the best round."""
    assert Gate("cost", Goal("s", at_most=60.0), values).met is met


@pytest.mark.parametrize(
    ("values", "met"),
    [((0.0, 0.01, -0.004), True), ((0.02, 0.02, 0.02, -0.02, -0.02), False)],
    ids=["lower quartile above", "median above, lower quartile below"],
)
def test_a_quality_is_judged_by_its_lower_quartile(values: tuple[float, ...], *, met: bool) -> None:
    """A goal with at_least is met by the lower quartile."""
    assert Gate("quality", Goal("", at_least=-0.005), values).met is met


def test_a_round_without_a_value_leaves_the_gate_unjudged() -> None:
    """A peer that failed in one round makes no goal easier: nothing is said of the gate."""
    gate = Gate("quality", Goal("", at_least=-0.005), (0.1, None, 0.1))
    assert gate.to_dict() == {
        "name": "quality",
        "goal": {"at_least": -0.005, "unit": ""},
        "low": None,
        "median": None,
        "high": None,
        "met": None,
    }


@pytest.mark.parametrize("bounds", [{}, {"at_most": 1.0, "at_least": 0.0}], ids=["none", "two"])
def test_a_goal_has_one_bound(bounds: dict[str, float]) -> None:
    """A goal without a bound would always be met."""
    with pytest.raises(ValueError, match="one bound"):
        Goal("s", **bounds)


def test_a_result_keeps_every_value() -> None:
    """Readers get the single rounds beside their quartiles."""
    result = Result("table", "engine", Status.OK, (Measure("train", "s", (1.0, 2.0, 6.0)),))
    assert result.to_dict()["measures"] == [
        {"name": "train", "unit": "s", "n": 3, "low": 1.5, "median": 2.0, "high": 4.0, "values": [1.0, 2.0, 6.0]}
    ]
