"""A registered version, opened: its bundle and its reference profile."""

from dataclasses import dataclass

from vigie.bundle.archive import Bundle, unpack
from vigie.domain.event import EventKind
from vigie.domain.model import CHAMPION
from vigie.domain.schema import Schema
from vigie.errors import NoChampionError
from vigie.loop.context import Loop
from vigie.loop.open_bundle import check_name, open_bundle
from vigie.monitoring.estimation import Basis, read_basis
from vigie.monitoring.profile import ReferenceProfile


@dataclass(frozen=True, slots=True)
class OpenVersion:
    """A version with what is needed to judge its traffic, to compare it, and to estimate where it can."""

    version: str
    bundle: Bundle
    profile: ReferenceProfile
    basis: Basis | None

    @property
    def schema(self) -> Schema:
        """What it takes and answers."""
        return self.bundle.schema


def champion_version(loop: Loop) -> str:
    """Return the version that serves.

    Raises:
        NoChampionError: none does, and it says what became of the trainings so far.
    """
    version = loop.registry.alias(loop.model, CHAMPION)
    if version is None:
        waiting = [registered.version for registered in loop.registry.versions(loop.model)]
        refusals = loop.ledger.events(loop.model, kinds=(EventKind.REFUSED,))
        raise NoChampionError(loop.model, waiting=waiting, refused=refusals[-1].reasons[0] if refusals else "")
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
    return OpenVersion(version, bundle, ReferenceProfile.from_bytes(bundle.profile), read_basis(bundle.estimation))


def check_servable(loop: Loop, version: str) -> None:
    """Do nothing when a server of this project would serve a version: it is opened here as it is there.

    Raises:
        ModelNotFoundError: no such version.
        SignatureError: it is not signed as the settings ask.
        BundleError: the bundle is refused, is another model's, or its golden rows are answered differently here.
    """
    model = open_bundle(loop.registry.members(loop.model, version), version=version, trust=loop.rules.trust)
    check_name(model.name, loop.model)
