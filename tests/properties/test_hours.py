"""Counts by hour equal a recount, whatever happens to the rows and to whoever counts."""

from contextlib import closing, suppress
from datetime import timedelta
from itertools import count

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from vigie.adapters.prediction_log import expiry, hours, reading
from vigie.adapters.prediction_log.sqlite import SqlitePredictionLog
from vigie.testing.clock import START
from vigie.testing.conformance.hours import HOUR_S, MODEL, WEEK, counted, recounted
from vigie.testing.conformance.samples import BINARY, IdTally, Records

minutes = st.integers(0, 8 * 60)
steps = st.lists(
    st.one_of(
        st.tuples(st.just("log"), st.lists(st.tuples(minutes, st.integers(0, 3)), min_size=1, max_size=7)),
        st.tuples(st.just("erase"), st.integers(0, 3)),
        st.tuples(st.just("expire"), minutes),
        st.tuples(st.just("die"), st.integers(0, 6)),
        st.tuples(st.just("count"), st.none()),
    ),
    max_size=12,
)


class DiedError(Exception):
    """Whoever was counting is gone."""


class DyingTally(IdTally):
    """Counts for a while, then no more: what was not committed is lost."""

    def __init__(self, breaths):
        self._breaths = count(-breaths)

    def count(self, rows):
        """Count, or die."""
        if next(self._breaths) == 0:
            raise DiedError
        return super().count(rows)


class MeddlingTally(IdTally):
    """Lets somebody else do something while rows are being counted, once."""

    def __init__(self, deed):
        self._deed = deed

    def count(self, rows):
        """Let it happen, then count."""
        deed, self._deed = self._deed, None
        if deed:
            deed()
        return super().count(rows)


@pytest.fixture
def _small_steps(monkeypatch):
    """Let a few rows be many: batches of three, a scan of five places, two hours at once."""
    monkeypatch.setattr(reading, "CHUNK", 3)
    monkeypatch.setattr(hours, "CHUNK", 3)
    monkeypatch.setattr(hours, "_SCANNED_AT_ONCE", 5)
    monkeypatch.setattr(hours, "_HOURS_AT_ONCE", 2)
    monkeypatch.setattr(expiry, "ROWS_AT_ONCE", 2)


def play(log, story):
    """Do what a story says."""
    records = Records()
    for what, detail in story:
        if what == "log":
            made = [(float(60 * minute), f"client-{who}") for minute, who in detail]
            log.append(MODEL, BINARY, [records.one(after_s, entity=entity) for after_s, entity in made])
        elif what == "erase":
            log.erase(f"client-{detail}")
        elif what == "expire":
            log.expire(START + timedelta(minutes=detail))
        elif what == "die":
            with suppress(DiedError):
                log.hours(MODEL, BINARY, WEEK, DyingTally(detail), version="1")
        else:
            assert counted(log) == recounted(log)


@pytest.mark.usefixtures("_small_steps")
@settings(max_examples=50, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(story=steps)
def test_counts_equal_a_recount(tmp_path_factory, story):
    """After any mix of rows, late rows, erasures, age and deaths in the middle of counting."""
    with closing(SqlitePredictionLog(tmp_path_factory.mktemp("hours") / "log.db", durable=False)) as log:
        play(log, story)
        assert counted(log) == recounted(log)


@pytest.fixture
def log(tmp_path):
    """Return a log with five rows of two entities in two hours."""
    with closing(SqlitePredictionLog(tmp_path / "log.db", durable=False)) as log:
        records = Records()
        log.append(MODEL, BINARY, [records.one(HOUR_S * n / 3, entity=f"client-{n % 2}") for n in range(5)])
        yield log


DEEDS = {
    "erasure": lambda log: log.erase("client-0"),
    "age": lambda log: log.expire(START + timedelta(minutes=30)),
    "another who counts": counted,
    "a new row": lambda log: log.append(MODEL, BINARY, [Records(9).one(5.0)]),
}


@pytest.mark.parametrize("deed", DEEDS.values(), ids=DEEDS)
@pytest.mark.parametrize("known", [False, True], ids=["first", "again"])
def test_nobody_disturbs_who_counts(log, deed, known):
    """What somebody else does while rows are being counted, for the first time or anew, is neither lost nor doubled."""
    if known:
        counted(log)
        log.erase("client-1")
    log.hours(MODEL, BINARY, WEEK, MeddlingTally(lambda: deed(log)), version="1")
    assert counted(log) == recounted(log)


def test_forgotten_hours_would_be_seen(log, monkeypatch):
    """Control: an expiry that does not tell the counts leaves them wrong, and the comparison says so."""
    monkeypatch.setattr(expiry, "forget_hours", lambda *_: None)
    counted(log)
    log.expire(START + timedelta(minutes=30))
    assert counted(log) != recounted(log)


def test_a_blind_watermark_would_be_seen(log, monkeypatch):
    """Control: counts written without looking at what happened meanwhile are wrong, and the comparison says so."""
    blind = "UPDATE count_series SET seq = :seq WHERE id = :id AND :before >= 0 AND :revision >= 0"
    monkeypatch.setitem(hours.SQL, "move_watermark", blind)
    log.hours(MODEL, BINARY, WEEK, MeddlingTally(lambda: log.erase("client-0")), version="1")
    assert counted(log) != recounted(log)


def test_asking_again_reads_no_row(log):
    """Once counted, rows are not read again: only what is new is."""
    counted(log)
    log.hours(MODEL, BINARY, WEEK, MeddlingTally(lambda: pytest.fail("rows were counted again")), version="1")
    log.append(MODEL, BINARY, [Records(7).one(60.0)])
    seen = []
    tally = MeddlingTally(lambda: seen.append(1))
    log.hours(MODEL, BINARY, WEEK, tally, version="1")
    assert seen == [1]
