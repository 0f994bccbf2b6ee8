"""Reading what a request asked for, whether it came as JSON or as a form."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from wireproof.clause import Exchange


def asked_of(exchange: Exchange) -> Mapping[str, Any]:
    """The fields of a request, of JSON or of a form; files are left out."""
    return exchange.request.fields


def file_of(exchange: Exchange, name: str) -> bytes | None:
    """The bytes of the first file that a form has under this name."""
    return next((part.data for part in exchange.request.form if part.is_file and part.name == name), None)


def has(exchange: Exchange, name: str) -> bool:
    """Whether the request has the field at all, as text or as a file."""
    request = exchange.request
    return name in request.asked or any(part.name == name for part in request.form)


def is_form(exchange: Exchange) -> bool:
    return exchange.request.is_form
