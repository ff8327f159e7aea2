"""The way of a signature from the registry to the server: follower, cache, swap."""

import numpy as np
import pytest
from sklearn.linear_model import LinearRegression
from sklearn.pipeline import Pipeline

from vigie.adapters.bundle_cache import BundleCache
from vigie.bundle.archive import BundleContent, pack
from vigie.bundle.members import MANIFEST, signed
from vigie.bundle.signature import new_key, sign_manifest
from vigie.bundle.trust import Trust
from vigie.domain.frame import model_frame
from vigie.domain.model import CHAMPION
from vigie.domain.schema import Feature, Kind, Schema, Target
from vigie.domain.task import Task
from vigie.errors import BundleError, UnknownSignerError, UnsignedBundleError
from vigie.inference.slots import Slots
from vigie.loop.golden import golden_rows
from vigie.testing import FakeClock, InMemoryRegistry
from vigie.wiring.follow import follow_once
from vigie.wiring.serve import load_champion

KEY, STRANGER = new_key()[0], new_key()[0]
STRICT = Trust(signed_only=True, keys=frozenset({KEY.public}))
PRICE = Schema((Feature("size", Kind.NUMBER),), Target("price", Task.REGRESSION))


class Chain:
    """A registry, a cache and a server's slots, each asked in turn."""

    def __init__(self, folder):
        self.clock = FakeClock()
        self.registry, self.cache, self.slots = InMemoryRegistry(self.clock), BundleCache(folder), Slots()

    def publish(self, slope, *, key=None, name="homes"):
        """Register a model as the champion."""
        columns = {"size": np.arange(9.0).tolist()}
        model = Pipeline([("model", LinearRegression())]).fit(model_frame(PRICE, columns), slope * np.arange(9.0))
        golden = golden_rows(model, PRICE, columns)
        members = pack(BundleContent(name, self.clock.now(), PRICE, model, b"{}", golden, [], "digest"))
        version = self.registry.publish("homes", signed(members, key), run_id="r", tags={}).version
        self.registry.point("homes", CHAMPION, version)

    def step(self, trust):
        """Let the follower look, then the server; return which version serves."""
        follow_once(self.registry, self.cache, "homes", trust)
        load_champion(self.cache, self.slots, "homes", trust)
        return self.slots.champion.version

    def sign(self, version, key=KEY):
        """Sign a version in the registry."""
        manifest = self.registry.members("homes", version)[MANIFEST]
        self.registry.sign("homes", version, sign_manifest(manifest, key))


@pytest.fixture
def chain(tmp_path):
    """Return a chain whose first champion is signed."""
    made = Chain(tmp_path / "bundles")
    made.publish(1.0, key=KEY)
    return made


@pytest.mark.parametrize(
    ("key", "error"), [(None, UnsignedBundleError), (STRANGER, UnknownSignerError)], ids=["unsigned", "a stranger's"]
)
def test_a_champion_without_a_signature_that_counts_does_not_reach_the_server(chain, key, error):
    """The alias moved; the old champion goes on, also in a server that starts anew; once signed, the new one serves."""
    assert chain.step(STRICT) == "1"
    chain.publish(2.0, key=key)
    with pytest.raises(error):
        chain.step(STRICT)
    assert chain.cache.pointer("homes") == "1"
    fresh = Slots()
    assert load_champion(chain.cache, fresh, "homes", STRICT)
    assert fresh.champion.version == "1"
    chain.sign("2")
    assert chain.step(STRICT) == "2"


def test_the_server_asks_for_itself(chain):
    """Whatever moved the pointer, and whenever the setting came: the server refuses, and serves what it has."""
    chain.step(STRICT)
    chain.publish(2.0)
    follow_once(chain.registry, chain.cache, "homes", Trust())
    with pytest.raises(UnsignedBundleError):
        load_champion(chain.cache, chain.slots, "homes", STRICT)
    assert chain.slots.champion.version == "1"
    chain.sign("2")
    assert chain.step(STRICT) == "2"


def test_a_champion_that_the_server_cannot_answer_with_does_not_serve(chain):
    """It is found out before the swap: what serves goes on, and the next look asks again."""
    chain.step(STRICT)
    chain.publish(2.0, key=KEY)
    follow_once(chain.registry, chain.cache, "homes", STRICT)

    def rehearse(_model):
        raise RuntimeError("no answer can be written")

    with pytest.raises(RuntimeError):
        load_champion(chain.cache, chain.slots, "homes", STRICT, rehearse)
    assert chain.slots.champion.version == "1"
    assert load_champion(chain.cache, chain.slots, "homes", STRICT)
    assert chain.slots.champion.version == "2"


def test_a_key_that_is_no_longer_trusted_ends_at_the_next_start(chain):
    """And counts again when the version is signed with one that is."""
    chain.step(STRICT)
    changed = Trust(signed_only=True, keys=frozenset({STRANGER.public}))
    with pytest.raises(UnknownSignerError):
        load_champion(chain.cache, Slots(), "homes", changed)
    chain.sign("1", STRANGER)
    follow_once(chain.registry, chain.cache, "homes", changed)
    assert load_champion(chain.cache, Slots(), "homes", changed)


def test_a_registry_made_anew_does_not_pass_for_the_old_one(chain):
    """Its versions count from 1 again: the follower compares, once, and says where the other bundle lies."""
    chain.step(Trust())
    chain.registry = InMemoryRegistry(chain.clock)
    chain.publish(5.0)
    with pytest.raises(BundleError, match=r"another registry\. Remove .*1 and start the server again"):
        follow_once(chain.registry, chain.cache, "homes", Trust())
    known = {"1"}
    assert follow_once(chain.registry, chain.cache, "homes", Trust(), known) == "1"


def test_a_bundle_of_another_model_does_not_serve(chain):
    """Signed by the right key under another name."""
    chain.step(STRICT)
    chain.publish(2.0, key=KEY, name="loans")
    with pytest.raises(BundleError, match="not of 'homes'"):
        chain.step(STRICT)
    assert chain.slots.champion.version == "1"


def test_where_no_signature_is_required_none_is_looked_at(chain):
    """The control: the same moves go through."""
    assert chain.step(Trust()) == "1"
    chain.publish(2.0)
    assert chain.step(Trust()) == "2"
