"""A finished training as one page that works offline."""

from vigie.bundle.manifest import library_versions
from vigie.loop.context import Loop
from vigie.loop.train import Origin, Trained
from vigie.training.report import USUAL_EFFORT, Provenance, ReportInputs, render
from vigie.training.search import Progress


def training_page(loop: Loop, trained: Trained, *, origin: Origin, progress: Progress) -> str:
    """Return the training report as one HTML page: no script, no request to anywhere.

    Args:
        loop: ports and rules.
        trained: what ``train`` returned.
        origin: where the table came from.
        progress: called as each step begins.
    """
    board = trained.leaderboard
    inputs = ReportInputs(
        model=loop.model,
        dataset=trained.dataset,
        split=trained.split,
        leaderboard=board,
        n_folds=board.n_folds,
        seed=loop.rules.data.seed,
        value=loop.rules.value,
        choice=board.choice.reason,
        provenance=Provenance(
            created_at=loop.clock.now(),
            source=origin.source,
            commit=origin.commit,
            versions=library_versions(),
            params={"metric": board.metric, "folds": str(board.n_folds), **board.winner.params},
        ),
        effort=USUAL_EFFORT,
    )
    return render(inputs, progress=progress)
