"""Server and watcher as two processes of one command."""

import logging
import signal
import subprocess
import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from pathlib import Path

from vigie.wiring.tied import tied_to_this

logger = logging.getLogger("vigie.up")

_STOP_S = 20.0
_POLL_S = 0.2


def up(project: Path, *, serve: Sequence[str], watch: Sequence[str]) -> int:
    """Run ``vigie serve`` and ``vigie watch`` until one ends or a signal comes; then end both.

    Args:
        project: folder of the project, or its settings file.
        serve: further arguments of the server.
        watch: further arguments of the watcher.

    Returns:
        0 after a signal, else the exit code of the process that ended first, at least 1.
    """
    stopped = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda _number, _frame: stopped.set())
    processes = {name: start(project, name, arguments) for name, arguments in (("serve", serve), ("watch", watch))}
    try:
        while not stopped.wait(_POLL_S):
            for name, process in processes.items():
                code = process.poll()
                if code is not None:
                    logger.error("vigie %s ended with %d: ending the rest", name, code)
                    return max(1, code)
        return 0
    finally:
        stop(list(processes.values()))


def start(
    project: Path,
    command: str,
    arguments: Sequence[str] = (),
    *,
    log: Path | None = None,
    environ: Mapping[str, str] | None = None,
) -> "subprocess.Popen[bytes]":
    """Start a command of Vigie beside this process: out of reach of its terminal's Ctrl-C, and ended when it is killed.

    To be called by the main thread; see ``tied_to_this``.

    Args:
        project: folder of the project, or its settings file.
        command: name of the command.
        arguments: further ones.
        log: file for its standard error; None shares this process's.
        environ: its environment; None takes this process's.
    """
    line = [*tied_to_this("vigie"), command, "--project", str(project), *arguments]
    with log.open("ab") if log else nullcontext() as stderr:
        return subprocess.Popen(line, start_new_session=True, stderr=stderr, env=environ)  # noqa: S603  our own command line


def stop(processes: Sequence["subprocess.Popen[bytes]"]) -> None:
    """End processes cleanly, and by force if they take longer than twenty seconds."""
    for process in processes:
        if process.poll() is None:
            process.terminate()
    deadline = time.monotonic() + _STOP_S
    for process in processes:
        try:
            process.wait(max(0.1, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
