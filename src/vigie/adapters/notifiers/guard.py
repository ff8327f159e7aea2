"""No connection to a place that is not public: checked on the address that is connected to, after every resolution.

The interpreter announces each connection, with its address, before it is made; refusing there leaves no moment between
check and use in which a name could come to mean something else, and holds for every library of the process. A guard
cannot be taken away again, so it belongs in a process of its own.
"""

import ipaddress
import sys
from typing import Any, Final

_SENT: Final = frozenset({"socket.connect", "socket.sendto", "socket.sendmsg"})
_STARTED: Final = frozenset({"subprocess.Popen", "os.system", "os.exec", "os.posix_spawn", "os.spawn", "os.fork"})
_NAT64: Final = ipaddress.ip_network("64:ff9b::/96")


PRIVATE: Final = (
    "The address is not a public one, or is reached through a proxy that is not. Set alerting.allow_private = true if "
    "it is meant to be."
)


class ForbiddenAddressError(OSError):
    """A connection that was not made."""


def guard(*, allow_private: bool) -> list[str]:
    """Refuse connections to private places from now on, and other programs, until the process ends.

    Args:
        allow_private: whether this machine and private networks may be reached too; programs may still not be started.

    Returns:
        A list to which every refusal adds its reason: libraries swallow errors.
    """
    refused: list[str] = []

    def refuse(reason: str) -> None:
        refused.append(reason)
        raise ForbiddenAddressError(reason)

    def look(event: str, arguments: tuple[Any, ...]) -> None:
        if event in _STARTED:
            refuse("Starting a program is not a way to send a message.")
        if event in _SENT and not allow_private:
            address = arguments[-1]
            if not is_public(address[0] if isinstance(address, tuple) and address else address):
                refuse(PRIVATE)

    sys.addaudithook(look)
    return refused


def is_public(host: object) -> bool:
    """Return whether an address is one of the public internet; a name, a path or nothing is not an address."""
    if not isinstance(host, str):
        return False
    try:
        address = ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return False
    if isinstance(address, ipaddress.IPv6Address):
        inner = address.ipv4_mapped or address.sixtofour or (address.teredo[1] if address.teredo else None)
        if address in _NAT64:
            inner = ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
        if inner is not None:
            return is_public(str(inner))
        if address.is_site_local or int(address) < 2**96:  # the last: the old way to write an IPv4 address
            return False
    return address.is_global and not address.is_multicast
