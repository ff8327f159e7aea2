"""How every prediction log is copied, how it forgets by age, and how it forgets one entity; part of its suite."""
# ruff: noqa: S101 -- assert is how pytest works

from datetime import date, timedelta

import pyarrow as pa

from vigie.domain.prediction import Feedback
from vigie.domain.schema import Feature, Kind, Schema
from vigie.domain.window import Window
from vigie.ports import Expired, Held, PredictionLog
from vigie.testing.clock import START
from vigie.testing.conformance.samples import BINARY, ROW, Records

MODEL = "churn"
DAY_S = 86_400.0
MIDNIGHT = START.replace(hour=0, minute=0)
DAYS = (date(2026, 1, 5), date(2026, 1, 6), date(2026, 1, 7))
ALL = Window(MIDNIGHT, MIDNIGHT + timedelta(days=9))


def fill(log: PredictionLog) -> Records:
    """Log two predictions a day for three days, and the outcome of each day's first."""
    records = Records(4)
    made = [records.one(place * DAY_S / 2, entity=f"client-{place % 3}") for place in range(5)]
    made.append(records.one(2 * DAY_S + 1, entity=None))
    log.append(MODEL, BINARY, made)
    for place in (0, 2, 4):
        received = made[place].at + timedelta(minutes=5)
        log.record_feedback(MODEL, [Feedback(made[place].id, "oui")], received_at=received)
    return records


def entities(log: PredictionLog) -> list[str | None]:
    """Return whom the log knows, oldest first."""
    found: list[str | None] = log.rows(MODEL, BINARY, ALL).records["entity"].to_pylist()
    return found


