"""Golden rows are predicted anew when a bundle is opened; a model serves if its answers are the stored ones."""

from collections.abc import Mapping

from vigie.bundle.members import Parts, read_members
from vigie.bundle.trust import Trust
from vigie.errors import BundleError, DataError
from vigie.inference.compiled.parity import agree
from vigie.inference.compiled.scorer import CompiledScorer
from vigie.inference.scorer import Scorer
from vigie.inference.slots import ServingModel


def open_bundle(members: Mapping[str, bytes], *, version: str, trust: Trust) -> ServingModel:
    """Return the model that a bundle holds, ready to serve.

    A compiled scorer is taken where the bundle has one: neither scikit-learn nor its models are then touched.

    Args:
        members: the bundle's files.
        version: under which the registry knows it.
        trust: types and signatures that this process's owner trusts.

    Raises:
        SignatureError: a signature is required, and there is none that counts.
        BundleError: the bundle is refused, or its golden rows are answered differently here.
    """
    parts = read_members(members, trust=trust)
    scorer = _sklearn(members, trust) if parts.scorer is None else _compiled(parts.scorer, parts)
    return ServingModel(parts.manifest.name, version, parts.schema, scorer, parts.manifest.created_at)


def check_name(found: str, wanted: str) -> None:
    """Do nothing when a bundle is of the model that was asked for.

    Raises:
        BundleError: it is another's: whoever exchanges bundles needs no key of ours to do that.
    """
    if found != wanted:
        raise BundleError(f"This is a bundle of the model {found[:80]!a}, not of {wanted!r}.")


def _compiled(content: bytes, parts: Parts) -> Scorer:
    scorer = CompiledScorer(content, parts.schema)
    rows = zip(*(parts.golden.columns[name] for name in parts.schema.names), strict=True)
    for n, (row, expected) in enumerate(zip(rows, parts.golden.predictions, strict=True)):
        try:
            found = scorer.answer(row)
        except DataError as exc:
            raise BundleError("The compiled scorer refuses one of the bundle's own golden rows.") from exc
        if not agree(expected, found, ulps=scorer.ulps, noise=scorer.noise(row)):
            raise BundleError(
                f"Golden row {n} is answered differently here than when the bundle was made.",
                remedy="Train the model again on a machine like this one.",
            )
    return scorer


def _sklearn(members: Mapping[str, bytes], trust: Trust) -> Scorer:
    try:
        from vigie.loop.open_sklearn import sklearn_scorer  # noqa: PLC0415 - a server of compiled models has no sklearn
    except ImportError as exc:
        raise BundleError(
            "The bundle has no compiled scorer, and scikit-learn is not installed here.",
            remedy="Install the whole of vigie on this server, or train a model that compiles.",
        ) from exc
    return sklearn_scorer(members, trust=trust)
