"""A registered version, opened: its bundle and its reference profile."""

from dataclasses import dataclass

from vigie.bundle.archive import Bundle, unpack
from vigie.domain.model import CHAMPION
from vigie.domain.schema import Schema
from vigie.errors import NoChampionError
from vigie.loop.context import Loop
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
        BundleError: the bundle does not pass its checks.
    """
    bundle = unpack(loop.registry.members(loop.model, version), trusted=loop.rules.trusted_types)
    return OpenVersion(version, bundle, ReferenceProfile.from_bytes(bundle.profile))
