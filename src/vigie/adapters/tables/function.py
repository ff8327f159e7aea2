"""The frame that a function of the project returns."""

import importlib
import sys
import traceback
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any

import narwhals as nw
import pyarrow as pa
from narwhals.exceptions import NarwhalsError

from vigie.errors import DataError, VigieError, nearest


def call_function(source: str, base: Path) -> pa.Table:
    """Return what ``package.module:function`` returns, as Arrow.

    Args:
        source: where the function is; it is called without arguments.
        base: the project's folder, put first on the module search path while the function runs.

    Raises:
        DataError: it cannot be imported, raises, or returns something that is not a frame.
    """
    module_name, _, name = source.partition(":")
    with _searched_first(base):
        function = _function(_module(module_name, base), name)
        try:
            frame = function()
        except VigieError:
            raise
        except Exception as error:  # the promise: a user's code that fails is told as such, never as a fault of ours
            raise DataError(
                f"{source} raised {_told(error)}.", remedy="Mend the function; run it alone to see the whole trace."
            ) from error
        return _arrow(frame, source)


@contextmanager
def _searched_first(base: Path) -> Iterator[None]:
    before = list(sys.path)
    sys.path.insert(0, str(base.resolve()))
    try:
        yield
    finally:
        sys.path[:] = before


def _module(name: str, base: Path) -> ModuleType:
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
            f"Importing {name} failed with {_told(error)}.", remedy="Mend it; `python -c 'import …'` shows the trace."
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


def _function(module: ModuleType, name: str) -> Any:
    function = getattr(module, name, None)
    if callable(function):
        return function
    found = [other for other in vars(module) if not other.startswith("_") and callable(getattr(module, other))]
    problem = "is not a function" if hasattr(module, name) else "does not exist"
    raise DataError(
        f"{module.__name__}:{name} {problem}.{nearest(name, found)}",
        remedy=f"Name a function without arguments that returns a frame, in {module.__file__}.",
    )


def _arrow(result: Any, source: str) -> pa.Table:
    try:
        frame = nw.from_native(result)
        eager = frame.collect(backend="pyarrow") if isinstance(frame, nw.LazyFrame) else frame
        with warnings.catch_warnings():
            # pyarrow 25 reads times with a zone in a way that pandas 3.1 has deprecated; the result is right
            warnings.filterwarnings("ignore", message="Series.values returning an ndarray that drops timezone")
            table = eager.to_arrow()
        # by name: pandas' index travels along and is not a column
        return table.select([str(name) for name in eager.columns])
    except TypeError as error:
        raise DataError(
            f"{source} returned {_article(type(result).__name__)}, not a frame.",
            remedy="Return a pandas, polars or Arrow table.",
        ) from error
    except NarwhalsError as error:
        raise DataError(
            f"The frame that {source} returned cannot be used: {' '.join(str(error).split())}.",
            remedy="Give every column a name of its own.",
        ) from error
    except pa.ArrowException as error:
        detail = "; ".join(str(part) for part in error.args[::-1]) or str(error)
        raise DataError(
            f"A column of the frame that {source} returned mixes types: {detail}.",
            remedy="Give that column one type before returning the frame.",
        ) from error


def _article(noun: str) -> str:
    return "nothing (None)" if noun == "NoneType" else f"a {noun}"


def _told(error: Exception) -> str:
    frames = traceback.extract_tb(error.__traceback__)
    last = f" at {Path(frames[-1].filename).name}, line {frames[-1].lineno}" if frames else ""
    text = str(error).splitlines()[0] if str(error) else "no message"
    return f"{type(error).__name__}: {text.rstrip('.')}{last}"
