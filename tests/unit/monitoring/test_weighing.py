"""The inputs as a whole."""

import pytest

from vigie.domain.measurement import Verdict
from vigie.monitoring.weighing import Weighed, weigh


def _weigh(verdicts, importance, indices=None):
    indices = indices or [0.0] * len(verdicts)
    features = [Weighed(f"f{k}", verdict, psi) for k, (verdict, psi) in enumerate(zip(verdicts, indices, strict=True))]
    return weigh(features, importance, n=1000)


def test_what_hardly_moves_the_answers_is_a_notice():
    """A feature with 4 % of the importance changed: the verdict on the whole is a warning."""
    report = _weigh([Verdict.ALARM, Verdict.OK], (0.04, 0.96))
    assert (report.verdict, report.changed.value) == (Verdict.WARN, 0.04)
    assert report.reason == "What changed carries 4 % of the importance."


def test_what_moves_the_answers_alarms():
    """A feature with 70 % of the importance changed."""
    assert _weigh([Verdict.ALARM, Verdict.OK], (0.7, 0.3)).verdict is Verdict.ALARM


def test_without_importances_all_features_weigh_the_same():
    """And the reason says so."""
    report = _weigh([Verdict.ALARM, Verdict.OK, Verdict.OK, Verdict.UNKNOWN], None)
    assert report.changed.value == 0.25
    assert report.reason == "What changed carries 25 % of the features (their importance is not known)."


def test_the_score_is_the_mean_index_by_importance():
    """0.3 and -0.01 (which is 0) and one without a value, at 0.5, 0.3 and 0.2: 0.15 / 0.8."""
    report = _weigh([Verdict.WARN, Verdict.OK, Verdict.OK], (0.5, 0.3, 0.2), [0.3, -0.01, None])
    assert report.score.value == pytest.approx(0.15 / 0.8)
    assert report.verdict is Verdict.WARN


def test_nothing_judged_is_unknown():
    """No verdict is made of nothing."""
    report = _weigh([Verdict.UNKNOWN, Verdict.UNKNOWN], None)
    assert (report.verdict, report.score.value) == (Verdict.UNKNOWN, None)
