"""The leaderboard as a terminal table and as JSON."""

from typing import Any

from vigie.cli.output import Columns, console, measured, number, plain, table
from vigie.domain.task import Task
from vigie.loop.train import Trained
from vigie.training.leaderboard import Entry

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
    for warning in dataset.warnings:
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
    for failure in board.failures:
        screen.print(f"[yellow]{failure.name} could not be fitted:[/] {plain(failure.reason)}")
    for entry in board.entries:
        for note in entry.notes[:2]:
            screen.print(f"[dim]{entry.name}: {plain(note)}[/]")


def leaderboard_json(trained: Trained) -> dict[str, Any]:
    """Return everything the table rests on."""
    dataset, board = trained.dataset, trained.leaderboard
    return {
        "rows": len(dataset),
        "task": dataset.schema.target.task.value,
        "target": dataset.schema.target.name,
        "data_digest": dataset.digest,
        "split": {"how": trained.split.how, "n_train": len(trained.split.train), "n_test": len(trained.split.test)},
        "warnings": list(dataset.warnings),
        "metric": board.metric,
        "winner": board.winner.name,
        "run_id": trained.runs.parent_id,
        "leaderboard": [
            {
                "model": entry.name,
                "run_id": trained.runs.child_ids[entry.name],
                "cv": entry.cv.to_dict(),
                "test": {item.name: item.to_dict() for item in entry.test},
                "params": entry.params,
                "n_features": entry.n_features_in,
                "n_features_kept": entry.n_features_kept,
            }
            for entry in board.entries
        ],
        "failures": {failure.name: failure.reason for failure in board.failures},
    }


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
