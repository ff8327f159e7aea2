"""Who may reach a server: what is checked before it listens, and the keys, read again whenever they change."""

import ipaddress
import itertools
import logging
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from vigie.adapters.access_keys import AccessKeyFile
from vigie.adapters.clock import SystemClock
from vigie.api.door import Door
from vigie.api.server import Transport
from vigie.domain.access import KeyRing
from vigie.errors import ConfigurationError, StorageError, VigieError
from vigie.settings import Settings
from vigie.wiring.repeating import repeating

logger = logging.getLogger("vigie.access")

LOOK_EVERY_S = 0.5
"""How often the keys are looked at: a revoked one opens nothing after twice that."""

NOTE_EVERY = 10
"""Looks between two notes of when keys were last used."""

NOBODY = KeyRing(())


def is_loopback(host: str) -> bool:
    """Whether an address is reached from this machine only; a name other than ``localhost`` may be anything."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def open_door(settings: Settings, keys: AccessKeyFile) -> Door:
    """Return the door of a server that is about to listen.

    From the first key on, keys are asked for everywhere, also on this machine, and also when all are revoked.

    Raises:
        ConfigurationError: it would listen beyond this machine with nobody asked for a key, or without TLS.
        StorageError: the keys cannot be read.
    """
    clock, access = SystemClock(), settings.access
    ring = KeyRing(keys.read()) if keys.stamp() is not None else None
    if not is_loopback(settings.serving.host):
        _check_exposure(settings, has_keys=ring is not None and ring.any_valid(clock.now()))
    return Door(clock, ring=ring, rate_per_s=access.rate_per_s)


def transport_of(settings: Settings) -> Transport:
    """Return how clients reach the server.

    Raises:
        ConfigurationError: certificate or key cannot be used, or a proxy is no address.
    """
    access = settings.access
    for proxy in access.behind_proxy:
        if not _is_narrow(proxy):
            raise ConfigurationError(
                f"{proxy!r} is no address and no network of proxies.",
                key="access.behind_proxy",
                remedy="Write the proxy's own, such as 10.0.0.5 or 10.0.0.0/24; anybody else may say what they like.",
            )
    if access.tls_certificate is None and access.tls_key is None:
        return Transport(proxies=access.behind_proxy)
    if access.tls_certificate is None or access.tls_key is None:
        raise ConfigurationError(
            "TLS takes a certificate and its key.",
            key="access.tls_key" if access.tls_key is None else "access.tls_certificate",
            remedy="Name both files, or neither.",
        )
    certificate, key = (
        settings.folder / Path(named).expanduser() for named in (access.tls_certificate, access.tls_key)
    )
    try:
        ssl.create_default_context(ssl.Purpose.CLIENT_AUTH).load_cert_chain(certificate, key, password=_no_password)
    except (OSError, ValueError) as exc:
        raise ConfigurationError(
            f"The certificate {certificate} and the key {key} cannot be used: {exc}.",
            key="access.tls_certificate",
            remedy="Both are PEM files; the key has no password and belongs to the first certificate.",
        ) from exc
    return Transport(certificate, key, access.behind_proxy)


def _is_narrow(network: str) -> bool:
    try:
        return ipaddress.ip_network(network).prefixlen > 0
    except ValueError:
        return False


def _no_password() -> str:
    raise ValueError("the key has a password")


def _check_exposure(settings: Settings, *, has_keys: bool) -> None:
    host, access = settings.serving.host, settings.access
    has_tls = access.tls_certificate is not None or bool(access.behind_proxy)
    if has_keys and has_tls:
        return
    open_to = "everybody who reaches it may ask" if not has_keys else "keys and data travel in the clear"
    if access.insecure:
        logger.warning("listening on %s, insecure as told: %s", host, open_to)
        return
    if not has_keys:
        raise ConfigurationError(
            f"Listening on {host} without an access key: {open_to}.",
            key="serving.host",
            remedy="Make a key with `vigie keys new NAME`; --insecure listens all the same.",
        )
    raise ConfigurationError(
        f"Listening on {host} without TLS: {open_to}.",
        key="access.tls_certificate",
        remedy="Set access.tls_certificate and access.tls_key, or access.behind_proxy to the proxy that speaks TLS; "
        "--insecure listens all the same.",
    )


@contextmanager
def watched_keys(keys: AccessKeyFile, door: Door) -> Iterator[None]:
    """Follow the keys while the server runs, and note when they were last used."""
    watch, looks = KeyWatch(keys, door), itertools.count(1)
    watch.look()  # a worker may start long after the door was made

    def look() -> float:
        watch.look()
        if next(looks) % NOTE_EVERY == 0:
            watch.note()
        return LOOK_EVERY_S

    try:
        with repeating(look, name="vigie-keys"):
            yield
    finally:
        watch.note()


class KeyWatch:
    """Brings the keys of a file to a door.

    Args:
        keys: the file.
        door: the door.
    """

    def __init__(self, keys: AccessKeyFile, door: Door) -> None:
        self._keys = keys
        self._door = door
        self._seen: tuple[int, int, int] | None = None
        self._trouble = ""

    def look(self) -> None:
        """Replace the door's keys if the file changed. What cannot be read lets nobody in: a key may be revoked."""
        try:
            seen = self._keys.stamp()
            if seen == self._seen and not self._trouble:
                return
            if seen is None and self._door.ring is not None:
                raise StorageError(str(self._keys.path), "The access keys are gone.", retryable=False)
            if seen is not None:
                self._door.ring = KeyRing(self._keys.read())
            self._seen, self._trouble = seen, ""
        except VigieError as error:
            self._door.ring = NOBODY
            if str(error) != self._trouble:
                logger.error("nobody is let in: %s", error)  # noqa: TRY400  the sentence is enough
            self._trouble = str(error)

    def note(self) -> None:
        """Write when keys were last used; when that fails, the next note tells it too."""
        used, self._door.used = self._door.used, {}
        if not used:
            return
        try:
            self._keys.note_uses(used)
        except VigieError as error:
            self._door.used = used | self._door.used
            logger.warning("when keys were last used is not written: %s", error)
