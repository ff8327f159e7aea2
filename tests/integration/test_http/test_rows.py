"""Bad input row by row: the table of what a stranger may send and what it comes to, each row by its own words.

Where a row could be answered in two ways, the design decides: ``NaN`` is no JSON, the last of two keys wins. Rows about
routes that this server does not have (promotion, training, erasure and keys stay on the command line) and about bundles
(``tests/acceptance/test_hostile_bundles``) are not here; those about keys, browsers and slow clients have files of
their own beside this one.
"""

import json
import socket

import numpy as np
import pytest

from vigie.errors import BundleError

PERSON = {"age": 30, "income": 12.5, "city": "Lyon", "vip": True, "client": "c-1"}
ID = "0198c0de-0000-7000-8000-000000000000"


def _with(**changed):
    return json.dumps(PERSON | changed, ensure_ascii=False).encode("utf-8", "surrogatepass")


def _raw(field, text):
    return json.dumps(PERSON | {field: "@"}).replace('"@"', text).encode()


def _without(name):
    return json.dumps({key: value for key, value in PERSON.items() if key != name}).encode()


JSON = {
    "empty body": (b"", 400, "malformed-json"),
    "only spaces": (b" \r\n\t ", 400, "malformed-json"),
    "truncated": (_with()[:-3], 400, "malformed-json"),
    "leading BOM": (b"\xef\xbb\xbf" + _with(), 400, "malformed-json"),
    "NaN literal": (_raw("income", "NaN"), 400, "malformed-json"),
    "Infinity literal": (_raw("income", "Infinity"), 400, "malformed-json"),
    "-Infinity literal": (_raw("income", "-Infinity"), 400, "malformed-json"),
    "1e400": (_raw("income", "1e400"), 422, "number-out-of-range"),
    "100,000 nested arrays": (b"[" * 100_000 + b"]" * 100_000, 400, "json-too-deep"),
    "nesting of 9 with limit 8": (b"[" * 9 + b"]" * 9, 400, "json-too-deep"),
    "nesting of 8": (b"[" * 8 + b"]" * 8, 422, "wrong-type"),
    "lone surrogate": (_raw("city", '"\\ud800"'), 400, "invalid-unicode"),
    "raw invalid UTF-8": (_raw("city", '"@"').replace(b"@", b"\xff"), 400, "invalid-unicode"),
    "overlong form": (_raw("city", '"@"').replace(b"@", b"\xc0\xaf"), 400, "invalid-unicode"),
    "UTF-8 surrogate": (_with(city="\ud800"), 400, "invalid-unicode"),
    "trailing text": (_with() + b" x", 400, "malformed-json"),
    "two documents": (_with() + _with(), 400, "malformed-json"),
    "comments": (b"/* a */" + _with(), 400, "malformed-json"),
    "single quotes": (b"{'age': 30}", 400, "malformed-json"),
    "trailing comma": (_with()[:-1] + b",}", 400, "malformed-json"),
    "+1": (_raw("age", "+1"), 400, "malformed-json"),
    "01": (_raw("age", "01"), 400, "malformed-json"),
    ".5": (_raw("income", ".5"), 400, "malformed-json"),
    "0x10": (_raw("age", "0x10"), 400, "malformed-json"),
    "top level text": (b'"age"', 422, "wrong-type"),
    "top level number": (b"1", 422, "wrong-type"),
    "top level null": (b"null", 422, "wrong-type"),
    "array of non-objects": (b'["a", 1]', 422, "wrong-type"),
    "array of null": (b"[null]", 422, "wrong-type"),
    "key __proto__": (_with(__proto__=1), 422, "unknown-feature"),
    "key constructor": (_with(constructor=1), 422, "unknown-feature"),
    "key __class__": (_with(__class__="x"), 422, "unknown-feature"),
    "50,000 unknown keys": (_with(**{f"k{n}": 1 for n in range(50_000)}), 422, "unknown-feature"),
}
VALUES = {
    "{}": (b"{}", 422, "missing"),
    "[]": (b"[]", 422, "empty-batch"),
    "1,001 rows with limit 1,000": (b"[" + b",".join([_with()] * 1001) + b"]", 413, "batch-too-large"),
    "missing age": (_without("age"), 422, "missing"),
    "unknown feature salary": (_with(salary=1), 422, "unknown-feature"),
    "Age (case)": (_with(Age=1), 422, "unknown-feature"),
    "age with a space": (_with(**{"age ": 1}), 422, "unknown-feature"),
    "full-width look-alike": (_without("age")[:-1] + b', "\xef\xbd\x81ge": 30}', 422, "unknown-feature"),
    "zero-width look-alike": (_with(**{"a\u200bge": 1}), 422, "unknown-feature"),
    '"age": "30"': (_with(age="30"), 422, "wrong-type"),
    '"age": 30.5': (_with(age=30.5), 422, "not-integer"),
    '"age": true': (_with(age=True), 422, "wrong-type"),
    '"age": null, not nullable': (_with(age=None), 422, "null-not-allowed"),
    '"age": -1 against a hard bound': (_with(age=-1), 422, "out-of-range"),
    '"age": 121 against a hard bound': (_with(age=121), 422, "out-of-range"),
    '"income": "NaN"': (_with(income="NaN"), 422, "wrong-type"),
    '"income": "inf"': (_with(income="inf"), 422, "wrong-type"),
    '"income": ""': (_with(income=""), 422, "wrong-type"),
    '"income": "1,5"': (_with(income="1,5"), 422, "wrong-type"),
    "int 9223372036854775807": (_with(age=2**63 - 1), 422, "precision-loss"),
    "int 9223372036854775808": (_with(age=2**63), 422, "number-out-of-range"),
    "9007199254740993 for a float": (_with(income=2**53 + 1), 422, "precision-loss"),
    '"city": 1': (_with(city=1), 422, "wrong-type"),
    '"city": ["Lyon"]': (_with(city=["Lyon"]), 422, "wrong-type"),
    '"city": {"x": 1}': (_with(city={"x": 1}), 422, "wrong-type"),
    '"city" of 1 MiB': (_with(city="x" * (2**20 - 200)), 422, "too-long"),
    "NUL in a text": (_with(city="a\0b"), 422, "invalid-unicode"),
    "second row of three invalid": (json.dumps([PERSON, PERSON | {"age": "x"}, PERSON]).encode(), 422, "wrong-type"),
    "model: ../other": (_with(model="../other"), 422, "unknown-feature"),
    "version: latest": (_with(version="latest"), 422, "unknown-feature"),
}
ANSWERED = {
    "-0.0": (_raw("income", "-0.0"), -0.0, ()),
    "1.0 for int": (_raw("age", "1.0"), 12.5, ("outside-range",)),
    "1E2 for int": (_raw("age", "1E2"), 12.5, ("outside-range",)),
    "5e-324": (_raw("income", "5e-324"), 5e-324, ()),
    "0.1+0.2 digits": (_raw("income", "0.30000000000000004"), 0.1 + 0.2, ()),
    "17-digit float": (_raw("income", "64.12345678901234567"), 64.12345678901234567, ()),
    "income null, nullable": (_with(income=None), None, ()),
    "outside the reference range only": (_with(income=1e6), 1e6, ("outside-range",)),
    '"city": "Tokyo"': (_with(city="Tokyo"), 12.5, ("unknown-category",)),
    '"city": ""': (_with(city=""), 12.5, ("unknown-category",)),
    '"city": " Lyon"': (_with(city=" Lyon"), 12.5, ("unknown-category",)),
    "a script": (_with(city="<script>alert(1)</script>"), 12.5, ("unknown-category",)),
    "a formula": (_with(city='=HYPERLINK("x")'), 12.5, ("unknown-category",)),
    "a template": (_with(city="{{7*7}}${x}"), 12.5, ("unknown-category",)),
    "SQL": (_with(city="'; DROP TABLE x"), 12.5, ("unknown-category",)),
    "bidi override": (_with(city="\u202eLyon"), 12.5, ("unknown-category",)),
    "emoji ZWJ": (_with(city="👩‍👩‍👧"), 12.5, ("unknown-category",)),
    "decomposed é": (_with(city="Orle\u0301ans"), 12.5, ("unknown-category",)),
    "duplicate key": (b'{"income": "x", ' + _with()[1:], 12.5, ()),
}
FEEDBACK = {
    "malformed id": ({"prediction_id": "x", "outcome": "yes"}, "invalid-id"),
    "id with SQL": ({"prediction_id": "1' OR '1'='1", "outcome": "yes"}, "invalid-id"),
    "id with a path": ({"prediction_id": "../../etc/passwd", "outcome": "yes"}, "invalid-id"),
    "label of wrong type": ({"prediction_id": ID, "outcome": 1}, "invalid-label"),
    "unknown class": ({"prediction_id": ID, "outcome": "perhaps"}, "invalid-label"),
    "date without a zone": ({"prediction_id": ID, "outcome": "yes", "observed_at": "2026-01-01T00:00"}, "invalid-date"),
    "2026-02-30": ({"prediction_id": ID, "outcome": "yes", "observed_at": "2026-02-30T00:00:00Z"}, "invalid-date"),
    "2026-01-01T25:00": ({"prediction_id": ID, "outcome": "yes", "observed_at": "2026-01-01T25:00Z"}, "invalid-date"),
}


