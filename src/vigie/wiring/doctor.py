"""What ``vigie doctor`` looks at: each check is one function that says what it found and what to do.

Nothing is made or changed: a store that is not there yet is told, not created.
"""

import os
import shutil
import socket
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import httpx

from vigie.adapters.access_keys import AccessKeyFile
from vigie.adapters.clock import SystemClock
from vigie.adapters.mlflow_store import moved_from, sqlite_file
from vigie.adapters.sqlite.filesystem import network_filesystem, read_mounts
from vigie.bundle.members import MANIFEST, SCHEMA
from vigie.bundle.schema_member import read_schema
from vigie.domain.measurement import Verdict
from vigie.domain.model import CHAMPION
from vigie.errors import VigieError
from vigie.loop.misnamed import misnamed
from vigie.loop.open_bundle import open_bundle
from vigie.settings import Settings, load_settings
from vigie.wiring.access import is_loopback
from vigie.wiring.follow import open_registry
from vigie.wiring.state import LOG, open_cache, trust_of
from vigie.wiring.stores import open_ledger, open_log, signer_of

MIN_PYTHON: Final = (3, 11)
LITTLE_DISK, NO_DISK = 2 * 2**30, 200 * 2**20
CLOCK_SLACK_S: Final = 2.0


@dataclass(frozen=True, slots=True)
class Check:
    """What one look found.

    Attributes:
        name: of what was looked at.
        verdict: ``unknown`` where there is nothing to look at yet.
        found: one sentence.
        remedy: what to do, empty where nothing is.
    """

    name: str
    verdict: Verdict
    found: str
    remedy: str = ""


def examine(project: Path, environ: Mapping[str, str]) -> Iterator[Check]:
    """Yield every check of a project, each as soon as it is done; without settings, those that need none.

    Args:
        project: its folder, or its settings file.
        environ: the environment.
    """
    yield _python()
    try:
        settings = load_settings(project, environ)
    except VigieError as error:
        yield Check("settings", Verdict.ALARM, _sentence(error), "Then ask again: the rest needs the settings.")
        return
    yield Check("settings", Verdict.OK, f"{settings.file.name} of {settings.project.name!r} is understood.")
    for name, look in CHECKS.items():
        yield _kept(name, look, settings)


def _kept(name: str, look: Callable[[Settings], Check], settings: Settings) -> Check:
    try:
        return look(settings)
    except VigieError as error:
        return Check(name, Verdict.ALARM, _sentence(error))  # the sentence ends with what to do
    except OSError as error:
        return Check(name, Verdict.ALARM, f"{error.strerror or type(error).__name__}: {error.filename}.")


def _python() -> Check:
    found = ".".join(map(str, sys.version_info[:3]))
    if sys.version_info[:2] < MIN_PYTHON:
        return Check("python", Verdict.ALARM, f"Python {found}.", "Install Python 3.11 or newer.")
    return Check("python", Verdict.OK, f"Python {found}, {sys.executable}.")


def _disk(settings: Settings) -> Check:
    place = _nearest_folder(settings.root)
    if not os.access(place, os.W_OK):
        return Check("disk", Verdict.ALARM, f"{place} cannot be written.", "Mend its permissions, or set stores.root.")
    kind = network_filesystem(settings.root.resolve(), read_mounts())
    if kind:
        remedy = "Set stores.root to a disk of this machine: SQLite loses rows on network file systems."
        return Check("disk", Verdict.ALARM, f"{settings.root} lies on a network file system ({kind}).", remedy)
    return judged_space(shutil.disk_usage(place).free, place)


def judged_space(free: int, place: Path) -> Check:
    """Return what so many free bytes mean: below 200 MiB an alarm, below 2 GiB a warning."""
    found = f"{free / 2**30:.1f} GiB are free at {place}."
    if free >= LITTLE_DISK:
        return Check("disk", Verdict.OK, found)
    remedy = "Make room: a full disk answers 503. `vigie expire` deletes old predictions."
    return Check("disk", Verdict.WARN if free >= NO_DISK else Verdict.ALARM, found, remedy)


