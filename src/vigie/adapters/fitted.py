"""A fitted estimator from elsewhere: out of a ``.skops`` file by the audited reader, or from the project's own code.

A pickle is never opened: reading one runs whatever it holds, before anything could be checked.
"""

import re
from pathlib import Path
from typing import Any

from vigie.adapters.user_code import imported, searched_first, told
from vigie.bundle.members import MAX_BYTES, MODEL
from vigie.bundle.serialization import load_estimator
from vigie.errors import BundleError, ConfigurationError, DataError, VigieError, nearest

_IMPORT_PATH = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)*:[A-Za-z_]\w*")
_PICKLES = frozenset({".pkl", ".pickle", ".p", ".joblib", ".jl", ".dill", ".cloudpickle"})
_PICKLE_STARTS = tuple(b"\x80" + bytes([protocol]) for protocol in range(2, 6))


def read_fitted(where: str, *, base: Path, trusted: frozenset[str]) -> Any:
    """Return the estimator that is named.

    Args:
        where: a ``.skops`` file, or ``package.module:name`` of a fitted estimator or of a function without arguments
            that returns one.
        base: the folder that relative paths start from and modules are looked for first.
        trusted: type names that this process's owner trusts in files, see ``bundle.trust``.

    Raises:
        ConfigurationError: there is no such file, or it is nothing that could be a model.
        BundleError: it is a pickle, too large or damaged.
        UntrustedContentError: it holds types that nobody here trusts.
        DataError: the project's code cannot be imported, or fails.
    """
    path = base / where
    if _IMPORT_PATH.fullmatch(where) and not path.exists():
        return _named(where, base)
    if not path.is_file():
        there = sorted(entry.name for entry in path.parent.iterdir()) if path.parent.is_dir() else []
        raise ConfigurationError(
            f"There is no model file {path}.{nearest(path.name, there)}",
            remedy="Name a .skops file, or package.module:function that returns the fitted estimator.",
        )
    return _from_file(path, trusted)


def _from_file(path: Path, trusted: frozenset[str]) -> Any:
    size = path.stat().st_size
    with path.open("rb") as file:
        head = file.read(4)
        if path.suffix.lower() in _PICKLES or head.startswith(_PICKLE_STARTS):
            raise BundleError(f"{path.name} is a pickle: reading it would run whatever it holds.", remedy=_ways(path))
        if not head.startswith(b"PK"):
            raise ConfigurationError(
                f"{path.name} is no .skops file.", remedy="Write one with: skops.io.dump(model, 'model.skops')"
            )
        if size > MAX_BYTES[MODEL]:
            raise BundleError(
                f"{path.name} has {size:,} bytes; at most {MAX_BYTES[MODEL]:,} are read.",
                remedy="Register a smaller model: fewer or shallower trees.",
            )
        content = head + file.read()
    return load_estimator(content, trusted=trusted)


def _ways(path: Path) -> str:
    reader = "joblib" if path.suffix.lower() in {".joblib", ".jl"} else "pickle"
    opened = f"joblib.load({path.name!r})" if reader == "joblib" else f"pickle.load(open({path.name!r}, 'rb'))"
    return (
        "If you made it yourself, turn it into a file that can be checked, in Python:\n"
        f"    import {reader}, skops.io\n"
        f"    skops.io.dump({opened}, {path.stem + '.skops'!r})"
    )


def _named(where: str, base: Path) -> Any:
    module_name, _, name = where.partition(":")
    with searched_first(base):
        module = imported(module_name, base)
        if not hasattr(module, name):
            there = [other for other in vars(module) if not other.startswith("_")]
            raise DataError(
                f"{where} does not exist.{nearest(name, there)}",
                remedy=f"Name a fitted estimator, or a function that returns one, in {module.__file__}.",
            )
        found = getattr(module, name)
        if hasattr(found, "predict") or not callable(found):
            return found
        try:
            return found()
        except VigieError:
            raise
        except Exception as error:  # the promise: a user's code that fails is told as such, never as a fault of ours
            raise DataError(
                f"{where} raised {told(error)}.", remedy="Mend it; run it alone to see the whole trace."
            ) from error
