"""Exchanges written as others record them: HAR, VCR cassettes, mitmproxy dumps."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

import yaml

from wireproof.exchange import Exchange

HOST = "http://host.example:8080/openai/v1"
KEY = "sk-looks-fake-but-must-not-leak"


def har(exchanges: Iterable[Exchange]) -> str:
    return json.dumps({"log": {"version": "1.2", "creator": {"name": "x"}, "entries": [_entry(e) for e in exchanges]}})


def _entry(exchange: Exchange) -> dict[str, Any]:
    request = exchange.request
    post = {"postData": {"mimeType": "application/json", **_har_text(request.body)}} if request.body else {}
    return {
        "startedDateTime": datetime.fromtimestamp(exchange.started_unix, UTC).isoformat(),
        "time": exchange.ended_at_s * 1000,
        "request": {"method": request.method, "url": _url(exchange), "headers": _named(_sent(exchange)), **post},
        "response": {
            "status": exchange.status or 0,
            "headers": [{"name": ":status", "value": "200"}, *_named(exchange.headers)],
            "content": {"size": len(exchange.wire), **_har_text(exchange.wire)},
        },
        "timings": {"blocked": -1, "send": 0.1, "wait": (exchange.headers_at_s or 0) * 1000, "receive": 1},
        **({"_resourceType": "websocket", "_webSocketMessages": _said(exchange)} if exchange.socket else {}),
    }


def _said(exchange: Exchange) -> list[dict[str, Any]]:
    """As Chrome saves the messages of a WebSocket."""
    return [
        {
            "type": "send" if one.ours else "receive",
            "time": exchange.started_unix + one.at_s,
            "opcode": 1 if one.is_text else 2,
            "data": one.data.decode() if one.is_text else base64.b64encode(one.data).decode(),
        }
        for one in (exchange.socket.messages if exchange.socket else ())
    ]


def _har_text(data: bytes) -> dict[str, str]:
    try:
        return {"text": data.decode()}
    except UnicodeDecodeError:
        return {"text": base64.b64encode(data).decode(), "encoding": "base64"}


def vcr(exchanges: Iterable[Exchange]) -> str:
    return yaml.safe_dump({"version": 1, "interactions": [_interaction(e) for e in exchanges]})


def _interaction(exchange: Exchange) -> dict[str, Any]:
    request = exchange.request
    return {
        "request": {
            "method": request.method,
            "uri": _url(exchange),
            "headers": {name: [value] for name, value in _sent(exchange)},
            "body": _vcr_body(request.body),
        },
        "response": {
            "status": {"code": exchange.status, "message": "OK"},
            "headers": {name: [value] for name, value in exchange.headers},
            "body": {"string": _vcr_body(exchange.wire)},
        },
    }


def _vcr_body(data: bytes) -> str | bytes:
    try:
        return data.decode()
    except UnicodeDecodeError:
        return data


def mitmproxy(exchanges: Iterable[Exchange]) -> bytes:
    return b"".join(_tnet(_flow(exchange)) for exchange in exchanges)


def _flow(exchange: Exchange) -> dict[str, Any]:
    request, begun = exchange.request, exchange.started_unix
    return {
        "type": "http",
        "version": 21,
        "request": {
            "method": request.method.encode(),
            "scheme": b"http",
            "host": "host.example",
            "port": 8080,
            "authority": b"",
            "path": _url(exchange).removeprefix("http://host.example:8080").encode(),
            "headers": [
                [name.encode(), value.encode()] for name, value in (("host", "host.example:8080"), *_sent(exchange))
            ],
            "content": request.body,
            "timestamp_start": begun,
        },
        "response": {
            "status_code": exchange.status,
            "headers": [[name.encode("latin-1"), value.encode("latin-1")] for name, value in exchange.headers],
            "content": exchange.wire,
            "timestamp_start": begun + (exchange.headers_at_s or 0.0),
            "timestamp_end": begun + exchange.ended_at_s,
        },
    }


def _tnet(value: Any) -> bytes:
    match value:
        case None:
            payload, kind = b"", b"~"
        case bool():
            payload, kind = (b"true" if value else b"false"), b"!"
        case int():
            payload, kind = str(value).encode(), b"#"
        case float():
            payload, kind = repr(value).encode(), b"^"
        case bytes():
            payload, kind = value, b","
        case str():
            payload, kind = value.encode(), b";"
        case list():
            payload, kind = b"".join(map(_tnet, value)), b"]"
        case dict():
            payload, kind = b"".join(_tnet(part) for pair in value.items() for part in pair), b"}"
    return str(len(payload)).encode() + b":" + payload + kind


def _url(exchange: Exchange) -> str:
    query = f"?{urlencode(exchange.request.query)}" if exchange.request.query else ""
    return f"{HOST}{exchange.request.path}{query}"


def _sent(exchange: Exchange) -> list[tuple[str, str]]:
    """With the key, as it was on the wire: recorders seldom mask it."""
    return [(name, f"Bearer {KEY}" if name == "authorization" else value) for name, value in exchange.request.headers]


def _named(headers: Iterable[tuple[str, str]]) -> list[dict[str, str]]:
    return [{"name": name, "value": value} for name, value in headers]
