"""Dumps of mitmproxy (`mitmdump -w FILE`): one flow after the other, each a tnetstring.

A tnetstring is `<length>:<payload><type>`, type one of `,` bytes, `;` text, `#` integer, `^` float, `!` boolean,
`~` null, `]` list, `}` dictionary. Source: mitmproxy/io/tnetstring.py and io/compat.py (flow format 7 to 21).
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from wireproof.exchange import Headers
from wireproof.recordings import Heard

MOST_DEPTH = 64


def heard(path: Path) -> Iterator[Heard]:
    """Every HTTP flow that was answered; a torn one at the end is dropped, as mitmproxy itself does."""
    data = path.read_bytes()
    at = 0
    while at < len(data):
        try:
            flow, at = parsed(data, at)
        except EOFError:
            return
        if flow.get("type") == "http" and flow.get("response"):
            yield _heard(flow["request"], flow["response"])


def _heard(request: dict[str, Any], response: dict[str, Any]) -> Heard:
    host, port = _text(request["host"]), request["port"]
    named = next((value for name, value in _headers(request) if name.lower() == "host"), "")
    authority = _text(request.get("authority") or b"") or named or f"{host}:{port}"
    begun = request["timestamp_start"]
    return Heard(
        method=_text(request["method"]).upper(),
        url=f"{_text(request['scheme'])}://{authority}{_text(request['path'])}",
        headers=_headers(request),
        body=request.get("content") or b"",
        status=response["status_code"],
        answer_headers=_headers(response),
        answer=response.get("content"),
        started_unix=begun,
        headers_at_s=response["timestamp_start"] - begun,
        ended_at_s=(response.get("timestamp_end") or response["timestamp_start"]) - begun,
    )


def _headers(side: dict[str, Any]) -> Headers:
    return tuple((name.decode("latin-1"), value.decode("latin-1")) for name, value in side["headers"])


def _text(value: bytes | str) -> str:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else value


def parsed(data: bytes, at: int = 0, depth: int = 0) -> tuple[Any, int]:
    """The value at `at`, and where the next one begins. EOFError when it is torn, ValueError when it is none."""
    colon = data.find(b":", at, at + 13)
    if colon < 0:
        raise EOFError if len(data) - at < 13 else ValueError(f"no length at byte {at}")
    end = colon + 1 + int(data[at:colon])
    if end >= len(data):
        raise EOFError
    payload, kind = data[colon + 1 : end], data[end : end + 1]
    return _value(kind, payload, depth), end + 1


def _value(kind: bytes, payload: bytes, depth: int) -> Any:
    match kind:
        case b",":
            return payload
        case b";":
            return payload.decode("utf-8", "surrogateescape")
        case b"#":
            return int(payload)
        case b"^":
            return float(payload)
        case b"!":
            return payload == b"true"
        case b"~":
            return None
        case b"]":
            return list(_items(payload, depth))
        case b"}":
            items = list(_items(payload, depth))
            return {_text(name): value for name, value in zip(items[::2], items[1::2], strict=True)}
    raise ValueError(f"no type {kind!r}")


def _items(payload: bytes, depth: int) -> Iterator[Any]:
    if depth > MOST_DEPTH:
        raise ValueError(f"nested deeper than {MOST_DEPTH}")
    at = 0
    while at < len(payload):
        value, at = parsed(payload, at, depth + 1)
        yield value
