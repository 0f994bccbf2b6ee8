"""One answer on its way to its client: at once, or frame by frame at absolute deadlines.

Each frame is a write of its own, and a late write does not make the next one late. A timer of the event loop, not a
task, waits for the next frame: hundreds of streams cost as much as their frames. A client that reads slowly holds up
its own stream only. `Answer.cut` leaves the message without its end and closes the connection.
"""

from __future__ import annotations

import asyncio
import math
import traceback
from collections.abc import Callable, Iterator
from functools import lru_cache
from http import HTTPStatus
from time import perf_counter
from typing import Protocol

from wireproof.standin.wire import Answer, Frame

# Frames without delays written before others get a turn: an endless stream must not own the loop.
MOST_IN_A_ROW = 16
BODILESS = (204, 304)
# What a client sent may stand in a header, and must not break out of its line.
NO_BREAKS = {ord("\r"): " ", ord("\n"): " "}


class Witness(Protocol):
    """Is told what really happens to one answer; times are those of perf_counter."""

    def wrote(self, at_s: float, data: bytes, due_s: float | None = None) -> None: ...

    def ended(self, at_s: float, *, is_whole: bool) -> None: ...


class Delivery:
    """Writes `answer` to `transport`.

    `done(reusable)` is called once: when all is out, or after `abandon`, which is called when the client has gone.
    """

    def __init__(
        self,
        answer: Answer,
        transport: asyncio.Transport,
        loop: asyncio.AbstractEventLoop,
        witnesses: tuple[Witness, ...],
        done: Callable[[bool], None],
    ) -> None:
        self._answer = answer
        self._transport = transport
        self._loop = loop
        self._witnesses = witnesses
        self._done = done
        self._timer: asyncio.Handle | None = None
        self._frames: Iterator[Frame] = iter(())
        self._frame = Frame(0.0, b"")
        self._due_s = 0.0
        self._is_begun = self._is_over = self._is_stopped = False
        self._keep = self._has_body = self._chunked = False

    def begin(self, started_s: float, date: str, method: str, version: str, keep: bool) -> None:
        """`started_s`: when the request was taken up; delays count from there. `keep`: more requests may follow."""
        answer = self._answer
        self._keep = keep and not answer.cut
        self._has_body = method != "HEAD" and answer.status not in BODILESS
        self._chunked = self._has_body and version == "1.1" and (answer.is_stream or answer.cut)
        self._due_s = started_s + answer.delay_ms / 1000
        self._write_first(self._head(date))

    def stop(self) -> None:
        """The client does not read: frames wait."""
        self._is_stopped = True

    def go_on(self) -> None:
        self._is_stopped = False
        if self._is_begun and self._timer is None and not self._is_over:
            self._advance()

    def abandon(self) -> None:
        if not self._is_over:
            self._end(is_whole=False)

    def _head(self, date: str) -> bytes:
        answer = self._answer
        lines = [_status_line(answer.status), f"date: {date}", *(f"{name}: {value}" for name, value in answer.headers)]
        length = answer.header("content-length")
        if length is not None:
            self._chunked = False
            self._keep = self._keep and not answer.is_stream and length == str(len(answer.body))
        elif self._chunked:
            lines.append("transfer-encoding: chunked")
        elif self._has_body and (answer.is_stream or answer.cut):
            self._keep = False  # nothing but the end of the connection tells where the body ends
        elif answer.status not in BODILESS:
            lines.append(f"content-length: {len(answer.body)}")
        if not self._keep and not answer.cut:
            lines.append("connection: close")
        head = "\r\n".join(lines)
        if head.count("\n") != len(lines) - 1 or head.count("\r") != len(lines) - 1:
            head = "\r\n".join(line.translate(NO_BREAKS) for line in lines)
        return head.encode("latin-1", "replace") + b"\r\n\r\n"

    def _framed(self, data: bytes) -> bytes:
        return b"%x\r\n%b\r\n" % (len(data), data) if self._chunked and data else data

    def _write_first(self, head: bytes) -> None:
        """When it is due: a plain answer whole, of a stream the head."""
        left_s = self._due_s - perf_counter()
        if left_s > 0:
            self._timer = self._loop.call_later(_ticks(left_s), self._write_first, head)
            return
        self._timer = None
        if self._answer.frames is None:
            self._transport.write(head + self._framed(self._answer.body) if self._has_body else head)
            self._tell(self._answer.body)
            self._end(is_whole=not self._answer.cut)
            return
        self._transport.write(head)
        if self._has_body:
            self._frames, self._is_begun = iter(self._answer.frames), True
            if self._take_next():
                self._advance()
        else:
            self._end(is_whole=True)

    def _take_next(self) -> bool:
        """The next frame; the end of the message, when there is none."""
        try:
            frame = next(self._frames, None)
        except (
            Exception
        ):  # a defect of ours, when frames are written as they go: the client shall not wait for the rest
            traceback.print_exc()
            self._transport.abort()
            self._end(is_whole=False)
            return False
        if frame is not None:
            self._frame = frame
            self._due_s += frame.delay_ms / 1000
            return True
        if self._chunked and not self._answer.cut:
            self._transport.write(b"0\r\n\r\n")
        self._end(is_whole=not self._answer.cut)
        return False

    def _advance(self) -> None:
        """Writes the frames that are due, each by itself, then waits for the next."""
        self._timer = None
        for _ in range(MOST_IN_A_ROW):
            if self._is_stopped or self._is_over:
                return
            if self._frame.delay_ms and (left_s := self._due_s - perf_counter()) > 0:
                self._timer = self._loop.call_later(_ticks(left_s), self._advance)
                return
            data = self._frame.data
            if data:  # a chunk of no bytes would be the end of the message
                self._transport.write(self._framed(data))
                self._tell(data, self._due_s)
            if not self._take_next():
                return
        self._timer = self._loop.call_soon(self._advance)

    def _tell(self, data: bytes, due_s: float | None = None) -> None:
        if self._witnesses:
            now_s = perf_counter()
            for witness in self._witnesses:
                witness.wrote(now_s, data, due_s)

    def _end(self, *, is_whole: bool) -> None:
        self._is_over = True
        self._frames = iter(())
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        for witness in self._witnesses:
            witness.ended(perf_counter(), is_whole=is_whole)
        self._done(self._keep)


def _ticks(left_s: float) -> float:
    """Whole milliseconds, which event loops wait in; up, because early is wrong and late by one is not."""
    return math.ceil(left_s * 1000) / 1000


@lru_cache
def _status_line(status: int) -> str:
    try:
        return f"HTTP/1.1 {status} {HTTPStatus(status).phrase}"
    except ValueError:
        return f"HTTP/1.1 {status} "
