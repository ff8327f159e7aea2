"""What the same server costs without a model: reads the body and answers as many bytes as an answer has."""

import signal
import socket
import sys
from typing import Any

from vigie.api.server import make_server

BODY = (
    b'{"prediction_id":"0198c0de-0000-7000-8000-000000000000","prediction":152.13348416289594,"model":{}}' + b" " * 40
)
HEADERS = [(b"content-length", b"%d" % len(BODY)), (b"content-type", b"application/json")]


async def app(_scope: Any, receive: Any, send: Any) -> None:
    """Answer any request."""
    while (await receive()).get("more_body", False):
        pass
    await send({"type": "http.response.start", "status": 200, "headers": HEADERS})
    await send({"type": "http.response.body", "body": BODY})


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda _number, _frame: None)
    with socket.create_server(("127.0.0.1", int(sys.argv[1]))) as listener:
        make_server(app, keep_alive_s=75, drain_s=5).run(sockets=[listener])
