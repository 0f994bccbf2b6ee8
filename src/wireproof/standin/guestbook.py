"""A journal of what clients sent to the stand-in and what they were answered: `wireproof judge` reads it.

One exchange a request, each flushed when its answer is out, so a crash loses what was under way and nothing else.
Times are the stand-in's own: taken up, then each write. Keys are masked, also those that were wrong.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from time import perf_counter, time

from wireproof import __version__
from wireproof.exchange import Chunk, Exchange, Headers, Request, Trouble
from wireproof.journal import Journal
from wireproof.secrets import MARKER, Secrets
from wireproof.spec import load_spec
from wireproof.standin.wire import Answer, Ask

PREFIX = "/v1"
# Headers and query parameters that carry a key where it is not a bearer's.
KEY_NAMES = frozenset({"api-key", "x-api-key", "api_key", "cookie", "proxy-authorization", "sec-websocket-protocol"})
MOST_BODY_BYTES = 16 * 1024 * 1024
CLIENT_LEFT = Trouble("truncated", "the client left before the answer was whole", theirs=False)
CUT = Trouble("truncated", "the answer was cut, as a fault wants it", theirs=True)


class Guestbook:
    """Open from when it is made until `close`. FileExistsError when `path` is there already: it may be evidence."""

    def __init__(self, path: Path, base_url: str, keys: Iterable[str], faults: Iterable[str] = ()) -> None:
        if path.exists():
            raise FileExistsError(path)
        self._keys = tuple(keys)
        self._numbers = count(1)
        self._written = 0
        self._begun_s = perf_counter()
        self._journal = Journal(path)
        target = {"base_url": base_url, "backend": "the stand-in"}
        named = ", ".join(faults)
        self._journal.header(
            {
                "wireproof": __version__,
                "target": target | ({"faults": named} if named else {}),
                "started": datetime.now(UTC).isoformat(timespec="seconds"),
                "recorded_by": "serve",
            },
            (),
        )

    def begin(self, ask: Ask, answer: Answer, at_s: float) -> Entry:
        probe = f"client.{next(self._numbers)}"
        self._journal.sent(probe, 0, 1)
        return Entry(self, probe, ask, answer, at_s)

    def enter(self, entry: Entry, ended_s: float, trouble: Trouble | None) -> None:
        self._written += 1
        self._journal.exchange(exchange(entry, ended_s, trouble, self._keys))

    def close(self) -> None:
        """What is still under way is told as lost."""
        wall_s = round(perf_counter() - self._begun_s, 3)
        self._journal.footer(
            reason="complete", spend={"calls": self._written, "tokens": 0, "usd": 0.0, "wall_s": wall_s}
        )
        self._journal.__exit__(None, None, None)


class Entry:
    """One request as it is answered; a `Witness` of its delivery."""

    def __init__(self, book: Guestbook, probe: str, ask: Ask, answer: Answer, at_s: float) -> None:
        self.probe = probe
        self.ask = ask
        self.answer = answer
        self.at_s = at_s
        self.started_unix = time() - (perf_counter() - at_s)
        self.writes: deque[tuple[float, bytes]] = deque()
        self._book = book

    def wrote(self, at_s: float, data: bytes, due_s: float | None = None) -> None:
        self.writes.append((at_s, data))

    def ended(self, at_s: float, *, is_whole: bool) -> None:
        trouble = None if is_whole else CUT if self.answer.cut else CLIENT_LEFT
        self._book.enter(self, at_s, trouble)


def exchange(entry: Entry, ended_s: float, trouble: Trouble | None, keys: Iterable[str]) -> Exchange:
    """The entry as the recorder of a client would have it, without any key."""
    ask, answer = entry.ask, entry.answer
    secrets = _secrets(ask, keys)
    chunks = [Chunk(at_s - entry.at_s, data) for at_s, data in entry.writes if data]
    return Exchange(
        entry.probe,
        0,
        1,
        _operation_of(ask),
        Request(
            ask.method,
            secrets.in_text(ask.path.removeprefix(PREFIX)),
            {name: _masked(secrets, name, value) for name, value in ask.query},
            secrets.in_headers((name, _masked(secrets, name, value)) for name, value in ask.headers),
            _body(secrets, ask.body),
        ),
        answer.status,
        secrets.in_headers(_lowered(answer.headers)),
        secrets.in_chunks(chunks, answer.header("content-encoding")),
        entry.started_unix,
        entry.writes[0][0] - entry.at_s if entry.writes else None,
        ended_s - entry.at_s,
        trouble,
    )


def _operation_of(ask: Ask) -> str | None:
    operation = load_spec().operation_for(ask.method, ask.path.removeprefix(PREFIX))
    return operation.id if operation else None


def _secrets(ask: Ask, keys: Iterable[str]) -> Secrets:
    """The key that was sent comes first: what is in `Authorization` is told as `MARKER`, right or wrong."""
    sent = (ask.header("authorization") or "").partition(" ")[2].strip()
    known = [key for key in keys if key != sent]
    return Secrets((*Secrets.of(sent).values, *known))


def _masked(secrets: Secrets, name: str, value: str) -> str:
    return MARKER if name.lower() in KEY_NAMES else secrets.in_text(value)


def _body(secrets: Secrets, body: bytes) -> bytes:
    if len(body) > MOST_BODY_BYTES:
        return f"[{len(body):,} bytes are left out here]".encode()
    (masked,) = secrets.in_chunks([Chunk(0.0, body)], None)
    return masked.data


def _lowered(headers: Headers) -> Headers:
    return tuple((name.lower(), value) for name, value in headers)
