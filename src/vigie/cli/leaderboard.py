"""The leaderboard as a terminal table and as JSON."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from vigie.cli.output import console, measured, number, plain, table
from vigie.cli.sheet import Columns
from vigie.domain.measurement import finite
from vigie.domain.schema import Target
from vigie.domain.task import Task
from vigie.evaluation.paired import PairedDifference
from vigie.loop.train import Trained
from vigie.training.coefficients import Coefficients
from vigie.training.leaderboard import Entry
from vigie.training.tuner import TunerFigure

FIRST_ROWS = 3
"""Held-out rows that the JSON shows one by one, at most."""

SECOND_METRIC = {Task.REGRESSION: "r2", Task.BINARY: "log_loss", Task.MULTICLASS: "accuracy"}
"""Shown beside the ranking metric."""


def print_leaderboard(trained: Trained) -> None:
    """Print what was compared, on which rows, and how the candidates did."""
    dataset, board, screen = trained.dataset, trained.leaderboard, console()
    target = dataset.schema.target
    classes = f", positive class {target.positive!r}" if target.task is Task.BINARY else ""
    screen.print(
        f"{len(dataset):,} rows, {len(dataset.schema.features)} features, {target.task.value} target "
        f"{plain(repr(target.name))}{plain(classes)}"
    )
    screen.print(plain(trained.split.how))
    for warning in (*dataset.warnings, *board.warnings):
        screen.print(f"[yellow]Note:[/] {plain(warning)}")
    screen.print()
    metric, second = _shown(trained)
    columns: Columns = [
        ("model", "left"),
        (f"CV {metric}", "right"),
        ("held out [95 %]", "right"),
        (second, "right"),
        ("features", "right"),
    ]
    rows = [_row(entry, metric, second, winner=entry is board.winner) for entry in board.entries]
    screen.print(
        table(
            f"Best first by cross-validated {board.metric}; held-out rows: n = {len(trained.split.test):,}",
            columns,
            rows,
        )
    )
    screen.print(plain(board.choice.reason))
    for failure in board.failures:
        screen.print(f"[yellow]{plain(failure.name)} is left out:[/] {plain(failure.reason)}")
    for entry in board.entries:
        for note in entry.notes[:2]:
            screen.print(f"[dim]{plain(entry.name)}: {plain(note)}[/]")


def leaderboard_json(trained: Trained) -> dict[str, Any]:
    """Return everything the table rests on."""
    dataset, board, parts = trained.dataset, trained.leaderboard, trained.split
    return {
        "rows": len(dataset),
        "task": dataset.schema.target.task.value,
        "target": dataset.schema.target.name,
        "data_digest": dataset.digest,
        "split": {
            "how": parts.how,
            "n_train": len(parts.train),
            "n_test": len(parts.test),
            "by_time": parts.by_time,
            "by_entity": parts.by_entity,
        },
        "warnings": [*dataset.warnings, *board.warnings],
        "metric": board.metric,
        "folds": board.n_folds,
        "repeats": board.n_repeats,
        "winner": board.winner.name,
        "choice": {
            "best": board.choice.best,
            "kept": board.choice.kept,
            "reason": board.choice.reason,
            "compared": {name: _difference_json(found) for name, found in board.choice.compared.items()},
        },
        "run_id": trained.runs.parent_id,
        "leaderboard": [entry_json(trained, entry) for entry in board.entries],
        "failures": {failure.name: failure.reason for failure in board.failures},
    }


def entry_json(trained: Trained, entry: Entry) -> dict[str, Any]:
    """Return one candidate's figures, in full precision, with how they came about."""
    search = entry.search
    return {
        "model": entry.name,
        "run_id": trained.runs.child_ids[entry.name],
        "cv": entry.cv.to_dict(),
        "cv_folds": {name: _folds_json(values) for name, values in entry.folds.items()},
        "test": {item.name: item.to_dict() for item in entry.test},
        "params": entry.params,
        "chosen": dict(entry.chosen),
        "tuning": _tuning_json(entry.tuner),
        "search": None if search is None else {"points": search.n_points, "tried": search.n_tried},
        "n_features": entry.n_features_in,
        "n_features_kept": entry.n_features_kept,
        "coefficients": _coefficients_json(entry.coefficients, trained.dataset.schema.target),
        "first_test_rows": _first_rows_json(trained, entry),
        "seconds": entry.seconds,
        "notes": list(entry.notes),
    }


def _tuning_json(found: TunerFigure | None) -> dict[str, Any] | None:
    """Return the penalty and the figure by which it looks good, marked as what it is."""
    if found is None:
        return None
    return {
        "alpha": found.alpha,
        "tuned": found.tuned,
        "rmse": found.rmse,
        "folds": list(found.folds),
        "optimistic": True,
        "why": "Folds cut from rows that were prepared together: each is checked on rows that the scaler has seen"
        + (", and on which the penalty was chosen." if found.tuned else "."),
    }


def _folds_json(values: Sequence[float]) -> dict[str, Any]:
    """Return each fold's value, their mean and their standard deviation (divided by n, as numpy's)."""
    whole = np.isfinite(values).all()
    return {
        "values": [finite(value) for value in values],
        "mean": float(np.mean(values)) if whole else None,
        "sd": float(np.std(values)) if whole else None,
    }


def _difference_json(found: PairedDifference) -> dict[str, Any]:
    return {"mean": found.mean, "interval": found.interval.to_dict(), "n": found.n}


def _coefficients_json(found: Sequence[Coefficients] | None, target: Target) -> list[dict[str, Any]] | None:
    """Return one object an output; of two classes the output is the log-odds of the positive one."""
    if found is None:
        return None
    names = [target.name] if target.task is Task.REGRESSION else list(target.classes)[-len(found) :]
    return [
        {
            "output": name,
            "unit": "per standard deviation of a number, per level of a category",
            "intercept": line.intercept,
            "values": dict(line.values),
            "n_zero": line.n_zero,
            "sparsity": line.sparsity,
        }
        for name, line in zip(names, found, strict=True)
    ]


def _first_rows_json(trained: Trained, entry: Entry) -> list[dict[str, Any]]:
    """Return what the model says of the first held-out rows, so that a run can be compared with another by eye."""
    target, scores = trained.dataset.schema.target, entry.test_scores
    found = []
    for position, row in enumerate(trained.split.test[:FIRST_ROWS].tolist()):
        true, predicted = scores.y[position], scores.predicted[position]
        if scores.proba is None:
            found.append({"row": row, "true": float(true), "predicted": float(predicted)})
        else:
            named = {"row": row, "true": target.classes[true], "predicted": target.classes[predicted]}
            found.append({**named, "probabilities": scores.proba[position].tolist()})
    return found


def _shown(trained: Trained) -> tuple[str, str]:
    metric = trained.leaderboard.metric
    second = SECOND_METRIC[trained.dataset.schema.target.task]
    return metric, second if second != metric else trained.leaderboard.winner.test[0].name


def _row(entry: Entry, metric: str, second: str, *, winner: bool) -> tuple[str, ...]:
    name = f"[bold]{plain(entry.name)}[/]" if winner else plain(entry.name)
    kept = (
        f"{entry.n_features_in}"
        if entry.n_features_kept is None
        else f"{entry.n_features_kept} of {entry.n_features_in}"
    )
    held_out, other = entry.measured(metric), entry.measured(second)
    return name, number(entry.cv.value, entry.cv.unit), measured(held_out), number(other.value, other.unit), kept
