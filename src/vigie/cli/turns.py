"""What a turn of the loop did, in words and as JSON."""

from typing import Any

from rich.console import Console

from vigie.cli.output import plain
from vigie.domain.measurement import Verdict
from vigie.loop.cycle import Turn


def print_turn(turn: Turn, screen: Console) -> None:
    """Print what followed from the report, one line a step."""
    screen.print()
    if turn.alert:
        word = "Resolved" if turn.alert.resolved else f"Alert[/] ({turn.alert.severity.value})[bold]"
        screen.print(f"[bold]{word}[/]: {plain(turn.alert.title)}")
    if not turn.closed:
        screen.print(f"Window stays open: too few predictions so far to judge ({turn.report.n:,}).")
        return
    if turn.decision and turn.decision.asked:
        word = "Retrain" if turn.decision.retrain else "No retraining yet"
        screen.print(f"[bold]{word}[/]: {plain(turn.decision.reasons[-1])}")
    if turn.challenge:
        gate = turn.challenge.decision
        screen.print(
            f"[bold]Gate: {gate.verdict}[/] version {turn.challenge.version.version}. {plain(gate.reasons[0])}"
        )
    if turn.trouble:
        screen.print(f"[bold]Could not {'promote' if turn.challenge else 'retrain'}[/]: {plain(turn.trouble)}")
    if turn.promoted:
        screen.print(f"[bold]{turn.promoted.summary}[/]")
    if not (turn.alert or turn.promoted or turn.challenge or turn.trouble):
        screen.print(_quiet(turn))


def _quiet(turn: Turn) -> str:
    """Return why a turn ends without a message."""
    if turn.report.verdict is not Verdict.ALARM:
        return "Nothing to do."
    if turn.report.actionable is not Verdict.ALARM:
        return "Nobody is told: the alarm is not confirmed yet."
    return "Nobody is told again: the alert is open. See: vigie alerts"


def turn_json(turn: Turn) -> dict[str, Any]:
    """Return a turn as plain JSON values."""
    gate = turn.challenge.decision.to_dict() if turn.challenge else None
    return {
        "report": turn.report.to_dict(),
        "window_closed": turn.closed,
        "alert": turn.alert.title if turn.alert else None,
        "retrain": turn.decision.retrain if turn.decision else False,
        "retrain_reasons": list(turn.decision.reasons) if turn.decision else [],
        "trouble": turn.trouble,
        "challenger": turn.challenge.version.version if turn.challenge else None,
        "gate": gate,
        "promoted": turn.promoted.version if turn.promoted else None,
        "misnamed": [str(error) for error in turn.misnamed],
    }
