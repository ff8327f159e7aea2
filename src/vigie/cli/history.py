"""``vigie history``: the ledger, told; or where one prediction or one version comes from."""

from pathlib import Path
from typing import Any
from uuid import UUID

import click

from vigie.cli.options import json_option, project_option, settings_of


@click.command("history")
@project_option
@json_option
@click.option("-n", "--last", type=click.IntRange(min=1), default=50, show_default=True, help="Events to show.")
@click.option("--prediction", type=click.UUID, metavar="ID", help="Tell where one prediction comes from.")
@click.option("--version", "wanted", metavar="VERSION", help="Tell where a version comes from (number or alias).")
def command(project: Path, *, as_json: bool, last: int, prediction: UUID | None, wanted: str | None) -> None:
    """Tell what the loop did, and why.

    Every training, alert, retraining, gate decision, promotion and roll-back, with its reasons, oldest first.

    With --prediction, one answer is followed back: the version that gave it, its MLflow run, git commit, training
    data, parameters, metrics, the decision that let it in, and who promoted it. The id is the `prediction_id` of the
    answer of /predict.
    """
    if prediction and wanted:
        raise click.UsageError("--prediction and --version do not go together")
    settings = settings_of(project)
    if prediction or wanted:
        _tell_lineage(settings, prediction, wanted, as_json=as_json)
    else:
        _tell_events(settings, last, as_json=as_json)


def _tell_events(settings: Any, last: int, *, as_json: bool) -> None:
    from vigie.cli.events import print_events
    from vigie.cli.output import console, print_json
    from vigie.wiring.stores import open_ledger

    ledger = open_ledger(settings)
    try:
        events = ledger.events(settings.project.name)[-last:]
    finally:
        ledger.close()
    if as_json:
        print_json([event.to_dict() for event in events])
        return
    screen = console()
    if events:
        print_events(events, screen)
    else:
        screen.print(f"Nothing happened to {settings.project.name} yet. Start with: vigie train")


def _tell_lineage(settings: Any, prediction: UUID | None, wanted: str | None, *, as_json: bool) -> None:
    from vigie.cli.lineage import print_lineage
    from vigie.cli.output import console, print_json
    from vigie.loop.lineage import lineage_of_prediction, lineage_of_version
    from vigie.wiring.operate import open_loop

    with open_loop(settings) as loop:
        found = lineage_of_prediction(loop, prediction) if prediction else lineage_of_version(loop, wanted or "")
    if as_json:
        print_json(found.to_dict())
    else:
        print_lineage(found, console())
