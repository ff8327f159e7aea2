"""What a terminal shows beside realised performance: estimates, declared segments and weak spots."""

from rich.console import Console

from vigie.cli.output import measured, number, plain, print_units, promised, table, verdict_text
from vigie.cli.sheet import Columns
from vigie.evaluation.segments import Segment
from vigie.monitoring.estimation import BLIND, EstimateReport
from vigie.monitoring.weak_spots import DeclaredSegment, SegmentReport
from vigie.monitoring.window_report import Report
from vigie.reporting.wording import percent


def print_business(report: Report, screen: Console) -> None:
    """Print what is estimated, and performance by segment where there is something to tell."""
    _print_estimate(report.estimate, screen)
    _print_segments(report.segments, report.performance.known, screen)


def _print_estimate(estimate: EstimateReport, screen: Console) -> None:
    screen.print()
    if not estimate.metrics:
        screen.print(f"[bold]Estimated performance[/]: {verdict_text(estimate.verdict)}")
        screen.print(f"  {plain(estimate.reason)}")
        return
    n = estimate.metrics[0][0].n
    rows = [(item.name, measured(item), measured(before) if before else "-") for item, before in estimate.metrics]
    title = f"Estimated performance: {verdict_text(estimate.verdict)} ({n:,} predictions, no outcome used)"
    estimates, then = zip(*estimate.metrics, strict=True)
    columns: Columns = (("metric", "left"), ("estimate [95 %]", "right"), (promised(then), "right"))
    screen.print(table(title, columns, rows))
    print_units([*estimates, *then], screen)
    for trial in estimate.trials:
        screen.print(
            f"tried on {trial.n:,} outcomes: {trial.metric} estimated {number(trial.estimated)}, came out "
            f"{number(trial.realised)}"
        )
    screen.print(f"[dim]{BLIND}[/]")


def _print_segments(segments: SegmentReport, known: str, screen: Console) -> None:
    if segments.worst:
        columns: Columns = (
            ("segment", "left"),
            (f"{segments.worst[0].loss.name} [95 %]", "right"),
            ("n", "right"),
            ("elsewhere [95 %]", "right"),
            ("n", "right"),
        )
        rows = [
            (
                _named(item),
                measured(item.loss),
                f"{item.loss.n:,}",
                measured(item.elsewhere),
                f"{item.elsewhere.n:,}",
            )
            for item in segments.worst
        ]
        screen.print()
        screen.print(table(f"Weak spots of {segments.looked_at:,} segments compared ({known})", columns, rows))
        print_units((item.loss for item in segments.worst), screen)
    if segments.declared:
        first, second = segments.declared[0].metrics[:2]
        columns = (
            ("segment", "left"),
            (f"{first.name} [95 %]", "right"),
            (f"{second.name} [95 %]", "right"),
            ("n", "right"),
            ("known", "right"),
        )
        lines = [
            (
                _named(item),
                measured(item.metrics[0]),
                measured(item.metrics[1]),
                f"{item.metrics[0].n:,}",
                "-" if item.coverage.value is None else percent(item.coverage.value, 1),
            )
            for item in segments.declared
        ]
        screen.print()
        screen.print(table(f"Declared segments ({known})", columns, lines))
        print_units((first, second), screen)


def _named(segment: Segment | DeclaredSegment) -> str:
    return plain(f"{segment.feature}: {segment.level}")
