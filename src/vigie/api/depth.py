"""How deep a JSON body is nested, told without reading it as JSON: nothing here or behind recurses on a client's word.

No body that means something is deeper than five: ``{"dataframe_split": {"index": [[...]]}}`` is four.
"""

import re

import msgspec

from vigie.inference.payload import escape

MAX_DEPTH = 8
"""Arrays and objects inside one another; a number on its own has depth 0."""

_TEXT = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+(?:"|\\?\Z)', re.DOTALL)
_STEP = re.compile(_TEXT.pattern + rb"(?P<names>\s*:)?|[][{},]", re.DOTALL)
_NO_BRACKET = bytes(set(range(256)) - set(b"[]{}"))
_ALIKE = bytes.maketrans(b"{}", b"[]")

_SEARCHED = 65_536
"""Bytes in which the deep place is looked for: the whole of a huge body is not worth a refusal."""

_MAX_NAME = 80


def is_deep(body: bytes) -> bool:
    """Whether a body is nested deeper than ``MAX_DEPTH``; takes time in proportion to its length, however deep it is.

    Args:
        body: JSON, or anything else.
    """
    if body.count(b"[") + body.count(b"{") <= MAX_DEPTH:
        return False
    brackets = _TEXT.sub(b"", body).translate(_ALIKE, _NO_BRACKET)
    for _ in range(MAX_DEPTH):  # each round takes the innermost layer away, everywhere
        brackets = brackets.replace(b"[]", b"")
    return b"[]" in brackets or brackets.count(b"[") > MAX_DEPTH


def deep_place(body: bytes) -> str:
    """Return a JSON pointer to the first array or object beyond ``MAX_DEPTH``; the whole body when that is far off.

    Args:
        body: one that ``is_deep``.
    """
    path: list[int | str] = []  # to the value that comes next: a place in an array, or a name in an object
    for found in _STEP.finditer(body[:_SEARCHED]):
        step = found.group()
        if step in b"[{":
            if len(path) == MAX_DEPTH:
                return "".join(f"/{escape(str(part))}" for part in path)
            path.append(0 if step == b"[" else "")
        elif not path:
            continue
        elif step in b"]}":
            path.pop()
        elif step == b",":
            last = path[-1]
            path[-1] = last + 1 if isinstance(last, int) else last
        elif found["names"]:
            path[-1] = _name(step)
    return ""


def _name(step: bytes) -> str:
    try:
        return msgspec.json.decode(step[: step.rindex(b'"') + 1], type=str)[:_MAX_NAME]
    except (msgspec.DecodeError, UnicodeDecodeError):
        return ""
