"""What every engine's process does: train once, or load and answer, with each step's CPU time. Standard library only.

A file of this folder calls ``run(train, load)`` once its imports are done. CPU time and not wall time: the figures
should be those of the engine, not of what else the machine was doing. Waiting for the disk is therefore left out.
"""

import json
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.children import answer_one

Record = dict[str, Any]
Score = Callable[[Sequence[Record]], list[Any]]
"""Rows as a client sends them → per row a number, or the probabilities of the classes in sorted order."""

BATCH = 1_000
_SLICES = 5
_SLICE_S = 0.2


def run(train: Callable[[Any], list[str]] | None, load: Callable[[Path], Score]) -> None:
    """Answer one request of ``benchmarks.training.trial``.

    Args:
        train: fits on ``request["train"]``, stores the model in ``request["folder"]`` and returns notes.
        load: opens the model in a folder.
    """
    imported_s = time.process_time()  # since the interpreter started

    def handle(request: Any) -> Any:
        if request["action"] == "train":
            if train is None:
                raise ValueError("this engine is trained by a command of its own")
            return {"notes": train(request)}
        return _serve(load, request, imported_s)

    answer_one(handle)


def _serve(load: Callable[[Path], Score], request: Any, imported_s: float) -> dict[str, Any]:
    records: list[Record] = json.loads(Path(request["records"]).read_bytes())
    before = time.process_time()
    score = load(Path(request["folder"]))
    loaded = time.process_time()
    score(records[:1])
    answered = time.process_time()
    starts = range(0, len(records), BATCH)
    batch = (records * (BATCH // len(records) + 1))[:BATCH]
    return {
        "predictions": [answer for start in starts for answer in score(records[start : start + BATCH])],
        "import_s": imported_s,
        "load_s": loaded - before,
        "first_answer_s": imported_s + answered - before,
        "row_ms": _cost_ms(score, [records[n : n + 1] for n in range(min(100, len(records)))]),
        "batch_ms": _cost_ms(score, [batch]),
        "memory_mib": _peak_memory_mib(),
    }


def _cost_ms(score: Score, bodies: Sequence[Sequence[Record]]) -> float:
    """Return the CPU time of one call, the median of some slices; each slice goes through the bodies in turn."""
    found = []
    for _ in range(_SLICES):
        calls, started = 0, time.process_time()
        while (used := time.process_time() - started) < _SLICE_S:
            score(bodies[calls % len(bodies)])
            calls += 1
        found.append(1000 * used / calls)
    return median(found)


def _peak_memory_mib() -> float | None:
    """Return the most memory this process held; None where the system does not say.

    Not ``getrusage``: Linux counts there what the parent held before this program was started.
    """
    status = Path("/proc/self/status")
    lines = status.read_text(encoding="ascii").splitlines() if status.exists() else []
    found = [int(line.split()[1]) / 1024 for line in lines if line.startswith("VmHWM:")]
    return found[0] if found else None
