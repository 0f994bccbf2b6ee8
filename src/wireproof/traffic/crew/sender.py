"""Sends one request and fills its sample. Never raises for what the server did: that is the sample's outcome."""

from __future__ import annotations

import json
import ssl
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import gevent
from geventhttpclient.response import HTTPParseError, HTTPSocketPoolResponse

from wireproof.traffic import outcome
from wireproof.traffic.crew.sockets import READ_BYTES, StampedPool, Stamps
from wireproof.traffic.keepsake import Keepsake
from wireproof.traffic.profile import Patience
from wireproof.traffic.requests import Ready
from wireproof.traffic.sample import Sample
from wireproof.traffic.stream_reader import Reading

KEPT_HEADERS = ("retry-after", "retry-after-ms")
# A plain answer is read whole; anything larger than this is not an answer to our small requests.
MOST_BODY_BYTES = 16 * 1024 * 1024


class _Silence(Exception):
    """Nothing came in time: before the first token, or between two reads."""


class _Oversized(Exception):
    pass


@dataclass(frozen=True, slots=True)
class Destination:
    """Where requests go. `key` is a secret: it is sent, and never written anywhere."""

    base_url: str
    key: str | None


class Sender:
    """One per worker: the connections, the head that all requests share, the clock."""

    def __init__(self, to: Destination, patience: Patience, max_in_flight: int, zero: float) -> None:
        url = urlsplit(to.base_url)
        tls = url.scheme == "https"
        port = url.port or (443 if tls else 80)
        self.stamps = Stamps()
        self._pool = StampedPool(
            url.hostname or "", port, tls=tls, size=max_in_flight, connect_s=patience.connect_s, stamps=self.stamps
        )
        self._patience = patience
        self._zero = zero
        self._prefix = url.path.rstrip("/")
        authorization = f"Authorization: Bearer {to.key}\r\n" if to.key else ""
        self._head = (
            f"Host: {url.netloc.rpartition('@')[2]}\r\n{authorization}Content-Type: application/json\r\n"
            # A proxy that compresses an event stream also batches it.
            "Accept-Encoding: identity\r\nUser-Agent: wireproof-load\r\n"
        )

    def now(self) -> float:
        return time.monotonic() - self._zero

    def send(self, ready: Ready, sample: Sample, keep: Callable[[Keepsake], None] | None) -> None:
        """`keep`, when given, gets the whole exchange as it was on the wire, for the judges."""
        kept = Keepsake(ready.path, ready.body) if keep else None
        deadline = gevent.Timeout(self._patience.total_s)
        deadline.start()
        sock = None
        try:
            sock = self._connection(sample)
            self._exchange(sock, ready, sample, kept)
        except gevent.Timeout as late:
            if late is not deadline:
                raise
            sample.outcome, sample.detail = "timeout_total", f"not done after {self._patience.total_s:g} s"
        except ssl.SSLError as bad:
            sample.outcome, sample.detail = "tls", str(bad)[:300]
        except TimeoutError:
            sample.outcome = "connect" if sample.t_send0 is None else "timeout_first_token"
            sample.detail = "no connection" if sample.t_send0 is None else "no answer"
        except (OSError, HTTPParseError) as bad:
            sample.outcome, sample.detail = _broken(sample), (str(bad) or type(bad).__name__)[:300]
        except _Oversized:
            sample.outcome, sample.detail = "protocol", f"body larger than {MOST_BODY_BYTES:,} bytes"
        finally:
            deadline.close()
            if sample.t_end is None:
                sample.t_end = self.now()
            if kept is not None and keep is not None and kept.status is not None:
                keep(kept)

    def close(self) -> None:
        self._pool.close()

    def _connection(self, sample: Sample) -> Any:
        began = time.monotonic()
        sock = self._pool.get_socket()
        if getattr(sock, "is_fresh", False):
            sample.connect_ms = (time.monotonic() - began) * 1000
            sock.is_fresh = False
        return sock

    def _exchange(self, sock: Any, ready: Ready, sample: Sample, kept: Keepsake | None) -> None:
        accept = "text/event-stream" if ready.streamed else "application/json"
        head = f"POST {self._prefix}{ready.path} HTTP/1.1\r\n{self._head}Accept: {accept}\r\n"
        request = f"{head}Content-Length: {len(ready.body)}\r\n\r\n".encode("latin-1") + ready.body
        sock.settimeout(self._patience.first_token_s)
        try:
            sock.sendall(request)
        except BaseException:
            self._pool.release_socket(sock)
            raise
        sample.t_send0 = sock.sent_s - self._zero
        sample.t_send1 = self.now()
        response = HTTPSocketPoolResponse(sock, self._pool, block_size=READ_BYTES, method="POST")
        try:
            self._answer(sock, response, ready, sample, kept)
        finally:
            response.release()

    def _answer(
        self, sock: Any, response: HTTPSocketPoolResponse, ready: Ready, sample: Sample, kept: Keepsake | None
    ) -> None:
        sample.t_hdr = sock.received_s - self._zero
        sample.status = response.status_code
        headers = [(name.lower(), value) for name, value in response.items()]
        sample.request_id = next((value for name, value in headers if name == "x-request-id"), None)
        sample.limits = {n: v for n, v in headers if n.startswith("x-ratelimit-") or n in KEPT_HEADERS}
        if kept is not None:
            kept.opened(sample, headers)
        reading = Reading()
        chunks = self._chunks(sock, response, sample, kept, reading)
        if sample.is_admitted and dict(headers).get("content-type", "").startswith("text/event-stream"):
            _stream(chunks, reading, ready, sample)
        else:
            _whole(chunks, ready, sample)
        if kept is not None:
            kept.whole = True

    def _chunks(
        self, sock: Any, response: HTTPSocketPoolResponse, sample: Sample, kept: Keepsake | None, reading: Reading
    ) -> Iterator[tuple[float, bytes]]:
        """`(seconds of the run, bytes)` of each read, as soon as it is there, however small."""
        at_s = sample.t_hdr or 0.0
        whole = 0
        while True:
            if response._body_buffer:
                data = bytes(response._body_buffer)
                del response._body_buffer[:]
                whole += len(data)
                if whole > MOST_BODY_BYTES:
                    raise _Oversized
                if sample.t_byte1 is None:
                    sample.t_byte1 = at_s
                if kept is not None:
                    kept.took(at_s, data)
                yield at_s, data
            if response.message_complete:
                sample.t_end = at_s
                return
            sock.settimeout(self._left(sample, reading))
            try:
                data = sock.recv(READ_BYTES)
            except TimeoutError as late:
                raise _Silence from late
            at_s = sock.received_s - self._zero
            response.feed(data)
            if not data and not response.message_complete:
                raise HTTPParseError("connection closed in the middle of the body")

    def _left(self, sample: Sample, reading: Reading) -> float:
        """Seconds until silence counts: against the first token until there is one, then against the gap."""
        if reading.t_tokn is None:
            due = (sample.t_send0 or 0.0) + self._patience.first_token_s
        else:
            due = reading.t_tokn + self._patience.gap_s
        return max(0.001, due - self.now())


