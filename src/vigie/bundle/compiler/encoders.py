"""Encoders as tables. The fitted encoder is asked, so that its options need not be understood."""

import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from sklearn.preprocessing import OneHotEncoder, TargetEncoder

from vigie.bundle.compiler.expression import Block, Column, Expression, UnsupportedError, plain

UNSEEN = "\N{REPLACEMENT CHARACTER}unseen"

Key = str | float


def encode(encoder: Any, columns: Sequence[Column]) -> Block:
    """Return the columns that a fitted OneHotEncoder, OrdinalEncoder or TargetEncoder makes.

    Raises:
        UnsupportedError: it answers in float32, whose rounding later steps would inherit.
    """
    if np.dtype(getattr(encoder, "dtype", np.float64)) == np.float32:
        raise UnsupportedError("its encoder answers in float32")
    asked = _Asked(encoder, [column.checked() for column in columns])
    found: list[Column] = []
    for place, column in enumerate(asked.columns):
        known = asked.known(place)
        rows = asked.answers(place, known)
        unknown, absent = asked.answer(place, asked.stranger(place)), asked.answer(place, np.nan)
        for k in range(asked.widths[place]):
            table = [(key, plain(row[k])) for key, row in zip(known, rows, strict=True)]
            found.append(Column(_table(column.expression, table, _cell(unknown, k), _cell(absent, k))))
    sparse = isinstance(encoder, OneHotEncoder) and bool(encoder.sparse_output)
    return Block(tuple(found), sparse)


def places(encoder: Any, columns: Sequence[Column]) -> list[list[tuple[Key, int]]]:
    """Return for each column of an OrdinalEncoder the place of every category, as native category splits count them."""
    asked = _Asked(encoder, columns)
    found = []
    for place in range(len(columns)):
        known = asked.known(place)
        found.append([(key, int(row[0])) for key, row in zip(known, asked.answers(place, known), strict=True)])
    return found


def _table(
    expression: Expression,
    table: list[tuple[Key, float | str]],
    unknown: float | str | None,
    absent: float | str | None,
) -> Expression:
    """Return a look-up that lists only what is not answered as an unknown category is."""
    listed = [[key, value] for key, value in table if unknown is None or value != unknown]
    return ["tab", expression, listed, unknown, absent]


def _cell(answer: Sequence[float] | None, k: int) -> float | str | None:
    return None if answer is None else plain(answer[k])


class _Asked:
    """A fitted encoder and the rows to ask it with: one feature varies, the others hold a known category."""

    def __init__(self, encoder: Any, columns: Sequence[Column]) -> None:
        self.columns = columns
        self._encoder = encoder
        self._base = [self._keys(place) or [np.nan] for place in range(len(columns))]
        if isinstance(encoder, OneHotEncoder):
            self.widths = [int(width) for width in encoder._n_features_outs]  # noqa: SLF001 - the only place of it
        else:  # a TargetEncoder of several classes makes a column a class
            made = len(encoder.encodings_) if isinstance(encoder, TargetEncoder) else len(columns)
            self.widths = [made // len(columns)] * len(columns)
        self._starts = np.concatenate([[0], np.cumsum(self.widths)])

    def known(self, place: int) -> list[Key]:
        """Return the categories that the column can hold."""
        return [key for key in self._keys(place) if key == key]  # noqa: PLR0124 - NaN is asked for as missing

    def stranger(self, place: int) -> Key:
        """Return a category that the encoder has not seen."""
        known = self.known(place)
        if self.columns[place].text:
            return UNSEEN + "".join(str(key) for key in known if str(key).startswith(UNSEEN))
        return max((abs(float(key)) for key in known), default=0.0) * 2.0 + 12345.75

    def answers(self, place: int, values: Sequence[Any]) -> list[list[float]]:
        """Return the columns that ``place`` becomes, one row per value."""
        if not values:
            return []
        low, high = self._starts[place], self._starts[place + 1]
        cells = [values if i == place else [base[0]] * len(values) for i, base in enumerate(self._base)]
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # unknown categories are what we ask about
            made = self._encoder.transform(self._table(cells))
        dense = np.asarray(made.toarray() if hasattr(made, "toarray") else made)
        rows: list[list[float]] = dense[:, low:high].astype(np.float64).tolist()
        return rows

    def answer(self, place: int, value: Any) -> list[float] | None:
        """Return what one value becomes, None when it is refused."""
        try:
            return self.answers(place, [value])[0]
        except ValueError:
            return None

    def _keys(self, place: int) -> list[Key]:
        found = self._encoder.categories_[place].tolist()
        if self.columns[place].text:
            return [key for key in found if isinstance(key, str)]
        return [float(key) for key in found if isinstance(key, (bool, int, float))]

    def _table(self, cells: Sequence[Sequence[Any]]) -> Any:
        """Return the cells as the encoder was fitted: a frame with its names, or an array."""
        kinds = [object if column.text else np.float64 for column in self.columns]
        names = getattr(self._encoder, "feature_names_in_", None)
        if names is not None:
            arrays = zip(names, cells, kinds, strict=True)
            return pd.DataFrame({name: pd.Series(list(values), dtype=kind) for name, values, kind in arrays})
        table = np.empty((len(cells[0]), len(cells)), dtype=object if object in kinds else np.float64)
        for i, values in enumerate(cells):
            table[:, i] = values
        return table
