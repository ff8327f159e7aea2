"""MLflow's scoring contract, which SageMaker shares: ``POST /invocations`` with one of four envelopes.

``dataframe_split``, ``dataframe_records``, ``instances`` and ``inputs`` all come down to rows by name; lists of plain
values are taken in the schema's order. The answer is MLflow's ``{"predictions": [...]}``, beside it Vigie's own fields.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import msgspec
from msgspec import UNSET, Raw, UnsetType

from vigie.api.depth import is_deep
from vigie.api.errors import INVALID, Fault, RequestError, mismatch
from vigie.api.wire import MALFORMED, decode_json
from vigie.domain.schema import Schema
from vigie.errors import SchemaMismatchError, Violation
from vigie.inference.decoding import RowDecoder
from vigie.inference.payload import WHOLE_BODY, Rows, escape, pointer, read_rows

FORMATS = ("dataframe_split", "dataframe_records", "instances", "inputs")

Locate = Callable[[Violation], str]
"""Where in the body a fault is, as a JSON pointer."""


class _Split(msgspec.Struct, forbid_unknown_fields=True):
    columns: tuple[str, ...]
    data: Raw
    index: Raw | UnsetType = UNSET


class _Envelope(msgspec.Struct, forbid_unknown_fields=True):
    dataframe_split: _Split | UnsetType = UNSET
    dataframe_records: Raw | UnsetType = UNSET
    instances: Raw | UnsetType = UNSET
    inputs: Raw | UnsetType = UNSET


_envelopes = msgspec.json.Decoder(_Envelope)


def quick_rows(decoder: RowDecoder, body: bytes, *, max_rows: int) -> Rows | None:
    """Return the rows of a body that is right at first sight, None when the precise reader should look at it."""
    try:
        envelope = _envelopes.decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None
    given = [part for part in map(envelope.__getattribute__, FORMATS) if part is not UNSET]
    if len(given) != 1:
        return None
    (part,) = given
    data = bytes(part.data if isinstance(part, _Split) else part)
    if is_deep(body.replace(data, b"", 1)):  # what is beside the rows: an index, or what the same name said before
        return None
    if isinstance(part, _Split):
        return decoder.decode_split(part.columns, data, max_rows=max_rows)
    rows = decoder.decode(data, max_rows=max_rows)
    return None if rows is None or rows.single else rows


def read_invocation(body: bytes, schema: Schema, *, max_rows: int) -> Rows:
    """Return the rows of a body, or every fault with its place.

    Raises:
        RequestError: the body is no invocation, or its rows do not fit the schema.
    """
    payload = _decode(body)
    name, part = _only_part(payload)
    records, locate = _split(part, name) if name == "dataframe_split" else _records(part, name, schema)
    try:
        return read_rows(records, schema, max_rows=max_rows)
    except SchemaMismatchError as exc:
        raise mismatch(exc, locate) from exc


def _decode(body: bytes) -> Any:
    """Return the JSON of a body; ``NaN`` is missing here, because MLflow's client writes frames that way."""
    try:
        return decode_json(body)
    except RequestError as exc:
        if exc.meaning is not MALFORMED or b"NaN" not in body:
            raise
        try:
            return json.loads(body, parse_constant=_constant)
        except (ValueError, RecursionError):
            raise exc from None


def _constant(name: str) -> None:
    if name != "NaN":
        raise ValueError(name)


def _only_part(payload: Any) -> tuple[str, Any]:
    given = [name for name in FORMATS if name in payload] if isinstance(payload, dict) else []
    if len(given) != 1:
        raise _refused("", "wrong-type", f"expected an object with exactly one of {', '.join(FORMATS)}")
    for name in payload:
        if name not in FORMATS and not (name == "params" and not payload[name]):
            raise _refused(f"/{escape(name[:80])}", "unknown-field", f"expected nothing beside {given[0]}")
    return given[0], payload[given[0]]


def _split(part: Any, name: str) -> tuple[list[Any], Locate]:
    columns, data = (part.get("columns"), part.get("data")) if isinstance(part, dict) else (None, None)
    if not isinstance(columns, list) or not all(isinstance(column, str) for column in columns):
        raise _refused(f"/{name}/columns", "wrong-type", "expected an array of feature names")
    if len(set(columns)) < len(columns):
        raise _refused(f"/{name}/columns", "duplicate-feature", "expected each feature once")
    if not isinstance(data, list):
        raise _refused(f"/{name}/data", "wrong-type", "expected an array of rows")
    places = {column: place for place, column in enumerate(columns)}

    def locate(fault: Violation) -> str:
        if fault.row == WHOLE_BODY:
            return f"/{name}/data"
        if fault.feature in places and fault.code != "unknown-feature":
            return f"/{name}/data/{fault.row}/{places[fault.feature]}"
        return f"/{name}/columns" if fault.feature else f"/{name}/data/{fault.row}"

    return [_named(columns, row) for row in data], locate


def _records(part: Any, name: str, schema: Schema) -> tuple[Any, Locate]:
    if isinstance(part, dict):
        return _from_columns(part, name)

    def locate(fault: Violation) -> str:
        return f"/{name}{pointer(fault, single=False)}"

    if isinstance(part, list) and part and all(isinstance(row, list) for row in part):
        return [_named(schema.names, row) for row in part], locate
    return part, locate


def _from_columns(part: Mapping[str, Any], name: str) -> tuple[list[Any], Locate]:
    """Return rows from arrays by feature."""
    lengths = {len(values) if isinstance(values, list) else -1 for values in part.values()}
    if len(lengths) != 1 or lengths == {-1}:
        raise _refused(f"/{name}", "wrong-type", "expected arrays of the same length, one a feature")

    def locate(fault: Violation) -> str:
        feature = escape(fault.feature)
        return f"/{name}" if fault.row == WHOLE_BODY or not feature else f"/{name}/{feature}/{fault.row}"

    return [dict(zip(part, row, strict=True)) for row in zip(*part.values(), strict=True)], locate


def _named(names: Sequence[str], row: Any) -> Any:
    """Return a row by name; one of another length stays as it is, and is refused as such."""
    return dict(zip(names, row, strict=True)) if isinstance(row, list) and len(row) == len(names) else row


def _refused(place: str, code: str, detail: str) -> RequestError:
    return RequestError(INVALID, "Mend what errors lists and send the request again.", [Fault(place, code, detail)])
