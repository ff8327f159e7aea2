"""The windows judged before, as counts: what is merged with a window, and what stands in for the training data."""

from datetime import timedelta
from typing import Final

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
from vigie.reporting.wording import count

LATE: Final = 1.1
"""By how much a window may be longer than the season it is compared with: a turn that comes late makes it a little."""


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


def compared_with(loop: Loop, opened: OpenVersion, window: Window) -> tuple[ReferenceProfile, Baseline]:
    """Return what a window is compared with by the settings, and which rows these are.

    An earlier window needs ``min_rows`` answers of the same version; the training data stand where there is none, and
    the baseline says why.
    """
    kind, needed = loop.rules.baseline, loop.rules.alarm.min_rows
    if kind == "training":
        return training_instead(loop, opened, "")
    if kind == "season" and window.end - window.start > loop.rules.season * LATE:
        return training_instead(loop, opened, "this window is longer than a season, and would be compared with itself")
    earlier = _a_season_ago(loop, window) if kind == "season" else _last_accepted(loop, opened.version, window)
    if earlier is None:
        return training_instead(loop, opened, f"none of {needed:,} predictions or more was accepted before this one")
    counts = counts_in(loop, opened, earlier)
    if counts.n < needed:
        found = f"there, this version made {count(counts.n, 'prediction')}, {needed:,} needed"
        return training_instead(loop, opened, found)
    return rebased(opened.profile, counts), Baseline(kind, counts.n, earlier)


def training_instead(loop: Loop, opened: OpenVersion, why: str) -> tuple[ReferenceProfile, Baseline]:
    """Return the training data, and why they stand for what the settings ask for where that is something else."""
    asked = None if loop.rules.baseline == "training" else loop.rules.baseline
    return opened.profile, Baseline("training", opened.profile.rows, asked=asked, reason=why if asked else "")


def baseline_profile(loop: Loop, opened: OpenVersion, baseline: Baseline) -> ReferenceProfile:
    """Return what a report was compared with, from what it says of it."""
    if baseline.window is None:
        return opened.profile
    return rebased(opened.profile, counts_in(loop, opened, baseline.window))


def window_of(event: Event) -> Window:
    """Return which window a look judged."""
    return Window.from_dict(event.evidence["window"])


def _judged(loop: Loop, version: str) -> list[Event]:
    return loop.ledger.events(loop.model, kinds=(EventKind.MONITORED,), version=version)


def _a_season_ago(loop: Loop, window: Window) -> Window:
    season: timedelta = loop.rules.season
    return Window(window.start - season, min(window.end - season, window.start))


def _last_accepted(loop: Loop, version: str, window: Window) -> Window | None:
    for event in reversed(_judged(loop, version)):
        enough = event.evidence["n"] >= loop.rules.alarm.min_rows
        if enough and _raised_none(event) and (found := window_of(event)).end <= window.start:
            return found
    return None


def _raised_none(event: Event) -> bool:
    """Whether inputs were judged and neither they nor the predictions alarmed; what nobody could judge is not calm."""
    evidence = event.evidence
    changed = evidence["drifted"] or evidence["prediction"]["verdict"] == Verdict.ALARM.value
    judged = any(feature["verdict"] != Verdict.UNKNOWN.value for feature in evidence["features"])
    return judged and not changed
