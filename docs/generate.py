"""Write the generated parts of the reference: each stands between two comments and comes from the code itself.

python docs/generate.py            # write
python docs/generate.py --check    # say which pages are stale, and exit with 1
"""  # noqa: INP001  a script beside the pages it serves

import inspect
import re
import sys
import typing
from collections.abc import Callable
from dataclasses import MISSING, fields
from datetime import UTC, datetime, timedelta
from pathlib import Path

import click
import msgspec
from prometheus_client.metrics_core import Metric

from vigie import errors
from vigie.adapters.verdict_file import VerdictGauges
from vigie.api import access, connection, door, retries, wire
from vigie.api import errors as api_errors
from vigie.api.errors import MEANINGS, Meaning, meaning_of
from vigie.api.protocols import arrow
from vigie.api.telemetry import Telemetry
from vigie.cli.exits import EXIT_CODES, exit_code
from vigie.cli.exits import MEANINGS as EXIT_MEANINGS
from vigie.cli.main import COMMANDS, cli
from vigie.domain.measurement import Measurement, Verdict
from vigie.domain.window import Window
from vigie.errors import VigieError
from vigie.inference.slots import Slots
from vigie.monitoring.baseline import Baseline
from vigie.monitoring.performance import PerformanceReport
from vigie.monitoring.weighing import DatasetReport
from vigie.monitoring.window_report import FeatureReport, Report
from vigie.settings import PREFIX, SECTIONS, duration_text
from vigie.testing import InMemoryPredictionWriter
from vigie.training.candidates import CANDIDATES, DEFAULT_CANDIDATES

DOCS = Path(__file__).resolve().parent
PLAIN_TYPES: dict[object, str] = {
    str: "text",
    int: "integer",
    float: "number",
    bool: "`true` or `false`",
    timedelta: "length of time",
}
PART = re.compile(r"(<!-- generated: (?P<name>[a-z-]+) -->\n).*?(<!-- end -->)", re.DOTALL)


def table(headings: tuple[str, ...], rows: list[tuple[str, ...]]) -> str:
    """Return a Markdown table."""
    lines = [headings, tuple("---" for _ in headings), *rows]
    return "".join(f"| {' | '.join(cell.replace('|', '&#124;') for cell in line)} |\n" for line in lines)


def commands() -> str:
    """Return every command's own help."""
    group = click.Context(cli, info_name="vigie", **cli.context_settings)
    parts = [f"## vigie\n\n```text\n{cli.get_help(group)}\n```\n"]
    for name in COMMANDS:
        command = cli.get_command(group, name)
        if command is None:
            raise LookupError(name)
        context = click.Context(command, parent=group, info_name=name)
        parts.append(f"## vigie {name}\n\n```text\n{command.get_help(context)}\n```\n")
        for below, sub in getattr(command, "commands", {}).items():
            inner = click.Context(sub, parent=context, info_name=below)
            parts.append(f"### vigie {name} {below}\n\n```text\n{sub.get_help(inner)}\n```\n")
    return "\n".join(parts)


def settings() -> str:
    """Return every key of ``vigie.toml``: type, default, environment variable, meaning."""
    parts = []
    for section, kind in SECTIONS.items():
        hints = typing.get_type_hints(kind, include_extras=True)
        rows = [
            (
                f"`{item.name}`",
                type_name(hints[item.name]),
                default_text(item.default),
                f"`{PREFIX}{section}__{item.name}`".upper(),
                item.metadata["doc"],
            )
            for item in fields(kind)
        ]
        doc = (inspect.getdoc(kind) or "").splitlines()[0]
        heading = ("key", "type", "default", "environment", "meaning")
        parts.append(f"## [{section}]\n\n{doc}\n\n{table(heading, rows)}")
    return "\n".join(parts)


def type_name(hint: object) -> str:
    """Return a type as a person writes a value of it, with its bounds."""
    origin, inner = typing.get_origin(hint), typing.get_args(hint)
    if origin is typing.Annotated:
        return f"{type_name(inner[0])}{bounds(inner[1:])}"
    if origin is typing.Literal:
        return " or ".join(f"`{choice}`" for choice in inner)
    if origin is tuple:
        return f"list of {type_name(inner[0])}"
    if origin is dict:
        return "table"
    if inner:
        return " or ".join(type_name(part) for part in inner if part is not type(None))
    return PLAIN_TYPES.get(hint) or " or ".join(f"`{member.value}`" for member in typing.cast("typing.Any", hint))


