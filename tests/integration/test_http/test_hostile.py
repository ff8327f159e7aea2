"""What a client gets for bad bytes, bad values and bad headers: its own 4xx, and a server that goes on."""

import asyncio
import json

import pytest

PERSON = {"age": 30, "income": 12.5, "city": "Lyon", "vip": True}


def _codes(response):
    return [(fault["pointer"], fault["code"]) for fault in response.json().get("errors", [])]


def _row(**changed):
    return json.dumps(PERSON | changed, ensure_ascii=False).encode()


def _raw(field, text):
    """Return a person with one field written as ``text``, JSON or not."""
    return json.dumps(PERSON | {field: "@"}).replace('"@"', text).encode()


HOSTILE = {
    "empty": (b"", 400, "malformed-json", []),
    "spaces": (b"   ", 400, "malformed-json", []),
    "truncated": (_row()[:-2], 400, "malformed-json", []),
    "byte order mark": (b"\xef\xbb\xbf" + _row(), 400, "malformed-json", []),
    "NaN": (_raw("income", "NaN"), 400, "malformed-json", []),
    "Infinity": (_raw("income", "Infinity"), 400, "malformed-json", []),
    "-Infinity": (_raw("income", "-Infinity"), 400, "malformed-json", []),
    "trailing text": (_row() + b"x", 400, "malformed-json", []),
    "two documents": (_row() + _row(), 400, "malformed-json", []),
    "single quotes": (b"{'age': 30}", 400, "malformed-json", []),
    "trailing comma": (b'{"age": 30,}', 400, "malformed-json", []),
    "plus sign": (_raw("age", "+1"), 400, "malformed-json", []),
    "leading zero": (_raw("age", "01"), 400, "malformed-json", []),
    "bare fraction": (_raw("income", ".5"), 400, "malformed-json", []),
    "hexadecimal": (_raw("age", "0x10"), 400, "malformed-json", []),
    "comment": (b'{"age": 30 /* old */}', 400, "malformed-json", []),
    "100,000 arrays deep": (b"[" * 100_000, 400, "json-too-deep", [("/0" * 8, "json-too-deep")]),
    "lone surrogate": (_raw("city", '"\\ud800"'), 400, "invalid-unicode", []),
    "invalid UTF-8": (_raw("city", '"@"').replace(b"@", b"\xff"), 400, "invalid-unicode", []),
    "UTF-8 surrogate": (_raw("city", '"@"').replace(b"@", b"\xed\xa0\x80"), 400, "invalid-unicode", []),
    "1e400": (_raw("income", "1e400"), 422, "invalid-request", [("", "number-out-of-range")]),
    "5,000 digits": (_raw("age", "1" * 5000), 422, "invalid-request", [("", "number-out-of-range")]),
    "400 digits": (_raw("income", "1" * 400), 422, "invalid-request", [("/income", "number-out-of-range")]),
    "beyond 64 bits": (_raw("age", "1" + "0" * 20), 422, "invalid-request", [("/age", "number-out-of-range")]),
    "2^53 + 1": (_raw("income", "9007199254740993"), 422, "invalid-request", [("/income", "precision-loss")]),
    "top-level null": (b"null", 422, "invalid-request", [("", "wrong-type")]),
    "top-level text": (b'"hello"', 422, "invalid-request", [("", "wrong-type")]),
    "array of null": (b"[null]", 422, "invalid-request", [("/0", "wrong-type")]),
    "empty array": (b"[]", 422, "invalid-request", [("", "empty-batch")]),
    "too many rows": (b"[" + b"1," * 1000 + b"1]", 413, "batch-too-large", [("", "batch-too-large")]),
    "empty object": (
        b"{}",
        422,
        "invalid-request",
        [(f"/{name}", "missing") for name in ("age", "income", "city", "vip")],
    ),
    "unknown feature": (_row(salary=1), 422, "invalid-request", [("/salary", "unknown-feature")]),
    "slash in a name": (_row(**{"a/b~c": 1}), 422, "invalid-request", [("/a~1b~0c", "unknown-feature")]),
    "proto": (_row(__proto__=1), 422, "invalid-request", [("/__proto__", "unknown-feature")]),
    "empty name": (_row(**{"": 1}), 422, "invalid-request", [("/", "unknown-feature")]),
    "text for an integer": (_row(age="30"), 422, "invalid-request", [("/age", "wrong-type")]),
    "true for an integer": (_row(age=True), 422, "invalid-request", [("/age", "wrong-type")]),
    "fraction for an integer": (_row(age=30.5), 422, "invalid-request", [("/age", "not-integer")]),
    "null where a value is needed": (_row(age=None), 422, "invalid-request", [("/age", "null-not-allowed")]),
    "below a hard limit": (_row(age=-1), 422, "invalid-request", [("/age", "out-of-range")]),
    "above a hard limit": (_row(age=121), 422, "invalid-request", [("/age", "out-of-range")]),
    "text for a number": (_row(income="1,5"), 422, "invalid-request", [("/income", "wrong-type")]),
    "NaN as text": (_row(income="NaN"), 422, "invalid-request", [("/income", "wrong-type")]),
    "number for a category": (_row(city=1), 422, "invalid-request", [("/city", "wrong-type")]),
    "array for a category": (_row(city=["Lyon"]), 422, "invalid-request", [("/city", "wrong-type")]),
    "object for a category": (_row(city={"x": 1}), 422, "invalid-request", [("/city", "wrong-type")]),
    "NUL in a category": (_row(city="Ly\x00on"), 422, "invalid-request", [("/city", "invalid-unicode")]),
    "long category": (_row(city="x" * 1025), 422, "invalid-request", [("/city", "too-long")]),
    "long category in bytes": (_row(city="é" * 513), 422, "invalid-request", [("/city", "too-long")]),
    "1 for a boolean": (_row(vip=1), 422, "invalid-request", [("/vip", "wrong-type")]),
    "text for a boolean": (_row(vip="true"), 422, "invalid-request", [("/vip", "wrong-type")]),
    "boolean entity": (_row(client=True), 422, "invalid-request", [("/client", "wrong-type")]),
    "second row": (
        b"[" + _row() + b"," + _row(age=None) + b"]",
        422,
        "invalid-request",
        [("/1/age", "null-not-allowed")],
    ),
    "body of 1 MiB and a byte": (b" " * (2**20 + 1), 413, "body-too-large", []),
}


