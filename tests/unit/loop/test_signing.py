"""Where signatures are required, nothing becomes champion and nothing is opened without one that counts."""

from dataclasses import replace

import pytest

from vigie.bundle.members import MANIFEST, signed
from vigie.bundle.signature import SIGNATURE, check_signature, new_key, sign_manifest
from vigie.bundle.trust import Trust
from vigie.errors import BundleError, UnknownSignerError, UnsignedBundleError, WrongSignatureError
from vigie.loop.champion import open_version
from vigie.loop.promote import Move, promote
from vigie.loop.rollback import rollback
from vigie.testing.tables import churn_table

KEY, STRANGER = new_key()[0], new_key()[0]
STRICT = Trust(signed_only=True, keys=frozenset({KEY.public}))


def _sign(world, version, key=KEY):
    manifest = world.registry.members("churn", version)[MANIFEST]
    world.registry.sign("churn", version, sign_manifest(manifest, key))


def test_a_first_version_waits_for_its_signature(new_world, churn_trained):
    """Where the private key is elsewhere: registered, not champion, the reason told; then signed and promoted."""
    world = new_world()
    world.change(trust=STRICT)
    registered = world.register(churn_trained)
    assert (registered.version.version, registered.champion, world.champion) == ("1", None, None)
    assert "is not signed" in registered.held
    _sign(world, "1")
    promote(world.loop, Move("1", expected=None), owner="test")
    assert world.champion == "1"
    assert open_version(world.loop, "1").version == "1"


def test_a_later_version_says_that_it_waits_for_its_signature(new_world, churn_trained):
    """A champion serves already: the new version's reason is told at once, not first by a promotion that fails."""
    world = new_world()
    world.register(churn_trained)
    assert world.register(churn_trained).held == ""
    _sign(world, "1")
    world.change(trust=STRICT)
    registered = world.register(churn_trained)
    assert (registered.version.version, registered.champion) == ("3", "1")
    assert "is not signed" in registered.held


def test_a_key_at_hand_signs_what_is_registered(new_world, churn_trained):
    """With bundle.signing_key the first version serves at once, and its signature is over its own manifest."""
    world = new_world()
    world.change(trust=STRICT)
    world.loop = replace(world.loop, signer=KEY)
    assert world.register(churn_trained).champion == "1"
    members = world.registry.members("churn", "1")
    check_signature(members[MANIFEST], members[SIGNATURE], STRICT)


@pytest.mark.parametrize(
    ("key", "error"), [(None, UnsignedBundleError), (STRANGER, UnknownSignerError)], ids=["unsigned", "a stranger's"]
)
def test_nothing_else_is_promoted_or_rolled_back_to(world, churn_trained, key, error):
    """The alias stays, and the ledger knows of no promotion."""
    world.register(churn_trained)
    promote(world.loop, Move("2", expected="1"), owner="test")
    _sign(world, "2")
    if key is not None:
        _sign(world, "1", key)
    world.change(trust=STRICT)
    before = world.kinds
    for attempt in (
        lambda: rollback(world.loop, owner="test", reason="why not"),
        lambda: promote(world.loop, Move("1", expected="2"), owner="test"),
        lambda: open_version(world.loop, "1"),
    ):
        with pytest.raises(error):
            attempt()
    assert (world.champion, world.kinds) == ("2", before)


def test_what_was_signed_is_compared_with_what_is_there(world):
    """A member exchanged after the signing is found at promotion, not first by the server."""
    _sign(world, "1")
    members = world.registry.members("churn", "1")
    world.registry.publish("churn", {**members, "card.md": b"x"}, run_id="r", tags={})
    world.change(trust=STRICT)
    with pytest.raises(BundleError, match=r"card\.md"):
        promote(world.loop, Move("2", expected="1"), owner="test")


def test_a_bundle_of_another_model_is_not_opened(new_world, churn_trained):
    """Signed by the same key, and still not the model that was asked for."""
    world = new_world(model="loans")
    world.change(trust=STRICT)
    world.registry.publish("loans", signed(churn_trained.members, KEY), run_id="r", tags={})
    with pytest.raises(BundleError, match="a bundle of the model 'churn', not of 'loans'"):
        open_version(world.loop, "1")
    with pytest.raises(BundleError, match="not of 'loans'"):
        promote(world.loop, Move("1", expected=None), owner="test")


def test_a_signature_of_another_version_does_not_count(world, churn_trained):
    """The two manifests differ, and so must their signatures."""
    later = world.train(churn_table(900, seed=5))
    world.register(later)
    _sign(world, "1")
    world.registry.sign("churn", "2", world.registry.signature("churn", "1"))
    world.change(trust=STRICT)
    with pytest.raises(WrongSignatureError):
        open_version(world.loop, "2")
    assert churn_trained.members[MANIFEST] != later.members[MANIFEST]


def test_the_gate_holds_a_challenger_that_no_server_would_open(world, calm, changed):
    """A world turned round, so that the challenger is better: held for its signature alone, and with a key promoted."""
    _sign(world, "1")
    world.change(trust=STRICT)
    world.ask(calm)
    world.turn()
    world.ask(changed)
    taken = world.turn()
    assert taken.challenge is not None
    assert taken.promoted is None
    assert "is not signed" in taken.challenge.decision.reasons[0]
    assert "Better than champion" in taken.challenge.decision.reasons[1]
    assert world.champion == "1"
