"""Train a challenger on recent outcomes and weigh it against the champion on rows neither has learnt from."""

from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from vigie.domain.event import Event, EventKind
from vigie.domain.frame import model_frame
from vigie.domain.model import CHALLENGER, ModelVersion
from vigie.domain.task import Task
from vigie.errors import BundleError, DataError, InsufficientDataError
from vigie.evaluation.metrics import row_losses
from vigie.loop.answers import answers_of
from vigie.loop.champion import OpenVersion, check_servable
from vigie.loop.context import Loop, Rules
from vigie.loop.logged import labelled_table
from vigie.loop.origin import Origin
from vigie.loop.register import LOSS_NAMES, publish
from vigie.loop.train import Trained, train
from vigie.ports import LoggedRows
from vigie.promotion.gate import GateDecision, decide
from vigie.training.dataset import Dataset
from vigie.training.progress import Progress
from vigie.training.split import Split


@dataclass(frozen=True, slots=True)
class Challenge:
    """A challenger and what the gate says of it."""

    version: ModelVersion
    trained: Trained
    decision: GateDecision


def retrain(loop: Loop, champion: OpenVersion, rows: LoggedRows, *, origin: Origin, progress: Progress) -> Challenge:
    """Train on the outcomes of a window, register the winner as challenger, and ask the gate.

    The earlier rows are learnt from, the later ones judge: both models meet them as they would meet tomorrow's.

    Args:
        loop: ports and rules.
        champion: the version in place.
        rows: logged predictions of this champion; those without an outcome are left aside.
        origin: for the lineage.
        progress: called as each fit begins.

    Raises:
        InsufficientDataError: fewer outcomes than ``retraining.min_labelled``.
        DataError: the outcomes cannot be learnt from, or lack a class that the champion answers.
    """
    table = labelled_table(rows, champion.schema)
    if table.num_rows < loop.rules.retraining.min_labelled:
        raise InsufficientDataError("Retraining", needed=loop.rules.retraining.min_labelled, found=table.num_rows)
    _check_classes(champion, table)
    inner = replace(loop, rules=_rules_for_logged_rows(loop.rules, champion))
    trained = train(
        inner,
        table,
        declared=champion.schema,
        origin=origin,
        progress=progress,
        splitter=lambda dataset: later_rows_judge(dataset, loop.rules.held_out),
    )
    version = publish(loop, trained)
    loop.registry.point(loop.model, CHALLENGER, version.version)
    decision = _held_unless_servable(loop, version, _gate(loop, champion, trained))
    loop.ledger.append(_event(loop, champion, version, decision))
    return Challenge(version, trained, decision)


def later_rows_judge(dataset: Dataset, held_out: float) -> Split:
    """Learn from the earlier rows of a table in the order of time, and hold out the later ones."""
    n = len(dataset)
    cut = n - max(1, round(n * held_out))
    how = f"{cut:,} earlier outcomes to learn from, {n - cut:,} later ones held out."
    return Split(np.arange(cut), np.arange(cut, n), how, by_time=True)


def _rules_for_logged_rows(rules: Rules, champion: OpenVersion) -> Rules:
    """Logged rows hold the features and the target only, and the order of their ids is their time."""
    target = champion.schema.target
    positive = str(target.positive) if target.task is Task.BINARY else None
    data = replace(
        rules.data,
        task=target.task,
        positive=positive,
        entity=champion.schema.entity,
        time=None,
        exclude=(),
        split="random",
    )
    return replace(rules, data=data)


def _check_classes(champion: OpenVersion, table: pa.Table) -> None:
    """Models that know different classes cannot be compared: say so before anything is fitted."""
    target = champion.schema.target
    found = set(pc.unique(table.column(target.name)).to_pylist())
    missing = [label for label in target.classes if label not in found]
    if missing:
        raise DataError(
            f"The recent outcomes hold no {', '.join(map(repr, missing))}: the models could not be compared.",
            remedy="Wait for outcomes of every class.",
        )


def _gate(loop: Loop, champion: OpenVersion, trained: Trained) -> GateDecision:
    dataset, test = trained.dataset, trained.split.test
    task = champion.schema.target.task
    # The champion's own schema builds its frame: the order and kinds it was fitted on.
    frame = model_frame(champion.schema, {name: dataset.frame[name].to_numpy() for name in champion.schema.names})
    incumbent = answers_of(champion.bundle, frame.iloc[test], dataset.y[test])
    challenger = trained.leaderboard.winner.test_scores
    return decide(
        row_losses(incumbent, task),
        row_losses(challenger, task),
        loop.rules.gate,
        loss=LOSS_NAMES[task],
        rng=np.random.default_rng(loop.rules.data.seed),
        incumbent_name=f"champion version {champion.version}",
    )


def _held_unless_servable(loop: Loop, version: ModelVersion, decision: GateDecision) -> GateDecision:
    """Hold a challenger that no server would open, whatever its figures."""
    try:
        check_servable(loop, version.version)
    except BundleError as error:
        return replace(decision, promote=False, reasons=(str(error), *decision.reasons))
    return decision


def _event(loop: Loop, champion: OpenVersion, version: ModelVersion, decision: GateDecision) -> Event:
    word = "may take its place" if decision.promote else "is held"
    return Event(
        kind=EventKind.GATED,
        at=loop.clock.now(),
        model=loop.model,
        version=version.version,
        summary=f"Version {version.version} against champion {champion.version}: it {word}.",
        reasons=decision.reasons,
        evidence={**decision.to_dict(), "champion": champion.version},
    )
