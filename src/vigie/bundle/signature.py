"""Who vouches for a bundle: an Ed25519 signature over the exact bytes of its manifest.

The manifest holds the digest of every other member, so one signature covers them all. It is checked before the manifest
is parsed. What is signed begins with words that say what it is: a signature made here means nothing elsewhere, and none
made elsewhere means anything here.
"""

import base64
import re
from typing import TYPE_CHECKING, Protocol

from vigie.bundle.trust import Trust
from vigie.errors import BundleError, SignatureError, UnknownSignerError, UnsignedBundleError, WrongSignatureError

if TYPE_CHECKING:
    from types import ModuleType

SIGNATURE = "manifest.sig"
"""The member that holds it, beside the manifest, which does not list it."""

MAX_SIGNATURE_BYTES = 1024
PUBLIC_KEY = r"ed25519:[A-Za-z0-9+/]{43}="
"""What a public key looks like: one line, as settings hold it."""

_PURPOSE = b"vigie bundle manifest, signature 1\n"
_LINE = re.compile(rf"vigie-signature-1 (?P<key>{PUBLIC_KEY}) (?P<value>[A-Za-z0-9+/]{{86}}==)\n".encode())


class Signer(Protocol):
    """A private key that is at hand."""

    @property
    def public(self) -> str:
        """Its public half, one line."""
        ...

    def sign(self, message: bytes) -> bytes:
        """Return the 64 bytes of a signature."""
        ...


def sign_manifest(manifest: bytes, signer: Signer) -> bytes:
    """Return the member ``SIGNATURE`` for a manifest: one line with the public key and the signature."""
    value = base64.b64encode(signer.sign(_PURPOSE + manifest)).decode()
    return f"vigie-signature-1 {signer.public} {value}\n".encode()


def check_signature(manifest: bytes, signature: bytes | None, trust: Trust) -> None:
    """Do nothing when the manifest is signed as ``trust`` asks, or when it does not ask.

    Raises:
        UnsignedBundleError: there is no signature.
        UnknownSignerError: it was made with a key that is not trusted.
        WrongSignatureError: it was made over another manifest.
        SignatureError: it is no signature.
    """
    if not trust.signed_only:
        return
    if signature is None:
        raise UnsignedBundleError
    found = _LINE.fullmatch(signature)
    if found is None:
        raise SignatureError(
            f"{SIGNATURE} does not hold a signature that this Vigie reads.", remedy="Sign the bundle again."
        )
    key = found["key"].decode()
    if key not in trust.keys:
        raise UnknownSignerError(key)
    if not _ed25519().verify(key, base64.b64decode(found["value"]), _PURPOSE + manifest):
        raise WrongSignatureError(key)


def new_key() -> "tuple[Signer, bytes]":
    """Return a fresh key and its private half as PEM, unencrypted."""
    key = _ed25519().SigningKey.generate()
    return key, key.to_pem()


def read_key(pem: bytes) -> Signer:
    """Return the key that ``new_key`` wrote.

    Raises:
        ValueError: it is no Ed25519 private key in PEM, or it is locked by a pass phrase.
    """
    key: Signer = _ed25519().SigningKey.from_pem(pem)
    return key


def _ed25519() -> "ModuleType":
    try:
        from vigie.bundle import ed25519  # noqa: PLC0415 - brings a library that only signatures need
    except ImportError as exc:
        raise BundleError(
            "Signatures need the package `cryptography`, which is not installed here.", remedy="Install it."
        ) from exc
    return ed25519