def _clock(settings: Settings) -> Check:
    """Compare the clock with the disk's, and with the latest event: a clock that went back hides what is new."""
    remedy = "Set the clock (NTP): windows and the order of outcomes rest on it."
    with tempfile.NamedTemporaryFile(dir=_nearest_folder(settings.root)) as file:
        behind_s = Path(file.name).stat().st_mtime - time.time()
    if abs(behind_s) > CLOCK_SLACK_S:
        return Check("clock", Verdict.WARN, f"This machine's clock and its disk's differ by {behind_s:.0f} s.", remedy)
    now = SystemClock().now()
    if (settings.root / "ledger.db").is_file():
        ledger = open_ledger(settings)
        try:
            latest = max((event.at for event in ledger.events(settings.project.name)), default=now)
        finally:
            ledger.close()
        if (latest - now).total_seconds() > CLOCK_SLACK_S:
            return Check(
                "clock", Verdict.ALARM, f"It is {now:%F %T} UTC, before the latest event ({latest:%F %T}).", remedy
            )
    return Check("clock", Verdict.OK, f"It is {now:%F %T} UTC.")


def _data(settings: Settings) -> Check:
    source = settings.data.source
    if "://" in source or not (Path(source).suffix or (settings.folder / source).exists()) or _is_function(source):
        return Check("data", Verdict.UNKNOWN, f"{source.split('@')[-1]} is asked at training only.")
    if (settings.folder / source).exists():
        return Check("data", Verdict.OK, f"{source} is there.")
    return Check(
        "data", Verdict.ALARM, f"There is no {source}.", "Put the table there, or name another in data.source."
    )


def _is_function(source: str) -> bool:
    return ":" in source


def _prediction_log(settings: Settings) -> Check:
    if not (settings.root / LOG).is_file():
        return Check(
            "log", Verdict.UNKNOWN, "There is no prediction log yet.", "The first server makes it: vigie serve"
        )
    log = open_log(settings)
    try:
        n = log.count(settings.project.name)
    finally:
        log.close()
    return Check("log", Verdict.OK, f"{n:,} prediction{'' if n == 1 else 's'} in the log.")


def _ledger(settings: Settings) -> Check:
    if not (settings.root / "ledger.db").is_file():
        return Check("ledger", Verdict.UNKNOWN, "There is no ledger yet.", "Training makes it: vigie train")
    ledger = open_ledger(settings)
    try:
        n = len(ledger.events(settings.project.name))
    finally:
        ledger.close()
    return Check("ledger", Verdict.OK, f"{n:,} event{'' if n == 1 else 's'} in the ledger.")


def _registry(settings: Settings) -> Check:
    if _no_registry_yet(settings):
        return Check("registry", Verdict.UNKNOWN, "There is no registry yet.", "Training makes it: vigie train")
    if before := _moved_from(settings):
        remedy = "Nothing to do: the next command that opens the store, such as `vigie serve`, lets it look here."
        return Check("registry", Verdict.WARN, f"The project was moved: MLflow still looks in {before}.", remedy)
    champion = open_registry(settings).alias(settings.project.name, CHAMPION)
    if champion is None:
        remedy = "vigie train, or vigie promote VERSION; vigie history tells what was refused"
        return Check("registry", Verdict.WARN, f"{settings.project.name!r} has no champion.", remedy)
    return Check("registry", Verdict.OK, f"Version {champion} is the champion.")


def _bundle(settings: Settings) -> Check:
    """Open the champion as a server does: digests, types, signature, golden rows."""
    name = settings.project.name
    if _moved_from(settings):
        return Check("bundle", Verdict.UNKNOWN, "It is looked for where the project was before, see the registry.")
    champion = None if _no_registry_yet(settings) else open_registry(settings).alias(name, CHAMPION)
    if champion is None:
        return Check("bundle", Verdict.UNKNOWN, "There is no champion to open.")
    members = open_registry(settings).members(name, champion)
    model = open_bundle(members, version=champion, trust=trust_of(settings.bundle))
    cache = open_cache(settings)
    if champion in cache.versions(name) and cache.signature(name, champion)[0] != members[MANIFEST]:
        remedy = f"Remove version {champion} of {name} from the bundle cache and start the server again."
        return Check("bundle", Verdict.ALARM, f"A server opens another version {champion} than the registry's.", remedy)
    how = "compiled" if model.scorer_kind == "compiled" else "with scikit-learn"
    return Check("bundle", Verdict.OK, f"Version {champion} opens, scores {how}, and its golden rows come out.")


