"""Every threshold of a binary model, against scikit-learn and by hand."""

import numpy as np
import pytest
from sklearn.metrics import average_precision_score, confusion_matrix, precision_recall_curve, roc_curve

from vigie.evaluation.metrics import Scores, average_precision
from vigie.evaluation.thresholds import best_threshold, break_even, confusion, decided, sweep
from vigie.evaluation.value import DecisionValue, value_per_thousand

VALUE = DecisionValue(80.0, -10.0, -60.0, 0.0, "EUR")


def binary(y: list[int] | np.ndarray, proba: list[float] | np.ndarray) -> Scores:
    """Return a binary model's scores, decided at 0.5."""
    p = np.asarray(proba, dtype=float)
    return Scores(np.asarray(y), (p >= 0.5).astype(np.int64), np.column_stack([1 - p, p]))


@pytest.fixture
def scores() -> Scores:
    """Five hundred rows with many ties among the probabilities."""
    rng = np.random.default_rng(7)
    proba = np.round(rng.uniform(size=500), 2)
    return binary((rng.uniform(size=500) < proba).astype(np.int64), proba)


def test_the_roc_curve_is_scikit_learns(scores: Scores) -> None:
    """False-alarm rate, recall and thresholds agree at every distinct score."""
    fpr, tpr, thresholds = roc_curve(scores.y, scores.proba[:, 1], drop_intermediate=False)
    found = sweep(scores)
    np.testing.assert_allclose(found.false_alarm_rate, fpr)
    np.testing.assert_allclose(found.recall, tpr)
    np.testing.assert_array_equal(found.thresholds, thresholds)


def test_precision_and_recall_are_scikit_learns(scores: Scores) -> None:
    """Precision and recall agree; scikit-learn lists them the other way round and adds an end point."""
    precision, recall, _ = precision_recall_curve(scores.y, scores.proba[:, 1])
    found = sweep(scores)
    np.testing.assert_allclose(found.precision[1:], precision[-2::-1])
    np.testing.assert_allclose(found.recall[1:], recall[-2::-1])
    assert average_precision(scores) == pytest.approx(average_precision_score(scores.y, scores.proba[:, 1]))


def test_worth_is_the_value_of_the_decisions_taken(scores: Scores) -> None:
    """At each threshold the sweep agrees with deciding row by row and averaging."""
    found = sweep(scores)
    worth = found.worth(VALUE)
    for position in (0, 1, 40, len(worth) - 1):
        slow = value_per_thousand(decided(scores, found.thresholds[position]), VALUE)
        assert worth[position] == pytest.approx(slow.value)


def test_the_best_threshold_beats_every_other(scores: Scores) -> None:
    """No threshold on a fine grid is worth more on the same rows."""
    best = value_per_thousand(decided(scores, best_threshold(scores, VALUE)), VALUE).value
    others = [value_per_thousand(decided(scores, t), VALUE).value for t in np.linspace(0, 1.01, 203)]
    assert best >= max(others) - 1e-9


def test_the_best_threshold_stands_between_two_scores() -> None:
    """With 0.2 a miss and 0.6 a hit the threshold is half-way."""
    assert best_threshold(binary([0, 1], [0.2, 0.6]), VALUE) == pytest.approx(0.4)


def test_never_yes_is_a_threshold_too() -> None:
    """Where every yes costs more than it brings, the best threshold is infinite."""
    dear = DecisionValue(1.0, -1000.0, 0.0, 0.0, "EUR")
    assert best_threshold(binary([0, 1, 0], [0.9, 0.5, 0.4]), dear) == float("inf")


def test_break_even_is_elkans() -> None:
    """Ten lost on a false alarm against a hundred and forty gained on a hit: yes pays above 10/150."""
    assert break_even(VALUE) == pytest.approx(10 / 150)


@pytest.mark.parametrize(
    "value", [DecisionValue(0, -10, 0, 0, "EUR"), DecisionValue(80, 5, -60, 0, "EUR")], ids=["never", "always"]
)
def test_no_break_even_where_one_answer_always_pays(value: DecisionValue) -> None:
    """A yes that never gains, or never loses, has no probability at which it begins to pay."""
    assert break_even(value) is None


def test_confusion_is_scikit_learns() -> None:
    """Rows are the truth, columns what was said, also for classes that never came."""
    rng = np.random.default_rng(3)
    y, predicted = rng.integers(0, 3, 200), rng.integers(0, 3, 200)
    np.testing.assert_array_equal(
        confusion(Scores(y, predicted), 4), confusion_matrix(y, predicted, labels=[0, 1, 2, 3])
    )


def test_one_class_gives_no_rate() -> None:
    """Without a positive row recall is not a number, rather than zero."""
    found = sweep(binary([0, 0], [0.1, 0.7]))
    assert np.isnan(found.recall).all()
    assert not np.isnan(found.false_alarm_rate).any()


def test_no_row_is_a_mistake_of_the_caller() -> None:
    """An empty sweep is refused."""
    with pytest.raises(ValueError, match="rows"):
        sweep(binary([], []))
