"""What every engine's process does: take the reference once, then check a window, each with its CPU time.

Data are in memory before the clock starts, in the form that the engine's users hold them. The first check is a warm-up.
Imports nothing of ours: it also runs in the peers' environments.
"""

import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any

import pyarrow.parquet as pq

from benchmarks.children import answer_one

_ENOUGH_S = 0.5
_MOST = 20
_MIB = 1024.0


def run(
    prepare: Callable[[Any], Any], check: Callable[[Any, Any], int], *, load: Callable[[Path], Any] | None = None
) -> None:
    """Answer one request: ``{"reference": path, "window": path}``.

    Args:
        prepare: makes of the reference whatever is kept of it.
        check: looks at every column of a window; returns in how many of them it sees drift.
        load: reads a Parquet file into memory; None for a pandas frame.
    """

    def handle(request: Any) -> dict[str, float]:
        read = load or _frame
        reference, window = read(Path(request["reference"])), read(Path(request["window"]))
        started = time.process_time()
        kept = prepare(reference)
        prepared = time.process_time()
        before = _forget_peak()
        n_drifted = check(kept, window)
        memory = max(0.0, _peak_mib() - before)
        first = time.process_time() - prepared
        times = [_timed(check, kept, window) for _ in range(max(1, min(_MOST, int(_ENOUGH_S / max(first, 1e-3)))))]
        return {
            "reference_ms": 1e3 * (prepared - started),
            "check_ms": 1e3 * median(times),
            "memory_mib": memory,
            "n_drifted": float(n_drifted),
        }

    answer_one(handle)


def _timed(check: Callable[[Any, Any], int], kept: Any, window: Any) -> float:
    started = time.process_time()
    check(kept, window)
    return time.process_time() - started


def _frame(path: Path) -> Any:
    return pq.read_table(path).to_pandas()


def _forget_peak() -> float:
    """Let the system forget the most memory this process held; return what it holds, in MiB."""
    Path("/proc/self/clear_refs").write_text("5", encoding="ascii")
    return _peak_mib()


def _peak_mib() -> float:
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) / _MIB for line in lines if line.startswith("VmHWM:"))
