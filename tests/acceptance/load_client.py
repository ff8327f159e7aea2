"""An open-loop client: requests leave on time, whether or not answers have come; and one that is slow on purpose."""

import asyncio
import contextlib
import json
import logging
from time import perf_counter
from typing import NamedTuple


class Heard(NamedTuple):
    """What came of a request: when it left, its status (0: the line was cut), how long it took, what was said."""

    request: bytes
    at_s: float
    status: int
    took_s: float
    body: bytes


def post(body):
    """Return the bytes of a prediction request."""
    told = json.dumps(body).encode()
    head = f"POST /predict HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nContent-Length: {len(told)}"
    return head.encode() + b"\r\n\r\n" + told


class OpenLoop:
    """Sends requests at a rate over as many connections as it takes; one that answered is used again.

    Args:
        port: of the server.
    """

    def __init__(self, port):
        self._port = port
        self._idle = []
        self.heard = []

    async def run(self, requests, rate_per_s):
        """Send requests, one every ``1 / rate_per_s`` seconds, and wait for what comes of them."""
        began_s, asking = perf_counter(), set()
        for number, request in enumerate(requests):
            await asyncio.sleep(max(0.0, began_s + number / rate_per_s - perf_counter()))
            task = asyncio.ensure_future(self._ask(request))
            asking.add(task)
            task.add_done_callback(asking.discard)
        await asyncio.gather(*asking)
        return self

    async def repeat(self, requests, n_clients, seconds):
        """Ask over some connections, each as soon as it was answered; return how many answers a second there were."""
        began_s, n_before = perf_counter(), len(self.heard)

        async def client(place):
            while perf_counter() < began_s + seconds:
                await self._ask(requests[place % len(requests)])
                place += n_clients

        await asyncio.gather(*map(client, range(n_clients)))
        answered = [one for one in self.heard[n_before:] if one.status == 200]
        return len(answered) / (perf_counter() - began_s)

    async def close(self):
        """Close what is open."""
        for _, writer in self._idle:
            await _closed(writer)

    async def _ask(self, request):
        at_s, status, body, line = perf_counter(), 0, b"", None
        try:
            line = self._idle.pop() if self._idle else await asyncio.open_connection("127.0.0.1", self._port)
            reader, writer = line
            writer.write(request)
            head = await reader.readuntil(b"\r\n\r\n")
            fields = dict(field.lower().split(b": ", 1) for field in head.split(b"\r\n")[1:-2])
            body = await reader.readexactly(int(fields[b"content-length"]))
            status = int(head[9:12])
            stays = fields.get(b"connection") != b"close"
        except (OSError, asyncio.IncompleteReadError):
            stays = False
        if line is not None:
            if stays:
                self._idle.append(line)
            else:
                await _closed(line[1])
        self.heard.append(Heard(request, at_s, status, perf_counter() - at_s, body))


def dawdle(port, n_clients, how):
    """Keep connections open that take their time, until ended: a byte a second, or answers that nobody reads.

    Run it in a process of its own: its work is not to be waited for by those who measure.

    Args:
        port: of the server.
        n_clients: how many; they come one after the other within ten seconds.
        how: what each sends at once, and what it sends then, a byte a second.
    """

    async def client(place):
        at_once, slowly = how[place % len(how)]
        await asyncio.sleep(10 * place / n_clients)
        while True:
            with contextlib.suppress(OSError):
                reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=1)
                try:
                    reader._transport.pause_reading()
                    writer.write(at_once)
                    for byte in slowly:
                        await asyncio.sleep(1)
                        writer.write(bytes([byte]))
                        await writer.drain()  # raises once the server has closed: another takes the place at once
                    await asyncio.sleep(1)
                finally:
                    await _closed(writer)
            await asyncio.sleep(0.1)

    async def crowd():
        await asyncio.gather(*map(client, range(n_clients)))

    logging.disable()  # asyncio tells of every connection that the server closes
    asyncio.run(crowd())


async def _closed(writer):
    writer.close()
    with contextlib.suppress(OSError):
        await writer.wait_closed()


def share(values, quantile):
    """Return a quantile: the smallest value that so many do not exceed."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(quantile * len(ordered)))] if ordered else float("nan")
