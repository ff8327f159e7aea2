"""The follower: a small process beside the server that brings the champion's bundle into the cache.

It alone talks to the registry, so that a registry that is slow or down never touches an answer, and the server never
imports MLflow. Started by a server it ends when that does; `vigie follow` runs it where the server has no MLflow.
"""

import logging
import os
import signal
import sys
import time
from pathlib import Path

from vigie.adapters.bundle_cache import BundleCache
from vigie.adapters.mlflow_registry import MlflowRegistry
from vigie.adapters.mlflow_store import sqlite_file
from vigie.adapters.mlflow_tracking import open_client
from vigie.bundle.signature import check_signature
from vigie.bundle.trust import Trust
from vigie.domain.model import CHAMPION
from vigie.errors import NoChampionError, SignatureError, VigieError
from vigie.ports import ModelRegistry
from vigie.settings import Settings, load_settings
from vigie.wiring.logs import start_log
from vigie.wiring.state import open_cache, trust_of

ALL_THE_SAME_S = 60.0
"""How often a store that seems to rest is asked: a file system may keep a time that is too coarse."""

logger = logging.getLogger("vigie.follow")


def follow_once(
    registry: ModelRegistry, cache: BundleCache, name: str, trust: Trust, compared: set[str] | None = None
) -> str | None:
    """Bring the cache up to the registry's champion; return its version, None when there is none.

    A version that is in the cache already is compared with the registry's once: a registry that was made anew, or
    another one, counts from 1 again.

    Where signatures are required, the pointer never moves to a bundle without one that counts: a server that starts
    again starts with the champion before.

    Args:
        registry: where versions are.
        cache: where servers read them.
        name: of the model.
        trust: whose signatures count.
        compared: the versions that were compared; this one is added.

    Raises:
        BundleError: another bundle is kept under this version.
        SignatureError: the champion is not signed as ``trust`` asks.
    """
    compared = set() if compared is None else compared
    version = registry.alias(name, CHAMPION)
    if version is None or (version in compared and version == cache.pointer(name) and not trust.signed_only):
        return version
    if version not in compared:
        cache.store(name, version, registry.members(name, version))
        compared.add(version)
    if trust.signed_only:
        _check_signature(registry, cache, name, version, trust)
    if version != cache.pointer(name):
        # Said first: the server says that it serves as soon as the pointer moves, and a log reads in order.
        logger.info("champion of %s is version %s", name, version)
        cache.point(name, version)
    return version


def _check_signature(registry: ModelRegistry, cache: BundleCache, name: str, version: str, trust: Trust) -> None:
    """Check the cached bundle's signature; one that does not count may have been replaced in the registry since."""
    manifest, signature = cache.signature(name, version)
    try:
        check_signature(manifest or b"", signature, trust)
    except SignatureError:
        newer = registry.signature(name, version)
        check_signature(manifest or b"", newer, trust)
        cache.sign(name, version, newer or b"")


def open_registry(settings: Settings) -> MlflowRegistry:
    """Open the registry that the settings name."""
    return MlflowRegistry(open_client(settings.tracking_uri))


class Lookout:
    """Says whether the registry may hold something new, so that a store that rests is not asked every second.

    A SQLite store is asked when its file was written, and once a minute all the same; any other store every time.

    Args:
        uri: of the store.
    """

    def __init__(self, uri: str) -> None:
        database = sqlite_file(uri)
        self._files = [database, Path(f"{database}-wal")] if database else []
        self._seen: list[tuple[int, int]] | None = None
        self._looked_at = 0.0

    def is_due(self, now: float) -> bool:
        """Whether to ask now; from then on, only once something has changed.

        Args:
            now: seconds, of a clock that does not go back.
        """
        written = [_written(file) for file in self._files]
        if self._files and written == self._seen and now - self._looked_at < ALL_THE_SAME_S:
            return False
        self._seen, self._looked_at = written, now
        return True

    def again(self) -> None:
        """Ask at the next opportunity, whatever changes: the last time went wrong."""
        self._seen = None


def _written(file: Path) -> tuple[int, int]:
    try:
        found = file.stat()
    except OSError:
        return (0, 0)
    return (found.st_mtime_ns, found.st_size)


def bring(settings: Settings) -> str:
    """Bring the champion's bundle once; return its version.

    Raises:
        NoChampionError: there is none.
        RegistryError: the registry cannot be asked.
        BundleError: the bundle is refused.
    """
    name = settings.project.name
    version = follow_once(open_registry(settings), open_cache(settings), name, trust_of(settings.bundle))
    if version is None:
        raise NoChampionError(name)
    return version


def follow(settings: Settings, parent: int | None = None) -> None:
    """Follow the alias until the parent process ends; without one, until SIGTERM or SIGINT.

    Args:
        settings: of the project.
        parent: its process id, as it said itself: asked for here, it would be somebody else's if the parent was killed
            while this process was still importing, and then nothing would ever end this one.
    """
    if parent is None:
        # The first process of a container ignores every signal that it does not handle itself.
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda _number, _frame: sys.exit(0))
    name = settings.project.name
    cache, registry, told = open_cache(settings), None, ""
    compared: set[str] = set()
    lookout = Lookout(settings.tracking_uri)
    while parent is None or os.getppid() == parent:
        if lookout.is_due(time.monotonic()):
            try:
                registry = registry or open_registry(settings)
                version = follow_once(registry, cache, name, trust_of(settings.bundle), compared)
                news = "" if version else str(NoChampionError(name))
            except VigieError as error:
                # The promise: a registry in trouble never stops the follower; it says so once and tries again.
                news = f"cannot follow the champion: {error}"
                lookout.again()
            if news and news != told:
                logger.warning("%s", news)
            told = news
        time.sleep(settings.serving.follow_every.total_seconds())


if __name__ == "__main__":
    found = load_settings(Path(sys.argv[1]), os.environ)
    start_log(found.serving.log_format, requests=False)
    follow(found, int(sys.argv[2]))
