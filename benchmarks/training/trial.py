"""One engine on one split of one table: train it in a process, then ask it in a fresh one."""

import sys
from dataclasses import dataclass
from math import isclose
from pathlib import Path
from typing import Any

from benchmarks.environments import environment
from benchmarks.processes import Answer, Failure, run_child
from benchmarks.training.cases import METRICS, TEST_SHARE, VIGIE, Engine, Holdout, quality

LONGEST_S = 3_600.0
"""An engine that takes longer, on however busy a machine, is reported as failed."""

PROJECT = """\
[project]
name = "benchmark"
task = "{task}"

[data]
source = "all.parquet"
target = "{target}"
test_fraction = {share}
seed = {seed}

[training]
report = false
"""
"""All that is said to Vigie: the default candidates, metric and folds, and no report: no peer draws one."""


@dataclass(frozen=True, slots=True)
class Trial:
    """What an engine answered and what it cost.

    Attributes:
        quality: the case's metric on the held-out rows, of the model as it was served.
        train_cpu_s: of the whole training process, start and imports included.
        train_wall_s: the same by the clock on the wall.
        size_mb: of all files needed to serve.
        serving: the figures of ``engines.engine``, by name.
        notes: what the engine says of its result.
    """

    quality: float
    train_cpu_s: float
    train_wall_s: float
    size_mb: float
    serving: dict[str, float | None]
    notes: tuple[str, ...]


def run_trial(engine: Engine, holdout: Holdout, *, budget_s: float) -> Trial | Failure:
    """Train and ask one engine.

    Args:
        engine: who.
        holdout: on what.
        budget_s: seconds it may search, if it asks for such a limit.
    """
    folder = holdout.folder / engine.name.replace(",", "").replace(" ", "_")
    folder.mkdir()
    trained = _train_vigie(holdout, folder) if engine is VIGIE else _train_peer(engine, holdout, folder, budget_s)
    if isinstance(trained, Failure):
        return trained
    model = _bundle(folder) if engine is VIGIE else folder
    request = {"action": "serve", "folder": str(model), "records": str(holdout.folder / "records.json")}
    served = _ask(engine, request)
    if isinstance(served, Failure):
        return Failure(f"trained, but not served: {served.why}")
    try:
        found = quality(holdout, served.value.pop("predictions"))
        notes = _check_vigie(holdout, trained.value, found) if engine is VIGIE else tuple(trained.value["notes"])
    except ValueError as exc:
        return Failure(str(exc))
    size_mb = sum(path.stat().st_size for path in model.rglob("*") if path.is_file()) / 1e6
    return Trial(found, trained.cpu_s, trained.wall_s, size_mb, served.value, notes)


def _train_vigie(holdout: Holdout, folder: Path) -> Answer | Failure:
    case = holdout.case
    text = PROJECT.format(task=case.task, target=case.target, share=TEST_SHARE, seed=holdout.seed)
    (folder / "vigie.toml").write_text(text, encoding="utf-8")
    (holdout.folder / "all.parquet").rename(folder / "all.parquet")
    command = [sys.executable, "-m", "vigie", "train", "--json", "--project", str(folder)]
    return run_child(command, request=None, timeout_s=LONGEST_S)


def _train_peer(engine: Engine, holdout: Holdout, folder: Path, budget_s: float) -> Answer | Failure:
    request = {
        "action": "train",
        "train": str(holdout.folder / "train.parquet"),
        "folder": str(folder),
        "task": holdout.case.task,
        "target": holdout.case.target,
        "metric": METRICS[holdout.case.task],
        "seed": holdout.seed,
        "rounds": engine.rounds,
        "budget_s": budget_s,
    }
    return _ask(engine, request)


def _ask(engine: Engine, request: dict[str, Any]) -> Answer | Failure:
    python = sys.executable if engine.environment is None else str(environment(engine.environment).python)
    command = [python, "-m", f"benchmarks.training.engines.{engine.module}"]
    return run_child(command, request=request, timeout_s=LONGEST_S, own_path=engine.environment is None)


def _bundle(folder: Path) -> Path:
    """Return the one bundle of a fresh project: what its server would open."""
    (manifest,) = folder.rglob("manifest.json")
    return manifest.parent


def _check_vigie(holdout: Holdout, reported: dict[str, Any], found: float) -> tuple[str, ...]:
    """Check that Vigie held out the very rows its peers are asked about; return what it chose.

    Raises:
        ValueError: other rows, or the served model's metric is not the one that was reported.
    """
    (winner,) = (entry for entry in reported["leaderboard"] if entry["model"] == reported["winner"])
    rows = [row["row"] for row in winner["first_test_rows"]]
    if rows != list(holdout.test_rows[: len(rows)]) or reported["split"]["n_test"] != len(holdout.test_rows):
        raise ValueError("vigie train held out other rows than its peers are judged on")
    said = winner["test"][METRICS[holdout.case.task]]["value"]
    if not isclose(said, found, rel_tol=1e-6):
        raise ValueError(f"vigie train reported {said}, and its served model gives {found}")
    return (f"chose {reported['winner']}",)
