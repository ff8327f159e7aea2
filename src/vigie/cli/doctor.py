"""``vigie doctor``: is everything there, and what to do where it is not."""

import os
import sys
from pathlib import Path
from typing import Any

import click

from vigie.cli.options import json_option, project_option


@click.command("doctor")
@project_option
@json_option
def command(project: Path, *, as_json: bool) -> None:
    """Check everything a project needs, and say what to do.

    Python, settings, disk, clock, data, prediction log, ledger, registry, the champion's bundle, columns that settings
    name, keys and port. Changes nothing; what is not there yet is `unknown`. Exits with 1 where something is wrong, so
    that a pipeline stops.
    """
    from vigie.cli.output import console, print_json
    from vigie.domain.measurement import Verdict
    from vigie.wiring.doctor import examine

    checks = []
    screen = console()
    for check in examine(project, os.environ):
        checks.append(check)
        if not as_json:
            _tell(check, screen)
    wrong = [check for check in checks if check.verdict is Verdict.ALARM]
    if as_json:
        listed = [
            {"name": check.name, "verdict": check.verdict.value, "found": check.found, "remedy": check.remedy}
            for check in checks
        ]
        print_json({"verdict": Verdict.worst(check.verdict for check in checks).value, "checks": listed})
    elif wrong:
        screen.print(f"\n[bold red]To mend:[/] {', '.join(check.name for check in wrong)}.")
    else:
        screen.print("\nNothing is wrong.")
    if wrong:
        sys.exit(1)


def _tell(check: Any, screen: Any) -> None:
    from rich.table import Table

    from vigie.cli.output import plain, verdict_text

    line = Table.grid(padding=(0, 2, 0, 0))
    line.add_column(width=9)
    line.add_column(width=7)
    line.add_column(overflow="fold")
    line.add_row(check.name, verdict_text(check.verdict), plain(check.found))
    if check.remedy:
        line.add_row("", "", plain(f"→ {check.remedy}"))
    screen.print(line)
