"""The table of contents of a bundle: what is inside, with digests, and where it comes from."""

import hashlib
import json
import platform
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from importlib.metadata import PackageNotFoundError, version
from typing import Any, TypeVar

import msgspec

from vigie.bundle.compat import FORMAT_VERSION, check_format
from vigie.domain.window import check_utc
from vigie.errors import BundleError

LIBRARIES = ("vigie", "scikit-learn", "numpy", "pandas", "skops")
"""Whose versions a bundle remembers, beside Python's: the ones that can change an answer."""


@dataclass(frozen=True, slots=True)
class Member:
    """One file of the bundle: SHA-256 in hex, size in bytes."""

    sha256: str
    size: int

    @classmethod
    def of(cls, content: bytes) -> "Member":
        """Return the entry that describes ``content``."""
        return cls(hashlib.sha256(content).hexdigest(), len(content))


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a bundle says of itself.

    Attributes:
        name: the registered model's name.
        created_at: when the model was trained, UTC.
        members: every other file of the bundle.
        libraries: version by distribution name, and ``python``.
        metrics: measurements on the held-out rows, as ``Measurement.to_dict`` writes them.
        data_digest: SHA-256 of the training table.
        git_commit: of the project that trained it, where there is one.
        params: the model's parameters, as words.
        lineage: run, candidate, split, seed and whatever else tells where the model comes from.
        format_version: see ``compat``.
    """

    name: str
    created_at: datetime
    members: Mapping[str, Member]
    libraries: Mapping[str, str]
    metrics: tuple[Mapping[str, Any], ...]
    data_digest: str
    git_commit: str | None
    params: Mapping[str, str]
    lineage: Mapping[str, Any] = field(default_factory=dict)
    format_version: int = FORMAT_VERSION

    def to_bytes(self) -> bytes:
        """Return the manifest as JSON that a person can read; the inverse of ``from_bytes``."""
        plain = msgspec.to_builtins(self)
        return json.dumps(plain, ensure_ascii=False, indent=2, sort_keys=True, allow_nan=False).encode()

    @classmethod
    def from_bytes(cls, content: bytes) -> "Manifest":
        """Read a manifest strictly: the format version first, then every field with its type.

        Raises:
            BundleFormatError: the version is not one this Vigie reads.
            BundleError: it is not JSON, or lacks a field, or a field has another type.
        """
        plain = read_json(content, "manifest.json", dict)
        check_format(plain.get("format_version"))
        unknown = sorted(set(plain) - set(cls.__dataclass_fields__))
        if unknown:
            raise BundleError(f"manifest.json has {len(unknown)} field(s) that format {FORMAT_VERSION} does not know.")
        try:
            manifest = msgspec.convert(plain, cls)
            created_at = check_utc(manifest.created_at)
        except (msgspec.ValidationError, ValueError, OverflowError) as exc:
            raise BundleError(f"manifest.json cannot be read: {exc}.") from exc
        object.__setattr__(manifest, "created_at", created_at)
        return manifest


T = TypeVar("T")


def read_json(content: bytes, member: str, kind: type[T]) -> T:
    """Return the JSON value of a member; NaN, infinities, bytes that are not UTF-8 and repeated keys are refused.

    Args:
        content: the member.
        member: its name, for the reader.
        kind: what it must be. What is something else is refused where it begins, before the rest is built.

    Raises:
        BundleError: it is not JSON, nested too deep, or of another kind.
    """
    try:
        found = msgspec.json.decode(content, type=kind)
        json.loads(content, object_pairs_hook=unique)
    except msgspec.ValidationError as exc:
        raise BundleError(f"{member} cannot be read: {exc}.") from exc
    except (msgspec.DecodeError, ValueError, RecursionError) as exc:
        raise BundleError(f"{member} is not readable JSON ({type(exc).__name__}).") from exc
    return found


def unique(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    """Return a JSON object's pairs as a dict.

    Raises:
        BundleError: a key stands twice, and another reader might take the other one.
    """
    found = dict(pairs)
    if len(found) < len(pairs):
        raise BundleError("A JSON object of the bundle has a key twice.")
    return found


def library_versions(fitted_by: Iterable[str] = ()) -> dict[str, str]:
    """Return the installed versions of the libraries that can change an answer.

    Args:
        fitted_by: names under which the package that fitted the model may be installed.
    """
    found = {"python": platform.python_version()} | {name: version(name) for name in LIBRARIES}
    for name in fitted_by:
        with suppress(PackageNotFoundError):
            found[name] = version(name)
    return found
