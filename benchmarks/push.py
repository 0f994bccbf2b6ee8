"""A load generator on one core: raw sockets and epoll, one request at a time a connection, no pipelining.

It only looks for what ends an answer, so it costs less than any server it pushes; `busy` says how much of its core
it took, and a figure taken with a client that was busier than MOST_BUSY measures the client.
"""

from __future__ import annotations

import selectors
import socket
import time
from dataclasses import dataclass, field

MOST_BUSY = 0.85
EVENT_END = b"\n\n"
STREAM_END = b"0\r\n\r\n"
BUFFER = 1 << 18


@dataclass(frozen=True)
class Pushed:
    """What one push saw: whole answers, events in them, seconds it lasted, the share of a core the client took.

    `late_ms` has, for each event of paced streams, how far it came behind the earliest event of its stream.
    """

    answers: int
    events: int
    bad: int
    wall_s: float
    busy: float
    late_ms: tuple[float, ...] = ()


@dataclass(slots=True)
class Talk:
    """One connection and what is known of the answer it waits for."""

    link: socket.socket
    left: int = -1  # bytes of a plain answer still to come; -1 before its headers
    tail: bytes = b""
    arrivals: list[float] = field(default_factory=list)


def request(method: str, path: str, key: str, body: bytes = b"") -> bytes:
    head = f"{method} {path} HTTP/1.1\r\nhost: bench\r\nauthorization: Bearer {key}\r\n"
    if body:
        head += f"content-type: application/json\r\ncontent-length: {len(body)}\r\n"
    return head.encode() + b"\r\n" + body


def push_answers(port: int, asked: bytes, connections: int, seconds: float) -> Pushed:
    """Plain answers, each known by its content-length, for `seconds`."""
    with _Crowd(port, connections) as crowd:
        answers = bad = 0
        crowd.ask_all(asked)
        while crowd.wall_s < seconds:
            for talk, data in crowd.heard():
                if talk.left < 0:
                    talk.tail += data
                    head, found, rest = talk.tail.partition(b"\r\n\r\n")
                    if not found:
                        continue
                    bad += not head.startswith(b"HTTP/1.1 200")
                    talk.left, talk.tail = _length(head) - len(rest), b""
                else:
                    talk.left -= len(data)
                if talk.left == 0:
                    answers += 1
                    talk.left = -1
                    talk.link.send(asked)
        return Pushed(answers, 0, bad, crowd.wall_s, crowd.busy)


def push_streams(port: int, asked: bytes, connections: int, seconds: float) -> Pushed:
    """Streams without a pause, the next as soon as one has ended; events are counted as they come."""
    with _Crowd(port, connections) as crowd:
        answers = events = bad = 0
        crowd.ask_all(asked)
        while crowd.wall_s < seconds:
            for talk, data in crowd.heard():
                bad += data.startswith(b"HTTP/1.1 ") and not data.startswith(b"HTTP/1.1 200")
                events += data.count(EVENT_END) + (talk.tail[-1:] == b"\n" == data[:1])
                talk.tail = (talk.tail + data)[-5:]
                if talk.tail == STREAM_END:
                    answers += 1
                    talk.tail = b""
                    talk.link.send(asked)
        return Pushed(answers, events, bad, crowd.wall_s, crowd.busy)


def push_paced(port: int, asked: bytes, connections: int, gap_ms: float) -> Pushed:
    """One stream a connection, all at once, to their ends; when each event came against a pace of `gap_ms`."""
    with _Crowd(port, connections) as crowd:
        answers = bad = 0
        crowd.ask_all(asked)
        while answers < connections:
            for talk, data in crowd.heard():
                now = time.perf_counter()
                bad += data.startswith(b"HTTP/1.1 ") and not data.startswith(b"HTTP/1.1 200")
                talk.arrivals += [now] * data.count(b'"content"')
                talk.tail = (talk.tail + data)[-5:]
                answers += talk.tail == STREAM_END
        wall_s, busy = crowd.wall_s, crowd.busy
    late = [at for talk in crowd.talks for at in _lateness(talk.arrivals, gap_ms)]
    return Pushed(answers, len(late), bad, wall_s, busy, tuple(late))


def _lateness(arrivals: list[float], gap_ms: float) -> list[float]:
    """The role event has content too, empty, and no pause behind it: the words begin after it."""
    offsets = [at * 1000 - number * gap_ms for number, at in enumerate(arrivals[1:])]
    return [offset - min(offsets) for offset in offsets]


class _Crowd:
    """Connections that are asked and heard together."""

    def __init__(self, port: int, connections: int) -> None:
        self._selector = selectors.DefaultSelector()
        self.talks = [Talk(socket.create_connection(("127.0.0.1", port))) for _ in range(connections)]
        for talk in self.talks:
            talk.link.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._selector.register(talk.link, selectors.EVENT_READ, talk)
        self._begun, self._cpu = time.perf_counter(), time.process_time()

    @property
    def wall_s(self) -> float:
        return time.perf_counter() - self._begun

    @property
    def busy(self) -> float:
        return (time.process_time() - self._cpu) / self.wall_s

    def ask_all(self, asked: bytes) -> None:
        for talk in self.talks:
            talk.link.send(asked)

    def heard(self) -> list[tuple[Talk, bytes]]:
        """What has come since the last call; ConnectionError when a server hung up."""
        found = []
        for key, _ in self._selector.select(1.0):
            data = key.data.link.recv(BUFFER)
            if not data:
                raise ConnectionError("the server closed a connection before its answer was whole")
            found.append((key.data, data))
        return found

    def __enter__(self) -> _Crowd:
        return self

    def __exit__(self, *_: object) -> None:
        for talk in self.talks:
            talk.link.close()
        self._selector.close()


def _length(head: bytes) -> int:
    lower = head.lower()
    at = lower.index(b"content-length:") + len(b"content-length:")
    return int(lower[at : lower.find(b"\r\n", at) if b"\r\n" in lower[at:] else None])
