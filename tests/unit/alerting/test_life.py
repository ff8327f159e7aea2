"""The life of an alert, played turn by turn on the events it leaves behind."""

from datetime import UTC, datetime, timedelta

import pytest

from vigie.alerting.life import AlertRule, Finding, Moment, changes
from vigie.alerting.memory import message_dict, open_alerts, standings, undelivered
from vigie.alerting.message import compose
from vigie.domain.alert import Severity, Step, Subject
from vigie.domain.event import Event, EventKind
from vigie.domain.measurement import Verdict

OK, WARN, ALARM, UNKNOWN = Verdict.OK, Verdict.WARN, Verdict.ALARM, Verdict.UNKNOWN
NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
RULE = AlertRule(cooldown=timedelta(hours=4))


class Story:
    """A model's ledger of alerts; every turn is an hour later."""

    def __init__(self):
        self.events, self.now = [], NOON

    def turn(self, *, version="1", confirmed=True, doubtful=(), drifted=("a",), failed=(), **verdicts):
        """Take a turn; return the steps as (subject, step) and the message."""
        findings = [
            Finding(
                Subject(name), verdict, f"{name} {drifted}" if name == "inputs" else name,
                confirmed=confirmed and name not in doubtful,
                about=drifted if name == "inputs" else (),
            )
            for name, verdict in verdicts.items()
        ]  # fmt: skip
        moment = Moment("churn", version, self.now)
        outcome = changes(standings(self.events), findings, moment, RULE)
        message = compose(outcome.told, ("Headline.",), moment) if outcome.told else None
        if outcome.changes:
            evidence = {
                "steps": [change.to_dict() for change in outcome.changes],
                "message": message_dict(message) if message else None,
                "undelivered": list(failed),
                "tries": 1,
            }
            self.events.append(
                Event(EventKind.ALERTED, self.now, "churn", "summary", version=version, evidence=evidence)
            )
        self.now += timedelta(hours=1)
        return [(change.subject.value, change.step.value) for change in outcome.changes], message

    @property
    def open(self):
        """Ids of the alerts that are open."""
        return [standing.latest.alert for standing in open_alerts(self.events)]


@pytest.fixture
def story():
    """Return a ledger without an alert."""
    return Story()


@pytest.mark.parametrize("verdict", [OK, WARN, UNKNOWN])
def test_only_an_alarm_opens(story, verdict):
    """A warning and "not enough data yet" are for the page."""
    assert story.turn(performance=verdict, inputs=verdict) == ([], None)


def test_one_message_tells_everything_of_a_turn(story):
    """The strongest evidence leads and gives the severity."""
    steps, message = story.turn(inputs=ALARM, performance=ALARM, prediction=OK)
    assert steps == [("performance", "opened"), ("inputs", "opened")]
    assert (message.severity, message.title) == (Severity.PAGE, "performance; inputs ('a',)")
    assert message.body.splitlines()[0] == "Headline."
    assert story.open == ["churn.1.performance.1", "churn.1.inputs.1"]


@pytest.mark.parametrize(
    ("subject", "severity"),
    [
        ("service", "page"),
        ("performance", "page"),
        ("estimate", "page"),
        ("prediction", "notice"),
        ("inputs", "notice"),
    ],
)
def test_severity_follows_the_evidence(story, subject, severity):
    """Changed inputs alone never page."""
    assert story.turn(**{subject: ALARM})[1].severity == severity


def test_an_alarm_that_goes_on_is_told_once(story):
    """One open alert for a version and a subject, and one message."""
    first = story.turn(inputs=ALARM)
    assert [story.turn(inputs=ALARM) for _ in range(30)] == [([], None)] * 30
    assert first[1] is not None
    assert story.open == ["churn.1.inputs.1"]


def test_an_update_waits_for_the_cool_down(story):
    """More features drifting is recorded at once and told four hours after the last message."""
    story.turn(inputs=ALARM)
    told = [story.turn(inputs=ALARM, drifted=("a", "b")) for _ in range(5)]
    assert [steps for steps, _ in told] == [[("inputs", "updated")], [], [], [("inputs", "updated")], []]
    assert [message is not None for _, message in told] == [False, False, False, True, False]
    assert told[3][1].changes[0].about == ("a", "b")


def test_a_graver_subject_is_told_at_once(story):
    """The cool-down of one subject does not silence another."""
    story.turn(inputs=ALARM)
    steps, message = story.turn(inputs=ALARM, performance=ALARM)
    assert steps == [("performance", "opened")]
    assert message.severity is Severity.PAGE


def test_all_well_resolves_and_says_so(story):
    """The same id from beginning to end."""
    story.turn(inputs=ALARM)
    steps, message = story.turn(inputs=OK)
    assert steps == [("inputs", "resolved")]
    assert (message.resolved, message.severity, message.title) == (True, Severity.NOTICE, "inputs ('a',)")
    assert message.changes[0].alert == "churn.1.inputs.1"
    assert story.open == []


