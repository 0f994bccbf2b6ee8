"""Runs the stand-in: in the foreground for people, in a thread for programs."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import reduce
from typing import NamedTuple

import uvicorn

from wireproof.standin.app import asgi_app
from wireproof.standin.backend import Backend, Setup
from wireproof.standin.catalogue import DEFAULT_MODEL
from wireproof.standin.faults import Fault, all_faults
from wireproof.standin.truth import Truth
from wireproof.standin.wire import Serve

LOCALHOST = "127.0.0.1"
BACKLOG = 2048


class StandIn(NamedTuple):
    """Where a running stand-in is to be reached. `base_url` ends in `/v1`."""

    base_url: str
    key: str
    model: str


@contextmanager
def embedded(
    setup: Setup | None = None,
    *,
    faults: Iterable[str] = (),
    truth: bool = False,
    over: Callable[[Serve], Serve] = lambda serve: serve,
) -> Iterator[StandIn]:
    """A stand-in on a free port of this machine, in a thread of its own, as long as the block lasts.

    ValueError for an unknown tier or fault. Its answers take no time unless `setup.latency` says so. `over` may put
    a layer around it, as tests do that look at everything it answers.
    """
    setup = setup or Setup()
    listening = bound(LOCALHOST, 0)
    backend = Backend(setup)
    server = _server(backend, over(with_faults(backend.answer, faults)), truth)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, name="standin", daemon=True)
    thread.start()
    try:
        yield standin_at(listening, setup)
    finally:
        server.should_exit = True
        thread.join()
        listening.close()
        backend.close()


def foreground(listening: socket.socket, setup: Setup, *, faults: Iterable[str] = (), truth: bool = False) -> None:
    """Serves until interrupted."""
    backend = Backend(setup)
    try:
        _server(backend, with_faults(backend.answer, faults), truth).run(sockets=[listening])
    finally:
        backend.close()


def bound(host: str, port: int) -> socket.socket:
    """A socket that already takes connections; OSError when the port is taken."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # Named as TCP, or asyncio would not switch off Nagle's algorithm: 40 ms between headers and body.
    listening = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind((host, port))
        listening.listen(BACKLOG)
    except OSError:
        listening.close()
        raise
    return listening


def standin_at(listening: socket.socket, setup: Setup) -> StandIn:
    host, port = listening.getsockname()[:2]
    shown = f"[{host}]" if ":" in host else host
    return StandIn(f"http://{shown}:{port}/v1", setup.keys[0], setup.models[0] if setup.models else DEFAULT_MODEL)


def with_faults(serve: Serve, ids: Iterable[str]) -> Serve:
    """`serve` behind these faults, the first the outermost. ValueError for an id that there is not."""
    known = all_faults()
    chosen: list[Fault] = []
    for id in ids:
        if id not in known:
            raise ValueError(f"no fault {id!r}; --list-faults prints all {len(known)}")
        chosen.append(known[id])
    return reduce(lambda inner, fault: fault.over(inner), reversed(chosen), serve)


def _server(backend: Backend, serve: Serve, truth: bool) -> uvicorn.Server:
    return uvicorn_server(serve, Truth() if truth else None, backend.reset)


def uvicorn_server(
    serve: Serve, truth: Truth | None = None, reset: Callable[[], None] = lambda: None
) -> uvicorn.Server:
    """A server that has not started yet. Cut answers are no errors to it, so its own log is off."""
    return uvicorn.Server(
        uvicorn.Config(
            asgi_app(serve, truth, reset),
            # uvloop gathers writes until the end of its turn: quicker, but truth needs them when they are made.
            loop="asyncio" if truth is not None else "auto",
            http="httptools",
            lifespan="off",
            log_level="critical",
            access_log=False,
            server_header=False,
            timeout_graceful_shutdown=0,
            backlog=BACKLOG,
        )
    )
