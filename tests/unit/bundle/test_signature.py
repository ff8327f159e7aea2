"""A signature counts for one manifest, by one key, for one purpose."""

import base64

import pytest

from vigie.bundle import ed25519
from vigie.bundle.members import read_members, signed
from vigie.bundle.signature import SIGNATURE, check_signature, new_key, read_key, sign_manifest
from vigie.bundle.trust import Trust
from vigie.errors import UnknownSignerError, UnsignedBundleError, WrongSignatureError

# RFC 8032, section 7.1, test 2: private key, public key, message, signature.
RFC_PRIVATE = "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb"
RFC_PUBLIC = "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c"
RFC_MESSAGE = "72"
RFC_SIGNATURE = (
    "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da"
    "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00"
)
PKCS8 = "302e020100300506032b657004220420"
"""What RFC 8410 puts before the 32 bytes of a private key."""


@pytest.fixture
def key():
    """Return a fresh key."""
    return new_key()[0]


def _trusting(*keys):
    return Trust(signed_only=True, keys=frozenset(key.public for key in keys))


def test_the_signature_is_that_of_the_standard():
    """The vector of RFC 8032, through our own reading of keys and lines."""
    body = base64.b64encode(bytes.fromhex(PKCS8 + RFC_PRIVATE)).decode()
    found = read_key(f"-----BEGIN PRIVATE KEY-----\n{body}\n-----END PRIVATE KEY-----\n".encode())
    public = "ed25519:" + base64.b64encode(bytes.fromhex(RFC_PUBLIC)).decode()
    message, signature = bytes.fromhex(RFC_MESSAGE), bytes.fromhex(RFC_SIGNATURE)
    assert (found.public, found.sign(message)) == (public, signature)
    assert ed25519.verify(public, signature, message)
    assert not ed25519.verify(public, signature, message + b"x")


def test_a_signed_bundle_opens_where_signatures_are_required(maker, key):
    """With several trusted keys, as while they are being changed, any one of them is enough."""
    members = signed(maker.members(), key)
    assert set(members) == {*maker.members(), SIGNATURE}
    assert read_members(members, trust=_trusting(new_key()[0], key)).manifest.name == "people"


def test_a_key_comes_back_from_its_file(key):
    """The private half as PEM makes the same signatures."""
    made, pem = new_key()
    assert sign_manifest(b"{}", read_key(pem)) == sign_manifest(b"{}", made) != sign_manifest(b"{}", key)


def test_nobody_is_asked_where_none_is_required(key):
    """A signature that does not count, or none, is no fault then."""
    for signature in (None, b"", sign_manifest(b"other", key)):
        check_signature(b"{}", signature, Trust(keys=frozenset({key.public})))


def test_each_way_of_not_counting_has_its_own_error(key):
    """None, a stranger's, and one of another manifest."""
    with pytest.raises(UnsignedBundleError):
        check_signature(b"{}", None, _trusting(key))
    stranger = new_key()[0]
    with pytest.raises(UnknownSignerError) as caught:
        check_signature(b"{}", sign_manifest(b"{}", stranger), _trusting(key))
    assert caught.value.signer == stranger.public
    with pytest.raises(WrongSignatureError) as wrong:
        check_signature(b"{} ", sign_manifest(b"{}", key), _trusting(key))
    assert wrong.value.signer == key.public


@pytest.mark.parametrize("pem", [b"", b"hello", b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"])
def test_what_is_no_key_is_said_to_be_none(pem):
    """For the adapter to put into a sentence."""
    with pytest.raises(ValueError, match=r"\w"):
        read_key(pem)
