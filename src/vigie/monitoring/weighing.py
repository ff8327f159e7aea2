"""The inputs as a whole: how much of what moves the model's answers has changed."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from vigie.domain.measurement import Measurement, Verdict
from vigie.reporting.wording import percent

HEAVY = 0.1
"""Changed features alarm together once they carry a tenth of the importance."""


class Weighed(NamedTuple):
    """One feature: the rule's verdict, and its corrected stability index where there is one."""

    name: str
    verdict: Verdict
    psi: float | None


@dataclass(frozen=True, slots=True)
class DatasetReport:
    """All features together.

    Attributes:
        verdict: ``alarm`` when the features that changed carry a tenth of the importance, ``warn`` when they carry less
            or only seem to change, ``unknown`` when no feature could be judged.
        reason: one sentence.
        changed: importance of the features that changed, a share of the whole.
        score: mean of the corrected stability indices (those below 0 count as 0), weighted by importance.
    """

    verdict: Verdict
    reason: str
    changed: Measurement
    score: Measurement

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON values; never NaN."""
        return {
            "verdict": self.verdict.value,
            "reason": self.reason,
            "changed": self.changed.to_dict(),
            "score": self.score.to_dict(),
        }


def weigh(features: Sequence[Weighed], importance: Sequence[float] | None, *, n: int) -> DatasetReport:
    """Judge the features together. No new test: the verdicts are those of the columns, at the columns' budget.

    Args:
        features: each one judged, in the schema's order; at least one.
        importance: how much each moves the answers, adding up to 1; None weighs them all the same.
        n: rows of the window.
    """
    weights = importance or [1 / len(features)] * len(features)
    how = "of the importance" if importance else "of the features (their importance is not known)"
    pairs = list(zip(features, weights, strict=True))
    judged = [(feature, weight) for feature, weight in pairs if feature.verdict is not Verdict.UNKNOWN]
    share = sum(weight for feature, weight in pairs if feature.verdict is Verdict.ALARM)
    if not judged:
        reason = "No feature could be judged."
        nothing = (
            Measurement(name, None, unit, n, reason=reason) for name, unit in (("changed", "1"), ("psi", "nats"))
        )
        return DatasetReport(Verdict.UNKNOWN, reason, *nothing)
    worst = Verdict.worst(feature.verdict for feature, _ in judged)
    verdict = Verdict.WARN if worst is Verdict.ALARM and share < HEAVY else worst
    indexed = [(max(0.0, feature.psi), weight) for feature, weight in judged if feature.psi is not None]
    total = sum(weight for _, weight in indexed)
    score = sum(index * weight for index, weight in indexed) / total if total else None
    return DatasetReport(
        verdict,
        f"What changed carries {percent(share)} {how}." if share else "No feature changed.",
        Measurement("changed", share, "1", n),
        Measurement("psi", score, "nats", n, reason="" if total else "No feature has an index."),
    )
