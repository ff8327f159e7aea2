"""The SHA-256 of what a table says: its columns, types and values, in order, whatever the memory layout."""

import hashlib

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc


def table_digest(table: pa.Table) -> str:
    """Return the hex SHA-256 of a table's content.

    Chunks, buffer offsets, dictionary coding and whatever lies under a null do not count; the order of rows and
    columns does.
    """
    digest = hashlib.sha256(f"{table.num_rows}".encode())
    for name in table.column_names:
        column = _plain(table.column(name))
        digest.update(f"\0{len(name)}:{name}:{column.type}\0".encode())
        digest.update(np.packbits(column.is_valid().to_numpy(zero_copy_only=False)).tobytes())
        for part in _content(column):
            digest.update(part)
    return digest.hexdigest()


def _plain(column: pa.ChunkedArray) -> pa.Array:
    """Return one array without dictionary coding, and one type for every text type."""
    array = column.combine_chunks()
    if isinstance(array, pa.ChunkedArray):
        array = pa.concat_arrays(array.chunks) if array.num_chunks else pa.array([], array.type)
    if pa.types.is_dictionary(array.type):
        array = array.dictionary_decode()
    if pa.types.is_string(array.type) or pa.types.is_string_view(array.type):
        return array.cast(pa.large_string())
    return array


def _content(column: pa.Array) -> list[bytes]:
    kind = column.type
    if pa.types.is_temporal(kind) and kind.bit_width in (32, 64):
        column = column.view(pa.int32() if kind.bit_width == 32 else pa.int64())
        kind = column.type
    if pa.types.is_boolean(kind) or pa.types.is_integer(kind) or pa.types.is_floating(kind):
        return [pc.fill_null(column, pa.scalar(0).cast(kind)).to_numpy(zero_copy_only=False).tobytes()]
    if pa.types.is_large_string(kind):
        return _text(pc.fill_null(column, ""))
    if pa.types.is_null(kind):
        return []
    return [repr(column.to_pylist()).encode()]


def _text(array: pa.Array) -> list[bytes]:
    """Return lengths and characters of large text without nulls, whatever slice of its buffers it is."""
    _, ends, characters = array.buffers()
    offsets = np.frombuffer(ends, dtype=np.int64)[array.offset : array.offset + len(array) + 1]
    if len(array) == 0 or characters is None:
        return [bytes(8 * len(array))]
    return [np.diff(offsets).tobytes(), characters.slice(offsets[0], offsets[-1] - offsets[0]).to_pybytes()]
