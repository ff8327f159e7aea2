"""A model registry in memory."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from vigie.bundle.signature import SIGNATURE
from vigie.domain.model import ModelVersion
from vigie.errors import ModelNotFoundError
from vigie.ports import Clock, Members


@dataclass(slots=True)
class _Model:
    versions: list[ModelVersion] = field(default_factory=list)
    members: list[dict[str, bytes]] = field(default_factory=list)
    tags: list[dict[str, str]] = field(default_factory=list)
    aliases: dict[str, str] = field(default_factory=dict)

    def place(self, version: str) -> int | None:
        """Return the index of a version number, None for anything else."""
        numbers = [known.version for known in self.versions]
        return numbers.index(version) if version in numbers else None

    def shown(self, place: int) -> ModelVersion:
        """Return a version with the aliases that point to it now."""
        bare = self.versions[place]
        aliases = tuple(sorted(alias for alias, version in self.aliases.items() if version == bare.version))
        return ModelVersion(bare.name, bare.version, bare.run_id, bare.created_at, aliases)


class InMemoryRegistry:
    """Implements ``ports.ModelRegistry``; versions count from "1" for each model."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._models: dict[str, _Model] = {}

    def publish(self, name: str, members: Members, *, run_id: str, tags: Mapping[str, str]) -> ModelVersion:
        """Store a bundle and register it as the next version of ``name``."""
        model = self._models.setdefault(name, _Model())
        version = ModelVersion(name, str(len(model.versions) + 1), run_id, self._clock.now())
        model.versions.append(version)
        model.members.append(dict(members))
        model.tags.append(dict(tags))
        return version

    def version(self, name: str, wanted: str) -> ModelVersion:
        """Return one version by number or alias.

        Raises:
            ModelNotFoundError: no such model, version or alias.
        """
        model = self._model(name)
        return model.shown(self._place(name, model.aliases.get(wanted, wanted), wanted))

    def versions(self, name: str) -> list[ModelVersion]:
        """Return every version, oldest first; empty when the model is unknown."""
        model = self._models.get(name, _Model())
        return [model.shown(place) for place in range(len(model.versions))]

    def members(self, name: str, version: str) -> dict[str, bytes]:
        """Return the bundle of a version as it was published.

        Raises:
            ModelNotFoundError: no such version.
        """
        return dict(self._model(name).members[self._place(name, version, version)])

    def signature(self, name: str, version: str) -> bytes | None:
        """Return the signature of a version, None when it has none.

        Raises:
            ModelNotFoundError: no such version.
        """
        return self.members(name, version).get(SIGNATURE)

    def sign(self, name: str, version: str, signature: bytes) -> None:
        """Put a signature beside the manifest of a version, in place of an older one.

        Raises:
            ModelNotFoundError: no such version.
        """
        self._model(name).members[self._place(name, version, version)][SIGNATURE] = signature

    def alias(self, name: str, alias: str) -> str | None:
        """Return the version number an alias points to, None when it points nowhere."""
        return self._models.get(name, _Model()).aliases.get(alias)

    def point(self, name: str, alias: str, version: str) -> None:
        """Make an alias point to a version.

        Raises:
            ModelNotFoundError: no such version.
        """
        self._place(name, version, version)
        self._model(name).aliases[alias] = version

    def tags(self, name: str, version: str) -> dict[str, str]:
        """Return the tags a version was published with; for tests, not part of the port."""
        return dict(self._model(name).tags[self._place(name, version, version)])

    def _model(self, name: str) -> _Model:
        if name not in self._models:
            raise ModelNotFoundError(name, available=sorted(self._models))
        return self._models[name]

    def _place(self, name: str, version: str, wanted: str) -> int:
        model = self._model(name)
        place = model.place(version)
        if place is None:
            known = [known.version for known in model.versions] + sorted(model.aliases)
            raise ModelNotFoundError(name, wanted=wanted, available=known)
        return place
