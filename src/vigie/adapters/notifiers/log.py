"""The process's own log: always there, and always told."""

import logging
from typing import Final

from vigie.domain.alert import Alert, Severity

_LEVELS: Final = {Severity.NOTICE: logging.WARNING, Severity.PAGE: logging.ERROR}


class LogNotifier:
    """Writes each alert as one line of the process's own log, under the logger ``vigie.alerts``.

    Line breaks and other control characters become spaces: a feature's name cannot forge a second line.
    """

    def __init__(self) -> None:
        self._logger = logging.getLogger("vigie.alerts")

    def send(self, alert: Alert) -> None:
        """Write the alert."""
        text = f"{alert.word} {alert.model}: {alert.title.rstrip('.')}. {alert.body}"
        self._logger.log(_LEVELS[alert.severity], "%s", one_line(text))


def one_line(text: str) -> str:
    """Return text without line breaks or other control characters."""
    return " ".join("".join(char if char.isprintable() else " " for char in text).split())
