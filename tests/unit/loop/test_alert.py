"""Alerts in the loop: told once, tried again, and never in the way."""

from dataclasses import replace
from io import StringIO

import pytest
from rich.console import Console

from vigie.alerting.memory import open_alerts
from vigie.cli.turns import print_turn
from vigie.domain.alert import Severity, Subject
from vigie.domain.event import EventKind
from vigie.domain.measurement import Verdict
from vigie.domain.service import ServiceSample
from vigie.errors import StorageError
from vigie.loop.alert import MAX_TRIES, findings_of
from vigie.monitoring.technical import ServiceRule
from vigie.testing import FixedService, RecordingNotifier
from vigie.testing.tables import churn_table

DOWN = ServiceSample(trouble="The server at x does not answer.", declared=True)


@pytest.fixture
def patient(world):
    """Return a world that alarms without retraining, so that the same version goes on serving."""
    world.change(retraining=replace(world.loop.rules.retraining, min_labelled=10_000))
    return world


def _alerted(world):
    return world.ledger.events("churn", kinds=(EventKind.ALERTED,))


def test_an_alarm_that_goes_on_is_one_message_and_one_event(patient):
    """The second window says the same; nobody hears it twice."""
    patient.ask(churn_table(4_000, seed=3, drift=1.0, relation=1.0))
    first = patient.turn()
    patient.ask(churn_table(2_000, seed=7, drift=1.0, relation=1.0))
    second = patient.turn()
    assert (first.alert.severity, second.alert) == (Severity.PAGE, None)
    assert len(patient.notifier.alerts) == len(_alerted(patient)) == 1
    assert [standing.latest.subject for standing in open_alerts(_alerted(patient))] == [
        Subject.PERFORMANCE, Subject.PREDICTION, Subject.INPUTS,
    ]  # fmt: skip


def test_an_unconfirmed_alarm_says_everywhere_that_it_waits(patient):
    """Ledger, headline and screen tell the same; the second window in a row is told, and then it says no more."""
    patient.change(alarm=replace(patient.loop.rules.alarm, in_a_row=2))
    patient.ask(churn_table(1_200, seed=3, drift=0.6))
    first = patient.turn()
    assert (first.report.verdict, first.report.performance.verdict) == (Verdict.ALARM, Verdict.OK)
    assert (first.alert, first.needs_attention) == (None, False)
    assert _alerted(patient)[-1].summary.startswith("Not told yet: the alarm is not confirmed")
    assert "Not confirmed yet: " in first.report.headline[-1]
    assert _told_of(first).endswith("Nobody is told: the alarm is not confirmed yet.\n")
    patient.ask(churn_table(1_200, seed=5, drift=0.6))
    second = patient.turn()
    assert second.alert is not None
    assert set(second.report.confirmed) <= set(second.report.drifted)
    assert "Nobody is told" not in _told_of(second)


def test_unconfirmed_drift_is_no_part_of_a_message_about_something_else(patient):
    """Neither title nor body say it; the ledger does, as not told."""
    patient.change(alarm=replace(patient.loop.rules.alarm, in_a_row=2))
    patient.ask(churn_table(4_000, seed=3, drift=1.0, relation=1.0))
    turn = patient.turn()
    assert turn.report.drifted
    assert turn.alert.title == "realised performance fell"
    assert "changed" not in turn.alert.body
    assert "confirmed" not in turn.alert.body
    reasons = "\n".join(_alerted(patient)[-1].reasons)
    assert "Not told. Began: inputs changed: " in reasons


def _half_confirmed(report):
    """Return a report of which one input's change is confirmed, another's is not, and a third only seems to change."""
    verdicts = [(Verdict.ALARM, True), (Verdict.ALARM, False), (Verdict.WARN, False)]
    features = [
        replace(feature, verdict=verdict, confirmed=confirmed)
        for feature, (verdict, confirmed) in zip(report.features, verdicts, strict=False)
    ]
    prediction = replace(report.prediction, verdict=Verdict.ALARM, confirmed=False)
    return replace(report, features=(*features, *report.features[len(features) :]), prediction=prediction)


def test_a_message_names_the_inputs_that_are_confirmed_and_no_other(patient, calm):
    """Those that wait, and those that only seem to change, are the report's alone; so are predictions that wait."""
    patient.ask(calm)
    report = _half_confirmed(patient.turn().report)
    first, second, third = (feature.name for feature in report.features[:3])
    told = "\n".join(report.told)
    assert f"Inputs changed: {first}.\n" in f"{told}\n"
    for word in (second, third, "Predictions", "confirmed", "carries"):
        assert word not in told
    (finding,) = (finding for finding in findings_of(report) if finding.subject is Subject.INPUTS)
    assert (finding.title, finding.about, finding.confirmed) == (f"inputs changed: {first}", (first,), True)
    headline = "\n".join(report.headline)
    assert f"Inputs changed: {first}, {second}." in headline
    assert f"Inputs seem to change: {third}." in headline
    assert f"Not confirmed yet: {second}, prediction." in headline


