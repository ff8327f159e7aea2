"""What the tracker keeps of a training: one run for the whole, and below it one for each candidate."""

from typing import Final

import numpy as np

from vigie.bundle.members import CARD
from vigie.domain.measurement import Measurement, finite
from vigie.domain.model import RunRecord, UsedRows
from vigie.domain.schema import Kind
from vigie.loop.context import Loop
from vigie.loop.origin import Origin
from vigie.ports import Members
from vigie.training.dataset import Dataset
from vigie.training.leaderboard import Entry, Leaderboard
from vigie.training.split import Split

FOLDS: Final = "folds/"
"""Before a metric's name: its value in every fold, one a step."""


def parent_record(loop: Loop, dataset: Dataset, parts: Split, leaderboard: Leaderboard, origin: Origin) -> RunRecord:
    """Return the run of a whole training, with the winner's metrics."""
    winner = leaderboard.winner
    return RunRecord(
        name=f"{loop.model}: {winner.name} of {len(leaderboard.entries) - 1}",
        params={
            "task": dataset.schema.target.task.value,
            "target": dataset.schema.target.name,
            "n_rows": str(len(dataset.y)),
            "n_features": str(len(dataset.schema.features)),
            "split": parts.how,
            "seed": str(loop.rules.data.seed),
            "metric": leaderboard.metric,
            "folds": str(leaderboard.n_folds),
            "repeats": str(leaderboard.n_repeats),
            "winner": winner.name,
            "why": leaderboard.choice.reason,
        },
        metrics=_metrics(leaderboard.metric, winner),
        tags={**origin_tags(dataset.digest, origin), "vigie.kind": "training"},
        rows=_rows(loop.model, dataset, parts, origin),
        seconds=sum(entry.seconds for entry in leaderboard.entries),
    )


def candidate_records(
    loop: Loop, dataset: Dataset, parts: Split, leaderboard: Leaderboard, origin: Origin
) -> list[RunRecord]:
    """Return one run a candidate, best first, the dummy's among them."""
    seed = str(loop.rules.data.seed)
    return [
        RunRecord(
            name=entry.name,
            params={"candidate": entry.name, "seed": seed, **entry.params},
            metrics=_metrics(leaderboard.metric, entry),
            tags={
                **origin_tags(dataset.digest, origin),
                "vigie.kind": "candidate",
                "vigie.kept": str(entry is leaderboard.winner).lower(),
            },
            series=_series(entry),
            rows=_rows(loop.model, dataset, parts, origin),
            seconds=entry.seconds,
        )
        for entry in leaderboard.entries
    ]


def keep_card(loop: Loop, run_id: str, members: Members) -> None:
    """Keep the card of a bundle with a run, as a file and as the note that is shown beside it.

    Raises:
        RegistryError: the tracker failed.
    """
    loop.tracker.attach(run_id, {CARD: members[CARD]}, note=members[CARD].decode())


def origin_tags(digest: str, origin: Origin) -> dict[str, str]:
    """Return where a run's table and code come from, as labels."""
    tags = {
        "vigie.data_digest": digest,
        "vigie.source": origin.source,
        "vigie.cause": origin.cause,
        "mlflow.source.name": origin.cause,
        "mlflow.source.type": "LOCAL",
    }
    return tags if origin.commit is None else {**tags, "mlflow.source.git.commit": origin.commit}


def _rows(name: str, dataset: Dataset, parts: Split, origin: Origin) -> tuple[UsedRows, ...]:
    target = dataset.schema.target
    columns = {feature.name: feature.kind.value for feature in dataset.schema.features}
    columns[target.name] = (Kind.CATEGORY if target.task.is_classification else Kind.NUMBER).value
    return tuple(
        UsedRows(name, role, dataset.digest, origin.source, len(rows), columns)
        for role, rows in (("training", parts.train), ("test", parts.test))
    )


def _metrics(ranked_by: str, entry: Entry) -> dict[str, float]:
    found: dict[str, float | None] = {"fit_seconds": entry.seconds}
    for item in entry.test:
        found |= with_interval(f"test_{item.name}", item)
    for name, values in entry.folds.items():
        found |= {f"cv_{name}_mean": float(np.mean(values)), f"cv_{name}_sd": float(np.std(values))}
    found |= with_interval(f"cv_{ranked_by}_mean", entry.cv)
    if entry.n_features_kept is not None:
        found["n_features_kept"] = float(entry.n_features_kept)
    if entry.coefficients is not None:
        found["n_zero_coefficients"] = float(sum(line.n_zero for line in entry.coefficients))
        found["sparsity"] = float(np.mean([line.sparsity for line in entry.coefficients]))
    return {name: value for name, value in found.items() if value is not None and finite(value) is not None}


def with_interval(name: str, item: Measurement) -> dict[str, float | None]:
    """Return a measurement as metrics: its value, and the ends of its interval where it has one."""
    if item.interval is None:
        return {name: item.value}
    return {name: item.value, f"{name}_low": item.interval.low, f"{name}_high": item.interval.high}


def _series(entry: Entry) -> dict[str, tuple[float, ...]]:
    """Return every metric by fold; none where a fold does not define it, for a step left out would shift the others."""
    return {FOLDS + name: values for name, values in entry.folds.items() if np.isfinite(values).all()}
