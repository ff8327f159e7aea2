"""Golden rows as training makes them: rows worth remembering, with what the model says of them."""

from collections.abc import Mapping, Sequence

from sklearn.pipeline import Pipeline

from vigie.bundle.golden import GoldenRows, choose_rows
from vigie.domain.schema import Schema, Value
from vigie.inference.sklearn_scorer import SklearnScorer


def golden_rows(model: Pipeline, schema: Schema, columns: Mapping[str, Sequence[Value]]) -> GoldenRows:
    """Return rows with the answers that ``model`` gives them, to be packed with it.

    Args:
        model: the fitted pipeline, as it will be packed.
        schema: what it takes.
        columns: real rows to choose from, one sequence per feature, at least one row; NaN and None are missing.

    Raises:
        BundleError: the model does not answer them with finite numbers.
    """
    chosen = choose_rows(schema, columns)
    return GoldenRows(chosen, tuple(SklearnScorer(model, schema).score(chosen)))