@pytest.fixture(params=[True, False], ids=["fast path", "framework"])
def both(request, make_server_of):
    """Return a server, of either way."""
    return make_server_of(fast_path=request.param)


def _told(response):
    """Return the problem's slug and the codes of its faults."""
    problem = response.json()
    assert response.headers["content-type"] == "application/problem+json"
    assert problem["status"] == response.status_code
    assert len(problem.get("errors", [])) <= 20
    return {problem["type"].removeprefix("urn:vigie:problem:"), *(fault["code"] for fault in problem.get("errors", []))}


@pytest.mark.parametrize(("body", "status", "slug"), (JSON | VALUES).values(), ids=JSON | VALUES)
def test_a_bad_body_is_refused_by_its_name(both, body, status, slug):
    """4xx, no row predicted or logged, and the next request is answered."""
    response = both.post("/predict", body)
    assert (response.status_code, slug in _told(response)) == (status, True), response.text[:400]
    assert both.log.records == []
    assert both.post("/predict", PERSON).status_code == 200


def test_places_are_told_alone_and_in_a_batch(both):
    """``/age`` and ``/1/age``; of 50,000 faults twenty are listed, and that there are more."""
    assert both.post("/predict", _without("age")).json()["errors"][0]["pointer"] == "/age"
    batch = json.dumps([PERSON, PERSON | {"age": "x"}, PERSON]).encode()
    assert [fault["pointer"] for fault in both.post("/predict", batch).json()["errors"]] == ["/1/age"]
    crowd = both.post("/predict", JSON["50,000 unknown keys"][0]).json()
    assert (len(crowd["errors"]), crowd["errors_truncated"]) == (20, True)


