"""Thousands of spoilt requests, both ways: never a 5xx, never a death, every refusal a problem, both ways alike."""

import asyncio
import json

import msgspec
import numpy as np
import pytest

from vigie.api.errors import MAX_FAULTS

PERSON = {"age": 30, "income": 12.5, "city": "Lyon", "vip": True, "client": "c-1"}
OUTCOME = {"prediction_id": "0198c0de-0000-7000-8000-000000000001", "outcome": "yes"}
COLUMNS = {"columns": ["age", "income", "city", "vip"], "data": [[30, 12.5, "Lyon", True], [41, None, "Paris", False]]}
BODIES = {
    "/predict": [PERSON, [PERSON, PERSON | {"age": 55}], {**PERSON, "income": None}],
    "/invocations": [{"dataframe_split": COLUMNS}, {"dataframe_records": [PERSON]}, {"instances": [PERSON]},
                     {"inputs": {"age": [30], "income": [1], "city": ["Lyon"], "vip": [True]}}],
    "/feedback": [OUTCOME, [OUTCOME, OUTCOME | {"outcome": "no"}], OUTCOME | {"observed_at": "2026-02-01T00:00:00Z"}],
}  # fmt: skip

ODD = [
    None, True, False, 0, -1, 1.5, -0.0, 1e308, 5e-324, 2**53 + 1, 2**63, -(2**63) - 1, 10**400, "", "x" * 2000, "NaN",
    "\0", "\ud7ff", "é" * 600, "\u202e", "<script>", "'; DROP", [], {}, [[]], {"": {}}, [None], "2026-02-30", "1e3",
    {"__proto__": 1}, [PERSON], "0198c0de", "0001-01-01T00:00:00Z", "9999-12-31T23:59:59.9999999+99:99",
]  # fmt: skip
TOKENS = [
    b"NaN", b"Infinity", b"-Infinity", b"1e400", b"-1e400", b"\\ud800", b"\xff", b"\xed\xa0\x80", b"\xc0\xaf", b"\0",
    b"[" * 3000, b'{"a":' * 3000, b"9" * 5000, b"\xef\xbb\xbf", b"/*", b"'", b"\\u0000", b"\\", b'"', b",", b"}", b"]",
    b"0x10", b"01", b"+1", b"1e-400", b"\r\n", b"\x1b[2J",
]  # fmt: skip
HEADERS = [
    (b"content-type", b"application/json; charset=utf-16"), (b"content-type", b"text/plain"), (b"content-type", b""),
    (b"content-type", b"application/json; charset=\xff"), (b"content-type", b"application/vnd.apache.arrow.stream"),
    (b"content-type", b"multipart/form-data; boundary=x"), (b"content-encoding", b"gzip"), (b"content-length", b"-1"),
    (b"content-length", b"9" * 400), (b"content-length", b"\xc2\xb2"), (b"idempotency-key", b"k"),
    (b"idempotency-key", b""), (b"idempotency-key", b"\xff"), (b"idempotency-key", b"x" * 300), (b"host", b"evil"),
    (b"host", b"\xff:8000"), (b"origin", b"null"), (b"origin", b"http://["), (b"sec-fetch-site", b"cross-site"),
    (b"authorization", b"Bearer \xff"), (b"authorization", b"Basic x"), (b"x-request-id", b"\x1b\r\n"),
    (b"accept", b"text/html"), (b"expect", b"100-continue"), (b"x-forwarded-for", b"1.1.1.1"), (b"cookie", b"\xff=\0"),
]  # fmt: skip