@pytest.mark.parametrize(("body", "status", "slug", "faults"), HOSTILE.values(), ids=HOSTILE)
def test_a_hostile_body_is_refused_with_a_problem_and_predicts_nothing(server, body, status, slug, faults):
    """Every bad body gets its own 4xx problem with pointers; nothing is logged, and the server goes on."""
    response = server.post("/predict", body)
    assert (response.status_code, response.headers["content-type"]) == (status, "application/problem+json")
    assert response.json()["type"] == f"urn:vigie:problem:{slug}"
    assert _codes(response) == faults
    assert server.log.records == []
    assert server.post("/predict", PERSON).status_code == 200


FINE = {
    "float that is whole": (_raw("age", "30.0"), []),
    "exponent that is whole": (_raw("age", "1E2"), ["outside-range"]),
    "negative zero": (_raw("income", "-0.0"), []),
    "smallest number": (_raw("income", "5e-324"), []),
    "null where it may be": (_row(income=None), []),
    "duplicate key, the last one wins": (b'{"age": "x", ' + _row()[1:], []),
    "unseen category": (_row(city="<script>alert(1)</script>"), ["unknown-category"]),
    "empty category": (_row(city=""), ["unknown-category"]),
    "decomposed accent": (_row(city="Orle\u0301ans"), ["unknown-category"]),
    "combining marks": (_row(city="a" + "\u0301" * 400), ["unknown-category"]),
    "outside the training range": (_row(income=-5), ["outside-range"]),
    "largest float": (_row(income=1.7e308), ["outside-range"]),
}


@pytest.mark.parametrize(("body", "warnings"), FINE.values(), ids=FINE)
def test_a_strange_but_valid_body_is_answered(server, body, warnings):
    """What JSON and the schema allow is answered, with a warning where the model extrapolates."""
    response = server.post("/predict", body)
    assert response.status_code == 200
    assert [note["code"] for note in response.json()["warnings"]] == warnings


def test_a_submitted_value_is_never_repeated(server):
    """A problem tells the type and the place of a bad value, not the value."""
    response = server.post("/predict", _row(age="s3cret-value", city="s3cret-value" * 200, vip="s3cret-value"))
    assert len(_codes(response)) == 3
    assert "s3cret" not in response.text


def test_at_most_twenty_faults_are_shown(server):
    """Fifty thousand unknown names are answered quickly, with twenty of them."""
    body = json.dumps(PERSON | {f"x{i}": 1 for i in range(50_000)}).encode()
    problem = server.post("/predict", body).json()
    assert len(problem["errors"]) == 20
    assert problem["errors_truncated"] is True


TRANSPORT = {
    "no content type": ({"Content-Type": ""}, 415),
    "plain text": ({"Content-Type": "text/plain"}, 415),
    "a form": ({"Content-Type": "application/x-www-form-urlencoded"}, 415),
    "a pickle": ({"Content-Type": "application/vnd.bentoml+pickle"}, 415),
    "UTF-16": ({"Content-Type": "application/json; charset=utf-16"}, 415),
    "UTF-8, said aloud": ({"Content-Type": 'application/json; charset="UTF-8"'}, 200),
    "compressed": ({"Content-Encoding": "gzip"}, 415),
    "declared too long": ({"Content-Length": "99999999"}, 413),
    "another host": ({"Host": "evil.example"}, 421),
    "user info in the host": ({"Host": "localhost@evil.example"}, 421),
    "this host, another port": ({"Host": "LOCALHOST:9"}, 200),
    "this host, IPv6": ({"Host": "[::1]:8000"}, 200),
}


