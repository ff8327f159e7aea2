"""Bundles on local disk: what a server starts from when the registry is away, and the pointer it follows.

Layout: ``folder/NAME/VERSION/member`` and ``folder/NAME/champion.json``. A version appears whole or not at all, and
nothing but its signature is ever written twice; signature and pointer are replaced in one step. Nothing here trusts
what it reads: opening a bundle does that.
"""

import json
import os
import re
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from vigie.adapters.bundle_folder import read_bundle, read_member, write_signature
from vigie.bundle.members import MANIFEST
from vigie.bundle.signature import SIGNATURE
from vigie.errors import BundleError, ConfigurationError, ModelNotFoundError, StorageError
from vigie.ports import Members

POINTER = "champion.json"

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
_VERSION = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")  # no dot, so that no version is called like the pointer


class BundleCache:
    """Bundles by model name and version under one folder.

    Args:
        folder: created when the first bundle is stored.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def store(self, name: str, version: str, members: Members) -> None:
        """Keep a bundle; when it returns, it survives a power cut. A bundle that is already here is left alone.

        Raises:
            ConfigurationError: the name or the version cannot be a folder's name.
            BundleError: a member cannot be a file's name, or another bundle is kept under this version.
            StorageError: the disk failed.
        """
        target = self._version_folder(name, version)
        for member in members:
            if not _NAME.fullmatch(member):
                raise BundleError(f"A bundle cannot hold a member called {member[:80]!a}.")
        with _translated(self._folder):
            if target.exists():
                self._check_same(name, version, members)
                return
            target.parent.mkdir(parents=True, exist_ok=True)
            staged = Path(tempfile.mkdtemp(prefix=".storing-", dir=target.parent))
            try:
                for member, content in members.items():
                    _write_durably(staged / member, content)
                _sync_folder(staged)
                try:
                    staged.rename(target)
                except OSError:
                    if not target.exists():
                        raise
                    self._check_same(name, version, members)  # another process was faster
                _sync_folder(target.parent)
            finally:
                shutil.rmtree(staged, ignore_errors=True)

    def load(self, name: str, version: str) -> dict[str, bytes]:
        """Return the members of a bundle as they were stored.

        Raises:
            ModelNotFoundError: it was never stored here.
            BundleError: its folder holds something else than the members of a bundle.
            StorageError: the disk failed.
        """
        folder = self._version_folder(name, version)
        with _translated(self._folder):
            if not folder.is_dir():
                raise ModelNotFoundError(name, wanted=version, available=self.versions(name))
            return read_bundle(folder)

    def signature(self, name: str, version: str) -> tuple[bytes | None, bytes | None]:
        """Return the manifest and the signature of a stored bundle, None for what is not there.

        Raises:
            BundleError: one of them is no plain file, or too large.
            StorageError: the disk failed.
        """
        folder = self._version_folder(name, version)
        with _translated(self._folder):
            return read_member(folder, MANIFEST), read_member(folder, SIGNATURE)

    def sign(self, name: str, version: str, signature: bytes) -> None:
        """Put a signature beside the manifest of a stored bundle, in one step; it is the only file ever replaced.

        Raises:
            ModelNotFoundError: the version is not stored here.
            StorageError: the disk failed.
        """
        folder = self._version_folder(name, version)
        with _translated(self._folder):
            if not folder.is_dir():
                raise ModelNotFoundError(name, wanted=version, available=self.versions(name))
        write_signature(folder, signature)
        _sync_folder(folder)

    def versions(self, name: str) -> list[str]:
        """Return the versions that are stored, numbers first, in their order."""
        folder = self._model_folder(name)
        with _translated(self._folder):
            if not folder.is_dir():
                return []
            found = [path.name for path in folder.iterdir() if path.is_dir() and _VERSION.fullmatch(path.name)]
        return sorted(found, key=lambda version: (not version.isdecimal(), len(version), version))

    def point(self, name: str, version: str) -> None:
        """Say which version serves, in one step: a reader sees the old or the new one.

        Raises:
            ModelNotFoundError: the version is not stored here.
            StorageError: the disk failed.
        """
        folder = self._model_folder(name)
        if version not in self.versions(name):
            raise ModelNotFoundError(name, wanted=version, available=self.versions(name))
        with _translated(self._folder):
            handle, staged = tempfile.mkstemp(prefix=".pointing-", dir=folder)
            os.close(handle)
            try:
                _write_durably(Path(staged), json.dumps({"version": version}).encode())
                Path(staged).replace(folder / POINTER)
                _sync_folder(folder)
            finally:
                Path(staged).unlink(missing_ok=True)

    def pointer(self, name: str) -> str | None:
        """Return the version that serves, None when none was ever named.

        Raises:
            StorageError: the pointer cannot be read.
        """
        path = self._model_folder(name) / POINTER
        with _translated(self._folder):
            try:
                version = json.loads(path.read_bytes())["version"]
            except FileNotFoundError:
                return None
            except (ValueError, KeyError, TypeError) as exc:
                raise StorageError(str(path), "the pointer is not readable JSON.", retryable=False) from exc
        if not isinstance(version, str) or not _VERSION.fullmatch(version):
            raise StorageError(str(path), "the pointer names no version.", retryable=False)
        return version

    def _model_folder(self, name: str) -> Path:
        if not _NAME.fullmatch(name):
            raise ConfigurationError(
                f"{name[:80]!a} cannot be a model's name.",
                remedy="Use letters, digits, '.', '_' and '-', at most 100, beginning with a letter or a digit.",
                key="project.name",
            )
        return self._folder / name

    def _version_folder(self, name: str, version: str) -> Path:
        if not _VERSION.fullmatch(version):
            raise ConfigurationError(
                f"{version[:80]!a} cannot be a version.", remedy="Use the number that the registry gave."
            )
        return self._model_folder(name) / version

    def _check_same(self, name: str, version: str, members: Members) -> None:
        stored, given = self.load(name, version), dict(members)
        signature = given.pop(SIGNATURE, None)
        if stored.pop(SIGNATURE, None) != signature and signature is not None and stored == given:
            self.sign(name, version, signature)  # the same bundle, signed since
        if stored != given:
            raise BundleError(
                f"Another bundle is already stored as version {version} of {name!r}: it came from another registry.",
                remedy=f"Remove {self._version_folder(name, version)} and start the server again; versions are never "
                "overwritten.",
            )


@contextmanager
def _translated(folder: Path) -> Iterator[None]:
    try:
        yield
    except OSError as exc:
        raise StorageError(str(folder), f"{exc.strerror or type(exc).__name__}.", retryable=False) from exc


def _write_durably(path: Path, content: bytes) -> None:
    with path.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def _sync_folder(folder: Path) -> None:
    """Make the names in a folder durable; where folders cannot be opened (Windows), the system does it by itself."""
    if os.name == "nt":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
