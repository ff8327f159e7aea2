"""A monitoring report as a terminal table."""

from rich.console import Console

from vigie.cli.business import print_business
from vigie.cli.output import (
    counted,
    measured,
    number,
    plain,
    print_gaps,
    print_units,
    promised,
    table,
    verdict_text,
)
from vigie.cli.sheet import Columns
from vigie.domain.measurement import Measurement, Verdict
from vigie.evaluation.calibration import Reliability
from vigie.monitoring.window_report import FeatureReport, Report
from vigie.reporting.wording import p_power, percent


def print_report(report: Report, screen: Console) -> None:
    """Print headline, service, performance and the drift of every column."""
    rows = counted(report.n, "prediction")
    screen.print(f"[bold]{report.model} version {report.version}[/], {rows}, {verdict_text(report.verdict)}")
    when = f"window {report.window.told}" if report.window.end > report.window.start else "a table without times"
    screen.print(f"{when}, look {report.look} at this version")
    for sentence in report.headline:
        screen.print(f"  {plain(sentence)}")
    screen.print()
    print_inputs(report, screen)
    screen.print()
    _print_performance(report, screen)
    if report.performance.calibration is not None:
        screen.print(_calibration(report.performance.calibration))
    print_business(report, screen)
    known = [item for item in report.technical if item.value is not None]
    if not known and report.service.verdict is Verdict.UNKNOWN:
        return  # a table judged as if it had been traffic was served by nobody
    screen.print()
    screen.print(
        table(
            f"Service: {verdict_text(report.service.verdict)} ({plain(report.service.reason)})",
            [("quantity", "left"), ("value [95 %]", "right"), ("unit", "left"), ("n", "right")],
            [_service(item) for item in known],
        )
    )


def print_inputs(report: Report, screen: Console) -> None:
    """Print the drift of every column, one line each, against what it was compared with."""
    columns: Columns = [
        ("column", "left"),
        ("verdict", "left"),
        ("PSI", "right"),
        ("KS", "right"),
        ("chi² p", "right"),
        ("missing", "right"),
        ("new", "right"),
    ]
    rows = [_feature(feature) for feature in report.features]
    rows.append(_feature(report.prediction))
    screen.print(table(f"Inputs and predictions against {report.baseline.told}", columns, rows))
    screen.print("[dim]PSI is bias-corrected; new: outside training's range, or an unseen level[/]")


def _feature(feature: FeatureReport) -> tuple[str, ...]:
    found = {item.name: item for item in (*feature.statistics, *feature.quality)}
    # With too few rows the distances are noise: a number here would be read as one.
    drift = ("-", "-", "-") if feature.verdict is Verdict.UNKNOWN else _drift(found)
    whole = _share(found["missing"]), _share(found.get("outside_range") or found["unseen"])
    return (plain(feature.name), verdict_text(feature.verdict), *drift, *whole)


def _drift(found: dict[str, Measurement]) -> tuple[str, str, str]:
    p_value = found["chi_square_p"].value
    return (
        number(found["psi_corrected"].value),
        number(found["ks"].value) if "ks" in found else "",
        "-" if p_value is None else p_power(p_value),
    )


def _share(item: Measurement) -> str:
    return "-" if item.value is None else percent(item.value, 1)


def _print_performance(report: Report, screen: Console) -> None:
    performance = report.performance
    delay = performance.delay
    known = performance.known
    if delay.value is not None:
        known += f", median delay {number(delay.value, 's')} s"
    rows = [
        (
            pair.current.name,
            measured(pair.current),
            measured(pair.reference) if pair.reference else "-",
        )
        for pair in performance.metrics
    ]
    now, then = [pair.current for pair in performance.metrics], [pair.reference for pair in performance.metrics]
    columns: Columns = [("metric", "left"), ("now [95 %]", "right"), (promised(then), "right")]
    screen.print(table(f"Performance: {verdict_text(performance.verdict)} ({known})", columns, rows))
    print_units([*now, *then], screen)
    print_gaps([*now, *then], screen)


def _calibration(found: Reliability) -> str:
    low, high = number(found.interval.low), number(found.interval.high)
    return (
        f"calibration error {number(found.error)} [{low}, {high}], {number(found.error_by_chance)} by chance if every "
        "probability were right"
    )


def _service(item: Measurement) -> tuple[str, ...]:
    return item.name, measured(item), item.unit, f"{item.n:,}"
