"""``vigie register``: a model fitted elsewhere becomes a version."""

import sys
from pathlib import Path
from typing import Any

import click

from vigie.cli.options import json_option, project_option, settings_of


@click.command("register")
@click.argument("model")
@project_option
@json_option
@click.option("--data", metavar="TABLE", help="The table it was fitted on, target included.  [default: data.source]")
@click.option("--test", metavar="TABLE", help="Rows it was not fitted on: the only ones that tell what it is worth.")
@click.option("--fail-on-refusal", is_flag=True, help="Exit with 1 when it does not beat the dummy on --test.")
def command(
    model: str, project: Path, *, as_json: bool, data: str | None, test: str | None, fail_on_refusal: bool
) -> None:
    """Register a model that was fitted elsewhere.

    MODEL is a .skops file, or package.module:name of a fitted scikit-learn estimator in your own code (or of a function
    that returns one). A pickle is refused, with the two lines that convert it.

    The model is never fitted again. It becomes a bundle with schema, reference profile, golden rows, card and, where it
    can be compiled, its own scorer; the bundle must answer every row of the table as the model does. Figures on the
    table are named in_sample: only --test tells what the model is worth, and with --test it must beat a model that
    looks at no feature. The first version becomes the champion; later ones wait for `vigie promote`.
    """
    from vigie.adapters.fitted import read_fitted
    from vigie.cli.adopted import adopted_json, print_adopted
    from vigie.cli.output import console, print_json
    from vigie.loop.given import Given
    from vigie.wiring.operate import adopt_project, open_loop, read_source

    settings = settings_of(project)
    base = Path.cwd() if Path(model).exists() else settings.folder
    estimator: Any = read_fitted(model, base=base, trusted=frozenset(settings.bundle.trusted_types))
    given = Given(estimator, read_source(settings, data), read_source(settings, test) if test else None)
    with open_loop(settings) as loop:
        found = adopt_project(loop, settings, given, data or settings.data.source)
    if as_json:
        print_json(adopted_json(found))
    else:
        print_adopted(settings.project.name, found, console())
    if fail_on_refusal and found.version is None:
        sys.exit(1)
