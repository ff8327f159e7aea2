"""Copies of the prediction log as Parquet: ``model=NAME/day=YYYY-MM-DD/SCHEMA.parquet`` in a folder of one's choice.

Each file says in its own metadata which state of the log it shows, so nothing else has to be kept in step with it.
"""

import json
import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Final

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from vigie.adapters.prediction_log.decoding import ARROW_TYPES
from vigie.domain.schema import Schema
from vigie.errors import StorageError
from vigie.ports import LoggedDay, LoggedRows

STORE: Final = "exports"
FINGERPRINT: Final = b"vigie.fingerprint"
ENTITY: Final = "vigie_entity"
_PREFIX: Final = "vigie_"
_SUFFIX: Final = ".parquet"
_UNFINISHED: Final = ".parquet.tmp"
_DIGITS: Final = 12  # of a schema's digest, in a file's name
_COMPRESSION: Final = "zstd"


class ParquetExports:
    """Implements ``ports.Exports`` on a folder; who writes there must be alone."""

    def __init__(self, folder: Path) -> None:
        """Name the folder; it is made when the first file is written."""
        self.folder = folder

    def fingerprint(self, model: str, day: LoggedDay) -> str | None:
        """Return that of the copy of a day, None when there is no copy or it cannot be read."""
        try:
            found = (pq.read_schema(self._path(model, day)).metadata or {}).get(FINGERPRINT)
        except (OSError, pa.ArrowException):
            return None
        return found.decode() if found else None

    def put(self, model: str, day: LoggedDay, parts: Iterable[LoggedRows]) -> None:
        """Write a day's copy in place of an older one; see ``ports.Exports``.

        Raises:
            StorageError: it cannot be written; an older one stays.
        """
        types = _columns(day.schema).with_metadata({FINGERPRINT: day.fingerprint.encode()})
        path = self._path(model, day)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            _write(path, types, (_flat(part, types) for part in parts))
            _sync_folders(path.parent, up_to=self.folder.parent)
        except (OSError, pa.ArrowException) as exc:
            raise _failed(path, exc) from exc

    def files_of(self, entity: str) -> list[str]:
        """Return the files that hold rows of an entity, and what interrupted exports left."""
        holding = [path for path in self._files() if _read_entity(path, entity)]
        return [str(path) for path in sorted([*holding, *self._unfinished()])]

    def erase(self, entity: str) -> list[str]:
        """Take an entity's rows out of every file; see ``ports.Exports``.

        Raises:
            StorageError: the rest stays; try again.
        """
        changed = []
        for path in [*self._unfinished(), *self._files()]:
            try:
                if _without(path, entity):
                    changed.append(str(path))
            except (OSError, pa.ArrowException) as exc:
                raise _failed(path, exc) from exc
        left = self.files_of(entity)
        if left:
            raise StorageError(STORE, f"{left[0]} still holds rows of the entity.", retryable=True)
        return sorted(changed)

    def _path(self, model: str, day: LoggedDay) -> Path:
        name = f"{day.schema.digest[:_DIGITS]}{_SUFFIX}"
        return self.folder / f"model={model}" / f"day={day.day.isoformat()}" / name

    def _files(self) -> Iterator[Path]:
        return iter(sorted(self.folder.glob(f"model=*/day=*/*{_SUFFIX}")))

    def _unfinished(self) -> Iterator[Path]:
        return iter(sorted(self.folder.glob(f"model=*/day=*/.*{_UNFINISHED}")))


def _columns(schema: Schema) -> pa.Schema:
    """Return the columns of a file: the log's own, each with a prefix, then the features under their own names.

    A feature that has the name of one of the log's own is called ``feature_`` and its name.
    """
    answer = pa.string() if schema.target.task.is_classification else pa.float64()
    own = [
        ("id", pa.string()),
        ("at", pa.timestamp("us", tz="UTC")),
        ("version", pa.string()),
        ("entity", pa.string()),
        ("latency_us", pa.int64()),
        ("prediction", answer),
        ("probabilities", pa.list_(pa.float64())),
        ("outcome", answer),
        ("observed_at", pa.timestamp("us", tz="UTC")),
        ("received_at", pa.timestamp("us", tz="UTC")),
    ]
    names = [f"{_PREFIX}{name}" for name, _ in own]
    features = [f"feature_{name}" if name in names else name for name in schema.names]
    kinds = [ARROW_TYPES[feature.kind] for feature in schema.features]
    return pa.schema([*zip(names, (kind for _, kind in own), strict=True), *zip(features, kinds, strict=True)])


