"""Evidently's report of the window that was judged, beside the project's own table."""

from pathlib import Path

import pandas as pd
import pyarrow as pa

from vigie.adapters.evidently import write_evidently
from vigie.domain.frame import model_frame
from vigie.domain.schema import Schema
from vigie.domain.window import Window
from vigie.errors import InsufficientDataError
from vigie.loop.champion import OpenVersion
from vigie.loop.context import Loop
from vigie.loop.logged import frame_of
from vigie.loop.tabular import feature_columns
from vigie.settings import Settings
from vigie.wiring.operate import read_source

ENVIRONMENT = "evidently"
"""Where Evidently's environment lies in the state folder."""


def evidently_of_window(loop: Loop, opened: OpenVersion, settings: Settings, window: Window, out: Path) -> None:
    """Write Evidently's report of the logged inputs of a version in a window.

    Raises:
        ConfigurationError: Evidently's environment is missing.
        InsufficientDataError: the window is empty.
        StorageError: Evidently failed.
    """
    rows = loop.log.rows(loop.model, opened.schema, window, version=opened.version)
    _write(settings, opened.schema, frame_of(rows, opened.schema), out)


def evidently_of_table(opened: OpenVersion, settings: Settings, table: pa.Table, out: Path) -> None:
    """Do the same for a table; raises what ``evidently_of_window`` does."""
    _write(settings, opened.schema, _features(table, opened.schema), out)


def _write(settings: Settings, schema: Schema, current: pd.DataFrame, out: Path) -> None:
    if not len(current):
        raise InsufficientDataError("Evidently's report", needed=1, found=0)
    # Vigie remembers counts of the rows a version was trained on, not the rows: the project's table stands for them.
    reference = _features(read_source(settings), schema)
    write_evidently(settings.root / ENVIRONMENT, schema, (reference, current), out)


def _features(table: pa.Table, schema: Schema) -> pd.DataFrame:
    return model_frame(schema, feature_columns(table, schema).to_pydict())
