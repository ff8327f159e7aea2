"""A turn that breaks off at something that nobody foresaw."""

from dataclasses import replace
from datetime import timedelta

import pytest

from vigie.domain.event import EventKind
from vigie.domain.measurement import Verdict
from vigie.retraining.policy import RetrainPolicy
from vigie.testing.tables import churn_table


class _Broken:
    """A tracker with a bug."""

    def record(self, *_told):
        raise ZeroDivisionError("division by zero")


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
