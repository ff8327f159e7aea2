"""What every notifier does."""
# ruff: noqa: S101 -- assert is how pytest works

from collections.abc import Callable

import pytest

from vigie.domain.alert import Alert, Severity
from vigie.ports import Notifier


class NotifierSuite:
    """Subclass it and give ``notifier`` and ``delivered``: what reached the person, one text an alert."""

    @pytest.fixture
    def notifier(self) -> Notifier:
        """Return the notifier under test."""
        raise NotImplementedError("Give a fixture `notifier` in your subclass.")

    @pytest.fixture
    def delivered(self) -> Callable[[], list[str]]:
        """Return a function that gives the texts delivered so far, oldest first."""
        raise NotImplementedError("Give a fixture `delivered` in your subclass.")

    def test_alert_arrives_whole(self, notifier: Notifier, delivered: Callable[[], list[str]]) -> None:
        """Model, title and body all reach the person."""
        notifier.send(Alert("churn", Severity.NOTICE, "Les entrées ont changé", "ancienneté: 24 → 18."))
        (text,) = delivered()
        assert all(part in text for part in ("churn", "Les entrées ont changé", "ancienneté: 24 → 18."))

    def test_alerts_arrive_in_order(self, notifier: Notifier, delivered: Callable[[], list[str]]) -> None:
        """Each alert arrives once, in order, whatever its severity."""
        for number, severity in enumerate([*Severity, *Severity]):
            notifier.send(Alert("churn", severity, f"title {number}", "body"))
        texts = delivered()
        assert [f"title {number}" in text for number, text in enumerate(texts)] == [True] * 4
