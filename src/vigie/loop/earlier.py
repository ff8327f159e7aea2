"""What the looks before found of a version's performance, from the ledger."""

from collections.abc import Iterable, Mapping
from typing import Any

from vigie.domain.event import EventKind
from vigie.domain.measurement import Measurement, Verdict
from vigie.domain.window import Window
from vigie.loop.context import Loop
from vigie.monitoring.performance import EarlierLook


def earlier_looks(loop: Loop, version: str, outcomes: Window) -> tuple[EarlierLook, ...]:
    """Return every closed look at a version that had something to say of performance, oldest first.

    Args:
        loop: ports.
        version: which.
        outcomes: when the outcomes arrived that are judged now. A look that saw some of them is left out: no outcome
            may count twice.
    """
    events = loop.ledger.events(loop.model, kinds=(EventKind.MONITORED,), version=version)
    start = outcomes.start
    return looks_of(
        event.evidence["performance"]
        for event in events
        if start.fromisoformat(event.evidence["outcomes"]["end"]) <= start
    )


def last_distrust(loop: Loop, version: str) -> str:
    """Return why the last trial of an estimate switched estimates off; empty when it did not, or there was none."""
    events = loop.ledger.events(loop.model, kinds=(EventKind.MONITORED,), version=version)
    tried = [event.evidence["estimate"] for event in events if event.evidence.get("estimate", {}).get("trials")]
    return str(tried[-1]["failed"]) if tried else ""


def looks_of(performances: Iterable[Mapping[str, Any]]) -> tuple[EarlierLook, ...]:
    """Return what reports say of performance, as ``PerformanceReport.to_dict`` wrote it, without the unknown."""
    known = [found for found in performances if found["verdict"] != Verdict.UNKNOWN.value]
    return tuple(EarlierLook(Verdict(found["verdict"]), _metrics(found)) for found in known)


def _metrics(performance: Mapping[str, Any]) -> dict[str, Measurement]:
    found = (Measurement.from_dict(pair["current"]) for pair in performance["metrics"])
    return {measurement.name: measurement for measurement in found}
