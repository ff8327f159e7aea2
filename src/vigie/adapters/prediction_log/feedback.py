"""Outcomes to rows of the label table, weighed against what is known, inside the caller's transaction."""

import sqlite3
from collections.abc import Sequence

from vigie.adapters.prediction_log.outcomes import Outcome, is_newer, outcome_text, weigh
from vigie.adapters.prediction_log.store import SQL
from vigie.adapters.prediction_log.table import on_table
from vigie.adapters.sqlite.moments import microseconds
from vigie.domain.prediction import Feedback, FeedbackStatus

Item = tuple[bytes, Outcome]
"""A prediction's id and what it turned out to be."""


def encode_feedback(feedback: Sequence[Feedback]) -> list[Item]:
    """Return outcomes as the label table takes them, all or none.

    Raises:
        SchemaMismatchError: an outcome cannot be said in JSON.
    """
    return [(item.prediction_id.bytes, _outcome(item, row=row)) for row, item in enumerate(feedback)]


def keep_feedback(
    connection: sqlite3.Connection, model: str, items: Sequence[Item], received_us: int
) -> list[FeedbackStatus]:
    """Write outcomes and return one status per item, in order.

    ``unmatched`` stands in for ``recorded``, ``replaced`` and ``unchanged`` while no prediction of ``model`` is logged
    under the id.
    """
    tables = [n for n, _ in connection.execute(SQL["tables_of"], {"model": model})]
    return [_keep(connection, model, tables, item, received_us) for item in items]


def _outcome(item: Feedback, *, row: int) -> Outcome:
    observed_us = None if item.observed_at is None else microseconds(item.observed_at)
    return Outcome(outcome_text(item.outcome, row=row), observed_us)


def _keep(
    connection: sqlite3.Connection, model: str, tables: Sequence[int], item: Item, received_us: int
) -> FeedbackStatus:
    prediction_id, new = item
    found = connection.execute(SQL["known_outcome"], {"id": prediction_id, "model": model}).fetchone()
    known = Outcome(*found) if found else None
    status = weigh(known, new)
    if status in {FeedbackStatus.CONFLICT, FeedbackStatus.OUTDATED}:
        return status
    if is_newer(new, known):
        values = {"id": prediction_id, "model": model, "outcome": new.text, "observed_at": new.observed_us}
        connection.execute(SQL["put_outcome"], {**values, "received_at": received_us})
    is_logged = any(connection.execute(on_table("find", n), {"id": prediction_id}).fetchone() for n in tables)
    return status if is_logged else FeedbackStatus.UNMATCHED
