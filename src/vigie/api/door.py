"""Who is let in: the key a caller presents, what it opens, and how often.

Everything is closed unless it says what opens it: a route without a line in the table of scopes ends the start.
"""

import math
from collections.abc import Mapping, Sequence
from datetime import datetime
from time import monotonic
from typing import NamedTuple

from starlette.routing import BaseRoute, Match, Route
from starlette.types import ASGIApp, Receive, Scope, Send

from vigie.api.errors import Meaning, RequestError, on_request_error
from vigie.api.rates import Buckets
from vigie.domain.access import KeyRing, KeyScope
from vigie.ports import Clock

NO_KEY = Meaning(401, "authentication-required", "This server asks for an access key")
WRONG_KEY = Meaning(401, "invalid-key", "This access key does not open anything here")
WRONG_SCOPE = Meaning(403, "insufficient-scope", "This access key does not open this")
TWO_KEYS = Meaning(400, "malformed-request", "A request has at most one Authorization header")
TOO_OFTEN = Meaning(429, "rate-limited", "Too many requests")

BEARER = b"bearer "
MAX_KEY_BYTES = 256
"""No key is as long; what is longer is not even looked at."""

VERDICT = "vigie.verdict"
"""Where an ASGI scope keeps what the door said, so that nobody is asked, or counted, twice."""


class Caller(NamedTuple):
    """Who asks: a key's id, empty where nobody is asked for a key."""

    key_id: str


ANYBODY = Caller("")

Verdict = Caller | RequestError
"""Who is let in, or why nobody is."""

Needs = Mapping[tuple[str, str], KeyScope | None]
"""What opens a route, by path and method; None for what is open to all."""


class Door:
    """Lets callers in, or says why not.

    Args:
        clock: says what has expired.
        ring: the keys; None asks nobody for one. Replaced whole when the keys change.
        rate_per_s: requests a second by key, or by address where there is no key; None for any number.
    """

    def __init__(self, clock: Clock, *, ring: KeyRing | None = None, rate_per_s: float | None = None) -> None:
        self._clock = clock
        self.ring = ring
        self._rate_per_s = rate_per_s
        self._buckets = Buckets()
        self.used: dict[str, datetime] = {}

    def admit(self, authorization: bytes | None, address: str, needed: KeyScope | None) -> Verdict:
        """Return who asks, or why they may not.

        Args:
            authorization: the header's value.
            address: where the request comes from.
            needed: what opens the route; None where any key will do, because there is nothing behind.
        """
        ring = self.ring
        if ring is None:
            if self._rate_per_s is None:
                return ANYBODY
            return self._paced(f"address {address}", self._rate_per_s, ANYBODY)
        at = self._clock.now()
        key = ring.find(_presented(authorization), at)
        if key is None:
            refused = _unknown(NO_KEY if authorization is None else WRONG_KEY)
            return self._paced(f"address {address}", self._rate_per_s, refused)
        self.used[key.id] = at
        verdict = Caller(key.id) if needed is None or needed in key.scopes else _closed(needed)
        return self._paced(key.id, key.rate_per_s or self._rate_per_s, verdict)

    def _paced(self, who: str, per_s: float | None, verdict: Verdict) -> Verdict:
        if per_s is None or not (wait := self._buckets.take(who, per_s, monotonic())):
            return verdict
        limit = max(1, int(per_s))
        headers = {
            "Retry-After": str(math.ceil(wait)),
            "RateLimit-Policy": f'"requests";q={limit};w={math.ceil(limit / per_s)}',
            "RateLimit": f'"requests";r=0;t={math.ceil(wait)}',
        }
        return RequestError(TOO_OFTEN, f"At most {per_s:g} requests a second are answered.", headers=headers)


class Guard:
    """The ASGI layer that asks at the door before a route is entered.

    Args:
        app: what it guards.
        door: who is let in.
        routes: the live routes.
        needs: what opens each.
    """

    def __init__(self, app: ASGIApp, *, door: Door, routes: Sequence[BaseRoute], needs: Needs) -> None:
        self._app = app
        self._door = door
        self._routes = routes
        self._needs = needs

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or refuse it."""
        if scope["type"] == "http":
            if VERDICT not in scope:
                scope[VERDICT] = self._verdict(scope)
            if isinstance(verdict := scope[VERDICT], RequestError):
                await on_request_error(None, verdict)(scope, receive, send)
                return
        await self._app(scope, receive, send)

    def _verdict(self, scope: Scope) -> Caller | RequestError:
        given = [value for name, value in scope["headers"] if name == b"authorization"]
        if len(given) > 1:
            return RequestError(TWO_KEYS, "Send the key once.")
        needed: KeyScope | None = None
        for route in self._routes:
            if isinstance(route, Route) and route.matches(scope)[0] is Match.FULL:
                needed = self._needs[route.path, scope["method"]]
                if needed is None:
                    return ANYBODY
                break
        return self._door.admit(given[0] if given else None, address_of(scope), needed)


def check_declared(routes: Sequence[BaseRoute], needs: Needs) -> None:
    """Check that every route says what opens it: a server with a forgotten one does not start.

    Raises:
        ValueError: one does not.
    """
    for route in routes:
        methods = sorted(route.methods or ()) if isinstance(route, Route) else []
        path = getattr(route, "path", repr(route))
        if not methods or any((path, method) not in needs for method in methods):
            raise ValueError(f"the route {path} does not say which scope opens it")


def caller_of(scope: Scope) -> Caller:
    """Return who asks, as the door found."""
    verdict = scope.get(VERDICT)
    return verdict if isinstance(verdict, Caller) else ANYBODY


def address_of(scope: Scope) -> str:
    """Return where a request comes from; with a trusted proxy in front, what that says."""
    client = scope.get("client")
    return client[0] if client else ""


def _presented(authorization: bytes | None) -> str:
    """Return the key in an Authorization header, empty for another scheme: it is looked up like any other."""
    if authorization is None or len(authorization) > MAX_KEY_BYTES or authorization[:7].lower() != BEARER:
        return ""
    return authorization[7:].decode("latin-1")


def _unknown(meaning: Meaning) -> RequestError:
    challenge = 'Bearer realm="vigie"' + (', error="invalid_token"' if meaning is WRONG_KEY else "")
    detail = "Send Authorization: Bearer KEY; `vigie keys new` makes one."
    return RequestError(meaning, detail, headers={"WWW-Authenticate": challenge})


def _closed(needed: KeyScope) -> RequestError:
    headers = {"WWW-Authenticate": f'Bearer realm="vigie", error="insufficient_scope", scope="{needed}"'}
    return RequestError(WRONG_SCOPE, f"It takes a key with the scope {needed}.", headers=headers)
