"""Try the alarm rule on the training table: what would it have said of windows in which nothing was known to change?"""

import numpy as np
import pyarrow as pa

from vigie.errors import InsufficientDataError
from vigie.loop.answers import answers_of
from vigie.loop.champion import OpenVersion
from vigie.loop.context import Loop
from vigie.loop.judged import read_judged
from vigie.loop.quantity import predicted_quantity
from vigie.monitoring.replaying import Replay, ReplayRows, replay
from vigie.training.roles import read_times

MOST_WINDOWS = 52
"""A year of weeks."""


def replay_table(loop: Loop, opened: OpenVersion, table: pa.Table, *, rows: int) -> Replay:
    """Judge windows of one half of a table against the other half.

    Args:
        loop: ports and rules.
        opened: the version whose answers are watched beside its features.
        table: rows with outcomes, the training table as a rule.
        rows: per window.

    Raises:
        DataError: the table does not fit the version's schema.
        InsufficientDataError: half of it holds no window.
    """
    time = loop.rules.data.time
    in_time_order = time is not None and time in table.column_names
    if time is not None and in_time_order:
        table = table.take(pa.array(np.argsort(read_times(time, table.column(time)), kind="stable")))
    frame, y = read_judged(table, opened.schema)
    if len(frame) < 2 * rows:
        raise InsufficientDataError(f"A replay with windows of {rows:,} rows", needed=2 * rows, found=len(frame))
    predicted = predicted_quantity(answers_of(opened.bundle, frame, y), opened.schema.target.task)
    given = ReplayRows(opened.schema, frame, predicted, in_time_order)
    rng = np.random.default_rng(loop.rules.data.seed)
    return replay(given, loop.rules.alarm, rows=rows, most_windows=MOST_WINDOWS, rng=rng)
