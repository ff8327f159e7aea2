"""How every prediction log keeps counts by hour beside its rows; part of its suite."""
# ruff: noqa: S101 -- assert is how pytest works

from datetime import timedelta

from vigie.domain.prediction import Feedback
from vigie.domain.schema import Feature, Kind, Schema
from vigie.domain.window import Window
from vigie.ports import LoggedRows, PredictionLog
from vigie.testing.clock import START
from vigie.testing.conformance.samples import BINARY, ROW, IdTally, Records

MODEL = "churn"
HOUR_S = 3_600.0
MIDNIGHT = START.replace(hour=0, minute=0)
WEEK = Window(MIDNIGHT, MIDNIGHT + timedelta(days=7))


def counted(log: PredictionLog, window: Window = WEEK, version: str = "1") -> dict[Window, list[str]]:
    """Return the ids that are counted, by hour."""
    found = log.hours(MODEL, BINARY, window, IdTally(), version=version)
    named = {hour.window: hour.content.decode().split() for hour in found}
    assert [hour.n for hour in found] == [len(ids) for ids in named.values()]
    assert list(named) == sorted(named, key=lambda hour: hour.start)
    return named


def recounted(log: PredictionLog, version: str = "1") -> dict[Window, list[str]]:
    """Return the same from the rows."""
    records = log.rows(MODEL, BINARY, WEEK, version=version).records
    hours: dict[Window, list[str]] = {}
    for at, name in sorted(zip(records["at"].to_pylist(), records["id"].to_pylist(), strict=True)):
        start = at.replace(minute=0, second=0, microsecond=0)
        hours.setdefault(Window(start, start + timedelta(hours=1)), []).append(name)
    return {hour: sorted(names) for hour, names in hours.items()}


class HoursSuite:
    """Counts by hour; subclass ``PredictionLogSuite``, which gives the ``log`` fixture."""

    def test_hours_of_nothing_are_none(self, log: PredictionLog) -> None:
        """An unknown model and an empty window have no hour."""
        assert counted(log) == {}
        log.append(MODEL, BINARY, [Records().one()])
        assert counted(log, Window(START, START)) == {}
        assert counted(log, version="2") == {}

    def test_hours_hold_each_row_once(self, log: PredictionLog) -> None:
        """Whatever comes in whichever order, also between two calls, is in its own hour, once."""
        records = Records()
        for place in (2.5, 0.0, 2.4, 30.0, 0.1, 2.999):
            log.append(MODEL, BINARY, [records.one(place * HOUR_S)])
            assert counted(log) == recounted(log)
        assert [len(ids) for ids in counted(log).values()] == [2, 3, 1]

    def test_rows_come_late(self, log: PredictionLog) -> None:
        """A row with an old date, and one whose id runs ahead of it, are counted where they belong."""
        records = Records()
        log.append(MODEL, BINARY, [records.one(5 * HOUR_S)])
        assert len(counted(log)) == 1
        log.append(MODEL, BINARY, [records.one(0.0), records.one(HOUR_S, id_at=START + timedelta(hours=9))])
        assert counted(log) == recounted(log)
        assert len(counted(log)) == 3

    def test_only_whole_hours_are_given(self, log: PredictionLog) -> None:
        """Hours that a window cuts are left out at both ends."""
        records = Records()
        log.append(MODEL, BINARY, [records.one(place * HOUR_S + 60) for place in range(4)])
        window = Window(START + timedelta(minutes=30), START + timedelta(hours=3, minutes=30))
        assert [hour.start for hour in counted(log, window)] == [START + timedelta(hours=h) for h in (1, 2)]
        assert counted(log, Window(START, START + timedelta(minutes=59))) == {}
        assert len(counted(log, Window(START, START + timedelta(hours=4)))) == 4

    def test_versions_models_and_schemas_are_counted_apart(self, log: PredictionLog) -> None:
        """Hours hold the rows of one version of one model under one schema."""
        records = Records()
        wider = Schema((*BINARY.features, Feature("new", Kind.NUMBER)), BINARY.target)
        one, two = records.one(), records.one(version="2")
        log.append(MODEL, BINARY, [one, two])
        log.append(MODEL, wider, [records.one(features=(*ROW, 0.5))])
        log.append("other", BINARY, [records.one()])
        assert list(counted(log).values()) == [[str(one.id)]]
        assert list(counted(log, version="2").values()) == [[str(two.id)]]

    def test_tallies_are_kept_apart(self, log: PredictionLog) -> None:
        """What one tally counted is never given to another."""

        class Rows(IdTally):
            digest = b"another"

            def count(self, rows: LoggedRows) -> bytes:
                return b" ".join([b"x"] * len(rows.records))

        log.append(MODEL, BINARY, Records().many(3))
        assert [len(ids) for ids in counted(log).values()] == [3]
        (hour,) = log.hours(MODEL, BINARY, WEEK, Rows(), version="1")
        assert (hour.n, hour.content.split()) == (3, [b"x"] * 3)

    def test_what_is_erased_is_not_counted(self, log: PredictionLog) -> None:
        """An entity leaves the counts of its hours with its rows; an hour that was all of it is gone."""
        records = Records()
        made = [records.one(place * HOUR_S / 2, entity=f"client-{place % 3}") for place in range(6)]
        log.append(MODEL, BINARY, [*made, records.one(9 * HOUR_S, entity="client-0")])
        before = counted(log)
        log.erase("client-0")
        assert counted(log) == recounted(log) != before
        assert len(counted(log)) == 3

    def test_what_expired_is_not_counted(self, log: PredictionLog) -> None:
        """Age takes whole hours and parts of hours out of the counts; who comes late afterwards is counted."""
        records = Records()
        log.append(MODEL, BINARY, [records.one(place * HOUR_S / 2) for place in range(9)])
        assert len(counted(log)) == 5
        log.expire(START + timedelta(hours=1, minutes=15))
        log.append(MODEL, BINARY, [records.one(1.0)])
        assert counted(log) == recounted(log)
        assert [len(ids) for ids in counted(log).values()] == [1, 1, 2, 2, 1]

    def test_feedback_changes_no_counts(self, log: PredictionLog) -> None:
        """Outcomes that come later leave the hours as they were."""
        record = Records().one()
        log.append(MODEL, BINARY, [record])
        before = counted(log)
        log.record_feedback(MODEL, [Feedback(record.id, "oui")], received_at=START)
        assert counted(log) == before
