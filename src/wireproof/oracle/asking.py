"""What a method of the SDK is called with: what was asked, as far as it shapes the answer, and placeholders."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from email import message_from_bytes
from typing import Any

from wireproof.clause import Exchange


def arguments(function: Callable[..., Any], given: Mapping[str, Any]) -> dict[str, Any]:
    """A value for each parameter that has no default; `given` where the function takes it."""
    found: dict[str, Any] = {}
    for name, parameter in inspect.signature(function).parameters.items():
        if name in given:
            found[name] = given[name]
        elif parameter.default is parameter.empty and parameter.kind is not parameter.VAR_KEYWORD:
            found[name] = b"x" if "FileTypes" in str(parameter.annotation) else "x"
    return found


def fields_of(exchange: Exchange) -> Mapping[str, Any]:
    """The fields of the request: of its JSON, or of its form."""
    kind = next((value for name, value in exchange.request.headers if name.lower() == "content-type"), "")
    if not kind.startswith("multipart/"):
        return exchange.request.asked
    fields: dict[str, Any] = {}
    form = message_from_bytes(b"content-type: " + kind.encode() + b"\r\n\r\n" + exchange.request.body)
    for part in form.walk():
        name, data = part.get_param("name", header="content-disposition"), part.get_payload(decode=True)
        if isinstance(name, str) and isinstance(data, bytes) and not part.get_filename():
            text = data.decode("utf-8", "replace").strip()
            fields[name] = {"true": True, "false": False}.get(text, text)
    return fields
