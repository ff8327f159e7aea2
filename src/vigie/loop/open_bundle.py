"""Golden rows are made before a bundle is packed and predicted anew when it is opened; a model serves if they agree."""

from collections.abc import Mapping, Sequence

from sklearn.pipeline import Pipeline

from vigie.bundle.archive import unpack
from vigie.bundle.golden import GoldenRows, choose_rows
from vigie.domain.schema import Schema, Value
from vigie.errors import BundleError, VigieError
from vigie.inference.scorer import SklearnScorer
from vigie.inference.slots import ServingModel
from vigie.ports import Members


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


def open_bundle(members: Members, *, version: str, trusted: frozenset[str]) -> ServingModel:
    """Return the model that a bundle holds, ready to serve.

    Args:
        members: the bundle's files.
        version: under which the registry knows it.
        trusted: type names that this process's owner trusts; see ``bundle.trust``.

    Raises:
        BundleError: the bundle is refused, or its golden rows are answered differently here.
    """
    bundle = unpack(members, trusted=trusted)
    scorer = SklearnScorer(bundle.model, bundle.schema)
    try:
        answers = scorer.score(bundle.golden.columns)
    except VigieError:
        raise
    except Exception as exc:  # the promise: a bundle whose model fails is refused, and the one that serves goes on
        raise BundleError(f"The model fails on the bundle's own golden rows ({type(exc).__name__}).") from exc
    bundle.golden.check(answers)
    return ServingModel(bundle.manifest.name, version, bundle.schema, scorer, bundle.manifest.created_at)
