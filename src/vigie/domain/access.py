"""Access keys: who may ask a server, what for, and until when.

A key is ``vg_`` + 8 characters of id + ``_`` + 32 random bytes in hex + 8 hex digits of checksum. It is shown once;
what is kept is its SHA-256. A slow password hash would add nothing: nobody guesses 256 random bits, and every request
would pay for it. The checksum is for scanners that look for lost keys; the server needs only the digest.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from hashlib import sha256
from hmac import compare_digest
from zlib import crc32

PREFIX = "vg_"
ID_LENGTH = 8
SECRET_BYTES = 32

_ID = slice(len(PREFIX), len(PREFIX) + ID_LENGTH)
_NOBODY = bytes(32)


class KeyScope(StrEnum):
    """What a key opens."""

    PREDICT = "predict"
    FEEDBACK = "feedback"
    READ = "read"
    METRICS = "metrics"


@dataclass(frozen=True, slots=True)
class AccessKey:
    """What is kept of a key.

    Attributes:
        id: its public part, shown in lists and logs.
        name: whom or what it was made for.
        digest: SHA-256 of the whole key.
        scopes: what it opens, at least one.
        created_at: UTC.
        expires_at: UTC; None for never.
        revoked_at: UTC; None unless it was.
        rate_per_s: requests a second; None takes the server's limit.
    """

    id: str
    name: str
    digest: bytes
    scopes: frozenset[KeyScope]
    created_at: datetime
    expires_at: datetime | None = None
    revoked_at: datetime | None = None
    rate_per_s: float | None = None

    def __post_init__(self) -> None:
        if not self.scopes:
            raise ValueError("a key that opens nothing")
        for at in (self.created_at, self.expires_at, self.revoked_at):
            if at is not None and at.tzinfo is None:
                raise ValueError("times are aware")

    def state(self, at: datetime) -> str:
        """Return ``valid``, ``expired`` or ``revoked``."""
        if self.revoked_at is not None:
            return "revoked"
        return "expired" if self.expires_at is not None and at >= self.expires_at else "valid"


def key_text(key_id: str, secret: bytes) -> str:
    """Return the key that its holder sends.

    Args:
        key_id: 8 ASCII letters or digits.
        secret: 32 random bytes.
    """
    if len(key_id) != ID_LENGTH or not (key_id.isascii() and key_id.isalnum()) or len(secret) != SECRET_BYTES:
        raise ValueError("an id of 8 letters or digits, and 32 bytes")
    text = f"{PREFIX}{key_id}_{secret.hex()}"
    return f"{text}{crc32(text.encode()):08x}"


def key_digest(text: str) -> bytes:
    """Return what is kept of a key."""
    return sha256(text.encode()).digest()


class KeyRing:
    """All keys of a server, looked up by what a caller presents.

    Args:
        keys: in any state; ids differ.
    """

    def __init__(self, keys: Iterable[AccessKey]) -> None:
        self._keys = {key.id: key for key in keys}

    def find(self, presented: str, at: datetime) -> AccessKey | None:
        """Return the key that opens at ``at``, None for any other text.

        Known and unknown ids take the same path: one digest, one comparison in constant time.
        """
        key = self._keys.get(presented[_ID])
        same = compare_digest(key_digest(presented), _NOBODY if key is None else key.digest)
        return key if same and key is not None and key.state(at) == "valid" else None

    def any_valid(self, at: datetime) -> bool:
        """Whether anybody could be let in."""
        return any(key.state(at) == "valid" for key in self._keys.values())
