"""What may ask for a retraining, in the order of the evidence: performance first, changed inputs after."""

from collections.abc import Sequence

from vigie.domain.measurement import Verdict


def find_triggers(*, performance: Verdict, prediction: Verdict, drifted: Sequence[str]) -> tuple[str, ...]:
    """Return one sentence per trigger, the gravest first.

    Args:
        performance: verdict on realised performance.
        prediction: verdict on the distribution of the predictions, as far as it may be acted on.
        drifted: names of the features whose drift raised an alarm twice in a row.
    """
    found = []
    if performance is Verdict.ALARM:
        found.append("Realised performance fell.")
    if prediction is Verdict.ALARM:
        found.append("The predictions' distribution changed.")
    if drifted:
        found.append(f"Inputs changed: {', '.join(drifted)}.")
    return tuple(found)
