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
from vigie.domain.window import Window
from vigie.evaluation.calibration import Reliability
from vigie.monitoring.technical import counted_noun
from vigie.monitoring.window_report import FeatureReport, Report
from vigie.reporting.wording import p_power, percent


def print_report(report: Report, screen: Console) -> None:
    """Print headline, service, performance and the drift of every column."""
    rows = counted(report.n, "prediction")
    screen.print(f"[bold]{report.model} version {report.version}[/], {rows}, {verdict_text(report.verdict)}")
    screen.print(f"{report.when}, look {report.look} at this version")
    for sentence in report.headline:
        screen.print(f"  {plain(sentence)}")
    screen.print()
    print_inputs(report, screen)
    screen.print()
    _print_performance(report, screen)
    if report.performance.calibration is not None:
        screen.print(_calibration(report.performance.calibration))
    print_business(report, screen)
    if all(item.value is None for item in report.technical) and report.service.verdict is Verdict.UNKNOWN:
        return  # a table judged as if it had been traffic was served by nobody
    screen.print()
    screen.print(
        table(
            f"Service: {verdict_text(report.service.verdict)} ({plain(report.service.reason)})",
            [("quantity", "left"), ("value [95 %]", "right"), ("n, and since when (UTC)", "left")],
            [_service(item, report.window) for item in report.technical if item.n or item.value is not None],
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


def _service(item: Measurement, window: Window) -> tuple[str, ...]:
    value = measured(item) if item.unit == "1" or item.value is None else f"{measured(item)} {item.unit}"
    return item.name, value, _of_what(item, window)


def _of_what(item: Measurement, window: Window) -> str:
    """Return what a number was counted on and since when: of the server, that is not the window at the top."""
    over, n = item.window, counted(item.n, counted_noun(item.name))
    if item.value is None:
        return item.reason
    if over is None or over == window:
        return n
    if over.start == over.end:
        return f"{n}, now"
    today = over.start.date() == window.end.date()
    return f"{n} since {over.start:%H:%M:%S}" if today else f"{n} since {over.start:%Y-%m-%d %H:%M}"
