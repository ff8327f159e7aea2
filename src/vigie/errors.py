"""Everything Vigie raises, as one tree.

VigieError
├── ConfigurationError            vigie.toml, environment or arguments are wrong
├── DataError                     the data cannot mean what was asked
│   ├── SchemaMismatchError       .violations
│   ├── InsufficientDataError     .what, .needed, .found
│   └── UnknownPredictionError    .prediction_id
├── BundleError                   the artifact cannot be used
│   ├── BundleCorruptedError      .member, .expected_digest, .found_digest
│   ├── BundleFormatError         .found_version, .supported
│   ├── UntrustedContentError     .types
│   └── SignatureError            it is not signed as this process requires
│       ├── UnsignedBundleError   -
│       ├── UnknownSignerError    .signer
│       └── WrongSignatureError   .signer
├── RegistryError                 the registry said no
│   ├── ModelNotFoundError        .name, .wanted, .available
│   ├── NoChampionError           .name, .waiting, .refused
│   ├── AliasMovedError           .alias, .expected, .found
│   └── LeaseHeldError            .name, .owner
└── StorageError                  a backend failed; .store, .retryable

Constructors take data and build the message; the message ends with what to do next. Exit codes live in ``cli``,
HTTP statuses in ``api``: nothing here knows either.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any, Final

LISTED: Final = 10
"""Names that a message lists."""


def nearest(name: str, valid: Sequence[str]) -> str:
    """Return ``" Did you mean 'x'?"`` for the closest valid name, or an empty string."""
    close = get_close_matches(name, valid, n=1, cutoff=0.6)
    return f" Did you mean {close[0]!r}?" if close else ""


def listed(names: Sequence[Any]) -> str:
    """Return names in quotes, of many the first ones: ``'a', 'b', 'c' and 30 more``."""
    shown = ", ".join(map(repr, names[:LISTED]))
    return shown if len(names) <= LISTED else f"{shown} and {len(names) - LISTED} more"


class VigieError(Exception):
    """The root: catch it to catch all that Vigie raises on purpose."""


class VigieWarning(UserWarning):
    """An answer should be taken with care: its row is unlike those of the training."""


class ConfigurationError(VigieError):
    """A setting, an environment variable or an argument is wrong."""

    def __init__(self, problem: str, *, remedy: str, key: str = "", where: str = "") -> None:
        self.problem = problem
        self.remedy = remedy
        self.key = key
        self.where = where
        place = ": ".join(part for part in (where, key) if part)
        super().__init__(f"{place}: {problem} {remedy}" if place else f"{problem} {remedy}")


class DataError(VigieError):
    """The data cannot mean what was asked."""

    def __init__(self, problem: str, *, remedy: str) -> None:
        self.problem = problem
        self.remedy = remedy
        super().__init__(f"{problem} {remedy}")


@dataclass(frozen=True, slots=True)
class Violation:
    """One fault of one value. ``found`` describes the value (``text``, ``null``), it never repeats it."""

    row: int
    feature: str
    code: str
    expected: str
    found: str

    def __str__(self) -> str:
        """Say the fault in one clause."""
        return f"row {self.row}, {self.feature!r}: expected {self.expected}, found {self.found}"


class SchemaMismatchError(DataError):
    """Rows do not fit the schema."""

    def __init__(self, violations: Sequence[Violation], *, remedy: str = "Send what the schema declares.") -> None:
        self.violations = tuple(violations)
        shown = "; ".join(str(violation) for violation in self.violations[:3])
        more = f" (and {len(self.violations) - 3} more)" if len(self.violations) > 3 else ""
        super().__init__(f"{shown}{more}.", remedy=remedy)


class InsufficientDataError(DataError):
    """There are too few rows to answer honestly."""

    def __init__(self, what: str, *, needed: int, found: int) -> None:
        self.what = what
        self.needed = needed
        self.found = found
        super().__init__(
            f"{what} needs at least {needed:,} {'row' if needed == 1 else 'rows'} and found {found:,}.",
            remedy="Wait for more rows or widen the window.",
        )


class UnknownPredictionError(DataError):
    """Nothing was logged under this prediction id."""

    def __init__(self, prediction_id: str) -> None:
        self.prediction_id = prediction_id
        super().__init__(
            f"No prediction {prediction_id} is in the log.",
            remedy="Use the prediction_id that the answer of /predict carried.",
        )


class BundleError(VigieError):
    """The artifact cannot be used."""

    def __init__(self, problem: str, *, remedy: str = "Train or register the model again.") -> None:
        self.problem = problem
        self.remedy = remedy
        super().__init__(f"{problem} {remedy}")


class BundleCorruptedError(BundleError):
    """A member is not what the manifest says it is."""

    def __init__(self, member: str, *, expected_digest: str, found_digest: str) -> None:
        self.member = member
        self.expected_digest = expected_digest
        self.found_digest = found_digest
        super().__init__(
            f"Bundle member {member!r} has SHA-256 {found_digest or 'none (missing)'}, "
            f"the manifest says {expected_digest or 'there is no such member'}.",
            remedy="Fetch the bundle again from the registry.",
        )


class BundleFormatError(BundleError):
    """The bundle was written in a format this Vigie does not read."""

    def __init__(self, *, found_version: object, supported: Sequence[int]) -> None:
        self.found_version = found_version
        self.supported = tuple(supported)
        known = ", ".join(str(version) for version in self.supported)
        super().__init__(
            f"The bundle has format version {found_version!r}; this Vigie reads {known}.",
            remedy="Install the Vigie that wrote it, or train the model again.",
        )


class UntrustedContentError(BundleError):
    """The bundle holds types outside the allow-list."""

    def __init__(self, types: Sequence[str]) -> None:
        self.types = tuple(sorted(types))
        super().__init__(
            f"The bundle holds types that are not trusted: {', '.join(self.types)}.",
            remedy="If you wrote them and trust them, name them in bundle.trusted_types of your own settings.",
        )


class SignatureError(BundleError):
    """The bundle is not signed as this process requires."""


class UnsignedBundleError(SignatureError):
    """A signature is required, and the bundle has none."""

    def __init__(self) -> None:
        super().__init__(
            "The bundle is not signed, and bundle.require_signature asks for it.",
            remedy="Sign it where the private key is: `vigie keys sign --version N`.",
        )


class UnknownSignerError(SignatureError):
    """The bundle is signed by a key that this process's owner does not trust."""

    def __init__(self, signer: str) -> None:
        self.signer = signer
        super().__init__(
            f"The bundle is signed by {signer}, which is not among bundle.trusted_keys.",
            remedy="If you know this key and trust it, add it to your own settings; else do not serve the bundle.",
        )


