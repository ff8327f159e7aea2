"""Moments as SQLite keeps them: whole microseconds since 1970, UTC."""

from datetime import UTC, datetime, timedelta
from typing import Final

from vigie.domain.window import check_utc

EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND: Final = timedelta(microseconds=1)


def microseconds(moment: datetime) -> int:
    """Return microseconds since 1970; ValueError for a time without zone."""
    return (check_utc(moment) - EPOCH) // MICROSECOND
