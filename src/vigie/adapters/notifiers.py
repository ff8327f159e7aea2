"""Ways to reach a person."""

import logging
from typing import Final

from vigie.ports import Alert

_LEVELS: Final = {"info": logging.INFO, "notice": logging.INFO}  # every other severity is a warning at least
_GRAVE: Final = {"page": logging.ERROR, "alarm": logging.ERROR, "critical": logging.ERROR, "error": logging.ERROR}


class LogNotifier:
    """Writes each alert as one line of the process's own log, under the logger ``vigie.alerts``.

    Line breaks and other control characters become spaces: a feature's name cannot forge a second line.
    """

    def __init__(self) -> None:
        self._logger = logging.getLogger("vigie.alerts")

    def send(self, alert: Alert) -> None:
        """Write the alert; a severity the notifier does not know is written as a warning."""
        level = _LEVELS.get(alert.severity, _GRAVE.get(alert.severity, logging.WARNING))
        text = f"{alert.severity} {alert.model}: {alert.title} {alert.body}"
        self._logger.log(level, "%s", _one_line(text))


def _one_line(text: str) -> str:
    return " ".join("".join(char if char.isprintable() else " " for char in text).split())
