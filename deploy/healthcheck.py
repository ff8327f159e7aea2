"""Ask this container's server whether it may take traffic: exit 0 when it says so, 1 when not.

Reads the same settings as the server, so that a changed port, name or certificate needs no second place to be told.
"""

import http.client
import os
import ssl
import sys
from pathlib import Path

from vigie.settings import load_settings

TIMEOUT_S = 4.0


def ready() -> bool:
    """Whether ``GET /readyz`` is answered with 200."""
    settings = load_settings(Path(), os.environ)
    serving, secure = settings.serving, settings.access.tls_certificate is not None
    if secure:
        # The certificate is for the world's name of this server, not for the loopback address asked here.
        unverified = ssl._create_unverified_context()  # noqa: S323, SLF001  never leaves this container
        there: http.client.HTTPConnection = http.client.HTTPSConnection(
            "127.0.0.1", serving.port, timeout=TIMEOUT_S, context=unverified
        )
    else:
        there = http.client.HTTPConnection("127.0.0.1", serving.port, timeout=TIMEOUT_S)
    there.request("GET", "/readyz", headers={"Host": serving.hosts[0] if serving.hosts else "localhost"})
    return there.getresponse().status == http.client.OK


if __name__ == "__main__":
    try:
        sys.exit(0 if ready() else 1)
    except OSError as error:
        sys.exit(f"the server does not answer: {error}")
