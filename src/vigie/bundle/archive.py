"""A bundle's content as members, and members as a bundle again, its scikit-learn model included where it has one.

Everything but the model is checked by ``members``, before the model is parsed; nothing a member says can widen what is
trusted.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sklearn.pipeline import Pipeline

from vigie.bundle.card import model_card
from vigie.bundle.golden import GoldenRows
from vigie.bundle.manifest import Manifest, Member, library_versions
from vigie.bundle.members import (
    CARD,
    ESTIMATION,
    GOLDEN,
    MANIFEST,
    MODEL,
    PROFILE,
    SCHEMA,
    SCORER,
    check_sizes,
    read_members,
)
from vigie.bundle.serialization import dump_model, load_model
from vigie.bundle.trust import NATIVE_PACKAGES, Trust, native_package
from vigie.domain.measurement import Measurement
from vigie.domain.schema import Schema
from vigie.errors import BundleError


@dataclass(frozen=True, slots=True)
class BundleContent:
    """What training hands over to be packed.

    Attributes:
        name: the registered model's name.
        created_at: when it was trained, UTC.
        schema: features and target.
        model: the fitted pipeline; for classes, fitted on the index of each label in ``schema.target.classes``.
        profile: the reference profile; opaque here.
        golden: rows and what the model says of them.
        metrics: measured on the held-out rows.
        data_digest: SHA-256 of the training table.
        git_commit: of the project, where there is one.
        params: the model's parameters.
        lineage: run, candidate, split, seed and the like, as plain JSON values.
        scorer: the compiled scorer, where the model could be compiled; the only form of a model of a native package.
        estimation: what performance without outcomes is estimated with; opaque here, None where there is none.
    """

    name: str
    created_at: datetime
    schema: Schema
    model: Pipeline
    profile: bytes
    golden: GoldenRows
    metrics: Sequence[Measurement]
    data_digest: str
    git_commit: str | None = None
    params: Mapping[str, str] = field(default_factory=dict)
    lineage: Mapping[str, Any] = field(default_factory=dict)
    scorer: bytes | None = None
    estimation: bytes | None = None


@dataclass(frozen=True, slots=True)
class Bundle:
    """A bundle that passed every check but the golden rows, which need a scorer.

    ``model`` is None where the compiled scorer is all that travels; ``scorer``, still bytes, where there is none.
    """

    manifest: Manifest
    schema: Schema
    model: Pipeline | None
    profile: bytes
    golden: GoldenRows
    card: str
    scorer: bytes | None = None
    estimation: bytes | None = None


def pack(content: BundleContent) -> dict[str, bytes]:
    """Return the members of a bundle.

    Raises:
        BundleError: the model cannot be written without pickle, a member would be too large to be read again, or a
            model of a native package has no compiled scorer.
    """
    members = {
        SCHEMA: json.dumps(content.schema.to_dict(), ensure_ascii=False, indent=2, allow_nan=False).encode(),
        PROFILE: content.profile,
        GOLDEN: content.golden.to_bytes(),
    }
    package = native_package(content.model)
    if package is None:
        members[MODEL] = dump_model(content.model)
    elif content.scorer is None:
        raise BundleError(
            f"A model of {package} travels only as a compiled scorer, and this one has none.",
            remedy="Keep a model that compiles; training says of each why it does not.",
        )
    if content.scorer is not None:
        members[SCORER] = content.scorer
    if content.estimation is not None:
        members[ESTIMATION] = content.estimation
    card = model_card(_manifest(content, members), content.schema)
    members[CARD] = card.encode()
    members[MANIFEST] = _manifest(content, members).to_bytes()
    check_sizes(members)
    return members


def _manifest(content: BundleContent, members: Mapping[str, bytes]) -> Manifest:
    return Manifest(
        name=content.name,
        created_at=content.created_at,
        members={name: Member.of(data) for name, data in members.items()},
        libraries=library_versions(NATIVE_PACKAGES.get(native_package(content.model) or "", ())),
        metrics=tuple(metric.to_dict() for metric in content.metrics),
        data_digest=content.data_digest,
        git_commit=content.git_commit,
        params=content.params,
        lineage=content.lineage,
    )


def unpack(members: Mapping[str, bytes], *, trust: Trust) -> Bundle:
    """Return the bundle that ``members`` are, or refuse.

    Args:
        members: bytes by name, from anywhere.
        trust: types and signatures that this process's owner trusts; never taken from a bundle.

    Raises:
        SignatureError: a signature is required, and there is none that counts.
        BundleCorruptedError: a member's bytes are not the manifest's.
        BundleFormatError: the format is not one this Vigie reads.
        UntrustedContentError: the model holds types that nobody here trusts.
        BundleError: members are missing, unknown or too large, or one of them cannot be read.
    """
    parts = read_members(members, trust=trust)
    model = None if parts.model is None else load_model(parts.model, trusted=trust.types)
    if model is not None:
        _check_columns(model, parts.schema)
    return Bundle(
        parts.manifest,
        parts.schema,
        model,
        parts.profile,
        parts.golden,
        parts.card,
        scorer=parts.scorer,
        estimation=parts.estimation,
    )


def _check_columns(model: Pipeline, schema: Schema) -> None:
    fitted = getattr(model, "feature_names_in_", None)
    if fitted is not None and tuple(fitted) != schema.names:
        raise BundleError("The model was fitted on other columns than schema.json declares, or in another order.")