@pytest.mark.parametrize(("body", "income", "warnings"), ANSWERED.values(), ids=ANSWERED)
def test_a_strange_body_is_answered_and_kept_to_the_bit(both, body, income, warnings):
    """200, with a warning where the model extrapolates; the log has the number that was sent."""
    response = both.post("/predict", body)
    assert response.status_code == 200, response.text
    assert tuple(note["code"] for note in response.json()["warnings"]) == warnings
    kept = both.log.records[-1].features[1]
    assert kept is None if income is None else np.float64(kept).tobytes() == np.float64(income).tobytes()


@pytest.mark.parametrize(("item", "code"), FEEDBACK.values(), ids=FEEDBACK)
def test_bad_feedback_is_refused_by_its_name(both, item, code):
    """422 with the field's code, alone and in an array."""
    for body, pointer in ((item, "/"), ([item], "/0/")):
        response = both.post("/feedback", body)
        assert (response.status_code, code in _told(response)) == (422, True)
        assert response.json()["errors"][0]["pointer"].startswith(pointer)


@pytest.mark.parametrize("key", [b"", b"x" * 300, b"tab\tinside", b"\xff"])
def test_an_idempotency_key_that_is_none(both, key):
    """400, and nothing is predicted."""
    response = both.request("POST", "/predict", content=_with(), headers=[
        (b"Content-Type", b"application/json"), (b"Idempotency-Key", key)])  # fmt: skip
    assert (response.status_code, _told(response)) == (400, {"invalid-idempotency-key"})
    assert both.log.records == []


@pytest.mark.parametrize(
    ("failure", "slug"), [(RuntimeError("secret"), "internal-error"), (BundleError("a number"), "model-failure")]
)
def test_a_model_that_raises(both, people_model, failure, slug):
    """500 with an id that stands in the log, no trace and no word of it; nothing is kept, no room is lost."""

    class _Broken(type(people_model.scorer)):
        def score_rows(self, rows):  # noqa: ARG002 - the scorer's signature
            raise failure

    broken = object.__new__(_Broken)
    broken.__dict__.update(people_model.scorer.__dict__)
    both.slots.swap(type(people_model)("people", "9", people_model.schema, broken, people_model.created_at))
    response = both.post("/predict", PERSON)
    assert (response.status_code, _told(response)) == (500, {slug})
    assert response.json()["instance"].startswith("urn:uuid:")
    assert "secret" not in response.text
    assert (both.log.records, both.writer.reserved) == ([], 0)


HEADERS = {
    "Content-Type missing": ({"Content-Type": ""}, 415, "unsupported-media-type"),
    "text/plain": ({"Content-Type": "text/plain"}, 415, "unsupported-media-type"),
    "form": ({"Content-Type": "application/x-www-form-urlencoded"}, 415, "unsupported-media-type"),
    "multipart": ({"Content-Type": "multipart/form-data; boundary=x"}, 415, "unsupported-media-type"),
    "charset=utf-16": ({"Content-Type": "application/json; charset=utf-16"}, 415, "unsupported-media-type"),
    "pickle": ({"Content-Type": "application/vnd.bentoml+pickle"}, 415, "unsupported-media-type"),
    "octet-stream": ({"Content-Type": "application/octet-stream"}, 415, "unsupported-media-type"),
    "gzip": ({"Content-Encoding": "gzip"}, 415, "unsupported-encoding"),
}


