"""The rule that decides between two outcomes, as a table."""

import pytest

from vigie.adapters.prediction_log.outcomes import Outcome, is_newer, is_same, weigh
from vigie.domain.prediction import FeedbackStatus as Status


@pytest.mark.parametrize(
    ("known", "new", "status"),
    [
        (None, ("1", None), Status.RECORDED),
        (("1", None), ("1", None), Status.UNCHANGED),
        (("1", 5), ("1", 9), Status.UNCHANGED),
        (("1", 5), ("2", 9), Status.REPLACED),
        (("1", None), ("2", 0), Status.REPLACED),
        (("1", None), ("2", -1), Status.REPLACED),
        (("1", 5), ("2", 4), Status.OUTDATED),
        (("1", 5), ("2", None), Status.OUTDATED),
        (("1", 5), ("2", 5), Status.CONFLICT),
        (("1", None), ("2", None), Status.CONFLICT),
    ],
)
def test_status(known, new, status):
    """Each pair of outcomes has the status that the design gives it; times before 1970 are times too."""
    assert weigh(Outcome(*known) if known else None, Outcome(*new)) is status


@pytest.mark.parametrize(
    ("known", "new", "newer"), [(None, None, False), (None, 1, True), (1, None, False), (1, 1, False), (1, 2, True)]
)
def test_newer(known, new, newer):
    """No time is older than any time, and a time is not newer than itself."""
    assert is_newer(Outcome("1", new), Outcome("1", known)) is newer


@pytest.mark.parametrize(
    ("first", "second", "same"), [(1, 1.0, True), (True, 1, False), (False, False, True), ("1", 1, False)]
)
def test_same(first, second, same):
    """Numbers compare as numbers, booleans only with booleans."""
    assert is_same(first, second) is same
