"""The champion moves under a lease, with compare-and-swap, and the way back is known."""

from itertools import pairwise

import pytest

from vigie.domain.event import EventKind
from vigie.domain.model import CHAMPION
from vigie.errors import AliasMovedError, LeaseHeldError, ModelNotFoundError, NoChampionError, RegistryError
from vigie.loop.promote import Move, notice_moved_alias, promote
from vigie.loop.rollback import rollback


@pytest.fixture
def three(world, churn_trained):
    """Return a world with three versions, promoted one after the other."""
    for expected in ("1", "2"):
        version = world.register(churn_trained).version.version
        promote(world.loop, Move(version, expected=expected, reasons=("A test.",)), owner="test")
        world.clock.advance(60)
    assert world.champion == "3"
    return world


def chain(world):
    """Return (previous, version) of every change of champion, in order."""
    kinds = (EventKind.PROMOTED, EventKind.ROLLED_BACK)
    return [(event.evidence["previous"], event.version) for event in world.ledger.events("churn", kinds=kinds)]


def test_a_promotion_tells_who_came_before(three):
    """Each line of the history begins where the one before ended."""
    assert chain(three) == [(None, "1"), ("1", "2"), ("2", "3")]


def test_rolling_back_twice_goes_back_two(three):
    """3, then 2, then 1."""
    rollback(three.loop, owner="test", reason="It smells.")
    assert three.champion == "2"
    event = rollback(three.loop, owner="test", reason="That one too.")
    assert (three.champion, event.kind, event.reasons) == ("1", EventKind.ROLLED_BACK, ("That one too.",))
    assert all(earlier[1] == later[0] for earlier, later in pairwise(chain(three)))


def test_the_first_champion_has_none_before_it(three):
    """A third roll-back is refused and moves nothing."""
    for _ in range(2):
        rollback(three.loop, owner="test", reason="x")
    with pytest.raises(RegistryError, match="first champion"):
        rollback(three.loop, owner="test", reason="x")
    assert three.champion == "1"


def test_nothing_to_roll_back_from(new_world):
    """Without a champion there is no way back."""
    with pytest.raises(NoChampionError):
        rollback(new_world().loop, owner="test", reason="x")


def test_promoting_after_a_roll_back_forgets_the_version_rolled_back(three):
    """From 3 back to 2, then forward to 1: the way back from there is 2, not 3."""
    rollback(three.loop, owner="test", reason="x")
    promote(three.loop, Move("1", expected="2"), owner="test")
    rollback(three.loop, owner="test", reason="x")
    assert three.champion == "2"


def test_rolling_back_from_a_champion_moved_by_hand_undoes_the_hand(three):
    """The alias was put on 1 while 3 served and nobody looked since: back means 3."""
    three.registry.point("churn", CHAMPION, "1")
    rollback(three.loop, owner="test", reason="Whoever did this.")
    assert three.champion == "3"
    assert three.kinds[-2:] == ["alias_moved", "rolled_back"]


def test_promoting_over_a_champion_moved_by_hand_keeps_the_hand_on_record(three):
    """Afterwards the way back leads to the version that served before, as the registry said."""
    three.registry.point("churn", CHAMPION, "1")
    promote(three.loop, Move("2", expected="1"), owner="test")
    assert three.kinds[-2:] == ["alias_moved", "promoted"]
    rollback(three.loop, owner="test", reason="x")
    assert three.champion == "1"


def test_a_stale_decision_is_refused(three):
    """Compare-and-swap: the decision was made against version 2."""
    with pytest.raises(AliasMovedError) as caught:
        promote(three.loop, Move("1", expected="2"), owner="test")
    assert (caught.value.expected, caught.value.found) == ("2", "3")
    assert three.champion == "3"
    assert len(chain(three)) == 3


def test_a_version_that_is_not_there_cannot_be_promoted(three):
    """Nothing moves and nothing is recorded."""
    before = three.kinds
    with pytest.raises(ModelNotFoundError):
        promote(three.loop, Move("9", expected="3"), owner="test")
    assert (three.champion, three.kinds) == ("3", before)


def test_a_lease_left_by_a_crash_expires(three):
    """A minute later the model can be changed again."""
    lease = three.ledger.lease("churn", owner="dead", ttl_s=60)
    lease.__enter__()
    with pytest.raises(LeaseHeldError, match="dead"):
        promote(three.loop, Move("1", expected="3"), owner="test")
    three.clock.advance(61)
    promote(three.loop, Move("1", expected="3"), owner="test")
    assert three.champion == "1"


def test_the_lease_is_given_back_after_a_refusal(three):
    """A failed promotion does not block the next one."""
    with pytest.raises(AliasMovedError):
        promote(three.loop, Move("1", expected="2"), owner="test")
    promote(three.loop, Move("1", expected="3"), owner="test")
    assert three.champion == "1"


def test_a_known_champion_is_not_noticed(three):
    """Looking again and again adds nothing to the history."""
    before = three.kinds
    for _ in range(3):
        notice_moved_alias(three.loop, "3")
    assert three.kinds == before
