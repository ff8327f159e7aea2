"""A notifier that keeps what it was given."""

from vigie.domain.alert import Alert
from vigie.errors import StorageError


class RecordingNotifier:
    """Implements ``ports.Notifier``; a test reads ``alerts``.

    Attributes:
        alerts: what was sent, oldest first.
        failure: when set, every ``send`` raises it and delivers nothing.
    """

    def __init__(self) -> None:
        self.alerts: list[Alert] = []
        self.failure: StorageError | None = None

    def send(self, alert: Alert) -> None:
        """Keep the alert."""
        if self.failure:
            raise self.failure
        self.alerts.append(alert)
