"""The last link of the chain at start: a bundle's scikit-learn model, opened by our audited reader.

Kept apart because it loads scikit-learn, which a server of compiled models does without.
"""

from collections.abc import Mapping

from vigie.bundle.archive import unpack
from vigie.bundle.trust import Trust
from vigie.errors import BundleError, DataError, VigieError
from vigie.inference.scorer import Scorer
from vigie.inference.sklearn_scorer import SklearnScorer


def sklearn_scorer(members: Mapping[str, bytes], *, trust: Trust) -> Scorer:
    """Return a scorer that answers the bundle's golden rows as it did when it was made.

    Args:
        members: the bundle's files.
        trust: types and signatures that this process's owner trusts.

    Raises:
        BundleError: the bundle is refused, or its golden rows are answered differently here.
    """
    bundle = unpack(members, trust=trust)
    if bundle.model is None:
        raise BundleError("The bundle holds a compiled scorer alone, and no scikit-learn model to ask.")
    scorer = SklearnScorer(bundle.model, bundle.schema)
    first = {name: values[:1] for name, values in bundle.golden.columns.items()}
    try:
        scorer.score(first)  # alone, so that a model with a million answers a row is refused at the first million
        answers = scorer.score(bundle.golden.columns)
    except DataError as exc:
        raise BundleError("The model refuses one of the bundle's own golden rows.") from exc
    except VigieError:
        raise
    except Exception as exc:  # the promise: a bundle whose model fails is refused, and the one that serves goes on
        raise BundleError(f"The model fails on the bundle's own golden rows ({type(exc).__name__}).") from exc
    bundle.golden.check(answers)
    return scorer
