"""Schemas and records that the suites log."""

from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from vigie.domain.prediction import Prediction, PredictionRecord
from vigie.domain.schema import Feature, Kind, Schema, Target, Value
from vigie.domain.task import Task
from vigie.domain.window import Window
from vigie.ports import LoggedRows
from vigie.testing.clock import START, FakeIds

FEATURES: Final = (
    Feature("months", Kind.INTEGER),
    Feature("amount; DROP TABLE label", Kind.NUMBER, nullable=True),
    Feature("is_client", Kind.BOOLEAN, nullable=True),
    Feature("pays d'été", Kind.CATEGORY, nullable=True),
)
BINARY: Final = Schema(FEATURES, Target("churn", Task.BINARY, ("non", "oui")), entity="client_id")
REGRESSION: Final = Schema(FEATURES, Target("price", Task.REGRESSION))
ROW: Final[tuple[Value, ...]] = (6, 89.99, True, "Côte d'Ivoire")
DAY: Final = Window(START, START + timedelta(days=1))
CHURN: Final = Prediction("oui", (0.2, 0.8))


class IdTally:
    """Counts rows by naming them: a row that is counted twice, or not at all, is seen."""

    digest = b"ids"

    def count(self, rows: LoggedRows) -> bytes:
        """Return the ids, in order."""
        names: list[str] = sorted(rows.records["id"].to_pylist())
        return " ".join(names).encode()

    def add(self, first: bytes, second: bytes) -> bytes:
        """Return the ids of both, in order."""
        return b" ".join(sorted(first.split() + second.split()))


class Records:
    """Makes records with fresh ids, as a test asks for them."""

    def __init__(self, seed: int = 0) -> None:
        self._ids = FakeIds(seed)

    def one(
        self,
        after_s: float = 0.0,
        *,
        features: tuple[Value, ...] = ROW,
        prediction: Prediction = CHURN,
        version: str = "1",
        entity: str | None = "client-7",
        id_at: datetime | None = None,
    ) -> PredictionRecord:
        """Return a record made ``after_s`` seconds after the fake clock's start; ``id_at`` is the id's own time."""
        at = START + timedelta(seconds=after_s)
        return PredictionRecord(
            id=self._ids.new_id(id_at or at),
            at=at,
            version=version,
            features=features,
            prediction=prediction,
            entity=entity,
            variant="champion",
            latency_us=1234,
        )

    def many(self, n: int) -> list[PredictionRecord]:
        """Return ``n`` records, a second apart."""
        return [self.one(float(second)) for second in range(n)]

    def unknown_id(self) -> UUID:
        """Return an id that no record has."""
        return self._ids.new_id(START)
