"""``vigie demo``: the whole loop, told as it happens."""

import logging
import signal
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path

import click


@click.command("demo")
@click.option("--once", is_flag=True, help="End after the story; else the server stays up until Ctrl-C.")
@click.option(
    "--keep",
    type=click.Path(path_type=Path),
    metavar="FOLDER",
    help="Keep the project in FOLDER (new or empty) instead of a temporary one.",
)
def command(*, once: bool, keep: Path | None) -> None:
    """Run the whole loop on a churn model, time compressed.

    Trains on invented customers, serves, and sends real HTTP traffic: calm days first, then shorter tenures, higher
    amounts, more complaints, and complaints that weigh more. Watches, alerts, retrains, asks the gate, promotes; the
    server follows without a restart. Needs no network; takes less than a minute on two cores.
    """
    if keep and keep.exists() and any(keep.iterdir()):
        raise click.BadParameter(f"{keep} is not empty; the demo overwrites nothing", param_hint="--keep")
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # as Ctrl-C: what was started and written is cleared away
    with ExitStack() as stack:
        folder = keep or Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="vigie-demo-")))
        sys.exit(_tell(folder.resolve(), once=once, kept=keep is not None))


def _tell(folder: Path, *, once: bool, kept: bool) -> int:
    from vigie.cli.output import console
    from vigie.cli.story import Story
    from vigie.settings import load_settings
    from vigie.wiring.demo import running_server, write_project
    from vigie.wiring.operate import open_loop

    began, screen = time.monotonic(), console()
    logging.getLogger("vigie").addHandler(logging.NullHandler())  # the story tells of alerts itself
    screen.print(
        "Customers may leave: a model says who. Its first weeks in production, in fast motion. The customers are "
        "invented; server, HTTP, prediction log, MLflow and decisions are real."
    )
    write_project(folder)
    settings = load_settings(folder, {})
    with ExitStack() as stack:
        loop = stack.enter_context(open_loop(settings))
        story = Story(loop, settings, screen)
        story.train()
        url = stack.enter_context(running_server(folder))
        fine = story.live(url)
        screen.print(f"[dim]{time.monotonic() - began:.0f} s in all[/]")
        if kept:
            screen.print(f"The project is in {folder.name}; look around with: vigie history --project {folder.name}")
        screen.print("\nA project of your own, with all around it: [bold]vigie init NAME --example churn[/]")
        if not once:
            screen.print(f"\nThe server goes on at [bold]{url}/docs[/] (Ctrl-C ends it).")
            _wait()
    return 0 if fine else 1


def _wait() -> None:
    try:
        while True:
            time.sleep(3600)
    except KeyboardInterrupt:
        click.echo("")
