"""The journal: an append-only JSONL file of one run, and the state from which a killed run goes on.

Lines, by `type`: one `header` · `sent` before a request leaves · `exchange` when its answer is whole ·
`unsent` for a probe that was given up · one `footer`. A missing footer means that the run was cut off; a
torn last line is dropped. Bodies keep their chunks: `text` when they are UTF-8, else `b64`. An exchange that became a
WebSocket has its messages in `socket`.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import IO, Any

from wireproof.exchange import Chunk, Exchange, Message, Request, Socket, Trouble, Unheard
from wireproof.judge import Planned

SCHEMA_VERSION = 1


class BadJournal(ValueError):
    """The file is no journal of ours; the message names the file, the line and what was expected."""


@dataclass(frozen=True)
class Run:
    """A journal as read.

    `sent` counts the requests that left, `lost` are those whose answers were never recorded,
    `asked_again` those of them that a resumed run sent once more.
    """

    header: Mapping[str, Any]
    exchanges: tuple[Exchange, ...]
    unsent: Mapping[str, str]
    lost: tuple[tuple[str, int, int], ...]
    asked_again: tuple[tuple[str, int, int], ...]
    footer: Mapping[str, Any] | None = None
    sent: int = 0
    path: Path | None = field(default=None, compare=False)

    @property
    def planned(self) -> list[Planned]:
        """The plan as the judge needs it, with the reasons of what was not sent."""
        return [
            Planned(**{**probe, "unsent": self.unsent.get(probe["probe"], probe["unsent"])})
            for probe in self.header["plan"]
        ]


class Journal:
    """Writes lines as they happen. Every line is flushed: what was recorded survives a kill."""

    def __init__(self, path: Path, *, resume: bool = False) -> None:
        self.path = path
        path.parent.mkdir(parents=True, exist_ok=True)
        if resume:
            _drop_torn_line(path)
        self._file: IO[str] = path.open(
            "a" if resume else "w",
            encoding="utf-8",
            errors="backslashreplace",  # half a pair, as JSON spells it
        )

    def header(self, about: Mapping[str, Any], planned: Iterable[Planned]) -> None:
        plan = [{name: getattr(probe, name) for name in Planned.__dataclass_fields__} for probe in planned]
        self._write("header", {"schema_version": SCHEMA_VERSION, **about, "plan": plan})

    def sent(self, probe: str, step: int, attempt: int) -> None:
        self._write("sent", {"probe": probe, "step": step, "attempt": attempt})

    def exchange(self, exchange: Exchange) -> None:
        self._write("exchange", as_json(exchange))

    def unsent(self, probe: str, reason: str) -> None:
        self._write("unsent", {"probe": probe, "reason": reason})

    def footer(self, **about: Any) -> None:
        self._write("footer", about)

    def _write(self, kind: str, fields: Mapping[str, Any]) -> None:
        self._file.write(json.dumps({"type": kind, **fields}, ensure_ascii=False) + "\n")
        self._file.flush()

    def __enter__(self) -> Journal:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()


def read_journal(path: Path) -> Run:
    """The run in the file, exchanges in order of sending. Raises BadJournal, or OSError when it can't be read."""
    header: Mapping[str, Any] = {}
    footer: Mapping[str, Any] | None = None
    exchanges: list[Exchange] = []
    unsent: dict[str, str] = {}
    open_requests: dict[tuple[str, int, int], None] = {}
    left: dict[tuple[str, int, int], int] = {}
    again: dict[tuple[str, int, int], None] = {}
    calls = 0
    for number, line in enumerate(_whole_lines(path), 1):
        try:
            fields = json.loads(line)
            match fields["type"]:
                case "header":
                    header, footer = _checked(fields), None
                case "sent":
                    request = fields["probe"], fields["step"], fields["attempt"]
                    if request in open_requests:
                        again[request] = None
                    open_requests[request] = None
                    footer, calls = None, calls + 1
                    left[request] = calls
                case "exchange":
                    exchange = from_json(fields)
                    exchanges.append(exchange)
                    unsent.pop(exchange.probe, None)
                    open_requests.pop(_named(exchange), None)
                case "unsent":
                    unsent[fields["probe"]] = fields["reason"]
                case "footer":
                    footer = _checked_footer(fields)
        except (ValueError, LookupError, TypeError, AttributeError, RecursionError) as bad:
            raise BadJournal(
                f"{path}, line {number}: expected a line of a wireproof journal, got {line[:60]!r}"
            ) from bad
    if not header:
        raise BadJournal(f"{path}: expected a journal that starts with a header line, found none")
    exchanges.sort(key=lambda exchange: left.get(_named(exchange), 0))
    return Run(header, tuple(exchanges), unsent, tuple(open_requests), tuple(again), footer, calls, path)


def _named(exchange: Exchange) -> tuple[str, int, int]:
    return exchange.probe, exchange.step, exchange.attempt


