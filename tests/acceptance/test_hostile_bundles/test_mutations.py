"""A thousand random alterations of trees, sealed again: each is refused, or still a model; none ends the process.

The control is tests/properties/test_bundle_control.py: without the checks, such a file ends the process by a signal.
"""

import io
import json
import random
import zipfile

import numpy as np
import pytest

N_MODELS, N_SCORERS = 120, 320
"""Three kinds of the one and two of the other make a thousand."""

KINDS = ["three trees", "boosting", "hist"]
NUMBERS = [0, 1, -1, 2, 7, 255, 256, 2**31 - 1, -(2**31), 2**32 - 1, 2**63 - 1, -(2**63), 1.5, 1e300, -1e300]


def _bytes_of(files, dice):
    """Overwrite one to eight bytes of one array, its header aside."""
    name = dice.choice([name for name in files if name.endswith(".npy")])
    content = bytearray(files[name])
    for _ in range(dice.randint(1, 8)):
        content[dice.randrange(min(128, len(content) - 1), len(content))] = dice.choice([0, 1, 0x7F, 0x80, 0xFF])
    files[name] = bytes(content)


def _value_of(files, dice):
    """Put an unlikely value into one field of one array."""
    name = dice.choice([name for name in files if name.endswith(".npy")])
    array = np.load(io.BytesIO(files[name]))
    if array.dtype.kind not in "iufbV" or array.size == 0:
        return
    field = dice.choice(array.dtype.names) if array.dtype.names else ...
    flat = (array[field] if field is not ... else array).reshape(-1)
    kind, value = flat.dtype.kind, dice.choice([*NUMBERS, float("nan"), float("inf")])
    if kind != "f":
        info = np.iinfo(flat.dtype) if kind in "iu" else None
        number = int(np.nan_to_num(value, posinf=2**62)) if isinstance(value, float) else value
        value = bool(number) if info is None else min(max(number, info.min), info.max)
    flat[dice.randrange(flat.size)] = value
    if field is not ...:
        array[field] = flat.reshape(array.shape)
    buffer = io.BytesIO()
    np.save(buffer, array)
    files[name] = buffer.getvalue()


def _number_of_state(files, dice):
    """Put an unlikely number into one plain value of the description."""
    state = json.loads(files["schema.json"])
    waiting, plain = [state], []
    while waiting:
        item = waiting.pop()
        if isinstance(item, dict):
            plain.extend([item] if item.get("__loader__") == "JsonNode" else [])
            waiting.extend(item.values())
        elif isinstance(item, list):
            waiting.extend(item)
    dice.choice(plain).update(content=json.dumps(dice.choice(NUMBERS)), __id__=dice.randrange(10**9, 10**10))
    files["schema.json"] = json.dumps(state).encode()


ALTERATIONS = [_bytes_of, _value_of, _value_of, _number_of_state]


def _survived(reader, members, routes):
    for route in routes:
        found = reader.open(reader.put(members), route)
        assert found["error"] is None or found["message"], found
        reader.check_harmless(found)
    return found["error"] is not None


@pytest.mark.parametrize("kind", KINDS)
def test_altered_trees_of_scikit_learn_are_survived(kit, reader, kind):
    """Bytes, fields and plain numbers, drawn by lot; most are refused, and all are survived."""
    dice = random.Random(KINDS.index(kind))  # noqa: S311 - seeded dice, no secret
    with zipfile.ZipFile(io.BytesIO(kit.good(kind)["model.skops"])) as archive:
        good = {name: archive.read(name) for name in archive.namelist()}
    n_refused = 0
    for _ in range(N_MODELS):
        files = dict(good)
        for _ in range(dice.randint(1, 3)):
            dice.choice(ALTERATIONS)(files, dice)
        members = kit.sealed(kit.good(kind), model__skops=kit.zipped(files, zipfile.ZIP_STORED))
        n_refused += _survived(reader, members, ["cache"])
    assert n_refused > N_MODELS // 4


@pytest.mark.parametrize("kind", ["three trees", "hist"])
def test_altered_scorers_are_survived(kit, reader, kind):
    """One to three numbers of a compiled scorer, anywhere in its arrays and expressions."""
    dice, content = random.Random(kind), kit.good(kind, compiled=True)["scorer.json"]  # noqa: S311 - as above
    n_refused = 0
    for _ in range(N_SCORERS):
        spec = json.loads(content)
        for _ in range(dice.randint(1, 3)):
            place = spec[dice.choice([name for name, value in spec.items() if isinstance(value, list) and value])]
            while isinstance(place[index := dice.randrange(len(place))], list) and place[index]:
                place = place[index]
            place[index] = dice.choice([*NUMBERS, None, "x", [], True])
        altered = json.dumps(spec, separators=(",", ":")).encode()
        members = kit.sealed(kit.good(kind, compiled=True), scorer__json=altered)
        n_refused += _survived(reader, members, ["members"])
    assert n_refused > N_SCORERS // 2
