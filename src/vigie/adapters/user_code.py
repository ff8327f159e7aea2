"""Code of the project's own, named as ``package.module:name``: found, imported, and its failures told as its own."""

import importlib
import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType

from vigie.errors import DataError, first_line, nearest


@contextmanager
def searched_first(base: Path) -> Iterator[None]:
    """Put the project's folder first on the module search path inside a ``with`` block."""
    before = list(sys.path)
    sys.path.insert(0, str(base.resolve()))
    try:
        yield
    finally:
        sys.path[:] = before


def imported(name: str, base: Path) -> ModuleType:
    """Return a module of the project or of the environment; call it inside ``searched_first``.

    Raises:
        DataError: there is no such module, or importing it fails.
    """
    _forget_namesake(name.partition(".")[0], base.resolve())
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name is None or not (name == error.name or name.startswith(f"{error.name}.")):
            raise DataError(
                f"Importing {name} failed: there is no module {error.name!r}.",
                remedy="Install it into the environment that runs vigie.",
            ) from error
        there = sorted(path.stem for path in base.glob("*.py"))
        raise DataError(
            f"There is no module {error.name!r} in {base} or in the environment.{nearest(name, there)}",
            remedy=f"Python files there: {', '.join(there) or 'none'}.",
        ) from error
    except Exception as error:  # the promise: a user's code that fails is told as such, never as a fault of ours
        raise DataError(
            f"Importing {name} failed with {told(error)}.", remedy="Mend it; `python -c 'import …'` shows the trace."
        ) from error


def _forget_namesake(top: str, base: Path) -> None:
    """Drop an imported module of the same name that came from another project's folder."""
    importlib.invalidate_caches()
    local = (base / f"{top}.py").is_file() or (base / top).is_dir()
    loaded = sys.modules.get(top)
    if not local or loaded is None or top in sys.stdlib_module_names:
        return
    places = [getattr(loaded, "__file__", None) or "", *getattr(loaded, "__path__", ())]
    if any(place and Path(place).resolve().is_relative_to(base) for place in places):
        return
    for name in [name for name in sys.modules if name == top or name.startswith(f"{top}.")]:
        del sys.modules[name]


def told(error: Exception) -> str:
    """Return what a user's code raised and where, on one line."""
    frames = traceback.extract_tb(error.__traceback__)
    last = f" at {Path(frames[-1].filename).name}, line {frames[-1].lineno}" if frames else ""
    text = first_line(error)
    return f"{type(error).__name__}: {text.rstrip('.')}{last}"
