"""Traffic that others recorded, as exchanges: HAR files, VCR cassettes, mitmproxy dumps, journals of ours.

A certification of it costs no token. What a format does not tell (`Exchange.lacks`) makes the clauses that need it
not applicable, never kept. Keys are masked on the way in; requests that mean no operation of the description are left
out and counted.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from wireproof.exchange import Chunk, Exchange, Headers, Lack, Message, Request, Socket, Undecodable, inflate
from wireproof.journal import BadJournal, Run, read_journal
from wireproof.secrets import MARKER
from wireproof.spec import Spec, load_spec

SECRET_HEADERS = ("authorization", "api-key", "x-api-key", "cookie", "set-cookie", "proxy-authorization")
PROTOCOL = "sec-websocket-protocol"
HIDDEN = "<hidden>"  # not the key's marker: that in an answer would say that the key came back
PLAIN = ("", "identity")


class BadRecording(ValueError):
    """The file is no recording that can be read; the message names it and what was expected."""


@dataclass(frozen=True)
class Heard:
    """One request and its answer as a format tells them. `body` and `answer` are None when it has kept none of it.

    Times are seconds since the epoch, None when not told. `is_decoded`: the body has its encoding undone already.
    `is_filtered`: headers may have been left out, as people do before they publish a recording. `messages` are those of
    a WebSocket, for which `answer` is the handshake.
    """

    method: str
    url: str
    headers: Headers
    body: bytes | None
    status: int | None
    answer_headers: Headers
    answer: bytes | None = field(repr=False)
    started_unix: float | None = None
    headers_at_s: float | None = None
    ended_at_s: float | None = None
    is_decoded: bool = False
    is_filtered: bool = False
    messages: tuple[Message, ...] | None = None


def read_recording(path: Path) -> Run:
    """The file as a run, whatever its format. Raises BadRecording or BadJournal, or OSError when it can't be read."""
    kind = _kind(path)
    if kind == "journal":
        return read_journal(path)
    if kind == "har":
        from wireproof.recordings.har import heard
    elif kind == "mitmproxy":
        from wireproof.recordings.mitmproxy import heard
    else:
        from wireproof.recordings.vcr import heard
    try:
        found = list(heard(path))
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError) as bad:
        raise BadRecording(f"{path}: expected a recording ({kind}), got {_said(bad)}") from bad
    return _run(path, kind, found)


def _kind(path: Path) -> str:
    with path.open("rb") as file:
        head = file.read(4096)
    if path.suffix == ".har" or b'"log"' in head[:200]:
        return "har"
    if head[:1].isdigit() and b":" in head[:12]:
        return "mitmproxy"
    if path.suffix == ".jsonl" or head.lstrip().startswith(b'{"type"'):
        return "journal"
    if path.suffix in (".yaml", ".yml", ".json") or b"interactions" in head:
        return "vcr"
    raise BadJournal(f"{path}: expected a journal of wireproof, a HAR file, a VCR cassette or a mitmproxy dump")


def _said(bad: Exception) -> str:
    return f"{type(bad).__name__}: {' '.join(str(bad).split())}"[:200]


def _run(path: Path, kind: str, heard: Iterable[Heard]) -> Run:
    spec = load_spec()
    exchanges: list[Exchange] = []
    bases: list[str] = []
    strangers = 0
    for number, one in enumerate(heard, 1):
        found = _exchange(spec, f"{kind}.{number}", one)
        if found is None:
            strangers += 1
            continue
        base, exchange = found
        bases.append(base)
        exchanges.append(exchange)
    if not exchanges:
        raise BadRecording(f"{path}: expected requests to an OpenAI-compatible API, found none among {strangers}")
    begun = min((e.started_unix for e in exchanges if "clock" not in e.lacks), default=None)
    started = datetime.fromtimestamp(begun, UTC) if begun is not None else datetime.fromtimestamp(0, UTC)
    header: dict[str, Any] = {
        "target": {"base_url": max(set(bases), key=bases.count), "recording": path.name},
        "started": started.isoformat(timespec="seconds"),
        "plan": [],
        "left_out": strangers,
    }
    footer = {"reason": "complete", "spend": {"calls": len(exchanges), "tokens": 0, "usd": None, "wall_s": 0.0}}
    return Run(header, tuple(exchanges), {}, (), (), footer, len(exchanges), path)


