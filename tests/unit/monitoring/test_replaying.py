"""What a replay says of windows that could not be judged."""

import dataclasses

import pytest

from vigie.cli.monitor import promise
from vigie.monitoring.replaying import Replay


def _replay(**changed):
    found = Replay(
        rows=250,
        n_windows=10,
        n_reference=3_000,
        alarmed=0,
        confirmed=0,
        unknown=0,
        columns={},
        in_time_order=False,
    )
    return dataclasses.replace(found, **changed)


@pytest.mark.parametrize(
    ("changed", "sentence"),
    [
        (
            {},
            (
                "0 of 10 windows of 250 rows raised a drift alarm (0 confirmed), replayed at random on one half of the "
                "reference against the other."
            ),
        ),
        (
            {"unknown": 4, "why_unknown": "Too few."},
            (
                "0 of 6 windows of 250 rows that could be judged (of 10) raised a drift alarm (0 confirmed), replayed "
                "at random on one half of the reference against the other. The others could not: Too few."
            ),
        ),
        (
            {"rows": 1, "unknown": 10, "why_unknown": "Too few."},
            (
                "None of 10 windows of 1 row could be judged, replayed at random on one half of the reference against "
                "the other. Too few."
            ),
        ),
    ],
)
def test_windows_that_could_not_be_judged_raised_no_answer(changed, sentence):
    """They are not among those that raised no alarm, and the sentence says why."""
    assert _replay(**changed).sentence == sentence


def test_the_promise_is_not_repeated_where_nothing_was_judged():
    """A budget that no window tried is not shown to be kept."""
    assert promise(_replay(), 0.05) == "For independent rows, any alarm at all has a probability of at most 5 %."
    assert promise(_replay(unknown=10), 0.05) == "This shows nothing of the rule, nor of its budget of 5 %."
