"""``vigie keys``: the access keys of the server; the key pair that bundles are signed with, and the signing."""

import os
from pathlib import Path
from typing import Any

import click

from vigie.cli.access_keys import new, revoke, show
from vigie.cli.options import json_option, project_option, settings_of


@click.group("keys", commands=[new, show, revoke])
def command() -> None:
    """Make keys that open the server, and the pair that signs versions.

    An access key lets a caller in: new, list and revoke. A server that has one asks everybody for one; it sees a new
    or a revoked key within a second or two, without a restart.

    A signature says that whoever holds the private key vouches for a version. Servers that set
    bundle.require_signature open nothing else.
    """


@command.command("pair")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False), required=False)
@json_option
def pair(file: Path | None, *, as_json: bool) -> None:
    """Make a key pair for signing bundles.

    The private key goes to FILE, which must not exist yet and which only you can read (default:
    signing-key.pem in your own configuration folder, outside any project). The public key is printed, one line, to
    paste into bundle.trusted_keys of the servers.
    """
    from vigie.adapters.signing_key import write_key_pair
    from vigie.cli.output import print_json

    path = (file or _own_folder() / "signing-key.pem").expanduser().absolute()
    public = write_key_pair(path).public
    careless = _where_others_read(path)
    if as_json:
        print_json({"public_key": public, "private_key_file": str(path), "warning": careless})
        return
    click.echo(f"Private key: {path} (yours alone; keep a copy where you keep passwords)")
    if careless:
        click.echo(f"Warning: {careless}")
    click.echo("Public key, for vigie.toml of every project and server that shall trust it:\n")
    click.echo(f'[bundle]\ntrusted_keys = ["{public}"]\nrequire_signature = true')


@command.command("sign")
@click.argument("folder", type=click.Path(path_type=Path, exists=True, file_okay=False), required=False)
@project_option
@click.option("--version", metavar="N", help="Version or alias to sign.  [default: champion]")
@click.option(
    "--key",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="File of the private key.  [default: bundle.signing_key, else what `vigie keys pair` wrote]",
)
@json_option
def sign(folder: Path | None, project: Path, version: str | None, key: Path | None, *, as_json: bool) -> None:
    """Sign a registered version, or the bundle in FOLDER.

    The bundle is opened first, with every check that a server makes but for the signature: what is damaged is not
    signed. Signing again replaces the signature, with another key too.
    """
    from vigie.cli.output import print_json

    if folder is not None and version is not None:
        raise click.UsageError("Name a FOLDER or a --version, not both.")
    found = _sign_folder(folder, project, key) if folder else _sign_version(project, version or "champion", key)
    if as_json:
        print_json(found)
        return
    click.echo(f"Signed {found['name']} {found['what']} (manifest SHA-256 {found['manifest_sha256'][:12]}…)")
    click.echo(f"by {found['signer']}.")


def _sign_version(project: Path, wanted: str, key: Path | None) -> dict[str, Any]:
    from vigie.bundle.signature import SIGNATURE
    from vigie.wiring.operate import open_loop
    from vigie.wiring.state import trust_of

    settings = settings_of(project)
    with open_loop(settings) as loop:
        version = loop.registry.version(loop.model, wanted).version
        members = loop.registry.members(loop.model, version)
        signed, told = _signed(members, trust_of(settings.bundle), _signer(key, settings))
        loop.registry.sign(loop.model, version, signed[SIGNATURE])
    return {**told, "what": f"version {version}", "version": version}


def _sign_folder(folder: Path, project: Path, key: Path | None) -> dict[str, Any]:
    from vigie.adapters.bundle_folder import read_bundle, write_signature
    from vigie.bundle.signature import SIGNATURE
    from vigie.bundle.trust import Trust
    from vigie.errors import ConfigurationError
    from vigie.wiring.state import trust_of

    try:
        settings = settings_of(project)
    except ConfigurationError:
        if key is None:  # a bundle travels without its project, but somebody must say with what to sign
            raise
        settings = None
    trust = trust_of(settings.bundle) if settings else Trust()
    signed, told = _signed(read_bundle(folder), trust, _signer(key, settings))
    write_signature(folder, signed[SIGNATURE])
    return {**told, "what": f"in {folder}", "version": None}


def _signed(members: dict[str, bytes], trust: Any, signer: Any) -> tuple[dict[str, bytes], dict[str, Any]]:
    from hashlib import sha256

    from vigie.bundle.members import MANIFEST, signed
    from vigie.loop.open_bundle import open_bundle

    model = open_bundle(members, version="unsigned", trust=trust.before_signing())
    told = {"name": model.name, "manifest_sha256": sha256(members[MANIFEST]).hexdigest(), "signer": signer.public}
    return signed(members, signer), told


def _signer(key: Path | None, settings: Any) -> Any:
    from vigie.adapters.signing_key import read_signing_key
    from vigie.wiring.stores import signer_of

    if key is not None:
        return read_signing_key(key.expanduser())
    return (signer_of(settings) if settings else None) or read_signing_key(_own_folder() / "signing-key.pem")


def _own_folder() -> Path:
    """Return the folder of this user's own configuration, as the XDG base directories say."""
    return Path(os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config") / "vigie"


def _where_others_read(path: Path) -> str:
    """Return a warning when a private key lies where copies of it are made."""
    for folder in path.parents:
        if folder.name == ".vigie":
            return f"{folder} is the state of a project: keep the private key elsewhere."
        if (folder / ".git").exists():
            return f"{folder} is under git: keep the private key elsewhere, or name it in .gitignore."
    return ""
