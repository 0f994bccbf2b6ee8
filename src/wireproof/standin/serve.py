"""Runs the stand-in: in the foreground for people, in a thread for programs."""

from __future__ import annotations

import asyncio
import gc
import socket
import threading
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial, reduce
from typing import Any, NamedTuple

import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from wireproof.spec import load_spec
from wireproof.standin.backend import Backend, Setup
from wireproof.standin.catalogue import DEFAULT_MODEL
from wireproof.standin.connection import Connection
from wireproof.standin.delivery import Witness
from wireproof.standin.faults import Fault, all_faults
from wireproof.standin.floor import Floor
from wireproof.standin.guestbook import Guestbook
from wireproof.standin.postman import Address, deliver
from wireproof.standin.resources.realtime_calls import ring
from wireproof.standin.serving import handlers
from wireproof.standin.sockets import converse
from wireproof.standin.truth import OWN, Truth, telling
from wireproof.standin.wire import Answer, Ask, Serve

LOCALHOST = "127.0.0.1"
EVERYWHERE = {"0.0.0.0": LOCALHOST, "::": "::1"}
BACKLOG = 2048
# Of a socket: 15 MiB of sound in base64, and what is around it.
MOST_MESSAGE_BYTES = 24 * 1024 * 1024
# Measured with 500 paced streams: the longest round took 16 ms at 700, 8 ms at 20,000.
GC_THRESHOLD = 20_000

App = Callable[[Any, Any, Any], Awaitable[None]]


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
    webhook: Address | None = None,
) -> Iterator[StandIn]:
    """A stand-in on a free port of this machine, in a thread of its own, as long as the block lasts.

    ValueError for an unknown tier or fault. Its answers take no time unless `setup.latency` says so. `over` may put
    a layer around it, as tests do that look at everything it answers. `webhook` is called about what happens.
    """
    setup = replace(setup or Setup(), tells=webhook is not None)
    listening = bound(LOCALHOST, 0)
    backend = Backend(setup)
    server = _server(backend, over(with_faults(backend.answer, faults)), truth, webhook=webhook)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, name="standin", daemon=True)
    thread.start()
    try:
        yield standin_at(listening, setup)
    finally:
        server.should_exit = True
        thread.join()
        listening.close()
        backend.close()


def foreground(
    listening: socket.socket,
    backend: Backend,
    *,
    faults: Iterable[str] = (),
    truth: bool = False,
    guestbook: Guestbook | None = None,
    webhook: Address | None = None,
) -> None:
    """Serves until interrupted. Closes the guestbook; the backend is the caller's, and `tells` what a webhook needs."""
    _settle()
    try:
        _server(backend, with_faults(backend.answer, faults), truth, guestbook, webhook).run(sockets=[listening])
    finally:
        if guestbook is not None:
            guestbook.close()


def _settle() -> None:
    """Loads what requests need, and takes it out of the rounds of the garbage collector.

    One full round went through the whole description and held up every stream for 60 ms.
    """
    load_spec()
    handlers()
    gc.collect()
    gc.freeze()
    gc.set_threshold(GC_THRESHOLD, 20, 20)


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
    """As this machine reaches it, also when it listens on every address there is."""
    host, port = listening.getsockname()[:2]
    host = EVERYWHERE.get(host, host)
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


def _server(
    backend: Backend,
    serve: Serve,
    truth: bool,
    guestbook: Guestbook | None = None,
    webhook: Address | None = None,
) -> Server:
    known = Truth() if truth else None
    if known is not None:
        serve = telling(serve, known, backend.reset, partial(ring, backend.world))
    return Server(
        serve,
        known,
        partial(converse, serve, backend.clock),
        guestbook,
        partial(deliver, webhook, backend.fresh_news, backend.clock) if webhook is not None else None,
    )


class Server(uvicorn.Server):
    """uvicorn's event loop, listening and signals under our own HTTP. Not started yet.

    `sockets` is the ASGI app for who asks for a WebSocket; without one such a request is like any other. `errand` is
    done beside the serving, until that ends.
    """

    def __init__(
        self,
        serve: Serve,
        truth: Truth | None = None,
        sockets: App | None = None,
        guestbook: Guestbook | None = None,
        errand: Callable[[], Coroutine[Any, Any, None]] | None = None,
    ) -> None:
        self._books = [book for book in (truth, guestbook) if book is not None]
        self._serve_asked = serve
        self._errand = errand
        self._doing: asyncio.Task[None] | None = None
        self._has_sockets = sockets is not None
        super().__init__(
            uvicorn.Config(
                sockets or _nothing,
                http=self._connection,  # type: ignore[arg-type]  # it is called, and nothing else
                lifespan="off",
                log_level="critical",
                access_log=False,
                server_header=False,
                timeout_graceful_shutdown=0,
                interface="asgi3",  # which uvicorn cannot see in a partial function
                ws_max_size=MOST_MESSAGE_BYTES,
                ws_per_message_deflate=False,  # each socket would hold a third of a megabyte for it
                backlog=BACKLOG,
            )
        )

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        upgraded = self._socket_protocol if self._has_sockets else None
        self._floor = Floor(self._serve_asked, asyncio.get_running_loop(), self._witnesses, upgraded)
        if self._errand is not None:
            self._doing = asyncio.ensure_future(self._errand())
        await super().startup(sockets)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self._floor.close()
        if self._doing is not None:
            self._doing.cancel()
        await super().shutdown(sockets)

    def _connection(self, **_: Any) -> Connection:
        return Connection(self._floor)

    def _socket_protocol(self) -> asyncio.Protocol:
        return HttpToolsProtocol(config=self.config, server_state=self.server_state, app_state={})

    def _witnesses(self, ask: Ask, answer: Answer, at_s: float) -> tuple[Witness, ...]:
        if not self._books or ask.path.startswith(OWN):
            return ()
        return tuple(book.begin(ask, answer, at_s) for book in self._books)


async def _nothing(_scope: Any, _receive: Any, _send: Any) -> None:
    """uvicorn wants an app even where it has nothing to ask it for."""