def _columns(settings: Settings) -> Check:
    """Hold the columns that monitoring's settings name against the champion's schema."""
    name, monitoring = settings.project.name, settings.monitoring
    if not (monitoring.calendar or monitoring.segments):
        return Check("columns", Verdict.OK, "The settings of monitoring name none.")
    there = not (_no_registry_yet(settings) or _moved_from(settings))
    champion = open_registry(settings).alias(name, CHAMPION) if there else None
    if champion is None:
        return Check("columns", Verdict.UNKNOWN, "There is no champion whose features could be looked at.")
    schema = read_schema(open_registry(settings).members(name, champion)[SCHEMA])
    if wrong := misnamed(schema, calendar=monitoring.calendar, segments=monitoring.segments):
        return Check("columns", Verdict.ALARM, " ".join(map(_sentence, wrong)))
    return Check("columns", Verdict.OK, "Those that the settings of monitoring name are features.")


def _keys(settings: Settings) -> Check:
    signer_of(settings)  # raises where the key that is named cannot be read
    access, name = settings.access, "keys"
    for file in (access.tls_certificate, access.tls_key):
        if file and not (settings.folder / Path(file).expanduser()).is_file():
            return Check(
                name, Verdict.ALARM, f"There is no {file}.", "Name the PEM files in [access], or leave both out."
            )
    keys = [key for key in AccessKeyFile(settings.root).read() if key.revoked_at is None]
    if keys and settings.monitoring.service_key is None:
        found = "The server asks everybody for an access key, and `vigie monitor` and `vigie watch` have none."
        remedy = "Make one with `vigie keys new watcher --scope metrics`; monitoring.service_key names it."
        return Check(name, Verdict.WARN, found, remedy)
    if keys or is_loopback(settings.serving.host):
        who = f"{len(keys)} access key{'' if len(keys) == 1 else 's'}" if keys else "No access key"
        where = "this machine only" if is_loopback(settings.serving.host) else settings.serving.host
        return Check(name, Verdict.OK, f"{who}; the server listens on {where}.")
    found = f"The server would listen on {settings.serving.host} without an access key."
    if access.insecure:
        return Check(name, Verdict.WARN, found, "access.insecure allows it. Better: vigie keys new")
    return Check(name, Verdict.ALARM, found, "Make one: vigie keys new")


def _port(settings: Settings) -> Check:
    host, port = settings.serving.host, settings.serving.port
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        socket.create_server((host, port), family=family).close()
    except OSError as error:
        return _taken(host, port, error)
    return Check("port", Verdict.OK, f"{host}:{port} is free.")


def _taken(host: str, port: int, error: OSError) -> Check:
    asked = "127.0.0.1" if host in ("0.0.0.0", "::") else host  # noqa: S104  compared, not listened on
    for scheme in ("http", "https"):
        try:
            # Whose certificate it is does not matter here: nothing is sent, and only whether it is Vigie is asked.
            answer = httpx.get(f"{scheme}://{asked}:{port}/readyz", timeout=2, verify=False)  # noqa: S501
        except httpx.HTTPError:
            continue
        ready = answer.status_code == httpx.codes.OK
        if ready or "application/problem+json" in answer.headers.get("content-type", ""):
            said = f"A server answers on {host}:{port}, {'' if ready else 'not '}ready."
            return Check("port", Verdict.OK, f"{said} If it is another project's, this one needs another serving.port.")
    why = error.strerror or type(error).__name__
    return Check(
        "port", Verdict.ALARM, f"{host}:{port} cannot be had: {why}.", "Stop what uses it, or set serving.port."
    )


def _no_registry_yet(settings: Settings) -> bool:
    """Whether the registry is a file that nobody has made: asking MLflow would make it."""
    database = sqlite_file(settings.tracking_uri)
    return database is not None and not os.path.lexists(database)


def _moved_from(settings: Settings) -> str:
    """Return where MLflow's store looks for artifacts that lie beside it, empty when it looks in the right place."""
    database = sqlite_file(settings.tracking_uri)
    return ", ".join(moved_from(database)) if database else ""


def _nearest_folder(path: Path) -> Path:
    return next(folder for folder in (path, *path.parents) if folder.is_dir())


def _sentence(error: VigieError) -> str:
    return str(error)


CHECKS: Final[dict[str, Callable[[Settings], Check]]] = {
    "disk": _disk,
    "clock": _clock,
    "data": _data,
    "log": _prediction_log,
    "ledger": _ledger,
    "registry": _registry,
    "bundle": _bundle,
    "columns": _columns,
    "keys": _keys,
    "port": _port,
}
"""Every check that needs settings, in the order in which a project comes to life."""