@pytest.mark.parametrize(("headers", "status"), TRANSPORT.values(), ids=TRANSPORT)
def test_headers_are_checked_before_the_body_is_read(server, headers, status):
    """Only plain JSON under our own name passes."""
    response = server.post("/predict", PERSON, **headers)
    assert response.status_code == status
    assert len(server.log.records) == (status == 200)


def test_a_body_without_a_length_is_stopped_at_the_cap(server):
    """A body sent in chunks is refused as soon as it passes the cap."""
    sent = 0

    async def endless():
        nonlocal sent
        for _ in range(1000):
            sent += 2**16
            yield b" " * 2**16

    response = server.request("POST", "/predict", content=endless(), headers={"Content-Type": "application/json"})
    assert response.status_code == 413


@pytest.mark.parametrize(
    ("method", "path", "status"), [("GET", "/predict", 405), ("DELETE", "/feedback", 405), ("GET", "/x", 404)]
)
def test_the_router_refuses_with_a_problem_too(server, method, path, status):
    """Unknown paths and methods are told in the same form as everything else."""
    response = server.request(method, path)
    assert (response.status_code, response.headers["content-type"]) == (status, "application/problem+json")


ID = "0198c0de-0000-7000-8000-000000000000"
BAD_FEEDBACK = {
    "no id": ({"outcome": "yes"}, ("/prediction_id", "missing")),
    "no outcome": ({"prediction_id": ID}, ("/outcome", "missing")),
    "unknown field": ({"prediction_id": ID, "outcome": "yes", "x": 1}, ("/x", "unknown-field")),
    "id with a path": ({"prediction_id": "../../etc", "outcome": "yes"}, ("/prediction_id", "invalid-id")),
    "id in braces": ({"prediction_id": f"{{{ID}}}", "outcome": "yes"}, ("/prediction_id", "invalid-id")),
    "number as id": ({"prediction_id": 1, "outcome": "yes"}, ("/prediction_id", "invalid-id")),
    "unknown class": ({"prediction_id": ID, "outcome": "maybe"}, ("/outcome", "invalid-label")),
    "null outcome": ({"prediction_id": ID, "outcome": None}, ("/outcome", "invalid-label")),
    "date without zone": (
        {"prediction_id": ID, "outcome": "yes", "observed_at": "2026-02-01T00:00:00"},
        ("/observed_at", "invalid-date"),
    ),
    "day that does not exist": (
        {"prediction_id": ID, "outcome": "yes", "observed_at": "2026-02-30T00:00:00Z"},
        ("/observed_at", "invalid-date"),
    ),
    "compact date": (
        {"prediction_id": ID, "outcome": "yes", "observed_at": "20260201T000000Z"},
        ("/observed_at", "invalid-date"),
    ),
    "leap second": (
        {"prediction_id": ID, "outcome": "yes", "observed_at": "2016-12-31T23:59:60Z"},
        ("/observed_at", "invalid-date"),
    ),
    "year 1": (
        {"prediction_id": ID, "outcome": "yes", "observed_at": "0001-01-01T00:00:00+14:00"},
        ("/observed_at", "invalid-date"),
    ),
    "far future": (
        {"prediction_id": ID, "outcome": "yes", "observed_at": "2126-01-01T00:00:00Z"},
        ("/observed_at", "invalid-date"),
    ),
}


@pytest.mark.parametrize(("body", "fault"), BAD_FEEDBACK.values(), ids=BAD_FEEDBACK)
def test_bad_feedback_is_refused(server, body, fault):
    """Every bad outcome gets a 422 problem that points at its field."""
    response = server.post("/feedback", body)
    assert (response.status_code, _codes(response)) == (422, [fault])


def test_a_number_that_float32_cannot_hold_is_a_clear_refusal(forest_server):
    """A forest compares in float32: 1e308 is finite and still too large, which is said with the feature's name."""
    response = forest_server.post("/predict", PERSON | {"income": 1e308})
    assert (response.status_code, response.json()["type"]) == (422, "urn:vigie:problem:invalid-data")
    assert "'income'" in response.json()["detail"]
    assert forest_server.log.records == []
    assert forest_server.post("/predict", PERSON).status_code == 200


def test_a_request_without_a_host_is_refused(server):
    """HTTP/1.1 asks for exactly one Host header."""
    sent = []

    async def receive():
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message):
        sent.append(message)

    scope = {"type": "http", "method": "GET", "path": "/livez", "headers": [], "query_string": b""}
    asyncio.run(server.app(scope, receive, send))
    assert sent[0]["status"] == 400
