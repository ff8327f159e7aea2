"""A registered version, opened: its bundle and its reference profile."""

from dataclasses import dataclass

from vigie.bundle.archive import Bundle, unpack
from vigie.bundle.members import read_members
from vigie.domain.model import CHAMPION
from vigie.domain.schema import Schema
from vigie.errors import NoChampionError
from vigie.loop.context import Loop
from vigie.loop.open_bundle import check_name
from vigie.monitoring.profile import ReferenceProfile


@dataclass(frozen=True, slots=True)
class OpenVersion:
    """A version with what is needed to judge its traffic and to compare it."""

    version: str
    bundle: Bundle
    profile: ReferenceProfile

    @property
    def schema(self) -> Schema:
        """What it takes and answers."""
        return self.bundle.schema


def champion_version(loop: Loop) -> str:
    """Return the version that serves.

    Raises:
        NoChampionError: none does.
    """
    version = loop.registry.alias(loop.model, CHAMPION)
    if version is None:
        raise NoChampionError(loop.model)
    return version


def open_version(loop: Loop, version: str) -> OpenVersion:
    """Fetch and check a version's bundle.

    Raises:
        ModelNotFoundError: no such version.
        SignatureError: it is not signed as the settings ask.
        BundleError: the bundle does not pass its checks, or is another model's.
    """
    bundle = unpack(loop.registry.members(loop.model, version), trust=loop.rules.trust)
    check_name(bundle.manifest.name, loop.model)
    return OpenVersion(version, bundle, ReferenceProfile.from_bytes(bundle.profile))


def check_signed(loop: Loop, version: str) -> None:
    """Do nothing when a version may serve by its signature, or when signatures are not asked for.

    Raises:
        SignatureError: it is not signed as the settings ask.
        BundleError: what was signed is not what the registry holds, or is another model's.
    """
    if loop.rules.trust.signed_only:
        parts = read_members(loop.registry.members(loop.model, version), trust=loop.rules.trust)
        check_name(parts.manifest.name, loop.model)