def bounds(metadata: tuple[object, ...]) -> str:
    """Return the bounds of a number in words."""
    words = {"gt": "above", "ge": "at least", "lt": "below", "le": "at most"}
    said = [
        f"{word} {getattr(meta, name):g}"
        for meta in metadata
        if isinstance(meta, msgspec.Meta)
        for name, word in words.items()
        if getattr(meta, name) is not None
    ]
    return f", {' and '.join(said)}" if said else ""


def default_text(value: object) -> str:
    """Return a default as ``vigie.toml`` would say it."""
    if value is MISSING:
        return "**required**"
    if value is None or value == ():
        return "-"
    if isinstance(value, timedelta):
        return f'`"{duration_text(value)}"`'
    return f"`{str(value).lower()}`" if isinstance(value, bool) else f"`{value!r}`".replace("'", '"')


def candidates() -> str:
    """Return the candidates by name, the tasks they fit, and where they are tried by default."""
    rows = [
        (
            f"`{name}`",
            ", ".join(sorted(task.value for task in candidate.tasks)),
            ", ".join(task.value for task, names in DEFAULT_CANDIDATES.items() if name in names) or "-",
        )
        for name, candidate in CANDIDATES.items()
    ]
    return table(("name", "tasks", "tried by default for"), rows)


def tree(kind: type[VigieError] = VigieError) -> list[type[VigieError]]:
    """Return an error and all below it, depth first, as the tree is drawn."""
    return [kind, *(below for child in kind.__subclasses__() for below in tree(child))]


def error_tree() -> str:
    """Return every error: meaning, exit code, HTTP status and slug."""
    drawn = (errors.__doc__ or "").split("\n\n")[1]
    rows = [
        (
            f"`{kind.__name__}`",
            (inspect.getdoc(kind) or "").splitlines()[0],
            str(exit_code_of(kind)),
            f"{meaning_of_class(kind).status} `{meaning_of_class(kind).slug}`",
        )
        for kind in tree()
    ]
    return f"```text\n{drawn}\n```\n\n{table(('error', 'meaning', 'exit code', 'HTTP'), rows)}"


def exit_code_of(kind: type[VigieError]) -> int:
    """Return the exit code of an error's class."""
    return exit_code(kind.__new__(kind))


def meaning_of_class(kind: type[VigieError]) -> Meaning:
    """Return the line of the HTTP table for an error's class."""
    return meaning_of(kind.__new__(kind))


def exits() -> str:
    """Return the exit codes."""
    by_code = {code: kind.__name__ for kind, code in EXIT_CODES.items()}
    rows = [(str(code), meaning, f"`{by_code[code]}`" if code in by_code else "-")
            for code, meaning in EXIT_MEANINGS.items()]  # fmt: skip
    return table(("code", "meaning", "errors"), rows)


def problems() -> str:
    """Return every problem type that the server can answer."""
    modules = (api_errors, access, arrow, door, connection, retries, wire)
    constants = [value for module in modules for value in vars(module).values() if isinstance(value, Meaning)]
    routing = [Meaning(status, slug, "The router's own word") for status, slug in api_errors._HTTP.items()]  # noqa: SLF001
    found = {meaning.slug: meaning for meaning in (*MEANINGS.values(), *constants, *routing)}
    rows = [(f"`{meaning.slug}`", str(meaning.status), meaning.title)
            for meaning in sorted(found.values(), key=lambda meaning: (meaning.status, meaning.slug))]  # fmt: skip
    return table(("slug", "status", "title"), rows)


