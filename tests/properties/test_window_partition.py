"""Splitting a window loses no moment and repeats none."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from vigie.domain.window import Window

moments = st.datetimes(datetime(2000, 1, 1), datetime(2040, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001  # as asked
lengths = st.timedeltas(timedelta(0), timedelta(days=30))


@given(start=moments, length=lengths, n_parts=st.integers(1, 40), share=st.floats(0, 1, exclude_max=True))
def test_parts_cover_a_window_once(start, length, n_parts, share):
    """Parts follow each other from start to end, and each moment of the window lies in exactly one."""
    window = Window(start, start + length)
    step = max(length / n_parts, timedelta(microseconds=1))
    parts = list(window.split(step))
    assert [part.start for part in parts[1:]] == [part.end for part in parts[:-1]]
    if length:
        assert (parts[0].start, parts[-1].end) == (window.start, window.end)
        assert all(timedelta(0) < part.end - part.start <= step for part in parts)
        moment = min(start + length * share, window.end - timedelta(microseconds=1))
        assert sum(moment in part for part in parts) == 1
    else:
        assert parts == []
