"""Who is let in: every live route with every method and every kind of key, both ways of the hot routes."""

import socket
from contextlib import contextmanager
from datetime import timedelta

import httpx
import pytest
from starlette.routing import Mount, Route

from vigie.api.door import ANYBODY, check_declared
from vigie.domain.access import AccessKey, KeyRing, KeyScope, key_digest, key_text

PERSON = {"age": 30, "income": 12.5, "city": "Lyon", "vip": True}
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT")

OPEN = {
    ("GET", path)
    for path in (
        "/livez", "/readyz", "/v2/health/live", "/v2/health/ready", "/docs", "/docs/style.css", "/docs/script.js"
    )
}  # fmt: skip
"""All that is answered without a key. A route that joins this list is a decision (0023)."""

OPENED_BY = {
    ("POST", "/predict"): KeyScope.PREDICT,
    ("POST", "/invocations"): KeyScope.PREDICT,
    ("POST", "/feedback"): KeyScope.FEEDBACK,
    ("GET", "/ping"): KeyScope.READ,
    ("GET", "/health"): KeyScope.READ,
    ("GET", "/openapi.json"): KeyScope.READ,
    ("GET", "/metrics"): KeyScope.METRICS,
    ("GET", "/version"): KeyScope.READ,
    ("GET", "/v2"): KeyScope.READ,
    **{
        (method, f"/v2/models/{{name}}{version}{rest}"): scope
        for version in ("", "/versions/{version}")
        for method, rest, scope in (
            ("GET", "", KeyScope.READ),
            ("GET", "/ready", KeyScope.READ),
            ("POST", "/infer", KeyScope.PREDICT),
        )
    },
}

SECRETS = {name: key_text(f"{name:_<8}".replace("_", "0"), bytes([n]) * 32) for n, name in enumerate(
    [*KeyScope, "expired", "revoked", "unknown", "slow", "twin"])}  # fmt: skip


def _ring(clock):
    at = clock.now()

    def key(name, *scopes, **rest):
        return AccessKey(SECRETS[name][3:11], name, key_digest(SECRETS[name]), frozenset(scopes), at, **rest)

    keys = [key(scope, scope) for scope in KeyScope]
    keys += [key("expired", *KeyScope, expires_at=at), key("revoked", *KeyScope, revoked_at=at)]
    return KeyRing([*keys, key("slow", *KeyScope, rate_per_s=2.0), key("twin", *KeyScope)])


@pytest.fixture(params=[True, False], ids=["fast path", "framework"])
def guarded(request, make_server_of):
    """Return a server that asks for keys."""
    server = make_server_of(fast_path=request.param)
    server.door.ring = _ring(server.clock)
    return server


def _bearer(name):
    return {"Authorization": f"Bearer {SECRETS[name]}"}


def _paths(server):
    """Return every path of the live route table."""
    app = server.app
    while not hasattr(app, "routes"):
        app = app._app
    return sorted({route.path for route in app.routes})


def _slug(response):
    assert response.headers["content-type"] == "application/problem+json"
    return response.json()["type"].rpartition(":")[2]


def test_the_expectations_cover_the_live_routes(guarded):
    """A route that is added is added here, with what opens it."""
    assert _paths(guarded) == sorted({path for _, path in OPEN | set(OPENED_BY)})


WRONG_KEYS = {
    "none": {},
    "unknown": _bearer("unknown"),
    "expired": _bearer("expired"),
    "revoked": _bearer("revoked"),
    "truncated": {"Authorization": f"Bearer {SECRETS['predict'][:-1]}"},
    "upper case": {"Authorization": f"Bearer {SECRETS['predict'].upper()}"},
    "another scheme": {"Authorization": f"Basic {SECRETS['predict']}"},
    "empty": {"Authorization": ""},
    "a megabyte": {"Authorization": "Bearer " + "x" * 2**20},
    "in a cookie": {"Cookie": f"key={SECRETS['predict']}"},
    "in another header": {"X-Api-Key": SECRETS["predict"]},
}