def as_json(exchange: Exchange) -> dict[str, Any]:
    """An exchange as one line of the journal. `from_json` is its inverse."""
    request = exchange.request
    return {
        "probe": exchange.probe,
        "step": exchange.step,
        "attempt": exchange.attempt,
        "operation": exchange.operation,
        "request": {
            "method": request.method,
            "path": request.path,
            "query": dict(request.query),
            "headers": [list(pair) for pair in request.headers],
            "body": _data(request.body),
        },
        "status": exchange.status,
        "headers": [list(pair) for pair in exchange.headers],
        "started_unix": round(exchange.started_unix, 6),
        "headers_at_s": _rounded(exchange.headers_at_s),
        "ended_at_s": _rounded(exchange.ended_at_s),
        "chunks": [{"at_s": _rounded(chunk.at_s), **_data(chunk.data)} for chunk in exchange.chunks],
        "trouble": exchange.trouble and vars_of(exchange.trouble),
        **({"lacks": sorted(exchange.lacks)} if exchange.lacks else {}),
        **({"socket": _socket_json(exchange.socket)} if exchange.socket else {}),
    }


def from_json(fields: Mapping[str, Any]) -> Exchange:
    asked = fields["request"]
    request = Request(
        asked["method"],
        asked["path"],
        asked["query"],
        tuple((k, v) for k, v in asked["headers"]),
        _bytes(asked["body"]),
    )
    return Exchange(
        fields["probe"],
        fields["step"],
        fields["attempt"],
        fields["operation"],
        request,
        fields["status"],
        tuple((k, v) for k, v in fields["headers"]),
        tuple(Chunk(chunk["at_s"], _bytes(chunk)) for chunk in fields["chunks"]),
        fields["started_unix"],
        fields["headers_at_s"],
        fields["ended_at_s"],
        Trouble(**fields["trouble"]) if fields["trouble"] else None,
        frozenset(fields.get("lacks", ())),
        _socket(fields["socket"]) if fields.get("socket") else None,
    )


def _socket_json(socket: Socket) -> dict[str, Any]:
    """Messages have `text`, or `b64` when they came as bytes."""
    return {
        "protocol": socket.protocol,
        "messages": [
            {
                "at_s": _rounded(one.at_s),
                "ours": one.ours,
                **(_data(one.data) if one.is_text else {"b64": base64.b64encode(one.data).decode()}),
            }
            for one in socket.messages
        ],
        "closed_by": socket.closed_by,
        "code": socket.code,
        "reason": socket.reason,
        "unheard": [
            {"messages": one.messages, "types": list(one.types), "waited_s": _rounded(one.waited_s)}
            for one in socket.unheard
        ],
    }


def _socket(fields: Mapping[str, Any]) -> Socket:
    return Socket(
        tuple(Message(one["at_s"], one["ours"], _bytes(one), "text" in one) for one in fields["messages"]),
        fields["protocol"],
        fields["closed_by"],
        fields["code"],
        fields["reason"],
        tuple(Unheard(one["messages"], tuple(one["types"]), one["waited_s"]) for one in fields["unheard"]),
    )


def vars_of(trouble: Trouble) -> dict[str, Any]:
    return {"kind": trouble.kind, "detail": trouble.detail, "theirs": trouble.theirs}


def _checked(header: Mapping[str, Any]) -> Mapping[str, Any]:
    if header["schema_version"] != SCHEMA_VERSION:
        raise ValueError(f"schema_version {header['schema_version']}")
    for part in (header["target"]["base_url"], header["started"]):
        if not isinstance(part, str):
            raise TypeError(f"{part!r} is no text")
    for probe in header["plan"]:
        Planned(**probe)
    return header


def _checked_footer(footer: Mapping[str, Any]) -> Mapping[str, Any]:
    for name in ("calls", "tokens", "usd", "wall_s"):
        if not isinstance(footer["spend"][name], int | float | None):
            raise TypeError(f"spend.{name} is no number")
    return footer


def _data(data: bytes) -> dict[str, str]:
    try:
        return {"text": data.decode()}
    except UnicodeDecodeError:
        return {"b64": base64.b64encode(data).decode()}


def _bytes(fields: Mapping[str, str]) -> bytes:
    return fields["text"].encode() if "text" in fields else base64.b64decode(fields["b64"])


def _rounded(at_s: float | None) -> float | None:
    return None if at_s is None else round(at_s, 6)


def _whole_lines(path: Path) -> Iterable[str]:
    """Lines that were written to their end."""
    with path.open(encoding="utf-8", errors="replace") as file:
        for line in file:
            if line.endswith("\n") and line.strip():
                yield line


def _drop_torn_line(path: Path) -> None:
    data = path.read_bytes()
    whole = data.rfind(b"\n") + 1
    if whole != len(data):
        with path.open("r+b") as file:
            file.truncate(whole)
