"""The composition root of the server: HTTP, the prediction log, and a follower beside it.

Imports neither MLflow nor the training stack. The follower, a process of its own, brings the champion's bundle into the
cache; a thread here sees the pointer move, opens and checks the bundle beside the serving one, and swaps.
"""

import gc
import logging
import os
import signal
import socket
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import asdict, dataclass, fields
from functools import partial
from importlib.util import find_spec

from vigie.adapters.access_keys import AccessKeyFile
from vigie.adapters.bundle_cache import BundleCache
from vigie.adapters.clock import RandomIds, SystemClock
from vigie.adapters.nvml import open_gpus
from vigie.api.access import LOOPBACK_HOSTS
from vigie.api.answering import rehearse
from vigie.api.app import create_app
from vigie.api.cells import Board
from vigie.api.door import Door
from vigie.api.server import Transport, make_server
from vigie.api.service import Limits, Service
from vigie.api.telemetry import Telemetry
from vigie.bundle.trust import Trust
from vigie.errors import ConfigurationError, VigieError
from vigie.inference.slots import ServingModel, Slots
from vigie.loop.open_bundle import check_name, open_bundle
from vigie.settings import Settings
from vigie.wiring.access import is_loopback, open_door, transport_of, watched_keys
from vigie.wiring.following import Follower, looked_after
from vigie.wiring.repeating import repeating
from vigie.wiring.state import open_cache, open_writer, state_folder, trust_of
from vigie.wiring.tied import tied_to_this
from vigie.wiring.tracing import traced
from vigie.wiring.verdicts import read_verdicts
from vigie.wiring.workers import allow_files, supervise

logger = logging.getLogger("vigie.serve")

_STOP_S = 10
_SWITCH_S = 0.001  # the event loop waits so long for its turn while a thread scores, instead of Python's 5 ms


@dataclass(frozen=True, slots=True)
class Post:
    """What a server has before it answers; its workers share it."""

    settings: Settings
    listener: socket.socket
    transport: Transport
    keys: AccessKeyFile
    door: Door
    board: Board


def serve(settings: Settings) -> None:
    """Serve until SIGTERM or SIGINT; requests under way are answered first.

    Raises:
        ConfigurationError: the address is taken, or is reached from elsewhere without a key or without TLS.
        StorageError: the prediction log cannot be opened.
    """
    serving = settings.serving
    keys = AccessKeyFile(state_folder(settings))
    door, transport = open_door(settings, keys), transport_of(settings)
    open_writer(settings).close()  # what is wrong with the log is said here, once, and ends the start
    allow_files(serving.max_connections)
    listener = _listen(serving.host, serving.port)
    post = Post(settings, listener, transport, keys, door, Board(serving.workers))
    try:
        with _follower(settings) as follower:
            scheme, port = "https" if transport.certificate else "http", listener.getsockname()[1]
            shared = f", with {serving.workers} workers" if serving.workers > 1 else ""
            name = settings.project.name
            logger.info("%s listens on %s://%s:%d, docs at /docs%s", name, scheme, serving.host, port, shared)
            gc.collect()
            gc.freeze()  # what is loaded by now stays: looking through it over and over would cost 4 % of the time
            if serving.workers == 1:
                with looked_after(follower) if follower else nullcontext():
                    answer(post, 0)
            else:
                look = follower.look if follower else None
                supervise(post.board, lambda number: answer(post, number), listener.close, look)
    finally:
        listener.close()


