"""How a server may be asked: the Host header, the site a browser asks from, the content type, the size of the body."""

from collections.abc import Set as AbstractSet
from urllib.parse import urlsplit

from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from vigie.api.errors import Meaning, RequestError, problem

LOOPBACK_HOSTS = frozenset({"localhost", "127.0.0.1", "[::1]"})
"""Names of this machine. Without this check, a page in a browser could ask a local server under its own name."""

BAD_HOST = Meaning(400, "malformed-request", "A request needs exactly one Host header")
WRONG_HOST = Meaning(421, "misdirected-host", "This server does not answer under that name")
FOREIGN = Meaning(403, "foreign-origin", "Pages of other sites may not ask this server")
WRONG_TYPE = Meaning(415, "unsupported-media-type", "The body must be JSON")
WRONG_ENCODING = Meaning(415, "unsupported-encoding", "The body must not be compressed")
TOO_LARGE = Meaning(413, "body-too-large", "The body is too large")
ABORTED = Meaning(400, "request-aborted", "The body never ended")


SAFE_METHODS = frozenset({"GET", "HEAD"})
"""Methods that change nothing. Without CORS headers, a page of another site cannot read their answers either."""

OWN_SITE = frozenset({b"same-origin", b"none"})
"""What browsers say in Sec-Fetch-Site of our own pages, and of what a person typed."""


class HostCheck:
    """An ASGI layer that answers under known names, and to no page of another site.

    Args:
        app: what it guards.
        hosts: names without ports, lower case; None lets every name in.
    """

    def __init__(self, app: ASGIApp, *, hosts: AbstractSet[str] | None) -> None:
        self._app = app
        self._hosts = hosts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or refuse it."""
        refusal = self._refusal(scope) if scope["type"] == "http" else None
        await (refusal or self._app)(scope, receive, send)

    def _refusal(self, scope: Scope) -> Response | None:
        named = [value for name, value in scope["headers"] if name == b"host"]
        if len(named) != 1:
            return problem(BAD_HOST)
        if self._hosts is not None and host_name(named[0].decode("latin-1")) not in self._hosts:
            return problem(WRONG_HOST, f"Ask under {', '.join(sorted(self._hosts))}, or add the name to serving.hosts.")
        if scope["method"] not in SAFE_METHODS and is_foreign(scope, named[0]):
            return problem(FOREIGN, "Ask from a page of this server, or from no page at all.")
        return None


def host_name(header: str) -> str:
    """Return the name in a Host header, lower case, without its port: names are compared, ports are not."""
    name, colon, port = header.rpartition(":")
    return (name if colon and port.isdecimal() else header).lower()


def is_foreign(scope: Scope, host: bytes) -> bool:
    """Whether a browser says that a page of another site asks.

    Args:
        scope: of the request.
        host: its Host header, one that this server answers to.
    """
    for name, value in scope["headers"]:
        if name == b"sec-fetch-site" and value not in OWN_SITE:
            return True
        if name == b"origin" and _authority(value) != host.lower():
            return True
    return False


def _authority(origin: bytes) -> bytes:
    """Return name and port of an origin; empty for ``null`` and whatever else is none."""
    try:
        return urlsplit(origin.decode("ascii")).netloc.lower().encode()
    except ValueError:
        return b""


async def read_body(request: Request, *, max_bytes: int, media_type: str = "application/json") -> bytes:
    """Return the body of a request that says it is JSON (or another type), and stop reading where it grows too large.

    Raises:
        RequestError: 415 for another type or a compressed body, 413 beyond ``max_bytes``.
    """
    _check_headers(request, max_bytes, media_type)
    body = bytearray()
    try:
        async for part in request.stream():
            body += part
            if len(body) > max_bytes:
                raise _too_large(max_bytes)
    except ClientDisconnect as exc:
        raise RequestError(ABORTED, "") from exc
    return bytes(body)


def _check_headers(request: Request, max_bytes: int, wanted: str) -> None:
    media_type, *parameters = (part.strip().lower() for part in request.headers.get("content-type", "").split(";"))
    charsets = [value.partition("=")[2].strip('"') for value in parameters if value.startswith("charset=")]
    if media_type != wanted or any(charset not in {"utf-8", "utf8"} for charset in charsets):
        raise RequestError(WRONG_TYPE, "Send Content-Type: application/json, in UTF-8.")
    if request.headers.get("content-encoding", "identity").strip().lower() not in {"", "identity"}:
        raise RequestError(WRONG_ENCODING, "Send the body as it is, without Content-Encoding.")
    declared = request.headers.get("content-length", "")
    if declared.isdecimal() and len(declared) < 20 and int(declared) > max_bytes:
        raise _too_large(max_bytes)


def _too_large(max_bytes: int) -> RequestError:
    # The rest of the body is not read: the connection cannot carry another request.
    detail = f"At most {max_bytes:,} bytes are read; send the rows in several requests."
    return RequestError(TOO_LARGE, detail, headers={"Connection": "close"})
