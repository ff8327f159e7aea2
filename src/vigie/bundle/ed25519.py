"""Ed25519 through ``cryptography``: the one file that imports it, when a signature is made or checked and not before.

Source:
    RFC 8032, Edwards-Curve Digital Signature Algorithm.
"""

import base64

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

_PREFIX = "ed25519:"


class SigningKey:
    """A private key in memory."""

    def __init__(self, key: Ed25519PrivateKey) -> None:
        self._key = key

    @classmethod
    def generate(cls) -> "SigningKey":
        """Return a fresh key, from the operating system's randomness."""
        return cls(Ed25519PrivateKey.generate())

    @classmethod
    def from_pem(cls, pem: bytes) -> "SigningKey":
        """Read a private key.

        Raises:
            ValueError: it is none, of another kind, or locked by a pass phrase.
        """
        try:
            key = load_pem_private_key(pem, password=None)
        except (TypeError, UnsupportedAlgorithm) as exc:  # TypeError: a pass phrase is wanted
            raise ValueError(str(exc)) from exc
        if not isinstance(key, Ed25519PrivateKey):
            raise ValueError(f"a {type(key).__name__}, not an Ed25519 key")  # noqa: TRY004 - the file is wrong, not a type
        return cls(key)

    def to_pem(self) -> bytes:
        """Return the private key as PKCS #8 in PEM, unencrypted: what openssl reads too."""
        return self._key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())

    @property
    def public(self) -> str:
        """The public half, one line."""
        return _PREFIX + base64.b64encode(self._key.public_key().public_bytes_raw()).decode()

    def sign(self, message: bytes) -> bytes:
        """Return the 64 bytes of a signature."""
        return self._key.sign(message)


def verify(public: str, signature: bytes, message: bytes) -> bool:
    """Whether ``signature`` was made over ``message`` with the private half of ``public``."""
    key = Ed25519PublicKey.from_public_bytes(base64.b64decode(public.removeprefix(_PREFIX)))
    try:
        key.verify(signature, message)
    except InvalidSignature:
        return False
    return True
