"""The benchmarks by name."""

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module

from benchmarks.findings import Findings

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Request:
    """What a run was asked for.

    Attributes:
        quick: a short run on what is installed already: no environment is built, and goals set for the full run are
            not judged.
        rounds: how often every engine is measured; None for the benchmark's own number.
        say: takes one line of progress.
    """

    quick: bool
    rounds: int | None
    say: Say


@dataclass(frozen=True, slots=True)
class Benchmark:
    """One entry: the module that runs it, imported when it is asked for, and what it answers."""

    module: str
    summary: str

    def run(self, request: Request) -> Findings:
        """Measure."""
        found: Findings = import_module(self.module).run(request)
        return found


BENCHMARKS: dict[str, Benchmark] = {
    "drift": Benchmark(
        "benchmarks.drift.benchmark",
        "What a full drift check costs, beside Evidently, NannyML, alibi-detect, whylogs and plain scipy.",
    ),
    "alarms": Benchmark(
        "benchmarks.alarms.benchmark",
        "How often drift alarms are false, and how often drift is missed, beside the rules of others.",
    ),
    "prediction_log": Benchmark(
        "benchmarks.prediction_log.benchmark",
        "What it costs that no answer is forgotten: throughput, latency and bytes, beside JSONL and the disk itself.",
    ),
    "sequences": Benchmark(
        "benchmarks.sequences.benchmark",
        "How often a model that holds is called worse when somebody looks every hour, and how soon a change is found.",
    ),
    "serving": Benchmark(
        "benchmarks.serving.benchmark",
        "How fast rows are answered over HTTP, beside textbook FastAPI, MLflow, BentoML, MLServer and an echo.",
    ),
    "training": Benchmark(
        "benchmarks.training.benchmark",
        "How good the default candidates are, and what they cost to train, load and score.",
    ),
}
"""Every benchmark by name."""
