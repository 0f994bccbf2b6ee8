"""Reading what a request asked for, whether it came as JSON or as a form."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any, NamedTuple

from wireproof.clause import Exchange

BOUNDARY = re.compile(r'multipart/form-data\b.*?;\s*boundary="?([^";]+)', re.IGNORECASE | re.DOTALL)
NAME = re.compile(rb'[;\s]name="([^"]*)"', re.IGNORECASE)
FILENAME = re.compile(rb'[;\s]filename="', re.IGNORECASE)
WORDS = {"true": True, "false": False}


class Part(NamedTuple):
    """One field of a form. `name` is without the brackets of a list."""

    name: str
    data: bytes
    is_file: bool


def asked_of(exchange: Exchange) -> Mapping[str, Any]:
    """The fields of a request: of JSON as they are, of a form its text, with booleans and whole numbers read as such.

    A field that a form has several times, or under a name in `[]`, is a list. Files are left out.
    """
    return exchange.request.asked or _fields(parts_of(exchange))


def file_of(exchange: Exchange, name: str) -> bytes | None:
    """The bytes of the first file that a form has under this name."""
    return next((part.data for part in parts_of(exchange) if part.is_file and part.name == name), None)


def has(exchange: Exchange, name: str) -> bool:
    """Whether the request has the field at all, as text or as a file."""
    return name in exchange.request.asked or any(part.name == name for part in parts_of(exchange))


def is_form(exchange: Exchange) -> bool:
    return _boundary(exchange) is not None


def parts_of(exchange: Exchange) -> tuple[Part, ...]:
    """The fields of a form in their order; none when the request is no form."""
    boundary = _boundary(exchange)
    return _parts(exchange.request.body, boundary) if boundary else ()


def _boundary(exchange: Exchange) -> str | None:
    for name, value in exchange.request.headers:
        if name.lower() == "content-type":
            found = BOUNDARY.match(value.strip())
            return found[1] if found else None
    return None


@lru_cache(maxsize=64)
def _parts(body: bytes, boundary: str) -> tuple[Part, ...]:
    found = []
    for piece in (b"\r\n" + body).split(b"\r\n--" + boundary.encode())[1:]:
        head, gap, data = piece.partition(b"\r\n\r\n")
        name = NAME.search(head)
        if not gap or name is None:
            continue
        plain = name[1].decode("utf-8", "replace")
        found.append(Part(plain, data, FILENAME.search(head) is not None))
    return tuple(found)


def _fields(parts: tuple[Part, ...]) -> dict[str, Any]:
    fields: dict[str, Any] = {}
    for part in parts:
        if part.is_file:
            continue
        name, value = part.name.removesuffix("[]"), _value(part.data.decode("utf-8", "replace"))
        if part.name.endswith("[]"):
            fields.setdefault(name, []).append(value)
        elif name in fields:
            earlier = fields[name]
            fields[name] = [*(earlier if isinstance(earlier, list) else [earlier]), value]
        else:
            fields[name] = value
    return fields


def _value(text: str) -> Any:
    return WORDS[text] if text in WORDS else int(text) if re.fullmatch(r"[0-9]{1,9}", text) else text