def _flat(part: LoggedRows, types: pa.Schema) -> pa.Table:
    """Return a part as one table of the file's columns."""
    records = part.records
    if pa.types.is_string(types.field(f"{_PREFIX}prediction").type):
        prediction, outcome = _texts(records["label"]), _texts(records["outcome"])
    else:
        prediction, outcome = records["value"], _numbers(records["outcome"])
    own = {**{name: records[name] for name in records.column_names}, "prediction": prediction, "outcome": outcome}
    columns = [own[name.removeprefix(_PREFIX)] for name in types.names[: len(types) - part.features.num_columns]]
    return pa.table([*columns, *part.features.columns], schema=types)


def _texts(labels: pa.ChunkedArray) -> pa.Array:
    """Return labels without JSON's quotes; numbers and booleans as JSON writes them."""
    coded = pc.dictionary_encode(labels).combine_chunks()
    plain = [said if isinstance(said := json.loads(label), str) else label for label in coded.dictionary.to_pylist()]
    return pa.array(plain, pa.string()).take(coded.indices)


def _numbers(outcomes: pa.ChunkedArray) -> pa.Array:
    """Return outcomes of a regression; one that is no number is null."""
    said = [None if text is None else json.loads(text) for text in outcomes.to_pylist()]
    return pa.array([float(value) if isinstance(value, int | float) else None for value in said], pa.float64())


def _write(path: Path, types: pa.Schema, tables: Iterable[pa.Table]) -> None:
    """Write a file beside its place, sync it, then put it there: whoever reads sees the old one or the new one."""
    unfinished = path.with_name(f".{path.stem}{_UNFINISHED}")  # readers of a whole folder leave dotted names aside
    with unfinished.open("wb") as file:
        with pq.ParquetWriter(file, types, compression=_COMPRESSION) as writer:
            for table in tables:
                writer.write_table(table)
        file.flush()
        os.fsync(file.fileno())
    unfinished.replace(path)


def _without(path: Path, entity: str) -> bool:
    """Take an entity out of one file; return whether it was in it. A file without other rows goes."""
    if path.name.endswith(_UNFINISHED):
        path.unlink()
    elif not _read_entity(path, entity):
        return False
    else:
        with pq.ParquetFile(path) as file:
            types = file.schema_arrow
            if _count_others(file, entity):
                others = (_others(file.read_row_group(n), entity) for n in range(file.num_row_groups))
                _write(path, types, others)
            else:
                path.unlink()
    _sync_folders(path.parent, up_to=path.parent)
    return True


def _read_entity(path: Path, entity: str) -> int:
    """Return how many rows of an entity a file has."""
    column = pq.read_table(path, columns=[ENTITY], partitioning=None)[ENTITY]
    return int(pc.sum(pc.equal(column, entity), min_count=0).as_py())


def _count_others(file: Any, entity: str) -> int:
    column = file.read(columns=[ENTITY])[ENTITY]
    return len(column) - int(pc.sum(pc.equal(column, entity), min_count=0).as_py())


def _others(table: pa.Table, entity: str) -> pa.Table:
    return table.filter(pc.invert(pc.fill_null(pc.equal(table[ENTITY], entity), fill_value=False)))


def _sync_folders(folder: Path, *, up_to: Path) -> None:
    """Make sure that a power cut leaves the files their names; new folders are entries of the ones above."""
    for one in (folder, *folder.parents):
        descriptor = os.open(one, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        if one == up_to:
            return


def _failed(path: Path, exc: Exception) -> StorageError:
    return StorageError(STORE, f"{path}: {exc}.", retryable=True, remedy="Check the folder and its disk, then go on.")
