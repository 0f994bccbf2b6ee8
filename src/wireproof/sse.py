"""The event-stream format, read without I/O: bytes with arrival times in, events out.

Source: WHATWG HTML, "9.2.6 Interpreting an event stream". Lines end in LF, CR or CRLF; a leading BOM and
comment lines are skipped; one space after the colon is dropped; several `data` lines join with LF.
Departures from the standard, for the judge's sake: an event pending at the end of the body is given out,
marked `unfinished` (the standard and the official SDK 3.54 drop it), and lines that are no field are kept
in `strays`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

FIELDS = ("data", "event", "id", "retry")
BOM = b"\xef\xbb\xbf"
CR = 13


@dataclass(frozen=True, slots=True)
class Event:
    """One dispatched event. `at_s` is when its last byte came; `offset` where its first line starts in the body.

    `strays` are lines between the event before and this one which no client understands. An event made of
    strays alone has `data` None: clients see nothing of it.
    """

    at_s: float
    offset: int
    data: str | None
    name: str | None = None
    strays: tuple[str, ...] = ()
    unfinished: bool = False

    @property
    def is_done(self) -> bool:
        return self.data is not None and self.data.strip() == "[DONE]"


def lex(chunks: Iterable[tuple[float, bytes]]) -> Iterator[Event]:
    """The events of a body that arrived as `(at_s, bytes)`; the same however it was cut.

    Bytes that are not UTF-8 become U+FFFD: a clause judges them, the lexer reads on.
    """
    pending = _Pending(0)
    at_s = 0.0
    for at_s, offset, line in _lines(chunks):
        if line:
            pending.take(line, offset)
            continue
        if pending.has_something:
            yield pending.event(at_s)
        pending = _Pending(offset)
    if pending.has_something:
        yield pending.event(at_s, unfinished=True)


class _Pending:
    """The event being read."""

    def __init__(self, offset: int) -> None:
        self.offset = offset
        self.data: list[str] = []
        self.name: str | None = None
        self.strays: list[str] = []
        self._started = False

    @property
    def has_something(self) -> bool:
        return bool(self.data or self.strays)

    def take(self, line: bytes, offset: int) -> None:
        if not self._started:
            self.offset, self._started = offset, True
        if line.startswith(b":"):
            return
        field, _, value = line.partition(b":")
        text = value.removeprefix(b" ").decode("utf-8", "replace")
        match field:
            case b"data":
                self.data.append(text)
            case b"event":
                self.name = text
            case b"id" | b"retry":
                pass
            case _:
                self.strays.append(line.decode("utf-8", "replace"))

    def event(self, at_s: float, unfinished: bool = False) -> Event:
        data = "\n".join(self.data) if self.data else None
        return Event(at_s, self.offset, data, self.name, tuple(self.strays), unfinished)


def _lines(chunks: Iterable[tuple[float, bytes]]) -> Iterator[tuple[float, int, bytes]]:
    """`(at_s, offset, line)` of each line without its end; the last one may have had none.

    A CR at the end of a chunk ends its line at once (a client must not wait); an LF that opens the next
    chunk then belongs to it.
    """
    rest, offset, skip_lf, first, at_s = bytearray(), 0, False, True, 0.0
    searched = 0  # of `rest`: a long line that comes in many pieces is looked at once
    for at_s, data in chunks:
        if skip_lf and data:
            if data.startswith(b"\n"):
                data, offset = data[1:], offset + 1
            skip_lf = False
        rest += data
        if first:
            if len(rest) < len(BOM) and BOM[: len(rest)] == rest:
                continue
            if rest.startswith(BOM):
                rest, offset = rest[len(BOM) :], offset + len(BOM)
            first = False
        start = 0
        while (end := _line_end(rest, max(start, searched))) >= 0:
            yield at_s, offset + start, bytes(rest[start:end])
            start = end + 1
            if rest[end] == CR:
                if rest[start : start + 1] == b"\n":
                    start += 1
                else:
                    skip_lf = start == len(rest)
        del rest[:start]
        offset, searched = offset + start, len(rest)
    if rest:
        yield at_s, offset, bytes(rest)


def _line_end(data: bytearray, start: int) -> int:
    """The index of the first CR or LF from `start` on, -1 when there is none."""
    lf = data.find(b"\n", start)
    cr = data.find(b"\r", start, lf if lf >= 0 else len(data))
    return cr if cr >= 0 else lf