def metrics() -> str:
    """Return every metric that ``GET /metrics`` exposes."""
    telemetry = Telemetry(Slots())
    telemetry.attend(InMemoryPredictionWriter())
    telemetry.requests.note("/predict", "POST", "200", 0.001)
    found: list[Metric] = list(telemetry.registry.collect())
    # Neither of the two places where the client library keeps label names is public.
    labels = {item._name: item._labelnames for item in vars(telemetry).values() if hasattr(item, "_labelnames")}  # noqa: SLF001
    labels |= {item.name: item._labelnames for item in found if hasattr(item, "_labelnames")}  # noqa: SLF001
    return metric_table(found, labels)


def verdict_metrics() -> str:
    """Return every metric that the watcher leaves for the server to show."""
    nothing = Measurement("coverage", None, "1", 0)
    column = FeatureReport("prediction", "numeric", Verdict.UNKNOWN, "", (), (), ())
    performance = PerformanceReport(Verdict.UNKNOWN, "", (), nothing, nothing)
    moment = datetime(2026, 1, 1, tzinfo=UTC)
    inputs = DatasetReport(Verdict.UNKNOWN, "", nothing, nothing)
    compared = Baseline("training", 0)
    report = Report("m", "1", Window(moment, moment), 0, 1, (), column, performance, (), inputs, compared)
    found = list(VerdictGauges(report, ()).collect())
    return metric_table(found, {metric.name: metric._labelnames for metric in found})  # noqa: SLF001  as above


def metric_table(found: list[Metric], labels: dict[str, tuple[str, ...]]) -> str:
    """Return metrics with their labels as a table."""
    rows = [
        (
            f"`{metric.name}{'_total' if metric.type == 'counter' else ''}`",
            metric.type,
            ", ".join(f"`{label}`" for label in labels.get(metric.name, ())) or "-",
            metric.documentation,
        )
        for metric in found
    ]
    return table(("metric", "type", "labels", "meaning"), rows)


def benchmark_gates() -> str:
    """Return what the committed runs of the benchmarks found, gate by gate."""
    parts = []
    for file in sorted((DOCS.parent / "benchmarks" / "results").glob("*.json")):
        report = msgspec.json.decode(file.read_bytes())
        machine = report["machine"]
        head = (
            f"**{report['benchmark']}**, {report['rounds']} round(s) at commit `{report['versions']['commit']}`, on "
            f"{machine['cores']} cores, {machine['memory_gib']} GiB, {machine['os']}, Python {machine['python']}; load "
            f"{machine['load_before']} before and {machine['load_after']} after.\n\n"
        )
        rows = [
            (
                gate["name"],
                goal_text(gate["goal"]),
                ", ".join("-" if gate[key] is None else f"{gate[key]:.4g}" for key in ("low", "median", "high")),
                {True: "met", False: "**missed**", None: "not judged"}[gate["met"]],
            )
            for gate in report["gates"]
        ]
        parts.append(head + table(("gate", "goal", "quartiles", ""), rows))
    return "\n".join(parts)


def goal_text(goal: dict[str, float | str]) -> str:
    """Return a goal as it is read."""
    side = f"≤ {goal['at_most']:g}" if "at_most" in goal else f"≥ {goal['at_least']:g}"
    return f"{side} {goal['unit']}".strip()


PARTS: dict[str, Callable[[], str]] = {
    "commands": commands,
    "settings": settings,
    "candidates": candidates,
    "errors": error_tree,
    "exit-codes": exits,
    "problems": problems,
    "metrics": metrics,
    "verdict-metrics": verdict_metrics,
    "benchmark-gates": benchmark_gates,
}
"""Every generated part by the name that its comment carries."""


def generated(page: str) -> str:
    """Return a page with its generated parts as the code says they are."""
    return PART.sub(lambda match: f"{match[1]}\n{PARTS[match['name']]()}\n{match[3]}", page)


def main(*, check: bool) -> int:
    """Write the pages, or only say which are stale."""
    stale = []
    for path in sorted(DOCS.rglob("*.md")):
        page = path.read_text(encoding="utf-8")
        if generated(page) != page:
            stale.append(str(path.relative_to(DOCS)))
            if not check:
                path.write_text(generated(page), encoding="utf-8")
    if stale:
        sys.stdout.write(f"{'stale' if check else 'written'}: {', '.join(stale)}\n")
    return int(check and bool(stale))


if __name__ == "__main__":
    sys.exit(main(check="--check" in sys.argv))
