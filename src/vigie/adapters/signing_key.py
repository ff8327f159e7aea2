"""Private keys as files: written for their owner alone, never over another, and read to sign."""

import logging
import os
import stat
from pathlib import Path

from vigie.bundle.signature import Signer, new_key, read_key
from vigie.errors import ConfigurationError, StorageError

logger = logging.getLogger("vigie.signing_key")

_MAX_BYTES = 16_384


def write_key_pair(path: Path) -> Signer:
    """Make a key and keep its private half in a new file that only its owner can read.

    Raises:
        ConfigurationError: there is a file already.
        StorageError: it cannot be written.
    """
    key, pem = new_key()
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError as exc:
        raise StorageError(str(path.parent), f"{exc.strerror or type(exc).__name__}.", retryable=False) from exc
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with open(handle, "wb") as file:  # noqa: PTH123 - the handle is open already, with its mode
            file.write(pem)
            file.flush()
            os.fsync(handle)
    except FileExistsError as exc:
        raise ConfigurationError(
            f"{path} exists already; a private key is never overwritten.",
            remedy="Name another file, or move this one away if nothing needs it any more.",
        ) from exc
    except OSError as exc:
        raise StorageError(str(path), f"{exc.strerror or type(exc).__name__}.", retryable=False) from exc
    return key


def read_signing_key(path: Path) -> Signer:
    """Return the key that ``write_key_pair`` kept.

    Raises:
        ConfigurationError: there is no such file, or it holds no Ed25519 private key without a pass phrase.
    """
    try:
        with path.open("rb") as file:
            pem = file.read(_MAX_BYTES)
            mode = os.fstat(file.fileno()).st_mode
        key = read_key(pem)
    except OSError as exc:
        raise _unusable(f"{path} cannot be read: {exc.strerror}.") from exc
    except ValueError as exc:
        raise _unusable(f"{path} holds no Ed25519 private key.") from exc
    if os.name != "nt" and mode & (stat.S_IRWXG | stat.S_IRWXO):
        logger.warning("others than its owner may use the private key %s: chmod 600 keeps it private", path)
    return key


def _unusable(problem: str) -> ConfigurationError:
    return ConfigurationError(
        problem, key="bundle.signing_key", remedy="Make one with `vigie keys pair`, or name another."
    )