class _Spoiler:
    """Makes requests that are wrong in one to three ways, the same ones for the same seed."""

    def __init__(self, seed):
        self._rng = np.random.default_rng(seed)

    def _one(self, things):
        return things[int(self._rng.integers(len(things)))]

    def request(self):
        path = self._one(list(BODIES))
        headers = [(b"host", b"localhost"), (b"content-type", b"application/json")]
        value = self._one(BODIES[path])
        for _ in range(int(self._rng.integers(3))):
            value = self._odd(json.loads(json.dumps(value)))
        body = json.dumps(value, ensure_ascii=bool(self._rng.integers(2))).encode("utf-8", "surrogatepass")
        for _ in range(int(self._rng.integers(3))):
            body = self._torn(body)
        if not self._rng.integers(4):
            name, text = self._one(HEADERS)
            if self._rng.integers(2):
                headers = [pair for pair in headers if pair[0] != name]
            headers.append((name, text))
        method = self._one(["POST"] * 20 + ["GET", "PUT", "DELETE", "OPTIONS", "FOO"])
        return method, path, headers, self._parts(body)

    def _odd(self, value):
        """Put an odd value somewhere in a document, or take something away, or say it twice."""
        if isinstance(value, dict) and value and self._rng.random() < 0.9:
            name = self._one(list(value))
            if self._rng.random() < 0.2:
                value[self._one([name + " ", name.upper(), "", "a/b~c", "\0", "__class__", "x" * 300])] = value.pop(
                    name
                )
            elif self._rng.random() < 0.15:
                del value[name]
            else:
                value[name] = self._odd(value[name])
            return value
        if isinstance(value, list) and value and self._rng.random() < 0.9:
            place = int(self._rng.integers(len(value)))
            if self._rng.random() < 0.1:
                return value * int(self._one([2, 200, 1001]))
            value[place] = self._odd(value[place])
            return value
        return self._one(ODD)

    def _torn(self, body):
        """Flip, cut, double or insert bytes."""
        at, to = sorted(int(place) for place in self._rng.integers(len(body) + 1, size=2))
        how = int(self._rng.integers(5))
        if how == 0 and body:
            at = min(at, len(body) - 1)
            return body[:at] + bytes([body[at] ^ (1 << int(self._rng.integers(8)))]) + body[at + 1 :]
        return [body[:at], body[:at] + body[to:], body[:to] + body[at:], body[:at] + self._one(TOKENS) + body[at:],
                body[:at] + self._one(TOKENS) + body[to:]][how]  # fmt: skip

    def _parts(self, body):
        if self._rng.random() < 0.8:
            return [body]
        at = int(self._rng.integers(len(body) + 1))
        return [body[:at], body[at:]]


async def _ask(app, request):
    method, path, headers, parts = request
    scope = {"type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": method, "path": path,
             "raw_path": path.encode(), "query_string": b"", "root_path": "", "scheme": "http", "headers": headers,
             "client": ("127.0.0.1", 1), "server": ("127.0.0.1", 2)}  # fmt: skip
    messages = [{"type": "http.request", "body": part, "more_body": part is not parts[-1]} for part in parts]
    sent = []

    async def receive():
        return messages.pop(0) if messages else {"type": "http.disconnect"}

    async def send(message):
        sent.append(message)

    await app(scope, receive, send)
    return sent[0]["status"], dict(sent[0]["headers"]), b"".join(message.get("body", b"") for message in sent[1:])


def _checked(status, headers, body):
    """Check one answer and return what it comes down to."""
    assert status < 500
    if status < 300:
        json.loads(body, parse_constant=pytest.fail)
        return status, ""
    assert status >= 400
    assert headers[b"content-type"] == b"application/problem+json"
    told = msgspec.json.decode(body)
    assert told["status"] == status
    assert told["type"].startswith("urn:vigie:problem:")
    assert len(told.get("errors", [])) <= MAX_FAULTS
    assert b"Traceback" not in body
    return status, told["type"]


@pytest.mark.parametrize(("seed", "n"), [(1, 1_000), pytest.param(2, 20_000, marks=pytest.mark.fuzz)])
def test_no_request_breaks_the_server_and_both_ways_agree(make_server_of, seed, n):
    """Nothing but 2xx and 4xx, problems throughout, the same both ways; the log holds what was answered."""
    servers = [make_server_of(fast_path=fast_path) for fast_path in (True, False)]

    async def fuzz():
        seen, spoiler = set(), _Spoiler(seed)
        for _ in range(n):
            request = spoiler.request()
            found = [_checked(*await _ask(server.app, request)) for server in servers]
            assert found[0] == found[1], request
            seen.add(found[0])
        return seen

    seen = asyncio.run(fuzz())
    assert {status for status, _ in seen} >= {200, 400, 403, 405, 413, 415, 421, 422}, "the fuzz became too tame"
    assert len(servers[0].log.records) == len(servers[1].log.records) > n / 50
    assert [server.writer.reserved for server in servers] == [0, 0], "room in the log was lost"
