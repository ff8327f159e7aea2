"""How the scripts here say what they see: a line for everything that must hold, and an end where it does not."""

import socket
import time
from collections.abc import Callable

import click

WAIT_S = 300.0  # never needed on a sound machine; a slow one is waited for
LOOK_EVERY_S = 0.1


def expect(holds: bool, sentence: str, why: str = "") -> None:  # noqa: FBT001 - reads as a sentence
    """Say whether something holds, and why not.

    Raises:
        AssertionError: it does not.
    """
    click.echo(f"{'ok ' if holds else 'NOT'} {sentence}{why if not holds else ''}")
    assert holds, sentence  # noqa: S101 - this is a test


def until(holds: Callable[[], bool], sentence: str, why: Callable[[], str] = str) -> None:
    """Wait until something holds, then say so.

    Raises:
        AssertionError: it did not within five minutes.
    """
    deadline = time.monotonic() + WAIT_S
    while not (held := holds()) and time.monotonic() < deadline:
        time.sleep(LOOK_EVERY_S)
    expect(held, sentence, "" if held else why())


def free_port() -> int:
    """Return a port of the loopback address that nobody listens on now."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])
