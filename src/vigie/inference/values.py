"""One JSON value under one feature: the value as the model takes it, or the fault, or a word of caution."""

import math
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import Any

from vigie.domain.schema import Feature, Kind, Value

MAX_TEXT_BYTES = 1024
"""Longest category or entity, in UTF-8."""

INT64_BOUND = 2**63
"""Integers of the log are 64 bits wide."""

KIND_WORDS = {
    Kind.INTEGER: "a whole number",
    Kind.NUMBER: "a number",
    Kind.BOOLEAN: "true or false",
    Kind.CATEGORY: "text",
}
"""What a feature of each kind expects, for a person."""


@dataclass(frozen=True, slots=True)
class Fault:
    """Why a value is refused. ``found`` tells its type or place, never the value itself."""

    code: str
    expected: str
    found: str


@dataclass(frozen=True, slots=True)
class Caution:
    """Why an answer should be taken with care; ``code`` is ``unknown-category`` or ``outside-range``."""

    code: str
    feature: str
    detail: str


def read_value(feature: Feature, raw: Any) -> Value | Fault:
    """Return the value of a feature, typed as its kind says, or the first fault found."""
    if raw is None:
        return None if feature.nullable else Fault("null-not-allowed", KIND_WORDS[feature.kind], "null")
    if feature.kind is Kind.CATEGORY:
        return check_text(raw) or str(raw)
    if feature.kind is Kind.BOOLEAN:
        return raw if isinstance(raw, bool) else Fault("wrong-type", KIND_WORDS[feature.kind], describe(raw))
    return _read_number(feature, raw)


def _read_number(feature: Feature, raw: Any) -> Value | Fault:
    number = check_number(raw)
    if isinstance(number, Fault):
        return number
    if feature.kind is Kind.INTEGER:
        if number != math.floor(number):
            return Fault("not-integer", "a whole number", "a number with a fraction")
        if not -INT64_BOUND <= number < INT64_BOUND:
            return Fault("number-out-of-range", "a whole number of at most 64 bits", "a larger one")
    low, high = feature.limits or (None, None)
    if low is not None and number < low:
        return Fault("out-of-range", f"at least {low:g}", "a number below")
    if high is not None and number > high:
        return Fault("out-of-range", f"at most {high:g}", "a number above")
    return int(raw) if feature.kind is Kind.INTEGER else number


def check_number(raw: Any) -> float | Fault:
    """Return a finite number that float64 holds exactly as it was written as an integer, or the fault."""
    if isinstance(raw, bool) or not isinstance(raw, (int, float)):
        return Fault("wrong-type", "a number", describe(raw))
    try:
        number = float(raw)
    except OverflowError:
        return Fault("number-out-of-range", "a number that float64 can hold", "a larger one")
    if not math.isfinite(number):
        return Fault("not-finite", "a finite number", "an infinity or NaN")
    if isinstance(raw, int) and int(number) != raw:
        # The model would see another number than the log would keep: RFC 7493 asks for no more than 2^53.
        return Fault("precision-loss", "an integer that float64 holds exactly", "one with too many digits")
    return number


def check_text(raw: Any) -> Fault | None:
    """Return what is wrong with a text that will be matched and logged, or None."""
    if not isinstance(raw, str):
        return Fault("wrong-type", "text", describe(raw))
    if len(raw) > MAX_TEXT_BYTES:
        return Fault("too-long", f"at most {MAX_TEXT_BYTES:,} bytes of UTF-8", "a longer text")
    try:
        size = len(raw.encode())
    except UnicodeEncodeError:
        return Fault("invalid-unicode", "text that UTF-8 can hold", "half a surrogate pair")
    if size > MAX_TEXT_BYTES:
        return Fault("too-long", f"at most {MAX_TEXT_BYTES:,} bytes of UTF-8", "a longer text")
    if "\x00" in raw:
        return Fault("invalid-unicode", "text without the character NUL", "text with it")  # PostgreSQL refuses it
    return None


def caution(feature: Feature, value: Value, seen: AbstractSet[str]) -> Caution | None:
    """Return why the model extrapolates from this value, or None.

    Args:
        feature: the value's feature.
        value: as ``read_value`` returned it.
        seen: the feature's categories, as a set.
    """
    if value is None:
        return None
    if feature.kind is Kind.CATEGORY:
        if value in seen:
            return None
        return Caution("unknown-category", feature.name, f"feature {feature.name!r} has a category unseen in training")
    if feature.range is None or isinstance(value, str) or feature.range[0] <= value <= feature.range[1]:
        return None
    low, high = feature.range
    detail = f"feature {feature.name!r} is outside the training range [{low:g}, {high:g}]"
    return Caution("outside-range", feature.name, detail)


def describe(raw: Any) -> str:
    """Return the JSON type of a value."""
    if raw is None:
        return "null"
    for types, word in ((bool, "a boolean"), ((int, float), "a number"), (str, "text"), (list, "an array")):
        if isinstance(raw, types):
            return word
    return "an object" if isinstance(raw, dict) else "something that is not JSON"
