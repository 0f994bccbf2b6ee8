"""Pictures, sounds and forms by hand, for the tests of clauses about media."""

from __future__ import annotations

import base64
import io
from collections.abc import Iterable, Mapping
from dataclasses import replace
from functools import cache
from typing import Any

from made import JSON_HEADERS, answer
from PIL import Image

from wireproof.clause import Exchange, File, form

SSE = (("content-type", "text/event-stream"), ("x-request-id", "req_0001"))


@cache
def picture(format: str = "png", width: int = 64, height: int = 48, colour: int = 0, alpha: bool = False) -> str:
    """Base64 of a picture of one colour."""
    out = io.BytesIO()
    Image.new("RGBA" if alpha else "RGB", (width, height), (colour, 0, 0)).save(out, format.upper())
    return base64.b64encode(out.getvalue()).decode()


def formed(
    body: Any,
    fields: Iterable[tuple[str, str | File]],
    *,
    operation: str,
    path: str = "/audio/transcriptions",
    headers: Iterable[tuple[str, str]] = JSON_HEADERS,
    **more: Any,
) -> Exchange:
    """An exchange whose request is a form."""
    call = form(path, list(fields))
    sent = tuple(call.headers.items())
    return answer(body, asked=call.body, operation=operation, path=path, headers=headers, sent_headers=sent, **more)


def events(*bodies: Any, names: Mapping[int, str] | None = None) -> bytes:
    """A stream of these events; `names` gives some of them an `event:` line."""
    import json

    lines = []
    for number, body in enumerate(bodies):
        name = (names or {}).get(number)
        data = body if isinstance(body, str) else json.dumps(body)
        lines.append((f"event: {name}\n" if name else "") + f"data: {data}\n\n")
    return "".join(lines).encode()


def status(exchange: Exchange, code: int) -> Exchange:
    return replace(exchange, status=code)
