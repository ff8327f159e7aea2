"""How long-running commands log: nothing of a submitted row, and no way to forge a line."""

import json
import logging
import sys
import traceback
from datetime import UTC, datetime
from typing import Any, Literal

from vigie.api.exchange import REQUEST_ID, TRACE_ID
from vigie.errors import VigieError

TEXT = "%(asctime)s %(levelname)s %(name)s: %(message)s"


def log_to_stderr() -> None:
    """Log Vigie's own words at INFO and those of libraries at WARNING, one line each."""
    start_log("text", requests=False)


def start_log(how: Literal["text", "json"], *, requests: bool) -> None:
    """Start logging.

    Args:
        how: ``text`` to standard error, or ``json`` to standard output, one object a line.
        requests: whether every request is a line.
    """
    handler = logging.StreamHandler(sys.stdout if how == "json" else sys.stderr)
    handler.setFormatter(JsonLines() if how == "json" else Lines(TEXT))
    logging.basicConfig(level=logging.WARNING, handlers=[handler])
    logging.getLogger("vigie").setLevel(logging.INFO)
    logging.getLogger("urllib3").setLevel(logging.ERROR)  # one line a retry; what fails in the end, Vigie says once
    logging.getLogger("vigie.requests").setLevel(logging.INFO if requests else logging.WARNING)


class Lines(logging.Formatter):
    """Text, with control characters written out: a name cannot start a line of its own."""

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 - the standard library's name
        """Return the line."""
        record.message = "".join(c if c.isprintable() else ascii(c)[1:-1] for c in record.message)
        return super().formatMessage(record)

    def formatException(self, ei: Any) -> str:  # noqa: N802 - the standard library's name
        """Return where an error came from, without its words: they may repeat a row."""
        return places(ei[1])


class JsonLines(logging.Formatter):
    """One JSON object a line, in ASCII: control characters, and those that turn text around, are escaped."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the object: when, how serious, who says what, during which request, and the fields of the line."""
        said: dict[str, Any] = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        if request_id := REQUEST_ID.get():
            said["request_id"] = request_id
        if trace_id := TRACE_ID.get():
            said["trace_id"] = trace_id
        said |= getattr(record, "vigie", {})
        if record.exc_info and record.exc_info[1] is not None:
            said["error"] = places(record.exc_info[1])
        return json.dumps(said, ensure_ascii=True, default=str)


def places(error: BaseException | None) -> str:
    """Return the kinds of an error and of its causes, with the places they passed, but not what they say.

    An error of a library may quote the value that it could not digest; Vigie's own never do, and are quoted in full.
    """
    parts: list[str] = []
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        told = f": {error}" if isinstance(error, VigieError) else ""
        parts.append("".join(traceback.format_tb(error.__traceback__)) + type(error).__qualname__ + told)
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    return "\n\ncaused by\n\n".join(parts)
