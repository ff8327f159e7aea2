"""The fast path and the framework's twin of its routes: the same bytes both ways, the same status and JSON."""

import json
import math

import numpy as np
import pytest

PERSON = {"age": 30, "income": 12.5, "city": "Lyon", "vip": True}

VALUES = {
    "age": [30, 30.0, 3e1, 0, -0.0, 120, 121, -1, 2**53, 2**53 + 1, 10**20, 30.5, None, "30", True, [1]],
    "income": [12.5, 0, -0.0, 5e-324, 1e308, 2**53 - 1, 2**53, 2**53 + 1, -(2**70), 101.0, None, "1,5", True, {}],
    "city": ["Lyon", "Tokyo", "", "é" * 256, "é" * 600, "x" * 1024, "x" * 1025, "a\0b", "\u202e", "😀" * 256, None, 1],
    "vip": [True, False, None, 0, 1, "true"],
    "client": ["c-1", 42, -7, 2**60, 10**30, None, True, 1.5, "x" * 1025, "\0", []],
}

RAW = {
    "nothing": b"",
    "a space": b" ",
    "null": b"null",
    "an empty array": b"[]",
    "an empty object": b"{}",
    "a truncated row": json.dumps(PERSON).encode()[:-3],
    "two documents": json.dumps(PERSON).encode() * 2,
    "a byte order mark": b"\xef\xbb\xbf" + json.dumps(PERSON).encode(),
    "spaces around": b" \n" + json.dumps(PERSON).encode() + b"\n ",
    "NaN": b'{"age": 30, "income": NaN, "city": "Lyon", "vip": true}',
    "1e400": b'{"age": 30, "income": 1e400, "city": "Lyon", "vip": true}',
    "minus zero": b'{"age": -0, "income": -0, "city": "Lyon", "vip": true}',
    "a key twice, the first bad": b'{"age": "x", "income": 1, "city": "Lyon", "vip": true, "age": 30}',
    "a key twice, the last bad": b'{"age": 30, "income": 1, "city": "Lyon", "vip": true, "age": "x"}',
    "an escaped name": b'{"\\u0061ge": 30, "income": 1, "city": "Lyon", "vip": true}',
    "invalid UTF-8": b'{"age": 30, "income": 1, "city": "\xff", "vip": true}',
    "a lone surrogate": b'{"age": 30, "income": 1, "city": "\\ud800", "vip": true}',
    "17 digits": b'{"age": 30, "income": 0.10000000000000001, "city": "Lyon", "vip": true}',
    "a long fraction": b'{"age": 30, "income": 2.22507385850720138309e-308, "city": "Lyon", "vip": true}',
    "deep": b"[" * 5_000,
    "deep inside a row": b'{"age": ' + b"[" * 3_000,
    "rows and something else": b"[" + json.dumps(PERSON).encode() + b", 1]",
    "1,000 rows": json.dumps([PERSON] * 1000).encode(),
    "1,001 rows": json.dumps([PERSON] * 1001).encode(),
    "too large": b" " * (2**20 + 1),
}

HEADERS = [
    {},
    {"Content-Type": "application/json; charset=utf-8"},
    {"Content-Type": "Application/JSON"},
    {"Content-Type": "application/json; charset=utf-16"},
    {"Content-Type": "text/plain"},
    {"Content-Type": ""},
    {"Content-Encoding": "gzip"},
    {"Content-Encoding": "identity"},
    {"Host": "LOCALHOST:80"},
    {"Host": "evil.example"},
    {"Accept": "text/html"},
    {"X-Forwarded-For": "10.0.0.1"},
    {"Idempotency-Key": "k-1"},
    {"Idempotency-Key": ""},
    {"Idempotency-Key": "x" * 256},
    {"Idempotency-Key": "tab\tinside"},
]

