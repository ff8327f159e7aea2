"""Rows as the peers take them; the levels of categories are kept beside the model, as careful users keep them."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd


@dataclass(frozen=True)
class Columns:
    """What a frame must look like when the model is asked again.

    Attributes:
        names: features in order.
        levels: of each categorical feature, the values met in training.
        classes: sorted labels; empty for a number.
    """

    names: list[str]
    levels: dict[str, list[str]]
    classes: list[str]

    def frame(self, records: Sequence[dict[str, Any]]) -> pd.DataFrame:
        """Return rows as the model was trained on; a level it never met is a missing value."""
        return self.typed({name: [record[name] for record in records] for name in self.names})

    def typed(self, columns: Mapping[str, Any]) -> pd.DataFrame:
        """Return columns as a frame, numbers as float64 and text as categories of the known levels.

        Column by column: ``astype`` on a frame of one row takes twice as long, and the peers should not pay for that.
        """
        numbers = {name: np.asarray(columns[name], np.float64) for name in self.names if name not in self.levels}
        texts = {name: self._category(name, columns[name]) for name in self.levels}
        return pd.DataFrame(numbers | texts, columns=self.names, copy=False)

    def _category(self, name: str, values: Iterable[Any]) -> "pd.Categorical[Any]":
        codes = [self._codes[name].get(value, -1) for value in values]
        return pd.Categorical.from_codes(codes, dtype=pd.CategoricalDtype(self.levels[name]))

    def matrix(self, records: Sequence[dict[str, Any]]) -> np.ndarray:
        """Return rows as numbers: a category is the place of its level, a level never met is missing.

        What LightGBM and XGBoost make of a frame, without the frame: of one row it takes them twenty times as long as
        the prediction.
        """
        codes, names = self._codes, self.names
        rows = [[codes[name].get(row[name]) if name in codes else row[name] for name in names] for row in records]
        return np.array(rows, np.float64)

    @cached_property
    def _codes(self) -> dict[str, dict[str, int]]:
        return {name: {level: n for n, level in enumerate(levels)} for name, levels in self.levels.items()}

    def save(self, folder: Path) -> None:
        """Write it beside the model."""
        (folder / "columns.json").write_text(json.dumps(asdict(self)), encoding="utf-8")

    @staticmethod
    def read(folder: Path) -> "Columns":
        """Read what ``save`` wrote."""
        return Columns(**json.loads((folder / "columns.json").read_bytes()))


def training_frame(request: Any) -> tuple[pd.DataFrame, np.ndarray, Columns]:
    """Return the features (text as categories), the target (classes as numbers from 0), and the columns."""
    table = pd.read_parquet(request["train"])
    target = table.pop(request["target"])
    names = [str(name) for name in table]
    texts = [name for name in names if not pd.api.types.is_numeric_dtype(table[name])]
    levels = {name: sorted(table[name].dropna().unique().tolist()) for name in texts}
    classes = [] if request["task"] == "regression" else sorted(target.unique().tolist())
    columns = Columns(names, levels, classes)
    y = target.to_numpy(np.float64) if not classes else target.map(classes.index).to_numpy(np.int64)
    return columns.typed({name: table[name] for name in names}), y, columns


def training_matrix(request: Any) -> tuple[np.ndarray, np.ndarray, Columns]:
    """Return what ``training_frame`` returns, the features as numbers; see ``Columns.matrix``."""
    X, y, columns = training_frame(request)
    numbers = [_codes(X[name]) if name in columns.levels else X[name].to_numpy() for name in columns.names]
    return np.column_stack(numbers), y, columns


def _codes(categories: "pd.Series[Any]") -> np.ndarray:
    codes = categories.cat.codes.to_numpy(np.float64)
    return np.where(codes < 0, np.nan, codes)


def both_classes(positive: np.ndarray) -> list[list[float]]:
    """Return P(negative), P(positive) per row."""
    return np.column_stack([1 - positive, positive]).tolist()  # type: ignore[no-any-return]
