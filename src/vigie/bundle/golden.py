"""Rows with known answers: stored when a bundle is made, predicted anew whenever it is opened.

They catch what no digest can: a library that computes otherwise than the one that trained the model.
"""

import json
import math
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import msgspec

from vigie.bundle.manifest import read_json
from vigie.domain.prediction import Prediction
from vigie.domain.schema import Feature, Label, Schema, Value
from vigie.errors import BundleError

MAX_ROWS = 64
"""Rows a bundle may hold, the two made-up ones included."""

RELATIVE_TOLERANCE = 1e-9
"""How far a number may lie from the stored one: far above the noise of a sum's order, far below a wrong answer."""

UNSEEN = "\N{REPLACEMENT CHARACTER}unseen"
"""A category that no table holds."""


@dataclass(frozen=True, slots=True)
class GoldenRows:
    """Columns by feature name, each of ``len(predictions)`` values, and what the model said of every row."""

    columns: Mapping[str, Sequence[Value]]
    predictions: tuple[Prediction, ...]

    def to_bytes(self) -> bytes:
        """Return JSON; floats round-trip exactly."""
        answers = [{"value": p.value, "probabilities": list(p.probabilities)} for p in self.predictions]
        plain = {"columns": {name: list(values) for name, values in self.columns.items()}, "predictions": answers}
        return json.dumps(plain, ensure_ascii=False, allow_nan=False).encode()

    @classmethod
    def from_bytes(cls, content: bytes, schema: Schema) -> "GoldenRows":
        """Read rows that fit ``schema``.

        Raises:
            BundleError: they are not golden rows, or columns and answers do not belong together.
        """
        stored = read_json(content, "golden.json", _Stored)
        n_rows = len(stored.predictions)
        if not 1 <= n_rows <= MAX_ROWS:
            raise BundleError(f"golden.json holds {n_rows} rows; a bundle holds 1 to {MAX_ROWS}.")
        if set(stored.columns) != set(schema.names) or any(len(c) != n_rows for c in stored.columns.values()):
            raise BundleError("golden.json does not hold the columns of the schema, one value a row.")
        for feature in schema.features:
            if not all(_fits(feature, value) for value in stored.columns[feature.name]):
                raise BundleError(f"golden.json holds a value that is no {feature.kind} under {feature.name!r}.")
        return cls(
            {name: tuple(stored.columns[name]) for name in schema.names},
            tuple(Prediction(answer.value, tuple(answer.probabilities)) for answer in stored.predictions),
        )

    def check(self, found: Sequence[Prediction]) -> None:
        """Do nothing when ``found`` are the stored answers.

        Raises:
            BundleError: a number differs by more than ``RELATIVE_TOLERANCE`` (of itself or of the largest one, for
                noise around zero), a probability by more than that, or another class wins without a tie.
        """
        numbers = [abs(p.value) for p in self.predictions if not p.probabilities and isinstance(p.value, (int, float))]
        noise = RELATIVE_TOLERANCE * max(numbers, default=1.0)
        for row, (expected, answer) in enumerate(zip(self.predictions, found, strict=True)):
            if not _same(expected, answer, noise):
                raise BundleError(
                    f"Golden row {row} is answered differently here than when the bundle was made.",
                    remedy="Install the library versions that the manifest names, or train the model again.",
                )


class _Answer(msgspec.Struct, forbid_unknown_fields=True):
    value: float | int | str | bool
    probabilities: list[float]


class _Stored(msgspec.Struct, forbid_unknown_fields=True):
    columns: dict[str, list[float | int | str | bool | None]]
    predictions: list[_Answer]


def choose_rows(schema: Schema, columns: Mapping[str, Sequence[Value]]) -> dict[str, tuple[Value, ...]]:
    """Return at most 64 rows worth remembering: evenly spread real ones, then the two that break scorers.

    The last rows are made up from the first one: every nullable value missing (where there is one), every category
    unseen (where there is one).

    Args:
        schema: names and kinds.
        columns: training or test rows, one sequence of equal length per feature, at least one row.
    """
    n_rows = len(next(iter(columns.values())))
    n_kept = min(n_rows, MAX_ROWS - 2)
    picked = [round(i * (n_rows - 1) / max(n_kept - 1, 1)) for i in range(n_kept)]
    rows = {each.name: [_plain(each, columns[each.name][i]) for i in picked] for each in schema.features}
    variants: list[dict[str, Value]] = [
        {feature.name: None for feature in schema.features if feature.nullable},
        {feature.name: UNSEEN for feature in schema.features if not feature.kind.is_numeric},
    ]
    for changed in variants:
        if changed:
            for name, values in rows.items():
                values.append(changed.get(name, values[0]))
    return {name: tuple(values) for name, values in rows.items()}


def _plain(feature: Feature, value: Value) -> Value:
    """Return the value as JSON can say it: frames write missing as NaN, and integers and booleans as floats."""
    if value is None or value != value:  # noqa: PLR0124 - NaN is the only value unlike itself
        return None
    if feature.kind == "category":
        return str(value)
    if feature.kind == "boolean":
        return bool(value)
    return int(value) if feature.kind == "integer" else float(value)


def _fits(feature: Feature, value: Value) -> bool:
    if value is None:
        return feature.nullable
    if feature.kind == "category":
        return isinstance(value, str)
    if feature.kind == "boolean":
        return isinstance(value, bool)
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return False
    return abs(value) <= sys.float_info.max  # JSON's integers have any length; the model's numbers do not


def _same(expected: Prediction, found: Prediction, noise: float) -> bool:
    if len(expected.probabilities) != len(found.probabilities):
        return False
    if not expected.probabilities:
        one, other = _number(expected.value), _number(found.value)
        return math.isclose(one, other, rel_tol=RELATIVE_TOLERANCE, abs_tol=noise)  # NaN is close to nothing
    pairs = zip(expected.probabilities, found.probabilities, strict=True)
    if any(abs(one - other) > RELATIVE_TOLERANCE for one, other in pairs):
        return False
    first, *others = sorted(expected.probabilities, reverse=True)
    tied = bool(others) and first - others[0] <= 2 * RELATIVE_TOLERANCE
    return tied or (type(expected.value) is type(found.value) and expected.value == found.value)


def _number(value: Label) -> float:
    return math.nan if isinstance(value, (bool, str)) else float(value)