INVOCATIONS = {
    "split": {"dataframe_split": {"columns": list(PERSON), "index": [0], "data": [list(PERSON.values())]}},
    "split, other order": {"dataframe_split": {"columns": ["vip", "age", "city", "income"], "data": [[1, 2, 3, 4]]}},
    "split, reversed": {"dataframe_split": {"columns": list(PERSON)[::-1], "data": [list(PERSON.values())[::-1]] * 3}},
    "split, with the entity": {"dataframe_split": {"columns": [*PERSON, "client"], "data": [[*PERSON.values(), 5]]}},
    "split, a bad value": {"dataframe_split": {"columns": list(PERSON), "data": [["30", 1, "Lyon", True]]}},
    "split, a column twice": {"dataframe_split": {"columns": ["age", "age"], "data": [[1, 2]]}},
    "split, a short row": {"dataframe_split": {"columns": list(PERSON), "data": [[1, 2]]}},
    "split, a strange column": {"dataframe_split": {"columns": [*PERSON, "x"], "data": [[*PERSON.values(), 5]]}},
    "split, no rows": {"dataframe_split": {"columns": list(PERSON), "data": []}},
    "split, no columns": {"dataframe_split": {"data": []}},
    "records": {"dataframe_records": [PERSON, PERSON | {"city": "Tokyo", "age": 95}]},
    "records, a fault": {"dataframe_records": [PERSON, PERSON | {"age": "x"}]},
    "instances": {"instances": [PERSON]},
    "instances in order": {"instances": [list(PERSON.values())] * 2},
    "inputs by column": {"inputs": {name: [value, value] for name, value in PERSON.items()}},
    "inputs of two lengths": {"inputs": {"age": [1], "income": [1, 2]}},
    "inputs, one object": {"inputs": PERSON},
    "two at once": {"inputs": [PERSON], "instances": [PERSON]},
    "none": {"rows": [PERSON]},
    "empty parameters": {"inputs": [PERSON], "params": {}},
    "parameters": {"inputs": [PERSON], "params": {"a": 1}},
    "an array": [PERSON],
    "a missing number as pandas writes it": {"dataframe_records": [PERSON | {"income": math.nan}]},
    "a missing number where none may be": {"dataframe_records": [PERSON | {"age": math.nan}]},
    "an infinity": {"dataframe_records": [PERSON | {"income": math.inf}, PERSON | {"income": math.nan}]},
}


def _random_bodies(n, seed=11):
    """Return bodies that are mostly right: each value good, strange or bad, each field present, twice or misspelt."""
    rng = np.random.default_rng(seed)
    for _ in range(n):
        rows = []
        for _ in range(int(rng.choice([1, 1, 1, 2, 5]))):
            row = dict(PERSON)
            for name, values in VALUES.items():
                if rng.random() < 0.2:
                    row[name] = values[int(rng.integers(len(values)))]
            if rng.random() < 0.05:
                row.pop(str(rng.choice(list(row))))
            if rng.random() < 0.05:
                row[str(rng.choice(["Age", "salary", "__proto__", ""]))] = 1
            rows.append(row)
        yield json.dumps(rows[0] if len(rows) == 1 and rng.random() < 0.8 else rows, ensure_ascii=False).encode()


def _said(server, path, body, headers):
    """Return what a client can see of an answer, without what is new in each one."""
    server.log.records.clear()
    response = server.post(path, body, **headers)
    told = response.json()
    for part in told if isinstance(told, list) else [told]:
        for name in ("prediction_id", "prediction_ids", "instance"):
            part.pop(name, None)
    kept = [(record.features, record.entity, record.prediction) for record in server.log.records]
    seen = {name: response.headers.get(name) for name in ("content-type", "retry-after", "vigie-log", "connection")}
    return response.status_code, told, seen, list(map(repr, kept))


@pytest.fixture
def twins(server, framework_server):
    """Return what asks both ways and compares."""

    def ask(path, body, **headers):
        fast = _said(server, path, body, headers)
        assert fast == _said(framework_server, path, body, headers), (path, body[:200], headers)
        return fast[0]

    return ask


