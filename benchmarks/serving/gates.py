"""The goals of the release, from figures by case and engine."""

from collections.abc import Mapping
from statistics import median

from benchmarks.findings import Gate, Goal
from benchmarks.serving.cases import LINEAR, TREES
from benchmarks.serving.session import Record
from benchmarks.serving.targets import BENTOML, DURABLE, ECHO, FAST, MLFLOW, MLSERVER, TEXTBOOK

Found = Mapping[tuple[str, str], Record]

THROUGHPUT: tuple[tuple[str, str, str, float], ...] = (
    (LINEAR, FAST, TEXTBOOK, 50),
    (LINEAR, FAST, MLFLOW, 100),
    (LINEAR, FAST, BENTOML, 60),
    (LINEAR, FAST, MLSERVER, 12),
    (LINEAR, DURABLE, TEXTBOOK, 25),
    (LINEAR, DURABLE, MLFLOW, 50),
    (TREES, FAST, TEXTBOOK, 60),
)
"""Case, ours, theirs, and how many times as many requests a second."""

MOST_WAVERING = 0.15
"""By how much the echo of a round may lie off its median before a run counts for little."""


def gates(found: Found, rounds: int, *, quick: bool = False) -> tuple[Gate, ...]:
    """Return the goals, judged; a short run judges two, of its own engines, loosened by a third.

    Args:
        found: figures by case and engine; a failed engine's are not looked at.
        rounds: how many figures each should have.
        quick: whether the run was short.
    """
    if quick:
        return (
            _times(found, rounds, (LINEAR, FAST, TEXTBOOK, 50 * 2 / 3)),
            Gate("A: fast / echo", Goal("", at_least=0.65 * 2 / 3), _values(found, (LINEAR, FAST), "of_echo", rounds)),
        )
    fast = (LINEAR, FAST)
    one = _ratios(_values(found, fast, "p50_1_ms", rounds), _values(found, (LINEAR, ECHO), "p50_1_ms", rounds))
    bulk = _ratios(
        _values(found, fast, "bulk_rows_per_s", rounds), _values(found, (LINEAR, MLFLOW), "bulk_rows_per_s", rounds)
    )
    start = _values(found, (TREES, FAST), "start", 1)
    return (
        *(_times(found, rounds, goal) for goal in THROUGHPUT),
        Gate("A: fast / echo", Goal("", at_least=0.65), _values(found, fast, "of_echo", rounds)),
        Gate("A: p50 at one connection, fast / echo", Goal("x", at_most=2), one),
        Gate("A: Arrow 10,000 rows / mlflow models serve", Goal("x", at_least=15), bulk),
        Gate("B: start to first answer", Goal("s", at_most=2), start),
        Gate("B: memory of the server", Goal("MiB", at_most=80), _values(found, (TREES, DURABLE), "rss", 1)),
        Gate("the machine was quiet: the echo off its median", Goal("", at_most=MOST_WAVERING), _wavering(found)),
    )


def _times(found: Found, rounds: int, goal: tuple[str, str, str, float]) -> Gate:
    case, ours, theirs, times = goal
    ratios = _ratios(_values(found, (case, ours), "per_s", rounds), _values(found, (case, theirs), "per_s", rounds))
    return Gate(f"{case[0]}: {ours} / {theirs}", Goal("x", at_least=times), ratios)


def _values(found: Found, place: tuple[str, str], name: str, n: int) -> tuple[float | None, ...]:
    """Return ``n`` figures; None for each that a failed engine does not have."""
    record = found.get(place)
    if record is None or record.why or len(record.figures.get(name, ())) != n:
        return (None,) * n
    return tuple(record.figures[name])


def _ratios(ours: tuple[float | None, ...], theirs: tuple[float | None, ...]) -> tuple[float | None, ...]:
    pairs = zip(ours, theirs, strict=True)
    return tuple(None if one is None or other is None else one / other for one, other in pairs)


def _wavering(found: Found) -> tuple[float | None, ...]:
    """Return how far each slice of the echo was off the median of all."""
    record = found.get((LINEAR, ECHO))
    figures = record.figures.get("per_s", []) if record else []
    middle = median(figures) if figures else 0.0
    return tuple(abs(one / middle - 1) for one in figures) or (None,)
