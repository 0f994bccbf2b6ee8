"""One request to a socket and back: the only module of the conformance side that opens one.

Foreign exceptions are translated here, once: what went wrong on the wire becomes a `Trouble`, with what had
come by then. Bounds end every answer, however long, slow or broken it is.
"""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from urllib.parse import urljoin, urlsplit

import httpx2

from wireproof.exchange import Chunk, Trouble, parse_json
from wireproof.secrets import Secrets

# Of a body that broke a bound only this much goes on record: enough to see what it was.
KEPT_OF_TOO_MUCH = 64 * 1024
# A name with a dot whose last part is no number, and the ends of names that are given out within a network.
PUBLIC_NAME = re.compile(r"(?:[a-z0-9_-]+\.)+[a-z][a-z0-9-]+", re.IGNORECASE)
PRIVATE_ENDS = (".local", ".localhost", ".internal", ".intranet", ".lan", ".home.arpa", ".corp", ".home")


class Unreachable(ConnectionError):
    """Nobody answers at the target; the message says what was tried."""


class KeyRefused(PermissionError):
    """The target will not have the user's key; the message quotes it."""


@dataclass(frozen=True, slots=True)
class Bounds:
    """Where the recorder's patience ends. Bytes count as they come off the wire, still compressed."""

    connect_s: float = 10.0
    idle_s: float = 60.0
    total_s: float = 180.0
    most_bytes: int = 8 * 1024 * 1024
    most_messages: int = 4_000  # of one talk on a socket, both sides


# For one question before a run: a person waits for it.
LOOK_UP = Bounds(idle_s=10.0, total_s=20.0)


@dataclass(frozen=True)
class Target:
    """`base_url` ends in the version prefix, without a slash: `http://127.0.0.1:8000/v1`."""

    base_url: str
    key: str | None = field(default=None, repr=False)

    def url(self, path: str) -> str:
        """Where to send what is asked of `path`, which may be a URL by itself."""
        return self.base_url.rstrip("/") + path if path.startswith("/") else path

    def why_not(self, url: str) -> str | None:
        """Why a URL that an answer named is not fetched; None when it is.

        The target's own host is, and a public name over https, whose certificate tells whose it is. All else may be
        a service of our own network, asked from within.
        """
        try:
            place = urlsplit(url)
            host, own = place.hostname or "", urlsplit(self.base_url).hostname or ""
        except ValueError as bad:
            return f"it is no URL: {bad}"
        if place.scheme not in ("http", "https") or not host:
            return "it is no http(s) URL"
        if host == own or (is_local_name(host) and is_local_name(own)):
            return None
        if place.scheme == "https" and PUBLIC_NAME.fullmatch(host) and not host.endswith(PRIVATE_ENDS):
            return None
        return f"{host} is neither {own} nor a public name over https"