@pytest.mark.parametrize("headers", WRONG_KEYS.values(), ids=WRONG_KEYS)
def test_without_a_key_that_opens_only_the_open_list_answers(guarded, headers):
    """Every route and an unknown one, with every method: 401 and nothing done, but for the list."""
    for path in [*_paths(guarded), "/nothing", "/predict/", "//predict", "/PREDICT", "/predict;x", "/docs/../predict"]:
        for method in METHODS:
            response = guarded.request(method, path, json=PERSON, headers=headers)
            if (method, path) in OPEN:
                assert response.status_code == 200
            else:
                assert response.status_code == 401, (method, path)
                assert "Bearer" in response.headers["www-authenticate"]
                assert method == "HEAD" or _slug(response) in {"authentication-required", "invalid-key"}
    assert guarded.log.records == []


def test_a_key_opens_what_its_scope_says_and_nothing_else(guarded):
    """Each route with a key of each scope: answered, or 403 that names the scope it takes."""
    for (method, path), needed in OPENED_BY.items():
        for scope in KeyScope:
            response = guarded.request(method, path, json=PERSON, headers=_bearer(scope))
            if scope is needed:
                assert response.status_code not in {401, 403}
            else:
                assert (response.status_code, _slug(response)) == (403, "insufficient-scope")
                assert f'scope="{needed}"' in response.headers["www-authenticate"]


def test_wrong_methods_and_paths_open_nothing_to_any_key(guarded):
    """With a key, they are what they are without keys: 404 and 405, never a success or a redirect."""
    for path in [*_paths(guarded), "/nothing", "/predict/"]:
        for method in METHODS:
            if (method, path) in OPEN | set(OPENED_BY):
                continue
            response = guarded.request(method, path, json=PERSON, headers=_bearer("twin"))
            assert response.status_code in {404, 405}, (method, path)


def test_all_refused_keys_are_refused_alike(guarded):
    """Nobody learns which ids exist: body and headers are the same, but for the request's id."""
    told = set()
    for name in ("unknown", "expired", "revoked", "truncated"):
        response = guarded.post("/predict", PERSON, **WRONG_KEYS[name])
        headers = {key: value for key, value in response.headers.items() if key != "x-request-id"}
        told.add((response.text, str(sorted(headers.items()))))
    assert len(told) == 1


def test_two_keys_are_a_malformed_request(guarded):
    """Which of them counts would depend on who reads first."""
    both = [("Authorization", f"Bearer {SECRETS[name]}") for name in ("predict", "unknown")]
    response = guarded.request("POST", "/predict", json=PERSON, headers=both)
    assert (response.status_code, _slug(response)) == (400, "malformed-request")


def test_no_answer_repeats_a_key(guarded):
    """Neither a right nor a wrong one, in body or headers."""
    for name in SECRETS:
        response = guarded.post("/predict", PERSON, **_bearer(name))
        assert SECRETS[name][12:] not in response.text + str(response.headers)


def test_a_route_without_a_scope_ends_the_start():
    """Forgotten means closed, and found at once."""
    route = Route("/new", lambda _: None, methods=["GET"])
    check_declared([route], {("/new", "GET"): None, ("/new", "HEAD"): None})
    for routes, needs in (([route], {}), ([route], {("/new", "GET"): None}), ([Mount("/sub", routes=[route])], {})):
        with pytest.raises(ValueError, match="does not say which scope"):
            check_declared(routes, needs)


def test_the_description_says_which_routes_ask_for_a_key(server):
    """Clients are generated from it: what it calls open is open, and nothing else."""
    document = server.get("/openapi.json").json()
    assert document["components"]["securitySchemes"]["key"]["scheme"] == "bearer"
    described = {
        (method.upper(), path): "security" in operation
        for path, operations in document["paths"].items()
        for method, operation in operations.items()
    }
    assert {route for route, asks in described.items() if not asks} == OPEN & set(described)
    assert {route for route, asks in described.items() if asks} == set(OPENED_BY) & set(described)


def test_the_same_idempotency_key_of_two_callers_is_two_keys(guarded):
    """Nobody gets somebody else's answer by guessing what they called it."""
    ids = [
        guarded.post("/predict", PERSON, **_bearer(name), **{"Idempotency-Key": "k"}).json()["prediction_id"]
        for name in ("predict", "twin", "predict")
    ]
    assert ids[0] == ids[2] != ids[1]


