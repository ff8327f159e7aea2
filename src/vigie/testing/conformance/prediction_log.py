"""What every prediction log keeps, and how it gives it back."""
# ruff: noqa: S101 -- assert is how pytest works

import json
import threading
from dataclasses import replace
from datetime import timedelta

import pyarrow as pa
import pytest

from vigie.domain.prediction import Feedback, Prediction, PredictionRecord
from vigie.domain.schema import Feature, Kind, Schema, Value
from vigie.domain.window import Window
from vigie.errors import SchemaMismatchError, StorageError, UnknownPredictionError
from vigie.ports import PredictionLog
from vigie.testing.clock import START
from vigie.testing.conformance.feedback import FeedbackSuite
from vigie.testing.conformance.hours import HoursSuite
from vigie.testing.conformance.keeping import KeepingSuite
from vigie.testing.conformance.samples import BINARY, DAY, REGRESSION, ROW, Records
from vigie.testing.prediction_log import FEATURE_TYPES, RECORD_TYPES

MODEL = "churn"


def ids(log: PredictionLog, window: Window = DAY, schema: Schema = BINARY, version: str | None = None) -> list[str]:
    """Return the ids of a window's rows, in order."""
    found: list[str] = log.rows(MODEL, schema, window, version=version).records["id"].to_pylist()
    return found


def between(start_s: float, end_s: float) -> Window:
    """Return a window by seconds after the fake clock's start."""
    return Window(START + timedelta(seconds=start_s), START + timedelta(seconds=end_s))


