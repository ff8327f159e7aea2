"""An alert as a CloudEvent, and its signature.

Source:
    CloudEvents 1.0.2, JSON event format, structured mode; Standard Webhooks 1.0 (symmetric, ``v1``).
"""

import base64
import binascii
import hashlib
import hmac
import json
from datetime import datetime
from typing import Final

from vigie.domain.alert import Alert

CONTENT_TYPE: Final = "application/cloudevents+json; charset=utf-8"
PREFIX: Final = "whsec_"
"""What a secret begins with; the rest is the key in base64."""

_SHORTEST, _LONGEST = 24, 64


def cloud_event(alert: Alert, at: datetime) -> bytes:
    """Return an alert as the body of a request.

    Args:
        alert: the message.
        at: when it is sent, aware UTC.
    """
    live = [change for change in alert.changes if change.step.value != "resolved"]
    step = "resolved" if alert.resolved else live[0].step.value if live else "test"
    event = {
        "specversion": "1.0",
        "id": alert.id,
        "source": f"/vigie/{alert.model}",
        "type": f"vigie.alert.{step}",
        "time": at.isoformat().replace("+00:00", "Z"),
        "subject": alert.changes[0].alert if alert.changes else alert.model,
        "datacontenttype": "application/json",
        "data": {
            "model": alert.model,
            "version": alert.version,
            "severity": alert.severity.value,
            "title": alert.title,
            "body": alert.body,
            "alerts": [change.to_dict() for change in alert.changes],
        },
    }
    return json.dumps(event, ensure_ascii=False, allow_nan=False).encode()


def key_of(secret: str) -> bytes:
    """Return the key that a secret holds.

    Raises:
        ValueError: not ``whsec_`` and 24 to 64 bytes in base64.
    """
    if not secret.startswith(PREFIX):
        raise ValueError(f"it does not begin with {PREFIX}")
    try:
        key = base64.b64decode(secret[len(PREFIX) :], validate=True)
    except binascii.Error as exc:
        raise ValueError("it is not base64") from exc
    if not _SHORTEST <= len(key) <= _LONGEST:
        raise ValueError(f"its key has {len(key)} bytes, not {_SHORTEST} to {_LONGEST}")
    return key


def secret_of(key: bytes) -> str:
    """Return a key as its holders write it; the inverse of ``key_of``."""
    return PREFIX + base64.b64encode(key).decode()


def signed_headers(key: bytes, identity: str, sent_at_s: int, body: bytes) -> dict[str, str]:
    """Return the three headers by which a receiver knows who sent a body, when, and whether it had it before.

    Args:
        key: shared with the receiver.
        identity: of the message, the same at every try.
        sent_at_s: seconds since 1970, of this try.
        body: as it is sent.
    """
    signed = f"{identity}.{sent_at_s}.".encode() + body
    signature = base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
    return {"webhook-id": identity, "webhook-timestamp": str(sent_at_s), "webhook-signature": f"v1,{signature}"}
