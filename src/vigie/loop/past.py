"""The windows judged before, as counts: what is merged with a window, and what stands in for the training data."""

from datetime import timedelta

from vigie.domain.event import Event, EventKind
from vigie.domain.measurement import Verdict
from vigie.domain.window import Window
from vigie.loop.champion import OpenVersion
from vigie.loop.context import Loop
from vigie.loop.hours import counts_in
from vigie.monitoring.baseline import Baseline, rebased
from vigie.monitoring.blocks import windows_needed
from vigie.monitoring.counts import WindowCounts
from vigie.monitoring.profile import ReferenceProfile


def past_counts(loop: Loop, opened: OpenVersion, window: Window, *, look: int) -> list[WindowCounts]:
    """Return counts of the windows judged right before one, oldest first, as many as its look adds up.

    None where the window overlaps one that was judged: it is then looked at alone. A look that ends later still is not
    one before it: it came after, or a clock that ran ahead dated it.
    """
    judged = [found for event in _judged(loop, opened.version) if (found := window_of(event)).end <= window.end]
    if judged and judged[-1].end > window.start:
        return []
    needed = windows_needed(look)
    return [counts_in(loop, opened, before) for before in judged[len(judged) - min(needed, len(judged)) :]]


def compared_with(loop: Loop, opened: OpenVersion, window: Window) -> tuple[ReferenceProfile, Baseline | None]:
    """Return what a window is compared with by the settings, and which rows these are; None for the training data.

    An earlier window needs ``min_rows`` answers of the same version; the training data stand where there is none.
    """
    kind, profile = loop.rules.baseline, opened.profile
    if kind == "training":
        return profile, None
    earlier = _a_season_ago(loop, window) if kind == "season" else _last_accepted(loop, opened.version, window)
    counts = counts_in(loop, opened, earlier) if earlier else None
    if counts is None or counts.n < loop.rules.alarm.min_rows:
        return profile, None
    return rebased(profile, counts), Baseline(kind, counts.n, earlier)


def window_of(event: Event) -> Window:
    """Return which window a look judged."""
    start, end = (event.at.fromisoformat(event.evidence["window"][at]) for at in ("start", "end"))
    return Window(start, end)


def _judged(loop: Loop, version: str) -> list[Event]:
    return loop.ledger.events(loop.model, kinds=(EventKind.MONITORED,), version=version)


def _a_season_ago(loop: Loop, window: Window) -> Window:
    season: timedelta = loop.rules.season
    return Window(window.start - season, window.end - season)


def _last_accepted(loop: Loop, version: str, window: Window) -> Window | None:
    for event in reversed(_judged(loop, version)):
        changed = event.evidence["drifted"] or event.evidence["prediction"]["verdict"] == Verdict.ALARM.value
        found = window_of(event)
        if not changed and event.evidence["n"] >= loop.rules.alarm.min_rows and found.end <= window.start:
            return found
    return None
