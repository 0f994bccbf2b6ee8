"""Pictures: how many, in which form, format and size. Whether they show what was asked is the model's matter.

A picture that comes as base64 is read as far as its headers; one that comes as a URL in images_forms.py. What holds for
a picture holds for previews of a stream as well; the order of a stream is judged in images_stream.py.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from wireproof.clause import (
    IMAGE_MODEL,
    Call,
    Exchange,
    File,
    Flow,
    NotApplicable,
    answered,
    clause,
    expect,
    flow,
    form,
    load_spec,
    probe,
    sent,
    sequence,
    shown,
)

from ._forms import asked_of, has
from ._images import AUTO, COMPLETED, IMAGES, answer_of, decoded, pictures_in, shown_in
from ._media import expect_details, expect_each_refused, expect_named, expect_sum, is_refused, json_or_none, plain, said
from ._pictures import NoPicture
from ._reading import as_count, as_list, as_object, as_text, told
from ._samples import png
from ._shape import expect_created_now, expect_schema

GENERATIONS, EDITS = "/images/generations", "/images/edits"
PROMPT = "A red circle on a white ground."
# What every model of the older kind takes, and most backends beside it.
SQUARE = "1024x1024"
SIZE = re.compile(r"auto|[1-9][0-9]*x[1-9][0-9]*")


def _ask(**fields: Any) -> dict[str, Any]:
    return {"model": IMAGE_MODEL, "prompt": PROMPT, **fields}


@flow(
    "images.generated", most=3, about="two small pictures, wide and as JPEG where that is known", needs=IMAGE_MODEL,
    expects="either",
)  # fmt: skip
def two_pictures() -> Flow:
    """Models differ in what they take, and refuse what they do not know: the plainer request comes after."""
    for fields in (
        {"n": 2, "size": "1536x1024", "quality": "low", "output_format": "jpeg"},
        {"n": 2, "size": SQUARE},
        {"size": SQUARE},
    ):
        exchange = yield Call("POST", GENERATIONS, _ask(**fields))
        if not is_refused(exchange):
            return


@flow("images.edit", most=2, about="a picture edited under a mask", needs=IMAGE_MODEL, expects="either")
def an_edit_under_a_mask() -> Flow:
    files = [("image", File("square.png", png(), "image/png")), ("mask", File("hole.png", png(hole=True), "image/png"))]
    told = [("model", IMAGE_MODEL), ("prompt", PROMPT)]
    exchange = yield form(EDITS, [*told, ("size", SQUARE), ("quality", "low"), *files])
    if is_refused(exchange):
        yield form(EDITS, [*told, ("size", "256x256"), *files])


PROBES = (
    probe("images.size-wrong", "POST", GENERATIONS, _ask(size="huge"), about="a size that is none",
          expects="refusal", needs=IMAGE_MODEL),
    probe("images.promptless", "POST", GENERATIONS, {"model": IMAGE_MODEL, "size": SQUARE}, about="no prompt",
          expects="refusal", needs=IMAGE_MODEL),
)  # fmt: skip

PLAIN = answered(*IMAGES, shows=plain)
ANY = answered(*IMAGES)
# Judged by clauses of their own, or words that a client shows and no more.
ELSEWHERE = re.compile(r"/(created|quality|background)")


# ------------------------------------------------------------------------------------------------- the answer


@clause("images.schema", level="MUST", source="SPEC ImagesResponse", on=PLAIN)
def answers_follow_the_schema(exchange: Exchange) -> None:
    """An answer is `{created, data, ...}` as documented, `data` a list of pictures: never a bare array."""
    body = json_or_none(exchange)
    if isinstance(body, dict):
        expect("data" in body, expected="a key 'data'", got=f"keys {shown(sorted(body))}")
        expect(body["data"] is not None, expected="a list of pictures", got="null", at="/data")
    expect_schema(load_spec().schema("GeneratedImages"), said(body), ELSEWHERE)


@clause("images.created", level="MUST", source="SPEC ImagesResponse.created, ImageGenCompletedEvent.created_at", on=ANY)
def created_is_the_time_in_seconds(exchange: Exchange) -> None:
    """`created`, and `created_at` of an event, is the time of the answer in whole Unix seconds."""
    if plain(exchange):
        body = answer_of(exchange)
        expect_created_now(exchange, body.get("created"), told(body, "created"))
        return
    times = [(one.event, one.told) for one in shown_in(exchange) if "created_at" in one.told]
    for event, body in times:
        expect_created_now(exchange, body["created_at"], told(body, "created_at"), event, "/created_at")
    if not times:
        raise NotApplicable("no event tells its time: images.stream.schema judges that")


@clause("images.count", level="MUST", source="SPEC CreateImageRequest.n", on=PLAIN, fields=("n",))
def as_many_pictures_as_asked(exchange: Exchange) -> None:
    """`data` has `n` pictures, one when nothing is said."""
    data = answer_of(exchange).get("data")
    if not isinstance(data, list):
        raise NotApplicable("`data` is no list: images.schema judges that")
    wanted = as_count(asked_of(exchange).get("n"))
    wanted = 1 if wanted is None else wanted
    expect(len(data) == wanted, expected=f"{wanted} pictures", got=f"{len(data)}", at="/data")


@clause("images.entry", level="MUST", source="SPEC Image: url or b64_json", on=PLAIN)
def each_entry_is_a_picture(exchange: Exchange) -> None:
    """Each entry of `data` holds a picture, as `url` or as `b64_json`: not neither, and not an empty one."""
    for number, entry in enumerate(as_list(answer_of(exchange).get("data"))):
        given = as_object(entry)
        held = any(as_text(given.get(name)) for name in ("url", "b64_json"))
        expect(held, expected="a url or a b64_json", got=shown(entry), at=f"/data/{number}")


@clause(
    "images.distinct", level="SHOULD", source="SPEC CreateImageRequest.n: the number of images to generate", on=PLAIN
)
def pictures_of_one_answer_differ(exchange: Exchange) -> None:
    """The pictures of one answer are not the same one several times."""
    found: dict[str, str] = {}
    for one in shown_in(exchange):
        content = as_text(one.entry.get("b64_json")) or as_text(one.entry.get("url"))
        earlier = found.setdefault(content, one.at) if content else one.at
        expect(earlier == one.at, expected="another picture", got=f"that of {earlier}", at=one.at)
    if len(found) < 2:
        raise NotApplicable("fewer than two pictures")


# ------------------------------------------------------------------------------------------------- the pictures


@clause(
    "images.picture", level="MUST", source="SPEC Image.b64_json: base64-encoded JSON of the generated image", on=ANY
)
def bytes_are_a_picture(exchange: Exchange) -> None:
    """A `b64_json` is base64 of a whole picture, without a `data:` prefix; so is each preview of a stream."""
    seen = False
    for one in shown_in(exchange):
        is_blank = one.event is not None and one.entry.get("b64_json") == ""
        expect(not is_blank, expected="base64 of a picture", got="an empty string", at="/b64_json", event=one.event)
        try:
            seen = decoded(one.entry.get("b64_json")) is not None or seen
        except NoPicture as flaw:
            expect(False, expected="base64 of a picture", got=str(flaw), at=f"{one.at}/b64_json", event=one.event)
    if not seen:
        raise NotApplicable("no picture came as bytes")


@clause(
    "images.format",
    level="MUST",
    source="SPEC CreateImageRequest.output_format",
    on=answered(*IMAGES, shows=lambda e: bool(asked_of(e).get("output_format"))),
    fields=("output_format",),
)
def pictures_have_the_format_asked(exchange: Exchange) -> None:
    """The bytes are of the `output_format` asked for. A backend that does not know the field refuses it."""
    wanted = asked_of(exchange)["output_format"]
    for one, picture in pictures_in(exchange):
        at = f"{one.at}/b64_json"
        expect(picture.format == wanted, expected=wanted, got=picture.format, at=at, event=one.event)


@clause("images.format-told", level="MUST", source="SPEC ImagesResponse.output_format", on=ANY)
def format_is_told_as_it_is(exchange: Exchange) -> None:
    """`output_format` in an answer or an event says what the bytes are."""
    named = False
    for one, picture in pictures_in(exchange):
        if isinstance(format := one.told.get("output_format"), str):
            named = True
            expect(format == picture.format, expected=picture.format, got=format, at="/output_format", event=one.event)
    if not named:
        raise NotApplicable("no output_format is told")


@clause("images.size", level="MUST", source="SPEC CreateImageRequest.size", on=ANY, fields=("size",))
def pictures_have_the_size_asked(exchange: Exchange) -> None:
    """A picture is as wide and as high as `size` asks, previews too."""
    wanted = asked_of(exchange).get("size")
    if not isinstance(wanted, str) or wanted in AUTO or not SIZE.fullmatch(wanted):
        raise NotApplicable("no size was asked for")
    for one, picture in pictures_in(exchange):
        fits = picture.size == wanted or (picture.format == "svg" and not picture.width)
        expect(fits, expected=f"{wanted} pixels", got=picture.size, at=f"{one.at}/b64_json", event=one.event)


@clause("images.size-told", level="MUST", source="SPEC ImagesResponse.size", on=ANY)
def size_is_told_as_it_is(exchange: Exchange) -> None:
    """`size` in an answer or an event says how large the picture is."""
    named = False
    for one, picture in pictures_in(exchange):
        size = one.told.get("size")
        if isinstance(size, str) and size not in AUTO and picture.width:
            named = True
            expect(size == picture.size, expected=picture.size, got=size, at="/size", event=one.event)
    if not named:
        raise NotApplicable("no size is told")


@clause("images.transparent", level="MUST", source="SPEC CreateImageRequest.background", on=ANY, fields=("background",))
def transparent_pictures_have_an_alpha_channel(exchange: Exchange) -> None:
    """A picture that was asked for, or is told to be, on a transparent background has an alpha channel, and says so."""
    asked = asked_of(exchange).get("background")
    meant = False
    for one, picture in pictures_in(exchange):
        given = one.told.get("background")
        if "transparent" in (asked, given):
            meant = True
            is_told = given in ("transparent", *AUTO)
            expect(is_told, expected="transparent", got=given, at="/background", event=one.event)
            got = f"{picture.format} without one"
            expect(picture.has_alpha, expected="an alpha channel", got=got, at=f"{one.at}/b64_json", event=one.event)
    if not meant:
        raise NotApplicable("nothing transparent was asked for")


@clause(
    "images.quality",
    level="SHOULD",
    source="SPEC ImagesResponse.quality",
    on=ANY,
    fields=("quality",),
)
def the_quality_is_told_as_asked(exchange: Exchange) -> None:
    """`quality` in an answer or an event is the one that was asked for, where one was."""
    wanted = asked_of(exchange).get("quality")
    told_of = [
        (one.event, one.told["quality"]) for one in shown_in(exchange) if isinstance(one.told.get("quality"), str)
    ]
    if wanted in AUTO or not told_of:
        raise NotApplicable("no quality was asked for, or none is told")
    for event, given in told_of:
        expect(given in (wanted, "auto"), expected=str(wanted), got=given, at="/quality", event=event)


# ------------------------------------------------------------------------------------------------------ usage


def _usages(exchange: Exchange) -> list[tuple[int | None, dict[str, Any]]]:
    """The usage of an answer, or that of each last event. NotApplicable when none is told."""
    if plain(exchange):
        usage = as_object(answer_of(exchange).get("usage"))
        found: list[tuple[int | None, dict[str, Any]]] = [(None, usage)] if usage else []
    else:
        last = [one for one in shown_in(exchange) if str(one.told.get("type")).endswith(COMPLETED)]
        found = [(one.event, as_object(one.told["usage"])) for one in last if one.told.get("usage")]
    if not found:
        raise NotApplicable("no usage is told")
    return found


@clause("images.usage", level="MUST", source="SPEC ImagesUsage", on=ANY)
def usage_adds_up(exchange: Exchange) -> None:
    """`total_tokens` is input and output together, and the tokens of text and of pictures are parts of either."""
    for event, usage in _usages(exchange):
        expect_sum(usage, "total_tokens", ("input_tokens", "output_tokens"), "/usage", event)
        expect_details(usage, "input_tokens", "input_tokens_details", "/usage", event)
        expect_details(usage, "output_tokens", "output_tokens_details", "/usage", event)


@clause("images.usage-counted", level="SHOULD", source="SPEC ImagesUsage: input_tokens, output_tokens", on=ANY)
def words_and_pictures_are_counted(exchange: Exchange) -> None:
    """Where tokens are counted at all, the prompt and the picture count, and so does a picture that was sent."""
    was_sent = any(part.is_file for part in exchange.request.form)
    counted = [(event, usage) for event, usage in _usages(exchange) if any(map(as_count, usage.values()))]
    if not counted:
        raise NotApplicable("nothing is counted")
    for event, usage in counted:
        for name in ("input_tokens", "output_tokens"):
            expect(usage.get(name) != 0, expected="1 or more", got="0", at=f"/usage/{name}", event=event)
        details = as_object(usage.get("input_tokens_details"))
        is_left_out = was_sent and details.get("image_tokens") == 0
        expect(not is_left_out, expected="1 or more for the picture that was sent", got="0",
               at="/usage/input_tokens_details/image_tokens", event=event)  # fmt: skip


# --------------------------------------------------------------------------------------------------- mistakes


def mistakes(exchange: Exchange) -> list[str]:
    """The fields of a generation that no backend can mean well."""
    asked: Mapping[str, Any] = asked_of(exchange)
    size, count = asked.get("size"), asked.get("n")
    found = {
        "prompt": not has(exchange, "prompt"),
        "size": size is not None and not (isinstance(size, str) and SIZE.fullmatch(size)),
        "n": count is not None and (as_count(count) or 0) < 1,
    }
    return [name for name, is_wrong in found.items() if is_wrong]


@clause(
    "images.refuses",
    level="MUST",
    source="SPEC CreateImageRequest: prompt (required), size; ERR-LATE 400",
    on=sequence(sent("createImage")),
)
def wrong_requests_are_refused(exchanges: Sequence[Exchange]) -> None:
    """A request without a prompt, for less than one picture or in a size that is none is refused with a 4xx.

    What is drawn instead is paid for, and thrown away.
    """
    expect_each_refused(exchanges, mistakes, lambda e: f"{' and '.join(mistakes(e))} is wrong")


@clause(
    "images.param",
    level="SHOULD",
    source="SPEC Error.param; ERR-LATE 400",
    on=answered("createImage", status="400", shows=lambda e: bool(mistakes(e))),
)
def refusals_name_the_field(exchange: Exchange) -> None:
    """The refusal of a wrong request for pictures names the wrong field in `param`."""
    expect_named(exchange, mistakes(exchange))
