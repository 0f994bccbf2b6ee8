"""HAR 1.2: what browsers, proxies and test tools save. Source: w3c.github.io/web-performance/specs/HAR.

`_webSocketMessages` is an addition of Chrome's.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from wireproof.exchange import Headers, Message
from wireproof.recordings import Heard

TEXT, BINARY = 1, 2  # opcodes of RFC 6455


def heard(path: Path) -> Iterator[Heard]:
    """Every entry. A response of status 0 is one that never came."""
    content = json.loads(path.read_bytes())
    for entry in content["log"]["entries"]:
        request, response = entry["request"], entry["response"]
        yield Heard(
            method=request["method"].upper(),
            url=request["url"],
            headers=_headers(request),
            body=_sent(request.get("postData")),
            status=response["status"] or None,
            answer_headers=_headers(response),
            answer=_body(response.get("content") or {}),
            started_unix=datetime.fromisoformat(entry["startedDateTime"]).timestamp(),
            headers_at_s=_until_headers(entry.get("timings") or {}),
            ended_at_s=entry["time"] / 1000,
            is_decoded=True,  # a HAR holds what the page saw
            messages=_messages(entry),
        )


def _messages(entry: Mapping[str, Any]) -> tuple[Message, ...] | None:
    """What was said on a WebSocket, as Chrome saves it: `time` in seconds since 1970, binary data as base64."""
    told = entry.get("_webSocketMessages")
    if told is None:
        return None
    started = datetime.fromisoformat(entry["startedDateTime"]).timestamp()
    return tuple(
        Message(
            max(0.0, one["time"] - started),
            one["type"] == "send",
            _bytes(one["data"], None if one["opcode"] == TEXT else "base64"),
            one["opcode"] == TEXT,
        )
        for one in told
        if one["type"] in ("send", "receive") and one["opcode"] in (TEXT, BINARY)
    )


def _headers(side: Mapping[str, Any]) -> Headers:
    """Without the pseudo headers of HTTP/2."""
    return tuple((one["name"], one["value"]) for one in side.get("headers", ()) if not one["name"].startswith(":"))


def _sent(data: Mapping[str, Any] | None) -> bytes | None:
    if data is None:
        return b""
    return _bytes(data["text"], data.get("encoding")) if "text" in data else None


def _body(content: Mapping[str, Any]) -> bytes | None:
    """None when the tool has left the body out, as browsers do of large ones."""
    if "text" not in content:
        return b"" if not content.get("size") else None
    return _bytes(content["text"], content.get("encoding"))


def _bytes(text: str, encoding: str | None) -> bytes:
    return base64.b64decode(text) if encoding == "base64" else text.encode("utf-8", "surrogatepass")


def _until_headers(timings: Mapping[str, Any]) -> float | None:
    """Seconds from the request's first step to the answer's first byte; -1 stands for a step there was not."""
    steps = [timings.get(name) for name in ("blocked", "dns", "connect", "send", "wait")]
    known = [step for step in steps if isinstance(step, int | float) and step > 0]
    return sum(known) / 1000 if known else None
