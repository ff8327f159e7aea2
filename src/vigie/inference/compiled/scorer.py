"""The first link of the chain: a model made of plain arrays, which answers one row in microseconds."""

from collections.abc import Callable, Mapping, Sequence
from math import inf, isfinite

from vigie.domain.prediction import Prediction
from vigie.domain.schema import Schema, Value
from vigie.errors import BundleError
from vigie.inference.compiled import linear, trees
from vigie.inference.compiled.layout import Linear, Spec, Trees
from vigie.inference.compiled.links import LINKS, ULPS
from vigie.inference.compiled.reading import read_spec
from vigie.inference.compiled.source import ColumnSource, Row
from vigie.inference.refusals import overflow

FLOAT32_OVERFLOW = 3.4028235677973366e38
"""The smallest float64 that float32 rounds to infinity."""


class CompiledScorer:
    """A model from ``scorer.json``. It refuses what scikit-learn refuses, and answers what scikit-learn answers.

    Trees give the same raw scores to the last bit; weighted sums differ by ``noise``; links by ``ulps``. As for any
    scorer, the predicted class is the most probable one, the first of equals.

    Args:
        content: ``scorer.json``, from anywhere.
        schema: what the model takes and what it predicts.

    Raises:
        BundleError: ``content`` is not a spec of a model for this schema.
    """

    kind = "compiled"

    def __init__(self, content: bytes, schema: Schema) -> None:
        self._spec = read_spec(content, schema)
        self._schema = schema
        self._classes = schema.target.classes
        self._link = LINKS[self._spec.link]
        self._raw, self._noise = _build(self._spec, schema)

    @property
    def spec(self) -> Spec:
        """The checked arrays."""
        return self._spec

    @property
    def ulps(self) -> int:
        """Units in the last place by which the link may differ from scikit-learn's."""
        return ULPS[self._spec.link]

    def score(self, columns: Mapping[str, Sequence[Value]]) -> list[Prediction]:
        """Return one prediction per row, in order; see ``Scorer``."""
        return self.score_rows(list(zip(*(columns[name] for name in self._schema.names), strict=True)))

    def score_rows(self, rows: Sequence[tuple[Value, ...]]) -> list[Prediction]:
        """Return one prediction per row, in order; see ``Scorer``."""
        link, raw, classes = self._link, self._raw, self._classes
        answers = [link(raw(row)) for row in rows]
        if not all(map(isfinite, map(sum, answers))):
            refused = (row for row, said in zip(rows, answers, strict=True) if not isfinite(sum(said)))
            raise self._not_finite(next(refused))
        if not classes:
            return [Prediction(said[0]) for said in answers]
        return [Prediction(classes[said.index(max(said))], said) for said in answers]

    def raw(self, row: Row) -> tuple[float, ...]:
        """Return the K scores of one row before the link.

        Raises:
            DataError: the model cannot take the row.
        """
        return tuple(self._raw(row))

    def noise(self, row: Row) -> float:
        """Return how far scikit-learn's raw scores of this row may lie from ours; 0 for trees."""
        return self._noise(row)

    def answer(self, row: Row) -> Prediction:
        """Return the prediction for one row of values in the order of the schema.

        Raises:
            DataError: the model cannot take the row.
        """
        return self.score_rows([tuple(row)])[0]

    def _not_finite(self, row: Row) -> Exception:
        found = overflow(self._schema, {name: [value] for name, value in zip(self._schema.names, row, strict=True)})
        return found or BundleError("The model answered something that is no finite number.")


def _build(spec: Spec, schema: Schema) -> tuple[Callable[[Row], Sequence[float]], Callable[[Row], float]]:
    columns = ColumnSource(spec.cols, schema.names)
    if isinstance(spec, Linear):
        return linear.generate(spec, columns), linear.noise(spec, columns)
    if not (spec.inf and spec.nan):
        columns.check(spec.cols, bound=_bound(spec), nan_taken=spec.nan)
    make = trees.generate if trees.is_generated(spec) else trees.walker
    return make(spec, columns), lambda _row: 0.0


def _bound(spec: Trees) -> float:
    return FLOAT32_OVERFLOW if spec.f32 else inf
