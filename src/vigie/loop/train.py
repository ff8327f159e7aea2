"""From a table to a leaderboard, its runs in the tracker, and the winner as a bundle."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa

from vigie.bundle.archive import BundleContent, pack, unpack
from vigie.domain.event import Event, EventKind
from vigie.domain.measurement import Measurement
from vigie.domain.model import TrackedRuns
from vigie.domain.schema import Schema
from vigie.domain.task import Task
from vigie.errors import ConfigurationError
from vigie.evaluation.metrics import DEFAULT_METRIC, Scores
from vigie.evaluation.value import value_per_thousand
from vigie.loop.compile import unservable, with_scorer
from vigie.loop.context import Loop
from vigie.loop.golden import golden_rows
from vigie.loop.importance import importance_of
from vigie.loop.origin import Origin
from vigie.loop.quantity import predicted_quantity
from vigie.loop.records import candidate_records, keep_card, parent_record
from vigie.monitoring.estimation import fit_basis
from vigie.monitoring.profile import build_profile
from vigie.monitoring.replaying import ReplayRows, replay
from vigie.training.candidates import default_candidates
from vigie.training.dataset import Dataset, build_dataset
from vigie.training.leaderboard import Entry, Leaderboard
from vigie.training.progress import Progress
from vigie.training.scoring import joined
from vigie.training.search import TrainingSpec, train_candidates
from vigie.training.split import Split, split

Members = dict[str, bytes]

REPLAYED = 12
"""Windows that the alarm rule is tried on at every training, in a second at most; ``monitor --replay`` tries more."""


@dataclass(frozen=True, slots=True)
class Trained:
    """A finished training: the table as read, the comparison, the runs, and the winner's bundle."""

    dataset: Dataset
    split: Split
    leaderboard: Leaderboard
    runs: TrackedRuns
    members: Members


def train(
    loop: Loop,
    table: pa.Table,
    *,
    declared: Schema | None,
    origin: Origin,
    progress: Progress,
    splitter: Callable[[Dataset], Split] | None = None,
) -> Trained:
    """Compare the candidates on a table, record the runs, and bundle the winner.

    Args:
        loop: ports and rules.
        table: the rows, target included.
        declared: the schema a person wrote, None to infer it.
        origin: where the table comes from.
        progress: called as each fit begins.
        splitter: how to set rows aside; None takes the rule of the settings.

    Raises:
        DataError: the table cannot be learnt from.
        ConfigurationError: a candidate or the metric is unknown, or a value is given for a task without decisions.
        RegistryError: the tracker failed.
        UntrustedContentError: the winner holds types that no server of this project would open.
    """
    rules = loop.rules
    dataset = build_dataset(table, rules.data, declared)
    _check_value(loop, dataset)
    parts = splitter(dataset) if splitter else split(dataset, rules.data)
    spec = with_defaults(rules.training, dataset)
    columns = {name: dataset.frame[name].tolist() for name in dataset.schema.names}
    leaderboard = train_candidates(
        dataset,
        parts,
        spec,
        progress=progress,
        seconds=lambda: loop.clock.now().timestamp(),
        unservable=lambda model: unservable(model, dataset.schema, columns),
    )
    runs = loop.tracker.record(
        loop.model,
        parent_record(loop, dataset, parts, leaderboard, origin),
        candidate_records(loop, dataset, parts, leaderboard, origin),
    )
    content = _content(loop, dataset, parts, leaderboard.winner, runs, origin)
    members = pack(with_scorer(content, columns))
    unpack(members, trust=rules.trust.before_signing())  # what no server could open must not become a version
    keep_card(loop, runs.parent_id, members)
    loop.ledger.append(_event(loop, dataset, leaderboard, runs, origin))
    return Trained(dataset, parts, leaderboard, runs, members)


def with_defaults(spec: TrainingSpec, dataset: Dataset) -> TrainingSpec:
    """Fill in the candidates and the metric that a task has when nobody says otherwise."""
    target = dataset.schema.target
    asked = spec.candidates or tuple(
        default_candidates(target.task, n_rows=len(dataset), n_classes=len(target.classes))
    )
    return replace(spec, candidates=asked, metric=spec.metric or DEFAULT_METRIC[target.task])


