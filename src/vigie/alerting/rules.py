"""From verdicts to an alert: how grave, by the order of evidence.

Realised performance pages. Predictions and inputs that changed are a notice: they say what changed, never that the
model got worse.
"""

from collections.abc import Sequence

from vigie.domain.alert import Alert, Severity
from vigie.domain.measurement import Verdict


def alert_for(
    model: str, *, performance: Verdict, prediction: Verdict, drifted: Sequence[str], headline: Sequence[str]
) -> Alert | None:
    """Return the alert that a window calls for, None for a calm one.

    Args:
        model: registered name.
        performance: verdict on realised performance.
        prediction: verdict on the distribution of the predictions, as far as it may be acted on.
        drifted: features whose drift raised an alarm twice in a row.
        headline: the report's own sentences; they become the body.
    """
    body = "\n".join(headline)
    if performance is Verdict.ALARM:
        return Alert(model, Severity.PAGE, "realised performance fell", body)
    what = ["predictions"] if prediction is Verdict.ALARM else []
    if drifted:
        what.append(f"inputs ({', '.join(drifted)})")
    return Alert(model, Severity.NOTICE, f"{' and '.join(what)} changed", body) if what else None
