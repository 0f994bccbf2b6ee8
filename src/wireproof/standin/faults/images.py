"""Departures of pictures, plain ones; those of URLs are in images_forms.py, those of streams in images_stream.py."""

from __future__ import annotations

import base64
from collections.abc import Callable
from typing import Any

from wireproof.standin.faults import fault
from wireproof.standin.faults.edit import edit_both, edit_error, edit_events, edit_json
from wireproof.standin.wire import Answer, Ask, Serve

PLACE = "/v1/images/"

Edit = Callable[[dict[str, Any]], Any]


def _edited(ask: Ask, serve: Serve, edit: Edit) -> Answer:
    """`edit` on a plain answer with pictures."""
    answer = serve(ask)
    return edit_json(answer, edit) if ask.path.startswith(PLACE) else answer


def _each(ask: Ask, serve: Serve, edit: Edit) -> Answer:
    """`edit` on each entry of `data`."""
    return _edited(ask, serve, lambda body: body | {"data": [edit(entry) or entry for entry in body["data"]]})


def _is_generation(ask: Ask) -> bool:
    return ask.path == f"{PLACE}generations"


@fault("images.bare-array", breaks="images.schema")
def bare_array(ask: Ask, serve: Serve) -> Answer:
    """The list of pictures alone, without `created` around it."""
    return _edited(ask, serve, lambda body: body["data"])


@fault("images.data-missing", breaks="images.schema")
def data_missing(ask: Ask, serve: Serve) -> Answer:
    """The pictures under `images`, not under `data`."""
    return _edited(ask, serve, lambda body: {"created": body["created"], "images": body["data"]})


@fault("images.data-null", breaks="images.schema")
def data_null(ask: Ask, serve: Serve) -> Answer:
    """`data` is null."""
    return _edited(ask, serve, lambda body: body | {"data": None})


@fault("images.created-ms", breaks="images.created")
def created_ms(ask: Ask, serve: Serve) -> Answer:
    """`created` in milliseconds."""
    return _edited(ask, serve, lambda body: body | {"created": body["created"] * 1000})


@fault("images.event-time-ms", breaks="images.created")
def event_time_ms(ask: Ask, serve: Serve) -> Answer:
    """`created_at` of events in milliseconds."""

    def edit(event: dict[str, Any]) -> None:
        event["created_at"] *= 1000

    return edit_events(serve(ask), edit) if ask.path.startswith(PLACE) else serve(ask)


@fault("images.n-ignored", breaks="images.count")
def n_ignored(ask: Ask, serve: Serve) -> Answer:
    """One picture whatever `n` asks."""
    return _edited(ask, serve, lambda body: body | {"data": body["data"][:1]})


@fault("images.none", breaks="images.entry")
def none(ask: Ask, serve: Serve) -> Answer:
    """`url` and `b64_json` both null."""
    return _each(ask, serve, lambda entry: {"url": None, "b64_json": None})


@fault("images.same-again", breaks="images.distinct")
def same_again(ask: Ask, serve: Serve) -> Answer:
    """The first picture `n` times."""
    return _edited(ask, serve, lambda body: body | {"data": body["data"][:1] * len(body["data"])})


