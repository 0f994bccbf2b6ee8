"""Reading answers with pictures: the entries of a plain answer, or the events of a stream, and what is in them."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterator
from functools import lru_cache
from typing import Any, NamedTuple

from wireproof.clause import Exchange, Inconclusive, NotApplicable

from ._media import events_in, json_or_none, streams
from ._pictures import NoPicture, Picture, picture_in
from ._reading import as_object, as_objects

IMAGES = ("createImage", "createImageEdit", "createImageVariation")
PARTIAL, COMPLETED = (".partial_image", ".completed")
AUTO = (None, "", "auto")


class Shown(NamedTuple):
    """One picture. `told` is the object that tells of its size and format: the answer, or the event itself."""

    event: int | None
    at: str
    entry: dict[str, Any]
    told: dict[str, Any]


def answer_of(exchange: Exchange) -> dict[str, Any]:
    """The object of a plain answer. Inconclusive when it is none: images.schema judges that."""
    body = json_or_none(exchange)
    if not isinstance(body, dict):
        raise Inconclusive("the answer is not a JSON object")
    return body


def shown_in(exchange: Exchange) -> Iterator[Shown]:
    """Every picture of an answer, previews too."""
    if streams(exchange):
        for number, event in events_in(exchange):
            if str(event.get("type")).endswith((PARTIAL, COMPLETED)):
                yield Shown(number, "", event, event)
        return
    body = as_object(json_or_none(exchange))
    for number, entry in enumerate(as_objects(body.get("data"))):
        yield Shown(None, f"/data/{number}", entry, body)


def pictures_in(exchange: Exchange) -> Iterator[tuple[Shown, Picture]]:
    """The pictures that came as bytes and can be read. Inconclusive when none can: images.picture judges that."""
    found, flaw = False, None
    for shown in shown_in(exchange):
        try:
            picture = decoded(shown.entry.get("b64_json"))
        except NoPicture as unreadable:
            flaw = unreadable
            continue
        if picture is not None:
            found = True
            yield shown, picture
    if not found and flaw is not None:
        raise Inconclusive(f"no picture can be read: {flaw}")
    if not found:
        raise NotApplicable("no picture came as bytes")


def decoded(given: Any) -> Picture | None:
    """The picture in a `b64_json`, None when there is none. Raises NoPicture."""
    return _decoded(given) if isinstance(given, str) and given else None


@lru_cache(maxsize=32)
def _decoded(given: str) -> Picture:
    if given.startswith("data:"):
        raise NoPicture(f"a data URL where base64 alone is meant: {given[:40]}")
    try:
        data = base64.b64decode(given, validate=True)
    except (binascii.Error, ValueError) as bad:
        raise NoPicture(f"no base64: {bad}: {given[:40]}") from bad
    return picture_in(data)