class KeepingSuite:
    """Copies, age and erasure; subclass ``PredictionLogSuite``, which gives the ``log`` fixture."""

    def test_stream_is_rows_in_parts(self, log: PredictionLog) -> None:
        """The parts of a stream, one after another, are the rows."""
        fill(log)
        window = Window(START, START + timedelta(days=1, hours=13))
        whole, parts = log.rows(MODEL, BINARY, window), list(log.stream(MODEL, BINARY, window))
        assert pa.concat_tables([part.records for part in parts]).equals(whole.records)
        assert pa.concat_tables([part.features for part in parts]).equals(whole.features)
        assert whole.records.num_rows == 4

    def test_records_are_those_of_rows(self, log: PredictionLog) -> None:
        """Records without features are the same records, of one version too, and typed when there is none."""
        fill(log)
        for window, version in ((ALL, None), (ALL, "1"), (ALL, "2"), (Window(START, START), None)):
            whole = log.rows(MODEL, BINARY, window, version=version)
            assert log.records(MODEL, BINARY, window, version=version).equals(whole.records)

    def test_stream_of_nothing_has_no_parts(self, log: PredictionLog) -> None:
        """An unknown model and an empty window give no part."""
        assert list(log.stream(MODEL, BINARY, ALL)) == []
        fill(log)
        assert list(log.stream(MODEL, BINARY, Window(START - timedelta(days=9), START))) == []

    def test_days_have_a_schema_that_reads_them(self, log: PredictionLog) -> None:
        """Days come oldest first with what they hold, and can be read with what they give."""
        fill(log)
        days = log.days(MODEL)
        assert [(day.day, day.n) for day in days] == [(DAYS[0], 2), (DAYS[1], 2), (DAYS[2], 2)]
        assert sum(log.rows(MODEL, day.schema, day.window).records.num_rows for day in days) == 6
        assert [day.day for day in log.days(MODEL, DAYS[1], DAYS[1])] == [DAYS[1]]
        assert log.days("other") == []

    def test_days_know_every_schema(self, log: PredictionLog) -> None:
        """A day under two schemas comes twice."""
        records = fill(log)
        wider = Schema((*BINARY.features, Feature("new", Kind.NUMBER)), BINARY.target)
        log.append(MODEL, wider, [records.one(features=(*ROW, 0.5))])
        assert sorted((day.day, len(day.schema.features)) for day in log.days(MODEL))[:2] == [
            (DAYS[0], 4),
            (DAYS[0], 5),
        ]

    def test_fingerprint_tells_what_changed(self, log: PredictionLog) -> None:
        """A late outcome, a corrected one and a new row change the fingerprint of their day, and of no other."""
        records = fill(log)
        late = log.rows(MODEL, BINARY, log.days(MODEL)[1].window).records["id"].to_pylist()
        seen = [[day.fingerprint for day in log.days(MODEL)]]
        times = [START + timedelta(days=5, hours=hour) for hour in range(2)]
        for at, outcome in zip(times, ("non", "oui"), strict=True):
            item = Feedback(type(records.unknown_id())(late[1]), outcome, observed_at=at)
            log.record_feedback(MODEL, [item], received_at=at)
            seen.append([day.fingerprint for day in log.days(MODEL)])
        log.append(MODEL, BINARY, [records.one(DAY_S + 2)])
        seen.append([day.fingerprint for day in log.days(MODEL)])
        assert len({state[1] for state in seen}) == 4
        assert len({(state[0], state[2]) for state in seen}) == 1

    def test_age_takes_the_old_and_their_outcomes(self, log: PredictionLog) -> None:
        """What was made before goes, what was made at that moment stays; outcomes go with their predictions."""
        fill(log)
        gone: list[int] = []
        assert log.expire(START + timedelta(days=1), gone.append) == Expired(2, 1, 0)
        assert gone[-1] == 2
        assert log.count(MODEL) == 4
        assert log.expire(START + timedelta(days=1)) == Expired(0, 0, 0)

    def test_age_takes_outcomes_that_found_nothing(self, log: PredictionLog) -> None:
        """An old outcome without a prediction goes; a young one, and one whose prediction stays, do not."""
        records = fill(log)
        early = records.one(2 * DAY_S + 5)
        old = START + timedelta(hours=1)
        log.record_feedback(MODEL, [Feedback(records.unknown_id(), "oui"), Feedback(early.id, "non")], received_at=old)
        log.append(MODEL, BINARY, [early])
        log.record_feedback(MODEL, [Feedback(records.unknown_id(), "oui")], received_at=old + timedelta(days=2))
        assert log.expire(START + timedelta(days=1)) == Expired(2, 1, 1)
        assert log.rows(MODEL, BINARY, ALL).records["outcome"].to_pylist()[-1] == '"non"'
        assert log.expire(START + timedelta(days=9)).orphans == 1

    def test_cut_days_are_not_offered(self, log: PredictionLog) -> None:
        """A day of which age took a part is not whole any more, whatever is logged into it later."""
        records = fill(log)
        log.expire(MIDNIGHT + timedelta(days=1, hours=12))
        log.append(MODEL, BINARY, [records.one(3.0)])
        assert [day.day for day in log.days(MODEL)] == [DAYS[2]]

    def test_erases_one_entity_only(self, log: PredictionLog) -> None:
        """Predictions and outcomes of the entity go, everybody else's stay, also those of nobody."""
        fill(log)
        assert log.held("client-0") == Held(2, 1, 0)
        assert log.erase("client-0") == Held(2, 1, 0)
        assert entities(log) == ["client-1", "client-2", "client-1", None]
        assert log.held("client-0") == log.erase("client-0") == Held(0, 0, 0)

    def test_erases_under_every_model_and_schema(self, log: PredictionLog) -> None:
        """A person is a person, whichever model was asked."""
        records = fill(log)
        wider = Schema((*BINARY.features, Feature("new", Kind.NUMBER)), BINARY.target)
        log.append("other", wider, [records.one(features=(*ROW, 0.5), entity="client-0")])
        assert log.erase("client-0").predictions == 3
        assert log.count("other") == 0

    def test_erases_exactly_what_was_named(self, log: PredictionLog) -> None:
        """A name that is part of another's, or odd, means itself."""
        records = Records(5)
        names = ["client-7", "client-77", "CLIENT-7", "%", "client-7'; --", "é" * 20, ""]
        log.append(MODEL, BINARY, [records.one(float(place), entity=name) for place, name in enumerate(names)])
        for name in ("client-7", "%", "é" * 20):
            assert log.erase(name) == Held(1, 0, 0)
        assert entities(log) == ["client-77", "CLIENT-7", "client-7'; --", ""]
