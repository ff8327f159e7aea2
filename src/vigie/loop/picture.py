"""A judged window as one page that works offline."""

import pyarrow as pa

from vigie.loop.answers import answers_of
from vigie.loop.champion import OpenVersion
from vigie.loop.context import Loop
from vigie.loop.judged import read_traffic
from vigie.loop.past import baseline_profile
from vigie.loop.quantity import predicted_quantity, quantity_limits
from vigie.monitoring.counts import WindowCounts, count_window
from vigie.monitoring.report import PageInputs, build
from vigie.monitoring.window_report import Report
from vigie.reporting.page import page


def picture(loop: Loop, opened: OpenVersion, report: Report, counts: WindowCounts) -> str:
    """Return a report as an HTML page without script and without a request to anywhere.

    Args:
        loop: rules and clock.
        opened: the version judged.
        report: what was found.
        counts: the same window, see ``hours.counts_in`` and ``counts_of_table``.
    """
    rules = loop.rules
    inputs = PageInputs(
        report=report,
        profile=baseline_profile(loop, opened, report.baseline),
        counts=counts,
        rule=rules.alarm,
        margin=rules.performance_margin,
        min_labelled=rules.min_labelled,
        made_at=loop.clock.now(),
        target=opened.schema.target.name,
        limits=quantity_limits(opened.schema.target.task),
    )
    return page(build(inputs))


def counts_of_table(opened: OpenVersion, table: pa.Table) -> WindowCounts:
    """Return a table, and what the version says of it, on the grid of its profile.

    Raises:
        DataError: the table does not fit the version's schema.
    """
    frame, y, _ = read_traffic(table, opened.schema)
    scores = answers_of(opened.bundle, frame, y)
    return count_window(opened.profile, frame, predicted_quantity(scores, opened.schema.target.task))
