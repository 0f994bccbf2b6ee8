"""In which form pictures come: as bytes, or as a URL with the picture behind it.

What lies behind a URL is fetched as any program would, without the key; from the hosts that the recorder lets through.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import NamedTuple
from urllib.parse import unquote_to_bytes, urlsplit

from wireproof.clause import (
    IMAGE_MODEL,
    Call,
    Exchange,
    Flow,
    Inconclusive,
    NotApplicable,
    Undecodable,
    answered,
    clause,
    expect,
    flow,
    steps,
)

from ._forms import asked_of
from ._images import AUTO, IMAGES, answer_of, shown_in
from ._media import is_ok, is_refused, plain
from ._pictures import NoPicture, Picture, picture_in
from ._reading import as_list, as_object, as_text

GENERATIONS = "/images/generations"
PROMPT = "A red circle on a white ground."
# What every model of the older kind takes.
SQUARE = "1024x1024"


@flow("images.url", most=3, about="a picture by its URL, and what lies there", needs=IMAGE_MODEL, expects="either")
def a_picture_to_be_fetched() -> Flow:
    body = {"model": IMAGE_MODEL, "prompt": PROMPT, "size": SQUARE, "response_format": "url"}
    exchange = yield Call("POST", GENERATIONS, body)
    if is_refused(exchange):
        exchange = yield Call("POST", GENERATIONS, {**body, "model": "dall-e-2", "n": 2, "size": "256x256"})
    url = next((url for _, url in urls_in(exchange) if HTTP.fullmatch(url)), None) if is_ok(exchange) else None
    if url:
        yield Call("GET", url, headers={"accept": "image/*, */*"}, auth="none")


PLAIN = answered(*IMAGES, shows=plain)
FETCHED = replace(steps("images.url"), troubled=True)
HTTP = re.compile(r"https?://[^/?#\s]+(?:[/?#]\S*)?", re.IGNORECASE)
DATA = re.compile(r"data:(image/[\w.+-]+)((?:;[^;,]*)*),(.*)", re.IGNORECASE | re.DOTALL)
# What a server binds to, and no client can ask.
NO_HOST = ("0.0.0.0", "::", "*")
LOCAL = re.compile(r"localhost|127\.[\d.]+|::1|.*\.localhost")
TYPES = {
    "png": ("image/png", "image/x-png", "image/apng"),
    "jpeg": ("image/jpeg", "image/jpg", "image/pjpeg"),
    "webp": ("image/webp",),
    "gif": ("image/gif",),
    "svg": ("image/svg+xml",),
}
UNSTATED = ("application/octet-stream", "binary/octet-stream")


def urls_in(exchange: Exchange) -> Iterator[tuple[str, str]]:
    """`(pointer, url)` of each picture that came so."""
    for one in shown_in(exchange):
        if url := as_text(one.entry.get("url")):
            yield f"{one.at}/url", url


# ------------------------------------------------------------------------------------------------ the answer


@clause(
    "images.form", level="MUST", source="SPEC CreateImageRequest.response_format", on=PLAIN, fields=("response_format",)
)
def pictures_come_in_the_form_asked(exchange: Exchange) -> None:
    """`response_format: url` brings URLs and `b64_json` bytes; GPT image models bring bytes unasked.

    The program reads the key it asked for, and finds nothing under it.
    """
    asked = asked_of(exchange)
    wanted = asked.get("response_format") or ("b64_json" if str(asked.get("model")).startswith("gpt-image") else None)
    if wanted not in ("url", "b64_json"):
        raise NotApplicable("no form was asked for")
    for number, entry in enumerate(as_list(answer_of(exchange).get("data"))):
        names = _forms_of(entry)
        if names:
            expect(wanted in names, expected=wanted, got=f"only {' and '.join(names)}", at=f"/data/{number}")


@clause("images.one-form", level="SHOULD", source="SPEC CreateImageRequest.response_format", on=PLAIN)
def a_picture_comes_in_one_form(exchange: Exchange) -> None:
    """A picture comes as a `url` or as `b64_json`, not as both: bytes that nobody asked for are megabytes."""
    for number, entry in enumerate(as_list(answer_of(exchange).get("data"))):
        names = _forms_of(entry)
        expect(len(names) < 2, expected="one form", got=" and ".join(names), at=f"/data/{number}")


def _forms_of(entry: object) -> list[str]:
    given = as_object(entry)
    return [name for name in ("url", "b64_json") if as_text(given.get(name))]


@clause("images.url", level="MUST", source="SPEC Image.url", on=PLAIN)
def urls_lead_somewhere(exchange: Exchange) -> None:
    """A `url` is absolute, so that it can be fetched by itself: a path of the server leads nowhere."""
    seen = False
    for at, url in urls_in(exchange):
        seen = True
        held = HTTP.fullmatch(url) is not None or DATA.match(url) is not None
        expect(held, expected="an absolute http(s) URL", got=url[:200], at=at)
        host = _host(url)
        expect(host not in NO_HOST, expected="a URL with a host", got=url[:200], at=at)
    if not seen:
        raise NotApplicable("no picture came as a url")


def _host(url: str) -> str:
    try:
        return urlsplit(url).hostname or ""
    except ValueError:
        return ""


# ----------------------------------------------------------------------------------------- behind the URL


class Lost(ValueError):
    """A URL leads to no answer that could be a picture."""

    def __init__(self, expected: str, got: str, place: str) -> None:
        super().__init__(f"expected {expected}, got {got}")
        self.expected, self.got, self.place = expected, got, place


class Behind(NamedTuple):
    """What lies behind a URL of `told`. `type` is the media type it came with."""

    told: Exchange
    place: str
    data: bytes
    type: str


@clause("images.fetched", level="MUST", source="SPEC Image.url: the URL of the generated image", on=FETCHED)
def a_url_brings_its_picture(exchanges: Sequence[Exchange]) -> None:
    """Whoever asks for a `url` is given the picture, whole and without a key: browsers and messengers have none."""
    try:
        found = behind(exchanges)
        picture_in(found.data)
    except Lost as lost:
        expect(False, expected=lost.expected, got=lost.got, at=lost.place)
    except NoPicture as flaw:
        expect(False, expected="a picture", got=str(flaw), at=found.place)


@clause(
    "images.fetched-size", level="MUST", source="SPEC CreateImageRequest.size", on=FETCHED, fields=("size",)
)  # fmt: skip
def a_fetched_picture_has_the_size_asked(exchanges: Sequence[Exchange]) -> None:
    """A picture behind a `url` is as wide and as high as `size` asks."""
    found, picture = _readable(exchanges)
    wanted = asked_of(found.told).get("size")
    if wanted in AUTO:
        raise NotApplicable("no size was asked for")
    fits = picture.size == wanted or (picture.format == "svg" and not picture.width)
    expect(fits, expected=f"{wanted} pixels", got=picture.size, at=found.place)


@clause("images.fetched-type", level="SHOULD", source="RFC9110 8.3; SPEC Image.url", on=FETCHED)
def a_fetched_picture_is_typed_as_what_it_is(exchanges: Sequence[Exchange]) -> None:
    """A picture behind a `url` comes with its own media type, or as bytes of no stated kind: never as text or JSON."""
    found, picture = _readable(exchanges)
    known = TYPES[picture.format]
    expect(found.type in (*known, *UNSTATED), expected=known[0], got=found.type or "no content-type", at=found.place)


def _readable(exchanges: Sequence[Exchange]) -> tuple[Behind, Picture]:
    """What is behind the URL, and the picture that it is. Inconclusive when it is none: images.fetched judges that."""
    try:
        found = behind(exchanges)
        return found, picture_in(found.data)
    except (Lost, NoPicture) as flaw:
        raise Inconclusive(f"no picture can be read: {flaw}") from flaw


def behind(exchanges: Sequence[Exchange]) -> Behind:
    """What the first URL of the flow leads to. Raises Lost when it leads nowhere."""
    told = next((e for e in reversed(exchanges) if not e.request.is_elsewhere and is_ok(e)), None)
    if told is None:
        raise NotApplicable("no picture was made")
    fetched = next((e for e in exchanges if e.request.is_elsewhere), None)
    if fetched is not None:
        return _fetched(told, fetched)
    for at, url in urls_in(told):
        if found := DATA.fullmatch(url):
            return Behind(told, f"{told.id} {at}", _in_data_url(found), found[1].lower())
    raise NotApplicable("no picture came as a url that can be fetched: images.url judges that")


def _fetched(told: Exchange, fetched: Exchange) -> Behind:
    place, url, trouble = f"{fetched.id} ", fetched.request.path, fetched.trouble
    if trouble is not None and trouble.kind == "elsewhere":
        if LOCAL.fullmatch(_host(url)):
            raise Lost("a URL that others can ask", f"{url}, the client's own machine", place)
        raise NotApplicable(trouble.detail)
    if trouble is not None and trouble.kind == "redirect":
        raise NotApplicable(trouble.detail)
    if fetched.status is None or trouble is not None:
        said = trouble.detail if trouble else "no answer"
        if url.startswith("http:"):  # then only the target's own host was asked, which answered before
            raise Lost("the picture", said, place)
        raise Inconclusive(said)
    if fetched.status == 429 or fetched.status >= 502:
        raise Inconclusive(f"answered {fetched.status}")
    if fetched.status != 200:
        raise Lost("200 with the picture, without a key", f"status {fetched.status}", place)
    try:
        data = fetched.body
    except Undecodable as flaw:
        raise Inconclusive(str(flaw)) from flaw
    return Behind(told, place, data, fetched.media_type)


def _in_data_url(found: re.Match[str]) -> bytes:
    """The bytes of a data URL; none when they cannot be read."""
    data = unquote_to_bytes(found[3])
    if "base64" not in found[2].lower().split(";"):
        return data
    try:
        return base64.b64decode(data, validate=True)
    except (binascii.Error, ValueError):
        return b""