@pytest.mark.usefixtures("still_second")
def test_a_key_is_slowed_to_its_own_rate(guarded):
    """Two at once, then 429 with the time to wait; another key is not slowed, and the log holds what was answered."""
    codes = [guarded.post("/predict", PERSON, **_bearer("slow")).status_code for _ in range(3)]
    refused = guarded.post("/predict", PERSON, **_bearer("slow"))
    assert codes == [200, 200, 429]
    assert _slug(refused) == "rate-limited"
    assert refused.headers["retry-after"] == "1"
    assert refused.headers["ratelimit-policy"] == '"requests";q=2;w=1'
    assert guarded.post("/predict", PERSON, **_bearer("predict")).status_code == 200
    assert len(guarded.log.records) == 3


@pytest.mark.usefixtures("still_second")
@pytest.mark.parametrize("fast_path", [True, False])
def test_an_address_is_slowed_where_there_are_no_keys(make_server_of, fast_path):
    """The open routes are not: whoever looks after the server must see that it lives. A fault counts once, too."""
    server = make_server_of(fast_path=fast_path, rate_per_s=3.0)
    codes = [server.post("/predict", body).status_code for body in (PERSON, {}, PERSON, PERSON)]
    assert codes == [200, 422, 200, 429]
    assert server.get("/readyz").status_code == 200


@pytest.mark.usefixtures("still_second")
@pytest.mark.parametrize("fast_path", [True, False])
def test_guessing_keys_is_slowed_by_address(make_server_of, fast_path):
    """Wrong keys take from the address, once a request; a right one from there is let in."""
    server = make_server_of(fast_path=fast_path, rate_per_s=3.0)
    server.door.ring = _ring(server.clock)
    codes = [server.post("/predict", PERSON, **_bearer("unknown")).status_code for _ in range(4)]
    assert codes == [401, 401, 401, 429]
    assert server.post("/predict", PERSON, **_bearer("predict")).status_code == 200


def test_a_key_ends_while_the_server_runs(make_server_of):
    """Its moment comes between two requests of one process."""
    server = make_server_of()
    at = server.clock.now()
    text = SECRETS["predict"]
    key = AccessKey(text[3:11], "shop", key_digest(text), frozenset(KeyScope), at, at + timedelta(milliseconds=100))
    server.door.ring = KeyRing([key])
    assert server.post("/predict", PERSON, **_bearer("predict")).status_code == 200
    server.clock.ticks += 100
    assert server.post("/predict", PERSON, **_bearer("predict")).status_code == 401


def test_without_keys_everything_is_as_easy_as_before(server):
    """On this machine, in a project without keys, nobody is asked."""
    assert server.door.admit(None, "127.0.0.1", KeyScope.PREDICT) == ANYBODY
    for method, path in OPENED_BY:
        assert server.request(method, path, json=PERSON).status_code not in {401, 403}


ORIGINS = ["http://evil.example", "null", "http://localhost:9999", "http://localhost", "https://localhost.evil.example",
           "http://localhost:8000@evil.example", "file://", "http://[::1", "é"]  # fmt: skip
SITES = ["cross-site", "same-site", "", "anything"]


@pytest.mark.parametrize("path", ["/predict", "/invocations", "/feedback"])
@pytest.mark.parametrize("content_type", ["application/json", "text/plain", "application/x-www-form-urlencoded"])
@pytest.mark.parametrize(
    "header", [*(("Origin", value) for value in ORIGINS), *(("Sec-Fetch-Site", value) for value in SITES)]
)
def test_a_page_of_another_site_changes_nothing(server, path, content_type, header):
    """Whatever the browser admits to, with whatever content type, through whichever route: no row, no answer."""
    headers = {"Content-Type": content_type, header[0]: header[1].encode()}
    for method in ("POST", "OPTIONS"):
        response = server.request(method, path, json=PERSON, headers=headers)
        assert (response.status_code, _slug(response)) == (403, "foreign-origin")
        assert not [name for name in response.headers if name.startswith("access-control")]
    assert server.log.records == []


