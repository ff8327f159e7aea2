"""Access keys: how they are written, and which of them open."""

import hashlib
import zlib
from datetime import UTC, datetime, timedelta

import pytest

from vigie.domain.access import AccessKey, KeyRing, KeyScope, key_digest, key_text

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
TEXT = key_text("abcd2345", bytes(range(32)))
PREDICT = frozenset({KeyScope.PREDICT})


def _key(**changed):
    return AccessKey(**{"id": "abcd2345", "name": "shop", "digest": key_digest(TEXT), "scopes": PREDICT,
                        "created_at": NOW} | changed)  # fmt: skip


def test_a_key_says_what_it_is():
    """Prefix, id, 32 bytes and a checksum that a scanner can verify without asking anybody."""
    body, checksum = TEXT[:-8], TEXT[-8:]
    assert body == "vg_abcd2345_" + bytes(range(32)).hex()
    assert int(checksum, 16) == zlib.crc32(body.encode())


def test_what_is_kept_is_sha_256_of_all_of_it():
    """The digest is the one that any other program computes."""
    assert key_digest(TEXT) == hashlib.sha256(TEXT.encode()).digest()


@pytest.mark.parametrize(("key_id", "secret"), [("short", bytes(32)), ("abcd234é", bytes(32)), ("abcd2345", bytes(31))])
def test_a_key_of_another_form_is_not_made(key_id, secret):
    """A wrong length or alphabet is a programmer's mistake."""
    with pytest.raises(ValueError, match="32 bytes"):
        key_text(key_id, secret)


def test_the_ring_finds_the_key_that_was_made():
    """The whole text opens."""
    assert KeyRing([_key()]).find(TEXT, NOW) == _key()


OTHERS = {
    "nothing": "",
    "the id": "abcd2345",
    "truncated": TEXT[:-1],
    "longer": TEXT + "0",
    "upper case": TEXT.upper(),
    "another checksum": TEXT[:-8] + "00000000",
    "another secret": key_text("abcd2345", bytes(32)),
    "another id": key_text("zzzz2345", bytes(range(32))),
    "a space before": " " + TEXT,
    "a line after": TEXT + "\n",
    "not ASCII": TEXT.replace("a", "á"),
    "the digest": key_digest(TEXT).hex(),
}


@pytest.mark.parametrize("text", OTHERS.values(), ids=OTHERS)
def test_no_other_text_opens(text):
    """Whatever differs in one character is no key."""
    assert KeyRing([_key()]).find(text, NOW) is None


def test_an_expired_key_opens_until_its_moment_and_not_at_it():
    """The end is not part of its life."""
    ring = KeyRing([_key(expires_at=NOW)])
    assert ring.find(TEXT, NOW - timedelta(microseconds=1)) is not None
    assert ring.find(TEXT, NOW) is None
    assert not ring.any_valid(NOW)


def test_a_revoked_key_opens_at_no_time():
    """Not even before its revocation: clocks go back, too."""
    ring = KeyRing([_key(revoked_at=NOW)])
    assert ring.find(TEXT, NOW - timedelta(days=1)) is None


def test_a_key_opens_something_and_knows_its_zone():
    """Keys without a scope, and naive times, are refused where they are made."""
    with pytest.raises(ValueError, match="opens nothing"):
        _key(scopes=frozenset())
    with pytest.raises(ValueError, match="aware"):
        _key(expires_at=NOW.replace(tzinfo=None))
