"""CBPE against NannyML's figures, scikit-learn's isotonic regression, and outcomes that really came."""

import numpy as np
import pytest
from sklearn.isotonic import IsotonicRegression

from vigie.domain.task import Task
from vigie.evaluation.metrics import METRICS, Scores
from vigie.evaluation.value import DecisionValue, value_per_thousand
from vigie.monitoring.expected import Answers
from vigie.monitoring.score_map import ScoreMaps, fit_score_map

NANNYML_BINARY = {
    "roc_auc": 0.8144866312936877,
    "accuracy": 0.7492454306789019,
    "f1": 0.8133441370123983,
    "precision": 0.7525146230801069,
    "recall": 0.8848728252258814,
}
NANNYML_MULTICLASS = {"accuracy": 0.6580949595036371, "f1_macro": 0.6256245877918413}
"""NannyML 0.13.1 (with pandas 2 and NML_DISABLE_USAGE_LOGGING=1) on the rows of ``binary`` and ``multiclass``:
``CBPE(y_pred_proba=…, y_pred=…, y_true=…, problem_type=…, metrics=[…], chunk_number=1)``, fitted on seed 1 (5,000),
estimated on seed 2 (3,000 shifted); its multiclass ``f1`` is our ``f1_macro``."""


def binary(seed, n, shift):
    """Return scores of a model that is too sure of itself, on inputs moved by ``shift``."""
    rng = np.random.default_rng(seed)
    x = np.round(rng.normal(shift, 1.0, n), 3)
    y = (rng.random(n) < 1 / (1 + np.exp(-1.5 * x))).astype(int)
    proba = np.round(1 / (1 + np.exp(-(2.5 * x + 0.3))), 4)
    return Scores(y, (proba > 0.5).astype(int), np.column_stack([1 - proba, proba]))


def multiclass(seed, n, shift):
    """Return scores over three classes, too sure as well."""
    rng = np.random.default_rng(seed)
    x = np.round(rng.normal(shift, 1.0, (n, 3)), 3)
    y = (rng.random(n)[:, None] > np.cumsum(_softmax(1.2 * x), axis=1)).sum(axis=1).clip(0, 2)
    proba = _softmax(2.0 * x)
    return Scores(y, proba.argmax(axis=1), proba)


def _softmax(z):
    powers = np.exp(z - z.max(axis=1, keepdims=True))
    return powers / powers.sum(axis=1, keepdims=True)


def answers(scores):
    """Return the scores without their outcomes."""
    return Answers(scores.predicted, scores.proba)


@pytest.mark.parametrize(
    ("make", "shift", "task", "expected"),
    [
        (binary, 0.5, Task.BINARY, NANNYML_BINARY),
        (multiclass, np.array([0.5, 0.0, -0.3]), Task.MULTICLASS, NANNYML_MULTICLASS),
    ],
)
def test_estimates_are_nannymls(make, shift, task, expected):
    """Within 1e-3 on the same rows; the binary ones agree to nine digits."""
    maps = ScoreMaps.fit(make(1, 5_000, 0.0))
    found = maps.expect(answers(make(2, 3_000, shift)), task, None)
    tolerance = 1e-8 if task is Task.BINARY else 1e-3
    assert {name: found[name].value for name in expected} == pytest.approx(expected, abs=tolerance)


def test_the_map_is_scikit_learns_isotonic_regression():
    """Ties, blocks and the lines between them agree, beyond the ends too."""
    scores = binary(3, 700, 0.0)
    proba = np.round(scores.proba[:, 1], 2)
    found = fit_score_map(proba, scores.y == 1)
    theirs = IsotonicRegression(out_of_bounds="clip").fit(proba, scores.y)
    asked = np.linspace(-0.1, 1.1, 1_001)
    np.testing.assert_allclose(found.calibrated(asked), theirs.predict(asked), atol=1e-12)


@pytest.mark.parametrize("task", [Task.BINARY, Task.MULTICLASS])
def test_the_error_covers_what_comes_out(task):
    """Over 150 references and windows, 1.96 errors hold what came out nine times in ten, for every metric.

    With three classes the stated bias of maps made one by one takes its part.
    """
    make = binary if task is Task.BINARY else multiclass
    value = DecisionValue(80, -10, -60, 0, "EUR") if task is Task.BINARY else None
    inside, floor = {}, 0.88 if task is Task.BINARY else 0.8
    for seed in range(150):
        maps, window = ScoreMaps.fit(make(2 * seed, 1_000, 0.0)), make(2 * seed + 1, 800, 0.2)
        for name, item in maps.expect(answers(window), task, value).items():
            real = value_per_thousand(window, value).value if name == "value" else METRICS[name].compute(window)
            inside.setdefault(name, []).append(abs(real - item.value) < 1.96 * item.error)
    assert {name for name, found in inside.items() if np.mean(found) < floor} == set()
    assert np.mean([np.mean(found) for found in inside.values()]) < 0.995


def test_the_expected_mean_is_the_mean_over_outcomes_drawn_from_the_shares():
    """Drawing outcomes from the calibrated shares 3,000 times gives the estimate and its error by chance."""
    maps, window = ScoreMaps.fit(binary(1, 200_000, 0.0)), binary(2, 300, 0.0)
    found = maps.expect(answers(window), Task.BINARY, None)
    share = maps.maps[0].calibrated(window.proba[:, 1])
    rng = np.random.default_rng(4)
    drawn = [Scores((rng.random(300) < share).astype(int), window.predicted, window.proba) for _ in range(3_000)]
    for name in ("accuracy", "log_loss", "brier", "f1", "roc_auc"):
        values = [METRICS[name].compute(scores) for scores in drawn]
        assert found[name].value == pytest.approx(np.mean(values), abs=0.003)
        assert found[name].error == pytest.approx(np.std(values), rel=0.15)


def test_a_map_of_one_knot_answers_everything_alike():
    """All scores alike on the reference: the share of positives, whatever is asked."""
    maps = ScoreMaps.fit(Scores(np.repeat([0, 1], 50), np.zeros(100, int), np.full((100, 2), 0.5)))
    found = maps.expect(answers(binary(2, 200, 0.0)), Task.BINARY, None)
    assert found["roc_auc"].value == pytest.approx(0.5)
    assert maps.maps[0].calibrated(np.array([0.0, 1.0])).tolist() == [0.5, 0.5]
    assert np.isfinite([item.error for item in found.values()]).all()


@pytest.mark.parametrize(
    "wrong",
    [
        {"scores": [0.2, 0.1], "shares": [0.1, 0.2], "rows": [5, 5]},
        {"scores": [0.1, 0.2], "shares": [0.3, 0.2], "rows": [5, 5]},
        {"scores": [0.1, 0.2], "shares": [0.1, 1.2], "rows": [5, 5]},
        {"scores": [0.1, 0.2], "shares": [0.1, 0.2], "rows": [5]},
        {"scores": [0.1, 0.2], "shares": [0.1, 0.2], "rows": [5, 0]},
        {"scores": [], "shares": [], "rows": []},
    ],
)
def test_what_is_no_map_is_refused(wrong):
    """Knots that fall, shares over one, arrays of unlike lengths: ValueError."""
    with pytest.raises(ValueError, match="map"):
        ScoreMaps.from_dict({"maps": [wrong]})
