"""What a training report is made from."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from vigie.domain.task import Task
from vigie.evaluation.value import DecisionValue
from vigie.training.dataset import Dataset
from vigie.training.leaderboard import Leaderboard
from vigie.training.split import Split

Progress = Callable[[str, int, int], None]
"""Called with what is being worked out, parts done and parts to do."""


@dataclass(frozen=True, slots=True)
class Effort:
    """How much is fitted again to draw the curves; it bounds the cost of a report whatever the table's size.

    Attributes:
        rows: training rows that a fit of the learning and validation curves uses at most.
        folds: folds those curves are averaged over.
        steps: sizes of the learning curve, and values of the validation curve where each needs a fit.
        shuffles: times each feature is permuted.
        judged_rows: rows that permutation and the curves look at, at most.
    """

    rows: int
    folds: int
    steps: int
    shuffles: int
    judged_rows: int


USUAL_EFFORT = Effort(rows=2_000, folds=2, steps=5, shuffles=3, judged_rows=1_000)
"""About three seconds of one core for the examples of up to 5,000 rows, of which three quarters draw the charts."""


@dataclass(frozen=True, slots=True)
class Provenance:
    """What it takes to do it again.

    Attributes:
        created_at: when the training ended, aware UTC.
        source: where the table comes from, one sentence.
        commit: of the code, None outside a repository.
        versions: libraries and their versions.
        params: further settings of the training as text.
    """

    created_at: datetime
    source: str
    commit: str | None
    versions: dict[str, str]
    params: dict[str, str]


@dataclass(frozen=True, slots=True)
class ReportInputs:
    """A finished training, as the report tells it.

    Attributes:
        model: name of the registered model.
        dataset: all rows.
        split: which of them were learnt from.
        leaderboard: the candidates, fitted.
        n_folds: of the cross-validation.
        seed: of every random choice, also those of the report.
        value: worth of a decision; None where nobody said.
        choice: the sentence of the rule that chose the winner; None where the best mean simply won.
        provenance: what it takes to do it again.
        effort: how much to fit again.
    """

    model: str
    dataset: Dataset
    split: Split
    leaderboard: Leaderboard
    n_folds: int
    seed: int
    value: DecisionValue | None
    choice: str | None
    provenance: Provenance
    effort: Effort

    @property
    def task(self) -> Task:
        """The question the candidates answer."""
        return self.dataset.schema.target.task

    @property
    def held_out(self) -> str:
        """The rows that judge, in words."""
        return f"{len(self.split.test):,} held-out rows"
