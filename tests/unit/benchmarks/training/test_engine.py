"""The process of an engine, and what peers are asked with."""

import json
from pathlib import Path

import numpy as np
import pytest

from benchmarks.training.engines import engine
from benchmarks.training.engines.frames import Columns


def test_serving_answers_every_row_once_and_in_order(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Rows are asked in batches, each once, and every figure is measured."""
    monkeypatch.setattr(engine, "_SLICE_S", 0.001)
    (tmp_path / "records.json").write_text(json.dumps([{"x": n} for n in range(2_500)]))
    sizes: set[int] = set()

    def load(_folder: Path) -> engine.Score:
        return lambda records: sizes.add(len(records)) or [row["x"] for row in records]

    found = engine._serve(load, {"records": str(tmp_path / "records.json"), "folder": str(tmp_path)}, 0.5)
    assert found["predictions"] == list(range(2_500))
    assert sizes == {1, 500, 1_000}
    assert found["first_answer_s"] >= found["import_s"] + found["load_s"] >= 0.5
    assert 0 < found["row_ms"] < found["batch_ms"]


def test_a_small_table_is_repeated_to_a_thousand_rows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The cost of a thousand rows is that of a thousand rows, also where fewer are held out."""
    monkeypatch.setattr(engine, "_SLICE_S", 0.001)
    (tmp_path / "records.json").write_text(json.dumps([{"x": n} for n in range(7)]))
    sizes: set[int] = set()

    def load(_folder: Path) -> engine.Score:
        return lambda records: sizes.add(len(records)) or [0.0] * len(records)

    assert (
        engine._serve(load, {"records": str(tmp_path / "records.json"), "folder": ""}, 0.0)["predictions"] == [0.0] * 7
    )
    assert sizes == {1, 7, 1_000}


def test_levels_are_those_of_training(tmp_path: Path) -> None:
    """A category is the place of its level; a level never met, and a missing value, are missing."""
    columns = Columns(["n", "c"], {"c": ["a", "b"]}, ["no", "yes"])
    columns.save(tmp_path)
    records = [{"c": "b", "n": 1}, {"c": "never met", "n": None}, {"c": None, "n": 2.5}]
    read = Columns.read(tmp_path)
    expected = np.array([[1.0, 1.0], [np.nan, np.nan], [2.5, np.nan]])
    np.testing.assert_array_equal(read.matrix(records), expected)
    frame = read.frame(records)
    np.testing.assert_array_equal(frame["n"].to_numpy(), expected[:, 0])
    assert frame["c"].cat.codes.tolist() == [1, -1, -1]
