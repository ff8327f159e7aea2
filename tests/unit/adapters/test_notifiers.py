"""The notifier that writes to the log."""

import logging

import pytest

from vigie.adapters.notifiers.log import LogNotifier
from vigie.domain.alert import Alert, Severity


@pytest.mark.parametrize(
    ("severity", "level"),
    [(Severity.NOTICE, logging.WARNING), (Severity.PAGE, logging.ERROR)],
)
def test_severity_is_the_level(caplog, severity, level):
    """Graver alerts are written at graver levels."""
    caplog.set_level(logging.INFO, logger="vigie.alerts")
    LogNotifier().send(Alert("churn", severity, "title", "body"))
    assert [record.levelno for record in caplog.records] == [level]


def test_alert_cannot_forge_a_line(caplog):
    """Line breaks and control characters in a feature's name stay inside the one line."""
    LogNotifier().send(
        Alert("churn", Severity.NOTICE, "f\n2026 ERROR forged\x1b[2J", "two\r\nlines \N{RIGHT-TO-LEFT OVERRIDE}")
    )
    (line,) = [record.getMessage() for record in caplog.records]
    assert line == "notice churn: f 2026 ERROR forged [2J. two lines"
