"""The place a model serves from. It is taken whole and changed whole: no reader ever sees half of a model."""

from dataclasses import dataclass
from datetime import datetime
from threading import Lock

from vigie.domain.schema import Schema
from vigie.inference.scorer import Scorer


@dataclass(frozen=True, slots=True)
class ServingModel:
    """A model that is ready to answer.

    Attributes:
        name: the registered model's name.
        version: as the registry writes it.
        schema: what a request must hold.
        scorer: what answers.
        created_at: when it was trained, UTC.
    """

    name: str
    version: str
    schema: Schema
    scorer: Scorer
    created_at: datetime

    @property
    def scorer_kind(self) -> str:
        """Which link of the chain answers: ``compiled`` or ``sklearn``."""
        return self.scorer.kind


class Slots:
    """Who serves. A request reads ``champion`` once and stays with what it got until its answer has left."""

    def __init__(self, champion: ServingModel | None = None) -> None:
        self._champion = champion
        self._changing = Lock()

    @property
    def champion(self) -> ServingModel | None:
        """The model that answers now; None before the first one is loaded."""
        return self._champion

    def swap(self, model: ServingModel | None) -> ServingModel | None:
        """Put ``model`` in the champion's place and return the one that served until now."""
        with self._changing:
            before, self._champion = self._champion, model
        return before
