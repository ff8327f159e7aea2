"""uvicorn, as Vigie runs it: with patience that ends, and limits of its own."""

import asyncio
import math
from types import FrameType

import uvicorn
from starlette.types import ASGIApp

from vigie.api.connection import Connection

_TICKS_PER_S = 10


class Server(uvicorn.Server):
    """uvicorn's server, which also looks at slow clients, and ends at once when it is told a second time."""

    async def on_tick(self, counter: int) -> bool:
        """Look at every connection once a second."""
        if counter % _TICKS_PER_S == 0:
            now = asyncio.get_running_loop().time()
            for connection in list(self.server_state.connections):
                if isinstance(connection, Connection):
                    connection.sweep(now)
        return await super().on_tick(counter)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Drain at the first signal, end at the second."""
        self.force_exit = self.should_exit
        super().handle_exit(sig, frame)


def make_server(app: ASGIApp, *, keep_alive_s: float, drain_s: int) -> Server:
    """Return a server that is ready to run.

    Args:
        app: what it serves.
        keep_alive_s: how long an idle connection is kept.
        drain_s: how long requests under way may take once it is told to end.
    """
    return Server(
        uvicorn.Config(
            app,
            http=Connection,
            ws="none",
            lifespan="off",
            log_config=None,
            access_log=False,
            server_header=False,
            proxy_headers=False,  # who asks is who connects; a proxy's word is not taken unasked
            timeout_keep_alive=math.ceil(keep_alive_s),
            timeout_graceful_shutdown=drain_s,
        )
    )