def _content(
    loop: Loop, dataset: Dataset, parts: Split, winner: Entry, runs: TrackedRuns, origin: Origin
) -> BundleContent:
    rows, scores = _held_out(parts, winner)
    profile, replayed = _profile(loop, dataset, winner, rows, scores)
    lineage = {
        "run_id": runs.child_ids[winner.name],
        "parent_run_id": runs.parent_id,
        "candidate": winner.name,
        "split": parts.how,
        "seed": loop.rules.data.seed,
        "source": origin.source,
        "cause": origin.cause,
        "n_train": len(parts.train),
        "n_test": len(parts.test),
        "drift_replay": replayed,
    }
    return BundleContent(
        name=loop.model,
        created_at=loop.clock.now(),
        schema=dataset.schema,
        model=winner.model,
        profile=profile,
        golden=golden_rows(
            winner.model, dataset.schema, {name: dataset.frame[name].tolist() for name in dataset.schema.names}
        ),
        metrics=(*winner.test, *_value(loop, winner)),
        data_digest=dataset.digest,
        git_commit=origin.commit,
        params=winner.params,
        lineage=lineage,
        estimation=fit_basis(dataset.schema, dataset.frame.iloc[rows], scores),
    )


def _value(loop: Loop, entry: Entry) -> tuple[Measurement, ...]:
    value = loop.rules.value
    return () if value is None else (value_per_thousand(entry.test_scores, value),)


def _check_value(loop: Loop, dataset: Dataset) -> None:
    task = dataset.schema.target.task
    if loop.rules.value is not None and task is not Task.BINARY:
        raise ConfigurationError(
            f"Decisions have a value for a binary task only, and the target is {task.value}.",
            remedy="Remove the section [value].",
            key="value",
        )


def _held_out(parts: Split, winner: Entry) -> tuple[np.ndarray, Scores]:
    """Return the rows that were predicted by a model that did not learn from them, in their order in the table.

    The winner's own answers on its training rows are more sure of themselves than its answers in production will be:
    taken as the reference, they would make the first calm day look like drift.
    """
    rows = np.concatenate([winner.out_of_fold_rows, parts.test])
    order = np.argsort(rows)
    return rows[order], joined([winner.out_of_fold, winner.test_scores]).take(order)


def _profile(loop: Loop, dataset: Dataset, winner: Entry, rows: np.ndarray, scores: Scores) -> tuple[bytes, str]:
    """Summarise rows and what was predicted of them, and try the alarm rule on windows that are cut from them.

    Returns:
        The profile, and what the rule said.
    """
    times, task, seed = dataset.times, dataset.schema.target.task, loop.rules.data.seed
    order = np.arange(len(rows)) if times is None else np.argsort(times[rows], kind="stable")
    given = ReplayRows(
        schema=dataset.schema,
        frame=dataset.frame.iloc[rows[order]],
        predicted=predicted_quantity(scores, task)[order],
        in_time_order=times is not None,
    )
    profile = build_profile(given.schema, given.frame, given.predicted, in_time_order=given.in_time_order)
    moved = importance_of(winner.model, task, given.frame, seed=seed)
    rule = loop.rules.alarm
    tried = replay(given, rule, rows=rule.min_rows, most_windows=REPLAYED, rng=np.random.default_rng(seed))
    return replace(profile, importance=moved).to_bytes(), tried.sentence


def _event(loop: Loop, dataset: Dataset, leaderboard: Leaderboard, runs: TrackedRuns, origin: Origin) -> Event:
    winner = leaderboard.winner
    value = f"{winner.cv.value:.4g}" if winner.cv.value is not None else "unknown"
    return Event(
        kind=EventKind.TRAINED,
        at=loop.clock.now(),
        model=loop.model,
        summary=f"Trained {len(leaderboard.entries) - 1} candidates on {len(dataset.y):,} rows and kept "
        f"{winner.name}, with {leaderboard.metric} {value} in cross-validation.",
        reasons=(origin.cause, leaderboard.choice.reason),
        evidence={
            "run_id": runs.parent_id,
            "data_digest": dataset.digest,
            "git_commit": origin.commit,
            "winner": winner.name,
            "cv": {entry.name: entry.cv.to_dict() for entry in leaderboard.entries},
        },
    )
