"""uvicorn, as Vigie runs it: with patience that ends, and limits of its own."""

import asyncio
import math
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from types import FrameType
from typing import Any

import uvicorn
from starlette.types import ASGIApp

from vigie.api.connection import Connection
from vigie.api.telemetry import Telemetry

_TICKS_PER_S = 10


class Server(uvicorn.Server):
    """uvicorn's server, which also looks at slow clients, and ends at once when it is told a second time.

    Args:
        config: uvicorn's.
        telemetry: gets told once a second how many connections are open.
    """

    def __init__(self, config: uvicorn.Config, telemetry: Telemetry | None) -> None:
        super().__init__(config)
        self._telemetry = telemetry

    async def on_tick(self, counter: int) -> bool:
        """Look at every connection once a second."""
        if counter % _TICKS_PER_S == 0:
            now = asyncio.get_running_loop().time()
            for connection in list(self.server_state.connections):
                if isinstance(connection, Connection):
                    connection.sweep(now)
            if self._telemetry is not None:
                self._telemetry.look(len(self.server_state.connections))
        return await super().on_tick(counter)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Drain at the first signal, end at the second."""
        self.force_exit = self.should_exit
        super().handle_exit(sig, frame)


@dataclass(frozen=True, slots=True)
class Transport:
    """How clients reach the server.

    Attributes:
        certificate: PEM file of its certificate; None speaks plain HTTP.
        key: PEM file of the certificate's private key.
        proxies: addresses and networks whose X-Forwarded-For and X-Forwarded-Proto are taken; nobody else's are.
    """

    certificate: Path | None = None
    key: Path | None = None
    proxies: tuple[str, ...] = ()


PLAIN = Transport()


def make_server(
    app: ASGIApp,
    *,
    keep_alive_s: float,
    drain_s: int,
    transport: Transport = PLAIN,
    telemetry: Telemetry | None = None,
    max_connections: int | None = None,
) -> Server:
    """Return a server that is ready to run.

    Args:
        app: what it serves.
        keep_alive_s: how long an idle connection is kept.
        drain_s: how long requests under way may take once it is told to end.
        transport: how clients reach it.
        telemetry: where connections are counted.
        max_connections: how many may be open; None for any number.
    """
    connection: Any = Connection
    if max_connections is not None:
        refused = telemetry.refused.inc if telemetry else int
        connection = partial(Connection, max_connections=max_connections, refused=refused)
    config = uvicorn.Config(
        app,
        http=connection,
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        # Who asks is who connects; a proxy's word is not taken unasked, and never a stranger's.
        proxy_headers=bool(transport.proxies),
        forwarded_allow_ips=list(transport.proxies),
        ssl_certfile=transport.certificate,
        ssl_keyfile=transport.key,
        timeout_keep_alive=math.ceil(keep_alive_s),
        timeout_graceful_shutdown=drain_s,
    )
    return Server(config, telemetry)
