"""Answers kept under an Idempotency-Key for a day, in the transaction that keeps their rows."""

import sqlite3
from typing import Final

from vigie.adapters.prediction_log.store import SQL
from vigie.ports import Replay

LIFETIME_US: Final = 24 * 3600 * 1_000_000
PURGED_AT_ONCE: Final = 256  # so that no group waits long for what is only tidying up


def claim(connection: sqlite3.Connection, replay: Replay, now_us: int) -> Replay | None:
    """Keep an answer under its key; return the earlier one instead when there is one that has not expired."""
    earlier = find(connection, replay.key, now_us)
    if earlier is None:
        values = (replay.key, replay.request_digest, replay.response, replay.content_type, now_us)
        connection.execute(SQL["put_replay"], values)
    return earlier


def find(connection: sqlite3.Connection, key: str, now_us: int) -> Replay | None:
    """Return the answer under a key, None when there is none or it has expired."""
    found = connection.execute(SQL["find_replay"], {"key": key, "after": now_us - LIFETIME_US}).fetchone()
    return Replay(*found) if found else None


def purge(connection: sqlite3.Connection, now_us: int) -> bool:
    """Delete some of what has expired, the oldest first; return whether more may be left."""
    bounds = {"until": now_us - LIFETIME_US, "limit": PURGED_AT_ONCE}
    return connection.execute(SQL["purge_replays"], bounds).rowcount == PURGED_AT_ONCE
