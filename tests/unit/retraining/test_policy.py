"""An alarm asks; the cool-down and the number of outcomes decide."""

from datetime import UTC, datetime, timedelta

import pytest

from vigie.domain.measurement import Verdict
from vigie.retraining.policy import Earlier, RetrainPolicy, decide
from vigie.retraining.triggers import find_triggers

NOW = datetime(2026, 1, 2, tzinfo=UTC)
POLICY = RetrainPolicy(cooldown=timedelta(hours=6), min_labelled=500)


@pytest.mark.parametrize(
    ("triggers", "n_labelled", "hours_since_last", "retrain", "asked", "word"),
    [
        ((), 5000, None, False, False, "Nothing asks"),
        (("Inputs changed: a.",), 5000, None, True, True, "5,000 outcomes"),
        (("Inputs changed: a.",), 499, None, False, True, "499 of 500"),
        (("Inputs changed: a.",), 5000, 5, False, True, "Cooling down"),
        (("Inputs changed: a.",), 5000, 6, True, True, "5,000 outcomes"),
    ],
)
def test_the_policy(triggers, n_labelled, hours_since_last, retrain, asked, word) -> None:
    """Each row of the table is one way the policy can answer."""
    last = None if hours_since_last is None else NOW - timedelta(hours=hours_since_last)
    decision = decide(triggers, POLICY, n_labelled=n_labelled, earlier=Earlier(last), now=NOW)
    assert (decision.retrain, decision.asked) == (retrain, asked)
    assert word in decision.reasons[-1]


def test_what_is_left_of_the_cool_down_has_no_fractions_of_a_second() -> None:
    """Nobody waits for microseconds."""
    last = NOW - timedelta(microseconds=1_500_000)
    decision = decide(("Inputs changed: a.",), POLICY, n_labelled=5000, earlier=Earlier(last), now=NOW)
    assert decision.reasons[-1].endswith(" UTC, 5:59:59 left.")


@pytest.mark.parametrize(
    ("ended", "broken_off", "retrain", "told"),
    [
        (None, (1,), True, "never came to its end"),
        (7, (1,), True, "never came to its end"),
        (2, (1,), False, "never came to its end"),
        (None, (2, 1), False, "2 retrainings in a row"),
        (None, (9, 8, 1), False, "3 retrainings in a row"),
        (None, (9, 7), True, "2 retrainings in a row"),
    ],
)
def test_one_that_was_killed_counts_from_the_second_in_a_row(ended, broken_off, retrain, told) -> None:
    """All times in hours ago. What kills its process each time is tried once a cool-down, not at every alarm."""
    ago = [NOW - timedelta(hours=hours) for hours in broken_off]
    earlier = Earlier(None if ended is None else NOW - timedelta(hours=ended), tuple(ago))
    decision = decide(("Inputs changed: a.",), POLICY, n_labelled=5000, earlier=earlier, now=NOW)
    assert decision.retrain is retrain
    assert told in decision.reasons[-2]
    assert decision.reasons[-1].startswith("5,000 outcomes" if retrain else "Cooling down")


def test_triggers_come_in_the_order_of_the_evidence() -> None:
    """Performance is named before predictions, predictions before inputs."""
    found = find_triggers(performance=Verdict.ALARM, prediction=Verdict.ALARM, drifted=("a", "b"))
    assert [sentence.split()[0] for sentence in found] == ["Realised", "The", "Inputs"]


def test_unknown_is_not_a_trigger() -> None:
    """Not enough data asks for nothing."""
    assert find_triggers(performance=Verdict.UNKNOWN, prediction=Verdict.WARN, drifted=()) == ()
