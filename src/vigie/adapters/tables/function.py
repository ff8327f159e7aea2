"""The frame that a function of the project returns."""

from pathlib import Path
from types import ModuleType
from typing import Any

import pyarrow as pa

from vigie.adapters.tables.frames import as_table
from vigie.adapters.user_code import imported, searched_first, told
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
    with searched_first(base):
        function = _function(imported(module_name, base), name)
        try:
            frame = function()
        except VigieError:
            raise
        except Exception as error:  # the promise: a user's code that fails is told as such, never as a fault of ours
            raise DataError(
                f"{source} raised {told(error)}.", remedy="Mend the function; run it alone to see the whole trace."
            ) from error
        return _arrow(frame, source)


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
        return as_table(result, f"the frame that {source} returned")
    except TypeError as error:
        raise DataError(
            f"{source} returned {_article(type(result).__name__)}, not a frame.",
            remedy="Return a pandas, polars or Arrow table.",
        ) from error


def _article(noun: str) -> str:
    return "nothing (None)" if noun == "NoneType" else f"a {noun}"
