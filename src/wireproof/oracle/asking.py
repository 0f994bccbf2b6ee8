"""What a method of the SDK is called with: what was asked, as far as it shapes the answer, and placeholders."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from email import message_from_bytes
from functools import cache
from operator import attrgetter
from pathlib import Path
from typing import Any

from wireproof.clause import Exchange
from wireproof.spec import load_spec
from wireproof.spec_coverage import calls_of, installed_sdk, keyed

HELPERS = ("parse", "stream", "connect")  # they send what another method of their resource sends too


@cache
def methods_of(package: Path) -> Mapping[str, str]:
    """The method that sends an operation, `chat.completions.create`, by the operation's id."""
    ours = {keyed(one.method, one.path): id for id, one in load_spec().operations.items()}
    found: dict[str, str] = {}
    for one in calls_of(package):
        if one.key in ours and one.call not in HELPERS:
            found.setdefault(ours[one.key], f"{one.resource}.{one.call}")
    return found


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


def as_called(exchange: Exchange) -> tuple[str, dict[str, Any], dict[str, Any]] | None:
    """How a user of the SDK would have asked it: method, arguments, extra body. None when its methods can't, or there
    is no SDK to look at.
    """
    package = installed_sdk()
    operation = load_spec().operations.get(exchange.operation or "")
    body = exchange.request.json
    if package is None or operation is None or "{" in operation.path or exchange.request.query:
        return None
    method = methods_of(package).get(operation.id)
    if method is None or not isinstance(body, dict | None):
        return None
    import openai

    takes = inspect.signature(attrgetter(method)(openai.OpenAI(api_key="none"))).parameters
    given = {name: value for name, value in (body or {}).items() if name in takes}
    demanded = [name for name, one in takes.items() if one.default is one.empty and one.kind is not one.VAR_KEYWORD]
    if (exchange.request.body and body is None) or any(name not in given for name in demanded):
        return None
    return method, given, {name: value for name, value in (body or {}).items() if name not in takes}