class PredictionLogSuite(FeedbackSuite, HoursSuite, KeepingSuite):
    """Subclass it and give ``log``: a new, empty, open prediction log."""

    @pytest.fixture
    def log(self) -> PredictionLog:
        """Return the log under test."""
        raise NotImplementedError("Give a fixture `log` in your subclass.")

    def test_keeps_a_class_with_its_probabilities(self, log: PredictionLog) -> None:
        """A logged class comes back whole: features, answer, who, when, how long."""
        record = Records().one()
        log.append(MODEL, BINARY, [record])
        rows = log.rows(MODEL, BINARY, DAY)
        assert rows.features.to_pylist() == [dict(zip(BINARY.names, ROW, strict=True))]
        (row,) = rows.records.to_pylist()
        assert json.loads(row.pop("label")) == "oui"
        assert row == {
            "id": str(record.id),
            "at": record.at,
            "version": "1",
            "entity": "client-7",
            "latency_us": 1234,
            "value": None,
            "probabilities": [0.2, 0.8],
            "outcome": None,
            "observed_at": None,
            "received_at": None,
        }

    def test_keeps_a_number(self, log: PredictionLog) -> None:
        """A logged number comes back in ``value``, without label and probabilities."""
        log.append(MODEL, REGRESSION, [Records().one(prediction=Prediction(152.25))])
        (row,) = log.rows(MODEL, REGRESSION, DAY).records.to_pylist()
        assert (row["value"], row["label"], row["probabilities"]) == (152.25, None, None)

    def test_keeps_floats_to_the_bit(self, log: PredictionLog) -> None:
        """Numbers and probabilities come back as the same doubles."""
        hard = 0.1 + 0.2
        tiny = 5e-324
        record = Records().one(features=(2**63 - 1, tiny, False, ""), prediction=Prediction("oui", (hard, 1 - hard)))
        log.append(MODEL, BINARY, [record])
        rows = log.rows(MODEL, BINARY, DAY)
        assert tuple(rows.features.to_pylist()[0].values()) == (2**63 - 1, tiny, False, "")
        assert rows.records["probabilities"].to_pylist() == [[hard, 1 - hard]]

    @pytest.mark.parametrize("logged", [0, 1], ids=["no rows", "a row of missing values"])
    def test_types_do_not_depend_on_values(self, log: PredictionLog, logged: int) -> None:
        """Tables have the promised types, also when empty or all null."""
        record = Records().one(features=(None, None, None, None))
        log.append(MODEL, BINARY, [record][:logged])
        rows = log.rows(MODEL, BINARY, DAY)
        wanted = pa.schema([(feature.name, FEATURE_TYPES[feature.kind]) for feature in BINARY.features])
        assert rows.features.schema.equals(wanted)
        assert rows.records.schema.equals(RECORD_TYPES)
        assert (rows.features.num_rows, rows.records.num_rows) == (logged, logged)

    def test_nan_is_missing(self, log: PredictionLog) -> None:
        """NaN comes back as null, an infinity as itself."""
        records = Records()
        values: list[tuple[Value, ...]] = [(1, float("nan"), None, None), (1, float("inf"), None, None)]
        log.append(MODEL, BINARY, [records.one(features=row) for row in values])
        column = log.rows(MODEL, BINARY, DAY).features[BINARY.names[1]]
        assert column.to_pylist() == [None, float("inf")]

    def test_text_is_kept_as_it_is(self, log: PredictionLog) -> None:
        """Quotes, NUL, emoji, combining marks and right-to-left marks survive."""
        hostile = "a'b\"c\x00d;--\N{FAMILY}\N{COMBINING ACUTE ACCENT}\N{RIGHT-TO-LEFT OVERRIDE}\n"
        log.append(MODEL, BINARY, [Records().one(features=(1, None, None, hostile))])
        assert log.rows(MODEL, BINARY, DAY).features[BINARY.names[3]].to_pylist() == [hostile]

    @pytest.mark.parametrize(
        "features",
        [
            (2**63, 1.0, True, "a"),
            (1.5, 1.0, True, "a"),
            (1, "x", True, "a"),
            (1, 1.0, "x", "a"),
            (1, 1.0, True, "\ud800"),
        ],
        ids=["beyond 64 bits", "fraction", "text as number", "text as boolean", "lone surrogate"],
    )
    def test_unwritable_value_keeps_nothing(self, log: PredictionLog, features: tuple[Value, ...]) -> None:
        """A value the column cannot hold refuses the whole batch, also the good rows before it."""
        records = Records()
        with pytest.raises(SchemaMismatchError):
            log.append(MODEL, BINARY, [records.one(), records.one(features=features)])
        assert log.count(MODEL) == 0

    def test_id_twice_keeps_nothing(self, log: PredictionLog) -> None:
        """An id that is logged already refuses the whole batch, and what was there stays."""
        first, second = Records().many(2)
        log.append(MODEL, BINARY, [first])
        with pytest.raises(StorageError) as caught:
            log.append(MODEL, BINARY, [second, first])
        assert not caught.value.retryable
        assert ids(log) == [str(first.id)]

    def test_id_must_carry_time(self, log: PredictionLog) -> None:
        """An id that is not a version 7 UUID is a programmer's mistake."""
        record = Records().one()
        other = type(record.id)(int=record.id.int & ~(0xF << 76) | 0x4 << 76)
        with pytest.raises(ValueError, match="version 7"):
            log.append(MODEL, BINARY, [PredictionRecord(other, record.at, "1", ROW, record.prediction)])

    def test_too_few_features_are_refused(self, log: PredictionLog) -> None:
        """A record that is shorter than its schema is a programmer's mistake."""
        with pytest.raises(ValueError, match="features"):
            log.append(MODEL, BINARY, [Records().one(features=(1, 2.0))])

    def test_rows_are_oldest_first(self, log: PredictionLog) -> None:
        """Rows come in the order of their ids, however they were appended; both tables agree."""
        records = Records()
        made = [records.one(float(second), features=(second, None, None, None)) for second in range(6)]
        log.append(MODEL, BINARY, [made[4], made[0]])
        log.append(MODEL, BINARY, [made[5], made[2], made[1], made[3]])
        rows = log.rows(MODEL, BINARY, DAY)
        assert rows.records["id"].to_pylist() == [str(record.id) for record in made]
        assert rows.features["months"].to_pylist() == [0, 1, 2, 3, 4, 5]

    def test_window_is_half_open(self, log: PredictionLog) -> None:
        """A window has the row at its start and not the one at its end, to the microsecond."""
        records = Records()
        at = [0.0, 0.999999, 1.0, 1.000001, 2.0]
        made = [str(record.id) for record in map(records.one, at)]
        records = Records()
        log.append(MODEL, BINARY, [records.one(second) for second in at])
        assert ids(log, between(1, 2)) == made[2:4]
        assert ids(log, between(0.999999, 1)) == made[1:2]
        assert ids(log, between(1, 1)) == []
        assert log.count(MODEL, between(1, 2)) == 2

    def test_neighbouring_windows_share_nothing(self, log: PredictionLog) -> None:
        """Windows that follow each other give each row exactly once."""
        records = Records().many(50)
        log.append(MODEL, BINARY, records)
        parts = [ids(log, window) for window in between(0, 50).split(timedelta(seconds=7.3))]
        assert [one for part in parts for one in part] == [str(record.id) for record in records]

    def test_windows_go_by_the_record_not_by_the_id(self, log: PredictionLog) -> None:
        """When the clock stepped back, so that ids run ahead of their records, windows are still right."""
        records = Records()
        before = records.one(3600.0)
        after = records.one(10.0, id_at=before.at)
        log.append(MODEL, BINARY, [before])
        log.append(MODEL, BINARY, [after])
        assert ids(log, between(0, 60)) == [str(after.id)]
        assert ids(log, between(3600, 3660)) == [str(before.id)]
        assert log.count(MODEL, between(0, 60)) == 1

    def test_versions_can_be_told_apart(self, log: PredictionLog) -> None:
        """Asking for a version gives its rows only."""
        records = Records()
        made = [records.one(version=version) for version in ("1", "2", "1")]
        log.append(MODEL, BINARY, made)
        assert ids(log, version="2") == [str(made[1].id)]
        assert ids(log, version="3") == []

    def test_models_and_schemas_stay_apart(self, log: PredictionLog) -> None:
        """Rows come back under their own model and schema only; ``count`` adds a model's schemas up."""
        records = Records()
        wider = Schema((*BINARY.features, Feature("new", Kind.NUMBER)), BINARY.target)
        one, two, three = records.one(), records.one(features=(*ROW, 0.5)), records.one()
        log.append(MODEL, BINARY, [one])
        log.append(MODEL, wider, [two])
        log.append("other", BINARY, [three])
        assert ids(log) == [str(one.id)]
        assert ids(log, schema=wider) == [str(two.id)]
        assert (log.count(MODEL), log.count(MODEL, DAY), log.count("other"), log.count("none")) == (2, 2, 1, 0)

    def test_outcomes_go_by_their_arrival(self, log: PredictionLog) -> None:
        """An outcome is found in the window it arrived in, whenever its prediction was made."""
        made = Records()
        early, late, never = made.one(), made.one(), made.one()
        log.append(MODEL, BINARY, [early, late, never])
        log.record_feedback(MODEL, [Feedback(late.id, "oui")], received_at=START + timedelta(days=3))
        log.record_feedback(MODEL, [Feedback(early.id, "non")], received_at=START + timedelta(days=5))
        day = timedelta(days=1)
        found = [
            log.outcomes(MODEL, BINARY, Window(START + n * day, START + (n + 1) * day)).records for n in range(2, 6)
        ]
        assert [part["id"].to_pylist() for part in found] == [[], [str(late.id)], [], [str(early.id)]]
        assert json.loads(found[1]["outcome"][0].as_py()) == "oui"
        every = log.outcomes(MODEL, BINARY, Window(START, START + 9 * day))
        assert every.records["id"].to_pylist() == [str(early.id), str(late.id)]
        assert every.features.num_rows == 2

    def test_outcomes_of_a_version_can_be_told_apart(self, log: PredictionLog) -> None:
        """Another version's outcomes, another model's and outcomes without a prediction are not among them."""
        made = Records()
        one, two = made.one(), replace(made.one(), version="2")
        log.append(MODEL, BINARY, [one, two])
        items = [Feedback(one.id, "oui"), Feedback(two.id, "non"), Feedback(made.one().id, "oui")]
        log.record_feedback(MODEL, items, received_at=START)
        log.record_feedback("another", [Feedback(one.id, "non")], received_at=START)
        week = Window(START, START + timedelta(days=7))
        assert log.outcomes(MODEL, BINARY, week, version="2").records["id"].to_pylist() == [str(two.id)]
        assert log.outcomes("another", BINARY, week).records.num_rows == 0

    def test_find_says_whose_prediction_it_is(self, log: PredictionLog) -> None:
        """An id leads to its model, version and time, whatever the model."""
        records = Records()
        log.append("other", BINARY, [records.one()])
        record = records.one(1.5, version="7")
        log.append(MODEL, BINARY, [record])
        assert log.find(record.id) == (MODEL, "7", record.at)

    def test_unknown_id_is_named(self, log: PredictionLog) -> None:
        """An id that nothing was logged under is an error that carries it."""
        records = Records()
        log.append(MODEL, BINARY, [records.one()])
        missing = records.unknown_id()
        with pytest.raises(UnknownPredictionError) as caught:
            log.find(missing)
        assert caught.value.prediction_id == str(missing)

    def test_nothing_appended_is_nothing_kept(self, log: PredictionLog) -> None:
        """An empty batch is fine."""
        log.append(MODEL, BINARY, [])
        assert log.count(MODEL) == 0

    def test_threads_may_append_together(self, log: PredictionLog) -> None:
        """Rows of several threads are all there, once."""
        batches = [Records(seed).many(20) for seed in range(4)]

        def append_one_by_one(batch: list[PredictionRecord]) -> None:
            for record in batch:
                log.append(MODEL, BINARY, [record])

        threads = [threading.Thread(target=append_one_by_one, args=(batch,)) for batch in batches]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sorted(ids(log)) == sorted(str(record.id) for batch in batches for record in batch)

    def test_closed_log_refuses(self, log: PredictionLog) -> None:
        """After closing, twice too, nothing is acknowledged."""
        log.check()
        log.close()
        log.close()
        with pytest.raises(StorageError):
            log.append(MODEL, BINARY, [Records().one()])
        with pytest.raises(StorageError):
            log.check()
        with pytest.raises(StorageError):
            log.count(MODEL)
