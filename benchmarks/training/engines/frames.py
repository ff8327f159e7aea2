"""Frames for the peers that want category columns: the levels are kept beside the model, as careful users keep them."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd


@dataclass(frozen=True, slots=True)
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
        return self.typed(pd.DataFrame.from_records(list(records), columns=self.names))

    def typed(self, frame: pd.DataFrame) -> pd.DataFrame:
        """Return the frame with numbers as float64 and text as categories of the known levels."""
        levels = {name: pd.CategoricalDtype(self.levels[name]) for name in self.levels}
        return frame.astype({name: levels.get(name, "float64") for name in self.names})

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
    return columns.typed(table), y, columns


def both_classes(positive: np.ndarray) -> list[list[float]]:
    """Return P(negative), P(positive) per row."""
    return np.column_stack([1 - positive, positive]).tolist()  # type: ignore[no-any-return]