@fault("images.cut-off", breaks="images.picture")
def cut_off(ask: Ask, serve: Serve) -> Answer:
    """Half of the bytes of each picture."""
    return _with_bytes(ask, serve, lambda given: given[: len(given) // 8 * 4])


@fault("images.damaged", breaks="images.picture")
def damaged(ask: Ask, serve: Serve) -> Answer:
    """One byte of each PNG is another."""

    def change(given: str) -> str:
        data = bytearray(base64.b64decode(given))
        at = data.find(b"IDAT")
        if at >= 0:
            data[at + 20] ^= 0xFF
        return base64.b64encode(data).decode()

    return _with_bytes(ask, serve, change)


@fault("images.data-url", breaks="images.picture")
def data_url(ask: Ask, serve: Serve) -> Answer:
    """A data URL where base64 is meant."""
    return _with_bytes(ask, serve, lambda given: f"data:image/png;base64,{given}")


def _with_bytes(ask: Ask, serve: Serve, change: Callable[[str], str]) -> Answer:
    return _each(ask, serve, lambda entry: {"b64_json": change(entry["b64_json"])} if "b64_json" in entry else None)


@fault("images.format-ignored", breaks="images.format")
def format_ignored(ask: Ask, serve: Serve) -> Answer:
    """PNG whatever `output_format` asks."""
    return serve(ask.without("output_format") if _is_generation(ask) else ask)


@fault("images.format-untrue", breaks="images.format-told")
def format_untrue(ask: Ask, serve: Serve) -> Answer:
    """`output_format` says webp, the bytes say otherwise."""
    return _told(ask, serve, lambda told: told | {"output_format": "webp"})


@fault("images.size-ignored", breaks="images.size")
def size_ignored(ask: Ask, serve: Serve) -> Answer:
    """A square whatever `size` asks."""
    is_wide = _is_generation(ask) and ask.asked.get("size") == "1536x1024"
    return serve(ask.changed(size="1024x1024") if is_wide else ask)


@fault("images.size-untrue", breaks="images.size-told")
def size_untrue(ask: Ask, serve: Serve) -> Answer:
    """`size` tells of another picture."""
    return _told(ask, serve, lambda told: told | {"size": "1024x1536"})


def _told(ask: Ask, serve: Serve, edit: Edit) -> Answer:
    """`edit` on what tells of the picture: the answer, or each event."""
    answer = serve(ask)
    if not ask.path.startswith(PLACE):
        return answer
    return edit_both(answer, lambda body: edit(body) if "output_format" in body else None)


@fault("images.opaque", breaks="images.transparent")
def opaque(ask: Ask, serve: Serve) -> Answer:
    """`background: transparent` is ignored."""
    return serve(ask.without("background") if _is_generation(ask) else ask)


@fault("images.quality-ignored", breaks="images.quality")
def quality_ignored(ask: Ask, serve: Serve) -> Answer:
    """`quality: low` is taken for high."""
    is_low = _is_generation(ask) and ask.asked.get("quality") == "low"
    return serve(ask.changed(quality="high") if is_low else ask)


@fault("images.prompt-uncounted", breaks="images.usage-counted")
def prompt_uncounted(ask: Ask, serve: Serve) -> Answer:
    """Only the picture costs something."""

    def edit(body: dict[str, Any]) -> None:
        if usage := body.get("usage"):
            nothing = {"text_tokens": 0, "image_tokens": 0}
            usage.update(input_tokens=0, total_tokens=usage["output_tokens"], input_tokens_details=nothing)

    return edit_both(serve(ask), edit) if ask.path.startswith(PLACE) else serve(ask)


@fault("images.original-uncounted", breaks="images.usage-counted")
def original_uncounted(ask: Ask, serve: Serve) -> Answer:
    """The picture that is edited costs nothing."""

    def edit(body: dict[str, Any]) -> None:
        counts = body["usage"]["input_tokens_details"]
        body["usage"]["input_tokens"] -= counts["image_tokens"]
        body["usage"]["total_tokens"] -= counts["image_tokens"]
        counts["image_tokens"] = 0

    return edit_json(serve(ask), edit) if ask.path == f"{PLACE}edits" else serve(ask)


@fault("images.usage-off", breaks="images.usage")
def usage_off(ask: Ask, serve: Serve) -> Answer:
    """`total_tokens` is more than input and output together."""

    def edit(body: dict[str, Any]) -> None:
        if "usage" in body:
            body["usage"]["total_tokens"] += 1

    return edit_both(serve(ask), edit) if ask.path.startswith(PLACE) else serve(ask)


@fault("images.size-guessed", breaks="images.refuses")
def size_guessed(ask: Ask, serve: Serve) -> Answer:
    """A size that is none is taken for the usual one."""
    return serve(ask.without("size") if _is_generation(ask) and ask.asked.get("size") == "huge" else ask)


@fault("images.param-null", breaks="images.param")
def param_null(ask: Ask, serve: Serve) -> Answer:
    """A refusal does not say which field is wrong."""

    def edit(body: dict[str, Any]) -> None:
        body["error"]["param"] = None

    return edit_error(serve(ask), edit) if _is_generation(ask) else serve(ask)
