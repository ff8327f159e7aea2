"""The process that sends one message: a job comes in as JSON, what went wrong goes out as JSON.

It holds a channel's secret and nothing else of Vigie; whatever a library does in here ends with the process, at the
latest when its parent's patience does.
"""

import base64
import json
import logging
import resource
import sys
import time
from contextlib import suppress
from typing import Any, Final

import apprise
import httpx

from vigie.adapters.notifiers.cloudevents import CONTENT_TYPE, signed_headers
from vigie.adapters.notifiers.guard import guard

_PAUSES_S: Final = (0.5, 1.0, 2.0, 4.0, 8.0)
_MOST_BYTES: Final = 1 << 30  # of memory: libraries read an answer whole, however long it is
_AGAIN: Final = frozenset({408, 425, 429})


def main() -> None:
    """Send what standard input asks for; write ``{"trouble": ...}`` to standard output, empty when it was delivered."""
    job = json.load(sys.stdin)
    with suppress(OSError, ValueError):  # a lower limit is set already, or the system knows none
        resource.setrlimit(resource.RLIMIT_AS, (_MOST_BYTES, _MOST_BYTES))
    out, sys.stdout = sys.stdout, sys.stderr  # a library that prints must not spoil the answer
    logging.disable()  # what libraries log may hold an address with a password in it
    json.dump({"trouble": deliver(job)}, out)


def deliver(job: dict[str, Any]) -> str:
    """Send one message; return what went wrong, without a word of the channel's address."""
    refused = guard(allow_private=job["allow_private"])
    try:
        trouble = _by_webhook(job, refused) if job["kind"] == "webhook" else _by_apprise(job)
    except Exception as exc:  # noqa: BLE001  the promise kept here: no error of a library tells a secret, or stops the loop
        trouble = f"It failed ({type(exc).__name__})."
    return refused[0] if trouble and refused else trouble


def _by_apprise(job: dict[str, Any]) -> str:
    channel = apprise.Apprise(asset=apprise.AppriseAsset(app_id="Vigie", app_desc="Vigie", storage_mode="memory"))
    if not channel.add(job["url"]):
        return "Apprise does not understand its address."
    kind = {"page": "failure", "notice": "warning", "resolved": "success"}[job["word"]]
    text = apprise.NotifyFormat.TEXT  # names of features are words, never markup
    taken = channel.notify(body=job["body"], title=job["title"], notify_type=kind, body_format=text)
    return "" if taken else "It could not be reached, or did not take the message."


def _by_webhook(job: dict[str, Any], refused: list[str]) -> str:
    """Send a signed body, again and again while the receiver is busy or away, until the time is up."""
    until = time.monotonic() + job["seconds"]
    body, key = base64.b64decode(job["body"]), base64.b64decode(job["key"])
    trouble = ""
    with httpx.Client(follow_redirects=False, trust_env=False) as client:
        for pause_s in _PAUSES_S:
            trouble, again = _try(client, job, body, signed_headers(key, job["id"], int(time.time()), body))
            if not again or refused or time.monotonic() + pause_s > until:
                return trouble
            time.sleep(pause_s)
    return trouble


def _try(client: httpx.Client, job: dict[str, Any], body: bytes, headers: dict[str, str]) -> tuple[str, bool]:
    """Send once; return what went wrong, and whether another try may go better."""
    try:
        # The answer's body is not read: only its status means something, and a body may be without end.
        with client.stream(
            "POST",
            job["url"],
            content=body,
            headers={"content-type": CONTENT_TYPE, **headers},
            timeout=job["seconds"],
        ) as answer:
            code = answer.status_code
    except httpx.TransportError as exc:
        return f"It cannot be reached ({type(exc).__name__}).", True
    if httpx.codes.is_success(code):
        return "", False
    return f"It answered {code}.", code >= 500 or code in _AGAIN


if __name__ == "__main__":
    main()