class Wire:
    """One answer as it comes in, until it ends or patience does."""

    def __init__(self, bounds: Bounds, clock: Callable[[], float]) -> None:
        self.bounds, self.clock = bounds, clock
        self.status: int | None = None
        self.headers: list[tuple[str, str]] = []
        self.chunks: list[Chunk] = []
        self.headers_at_s: float | None = None
        self.ended_at_s = 0.0
        self.trouble: Trouble | None = None

    async def fetch(self, client: httpx2.AsyncClient, request: httpx2.Request) -> None:
        begun = self.clock()
        try:
            # Later than any other bound, so that a connection refused by silence, and silence where an answer
            # should be, are called by their names.
            async with asyncio.timeout(self.bounds.connect_s + self.bounds.total_s):
                await self._read(client, request, begun)
        except TimeoutError:
            self.trouble = Trouble("endless", f"the answer had not ended after {self.bounds.total_s:g} s", True)
        except httpx2.HTTPError as error:
            self.trouble = self._translated(error, request)
        except httpx2.InvalidURL as error:
            self.trouble = Trouble("garbage", f"the redirect is no URL: {error}", True)
        self.ended_at_s = self.clock() - begun
        if self.trouble and self.trouble.kind in ("oversized", "endless"):
            self.chunks = _beginning(self.chunks)

    async def _read(self, client: httpx2.AsyncClient, request: httpx2.Request, begun: float) -> None:
        response = await client.send(request, stream=True, follow_redirects=False)
        try:
            if response.status_code in (307, 308) and _same_origin(request, response):
                await response.aclose()
                again = client.build_request(
                    request.method,
                    urljoin(str(request.url), response.headers["location"]),
                    headers=request.headers,
                    content=request.content,
                )
                response = await client.send(again, stream=True, follow_redirects=False)
            self.status = response.status_code
            self.headers = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in response.headers.raw]
            self.headers_at_s = self.clock() - begun
            if 300 <= response.status_code < 400:
                place = response.headers.get("location", "nowhere")
                self.trouble = Trouble(
                    "redirect", f"answered {self.status} to {place}; not followed, the key stays here", True
                )
                return
            size = 0
            async for data in response.aiter_raw():
                size += len(data)
                if size > self.bounds.most_bytes:
                    detail = f"the body is larger than {self.bounds.most_bytes:,} bytes"
                    self.trouble = Trouble("oversized", detail, True)
                    return
                self.chunks.append(Chunk(self.clock() - begun, data))
                if self.clock() - begun > self.bounds.total_s:
                    raise TimeoutError
        finally:
            await response.aclose()

    def _translated(self, error: httpx2.HTTPError, request: httpx2.Request) -> Trouble:
        """Foreign exceptions become a Trouble here and nowhere else."""
        place = f"{request.url.host}:{request.url.port or (443 if request.url.scheme == 'https' else 80)}"
        said = str(error) or type(error).__name__
        match error:
            case httpx2.ConnectTimeout():
                return Trouble(
                    "unreachable", f"{place} did not accept a connection in {self.bounds.connect_s:g} s", False
                )
            case httpx2.ConnectError() | httpx2.UnsupportedProtocol() | httpx2.ProxyError():
                return Trouble(
                    "unreachable", f"{place} refused the connection ({said}); is it up, is the port right?", False
                )
            case httpx2.TimeoutException():
                return Trouble("timeout", f"no byte for {self.bounds.idle_s:g} s", False)
            case httpx2.RemoteProtocolError() if self.status is None and "disconnected" not in said:
                return Trouble("garbage", f"the answer is not HTTP: {said}", True)
            case httpx2.NetworkError() | httpx2.RemoteProtocolError() if self.status is None:
                return Trouble("dropped", f"the connection was closed before an answer came: {said}", False)
            case httpx2.NetworkError() | httpx2.RemoteProtocolError():
                size = sum(len(chunk.data) for chunk in self.chunks)
                return Trouble("truncated", f"the connection was closed after {size} bytes: {said}", True)
            case _:
                return Trouble("garbage", f"{type(error).__name__}: {said}", True)


def _beginning(chunks: Sequence[Chunk]) -> list[Chunk]:
    kept: list[Chunk] = []
    size = 0
    for chunk in chunks:
        kept.append(Chunk(chunk.at_s, chunk.data[: KEPT_OF_TOO_MUCH - size]))
        size += len(chunk.data)
        if size >= KEPT_OF_TOO_MUCH:
            break
    return kept


def _same_origin(request: httpx2.Request, response: httpx2.Response) -> bool:
    """Whether a redirect says where to, and stays at the host that may see the key."""
    location = response.headers.get("location", "")
    try:
        place = urlsplit(urljoin(str(request.url), location))
    except ValueError:  # `http://[` is no URL
        return False
    here = urlsplit(str(request.url))
    return bool(location) and (place.scheme, place.netloc) == (here.scheme, here.netloc)


def is_local(target: Target) -> bool:
    """Whether the target is on this machine, where no proxy of the environment leads."""
    return is_local_name(urlsplit(target.base_url).hostname or "")


def is_local_name(host: str) -> bool:
    return host in ("localhost", "::1") or host.startswith("127.")


async def listed_models(target: Target, transport: httpx2.AsyncBaseTransport | None = None) -> list[str]:
    """The ids that GET /models names; [] when the answer is no list of models.

    Raises Unreachable or KeyRefused.
    """
    headers = {"accept": "application/json", "accept-encoding": "identity"}
    if target.key:
        headers["authorization"] = f"Bearer {target.key}"
    wire = Wire(LOOK_UP, time.monotonic)
    timeout = httpx2.Timeout(LOOK_UP.idle_s, connect=LOOK_UP.connect_s)
    async with httpx2.AsyncClient(transport=transport, timeout=timeout, trust_env=not is_local(target)) as client:
        await wire.fetch(client, client.build_request("GET", target.url("/models"), headers=headers))
    if wire.status is None and wire.trouble:
        raise Unreachable(f"{target.base_url} did not answer GET /models ({wire.trouble.detail})")
    body = b"".join(chunk.data for chunk in wire.chunks)
    if wire.status in (401, 403):
        said = Secrets.of(target.key).in_text(body[:200].decode("utf-8", "replace"))
        raise KeyRefused(f"the target answered {wire.status} to /models: {said}")
    try:
        return [str(model["id"]) for model in parse_json(body.decode())["data"]]
    except (ValueError, LookupError, TypeError):
        return []
