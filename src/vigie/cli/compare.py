"""``vigie compare``: two versions that answered at the same time, weighed by outcomes."""

from pathlib import Path

import click

from vigie.cli.options import json_option, project_option, settings_of


@click.command("compare")
@click.argument("first")
@click.argument("second")
@project_option
@json_option
def command(project: Path, first: str, second: str, *, as_json: bool) -> None:
    """Weigh two versions by the outcomes of what they answered (A/B).

    Looks at the time in which both FIRST and SECOND answered. The difference of their mean losses, and of the value
    of their decisions, comes with an interval that holds at every look: read it each day, and end the test when it
    says that one version is better. It only reads; nothing is promoted.

    Chance must have decided which version answered. A change of champion is no such test: the versions then never
    answered at the same time, and nothing is compared.
    """
    from vigie.cli.comparison import print_comparison
    from vigie.cli.output import console, print_json
    from vigie.loop.champion import open_version
    from vigie.loop.compare import compare
    from vigie.wiring.operate import open_loop

    with open_loop(settings_of(project)) as loop:
        read = compare(loop, open_version(loop, first), open_version(loop, second))
    if as_json:
        print_json(read.to_dict())
    else:
        print_comparison(read, console())
