"""A monitoring report as a terminal table."""

from rich.console import Console

from vigie.cli.business import print_business
from vigie.cli.output import Columns, counted, measured, number, plain, table, verdict_text
from vigie.domain.measurement import Measurement, Verdict
from vigie.evaluation.calibration import Reliability
from vigie.monitoring.window_report import FeatureReport, Report
from vigie.reporting.wording import percent


def print_report(report: Report, screen: Console) -> None:
    """Print headline, service, performance and the drift of every column."""
    start, end = report.window.start, report.window.end
    rows = counted(report.n, "prediction")
    screen.print(f"[bold]{report.model} version {report.version}[/], {rows}, {verdict_text(report.verdict)}")
    when = (
        f"window {start:%Y-%m-%d %H:%M:%S} to {end:%Y-%m-%d %H:%M:%S} UTC" if end > start else "a table without times"
    )
    screen.print(f"{when}, look {report.look} at this version")
    for sentence in report.headline:
        screen.print(f"  {plain(sentence)}")
    screen.print()
    print_inputs(report, screen)
    screen.print()
    screen.print(_performance(report))
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
    """Print the drift of every column, one line each."""
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
    screen.print(table("Inputs and predictions against training (PSI bias-corrected; new: never seen)", columns, rows))


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
        "-" if p_value is None else f"{p_value:.1e}",
    )


def _share(item: Measurement) -> str:
    return "-" if item.value is None else percent(item.value, 1)


def _performance(report: Report) -> object:
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
            str(pair.current.n),
        )
        for pair in performance.metrics
    ]
    columns: Columns = [
        ("metric", "left"),
        ("now [95 %]", "right"),
        ("held out at training [95 %]", "right"),
        ("n", "right"),
    ]
    return table(f"Performance: {verdict_text(performance.verdict)} ({known})", columns, rows)


def _calibration(found: Reliability) -> str:
    low, high = number(found.interval.low), number(found.interval.high)
    return (
        f"calibration error {number(found.error)} [{low}, {high}], {number(found.error_by_chance)} by chance if every "
        "probability were right"
    )


def _service(item: Measurement) -> tuple[str, ...]:
    return item.name, measured(item), item.unit, f"{item.n:,}"