@pytest.mark.parametrize("name", VALUES)
def test_every_value_is_read_alike(twins, name):
    """Good, strange and bad values of every kind."""
    statuses = {twins("/predict", json.dumps(PERSON | {name: value}).encode()) for value in VALUES[name]}
    assert statuses == {200, 422}, "the table must hold good and bad ones"


def test_random_bodies_are_read_alike(twins):
    """Three hundred bodies from a seed: one object or several, with every kind of fault among them."""
    statuses = [twins("/predict", body) for body in _random_bodies(300)]
    assert min(statuses.count(200), statuses.count(422)) > 50, "the mix must hold good and bad ones"


@pytest.mark.parametrize("body", RAW.values(), ids=RAW)
def test_raw_bytes_are_read_alike(twins, body):
    """Whatever the bytes are."""
    twins("/predict", body)
    twins("/invocations", body)


@pytest.mark.parametrize("headers", HEADERS, ids=repr)
def test_headers_are_read_alike(twins, headers):
    """Usual and unusual ones; a good body under each."""
    twins("/predict", json.dumps(PERSON).encode(), **headers)
    twins("/predict", json.dumps(PERSON).encode(), **headers)
    twins("/predict", b"{", **headers)


@pytest.mark.parametrize("body", INVOCATIONS.values(), ids=INVOCATIONS)
def test_invocations_are_read_alike(twins, body):
    """Every envelope of MLflow's contract, and what is none."""
    twins("/invocations", json.dumps(body).encode())


_EIGHT, _NINE = "[" * 5 + "]" * 5, "[" * 6 + "]" * 6
_SPLIT = json.dumps(INVOCATIONS["split"])


@pytest.mark.parametrize(
    ("path", "body", "place"),
    [
        ("/predict", '{"age": ' + "[" * 8 + "]" * 8 + "}", "/age" + "/0" * 7),
        ("/predict", json.dumps([PERSON])[:-1] + "," + "[" * 8 + "]" * 8 + "]", "/1" + "/0" * 7),
        ("/feedback", "[" * 9 + "]" * 9, "/0" * 8),
        ("/invocations", _SPLIT.replace("[0]", f"[{_NINE}]"), "/dataframe_split/index" + "/0" * 6),
        ("/invocations", _SPLIT.replace("[0]", f"[{_EIGHT}]"), None),
        (
            "/invocations",
            '{"instances": ' + "[" * 8 + "]" * 8 + ', "instances": ' + json.dumps([PERSON]) + "}",
            "/instances" + "/0" * 7,
        ),
    ],
)
def test_what_is_nested_too_deep_is_refused_alike(twins, server, path, body, place):
    """Nine levels are 400 with the place where the ninth begins, eight are read; also beside the rows."""
    status = twins(path, body.encode())
    said = server.post(path, body.encode()).json()
    if place is None:
        assert status == 200
        return
    assert (status, said["type"]) == (400, "urn:vigie:problem:json-too-deep")
    assert said["errors"][0]["pointer"] == place


@pytest.mark.parametrize("trouble", ["broken", "full"])
def test_a_log_in_trouble_is_told_alike(twins, server, framework_server, trouble):
    """503 with Retry-After, from either way."""
    for one in (server, framework_server):
        one.log.broken, one.writer.full = trouble == "broken", trouble == "full"
    assert twins("/predict", json.dumps(PERSON).encode()) == 503


def test_without_a_model_both_say_so(empty_server):
    """The twin finds the words."""
    assert empty_server.post("/predict", PERSON).status_code == 503


def test_the_fast_path_is_taken(server, monkeypatch):
    """Control: were the framework asked for plain requests, this file would compare it with itself."""
    monkeypatch.setattr(server.app, "_app", None)
    assert server.post("/predict", PERSON).status_code == 200
    assert server.post("/invocations", INVOCATIONS["split"]).status_code == 200
    with pytest.raises(TypeError):
        server.post("/predict", PERSON | {"age": "x"})
