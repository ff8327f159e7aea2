"""Put a trained bundle into the registry; the first one becomes champion if it beats the dummy."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from vigie.bundle.members import signed
from vigie.domain.event import Event, EventKind
from vigie.domain.model import CHAMPION, ModelVersion
from vigie.domain.task import Task
from vigie.errors import SignatureError
from vigie.evaluation.metrics import row_losses
from vigie.loop.champion import check_servable
from vigie.loop.context import Loop
from vigie.loop.promote import Move, promote
from vigie.loop.train import Trained
from vigie.promotion.gate import GateDecision, decide

LOSS_NAMES = {
    Task.REGRESSION: "squared error (target unit squared)",
    Task.BINARY: "log-loss (nats)",
    Task.MULTICLASS: "log-loss (nats)",
}
"""How reasons call the per-row loss of each task."""


@dataclass(frozen=True, slots=True)
class Registered:
    """What became of a trained model.

    Attributes:
        version: as registered; None when it did not beat the dummy and was refused.
        decision: the winner against the dummy.
        champion: the version that serves now, None when there is none.
        held: why no server would open it as it is: it is not signed as the settings ask.
    """

    version: ModelVersion | None
    decision: GateDecision
    champion: str | None
    held: str = ""


def register(loop: Loop, trained: Trained, *, owner: str) -> Registered:
    """Register the winner if it beats the dummy on the held-out rows; make it champion if there is none.

    A later version never takes the champion's place here: that is the gate's business (``retrain``) or a person's
    (``promote``).

    Raises:
        RegistryError: the registry failed.
    """
    decision = against_dummy(loop, trained)
    champion = loop.registry.alias(loop.model, CHAMPION)
    if not decision.promote:
        loop.ledger.append(_event(loop, EventKind.REFUSED, "Refused: it does not beat the dummy.", decision))
        return Registered(None, decision, champion)
    version = publish(loop, trained)
    event = _event(loop, EventKind.REGISTERED, f"Registered version {version.version}.", decision, version.version)
    champion, held = enter(loop, event, decision.reasons, owner=owner)
    return Registered(version, decision, champion, held)


def enter(loop: Loop, event: Event, reasons: Sequence[str], *, owner: str) -> tuple[str | None, str]:
    """Record a registered version; make it champion if there is none.

    Args:
        loop: ports.
        event: tells of the version.
        reasons: why it may be the first champion.
        owner: who does this, for the lease.

    Returns:
        The version that serves, None when there is none; and why no server would open the new one, if none would.
    """
    loop.ledger.append(event)
    champion = loop.registry.alias(loop.model, CHAMPION)
    if event.version is None:
        return champion, ""
    try:
        if champion is not None:
            check_servable(loop, event.version)  # so that nobody is told to promote what promotion will refuse
            return champion, ""
        promote(loop, Move(event.version, expected=None, reasons=reasons, evidence=event.evidence), owner=owner)
    except SignatureError as error:  # where the private key is kept elsewhere, a version waits for its signature
        return champion, str(error)
    return event.version, ""


def publish(loop: Loop, trained: Trained) -> ModelVersion:
    """Store the winner's bundle with its run, as the next version, signed where a key is at hand."""
    winner = trained.leaderboard.winner
    tags = {"vigie.data_digest": trained.dataset.digest, "vigie.candidate": winner.name}
    members = signed(trained.members, loop.signer)
    return loop.registry.publish(loop.model, members, run_id=trained.runs.child_ids[winner.name], tags=tags)


def against_dummy(loop: Loop, trained: Trained) -> GateDecision:
    """Weigh the winner against the model that looks at no feature, on the same held-out rows."""
    task = trained.dataset.schema.target.task
    winner, dummy = trained.leaderboard.winner, trained.leaderboard.dummy
    rng = np.random.default_rng(loop.rules.data.seed)
    # A first model may come from a small table: what counts here is the bound, not the number of rows.
    rule = loop.rules.gate.with_min_rows(2)
    dummy_losses, losses = row_losses(dummy.test_scores, task), row_losses(winner.test_scores, task)
    return decide(dummy_losses, losses, rule, loss=LOSS_NAMES[task], rng=rng, incumbent_name="the dummy")


def _event(loop: Loop, kind: EventKind, summary: str, decision: GateDecision, version: str | None = None) -> Event:
    return Event(
        kind=kind,
        at=loop.clock.now(),
        model=loop.model,
        version=version,
        summary=summary,
        reasons=decision.reasons,
        evidence=decision.to_dict(),
    )
