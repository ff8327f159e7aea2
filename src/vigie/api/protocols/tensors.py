"""Tensors of the Open Inference Protocol: JSON data or raw bytes, into plain columns and back, without numpy.

Source:
    Open Inference Protocol, version 2, with the extension for binary tensor data (KServe; Triton).
"""

import math
from collections.abc import Mapping, Sequence
from struct import Struct as Packing
from struct import unpack
from typing import Any

import msgspec
from msgspec import UNSET, Raw, UnsetType

from vigie.domain.schema import Kind, Label, Schema

CODES: Mapping[str, str] = {
    "BOOL": "?",
    "UINT8": "B",
    "UINT16": "H",
    "UINT32": "I",
    "UINT64": "Q",
    "INT8": "b",
    "INT16": "h",
    "INT32": "i",
    "INT64": "q",
    "FP16": "e",
    "FP32": "f",
    "FP64": "d",
}
"""Numbers by the protocol's names, as ``struct`` writes them; little-endian on the wire."""

BYTES = "BYTES"

KINDS: Mapping[Kind, str] = {
    Kind.INTEGER: "INT64",
    Kind.NUMBER: "FP64",
    Kind.BOOLEAN: "BOOL",
    Kind.CATEGORY: BYTES,
}
"""Which datatype a feature of each kind is announced with; others are read too where nothing is lost."""

_LENGTH = Packing("<I")

SIZE = "binary_data_size"


class TensorError(Exception):
    """A tensor that cannot be read: where in it, a stable code, and what was expected."""

    def __init__(self, place: str, code: str, detail: str) -> None:
        super().__init__(detail)
        self.place = place
        self.code = code
        self.detail = detail


class Tensor(msgspec.Struct):
    """One input as it is announced; its values follow here or in the bytes behind the JSON."""

    name: str
    shape: list[int]
    datatype: str
    data: Raw | UnsetType = UNSET
    parameters: dict[str, Any] = {}

    @property
    def n_bytes(self) -> int | None:
        """How many bytes behind the JSON are its own; None when its values are in the JSON."""
        size = self.parameters.get(SIZE)
        if size is not None and (type(size) is not int or size < 0):
            raise TensorError("/parameters/" + SIZE, "wrong-type", "expected a number of bytes")
        return size


def size_of(tensor: Tensor) -> int:
    """Return how many values a shape holds, one or two dimensions.

    Raises:
        TensorError: it is another shape.
    """
    if not 1 <= len(tensor.shape) <= 2 or min(tensor.shape) < 0:
        raise TensorError("/shape", "wrong-shape", "expected [rows], [rows, 1] or [rows, features]")
    return math.prod(tensor.shape)


def values_of(tensor: Tensor, raw: bytes | None) -> list[Any]:
    """Return the values of a tensor in row-major order; None where one is missing (null in JSON, NaN in raw floats).

    Args:
        tensor: as it was announced.
        raw: its bytes behind the JSON, None when it has none.

    Raises:
        TensorError: there are more or fewer values than its shape holds, or they are not of its datatype.
    """
    n = size_of(tensor)
    if tensor.datatype != BYTES and tensor.datatype not in CODES:
        raise TensorError("/datatype", "wrong-type", f"expected one of {', '.join((*CODES, BYTES))}")
    if raw is None:
        return _from_json(tensor, n)
    if tensor.datatype == BYTES:
        return _from_bytes(raw, n)
    code = CODES[tensor.datatype]
    if len(raw) != n * Packing(f"<{code}").size:
        raise TensorError("/parameters/" + SIZE, "wrong-shape", f"expected the bytes of {n:,} values")
    values = list(unpack(f"<{n}{code}", raw))
    return [None if value != value else value for value in values] if code in "efd" else values  # noqa: PLR0124 - NaN


def _from_json(tensor: Tensor, n: int) -> list[Any]:
    if isinstance(tensor.data, UnsetType):
        raise TensorError("/data", "missing", f"expected data, or parameters.{SIZE}")
    try:
        found: list[Any] = msgspec.json.decode(bytes(tensor.data), type=list[Any])
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as exc:
        raise TensorError("/data", "wrong-type", "expected an array of values that float64 can hold") from exc
    if len(tensor.shape) == 2 and found and all(isinstance(row, list) for row in found):
        if any(len(row) != tensor.shape[1] for row in found):
            raise TensorError("/data", "wrong-shape", f"expected {tensor.shape[1]:,} values in every row")
        found = [value for row in found for value in row]
    if len(found) != n:
        raise TensorError("/data", "wrong-shape", f"expected {n:,} values, found {len(found):,}")
    return found


def _from_bytes(raw: bytes, n: int) -> list[str]:
    """Return texts that are each preceded by their length."""
    texts: list[str] = []
    place = 0
    while len(texts) < n:
        start = place + _LENGTH.size
        end = start + _LENGTH.unpack_from(raw, place)[0] if start <= len(raw) else start
        if end > len(raw):
            raise TensorError("/parameters/" + SIZE, "wrong-shape", f"expected the bytes of {n:,} texts")
        try:
            texts.append(raw[start:end].decode())
        except UnicodeDecodeError as exc:
            raise TensorError("/data", "invalid-unicode", "expected UTF-8") from exc
        place = end
    if place != len(raw):
        raise TensorError("/parameters/" + SIZE, "wrong-shape", f"expected the bytes of {n:,} texts")
    return texts


def is_matrix(tensor: Tensor, schema: Schema) -> bool:
    """Whether a tensor holds all features side by side, in the schema's order."""
    return len(tensor.shape) == 2 and tensor.shape[1] == len(schema.features) and tensor.name not in schema.names


def matrix_columns(values: Sequence[Any], schema: Schema) -> dict[str, list[Any]]:
    """Return the columns of a matrix; where it is of numbers, 0 and 1 say no and yes."""
    width = len(schema.features)
    columns = {feature.name: list(values[place::width]) for place, feature in enumerate(schema.features)}
    for feature in schema.features:
        if feature.kind is Kind.BOOLEAN:
            columns[feature.name] = [_truth(value) for value in columns[feature.name]]
    return columns


def _truth(value: Any) -> Any:
    return bool(value) if type(value) in {int, float} and value in {0, 1} else value


def label_type(labels: Sequence[Label]) -> str:
    """Return the datatype that holds every label; that of regression when there is none."""
    kinds = {type(label) for label in labels}
    return {frozenset({bool}): "BOOL", frozenset({int}): "INT64", frozenset({str}): BYTES}.get(
        frozenset(kinds), BYTES if str in kinds else "FP64"
    )


def to_raw(datatype: str, values: Sequence[Any]) -> bytes:
    """Return values as bytes behind the JSON."""
    if datatype != BYTES:
        return Packing(f"<{len(values)}{CODES[datatype]}").pack(*values)
    encoded = [str(value).encode() for value in values]
    return b"".join(_LENGTH.pack(len(text)) + text for text in encoded)
