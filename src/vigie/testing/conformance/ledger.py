"""What every ledger keeps, and how its lease keeps two processes apart."""
# ruff: noqa: S101 -- assert is how pytest works

import threading
from datetime import timedelta

import pytest

from vigie.domain.event import Event, EventKind
from vigie.errors import LeaseHeldError
from vigie.ports import Ledger
from vigie.testing.clock import START, FakeClock


def event(kind: EventKind = EventKind.TRAINED, model: str = "churn", version: str | None = None) -> Event:
    """Return an event with something in every field."""
    return Event(
        kind=kind,
        at=START + timedelta(microseconds=1),
        model=model,
        summary="Entraîné: le meilleur modèle sur trois.",
        version=version,
        reasons=("first", "second"),
        evidence={"roc_auc": 0.81, "n": 3, "best": None, "intervals": [0.79, 0.83], "nested": {"ok": True}},
    )


class LedgerSuite:
    """Subclass it and give ``ledger``: new, empty, open, and telling time by the fixture ``clock``."""

    @pytest.fixture
    def clock(self) -> FakeClock:
        """Return the clock the ledger must use."""
        return FakeClock()

    @pytest.fixture
    def ledger(self, clock: FakeClock) -> Ledger:
        """Return the ledger under test."""
        raise NotImplementedError("Give a fixture `ledger` in your subclass.")

    def test_event_comes_back_whole(self, ledger: Ledger) -> None:
        """An event is read as it was written, with its place in the ledger."""
        kept = ledger.append(event(version="3"))
        assert ledger.events("churn") == [kept]
        assert Event(**{**{name: getattr(kept, name) for name in Event.__slots__}, "seq": None}) == event(version="3")

    def test_seq_rises(self, ledger: Ledger) -> None:
        """Each event has a greater ``seq`` than the one before, across models."""
        kept = [ledger.append(event(model=model)).seq or 0 for model in ("churn", "other", "churn")]
        assert 0 < kept[0] < kept[1] < kept[2]

    def test_events_are_oldest_first(self, ledger: Ledger) -> None:
        """Events come in the order they were appended, whatever their own time says."""
        kinds = [EventKind.TRAINED, EventKind.GATED, EventKind.PROMOTED]
        for kind in kinds:
            ledger.append(event(kind))
        assert [found.kind for found in ledger.events("churn")] == kinds

    def test_events_can_be_chosen(self, ledger: Ledger) -> None:
        """Model, kinds and version narrow the answer; together they narrow it further."""
        ledger.append(event(EventKind.TRAINED, version="1"))
        ledger.append(event(EventKind.PROMOTED, version="1"))
        ledger.append(event(EventKind.PROMOTED, version="2"))
        ledger.append(event(EventKind.PROMOTED, model="other", version="2"))
        promoted = ledger.events("churn", kinds=[EventKind.PROMOTED])
        assert [found.version for found in promoted] == ["1", "2"]
        assert len(ledger.events("churn", kinds=[EventKind.TRAINED, EventKind.PROMOTED])) == 3
        assert [found.kind for found in ledger.events("churn", version="1")] == [EventKind.TRAINED, EventKind.PROMOTED]
        assert len(ledger.events("churn", kinds=[EventKind.PROMOTED], version="2")) == 1
        assert ledger.events("unheard of") == []

    def test_nan_in_evidence_is_null(self, ledger: Ledger) -> None:
        """Evidence is JSON: a number that JSON cannot say is kept as null, never lost with its event."""
        ledger.append(Event(EventKind.GATED, START, "churn", "Refused.", evidence={"auc": float("nan")}))
        assert [dict(found.evidence) for found in ledger.events("churn")] == [{"auc": None}]

    def test_evidence_must_be_plain(self, ledger: Ledger) -> None:
        """Evidence that is no JSON value is a programmer's mistake, and keeps nothing."""
        with pytest.raises(TypeError):
            ledger.append(Event(EventKind.GATED, START, "churn", "Refused.", evidence={"thing": object()}))
        assert ledger.events("churn") == []

    def test_lease_keeps_others_out(self, ledger: Ledger) -> None:
        """While a lease is held nobody else gets it, and the error names the holder."""
        with (
            ledger.lease("churn", owner="watch on host-1", ttl_s=60),
            pytest.raises(LeaseHeldError, match="watch on host-1") as caught,
            ledger.lease("churn", owner="somebody else", ttl_s=60),
        ):
            pass
        assert (caught.value.name, caught.value.owner) == ("churn", "watch on host-1")

    def test_leases_of_two_models_are_apart(self, ledger: Ledger) -> None:
        """Holding one model's lease leaves the other's free."""
        with ledger.lease("churn", owner="a", ttl_s=60), ledger.lease("other", owner="b", ttl_s=60):
            pass

    def test_lease_is_given_back(self, ledger: Ledger) -> None:
        """After the block the lease is free at once."""
        for owner in ("a", "b"):
            with ledger.lease("churn", owner=owner, ttl_s=60):
                pass

    def test_lease_is_given_back_after_an_error(self, ledger: Ledger) -> None:
        """A block that fails gives the lease back, and its own error comes through."""
        with pytest.raises(ZeroDivisionError), ledger.lease("churn", owner="a", ttl_s=60):
            raise ZeroDivisionError
        with ledger.lease("churn", owner="b", ttl_s=60):
            pass

    def test_lease_expires(self, ledger: Ledger, clock: FakeClock) -> None:
        """A lease that nobody gave back is free after its time, not a moment before."""
        abandoned = ledger.lease("churn", owner="crashed", ttl_s=60)
        abandoned.__enter__()
        clock.advance(59.9)
        with pytest.raises(LeaseHeldError), ledger.lease("churn", owner="next", ttl_s=60):
            pass
        clock.advance(0.1)
        with ledger.lease("churn", owner="next", ttl_s=60):
            pass
        abandoned.__exit__(None, None, None)

    def test_late_holder_leaves_its_successor_alone(self, ledger: Ledger, clock: FakeClock) -> None:
        """A holder that outlived its lease does not give back the one that was taken after it."""
        late = ledger.lease("churn", owner="late", ttl_s=60)
        late.__enter__()
        clock.advance(61)
        with ledger.lease("churn", owner="next", ttl_s=60):
            late.__exit__(None, None, None)
            with pytest.raises(LeaseHeldError, match="next"), ledger.lease("churn", owner="third", ttl_s=60):
                pass

    def test_one_of_many_gets_the_lease(self, ledger: Ledger) -> None:
        """Of eight threads that ask at once, exactly one holds the lease at a time."""
        won: list[int] = []
        lost: list[int] = []
        start, done = threading.Barrier(8), threading.Barrier(8)

        def contend(number: int) -> None:
            start.wait()
            try:
                with ledger.lease("churn", owner=f"thread {number}", ttl_s=60):
                    won.append(number)
                    done.wait()
            except LeaseHeldError:
                lost.append(number)
                done.wait()

        threads = [threading.Thread(target=contend, args=(number,)) for number in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert (len(won), len(lost)) == (1, 7)

    def test_close_twice_is_fine(self, ledger: Ledger) -> None:
        """Closing a closed ledger does nothing."""
        ledger.close()
        ledger.close()
