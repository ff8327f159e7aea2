"""The lengths that an Arrow IPC stream declares, read from its messages before anything is made of them.

Only as much of the format as this takes: the framing of messages, and three fields of their flatbuffers. A compressed
buffer says nothing about its real size, so a stream with one is refused.

Source:
    Apache Arrow columnar format 1.5, "Encapsulated message format"; format/Message.fbs.
"""

from collections.abc import Iterator
from struct import error, unpack_from

CONTINUATION = 0xFFFFFFFF
SCHEMA, DICTIONARY, RECORDS = 1, 2, 3

HEADER_TYPE, HEADER, BODY_LENGTH = 1, 2, 3
"""Fields of a Message, by place."""

LENGTH, COMPRESSION = 0, 3
"""Fields of a RecordBatch."""

DATA = 1
"""Field of a DictionaryBatch: the RecordBatch with its values."""


def row_counts(body: bytes) -> Iterator[int]:
    """Yield the rows of every record batch.

    Raises:
        ValueError: the bytes are no stream, or a buffer is compressed.
    """
    try:
        yield from _row_counts(body)
    except error as exc:
        raise ValueError("the stream ends in the middle of a message") from exc


def _row_counts(body: bytes) -> Iterator[int]:
    place = 0
    while place < len(body):
        marker, size = unpack_from("<II", body, place)
        if marker != CONTINUATION:
            raise ValueError("no continuation marker where a message should begin")
        if size == 0:
            return
        start = place + 8
        message = start + _u32(body, start)
        kind, header = unpack_from("<B", body, _field(body, message, HEADER_TYPE))[0], _table(body, message, HEADER)
        if kind == DICTIONARY:
            _plain_length(body, _table(body, header, DATA))
        elif kind == RECORDS:
            yield _plain_length(body, header)
        elif kind != SCHEMA:
            raise ValueError("a message of another kind")
        length = _field(body, message, BODY_LENGTH)
        body_length = unpack_from("<q", body, length)[0] if length else 0
        if not 0 <= body_length <= len(body):
            raise ValueError("a message that is longer than its stream")
        place = start + size + body_length


def _plain_length(body: bytes, batch: int) -> int:
    if _field(body, batch, COMPRESSION):
        raise ValueError("a compressed buffer")
    length = _field(body, batch, LENGTH)
    rows: int = unpack_from("<q", body, length)[0] if length else 0
    if rows < 0:
        raise ValueError("a batch of fewer than no rows")
    return rows


def _field(body: bytes, table: int, place: int) -> int:
    """Return where a field of a table stands, 0 when it is left out."""
    vtable = table - unpack_from("<i", body, table)[0]
    if vtable < 0:
        raise ValueError("a table without its description")
    entry = 4 + 2 * place
    if entry >= unpack_from("<H", body, vtable)[0]:
        return 0
    offset: int = unpack_from("<H", body, vtable + entry)[0]
    return table + offset if offset else 0


def _table(body: bytes, table: int, place: int) -> int:
    """Return where the table stands that a field points to."""
    field = _field(body, table, place)
    if not field:
        raise ValueError("a message without its header")
    return field + _u32(body, field)


def _u32(body: bytes, place: int) -> int:
    number: int = unpack_from("<I", body, place)[0]
    return number