@pytest.mark.parametrize(("headers", "status", "slug"), HEADERS.values(), ids=HEADERS)
def test_a_body_of_another_kind(both, headers, status, slug):
    """415, and nothing is deserialised."""
    response = both.post("/predict", _with(), **headers)
    assert (response.status_code, _told(response)) == (status, {slug})


_HEAD = b"POST /predict HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
_GOOD = b"Content-Length: %d\r\n\r\n%b" % (len(_with()), _with())
WIRE = {
    "1 MiB + 1 byte with Content-Length": (_HEAD + b"Content-Length: 1048577\r\n\r\n", {413}, "body-too-large"),
    "two different Content-Length": (_HEAD + b"Content-Length: 5\r\n" + _GOOD, {400}, "malformed-request"),
    "Content-Length and chunked": (_HEAD + b"Transfer-Encoding: chunked\r\n" + _GOOD, {400}, "malformed-request"),
    "header block of 20 KiB": (_HEAD + b"X-A: " + b"a" * 20_480 + b"\r\n" + _GOOD, {431}, "headers-too-large"),
    "500 headers": (_HEAD + b"".join(b"X-%d: a\r\n" % n for n in range(500)) + _GOOD, {431}, "headers-too-large"),
    "URL of 20 KiB": (_HEAD.replace(b"/predict", b"/" + b"a" * 20_480) + _GOOD, {414, 431}, None),
    "URL of 10 KiB": (_HEAD.replace(b"/predict", b"/" + b"a" * 10_240) + _GOOD, {414}, "uri-too-long"),
    "GET": (_HEAD.replace(b"POST", b"GET") + b"\r\n", {405}, "method-not-allowed"),
    "PUT": (_HEAD.replace(b"POST", b"PUT") + _GOOD, {405}, "method-not-allowed"),
    "DELETE": (_HEAD.replace(b"POST", b"DELETE") + b"\r\n", {405}, "method-not-allowed"),
    "TRACE": (_HEAD.replace(b"POST", b"TRACE") + b"\r\n", {405}, "method-not-allowed"),
    "FOO": (_HEAD.replace(b"POST", b"FOO") + b"\r\n", {400}, "malformed-request"),
    "Expect with a too large length": (
        _HEAD + b"Expect: 100-continue\r\nContent-Length: 2000000\r\n\r\n", {413}, "body-too-large",
    ),
    "no Host": (b"GET /readyz HTTP/1.1\r\n\r\n", {400}, "malformed-request"),
    "two Hosts": (b"GET /readyz HTTP/1.1\r\nHost: localhost\r\nHost: localhost\r\n\r\n", {400}, "malformed-request"),
    "Host: evil.example": (b"GET /readyz HTTP/1.1\r\nHost: evil.example\r\n\r\n", {421}, "misdirected-host"),
    "bytes that are no HTTP": (b"\x16\x03\x01\x02\x00\x01", {400}, "malformed-request"),
    "Accept: text/html": (_HEAD + b"Accept: text/html\r\n" + _GOOD, {200}, None),
    "X-Request-Id of 10 KiB": (_HEAD + b"X-Request-Id: " + b"x" * 10_240 + b"\r\n" + _GOOD, {200}, None),
    "X-Forwarded-Host from a stranger": (_HEAD + b"X-Forwarded-Host: evil.example\r\n" + _GOOD, {200}, None),
}  # fmt: skip


@pytest.mark.parametrize(("sent", "statuses", "slug"), WIRE.values(), ids=WIRE)
def test_what_comes_over_the_wire(running, sent, statuses, slug):
    """Answered in JSON within seconds, without asking for a body that would be refused; the server goes on."""
    for request in (sent, _HEAD + _GOOD):
        with socket.create_connection(("127.0.0.1", running), timeout=10) as client:
            client.sendall(request)
            answer = client.recv(65_536)
        head, _, body = answer.partition(b"\r\n\r\n")
        if request is sent:
            assert int(head[9:12]) in statuses
            assert b"content-type: application/" in head.lower()
            assert b"html" not in head.lower()
            assert b"x" * 129 not in head
            assert slug is None or json.loads(body)["type"] == f"urn:vigie:problem:{slug}"
        else:
            assert head.startswith(b"HTTP/1.1 200 ")
