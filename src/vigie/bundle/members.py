"""The members of a bundle, checked in the order that keeps everyone safe, and all of them read but the model.

Names, sizes, signature, manifest, digests, schema, golden rows: nothing is parsed before its digest is known to be the
manifest's, and where signatures are required, the manifest not before its signature is known to be good.
A bundle with a compiled scorer serves from here: neither scikit-learn nor the reader of its models is needed.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from vigie.bundle.golden import GoldenRows
from vigie.bundle.manifest import Manifest, Member
from vigie.bundle.schema_member import read_schema
from vigie.bundle.signature import MAX_SIGNATURE_BYTES, SIGNATURE, Signer, check_signature, sign_manifest
from vigie.bundle.trust import Trust
from vigie.domain.schema import Schema
from vigie.errors import BundleCorruptedError, BundleError

MANIFEST, SCHEMA, MODEL, PROFILE, GOLDEN, CARD, SCORER, ESTIMATION = (
    "manifest.json",
    "schema.json",
    "model.skops",
    "profile.json",
    "golden.json",
    "card.md",
    "scorer.json",
    "estimation.json",
)

MAX_BYTES: Mapping[str, int] = {
    MANIFEST: 2**20,
    SCHEMA: 16 * 2**20,
    MODEL: 512 * 2**20,
    PROFILE: 64 * 2**20,
    GOLDEN: 16 * 2**20,
    CARD: 16 * 2**20,
    SCORER: 64 * 2**20,
    ESTIMATION: 16 * 2**20,
    SIGNATURE: MAX_SIGNATURE_BYTES,
}
"""Every member that a bundle may have, and the most bytes of it that are read."""

OPTIONAL = frozenset({MODEL, SCORER, ESTIMATION, SIGNATURE})
"""A bundle has a model, a scorer or both. A model that could not be compiled has no scorer of its own, and its lineage
says why; one that would have to be parsed by native code travels as its scorer alone, see ``trust``. What performance
is estimated with needs rows that the model had not learnt from. A signature is its owner's choice."""


@dataclass(frozen=True, slots=True)
class Parts:
    """A bundle that passed every check but the ones that need its model or its scorer.

    Attributes:
        manifest: what the bundle says of itself.
        schema: features and target.
        golden: rows and what the model said of them.
        card: for a person.
        profile: the reference profile; opaque here.
        model: the fitted pipeline, still bytes; None where only its compiled form travels.
        scorer: the compiled scorer, still bytes; None where there is none.
        estimation: what performance without outcomes is estimated with; opaque here, None where there is none.
    """

    manifest: Manifest
    schema: Schema
    golden: GoldenRows
    card: str
    profile: bytes
    model: bytes | None
    scorer: bytes | None
    estimation: bytes | None


def read_members(members: Mapping[str, bytes], *, trust: Trust) -> Parts:
    """Return what ``members`` say, leaving the model and the scorer as bytes.

    Args:
        members: bytes by name, from anywhere.
        trust: what this process's owner asks of a bundle.

    Raises:
        SignatureError: a signature is required, and there is none that counts.
        BundleCorruptedError: a member's bytes are not the manifest's.
        BundleFormatError: the format is not one this Vigie reads.
        BundleError: members are missing, unknown or too large, or one of them cannot be read.
    """
    _check_names(members)
    check_sizes(members)
    check_signature(members[MANIFEST], members.get(SIGNATURE), trust)
    manifest = Manifest.from_bytes(members[MANIFEST])
    _check_digests(manifest, members)
    schema = read_schema(members[SCHEMA])
    golden = GoldenRows.from_bytes(members[GOLDEN], schema)
    try:
        card = members[CARD].decode()
    except UnicodeDecodeError as exc:
        raise BundleError(f"{CARD} is not UTF-8.") from exc
    return Parts(
        manifest,
        schema,
        golden,
        card,
        members[PROFILE],
        model=members.get(MODEL),
        scorer=members.get(SCORER),
        estimation=members.get(ESTIMATION),
    )


def signed(members: Mapping[str, bytes], signer: Signer | None) -> dict[str, bytes]:
    """Return the members with a signature of their manifest, or as they are when nobody is there to sign."""
    return dict(members) if signer is None else {**members, SIGNATURE: sign_manifest(members[MANIFEST], signer)}


def check_sizes(members: Mapping[str, bytes]) -> None:
    """Do nothing when no member is larger than what is read of it.

    Raises:
        BundleError: one is.
    """
    for name, data in members.items():
        if len(data) > MAX_BYTES[name]:
            raise BundleError(f"{name} has {len(data):,} bytes; at most {MAX_BYTES[name]:,} are read.")


def _check_names(members: Mapping[str, bytes]) -> None:
    unknown = sorted(str(name) for name in members if name not in MAX_BYTES)
    if unknown:
        raise BundleError(f"The bundle holds {len(unknown)} unknown member(s), the first is {unknown[0][:80]!a}.")
    missing = sorted(set(MAX_BYTES) - set(members) - OPTIONAL)
    if missing:
        raise BundleError(f"The bundle lacks {', '.join(missing)}.")
    if not {MODEL, SCORER} & set(members):
        raise BundleError(f"The bundle holds neither {MODEL} nor {SCORER}: there is nothing to answer with.")


def _check_digests(manifest: Manifest, members: Mapping[str, bytes]) -> None:
    described = set(members) - {MANIFEST, SIGNATURE}
    if set(manifest.members) != described:
        raise BundleError("manifest.json does not describe exactly the members that the bundle has.")
    for name in sorted(described):
        expected, found = manifest.members[name], Member.of(members[name])
        if found != expected:
            raise BundleCorruptedError(name, expected_digest=expected.sha256, found_digest=found.sha256)