@pytest.mark.parametrize("verdict", [WARN, UNKNOWN])
def test_a_doubt_resolves_nothing(story, verdict):
    """Only ``ok`` ends an alert."""
    story.turn(inputs=ALARM)
    assert story.turn(inputs=verdict) == ([], None)
    assert story.open == ["churn.1.inputs.1"]


def test_what_flaps_is_told_once_in_a_cool_down(story):
    """Opened and resolved are told, the next rounds are recorded only; then it may be told again."""
    messages = [story.turn(inputs=ALARM if hour % 2 == 0 else OK)[1] for hour in range(8)]
    assert [message is not None for message in messages] == [True, True, False, False, False, False, True, True]
    assert len(story.events) == 8
    assert standings(story.events)[("1", Subject.INPUTS)].number == 4


def test_an_alarm_that_stays_after_the_cool_down_is_told_late(story):
    """Held back while it might have been flapping, not for ever."""
    story.turn(inputs=ALARM)
    story.turn(inputs=OK)
    told = [story.turn(inputs=ALARM)[1] for _ in range(5)]
    assert [message is not None for message in told] == [False, False, False, True, False]


def test_what_is_not_confirmed_is_recorded_and_not_told(story):
    """An alarm that must be seen twice is told the second time."""
    steps, message = story.turn(inputs=ALARM, confirmed=False)
    assert (steps, message) == ([("inputs", "opened")], None)
    steps, message = story.turn(inputs=ALARM)
    assert steps == [("inputs", "updated")]
    assert message is not None


def test_what_is_not_confirmed_does_not_go_along_with_other_news(story):
    """The message tells of the rest; what was left out is told when it is confirmed."""
    steps, message = story.turn(performance=ALARM, inputs=ALARM, doubtful=("inputs",))
    assert steps == [("performance", "opened"), ("inputs", "opened")]
    assert [change.subject.value for change in message.changes] == ["performance"]
    assert standings(story.events)[("1", Subject.INPUTS)].told_at is None
    message = story.turn(performance=ALARM, inputs=ALARM)[1]
    assert [change.subject.value for change in message.changes] == ["inputs"]


def test_what_nobody_heard_of_ends_unheard_beside_other_news(story):
    """An alarm that was never confirmed is not told to be over because something else is."""
    story.turn(performance=ALARM, inputs=ALARM, doubtful=("inputs",))
    steps, message = story.turn(version="2", inputs=UNKNOWN)
    assert steps == [("performance", "resolved"), ("inputs", "resolved")]
    assert [change.subject.value for change in message.changes] == ["performance"]


def test_what_nobody_heard_of_ends_unheard(story):
    """A first alarm that is not confirmed ends without a message."""
    story.turn(inputs=ALARM, confirmed=False)
    assert story.turn(inputs=OK) == ([("inputs", "resolved")], None)


def test_another_version_ends_the_alerts_of_the_one_before(story):
    """They are resolved, and the new version begins with none."""
    story.turn(inputs=ALARM, performance=ALARM)
    steps, message = story.turn(version="2", inputs=UNKNOWN)
    assert steps == [("performance", "resolved"), ("inputs", "resolved")]
    assert message.resolved
    assert story.turn(version="2", inputs=ALARM)[1].changes[0].alert == "churn.2.inputs.1"


def test_the_service_belongs_to_no_version(story):
    """A promotion does not end its alert."""
    story.turn(service=ALARM)
    assert story.turn(version="2", service=ALARM) == ([], None)
    assert story.open == ["churn.service.1"]


def test_a_process_that_begins_again_sends_the_same_id(story):
    """A message that was sent and not recorded is told again under its own name; another step has another."""
    _, message = story.turn(inputs=ALARM)
    again = Story()
    again.now += timedelta(minutes=7)
    assert again.turn(inputs=ALARM)[1].id == message.id
    assert story.turn(inputs=OK)[1].id != message.id


def test_a_message_that_did_not_arrive_is_remembered_whole(story):
    """As it was sent, with the channels that failed."""
    _, message = story.turn(inputs=ALARM, failed=("slack (channel 1)",))
    late = undelivered(story.events)
    assert (late.message, late.channels, late.tries) == (message, ("slack (channel 1)",), 1)


def test_a_later_message_stands_for_those_before(story):
    """What arrived last says how things are."""
    story.turn(inputs=ALARM, failed=("x",))
    story.turn(inputs=OK)
    assert undelivered(story.events) is None


def test_every_step_is_in_the_ledger_and_nowhere_else(story):
    """Ids, severities and times can be read from the events alone."""
    story.turn(inputs=ALARM)
    (standing,) = open_alerts(story.events)
    assert standing.to_dict() == {
        "alert": "churn.1.inputs.1", "step": Step.OPENED, "subject": "inputs", "severity": "notice",
        "title": "inputs ('a',)", "version": "1", "about": ["a"], "told": True, "revision": 1,
        "opened_at": NOON.isoformat(), "changed_at": NOON.isoformat(), "told_at": NOON.isoformat(),
    }  # fmt: skip
