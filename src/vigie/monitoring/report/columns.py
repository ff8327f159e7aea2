"""Inputs and predictions: reference against window, column by column, the gravest first."""

from typing import Final

from vigie.domain.measurement import Measurement, Verdict
from vigie.monitoring.report.histogram import histogram
from vigie.monitoring.report.inputs import PageInputs
from vigie.monitoring.window_report import FeatureReport, Report
from vigie.reporting.parts import Section, Table
from vigie.reporting.wording import NOTHING, count, number, p_power, percent, signed_zero_free

DRAWN: Final = 60
"""Features that are drawn at most; the table holds all of them."""

_GRAVITY: Final = (Verdict.ALARM, Verdict.WARN, Verdict.UNKNOWN, Verdict.OK)


def inputs_section(inputs: PageInputs) -> Section:
    """Return the verdict on every feature and a histogram of each."""
    report, baseline = inputs.report, inputs.report.baseline
    alike = "the training data" if baseline.kind == "training" else f"those of {baseline.name}"
    columns = zip(report.features, inputs.profile.features, inputs.counts.features, strict=True)
    ordered = sorted(enumerate(columns), key=lambda item: _GRAVITY.index(item[1][0].verdict))
    left_out = len(ordered) - DRAWN
    return Section(
        anchor="inputs",
        title=f"Do the inputs look like {alike}?",
        text=(
            f"{_told(report)} A change of the inputs alone does not say that the model got worse.",
            baseline.sentence or f"Compared with {baseline.told}.",
        ),
        figures=tuple(
            histogram(f"feature_{place}", feature, column, counts, beside=baseline.name)
            for place, (feature, column, counts) in ordered[:DRAWN]
        ),
        tables=(
            _table(f"Every feature against {baseline.told}, the gravest first", [item[1][0] for item in ordered]),
            _tests([item[1][0] for item in ordered]),
        ),
        notes=(f"{count(left_out, 'calmer feature')} not drawn.",) if left_out > 0 else (),
    )


def prediction_section(inputs: PageInputs) -> Section:
    """Return the verdict on what the model says, and its histogram."""
    found, baseline = inputs.report.prediction, inputs.report.baseline
    then = f"those of {baseline.told}"
    if baseline.window is None:  # predictions of the rows that a model had learnt from would be too sure
        then = f"those at training of rows not learnt from, n = {baseline.n:,}"
    return Section(
        anchor="predictions",
        title="Does the model answer as it did?",
        text=(f"Verdict: {_verdict(found)}. {found.reason}",),
        figures=(
            histogram(
                "prediction",
                found,
                inputs.profile.prediction,
                inputs.counts.prediction,
                beside=baseline.name,
                limits=inputs.limits,
            ),
        ),
        tables=(_table(f"The predictions against {then}", [found]),),
    )


def _told(report: Report) -> str:
    changed = f"Changed: {', '.join(report.drifted)}." if report.drifted else "No feature changed."
    return f"{changed} Seem to change: {', '.join(report.noticed)}." if report.noticed else changed


def _table(caption: str, columns: list[FeatureReport]) -> Table:
    return Table(
        caption=f"{caption}. PSI is bias-corrected and never alarms by itself; shares are of the window's rows.",
        columns=("column", "verdict", "PSI", "KS", "chi² p", "missing", "outside or unseen"),
        rows=tuple(_line(column) for column in columns),
        n_text=2,
    )


def _line(column: FeatureReport) -> tuple[str, ...]:
    found = {item.name: item for item in (*column.statistics, *column.quality)}
    known = column.verdict is not Verdict.UNKNOWN
    p_value = found["chi_square_p"].value if "chi_square_p" in found else None
    return (
        column.name,
        _verdict(column),
        _number(found.get("psi_corrected")) if known else NOTHING,
        _number(found.get("ks")) if known else NOTHING,
        NOTHING if p_value is None or not known else p_power(p_value),
        _share(found.get("missing")),
        _share(found.get("outside_range") or found.get("unseen")),
    )


def _verdict(column: FeatureReport) -> str:
    waits = column.verdict is Verdict.ALARM and not column.confirmed
    return f"{column.verdict.value}, not confirmed" if waits else column.verdict.value


def _tests(columns: list[FeatureReport]) -> Table:
    """Return every test, whatever the rule's tests are, and every statistic by its own name."""
    lines = [
        (column.name, test.statistic, number(test.value), number(test.notice_over), number(test.alarm_over))
        for column in columns
        for test in column.evidence
    ]
    statistics = [
        (column.name, item.name, f"{number(item.value)} {_unit(item)}".strip(), NOTHING, item.reason or NOTHING)
        for column in columns
        for item in column.statistics
    ]
    return Table(
        caption="The tests behind the verdicts with the values where notice and alarm begin, and every other statistic",
        columns=("column", "statistic", "value", "notice over", "alarm over, or a remark"),
        rows=(*lines, *statistics),
        n_text=2,
        folded=True,
    )


def _unit(item: Measurement) -> str:
    """Return the unit behind a statistic: none where it is a bare number, or the column's own, which has no name."""
    return "" if item.unit in ("1", "feature") else item.unit


def _number(item: Measurement | None) -> str:
    return NOTHING if item is None or item.value is None else signed_zero_free(f"{item.value:.4f}")


def _share(item: Measurement | None) -> str:
    return NOTHING if item is None or item.value is None else percent(item.value, 1)
