"""Golden rows as training makes them: rows worth remembering, with what the model says of them."""

from collections.abc import Mapping, Sequence

from sklearn.pipeline import Pipeline

from vigie.bundle.golden import GoldenRows, choose_rows
from vigie.domain.schema import Schema, Value
from vigie.errors import DataError
from vigie.inference.sklearn_scorer import SklearnScorer


def golden_rows(model: Pipeline, schema: Schema, columns: Mapping[str, Sequence[Value]]) -> GoldenRows:
    """Return rows with the answers that ``model`` gives them, to be packed with it.

    A model from elsewhere may refuse the made-up rows (missing values, unseen categories): they are then left out.

    Args:
        model: the fitted pipeline, as it will be packed.
        schema: what it takes.
        columns: real rows to choose from, one sequence per feature, at least one row; NaN and None are missing.

    Raises:
        BundleError: the model does not answer them with finite numbers.
        DataError: it refuses real rows.
    """
    chosen, scorer = choose_rows(schema, columns), SklearnScorer(model, schema)
    try:
        return GoldenRows(chosen, tuple(scorer.score(chosen)))
    except (DataError, ValueError):
        made_up = (any(f.nullable for f in schema.features), any(not f.kind.is_numeric for f in schema.features))
        real = {name: values[: len(values) - sum(made_up)] for name, values in chosen.items()}
        return GoldenRows(real, tuple(scorer.score(real)))
