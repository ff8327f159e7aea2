"""The demo's story, act by act: each does a real thing and says what came of it."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pyarrow as pa
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn

from vigie.cli.events import print_events
from vigie.cli.leaderboard import print_leaderboard
from vigie.cli.output import console, fit_progress, plain
from vigie.cli.report import print_inputs
from vigie.cli.turns import print_turn
from vigie.loop.context import Loop
from vigie.loop.cycle import Turn
from vigie.loop.monitor import SETTLING
from vigie.loop.register import register
from vigie.reporting.wording import percent
from vigie.settings import Settings
from vigie.testing.tables import churn_table
from vigie.wiring.demo import N_TRAINING, SEED, Customers, Tally, live_through, trickle, wait_for_version
from vigie.wiring.operate import owner, train_project, training_table
from vigie.wiring.watch import one_turn

N_CALM, N_DRIFTED, N_FINISH = 1_500, 3_000, 1_500
KNOWN = 0.8
"""Share of customers whose outcome comes back."""


class Story:
    """Tells and does; ``live`` returns whether all went as the loop promises.

    Args:
        loop: the demo project's, open.
        settings: its settings.
        screen: where the story is told.
    """

    def __init__(self, loop: Loop, settings: Settings, screen: Console) -> None:
        self._loop = loop
        self._settings = settings
        self._screen = screen
        self._tally = Tally()

    def train(self) -> None:
        """Train on invented customers and crown the first champion."""
        self._act("Train", f"{N_TRAINING:,} invented customers; every candidate is an MLflow run")
        with fit_progress(quiet=not self._screen.is_terminal) as progress:
            trained = train_project(self._loop, self._settings, training_table(self._settings), progress=progress)
        print_leaderboard(trained)
        registered = register(self._loop, trained, owner=owner())
        self._say(registered.decision.reasons[0])
        self._say(f"[bold]Version {registered.champion} is the champion.[/]")

    def live(self, url: str) -> bool:
        """Serve calm customers, then changed ones, and let the loop turn."""
        customers = Customers(url, self._tally)
        try:
            return self._live(customers, url)
        finally:
            customers.close()

    def _live(self, customers: Customers, url: str) -> bool:
        self._act("Calm days", f"the server answers at {url}; customers like those of the training")
        self._traffic(customers, churn_table(N_CALM, seed=SEED + 1))
        calm = self._turn()
        self._act("The world changes", "tenure 24 → 18 months, amount 60 → 70, complaints 2 → 3 and weighing more")
        changed = churn_table(N_DRIFTED, seed=SEED + 2, drift=1.0, relation=1.0)
        self._traffic(customers, changed)
        self._say("The watcher looks, while customers go on asking:")
        with trickle(customers, changed, pause_s=0.02):
            alarmed = self._turn()
            followed = alarmed.promoted is not None and alarmed.promoted.version is not None
            if alarmed.promoted is not None and alarmed.promoted.version is not None:
                seconds = wait_for_version(url, alarmed.promoted.version)
                self._say(
                    f"The server answers with version {alarmed.promoted.version} after {seconds:.1f} s, no restart."
                )
        self._act("A calm finish", "the changed world is the new normal")
        self._traffic(customers, churn_table(N_FINISH, seed=SEED + 3, drift=1.0, relation=1.0))
        finish = self._turn()
        return self._close(calm, alarmed, finish, followed=followed)

    def _close(self, calm: Turn, alarmed: Turn, finish: Turn, *, followed: bool) -> bool:
        tally = self._tally
        self._act("What happened", "from the ledger; the same as: vigie history")
        print_events(self._loop.ledger.events(self._loop.model), self._screen, reasons=False)
        shares = ", ".join(f"{count:,} by version {version}" for version, count in sorted(tally.answers.items()))
        logged = self._loop.log.count(self._loop.model)
        self._screen.print()
        self._say(
            f"{tally.requests:,} requests, {tally.failed} failed; {tally.predictions:,} predictions ({shares}); "
            f"{logged:,} in the log."
        )
        return all(
            (
                calm.alert is None,
                alarmed.report.drifted == ("anciennete_mois", "montant_mensuel", "nb_reclamations"),
                followed,
                finish.alert is None or finish.alert.resolved,
                tally.failed == 0,
                logged == tally.predictions,
            )
        )

    def _traffic(self, customers: Customers, table: pa.Table) -> None:
        with self._bar("Predictions", len(table)) as told:
            live_through(customers, table, singles=200, batch=50, known=KNOWN, told=told)
        self._say(f"{len(table):,} predictions over HTTP; the outcome of {percent(KNOWN)} of them came back.")

    def _turn(self) -> Turn:
        time.sleep(SETTLING.total_seconds())
        with fit_progress(quiet=not self._screen.is_terminal) as progress:
            turn = one_turn(self._loop, self._settings, progress)
        self._screen.print()
        print_inputs(turn.report, self._screen)
        for sentence in turn.report.headline:
            self._say(plain(sentence))
        print_turn(turn, self._screen)
        return turn

    def _act(self, title: str, what: str) -> None:
        self._screen.print()
        self._screen.rule(f"[bold]{title}", align="left", style="dim")
        self._screen.print(f"[dim]{what}[/]")

    def _say(self, sentence: str) -> None:
        self._screen.print(sentence)

    @contextmanager
    def _bar(self, what: str, total: int) -> Iterator[Callable[[int], None]]:
        if not self._screen.is_terminal:
            yield lambda _n: None
            return
        columns = (TextColumn(what), BarColumn(40), TextColumn("{task.completed:,}/{task.total:,}"))
        with Progress(*columns, console=console(error=True), transient=True) as bar:
            task = bar.add_task(what, total=total)
            yield lambda n: bar.advance(task, n)
