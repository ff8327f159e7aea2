"""What every writer into the log keeps, refuses and gives back. The bodies are coroutines; no plug-in is needed."""
# ruff: noqa: S101 -- assert is how pytest works

import asyncio
from collections.abc import Coroutine
from datetime import timedelta
from typing import Any

import pytest

from vigie.domain.prediction import Feedback, FeedbackStatus, PredictionRecord
from vigie.domain.schema import Schema
from vigie.errors import SchemaMismatchError, StorageError
from vigie.ports import EncodedRows, PredictionLog, PredictionWriter, Replay
from vigie.testing.clock import START, FakeClock
from vigie.testing.conformance.samples import BINARY, DAY, ROW, Records
from vigie.testing.prediction_writer import EPOCH

MODEL = "churn"
ROOM = 100
RECEIVED_AT = START + timedelta(hours=1)


def run(story: Coroutine[Any, Any, None]) -> None:
    """Run a test's coroutine in a loop of its own."""
    asyncio.run(asyncio.wait_for(story, 60))


def encoded(writer: PredictionWriter, records: list[PredictionRecord], schema: Schema = BINARY) -> EncodedRows:
    """Return records as the writer takes them."""
    encoder = writer.encoder(MODEL, schema)
    rows = [
        encoder.encode(
            one.id.bytes,
            (one.at - EPOCH) // timedelta(microseconds=1),
            one.version,
            one.entity,
            one.latency_us,
            one.prediction,
            one.features,
        )
        for one in records
    ]
    return EncodedRows(encoder.table, rows)


async def keep(
    writer: PredictionWriter, records: list[PredictionRecord], replay: Replay | None = None
) -> Replay | None:
    """Reserve, submit and wait, as a server does."""
    writer.reserve(len(records))
    return await writer.submit(encoded(writer, records), replay)


def answer(text: str, key: str = "client:k1") -> Replay:
    """Return an answer to keep under a key."""
    return Replay(key, b"d" * 32, text.encode(), "application/json")