@pytest.mark.parametrize("headers", [
    {"Origin": "http://localhost:8000"}, {"Origin": "HTTP://LOCALHOST:8000"}, {"Sec-Fetch-Site": "same-origin"},
    {"Sec-Fetch-Site": "none"}, {"Origin": "http://localhost:8000", "Sec-Fetch-Site": "same-origin"},
])  # fmt: skip
def test_our_own_page_is_answered(server, headers):
    """The docs page sends what browsers send from it."""
    assert server.post("/predict", PERSON, **headers).status_code == 200


@pytest.mark.parametrize("host", ["evil.example", "localhost.evil.example", "user@localhost", "127.0.0.1.evil.example",
                                  "0x7f.1", "2130706433", "localhost.", "", "[::1", "localhost:80:80"])  # fmt: skip
def test_another_name_reaches_nothing(server, host):
    """A name that is rebound to this machine is still not this machine's; one rule for all forms of it."""
    for path in ("/predict", "/feedback"):
        response = server.post(path, PERSON, Host=host)
        assert (response.status_code, _slug(response)) == (421, "misdirected-host")
    assert server.log.records == []


@pytest.mark.parametrize("path", ["/docs", "/docs/script.js", "/livez", "/health", "/nothing"])
def test_what_a_browser_may_show_runs_no_foreign_script_and_sits_in_no_frame(server, path):
    """Pages and all other answers of the framework carry the policy."""
    headers = server.get(path).headers
    policy = headers["content-security-policy"]
    assert "default-src 'self'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
    assert headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize("fast_path", [True, False])
def test_every_answer_carries_the_requests_id(make_server_of, fast_path):
    """The client's, when it is one; else a new one each time. Refusals have one, too."""
    server = make_server_of(fast_path=fast_path)
    assert server.post("/predict", PERSON, **{"X-Request-Id": "shop-1"}).headers["x-request-id"] == "shop-1"
    assert server.post("/predict", {}, **{"X-Request-Id": "shop-2"}).headers["x-request-id"] == "shop-2"
    made = [server.post("/predict", PERSON, **{"X-Request-Id": "a b"}).headers["x-request-id"] for _ in range(3)]
    assert len(set(made)) == 3
    assert "a b" not in made
    assert server.post("/predict", PERSON).headers["x-content-type-options"] == "nosniff"


@contextmanager
def _on_the_wire(server, run_server):
    with socket.create_server(("127.0.0.1", 0)) as listener, run_server(server.app, listener):
        yield httpx.Client(base_url=f"http://127.0.0.1:{listener.getsockname()[1]}")


@pytest.mark.parametrize("name", ["none", "unknown", "expired", "revoked", "in a cookie"])
def test_only_a_right_key_opens_the_direct_way_on_the_wire(guarded, run_server, name):
    """Over a socket, where small requests go past the application: refused, and nothing is logged."""
    with _on_the_wire(guarded, run_server) as wire, wire as http:
        for path in ("/predict", "/invocations"):
            assert http.post(path, json=PERSON, headers=WRONG_KEYS[name]).status_code == 401
        assert http.post("/predict", json=PERSON, headers=_bearer("feedback")).status_code == 403
        assert guarded.log.records == []
        answered = http.post("/predict", json=PERSON, headers=_bearer("predict") | {"X-Request-Id": "mine"})
        assert (answered.status_code, answered.headers["x-request-id"]) == (200, "mine")
    assert len(guarded.log.records) == 1


def test_a_key_is_slowed_on_the_wire_too_and_counted_once(guarded, run_server):
    """Two at once, then 429; a request that the direct way declines is not counted twice."""
    with _on_the_wire(guarded, run_server) as wire, wire as http:
        declined = http.post("/predict", json={**PERSON, "age": "old"}, headers=_bearer("slow"))
        codes = [http.post("/predict", json=PERSON, headers=_bearer("slow")).status_code for _ in range(2)]
    assert (declined.status_code, codes) == (422, [200, 429])