def _stream(chunks: Iterator[tuple[float, bytes]], reading: Reading, ready: Ready, sample: Sample) -> None:
    try:
        reading.read(chunks)
        sample.outcome, sample.detail = _ended(reading, ready)
    except _Silence:
        sample.outcome = "timeout_gap" if reading.events else "timeout_first_token"
    finally:
        _note(reading, sample)


def _ended(reading: Reading, ready: Ready) -> tuple[str, str]:
    """`(outcome, detail)` of a stream whose body came to its end."""
    if reading.error:
        return "stream_error", reading.error
    if reading.bad:
        return "protocol", reading.bad
    if not reading.done and reading.finish is None:
        return "stream_cut", "the body ended without [DONE] or finish_reason"
    tokens = reading.output_tokens if reading.output_tokens is not None else reading.events
    return outcome.answered(reading.finish, tokens, ready.max_tokens, reading.events > 0), ""


def _note(reading: Reading, sample: Sample) -> None:
    sample.t_tok1, sample.t_vis1, sample.t_tokn = reading.t_tok1, reading.t_vis1, reading.t_tokn
    sample.gaps_ms = [gap * 1000 for gap in reading.gaps_s]
    sample.events, sample.finish = reading.events, reading.finish
    sample.tokens_in, sample.tokens_out = reading.prompt_tokens, reading.output_tokens
    sample.tokens_source = "usage" if reading.output_tokens is not None else "none"
    if reading.output_tokens is None and reading.events:
        sample.tokens_out, sample.tokens_source = reading.events, "events"


def _whole(chunks: Iterator[tuple[float, bytes]], ready: Ready, sample: Sample) -> None:
    try:
        body = b"".join(data for _, data in chunks)
    except _Silence:
        sample.outcome = "timeout_first_token" if sample.t_byte1 is None else "timeout_gap"
        return
    try:
        told = json.loads(body)
    except ValueError:
        told = None
    if not sample.is_admitted:
        sample.outcome = outcome.refused(sample.status or 0, told)
        sample.detail = body[:300].decode("utf-8", "replace")
    elif not isinstance(told, dict):
        sample.outcome, sample.detail = "protocol", f"not a JSON object: {body[:120]!r}"
    else:
        _count(told, ready, sample)


def _count(told: dict[str, Any], ready: Ready, sample: Sample) -> None:
    """The outcome and the tokens of a plain 2xx answer."""
    usage = told.get("usage")
    if isinstance(usage, dict):
        sample.tokens_in, sample.tokens_out = usage.get("prompt_tokens"), usage.get("completion_tokens")
        sample.tokens_source = "usage"
    if ready.kind == "embeddings":
        sample.outcome = "ok" if told.get("data") else "ok_empty"
        return
    choices = [choice for choice in told.get("choices") or () if isinstance(choice, dict)]
    said = any(choice.get("text") or _has_content(choice.get("message")) for choice in choices)
    sample.finish = choices[0].get("finish_reason") if choices else None
    sample.outcome = outcome.answered(sample.finish, sample.tokens_out, ready.max_tokens, said)


def _has_content(message: Any) -> bool:
    return isinstance(message, dict) and any(message.get(name) for name in ("content", "refusal", "tool_calls"))


def _broken(sample: Sample) -> str:
    """The class of a connection that failed: before an answer began it is `connect`, afterwards the answer is cut."""
    return "connect" if sample.status is None else "stream_cut"
