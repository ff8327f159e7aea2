"""How deep a body is, beside Python's own JSON reader; the place; and what it takes to tell."""

import json
from time import process_time

import numpy as np
import pytest

from vigie.api.depth import MAX_DEPTH, deep_place, is_deep


def _depth(value):
    """Return what ``is_deep`` is about, by walking what Python's reader made."""
    inside = value.values() if isinstance(value, dict) else value if isinstance(value, list) else None
    return 0 if inside is None else 1 + max(map(_depth, inside), default=0)


def _nested(rng, levels):
    if levels == 0:
        return ["[" * 12, '}\\"{', "", 1, None][int(rng.integers(5))]
    inside = [_nested(rng, int(rng.integers(levels))) for _ in range(int(rng.integers(3)))] + [_nested(rng, levels - 1)]
    return inside if rng.integers(2) else {f'k"[{place}\\': value for place, value in enumerate(inside)}


def _at(value, pointer):
    for step in pointer.split("/")[1:]:
        step = step.replace("~1", "/").replace("~0", "~")  # noqa: PLW2901 - RFC 6901's own order
        value = value[int(step)] if isinstance(value, list) else value[step]
    return value


@pytest.mark.parametrize("seed", range(20))
def test_depth_and_place_agree_with_a_reader(seed):
    """On bodies with brackets and quotes in texts and names; the place holds the first value that is too deep."""
    rng = np.random.default_rng(seed)
    found = set()
    for levels in range(13):
        value = _nested(rng, levels)
        body = json.dumps(value, indent=int(rng.integers(3)) or None).encode()
        found.add(is_deep(body))
        assert is_deep(body) == (_depth(value) > MAX_DEPTH)
        if is_deep(body):
            place = deep_place(body)
            assert place.count("/") == MAX_DEPTH
            assert isinstance(_at(value, place), (list, dict))
    assert found == {True, False}


@pytest.mark.parametrize(
    ("body", "deep"),
    [
        (b"[" * MAX_DEPTH, False),
        (b"[" * (MAX_DEPTH + 1), True),
        (b"]" * 50 + b"[" * MAX_DEPTH + b"{}" * 50, False),
        (b'"' + b"[" * 50, False),
        (b'"\\"' + b"[" * 50 + b'"', False),
        (b'["\\\\"' + b"[" * MAX_DEPTH, True),
        (b'"' + b"[" * 50 + b"\\", False),
    ],
)
def test_what_is_no_json_is_told_apart_as_well(body, deep):
    """Unclosed arrays count, brackets in an unclosed text do not."""
    assert is_deep(body) == deep


def test_a_name_in_the_place_is_escaped_and_short():
    """As JSON pointers write it."""
    body = b'{"a/b~c": {"' + b"x" * 300 + b'": ' + b"[" * 7 + b"]" * 7 + b"}}"
    assert deep_place(body) == "/a~1b~0c/" + "x" * 80 + "/0" * 6


@pytest.mark.parametrize(
    "body", [b"[" * 2**20, b'{"a":' * 2**17, b"[]," * 2**18, b'"[\\' * 2**18, b"[[[[[[[[[]" * 2**16]
)
def test_telling_takes_time_in_proportion(body):
    """A mebibyte of brackets is told in a moment, and without recursion."""
    started_s = process_time()
    if is_deep(body):
        deep_place(body)
    assert process_time() - started_s < 2.0  # what is quadratic takes minutes
