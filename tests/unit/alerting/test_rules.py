"""Changed inputs are a notice, fallen performance is a page."""

from vigie.alerting.rules import alert_for
from vigie.domain.alert import Severity
from vigie.domain.measurement import Verdict

OK, ALARM = Verdict.OK, Verdict.ALARM


def test_a_calm_window_alerts_nobody() -> None:
    """No alarm, no alert; a warning is for the page."""
    assert alert_for("m", performance=Verdict.UNKNOWN, prediction=Verdict.WARN, drifted=(), headline=()) is None


def test_drift_alone_is_a_notice_that_never_says_the_model_is_worse() -> None:
    """The alert names the inputs and does not judge the model."""
    alert = alert_for("m", performance=OK, prediction=ALARM, drifted=("a", "b"), headline=("Inputs changed: a, b.",))
    assert alert is not None
    assert alert.severity is Severity.NOTICE
    assert alert.title == "predictions and inputs (a, b) changed"
    assert "worse" not in alert.body


def test_fallen_performance_pages() -> None:
    """Performance outranks drift."""
    alert = alert_for("m", performance=ALARM, prediction=OK, drifted=("a",), headline=("x",))
    assert alert is not None
    assert alert.severity is Severity.PAGE
