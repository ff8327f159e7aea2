"""``Idempotency-Key``: the same request under the same key gets the answer it got before, and counts once."""

import hashlib
from dataclasses import dataclass
from typing import NamedTuple

from vigie.api.errors import Meaning, RequestError
from vigie.ports import Replay

HEADER = b"idempotency-key"

MAX_KEY = 255

BAD_KEY = Meaning(400, "invalid-idempotency-key", "The Idempotency-Key cannot be used")
REUSED = Meaning(422, "idempotency-key-reuse", "The Idempotency-Key belongs to another request")


class Answer(NamedTuple):
    """A body, and whether it was given before."""

    body: bytes
    replayed: bool


@dataclass(frozen=True, slots=True)
class Retry:
    """A request that may be sent again.

    Attributes:
        key: who asks and under which key.
        digest: SHA-256 of method, path and body.
        content_type: of its answer.
    """

    key: str
    digest: bytes
    content_type: str

    def replay(self, response: bytes) -> Replay:
        """Return what the log keeps beside the rows."""
        return Replay(self.key, self.digest, response, self.content_type)

    def again(self, earlier: Replay) -> Answer:
        """Return the answer that was given before.

        Raises:
            RequestError: it answered another request.
        """
        if earlier.request_digest != self.digest:
            raise RequestError(REUSED, "Give every request a key of its own; only a retry has the same.")
        return Answer(earlier.response, replayed=True)


def read_retry(key: bytes, path: str, body: bytes, content_type: str = "application/json", *, who: str = "") -> Retry:
    """Return the retry that a header asks for.

    Args:
        key: the header's value.
        path: of the request.
        body: idem.
        content_type: of the answer.
        who: the id of the caller's access key: the same Idempotency-Key of two callers is two keys.

    Raises:
        RequestError: the key is empty, too long, or not made of visible ASCII characters.
    """
    if not 0 < len(key) <= MAX_KEY or not all(0x20 < character < 0x7F for character in key):
        raise RequestError(BAD_KEY, f"Send 1 to {MAX_KEY} visible ASCII characters, such as a UUID.")
    digest = hashlib.sha256(b"POST %s\n%s" % (path.encode(), body)).digest()
    return Retry(f"{who}:{key.decode()}", digest, content_type)
