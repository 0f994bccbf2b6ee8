"""Pictures that a JSON request points to: in a `data:` URL, behind a link of ours, in an uploaded file.

Nothing is fetched from elsewhere: to the stand-in every other URL cannot be reached.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote_to_bytes

from wireproof.standin.refusals import invalid
from wireproof.standin.resources.links import own_content
from wireproof.standin.world import World


def referred(world: World, reference: Mapping[str, Any], param: str) -> bytes:
    """The bytes that `{image_url}` or `{file_id}` names. Refused: none of both, not reachable, no such file."""
    if file_id := reference.get("file_id"):
        world.table("files").found(file_id, f"No such File object: {file_id}", f"{param}.file_id")
        return world.table("files").data(file_id)
    url = reference.get("image_url")
    if not url:
        raise invalid(f"Invalid '{param}': expected an 'image_url' or a 'file_id'.", param, "invalid_value")
    return at_url(world, url, f"{param}.image_url")


def at_url(world: World, url: str, param: str) -> bytes:
    if url.startswith("data:"):
        return _inline(url, param)
    found = own_content(world, url)
    if found is None:
        raise invalid(f"Error while downloading {url[:200]}.", param, "invalid_image_url")
    return found


def _inline(url: str, param: str) -> bytes:
    head, comma, text = url.partition(",")
    try:
        data = base64.b64decode(text, validate=True) if head.endswith(";base64") else unquote_to_bytes(text)
    except (binascii.Error, ValueError):
        data = b""
    if not comma or not data:
        raise invalid("Invalid data URL: expected 'data:<media type>;base64,<content>'.", param, "invalid_base64")
    return data
