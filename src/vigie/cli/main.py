"""The ``vigie`` command: a table of commands, each imported only when it runs."""

import sys
from importlib import import_module

import click

from vigie.cli.exits import MEANINGS, exit_code
from vigie.errors import VigieError, nearest

COMMANDS = {
    "init": "Write a project of your own: settings, tests, notebook, CI, containers.",
    "train": "Train the candidates, compare them and register the best.",
    "register": "Register a model that was fitted elsewhere.",
    "serve": "Serve the champion over HTTP.",
    "follow": "Bring the champion's bundle to the server's cache.",
    "predict": "Score a table with the champion, offline.",
    "monitor": "Say how inputs, predictions and performance compare with training.",
    "compare": "Weigh two versions by the outcomes of what they answered (A/B).",
    "retrain": "Train a challenger on recent outcomes and weigh it against the champion.",
    "promote": "Make a version the champion.",
    "rollback": "Go back one champion.",
    "keys": "Make keys that open the server, and the pair that signs versions.",
    "alerts": "List the alerts that are open, and try the channels.",
    "history": "Tell what the loop did, and why.",
    "export": "Copy the prediction log to Parquet files, a day each.",
    "expire": "Delete predictions that are older than stores.keep.",
    "erase": "Delete all that is known of one entity, and prove it.",
    "watch": "Look again and again: monitor, retrain, gate, promote.",
    "up": "Run the server and the watcher together.",
    "doctor": "Check everything a project needs, and say what to do.",
    "demo": "Run the whole loop on a churn model, time compressed.",
}
"""Every command with the first line of its help, so that ``vigie --help`` imports none of them."""


class LazyGroup(click.Group):
    """A group that imports a command's file when the command is asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002  click's signature
        """Return the commands in the order of the loop."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import and return one command; for a misspelt one, say which is near."""
        if cmd_name not in COMMANDS:
            if close := nearest(cmd_name, list(COMMANDS)):
                ctx.fail(f"No such command {cmd_name!r}.{close}")
            return None
        command: click.Command = import_module(f"vigie.cli.{cmd_name}").command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        """Write the table of commands without importing them."""
        with formatter.section("Commands, in the order of the loop"):
            formatter.write_dl(list(COMMANDS.items()))
        with formatter.section("Exit codes"):
            formatter.write_dl([(str(code), meaning) for code, meaning in MEANINGS.items()])


@click.group(
    cls=LazyGroup,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 80},
    epilog="Start with: vigie demo",
)
@click.version_option(package_name="vigie", prog_name="vigie")
def cli() -> None:
    """Take a tabular model to production and keep watch over it.

    A project is a folder with a vigie.toml; commands work in the current folder, or in the one that --project names.
    """


def main() -> None:
    """Run the command line; errors of Vigie become one sentence and an exit code."""
    try:
        cli(standalone_mode=True)
    except VigieError as error:
        click.echo(f"vigie: {type(error).__name__}: {error}", err=True)
        sys.exit(exit_code(error))