class PredictionWriterSuite:
    """Subclass it and give ``writer`` (new, empty, open, room for 100 rows, by ``clock``) and ``log`` on its store."""

    @pytest.fixture
    def clock(self) -> FakeClock:
        """Return the clock that the writer goes by."""
        return FakeClock()

    @pytest.fixture
    def writer(self, clock: FakeClock) -> PredictionWriter:
        """Return the writer under test."""
        raise NotImplementedError("Give a fixture `writer` in your subclass.")

    @pytest.fixture
    def log(self, writer: PredictionWriter) -> PredictionLog:
        """Return what reads the store of ``writer``."""
        raise NotImplementedError("Give a fixture `log` in your subclass.")

    def test_what_is_acknowledged_is_there(self, writer: PredictionWriter, log: PredictionLog) -> None:
        """When the future is done, a reader finds the answers whole."""
        records = Records().many(3)

        async def story() -> None:
            assert await keep(writer, records) is None

        run(story())
        rows = log.rows(MODEL, BINARY, DAY)
        assert rows.records["id"].to_pylist() == [str(one.id) for one in records]
        assert rows.records["at"].to_pylist() == [one.at for one in records]
        assert rows.records["entity"].to_pylist() == ["client-7"] * 3
        assert rows.records["probabilities"].to_pylist() == [[0.2, 0.8]] * 3
        assert tuple(rows.features.to_pylist()[2].values()) == ROW

    def test_a_function_is_told_what_a_future_would_be(self, writer: PredictionWriter, log: PredictionLog) -> None:
        """``keep`` tells once, after it has returned, on the loop: None for what is there then, else the failure."""
        records = Records()
        first, second = records.many(2)

        async def told_of(batch: list[PredictionRecord]) -> StorageError | None:
            said: list[StorageError | None] = []
            heard = asyncio.Event()

            def told(failure: StorageError | None) -> None:
                assert asyncio.get_running_loop() is loop
                said.append(failure)
                heard.set()

            loop = asyncio.get_running_loop()
            writer.reserve(len(batch))
            writer.keep(encoded(writer, batch), told)
            assert not said
            await heard.wait()
            await asyncio.sleep(0)
            (failure,) = said
            return failure

        async def story() -> None:
            assert await told_of([first]) is None
            assert log.count(MODEL) == 1
            assert isinstance(await told_of([first]), StorageError), "the id is there already"
            assert await told_of([second]) is None

        run(story())
        assert log.count(MODEL) == 2
        assert writer.depth() == 0

    def test_many_clients_share_the_log(self, writer: PredictionWriter, log: PredictionLog) -> None:
        """Answers of clients that wait at the same time are all there, once."""
        batches = [Records(seed).many(2) for seed in range(20)]

        async def story() -> None:
            await asyncio.gather(*(keep(writer, batch) for batch in batches))

        run(story())
        found = log.rows(MODEL, BINARY, DAY).records["id"].to_pylist()
        assert sorted(found) == sorted(str(one.id) for batch in batches for one in batch)
        assert writer.depth() == 0

    def test_an_id_that_is_there_costs_the_others_nothing(self, writer: PredictionWriter, log: PredictionLog) -> None:
        """A batch with an id that is logged already fails alone and whole; its neighbours in the group are kept."""
        records = Records()
        first, second, third, fourth = records.many(4)

        async def story() -> None:
            await keep(writer, [first])
            told = await asyncio.gather(
                *(keep(writer, batch) for batch in ([second], [third, first], [fourth])), return_exceptions=True
            )
            assert [type(one) for one in told] == [type(None), StorageError, type(None)]
            assert not told[1].retryable  # type: ignore[union-attr]
            await keep(writer, [third])

        run(story())
        assert log.count(MODEL) == 4

    def test_full_queue_refuses_before_the_model_runs(self, writer: PredictionWriter) -> None:
        """Room is counted from the reservation on; a refusal may be tried again, and released room is free."""
        writer.reserve(ROOM - 1)
        writer.reserve(1)
        with pytest.raises(StorageError) as caught:
            writer.reserve(1)
        assert caught.value.retryable
        assert writer.depth() == ROOM
        writer.release(10)
        writer.reserve(10)

    def test_batch_beyond_the_queue_gets_in_alone(self, writer: PredictionWriter, log: PredictionLog) -> None:
        """A batch larger than all the room is taken when nothing else waits, and keeps others out until it is done."""
        records = Records().many(ROOM + 1)

        async def story() -> None:
            writer.reserve(len(records))
            with pytest.raises(StorageError):
                writer.reserve(1)
            await writer.submit(encoded(writer, records))
            writer.reserve(1)
            writer.release(1)

        run(story())
        assert log.count(MODEL) == ROOM + 1

    def test_whoever_left_is_not_logged(self, writer: PredictionWriter, log: PredictionLog) -> None:
        """A future that is cancelled before its group begins keeps nothing and gives its room back."""
        records = Records()
        left, stayed = records.many(2)

        async def story() -> None:
            writer.reserve(1)
            writer.submit(encoded(writer, [left])).cancel()
            await keep(writer, [stayed])

        run(story())
        assert log.count(MODEL) in {1, 2}  # the group may have begun; but the one who stayed is there
        assert str(stayed.id) in log.rows(MODEL, BINARY, DAY).records["id"].to_pylist()
        assert writer.depth() == 0

    @pytest.mark.parametrize("features", [(2**63, 1.0, True, "a"), (1, "x", True, "a"), (1, 1.0, True, "\ud800")])
    def test_unwritable_value_is_told_at_once(self, writer: PredictionWriter, features: tuple[Any, ...]) -> None:
        """A value that its column cannot hold is refused by the encoder, with the feature's name."""
        with pytest.raises(SchemaMismatchError) as caught:
            encoded(writer, [Records().one(features=features)])
        assert caught.value.violations[0].feature in BINARY.names

    def test_id_must_carry_time(self, writer: PredictionWriter) -> None:
        """An id that is not a version 7 UUID, or too few values, is a programmer's mistake."""
        encoder, one = writer.encoder(MODEL, BINARY), Records().one()
        with pytest.raises(ValueError, match="version 7"):
            encoder.encode(bytes(16), 0, "1", None, None, one.prediction, ROW)
        with pytest.raises(ValueError, match="features"):
            encoder.encode(one.id.bytes, 0, "1", None, None, one.prediction, ROW[:2])

    def test_retry_gets_the_first_answer(self, writer: PredictionWriter, log: PredictionLog) -> None:
        """A key that is used again gives the kept bytes and logs nothing, whether one looks first or submits."""
        records = Records()

        async def story() -> None:
            assert writer.replayed("client:k1") is None
            assert await keep(writer, [records.one()], answer("first")) is None
            assert writer.replayed("client:k1") == answer("first")
            assert await keep(writer, [records.one()], answer("second")) == answer("first")
            assert await keep(writer, [records.one()], answer("other", "client:k2")) is None

        run(story())
        assert log.count(MODEL) == 2

    def test_retry_beside_the_first_try_counts_once(self, writer: PredictionWriter, log: PredictionLog) -> None:
        """Of tries that wait at the same time one is kept, and all others get its answer."""
        records = Records()

        async def story() -> None:
            told = await asyncio.gather(*(keep(writer, [records.one()], answer(str(n))) for n in range(5)))
            (winner,) = [n for n, one in enumerate(told) if one is None]
            assert [one for one in told if one] == [answer(str(winner))] * 4

        run(story())
        assert log.count(MODEL) == 1

    def test_refused_batch_leaves_its_key_free(self, writer: PredictionWriter) -> None:
        """A key is kept with its rows or not at all."""
        records = Records()
        one = records.one()

        async def story() -> None:
            await keep(writer, [one])
            with pytest.raises(StorageError):
                await keep(writer, [one], answer("never sent"))
            assert writer.replayed("client:k1") is None
            assert await keep(writer, [records.one()], answer("sent")) is None

        run(story())

    def test_answers_expire_after_a_day(self, writer: PredictionWriter, log: PredictionLog, clock: FakeClock) -> None:
        """After 24 hours a key is free again; a minute before, it is not."""
        records = Records()

        async def story() -> None:
            await keep(writer, [records.one()], answer("first"))
            clock.advance(24 * 3600 - 60)
            assert writer.replayed("client:k1") == answer("first")
            clock.advance(120)
            assert writer.replayed("client:k1") is None
            assert await keep(writer, [records.one()], answer("second")) is None
            assert writer.replayed("client:k1") == answer("second")

        run(story())
        assert log.count(MODEL) == 2

    def test_feedback_goes_through_the_same_queue(self, writer: PredictionWriter, log: PredictionLog) -> None:
        """Outcomes get the statuses that the log itself would give, and see predictions submitted before them."""
        records = Records()
        one = records.one()
        items = [Feedback(one.id, "oui"), Feedback(one.id, "oui"), Feedback(records.unknown_id(), "non")]

        async def story() -> None:
            writer.reserve(1)
            kept = writer.submit(encoded(writer, [one]))
            statuses = await writer.feedback(MODEL, items, received_at=RECEIVED_AT)
            await kept
            assert statuses == [FeedbackStatus.RECORDED, FeedbackStatus.UNCHANGED, FeedbackStatus.UNMATCHED]

        run(story())
        assert log.rows(MODEL, BINARY, DAY).records["outcome"].to_pylist() == ['"oui"']
        assert log.rows(MODEL, BINARY, DAY).records["received_at"].to_pylist() == [RECEIVED_AT]

    def test_unwritable_outcome_keeps_nothing(self, writer: PredictionWriter, log: PredictionLog) -> None:
        """An outcome that JSON cannot say refuses the whole feedback and takes no room."""
        one = Records().one()

        async def story() -> None:
            await keep(writer, [one])
            with pytest.raises(SchemaMismatchError):
                await writer.feedback(
                    MODEL, [Feedback(one.id, "oui"), Feedback(one.id, float("nan"))], received_at=RECEIVED_AT
                )

        run(story())
        assert log.rows(MODEL, BINARY, DAY).records["outcome"].to_pylist() == [None]
        assert writer.depth() == 0

    def test_check_passes_on_a_log_that_works(self, writer: PredictionWriter) -> None:
        """A check of a writer that works says nothing, and its mode is one of two."""
        writer.check()
        assert writer.mode in {"durable", "fast"}

    def test_closing_keeps_what_waits(self, writer: PredictionWriter, log: PredictionLog) -> None:
        """What was submitted before closing is kept and acknowledged; afterwards everything is refused."""
        records = Records()
        made = [records.one() for _ in range(20)]

        async def story() -> None:
            waiting = []
            for one in made:
                writer.reserve(1)
                waiting.append(writer.submit(encoded(writer, [one])))
            writer.close()
            writer.close()
            assert await asyncio.gather(*waiting) == [None] * 20
            with pytest.raises(StorageError):
                writer.reserve(1)
            with pytest.raises(StorageError):
                await writer.submit(encoded(writer, [records.one()]))
            with pytest.raises(StorageError):
                await writer.feedback(MODEL, [], received_at=RECEIVED_AT)
            with pytest.raises(StorageError):
                writer.check()

        run(story())
        assert log.count(MODEL) == 20
