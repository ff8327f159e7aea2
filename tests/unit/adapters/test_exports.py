"""Copies of the log as Parquet: what is in them, when they are replaced, and how an entity leaves them."""

from contextlib import closing
from datetime import timedelta

import pyarrow.dataset as ds
import pyarrow.parquet as pq
import pytest

from vigie.adapters.exports import ParquetExports
from vigie.adapters.prediction_log.sqlite import SqlitePredictionLog
from vigie.domain.prediction import Feedback, Prediction
from vigie.domain.schema import Feature, Kind, Schema
from vigie.errors import StorageError
from vigie.testing.clock import START
from vigie.testing.conformance.samples import BINARY, REGRESSION, Records


@pytest.fixture
def log(tmp_path):
    """Return a log of two days with three entities."""
    with closing(SqlitePredictionLog(tmp_path / "log.db", durable=False)) as log:
        records = Records()
        made = [records.one(place * 43_200.0, entity=f"client-{place % 3}") for place in range(4)]
        log.append("churn", BINARY, made)
        log.record_feedback("churn", [Feedback(made[0].id, "oui")], received_at=START + timedelta(hours=1))
        yield log


@pytest.fixture
def exports(tmp_path, log):
    """Return a folder with a copy of every day of ``log``."""
    exports = ParquetExports(tmp_path / "new" / "out")
    put_all(log, exports)
    return exports


def put_all(log, exports, model="churn"):
    """Copy every day."""
    for day in log.days(model):
        exports.put(model, day, log.stream(model, day.schema, day.window))


def read(exports):
    """Return every copied row, as somebody without Vigie would read them."""
    return ds.dataset(exports.folder, partitioning="hive").to_table().to_pylist()


def test_copies_say_what_the_log_says(log, exports):
    """Features keep their names, answers and outcomes are plain values, folders are columns."""
    row = read(exports)[0]
    logged = log.rows("churn", BINARY, log.days("churn")[0].window).records.to_pylist()[0]
    assert {name: row[name] for name in BINARY.names} == dict(zip(BINARY.names, Records().one().features, strict=True))
    assert (row["vigie_prediction"], row["vigie_outcome"], row["vigie_probabilities"]) == ("oui", "oui", [0.2, 0.8])
    assert (row["model"], row["day"]) == ("churn", "2026-01-05")
    for name in ("id", "at", "version", "entity", "latency_us", "received_at"):
        assert row[f"vigie_{name}"] == logged[name]


def test_numbers_stay_numbers(log, tmp_path):
    """A regression's answers and outcomes are numbers, null where unknown."""
    records = Records(3)
    made = [records.one(prediction=Prediction(value)) for value in (152.25, 7.0)]
    log.append("price", REGRESSION, made)
    log.record_feedback("price", [Feedback(made[0].id, 150)], received_at=START)
    exports = ParquetExports(tmp_path / "price")
    put_all(log, exports, "price")
    found = [(row["vigie_prediction"], row["vigie_outcome"]) for row in read(exports)]
    assert found == [(152.25, 150.0), (7.0, None)]


def test_feature_with_a_name_of_ours_keeps_its_values(log, tmp_path):
    """A feature called as one of the log's own columns stands beside it, under another name."""
    schema = Schema((Feature("vigie_entity", Kind.NUMBER),), BINARY.target)
    log.append("odd", schema, [Records(3).one(features=(1.5,))])
    exports = ParquetExports(tmp_path / "odd")
    put_all(log, exports, "odd")
    (row,) = read(exports)
    assert (row["vigie_entity"], row["feature_vigie_entity"]) == ("client-7", 1.5)


def test_fingerprint_comes_back(log, exports):
    """A copy tells the state it shows; a day without a copy, or with a torn one, tells nothing."""
    days = log.days("churn")
    assert [exports.fingerprint("churn", day) for day in days] == [day.fingerprint for day in days]
    assert exports.fingerprint("other", days[0]) is None
    exports._path("churn", days[0]).write_bytes(b"PAR1 torn")
    assert exports.fingerprint("churn", days[0]) is None


def test_failed_copy_leaves_the_old_one(log, exports):
    """When reading fails half way, the copy that was there stays whole."""
    day = log.days("churn")[0]

    def breaks():
        yield from log.stream("churn", day.schema, day.window)
        raise OSError(28, "No space left on device")

    with pytest.raises(StorageError, match="No space"):
        exports.put("churn", day, breaks())
    assert len(read(exports)) == 4
    exports.put("churn", day, log.stream("churn", day.schema, day.window))
    assert not list(exports._unfinished())


def test_erased_entity_is_in_no_copy(exports):
    """Rows of the entity go, everybody else's stay, other files keep their bytes."""
    before = {path: path.read_bytes() for path in exports._files()}
    changed = exports.erase("client-1")
    assert [row["vigie_entity"] for row in read(exports)] == ["client-0", "client-2", "client-0"]
    assert changed == [str(path) for path in before if path.exists() and path.read_bytes() != before[path]]
    assert exports.erase("client-1") == []


def test_statistics_forget_too(exports):
    """Parquet keeps the least and the greatest value of each column: the erased entity is not among them."""
    exports.erase("client-2")
    for path in exports._files():
        meta = pq.read_metadata(path)
        place = meta.schema.to_arrow_schema().names.index("vigie_entity")
        found = meta.row_group(0).column(place).statistics
        assert found.has_min_max
        assert "client-2" not in {found.min, found.max}


def test_file_of_nobody_else_goes(log, exports):
    """A file that held only the erased entity is deleted."""
    exports.erase("client-0")
    exports.erase("client-1")
    assert exports.erase("client-2") == [str(exports._path("churn", log.days("churn")[1]))]
    assert list(exports._files()) == []


def test_what_an_interrupted_export_left_goes(exports):
    """An unfinished file may hold anybody: it is reported and deleted."""
    path = next(exports._files())
    left = path.with_name(".abc.parquet.tmp")
    left.write_bytes(path.read_bytes()[:100])
    assert exports.files_of("nobody") == [str(left)]
    assert exports.erase("nobody") == [str(left)]
    assert not left.exists()
