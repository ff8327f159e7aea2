"""The serving benchmark: everything on, beside a textbook service, MLflow, BentoML, MLServer and the server's echo.

All servers of a case run at once, each idle while another is loaded; slices of the echo stand between theirs, and every
ratio is taken within a round, so that a slow minute of the machine hits both sides. Servers share one core, ``wrk`` has
another. Before anything is timed, a hundred answers are compared with scikit-learn's.
"""

import sys
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pyarrow as pa

from benchmarks.catalogue import Request
from benchmarks.environments import environment, versions
from benchmarks.findings import Findings, Measure, Result, Status
from benchmarks.processes import ROOT
from benchmarks.serving.cases import CASES, LINEAR, N_BULK, TREES, Case
from benchmarks.serving.gates import gates
from benchmarks.serving.session import Record, Session
from benchmarks.serving.targets import DURABLE, ECHO, FAST, JSON, MLFLOW, TARGETS, TEXTBOOK, Target
from benchmarks.serving.wrk import Slice, is_available

ROUNDS, QUICK_ROUNDS = 7, 2
SECONDS, QUICK_SECONDS, BULK_SECONDS = 2, 1, 3
ARROW = "application/vnd.apache.arrow.stream"

BUSY_LOAD_SHARE = 0.9
"""Where ``wrk`` used more of its core, it may have been the limit."""

UNITS = {
    "start": ("start to first answer", "s"),
    "per_s": ("throughput", "requests/s"),
    "cpu_us": ("CPU", "µs/request"),
    "p50_ms": ("p50", "ms"),
    "p99_ms": ("p99", "ms"),
    "of_echo": ("share of the echo", ""),
    "p50_1_ms": ("p50 at one connection", "ms"),
    "bulk_rows_per_s": (f"{N_BULK:,} rows a body", "rows/s"),
    "rss": ("memory, the server", "MiB"),
    "rss_all": ("memory, all its processes", "MiB"),
}


class WrkMissingError(Exception):
    """The load generator is not here."""


def run(request: Request) -> Findings:
    """Measure."""
    if not is_available():
        raise WrkMissingError("this benchmark needs Linux with wrk and taskset: apt-get install wrk util-linux")
    rounds = request.rounds or (QUICK_ROUNDS if request.quick else ROUNDS)
    targets = [target for target in TARGETS if not request.quick or target.name in {FAST, DURABLE, TEXTBOOK}]
    found: dict[tuple[str, str], Record] = {}
    # The repository's folder: a temporary folder may be memory, whose syncs cost nothing.
    with tempfile.TemporaryDirectory(dir=ROOT, prefix=".serving-") as folder:
        for name in [LINEAR] if request.quick else [LINEAR, TREES]:
            request.say(name)
            records = _measure(CASES[name](), targets, Path(folder), request, rounds)
            found |= {(name, engine): record for engine, record in records.items()}
    return Findings(
        rounds=rounds,
        results=tuple(_result(case, engine, record) for (case, engine), record in found.items()),
        gates=gates(found, rounds, quick=request.quick),
        versions=_versions(targets),
    )


def _measure(
    case: Case, targets: Sequence[Target], folder: Path, request: Request, rounds: int
) -> Mapping[str, Record]:
    with ExitStack() as stack:
        session = Session(case, folder, stack, request.say)
        session.start_echo()
        for target in targets:
            if case.name in target.cases:
                session.start(target)
        seconds = QUICK_SECONDS if request.quick else SECONDS
        session.settle()
        for name in session.alive:  # warm up
            session.slice(name, seconds)
        for record in session.records.values():
            record.figures.pop("cpu_us", None)
        for number in range(rounds):
            request.say(f"  round {number + 1} of {rounds}")
            for name in session.alive:
                _round(session, name, seconds)
            if case.name == LINEAR:
                _one_connection(session, seconds)
                _bulk(session)
        session.weigh()
        return session.records


def _round(session: Session, name: str, seconds: int) -> None:
    echo, found = session.slice(ECHO, seconds), session.slice(name, seconds)
    record = session.records[name]
    if echo is None or found is None:
        return
    _keep(session.records[ECHO], echo)
    _keep(record, found)
    record.add("of_echo", found.per_s / echo.per_s)


def _keep(record: Record, found: Slice) -> None:
    for name, value in (("per_s", found.per_s), ("p50_ms", found.p50_ms), ("p99_ms", found.p99_ms)):
        record.add(name, value)
    if found.load_share > BUSY_LOAD_SHARE and not record.notes:
        record.notes.append(f"the load used {100 * found.load_share:.0f} % of its core: it may have been the limit")


def _one_connection(session: Session, seconds: int) -> None:
    for name in (ECHO, FAST, DURABLE):
        if name != ECHO and name not in session.alive:
            continue
        found = session.slice(name, seconds, connections=1)
        if found is not None:
            session.records[name].add("p50_1_ms", found.p50_ms)


def _bulk(session: Session) -> None:
    """Ten thousand rows a body: Arrow for Vigie, JSON for MLflow, which takes no Arrow."""
    table = pa.Table.from_pandas(session.case.bulk, preserve_index=False)
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as stream:
        stream.write_table(table)
    rows: list[dict[str, Any]] = session.case.bulk.to_dict("records")  # type: ignore[assignment]  # names are texts
    mlflow = next(target for target in TARGETS if target.name == MLFLOW)
    bodies = {
        FAST: ("/predict", ARROW, sink.getvalue().to_pybytes()),
        MLFLOW: (mlflow.path(session.case), JSON, mlflow.request(rows)),
    }
    for name, (path, content_type, body) in bodies.items():
        if name in session.alive:
            found = session.bulk(name, path, content_type, body, BULK_SECONDS)
            if found is not None:
                session.records[name].add("bulk_rows_per_s", found.per_s * N_BULK)


def _result(case: str, engine: str, record: Record) -> Result:
    if record.why:
        return Result(case, engine, Status.FAILED, why=record.why)
    measures = tuple(Measure(*UNITS[name], tuple(record.figures[name])) for name in UNITS if record.figures.get(name))
    return Result(case, engine, Status.OK, measures, notes=tuple(record.notes))


def _versions(targets: Sequence[Target]) -> dict[str, dict[str, str]]:
    found = {"vigie": versions(sys.executable)}
    for name in {target.environment for target in targets if target.environment}:
        if environment(name).is_ready:
            found[name] = versions(environment(name).python)
    return found
