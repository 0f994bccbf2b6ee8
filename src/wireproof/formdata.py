"""Forms (`multipart/form-data`) as they were sent, read back: which fields, which files."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache
from typing import Any, NamedTuple

BOUNDARY = re.compile(r'multipart/form-data\b.*?;\s*boundary="?([^";]+)', re.IGNORECASE | re.DOTALL)
NAME = re.compile(rb'[;\s]name="([^"]*)"', re.IGNORECASE)
FILENAME = re.compile(rb'[;\s]filename="', re.IGNORECASE)
WORDS = {"true": True, "false": False}


class Part(NamedTuple):
    """One field of a form. A list's name ends in `[]`, where the client wrote it so."""

    name: str
    data: bytes
    is_file: bool


def boundary_in(headers: Iterable[tuple[str, str]]) -> str | None:
    """What stands between the fields; None when the headers are not those of a form."""
    for name, value in headers:
        if name.lower() == "content-type":
            found = BOUNDARY.match(value.strip())
            return found[1] if found else None
    return None


@lru_cache(maxsize=64)
def parts_in(body: bytes, boundary: str) -> tuple[Part, ...]:
    """The fields of a form in their order."""
    found = []
    for piece in (b"\r\n" + body).split(b"\r\n--" + boundary.encode())[1:]:
        head, gap, data = piece.partition(b"\r\n\r\n")
        name = NAME.search(head)
        if not gap or name is None:
            continue
        plain = name[1].decode("utf-8", "replace")
        found.append(Part(plain, data, FILENAME.search(head) is not None))
    return tuple(found)


def values_of(parts: Iterable[Part]) -> dict[str, Any]:
    """The fields that are no files, by their names without brackets: booleans and whole numbers as such, else text.

    A field that comes several times, or under a name in `[]`, is a list.
    """
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
