"""What every model registry keeps and answers."""
# ruff: noqa: S101 -- assert is how pytest works

from collections.abc import Callable
from datetime import timedelta

import pytest

from vigie.bundle.signature import SIGNATURE
from vigie.domain.model import CHALLENGER, CHAMPION, ModelVersion
from vigie.errors import ModelNotFoundError
from vigie.ports import ModelRegistry

MEMBERS = {"manifest.json": b"{}", "model.skops": bytes(range(256)) * 40, "card.md": b""}


class RegistrySuite:
    """Subclass it and give ``registry``: new and empty; and ``new_run`` where the registry wants real runs."""

    @pytest.fixture
    def registry(self) -> ModelRegistry:
        """Return the registry under test."""
        raise NotImplementedError("Give a fixture `registry` in your subclass.")

    @pytest.fixture
    def new_run(self) -> Callable[[], str]:
        """Return a function that gives the id of a run to publish from."""
        return lambda: "run-1"

    @pytest.fixture
    def publish(self, registry: ModelRegistry, new_run: Callable[[], str]) -> Callable[..., ModelVersion]:
        """Return a function that publishes some members as the next version of a model."""

        def publish_next(name: str = "churn", members: dict[str, bytes] = MEMBERS) -> ModelVersion:
            return registry.publish(name, members, run_id=new_run(), tags={"task": "binary"})

        return publish_next

    def test_versions_count_from_one(self, registry: ModelRegistry, publish: Callable[..., ModelVersion]) -> None:
        """Each model's versions are "1", "2", …, oldest first."""
        assert [publish().version, publish().version, publish("other").version] == ["1", "2", "1"]
        assert [(version.name, version.version) for version in registry.versions("churn")] == [
            ("churn", "1"),
            ("churn", "2"),
        ]

    def test_ten_versions_stay_in_order(self, registry: ModelRegistry, publish: Callable[..., ModelVersion]) -> None:
        """Version 10 comes after 9, not after 1."""
        for _ in range(10):
            publish(members={"manifest.json": b"{}"})
        assert [version.version for version in registry.versions("churn")] == [str(n) for n in range(1, 11)]

    def test_members_come_back_to_the_byte(self, registry: ModelRegistry, publish: Callable[..., ModelVersion]) -> None:
        """A version's members are those it was published with, empty ones included."""
        publish()
        publish(members={"manifest.json": b"second"})
        assert registry.members("churn", "1") == MEMBERS
        assert registry.members("churn", "2") == {"manifest.json": b"second"}

    def test_a_version_is_signed_after_it_was_published(
        self, registry: ModelRegistry, publish: Callable[..., ModelVersion]
    ) -> None:
        """The signature is a member like the others; the next one replaces it; no other version is touched."""
        publish()
        publish()
        assert registry.signature("churn", "1") is None
        registry.sign("churn", "1", b"first")
        registry.sign("churn", "1", b"second")
        assert registry.signature("churn", "1") == b"second"
        assert registry.members("churn", "1") == {**MEMBERS, SIGNATURE: b"second"}
        assert registry.members("churn", "2") == MEMBERS
        with pytest.raises(ModelNotFoundError):
            registry.signature("churn", "9")
        with pytest.raises(ModelNotFoundError):
            registry.sign("churn", "9", b"x")

    def test_version_knows_its_run_and_birth(self, registry: ModelRegistry, new_run: Callable[[], str]) -> None:
        """A version names the run it came from and when it was made, in UTC."""
        run_id = new_run()
        registry.publish("churn", MEMBERS, run_id=run_id, tags={})
        found = registry.version("churn", "1")
        assert found.run_id == run_id
        assert found.created_at.utcoffset() == timedelta(0)

    def test_alias_points_and_moves(self, registry: ModelRegistry, publish: Callable[..., ModelVersion]) -> None:
        """An alias leads to one version, until it is pointed elsewhere."""
        publish()
        publish()
        registry.point("churn", CHAMPION, "1")
        assert registry.alias("churn", CHAMPION) == "1"
        registry.point("churn", CHAMPION, "2")
        assert registry.alias("churn", CHAMPION) == "2"
        assert registry.version("churn", CHAMPION).version == "2"

    def test_versions_show_their_aliases(self, registry: ModelRegistry, publish: Callable[..., ModelVersion]) -> None:
        """A version lists the aliases that point to it now; one version may have two."""
        publish()
        publish()
        registry.point("churn", CHAMPION, "2")
        registry.point("churn", CHALLENGER, "2")
        shown = [sorted(version.aliases) for version in registry.versions("churn")]
        assert shown == [[], [CHALLENGER, CHAMPION]]
        assert sorted(registry.version("churn", "2").aliases) == [CHALLENGER, CHAMPION]

    def test_missing_alias_is_none(self, registry: ModelRegistry, publish: Callable[..., ModelVersion]) -> None:
        """An alias that points nowhere is None, for a known and for an unknown model."""
        publish()
        assert registry.alias("churn", CHAMPION) is None
        assert registry.alias("unheard of", CHAMPION) is None

    def test_unknown_model_has_no_versions(self, registry: ModelRegistry) -> None:
        """A model that nobody registered has an empty list of versions."""
        assert registry.versions("unheard of") == []

    @pytest.mark.parametrize("wanted", ["9", CHAMPION, "nonsense"])
    def test_unknown_version_is_named(
        self, registry: ModelRegistry, publish: Callable[..., ModelVersion], wanted: str
    ) -> None:
        """A version or alias that is not there is an error that says so."""
        publish()
        with pytest.raises(ModelNotFoundError) as caught:
            registry.version("churn", wanted)
        assert (caught.value.name, caught.value.wanted) == ("churn", wanted)

    def test_what_is_not_there_is_not_found(
        self, registry: ModelRegistry, publish: Callable[..., ModelVersion]
    ) -> None:
        """Unknown models, members and alias targets are not found, and no alias is left behind."""
        publish()
        with pytest.raises(ModelNotFoundError):
            registry.version("unheard of", "1")
        with pytest.raises(ModelNotFoundError):
            registry.members("churn", "9")
        with pytest.raises(ModelNotFoundError):
            registry.point("churn", CHAMPION, "9")
        assert registry.alias("churn", CHAMPION) is None