def _exchange(spec: Spec, probe: str, one: Heard) -> tuple[str, Exchange] | None:
    """`(base URL, exchange)`; None when the request means no operation, or nothing is known of its answer."""
    parts = urlsplit(one.url)
    prefix = _prefix(spec, one.method, parts.path)
    if prefix is None or one.status is None or one.answer is None:
        return None
    path = parts.path[len(prefix) :]
    operation = spec.operation_for(one.method, path)
    asked = Request(one.method, path, dict(parse_qsl(parts.query, keep_blank_values=True)), _masked(one.headers),
                    one.body or b"")  # fmt: skip
    headers, answer = _plain(one)
    ended = one.ended_at_s if one.ended_at_s is not None else 0.0
    scheme = {"ws": "http", "wss": "https"}.get(parts.scheme, parts.scheme)
    return f"{scheme}://{parts.netloc}{prefix}", Exchange(
        probe=probe,
        step=0,
        attempt=1,
        operation=operation.id if operation else None,
        request=asked,
        status=one.status,
        headers=_masked(headers),
        chunks=(Chunk(ended, answer),) if answer else (),
        started_unix=one.started_unix or 0.0,
        headers_at_s=one.headers_at_s,
        ended_at_s=ended,
        lacks=_lacks(one),
        socket=None if one.messages is None else _socket(one),
    )


def _socket(one: Heard) -> Socket:
    """How it closed is not told. A key that went as the name of a protocol is hidden wherever it stands."""
    keys = [value.encode() for name in _protocols(one.headers) if (value := _key_in(name))]
    told = []
    for message in one.messages or ():
        data = message.data
        for key in keys:
            data = data.replace(key, HIDDEN.encode())
        told.append(replace(message, data=data))
    chosen = next((value for name, value in one.answer_headers if name.lower() == PROTOCOL), None)
    return Socket(tuple(told), chosen and _without_key(chosen), "client", None)


def _protocols(headers: Headers) -> list[str]:
    return [part.strip() for name, value in headers if name.lower() == PROTOCOL for part in value.split(",")]


def _key_in(protocol: str) -> str:
    """The key in the name of a protocol, as `openai-insecure-api-key.KEY`; "" when there is none."""
    name, _, key = protocol.partition(".")
    return key if "key" in name else ""


def _without_key(protocol: str) -> str:
    key = _key_in(protocol)
    return protocol.replace(key, MARKER) if key else protocol


def _lacks(one: Heard) -> frozenset[Lack]:
    told: dict[Lack, bool] = {
        "times": one.messages is not None,  # those of its messages are told
        "sequence": False,
        "clock": one.started_unix is not None,
        "headers": not one.is_filtered,
    }
    return frozenset(lack for lack, is_told in told.items() if not is_told)


def _prefix(spec: Spec, method: str, path: str) -> str | None:
    """What stands before the path of an operation: `/v1`, `/openai/v1`, nothing. The shortest that leaves one."""
    segments = path.split("/")
    for count in range(1, len(segments)):
        rest = "/" + "/".join(segments[count:])
        if spec.operation_for(method, rest) is not None:
            return "/".join(segments[:count])
    return None


def _plain(one: Heard) -> tuple[Headers, bytes]:
    """The answer with its encoding undone, so that a body a recorder has decoded is not taken for a broken one."""
    answer = one.answer or b""
    coding = next((value for name, value in one.answer_headers if name.lower() == "content-encoding"), "").lower()
    if coding in PLAIN:
        return one.answer_headers, answer
    if not one.is_decoded:
        try:
            answer = inflate(answer, coding)
        except Undecodable:
            return one.answer_headers, answer
    gone = ("content-encoding", "content-length")
    return tuple((name, value) for name, value in one.answer_headers if name.lower() not in gone), answer


def _masked(headers: Headers) -> Headers:
    """Nothing that opens a door comes in: not into a verdict, not into a report."""
    return tuple((name, _hidden(name, value)) for name, value in headers)


def _hidden(name: str, value: str) -> str:
    if name.lower() == PROTOCOL:
        return ", ".join(_without_key(part.strip()) for part in value.split(","))
    if name.lower() not in SECRET_HEADERS:
        return value
    if name.lower() != "authorization":
        return HIDDEN
    scheme, blank, _ = value.partition(" ")
    return f"{scheme} {MARKER}" if blank else MARKER
