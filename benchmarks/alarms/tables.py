"""Real tables as codes, so that references and windows of any rows are counted without touching a value again."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from sklearn.datasets import load_breast_cancer

from vigie.monitoring.columns import CategoryColumn, Column, numeric_column
from vigie.monitoring.grid import LevelCounts


@dataclass(frozen=True, slots=True, eq=False)
class RealColumn:
    """One column of a real table.

    Attributes:
        name: as the table calls it.
        data: float64 with NaN for missing, or codes of ``levels`` with -1 for missing; shape (n_rows,).
        levels: sorted; None for a number.
    """

    name: str
    data: np.ndarray
    levels: tuple[str, ...] | None

    def summarised(self, rows: np.ndarray) -> Column:
        """Return the reference that these rows make."""
        if self.levels is None:
            return numeric_column(self.name, self.data[rows])
        codes = self.data[rows]
        seen = np.unique(codes[codes >= 0])
        halves = (LevelCounts(_level_cells(codes[start::2], seen)) for start in (0, 1))
        return CategoryColumn(self.name, tuple(self.levels[code] for code in seen.tolist()), *halves)

    def counted(self, column: Column, windows: Sequence[np.ndarray]) -> np.ndarray:
        """Return the counts of windows of rows on a reference's grid, shape (n_windows, n_cells)."""
        if isinstance(column, CategoryColumn):
            known = np.searchsorted(self.levels or (), column.levels)
            return np.array([_level_cells(self.data[rows], known) for rows in windows])
        return np.array([_number_cells(self.data[rows], column.edges) for rows in windows])


def columns_of(frame: pd.DataFrame) -> list[RealColumn]:
    """Return the columns of a frame: numbers and booleans as numbers, all else as text."""
    return [_column(name, frame[name]) for name in frame.columns]


def breast_cancer() -> pd.DataFrame:
    """Return the 30 measurements of 569 tumours."""
    frame: pd.DataFrame = load_breast_cancer(as_frame=True).data
    return frame


def _column(name: str, series: pd.Series) -> RealColumn:
    if pd.api.types.is_numeric_dtype(series):
        return RealColumn(name, series.to_numpy(dtype=np.float64, na_value=np.nan), None)
    codes, levels = pd.factorize(series.astype("string").astype(object), sort=True)
    return RealColumn(name, codes, tuple(str(level) for level in levels))


def _level_cells(codes: np.ndarray, known: np.ndarray) -> np.ndarray:
    """Return counts as ``LevelCounts`` lays them out: known levels, other ones, missing."""
    place = np.searchsorted(known, codes)
    is_known = known[np.minimum(place, len(known) - 1)] == codes if len(known) else np.zeros(len(codes), dtype=bool)
    place = np.where(is_known, place, np.where(codes < 0, len(known) + 1, len(known)))
    return np.bincount(place, minlength=len(known) + 2)


def _number_cells(values: np.ndarray, edges: np.ndarray) -> np.ndarray:
    cells = np.searchsorted(edges, values, side="left")
    cells[np.isnan(values)] = len(edges) + 1
    return np.bincount(cells, minlength=len(edges) + 2)
