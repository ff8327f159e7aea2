"""``vigie keys new``, ``list`` and ``revoke``: who may ask the server."""

from datetime import datetime
from pathlib import Path
from typing import Any

import click

from vigie.cli.options import json_option, project_option, settings_of

SCOPES = ("predict", "feedback", "read", "metrics")
"""As ``domain.access.KeyScope`` has them (a test compares), without importing it for ``--help``."""

NEVER = "never"


@click.command("new")
@click.argument("name")
@project_option
@click.option(
    "--scope",
    "scopes",
    multiple=True,
    type=click.Choice([*SCOPES, "all"]),
    default=("predict", "feedback"),
    show_default="predict and feedback",
    help="What it opens; may be given several times. read: /health and the description; metrics: /metrics.",
)
@click.option(
    "--expires", metavar="LENGTH", default="365d", help=f"Its life, such as 90d, or {NEVER}.  [default: 365d]"
)
@click.option(
    "--rate",
    type=click.FloatRange(min=0, min_open=True),
    metavar="N",
    help="Requests a second.  [default: access.rate_per_s]",
)
@json_option
def new(name: str, project: Path, scopes: tuple[str, ...], expires: str, rate: float | None, *, as_json: bool) -> None:
    """Make an access key for NAME, whoever or whatever that is.

    The key is shown this once; its digest alone is kept, in the project's state folder. Callers send it as
    Authorization: Bearer KEY.
    """
    import secrets

    from vigie.adapters.clock import SystemClock
    from vigie.cli.output import print_json
    from vigie.domain.access import ID_LENGTH, SECRET_BYTES, AccessKey, KeyScope, key_digest, key_text
    from vigie.errors import ConfigurationError

    if not 0 < len(name) <= 100 or not name.isprintable():
        raise ConfigurationError("A name is 1 to 100 printable characters.", remedy="Give another one.", key="NAME")
    keys, now = _keys_of(project), SystemClock().now()
    letters = "abcdefghijkmnpqrstuvwxyz23456789"  # none that is taken for another when it is read aloud
    key_id = "".join(secrets.choice(letters) for _ in range(ID_LENGTH))
    text = key_text(key_id, secrets.token_bytes(SECRET_BYTES))
    opened = frozenset(KeyScope) if "all" in scopes else frozenset(map(KeyScope, scopes))
    key = AccessKey(key_id, name, key_digest(text), opened, now, _expiry(expires, now), rate_per_s=rate)
    keys.add(key)
    if as_json:
        print_json({"key": text, **_told(key, now, None)})
        return
    click.echo(f"{text}\n", nl=True)
    until = "for ever" if key.expires_at is None else f"until {key.expires_at:%Y-%m-%d}"
    click.echo(f"It opens {' and '.join(sorted(opened))} for {name}, {until}. It is not shown again.", err=True)
    click.echo('Callers send it as: -H "Authorization: Bearer KEY"', err=True)


@click.command("list")
@project_option
@json_option
def show(project: Path, *, as_json: bool) -> None:
    """List the access keys: whose, for what, until when, last use."""
    from vigie.adapters.clock import SystemClock
    from vigie.cli.output import console, plain, print_json, table
    from vigie.cli.sheet import Columns

    keys, now = _keys_of(project), SystemClock().now()
    uses = keys.last_uses()
    found = [_told(key, now, uses.get(key.id)) for key in keys.read()]
    if as_json:
        print_json(found)
        return
    if not found:
        click.echo("There is no access key: on this machine the server asks nobody for one.")
        click.echo("Make one with: vigie keys new NAME")
        return
    columns: Columns = [(heading, "left") for heading in ("id", "name", "opens", "state", "expires", "last used")]
    rows = [
        [
            key["id"],
            plain(key["name"]),
            " ".join(key["scopes"]),
            key["state"],
            (key["expires_at"] or NEVER)[:10],
            (key["last_used_at"] or NEVER)[:16].replace("T", " "),
        ]
        for key in found
    ]
    console().print(table("Access keys (times in UTC)", columns, rows))


@click.command("revoke")
@click.argument("key_id", metavar="ID")
@project_option
@json_option
def revoke(key_id: str, project: Path, *, as_json: bool) -> None:
    """Revoke the access key with this ID, within two seconds.

    The whole key does as well as its ID. Once revoked, a key stays revoked; it stays in the list.
    """
    from vigie.adapters.clock import SystemClock
    from vigie.cli.output import print_json
    from vigie.domain.access import ID_LENGTH, PREFIX
    from vigie.errors import ConfigurationError

    wanted = key_id.removeprefix(PREFIX)[:ID_LENGTH] if key_id.startswith(PREFIX) else key_id
    keys, now = _keys_of(project), SystemClock().now()
    key = keys.revoke(wanted, now)
    if key is None:
        # What was given may be a key: it is not repeated.
        raise ConfigurationError("There is no access key with that id.", remedy="`vigie keys list` shows them all.")
    if as_json:
        print_json(_told(key, now, keys.last_uses().get(key.id)))
        return
    click.echo(f"Revoked {key.id} of {key.name}: servers refuse it within two seconds.")


def _keys_of(project: Path) -> Any:
    from vigie.adapters.access_keys import AccessKeyFile
    from vigie.wiring.state import state_folder

    return AccessKeyFile(state_folder(settings_of(project)))


def _expiry(length: str, now: datetime) -> datetime | None:
    from vigie.errors import ConfigurationError
    from vigie.settings import parse_duration

    if length == NEVER:
        return None
    try:
        return now + parse_duration(length)
    except ValueError as exc:
        raise ConfigurationError(f"{exc}.", key="--expires", remedy=f"Write 12h, 90d, or {NEVER}.") from exc


def _told(key: Any, now: datetime, last_used_at: datetime | None) -> dict[str, Any]:
    """Return what may be shown of a key: everything but its digest."""
    return {
        "id": key.id,
        "name": key.name,
        "scopes": sorted(key.scopes),
        "state": key.state(now),
        "created_at": _written(key.created_at),
        "expires_at": _written(key.expires_at),
        "revoked_at": _written(key.revoked_at),
        "last_used_at": _written(last_used_at),
        "rate_per_s": key.rate_per_s,
    }


def _written(at: datetime | None) -> str | None:
    return None if at is None else at.isoformat(timespec="seconds")