class WrongSignatureError(SignatureError):
    """The signature was not made over this manifest."""

    def __init__(self, signer: str) -> None:
        self.signer = signer
        super().__init__(
            f"The bundle's signature by {signer} was not made over this manifest: one of the two was exchanged.",
            remedy="Fetch the bundle again; if that changes nothing, find out who writes to your registry.",
        )


class RegistryError(VigieError):
    """The registry said no."""

    def __init__(self, problem: str, *, remedy: str = "Check the registry and try again.") -> None:
        self.problem = problem
        self.remedy = remedy
        super().__init__(f"{problem} {remedy}")


_TRAIN_FIRST = "Run `vigie train` first; if you did, `vigie history` says why nothing was registered."


class ModelNotFoundError(RegistryError):
    """No such model, version or alias."""

    def __init__(self, name: str, *, wanted: str = "", available: Sequence[str] = ()) -> None:
        self.name = name
        self.wanted = wanted
        self.available = tuple(available)
        what = f"{name} has no version or alias {wanted!r}" if wanted else f"there is no model {name!r}"
        known = f" Known: {', '.join(self.available)}." if self.available else ""
        way_out = "Name one of these." if self.available else _TRAIN_FIRST
        remedy = nearest(wanted or name, self.available).strip() or way_out
        super().__init__(f"In the registry, {what}.{known}", remedy=remedy)


class NoChampionError(RegistryError):
    """No version of the model serves.

    Args:
        name: of the model.
        waiting: versions that are registered all the same.
        refused: why what was trained last was refused.
    """

    def __init__(self, name: str, *, waiting: Sequence[str] = (), refused: str = "") -> None:
        self.name = name
        self.waiting = tuple(waiting)
        self.refused = refused
        problem = f"Model {name!r} has no champion"
        remedy = "Run `vigie train`, or `vigie promote VERSION` to name one; `vigie history` tells what was refused."
        if waiting:
            problem += f"; registered: {', '.join(waiting)}"
            remedy = f"Name one with `vigie promote {waiting[-1]}`; `vigie history` tells what became of each."
        elif refused:
            problem += f": what was trained last was refused. {refused.removesuffix('.')}"
            remedy = "More rows, or columns that tell more of the outcome, may change that at the next `vigie train`."
        super().__init__(f"{problem}.", remedy=remedy)


class AliasMovedError(RegistryError):
    """Somebody moved the alias meanwhile."""

    def __init__(self, alias: str, *, expected: str | None, found: str | None) -> None:
        self.alias = alias
        self.expected = expected
        self.found = found
        super().__init__(
            f"Alias {alias!r} points to version {found or 'none'}, not to {expected or 'none'} as expected: "
            "somebody moved it meanwhile.",
            remedy="Look at `vigie history`, then decide again.",
        )


class LeaseHeldError(RegistryError):
    """Another process is changing the model right now."""

    def __init__(self, name: str, *, owner: str) -> None:
        self.name = name
        self.owner = owner
        super().__init__(
            f"{owner} is changing {name!r} right now.",
            remedy="Wait until it ends; a lease left by a crash expires by itself within a minute.",
        )


class StorageError(VigieError):
    """A backend failed; the driver's own error is chained."""

    def __init__(self, store: str, problem: str, *, retryable: bool, remedy: str = "") -> None:
        self.store = store
        self.problem = problem
        self.retryable = retryable
        default = "Try again in a moment." if retryable else "Check the disk, the permissions and the path."
        super().__init__(f"{store}: {problem} {remedy or default}")


def first_line(said: object, *, nothing: str = "no message") -> str:
    """Return the first line of what an error or a warning says.

    Args:
        said: the error or the warning.
        nothing: what stands for no words at all.
    """
    lines = str(said).strip().splitlines()
    return lines[0] if lines else nothing
