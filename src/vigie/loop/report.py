"""A finished training as one page that works offline, kept with its run."""

from dataclasses import dataclass

from vigie.bundle.manifest import library_versions
from vigie.errors import RegistryError
from vigie.loop.context import Loop
from vigie.loop.origin import Origin
from vigie.loop.train import Trained
from vigie.training.progress import Progress
from vigie.training.report import USUAL_EFFORT, Provenance, ReportInputs, build, page, pictures

PAGE = "report.html"
CHARTS = "charts"
"""What the page and the folder of its pictures are called where runs are kept."""


@dataclass(frozen=True, slots=True)
class Reported:
    """What became of a report.

    Attributes:
        page: HTML without script and without a request to anywhere; None when it could not be made.
        trouble: what went wrong, one sentence; empty when nothing did.
    """

    page: str | None
    trouble: str = ""


def report(loop: Loop, trained: Trained, *, origin: Origin, keep: bool, progress: Progress) -> Reported:
    """Tell a finished training as a page; a report that fails is told, not raised.

    Args:
        loop: ports and rules.
        trained: what ``train`` returned.
        origin: where the table came from.
        keep: whether page and pictures are kept with the training's run.
        progress: called as each step begins.
    """
    try:
        built = build(_inputs(loop, trained, origin), progress)
        told = page(built)
        files = {f"{CHARTS}/{name}.png": picture for name, picture in pictures(built).items()} if keep else {}
    except Exception as error:  # noqa: BLE001  the promise kept here: a training is never lost because its report failed
        return Reported(None, f"The training report could not be made: {type(error).__name__}: {error}")
    if keep:
        try:
            loop.tracker.attach(trained.runs.parent_id, {PAGE: told.encode(), **files})
        except RegistryError as error:
            return Reported(told, f"The training report was not kept: {error}")
    return Reported(told)


def _inputs(loop: Loop, trained: Trained, origin: Origin) -> ReportInputs:
    board = trained.leaderboard
    return ReportInputs(
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
            params={"metric": board.metric, "folds": str(board.n_folds)},
        ),
        effort=USUAL_EFFORT,
    )
