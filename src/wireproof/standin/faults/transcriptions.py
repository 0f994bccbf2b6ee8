"""Departures of transcripts and translations."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

from wireproof.standin.faults import fault
from wireproof.standin.faults.edit import edit_error, edit_events, edit_frames, edit_json, refused
from wireproof.standin.wire import Answer, Ask, Frame, Serve, json_answer

PLACE, ENGLISH = "/v1/audio/transcriptions", "/v1/audio/translations"
TIMES = ("start", "end")

Edit = Callable[[dict[str, Any]], Any]


def _edited(ask: Ask, serve: Serve, edit: Edit, *, place: str = PLACE, has: str = "text") -> Answer:
    """`edit` on a JSON answer that has this key."""
    answer = serve(ask)
    if ask.path != place or not (answer.header("content-type") or "").startswith("application/json"):
        return answer
    return edit_json(answer, lambda body: edit(body) if has in body else None)


def _captions(ask: Ask, serve: Serve, format: bytes, edit: Callable[[str], str]) -> Answer:
    """`edit` on captions in this format, or on the plain text."""
    answer = serve(ask)
    is_meant = ask.path == PLACE and answer.status == 200 and b"\r\n\r\n" + format + b"\r\n" in ask.body
    return replace(answer, body=edit(answer.body.decode()).encode()) if is_meant else answer


def _events(ask: Ask, serve: Serve, edit: Edit) -> Answer:
    answer = serve(ask)
    return edit_events(answer, edit) if ask.path == PLACE else answer


def _each_segment(body: dict[str, Any], edit: Edit) -> None:
    body["segments"] = [edit(segment) or segment for segment in body["segments"]]


def _in_ms(span: dict[str, Any]) -> dict[str, Any]:
    return span | {name: span[name] * 1000 for name in TIMES}


# ------------------------------------------------------------------------------------------- form and type


@fault(
    "transcriptions.verbose-ignored",
    breaks="transcriptions.schema",
    also=("transcriptions.segments", "transcriptions.words"),
)
def verbose_ignored(ask: Ask, serve: Serve) -> Answer:
    """`verbose_json` is answered with the text alone."""
    return _edited(ask, serve, lambda body: {"text": body["text"]}, has="language")


@fault("transcriptions.segment-id-missing", breaks="transcriptions.schema")
def segment_id_missing(ask: Ask, serve: Serve) -> Answer:
    """Segments without `id`."""
    return _edited(ask, serve, lambda body: _each_segment(body, lambda one: one.pop("id") and None), has="segments")


@fault("transcriptions.segment-details-missing", breaks="transcriptions.segment-details")
def segment_details_missing(ask: Ask, serve: Serve) -> Answer:
    """Segments without what the model thought of them."""

    def edit(segment: dict[str, Any]) -> dict[str, Any]:
        return {name: value for name, value in segment.items() if name in ("id", "text", *TIMES)}

    return _edited(ask, serve, lambda body: _each_segment(body, edit) if "language" in body else None, has="segments")


@fault("transcriptions.text-typed-json", breaks="transcriptions.media-type")
def text_typed_json(ask: Ask, serve: Serve) -> Answer:
    """Captions typed as JSON."""
    answer = serve(ask)
    is_captions = ask.path == PLACE and (answer.header("content-type") or "").startswith("text/plain")
    return answer.with_header("content-type", "application/json") if is_captions else answer


@fault("transcriptions.text-quoted", breaks="transcriptions.text")
def text_quoted(ask: Ask, serve: Serve) -> Answer:
    """The text as a JSON string."""
    return _captions(ask, serve, b"text", lambda text: json.dumps(text.strip()))


@fault("transcriptions.text-json", breaks="transcriptions.text")
def text_json(ask: Ask, serve: Serve) -> Answer:
    """The text inside of a JSON document."""
    return _captions(ask, serve, b"text", lambda text: json.dumps({"text": text.strip()}))


@fault("transcriptions.srt-dots", breaks="transcriptions.srt")
def srt_dots(ask: Ask, serve: Serve) -> Answer:
    """SRT with the times of WebVTT."""
    return _captions(ask, serve, b"srt", lambda text: re.sub(r"(\d\d),(\d{3})", r"\1.\2", text))


@fault("transcriptions.vtt-headless", breaks="transcriptions.vtt")
def vtt_headless(ask: Ask, serve: Serve) -> Answer:
    """WebVTT without its first line."""
    return _captions(ask, serve, b"vtt", lambda text: text.removeprefix("WEBVTT\n\n"))


# --------------------------------------------------------------------------------------------------- times


@fault("transcriptions.duration-ms", breaks="transcriptions.duration")
def duration_ms(ask: Ask, serve: Serve) -> Answer:
    """`duration` in milliseconds."""
    return _edited(ask, serve, lambda body: body | {"duration": body["duration"] * 1000}, has="duration")


@fault("transcriptions.segments-missing", breaks="transcriptions.segments")
def segments_missing(ask: Ask, serve: Serve) -> Answer:
    """`verbose_json` without `segments`."""
    return _edited(ask, serve, lambda body: body.pop("segments", None) and None, has="language")


@fault("transcriptions.segments-ms", breaks="transcriptions.segment-times")
def segments_ms(ask: Ask, serve: Serve) -> Answer:
    """Segments with their times in milliseconds."""
    return _edited(ask, serve, lambda body: _each_segment(body, _in_ms), has="segments")


@fault("transcriptions.segments-reversed", breaks="transcriptions.segment-times", also=("transcriptions.segment-*",))
def segments_reversed(ask: Ask, serve: Serve) -> Answer:
    """The last segment first."""
    return _edited(ask, serve, lambda body: body["segments"].reverse(), has="segments")


@fault("transcriptions.segment-ids-same", breaks="transcriptions.segment-ids")
def segment_ids_same(ask: Ask, serve: Serve) -> Answer:
    """Every segment has the id of the first."""
    return _edited(
        ask,
        serve,
        lambda body: _each_segment(body, lambda segment: segment | {"id": body["segments"][0]["id"]}),
        has="segments",
    )


@fault("transcriptions.segment-lost", breaks="transcriptions.segment-text")
def segment_lost(ask: Ask, serve: Serve) -> Answer:
    """The last segment is missing, its words are in the text."""
    return _edited(ask, serve, lambda body: body["segments"].pop() and None, has="segments")


@fault("transcriptions.words-missing", breaks="transcriptions.words")
def words_missing(ask: Ask, serve: Serve) -> Answer:
    """No words although they were asked for."""
    return _edited(ask, serve, lambda body: body.pop("words") and None, has="words")


@fault("transcriptions.words-shuffled", breaks="transcriptions.word-times", also=("transcriptions.word-text",))
def words_shuffled(ask: Ask, serve: Serve) -> Answer:
    """The words in the order of the alphabet."""
    return _edited(ask, serve, lambda body: body["words"].sort(key=lambda word: word["word"]), has="words")


@fault("transcriptions.usage-off", breaks="transcriptions.usage")
def usage_off(ask: Ask, serve: Serve) -> Answer:
    """Milliseconds are billed as seconds, and tokens twice."""

    def edit(body: dict[str, Any]) -> None:
        for name, factor in (("seconds", 1000), ("total_tokens", 2)):
            if name in body["usage"]:
                body["usage"][name] *= factor

    return _edited(ask, serve, edit, has="usage")


# ------------------------------------------------------------------------------------------------ mistakes


@fault("transcriptions.fileless-served", breaks="transcriptions.refuses")
def fileless_served(ask: Ask, serve: Serve) -> Answer:
    """Without a file the text is empty."""
    is_meant = ask.path == PLACE and b'name="file"' not in ask.body
    return replace(json_answer({"text": ""}), headers=serve(ask).headers) if is_meant else serve(ask)


@fault("transcriptions.no-sound-500", breaks="transcriptions.no-sound")
def no_sound_500(ask: Ask, serve: Serve) -> Answer:
    """A file that is no recording makes the decoder fail, and the server with it."""
    answer = serve(ask)
    is_meant = ask.path == PLACE and answer.status == 400 and b"decoded" in answer.body
    return refused(answer, "The server had an error.", status=500) if is_meant else answer


@fault("transcriptions.granularities-ignored", breaks="transcriptions.granularities")
def granularities_ignored(ask: Ask, serve: Serve) -> Answer:
    """`timestamp_granularities` is not looked at where a format has no times."""
    is_meant = ask.path == PLACE and b"verbose_json" not in ask.body
    return serve(replace(ask, body=ask.body.replace(b'"timestamp_granularities[]"', b'"prompt"')) if is_meant else ask)


@fault("transcriptions.param-null", breaks="transcriptions.param")
def param_null(ask: Ask, serve: Serve) -> Answer:
    """A refusal does not say what is missing."""

    def edit(body: dict[str, Any]) -> None:
        body["error"]["param"] = None

    return edit_error(serve(ask), edit) if ask.path == PLACE else serve(ask)


# -------------------------------------------------------------------------------------------------- streams


@fault("transcriptions.stream.text-missing", breaks="transcriptions.stream.schema")
def text_missing(ask: Ask, serve: Serve) -> Answer:
    """The last event has no text."""
    return _events(ask, serve, lambda event: event.pop("text") and None if event["type"].endswith(".done") else None)


@fault("transcriptions.stream.typed-json", breaks="transcriptions.stream.media-type")
def stream_typed_json(ask: Ask, serve: Serve) -> Answer:
    """Events typed as JSON."""
    answer = serve(ask)
    is_meant = ask.path == PLACE and answer.is_stream
    return answer.with_header("content-type", "application/json") if is_meant else answer


@fault("transcriptions.stream.unfinished", breaks="transcriptions.stream.done")
def unfinished(ask: Ask, serve: Serve) -> Answer:
    """No `transcript.text.done`."""
    answer = serve(ask)
    return edit_frames(answer, lambda frames: iter(frames[:-1])) if ask.path == PLACE else answer


@fault("transcriptions.stream.delta-lost", breaks="transcriptions.stream.text")
def delta_lost(ask: Ask, serve: Serve) -> Answer:
    """The first delta is lost."""

    def without_first(frames: list[Frame]) -> Iterator[Frame]:
        return iter(frames[1:])

    answer = serve(ask)
    return edit_frames(answer, without_first) if ask.path == PLACE else answer


@fault("transcriptions.stream.segments-ms", breaks="transcriptions.stream.segments")
def stream_segments_ms(ask: Ask, serve: Serve) -> Answer:
    """Segments of a stream with their times in milliseconds."""
    return _events(ask, serve, lambda event: _in_ms(event) if "start" in event else None)


@fault("transcriptions.stream.usage-off", breaks="transcriptions.stream.usage")
def stream_usage_off(ask: Ask, serve: Serve) -> Answer:
    """`total_tokens` is that of the input alone."""

    def edit(event: dict[str, Any]) -> None:
        if "usage" in event:
            event["usage"]["total_tokens"] = event["usage"]["input_tokens"]

    return _events(ask, serve, edit)


# --------------------------------------------------------------------------------------------- translations


@fault("translations.duration-text", breaks="translations.schema")
def duration_text(ask: Ask, serve: Serve) -> Answer:
    """`duration` is a string, as the official document of old had it."""
    return _edited(ask, serve, lambda body: body | {"duration": str(body["duration"])}, place=ENGLISH)


@fault("translations.language-spoken", breaks="translations.language")
def language_spoken(ask: Ask, serve: Serve) -> Answer:
    """`language` is that of the recording."""
    return _edited(ask, serve, lambda body: body | {"language": "german"}, place=ENGLISH)


@fault("translations.duration-ms", breaks="translations.duration")
def translated_duration_ms(ask: Ask, serve: Serve) -> Answer:
    """`duration` in milliseconds."""
    return _edited(ask, serve, lambda body: body | {"duration": body["duration"] * 1000}, place=ENGLISH)


@fault("translations.segments-ms", breaks="translations.segments")
def translated_segments_ms(ask: Ask, serve: Serve) -> Answer:
    """Segments with their times in milliseconds."""
    return _edited(ask, serve, lambda body: _each_segment(body, _in_ms), place=ENGLISH, has="segments")


@fault("translations.segment-lost", breaks="translations.segment-text")
def translated_segment_lost(ask: Ask, serve: Serve) -> Answer:
    """The last segment is missing, its words are in the text."""
    return _edited(ask, serve, lambda body: body["segments"].pop() and None, place=ENGLISH, has="segments")
