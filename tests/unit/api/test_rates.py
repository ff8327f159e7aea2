"""Token buckets: a second's worth at once, then the rate, and bounded memory."""

import pytest

from vigie.api.rates import MAX_CALLERS, Buckets


def _passed(buckets, per_s, times, who="a"):
    return [not buckets.take(who, per_s, at) for at in times]


def test_a_seconds_worth_passes_at_once_and_no_more():
    """Five tokens, then none."""
    assert _passed(Buckets(), 5, [0.0] * 7) == [True] * 5 + [False] * 2


@pytest.mark.parametrize("per_s", [0.5, 1, 3, 50])
def test_no_stretch_of_time_lets_more_through_than_its_rate(per_s):
    """In 100 seconds of constant asking, what passes is the rate times 100, and the bucket."""
    asked = [step / 200 for step in range(20_000)]
    passed = sum(_passed(Buckets(), per_s, asked))
    assert per_s * 100 - 1 <= passed <= per_s * 100 + max(1, per_s)


def test_the_wait_is_when_the_next_one_passes():
    """Who waits as told passes; who comes a moment earlier does not."""
    buckets = Buckets()
    buckets.take("a", 0.5, 10.0)
    assert buckets.take("a", 0.5, 10.5) == pytest.approx(1.5)
    assert buckets.take("a", 0.5, 11.9) == pytest.approx(0.1)
    assert buckets.take("a", 0.5, 12.0 + 1e-9) == 0.0


def test_callers_do_not_share():
    """One's haste is not another's wait."""
    buckets = Buckets()
    assert _passed(buckets, 1, [0, 0]) == [True, False]
    assert _passed(buckets, 1, [0, 0], who="b") == [True, False]


def test_many_callers_are_forgotten_oldest_first():
    """The table is bounded, and whoever asks all the time stays in it."""
    buckets = Buckets()
    for number in range(3 * MAX_CALLERS):
        buckets.take(f"address {number}", 1, 0.0)
        buckets.take("busy", 1, 0.0)
    assert len(buckets._left) == MAX_CALLERS
    assert buckets.take("busy", 1, 0.0) > 0
