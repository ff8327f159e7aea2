"""A turn that breaks off at something that nobody foresaw."""

from dataclasses import replace
from datetime import timedelta

import pytest

from vigie.domain.event import EventKind
from vigie.domain.measurement import Verdict
from vigie.promotion.gate import GateRule
from vigie.retraining.policy import RetrainPolicy
from vigie.testing.tables import churn_table


class _Broken:
    """A tracker with a bug."""

    def record(self, *_told):
        raise ZeroDivisionError("division by zero")


class _Deadly:
    """A tracker that ends the process; what it raises is handled by nothing, as a kill is."""

    def record(self, *_told):
        raise KeyboardInterrupt


@pytest.fixture
def broken(world, changed):
    """Return a world whose next turn decides on a retraining that breaks off, and whose cool-down is a day."""
    world.change(retraining=RetrainPolicy(timedelta(days=1), min_labelled=300))
    world.loop = replace(world.loop, tracker=_Broken())
    world.ask(changed)
    return world


def test_it_is_raised_and_on_record(broken):
    """Whoever runs the loop hears of the bug; the ledger does not end at the decision to retrain."""
    with pytest.raises(ZeroDivisionError):
        broken.turn()
    told = broken.last(EventKind.RETRAIN_DECIDED)
    assert told.summary == "The retraining could not be done."
    assert told.reasons == ("ZeroDivisionError: division by zero",)


def test_it_starts_no_cool_down(broken):
    """Once the bug is gone, the next alarm retrains."""
    with pytest.raises(ZeroDivisionError):
        broken.turn()
    broken.loop = replace(broken.loop, tracker=broken.tracker)
    broken.ask(churn_table(600, seed=4, drift=1.0, relation=1.0))
    assert broken.turn().promoted.version == "2"


def killed_turn(world, seed):
    """Take a turn that dies in its retraining, on an alarm of its own."""
    whole, world.loop = world.loop, replace(world.loop, tracker=_Deadly())
    world.ask(churn_table(600, seed=seed, drift=1.0, relation=1.0))
    with pytest.raises(KeyboardInterrupt):
        world.turn()
    world.loop = whole


def test_one_that_was_killed_is_tried_again_at_the_next_alarm(world):
    """The process comes back and finds a decision without an end: it starts no cool-down, and the ledger says why."""
    world.change(retraining=RetrainPolicy(timedelta(days=1), min_labelled=300))
    killed_turn(world, 3)
    assert world.kinds[-2:] == ["retrain_decided", "monitored"]
    world.ask(churn_table(600, seed=4, drift=1.0, relation=1.0))
    assert world.turn().promoted.version == "2"
    assert "never came to its end" in world.last(EventKind.RETRAIN_DECIDED).reasons[-2]


def test_what_kills_its_process_each_time_waits_for_the_cool_down(world):
    """After the second in a row it does; once it is over one more is tried, and then the wait begins anew."""
    world.change(retraining=RetrainPolicy(timedelta(days=1), min_labelled=300))
    for seed in (3, 4):
        killed_turn(world, seed)
    world.ask(churn_table(600, seed=5, drift=1.0, relation=1.0))
    cooling = world.turn()
    assert (cooling.decision.retrain, cooling.challenge) == (False, None)
    assert "2 retrainings in a row" in cooling.decision.reasons[-2]
    world.clock.advance(86_400)
    killed_turn(world, 6)
    world.ask(churn_table(600, seed=7, drift=1.0, relation=1.0))
    assert "3 retrainings in a row" in world.turn().decision.reasons[-2]


def test_one_that_came_to_its_end_forgets_those_that_were_killed(world):
    """A kill, a held challenger, its cool-down, another kill: that one is the first in a row again."""
    world.change(gate=GateRule(level=0.95, margin=5.0, min_rows=50))
    killed_turn(world, 3)
    world.ask(churn_table(600, seed=4, drift=1.0, relation=1.0))
    assert world.turn().challenge.version.version == "2"
    world.clock.advance(3600)
    killed_turn(world, 5)
    world.ask(churn_table(600, seed=6, drift=1.0, relation=1.0))
    assert world.turn().challenge.version.version == "3"


def test_what_it_had_found_is_shown(broken):
    """The window was judged and closed before: its verdicts are not lost with the retraining."""
    seen = []
    with pytest.raises(ZeroDivisionError):
        broken.turn(show=seen.append)
    assert [report.verdict for report in seen] == [Verdict.ALARM]


def test_a_window_that_stays_open_is_not_shown(world, calm):
    """It is judged again, with more rows."""
    seen = []
    world.ask(calm.slice(0, 150))
    world.turn(show=seen.append)
    assert seen == []
