"""Ask the server how it does, beside what the log tells of it."""

from collections.abc import Mapping
from typing import Any

from vigie.domain.event import EventKind
from vigie.loop.context import Loop
from vigie.monitoring.assess import assess_service
from vigie.monitoring.window_report import Report


def with_service(loop: Loop, report: Report) -> Report:
    """Return a report of the log with what the server says of itself, where one is asked.

    Its counters are compared with those at the last closed window.
    """
    sample = loop.service.sample() if loop.service else None
    return assess_service(report, sample, _counters(loop), loop.rules.service)


def _counters(loop: Loop) -> Mapping[str, Any]:
    looks = loop.ledger.events(loop.model, kinds=(EventKind.MONITORED,))
    counters: Mapping[str, Any] = looks[-1].evidence.get("service", {}).get("counters", {}) if looks else {}
    return counters
