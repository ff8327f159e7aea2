"""Who may ask, and how: the Host header, the content type, and the size of the body."""

from collections.abc import Collection
from collections.abc import Set as AbstractSet

from starlette.requests import ClientDisconnect, Request
from starlette.types import ASGIApp, Receive, Scope, Send

from vigie.api.errors import Meaning, RequestError, problem

LOOPBACK_HOSTS = frozenset({"localhost", "127.0.0.1", "[::1]"})
"""Names of this machine. Without this check, a page in a browser could ask a local server under its own name."""

BAD_HOST = Meaning(400, "malformed-request", "A request needs exactly one Host header")
WRONG_HOST = Meaning(421, "misdirected-host", "This server does not answer under that name")
WRONG_TYPE = Meaning(415, "unsupported-media-type", "The body must be JSON")
WRONG_ENCODING = Meaning(415, "unsupported-encoding", "The body must not be compressed")
TOO_LARGE = Meaning(413, "body-too-large", "The body is too large")
ABORTED = Meaning(400, "request-aborted", "The body never ended")


class HostCheck:
    """An ASGI layer that answers under known names only.

    Args:
        app: what it guards.
        hosts: names without ports, lower case; None lets every name in.
    """

    def __init__(self, app: ASGIApp, *, hosts: AbstractSet[str] | None) -> None:
        self._app = app
        self._hosts = hosts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or refuse it."""
        if scope["type"] == "http" and self._hosts is not None:
            named = [value.decode("latin-1") for key, value in scope["headers"] if key == b"host"]
            if len(named) != 1:
                await problem(BAD_HOST)(scope, receive, send)
                return
            if host_name(named[0]) not in self._hosts:
                detail = f"Ask under {', '.join(sorted(self._hosts))}, or add the name to serving.hosts."
                await problem(WRONG_HOST, detail)(scope, receive, send)
                return
        await self._app(scope, receive, send)


def host_name(header: str) -> str:
    """Return the name in a Host header, lower case, without its port: names are compared, ports are not."""
    name, colon, port = header.rpartition(":")
    return (name if colon and port.isdecimal() else header).lower()


async def read_body(request: Request, *, max_bytes: int, media_types: Collection[str] = ("application/json",)) -> bytes:
    """Return the body of a request that says it is JSON (or of other types), and stop reading where it grows too large.

    Raises:
        RequestError: 415 for another type or a compressed body, 413 beyond ``max_bytes``.
    """
    _check_headers(request, max_bytes, media_types)
    body = bytearray()
    try:
        async for part in request.stream():
            body += part
            if len(body) > max_bytes:
                raise _too_large(max_bytes)
    except ClientDisconnect as exc:
        raise RequestError(ABORTED, "") from exc
    return bytes(body)


def _check_headers(request: Request, max_bytes: int, wanted: Collection[str]) -> None:
    media_type, *parameters = (part.strip().lower() for part in request.headers.get("content-type", "").split(";"))
    charsets = [value.partition("=")[2].strip('"') for value in parameters if value.startswith("charset=")]
    if media_type not in wanted or any(charset not in {"utf-8", "utf8"} for charset in charsets):
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