def _told_of(turn):
    screen = Console(file=StringIO(), width=80)
    print_turn(turn, screen)
    return screen.file.getvalue()


def test_what_is_over_because_another_version_serves_says_so(world, changed):
    """A promotion ends the alerts of the version before; the message gives that as the reason."""
    world.ask(changed)
    promoted = world.turn().promoted
    over = world.turn().alert
    assert over.resolved
    assert over.body.splitlines()[0] == f"Version 1 is no longer the champion: version {promoted.version} is."


def test_a_calm_world_again_resolves(patient, changed, calm):
    """What was told is told to be over, under the same ids, once no block of windows holds the change any more."""
    patient.ask(changed)
    opened = patient.turn().alert
    for _ in range(2):
        patient.ask(calm)
        over = patient.turn().alert
    assert over.resolved
    assert [change.alert for change in over.changes] == [change.alert for change in opened.changes]
    assert open_alerts(_alerted(patient)) == []


def test_a_channel_that_comes_back_is_told_at_the_next_turn(patient, changed, calm):
    """The same message under the same id, to the channel that failed and to no other."""
    broken = RecordingNotifier()
    broken.failure = StorageError("smtp", "it is down.", retryable=True)
    patient.loop = replace(patient.loop, channels={"good": patient.notifier, "broken": broken})
    patient.ask(changed)
    sent = patient.turn().alert
    assert _alerted(patient)[-1].evidence["undelivered"] == ["broken"]
    broken.failure = None
    patient.ask(calm.slice(0, 50))
    assert patient.turn().closed is False
    assert broken.alerts == patient.notifier.alerts == [sent]
    assert _alerted(patient)[-1].evidence["undelivered"] == []
    assert "Delivered to broken." in _alerted(patient)[-1].reasons


def test_a_channel_that_stays_broken_is_given_up(patient, changed):
    """Ten tries, each on record, then silence."""
    patient.notifier.failure = StorageError("smtp", "it is down.", retryable=True)
    patient.ask(changed)
    for _ in range(MAX_TRIES + 3):
        patient.turn()
    assert [event.evidence["tries"] for event in _alerted(patient)] == list(range(1, MAX_TRIES + 1))


def test_a_named_server_that_is_silent_pages_while_the_window_is_open(world):
    """No prediction arrives when the server is down: waiting for a full window would be waiting for ever."""
    world.loop = replace(world.loop, service=FixedService(DOWN))
    turn = world.turn()
    assert (turn.closed, turn.alert.severity, turn.needs_attention) == (False, Severity.PAGE, True)
    assert turn.alert.body.splitlines()[0] == DOWN.trouble
    world.loop.service.answer = ServiceSample(requests=10, failures=0, started_at_s=1.0, uptime_s=9.0)
    assert world.turn().alert.resolved


def test_a_server_that_nobody_named_may_be_silent(world):
    """Whoever monitors a table needs no server."""
    world.loop = replace(world.loop, service=FixedService(replace(DOWN, declared=False)))
    assert world.turn().alert is None


def test_counters_are_compared_with_those_of_the_last_closed_window(world, calm):
    """A hundred failures of long ago do not count again."""
    world.change(service=ServiceRule(max_error_rate=0.01))
    service = FixedService(ServiceSample(requests=1_000, failures=100, started_at_s=1.0, cpu_s=5.0, uptime_s=10.0))
    world.loop = replace(world.loop, service=service)
    world.ask(calm)
    assert world.turn().alert.changes[0].subject is Subject.SERVICE
    service.answer = ServiceSample(requests=3_000, failures=101, started_at_s=1.0, cpu_s=6.0, uptime_s=20.0)
    world.ask(churn_table(400, seed=9))
    turn = world.turn()
    found = {item.name: item for item in turn.report.technical}
    assert (found["error_rate"].value, found["error_rate"].n) == (1 / 2_000, 2_000)
    assert found["cpu"].value == pytest.approx(0.1)
    assert turn.alert.resolved


def test_findings_are_the_reports_own_verdicts(patient, changed):
    """Nothing is judged a second time."""
    patient.ask(changed)
    report = patient.turn().report
    found = {finding.subject: finding for finding in findings_of(report)}
    assert found[Subject.PERFORMANCE].verdict is report.performance.verdict
    assert found[Subject.PREDICTION].verdict is report.prediction.verdict
    assert found[Subject.INPUTS].about == report.drifted
