"""What a version's traffic looked like, hour by hour, from the counts beside the log.

Only the two ends of a window that are no whole hours are read as rows, so a month costs what an hour costs.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta
from hashlib import sha256

from vigie.domain.schema import Schema
from vigie.domain.window import Window
from vigie.loop.champion import OpenVersion
from vigie.loop.context import Loop
from vigie.loop.logged import predicted_of
from vigie.monitoring import packing
from vigie.monitoring.counts import WindowCounts, count_window
from vigie.monitoring.packing import Packing, merge, pack
from vigie.monitoring.profile import ReferenceProfile
from vigie.ports import LoggedRows, Tally

_HOUR = timedelta(hours=1)


class ProfileTally:
    """Implements ``ports.Tally``: counts on the grid of one version's reference profile."""

    def __init__(self, schema: Schema, profile: bytes) -> None:
        """Read the profile.

        Args:
            schema: of the rows.
            profile: as it stands in the bundle.
        """
        self.profile = ReferenceProfile.from_bytes(profile)
        self._schema = schema
        self._digest = sha256(b"%d " % packing.FORMAT + profile).digest()

    @property
    def digest(self) -> bytes:
        """Changes with the profile, and with how counts are laid out."""
        return self._digest

    def count(self, rows: LoggedRows) -> bytes:
        """Return the packed counts of rows."""
        return pack(count_window(self.profile, rows.features, predicted_of(rows, self._schema)))

    def add(self, first: bytes, second: bytes) -> bytes:
        """Return the packed counts of both."""
        return merge((first, second))


def counts_in(loop: Loop, opened: OpenVersion, window: Window) -> WindowCounts:
    """Return the counts of a version's rows in a window: equal to those of the rows themselves.

    Cells are equal exactly, sums up to the rounding that ``packing.merge`` states.

    Raises:
        StorageError: the log failed.
    """
    parts = list(_parts(loop, opened, window))
    reader = Packing(opened.profile)
    return reader.unpack(merge(parts)) if parts else reader.nothing


def _parts(loop: Loop, opened: OpenVersion, window: Window) -> Iterator[bytes]:
    """Yield the packed counts of a window that is cut at every full hour, oldest first; none for hours without rows."""
    tally = ProfileTally(opened.schema, opened.bundle.profile)
    first, last = _full_hour(window.start + _HOUR - timedelta.resolution), _full_hour(window.end)
    if first > last:  # it lies inside one hour
        yield from _counted_rows(loop, opened, tally, window)
        return
    yield from _counted_rows(loop, opened, tally, Window(window.start, first))
    if first < last:
        whole = Window(first, last)
        for hour in loop.log.hours(loop.model, opened.schema, whole, tally, version=opened.version):
            yield hour.content
    yield from _counted_rows(loop, opened, tally, Window(last, window.end))


def _counted_rows(loop: Loop, opened: OpenVersion, tally: Tally, part: Window) -> Iterator[bytes]:
    """Yield the counts of a part of an hour, unless it holds no row."""
    stream = () if part.start == part.end else loop.log.stream(loop.model, opened.schema, part, version=opened.version)
    if counted := [tally.count(rows) for rows in stream]:
        yield merge(counted)


def _full_hour(moment: datetime) -> datetime:
    """Return the full hour at a moment, or the last one before it."""
    return moment.replace(minute=0, second=0, microsecond=0)
