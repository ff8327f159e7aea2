"""A table written as it comes, to a CSV or Parquet file that appears whole or not at all."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet

from vigie.errors import ConfigurationError, StorageError

KINDS = (".csv", ".parquet")


class TableWriter:
    """Writes chunks of one table; the first one decides the columns and their types."""

    def __init__(self, sink: Any, *, parquet: bool) -> None:
        self._sink = sink
        self._kind: Any = pa.parquet.ParquetWriter if parquet else pa.csv.CSVWriter
        self._writer: Any = None

    def write(self, chunk: pa.Table) -> None:
        """Append a chunk."""
        if self._writer is None:
            self._writer = self._kind(self._sink, chunk.schema)
        self._writer.write_table(chunk)

    def close(self) -> None:
        """Write what is left."""
        if self._writer is not None:
            self._writer.close()


def check_output(path: Path) -> None:
    """Do nothing when a table can be written under this name.

    Raises:
        ConfigurationError: its ending says no kind of table that is written here, or its folder is not there.
    """
    if path.suffix.lower() not in KINDS:
        raise ConfigurationError(f"{path.name} is neither CSV nor Parquet.", remedy=f"End it in {' or '.join(KINDS)}.")
    if not path.parent.is_dir():
        raise ConfigurationError(f"There is no folder {path.parent}.", remedy="Make it first, or name another one.")


@contextmanager
def writing_table(path: Path | None) -> Iterator[TableWriter]:
    """Yield a writer to a file, or of CSV to standard output when ``path`` is None.

    Raises:
        StorageError: the disk failed; an older file is then still there as it was.
    """
    if path is None:
        writer = TableWriter(sys.stdout.buffer, parquet=False)
        yield writer
        writer.close()
        return
    staged = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with staged.open("wb") as sink:
            writer = TableWriter(sink, parquet=path.suffix.lower() == ".parquet")
            yield writer
            writer.close()
        staged.replace(path)
    except OSError as exc:
        raise StorageError(str(path), f"it cannot be written: {exc.strerror or exc}.", retryable=False) from exc
    finally:
        with suppress(OSError):
            staged.unlink(missing_ok=True)