def answer(post: Post, worker: int) -> None:
    """Answer requests until SIGTERM or SIGINT.

    Args:
        post: what the workers share.
        worker: the number of this one.
    """
    settings, slots = post.settings, Slots()
    writer = open_writer(settings)
    service = Service(
        name=settings.project.name,
        slots=slots,
        writer=writer,
        clock=SystemClock(),
        ids=RandomIds(),
        limits=_limits(settings),
        door=post.door,
        hosts=_hosts(settings),
        fast_path=settings.serving.fast_path,
        verdicts=partial(read_verdicts, state_folder(settings)),
    )
    sys.setswitchinterval(_SWITCH_S)
    telemetry = Telemetry(slots, post.board, worker)
    if (gpus := open_gpus()) is not None:
        telemetry.registry.register(gpus)
    try:
        swapping = _swapping(settings, open_cache(settings), slots, partial(rehearse, service=service))
        with swapping, watched_keys(post.keys, post.door), traced(create_app(service, telemetry), service.name) as app:
            server = make_server(
                app,
                keep_alive_s=settings.serving.keep_alive.total_seconds(),
                drain_s=_STOP_S,
                transport=post.transport,
                telemetry=telemetry,
                max_connections=settings.serving.max_connections,
            )
            # uvicorn listens to signals only while it runs, and raises the one that stopped it once more when it has
            # drained. One that comes before must not be lost; the one after must let the log be closed.
            for number in (signal.SIGTERM, signal.SIGINT):
                signal.signal(number, server.handle_exit)
            server.run(sockets=[post.listener])
    finally:
        writer.close()


def load_champion(
    cache: BundleCache, slots: Slots, name: str, trust: Trust, rehearse: Callable[[ServingModel], object] = bool
) -> bool:
    """Open the version the cache points to, if it is not the one that serves; return whether it changed.

    Args:
        cache: holds the bundles and the pointer.
        slots: who serves.
        name: the registered model's name.
        trust: types and signatures that this process's owner trusts.
        rehearse: raises when the server could not answer with the model.

    Raises:
        BundleError: the bundle is refused; the serving model stays, as it does whatever else is raised.
    """
    version, serving = cache.pointer(name), slots.champion
    if version is None or (serving is not None and serving.version == version):
        return False
    model = open_bundle(cache.load(name, version), version=version, trust=trust)
    check_name(model.name, name)
    rehearse(model)
    slots.swap(model)
    logger.info("%s version %s serves", name, version)
    return True


def _swapping(
    settings: Settings, cache: BundleCache, slots: Slots, rehearse: Callable[[ServingModel], object]
) -> AbstractContextManager[None]:
    trouble, trust = "", trust_of(settings.bundle)

    def look() -> float:
        nonlocal trouble
        try:
            load_champion(cache, slots, settings.project.name, trust, rehearse)
            trouble = ""
        except Exception as error:
            # The promise kept here: whatever is wrong with a bundle takes down neither the model that serves nor the
            # watch for the next one.
            if str(error) != trouble:
                unforeseen = not isinstance(error, VigieError)  # of what was foreseen, the sentence is enough
                logger.error("the new champion is refused: %s", error, exc_info=unforeseen)  # noqa: TRY400  idem
            trouble = str(error)
        return settings.serving.follow_every.total_seconds() if slots.champion else 0.1

    return repeating(look, name="vigie-swap")


@contextmanager
def _follower(settings: Settings) -> Iterator[Follower | None]:
    if find_spec("mlflow") is None:
        # A serving image: whoever runs `vigie follow` on the same state folder moves the pointer, or nobody does.
        logger.info("MLflow is not installed here: the champion is the one in the state folder; see `vigie follow`")
        yield None
        return
    follower = Follower([*tied_to_this("vigie.wiring.follow"), str(settings.file), str(os.getpid())])
    follower.look()
    try:
        yield follower
    finally:
        follower.end()


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=2048)
    except (OSError, OverflowError) as exc:
        raise ConfigurationError(
            f"Cannot listen on {host}:{port}: {exc}.",
            remedy="Stop what uses it, or take another one with --port.",
            key="serving.port",
        ) from exc


def _limits(settings: Settings) -> Limits:
    names = {field.name for field in fields(Limits)}
    return Limits(**{name: value for name, value in asdict(settings.serving).items() if name in names})


def _hosts(settings: Settings) -> frozenset[str] | None:
    if settings.serving.hosts:
        return frozenset(name.lower() for name in settings.serving.hosts)
    return LOOPBACK_HOSTS if is_loopback(settings.serving.host) else None
