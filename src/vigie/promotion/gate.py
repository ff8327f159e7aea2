"""The gate: challenger against champion on the same held-out rows, decided with its uncertainty.

A better point estimate promotes an equal challenger half of the time, so the lower end of the interval decides. "Not
enough evidence" is an answer of its own: it says how many rows would settle a difference of the size seen.
"""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from vigie.evaluation.paired import PairedDifference, paired_difference
from vigie.reporting.wording import percent


@dataclass(frozen=True, slots=True)
class GateRule:
    """What a challenger must show.

    Attributes:
        level: one-sided confidence that its mean loss is lower by more than ``margin``.
        margin: in the unit of the loss.
        min_rows: held-out rows below which nothing is decided.
    """

    level: float
    margin: float
    min_rows: int

    def with_min_rows(self, min_rows: int) -> "GateRule":
        """Return the same rule for another number of rows."""
        return replace(self, min_rows=min_rows)


@dataclass(frozen=True, slots=True)
class GateDecision:
    """A value with reasons, never an exception.

    Attributes:
        promote: whether the challenger takes the place.
        reasons: one sentence each.
        loss: name of the per-row loss compared.
        difference: incumbent's mean loss minus the challenger's; None when nothing was compared.
    """

    promote: bool
    reasons: tuple[str, ...]
    loss: str
    difference: PairedDifference | None

    @property
    def verdict(self) -> str:
        """``promote`` or ``hold``."""
        return "promote" if self.promote else "hold"

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON values."""
        difference = self.difference
        return {
            "verdict": self.verdict,
            "reasons": list(self.reasons),
            "loss": self.loss,
            "mean": difference.mean if difference else None,
            "interval": difference.interval.to_dict() if difference else None,
            "n": difference.n if difference else 0,
            "n_needed": difference.n_needed if difference else None,
        }


def decide(
    incumbent: np.ndarray,
    challenger: np.ndarray,
    rule: GateRule,
    *,
    loss: str,
    rng: np.random.Generator,
    incumbent_name: str = "the champion",
) -> GateDecision:
    """Weigh two models' per-row losses on the same held-out rows.

    Args:
        incumbent: losses of the model in place, shape (n,).
        challenger: losses of the candidate on the same rows, shape (n,).
        rule: what is asked.
        loss: name of the loss, for the reader, e.g. ``log-loss (nats)``.
        rng: source of the bootstrap.
        incumbent_name: how the reasons call the model in place.
    """
    n = len(incumbent)
    if n < rule.min_rows:
        reason = f"Not enough held-out rows: {n:,} of the {rule.min_rows:,} that the gate asks for."
        return GateDecision(promote=False, reasons=(reason,), loss=loss, difference=None)
    # one bound at the level asked for is one end of the interval that leaves as much out at either end
    level = round(2 * rule.level - 1, 12)
    difference = paired_difference(incumbent, challenger, rng=rng, level=level)
    low, high = difference.interval.low, difference.interval.high
    figures = (
        f"mean {loss} lower by {difference.mean:.4g} [{low:.4g}, {high:.4g}; {percent(level)}] on {n:,} held-out rows"
    )
    if low > rule.margin:
        reason = (
            f"Better than {incumbent_name}: {figures}; the {percent(rule.level)} lower bound is above {rule.margin:g}."
        )
        return GateDecision(promote=True, reasons=(reason,), loss=loss, difference=difference)
    return GateDecision(
        promote=False, reasons=(_why_held(difference, rule, figures, incumbent_name),), loss=loss, difference=difference
    )


def _why_held(difference: PairedDifference, rule: GateRule, figures: str, incumbent_name: str) -> str:
    if difference.interval.high < 0:
        return f"Worse than {incumbent_name}: {figures}."
    if difference.mean <= rule.margin:
        return f"No better than {incumbent_name}: {figures}."
    needed = f"; about {difference.n_needed:,} rows would settle it" if difference.n_needed else ""
    return f"Not enough evidence against {incumbent_name}: {figures}{needed}."
