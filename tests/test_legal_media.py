"""What correct backends do with pictures, sounds and verdicts unlike the stand-in: none of it may raise a finding."""

from __future__ import annotations

import json
import struct
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import cache
from typing import Any

import pytest
from certified import certified, standin_plan
from made_media import picture

from wireproof.plan import Plan
from wireproof.standin.faults.edit import edit_events, edit_frames, edit_json, refused
from wireproof.standin.wire import Answer, Ask, Frame, Serve, event_frame

Edit = Callable[[dict[str, Any]], Any]
Vary = Callable[[Ask, Serve], Answer]
SPEECH, WORDS, PICTURES, VERDICTS = "/v1/audio/speech", "/v1/audio/tr", "/v1/images/", "/v1/moderations"


def on(place: str, change: Callable[[Answer], Answer]) -> Vary:
    """`change` on what is served under this path."""

    def vary(ask: Ask, serve: Serve) -> Answer:
        answer = serve(ask)
        return change(answer) if ask.path.startswith(place) and answer.status == 200 else answer

    return vary


def in_json(place: str, edit: Edit) -> Vary:
    return on(place, lambda answer: edit_json(answer, edit) if _type(answer) == "application/json" else answer)


def in_events(place: str, edit: Edit) -> Vary:
    return on(place, lambda answer: edit_events(answer, edit) if _type(answer) == "text/event-stream" else answer)


def in_sound(type: str, change: Callable[[bytes], bytes], as_type: str | None = None) -> Vary:
    """`change` on sounds of this type, which then come at once."""

    def vary(answer: Answer) -> Answer:
        if _type(answer) != type:
            return answer
        data = b"".join(frame.data for frame in answer.frames or ())
        return replace(answer, body=change(data), frames=None).with_header("content-type", as_type or type)

    return on(SPEECH, vary)


def not_served(status: int, *places: str) -> Vary:
    def vary(ask: Ask, serve: Serve) -> Answer:
        return refused(serve(ask), "Not here.", status=status) if ask.path.startswith(places) else serve(ask)

    return vary


def without(place: str, *fields: str) -> Vary:
    """These fields of a JSON request are refused by name."""

    def vary(ask: Ask, serve: Serve) -> Answer:
        for field in fields:
            if ask.path.startswith(place) and field in ask.asked:
                return refused(serve(ask), f"Unknown parameter: '{field}'.", param=field)
        return serve(ask)

    return vary


def _type(answer: Answer) -> str:
    return (answer.header("content-type") or "").partition(";")[0]


def of_unknown_length(data: bytes) -> bytes:
    at = data.index(b"data") + 4
    return data[:4] + struct.pack("<I", 0xFFFFFFFF) + data[8:at] + struct.pack("<I", 0xFFFFFFFF) + data[at + 4 :]


def untagged(data: bytes) -> bytes:
    return data[data.index(b"\xff\xf3") :]


def re_cut(size: int) -> Vary:
    """The same bytes in other writes."""

    def cut(frames: list[Frame]) -> Iterator[Frame]:
        data = b"".join(frame.data for frame in frames)
        return (Frame(1.0, data[at : at + size]) for at in range(0, len(data), size))

    return on("/v1/", lambda answer: edit_frames(answer, cut))


def each_result(edit: Edit) -> Edit:
    return lambda body: body | {"results": [edit(one) or one for one in body["results"]]}


def each_segment(edit: Edit) -> Edit:
    def change(body: dict[str, Any]) -> None:
        if "segments" in body:
            body["segments"] = [edit(segment) or segment for segment in body["segments"]]

    return change


def each_url(change: Callable[[str], str]) -> Edit:
    """Each picture by another URL; those of one answer differ."""

    def edit(body: dict[str, Any]) -> dict[str, Any]:
        data = [
            entry | {"url": change(entry["url"]) + "#" * number} if entry.get("url") else entry
            for number, entry in enumerate(body["data"])
        ]
        return body | {"data": data}

    return edit


def lacking(*names: str) -> Edit:
    return lambda body: {name: value for name, value in body.items() if name not in names}


def one_vendor_more(result: dict[str, Any]) -> None:
    result["categories"]["spam"] = False
    result["category_scores"]["spam"] = 0.01
    result["category_applied_input_types"]["spam"] = ["text"]


def older_categories(result: dict[str, Any]) -> None:
    for part in ("categories", "category_scores", "category_applied_input_types"):
        result[part] = {name: value for name, value in result[part].items() if not name.startswith("illicit")}


def older_model(body: dict[str, Any]) -> dict[str, Any]:
    changed: dict[str, Any] = each_result(older_categories)(body | {"model": "text-moderation-007"})
    return changed


def by_the_older_model(ask: Ask, serve: Serve) -> Answer:
    is_named = ask.path == VERDICTS and str(ask.asked.get("model")).startswith("omni")
    return in_json(VERDICTS, older_model)(ask.changed(model="text-moderation-latest") if is_named else ask, serve)


def unheard(answer: Answer) -> Answer:
    """What a server says that hears no words in the hum."""
    if _type(answer) == "text/event-stream":
        usage = {"type": "tokens", "input_tokens": 48, "output_tokens": 1, "total_tokens": 49}
        return replace(answer, frames=[event_frame({"type": "transcript.text.done", "text": "", "usage": usage})])
    if _type(answer) == "text/plain":
        return replace(answer, body=b"WEBVTT\n\n" if answer.body.startswith(b"WEBVTT") else b"\n")
    lists = ("segments", "words", "logprobs")
    return edit_json(answer, lambda body: body | {"text": ""} | {name: [] for name in lists if name in body})


def without_bytes(event: dict[str, Any]) -> None:
    for row in event.get("logprobs", ()):
        row["bytes"] = None


def named_events(answer: Answer) -> Answer:
    def name(frames: list[Frame]) -> Iterator[Frame]:
        for frame in frames:
            start = frame.data.find(b"data: {")
            kind = json.loads(frame.data[start + 6 :])["type"] if start >= 0 else ""
            yield replace(frame, data=f"event: {kind}\n".encode() + frame.data[start:]) if kind else frame

    return edit_frames(answer, name) if _type(answer) == "text/event-stream" else answer


VARIATIONS: dict[str, Vary] = {
    "sounds of no stated kind": on(
        SPEECH, lambda a: a.with_header("content-type", "application/octet-stream") if "audio" in _type(a) else a
    ),
    "audio/x-wav": in_sound("audio/wav", bytes, "audio/x-wav"),
    "a WAV of unknown length": in_sound("audio/wav", of_unknown_length),
    "an MP3 without a tag": in_sound("audio/mpeg", untagged),
    "an MP3 with a tag at its end": in_sound("audio/mpeg", lambda data: data + b"TAG" + bytes(125)),
    "Opus as Ogg with its codec": in_sound("audio/opus", bytes, "audio/ogg; codecs=opus"),
    "AAC as aacp": in_sound("audio/aac", bytes, "audio/aacp"),
    "raw samples with their rate": in_sound("audio/pcm", bytes, "audio/L16; rate=24000; channels=1"),
    "bytes in writes of 100": re_cut(100),
    "bytes in one write": re_cut(1 << 24),
    "no event lines": on(PICTURES, lambda answer: edit_events(answer, lambda event: None)),
    "event lines everywhere": on("/v1/", named_events),
    "more keys in pictures": in_json(PICTURES, lambda body: body | {"id": "img_1", "cost": 0.01}),
    "no usage of pictures": in_json(PICTURES, lacking("usage")),
    "null for all that pictures may lack": in_json(
        PICTURES, lambda body: body | dict.fromkeys(("usage", "background", "quality", "size", "output_format"))
    ),
    "prompts revised": in_json(
        PICTURES, lambda body: body | {"data": [{**one, "revised_prompt": "A circle."} for one in body["data"]]}
    ),
    "pictures in data URLs": in_json(
        PICTURES, each_url(lambda url: f"data:image/png;base64,{picture(width=256, height=256)}")
    ),
    "pictures in a store of their own": in_json(PICTURES, each_url(lambda url: url.replace("standin", "store"))),
    "pictures of no stated kind": on(
        "/content/", lambda answer: answer.with_header("content-type", "application/octet-stream")
    ),
    "pictures at another place": on(
        "/content/", lambda answer: Answer(302, (("location", "https://store.example.com/1"),))
    ),
    "pictures without a quality told": in_json(PICTURES, lambda body: body | {"quality": "auto"}),
    "fewer previews": on(PICTURES, lambda answer: edit_frames(answer, lambda frames: iter([frames[0], frames[-1]]))),
    "pictures of the older kind alone": without(PICTURES, "output_format", "quality", "stream", "background"),
    "one picture at a time": without(PICTURES, "output_format", "quality", "stream", "background", "n"),
    "no usage of transcripts": in_json(WORDS, lacking("usage")),
    "no usage of streamed transcripts": in_events(WORDS, lambda event: event.pop("usage", None) and None),
    "null for words": in_json(WORDS, lambda body: body | {"languages": None, "logprobs": None}),
    "a code for a language": in_json(WORDS, lambda body: body | {"language": "en"} if "language" in body else None),
    "segments counted from 1": in_json(
        WORDS, each_segment(lambda one: one | {"id": one["id"] + 1} if isinstance(one["id"], int) else None)
    ),
    "blanks around the words": in_json(WORDS, lambda body: body | {"text": f" {body['text']} "}),
    "words with their blanks": in_json(
        WORDS,
        lambda body: (
            body | {"words": [{**one, "word": f" {one['word']}"} for one in body["words"]]}
            if body.get("words")
            else None
        ),
    ),
    "log probabilities without bytes": in_events(WORDS, without_bytes),
    "log probabilities at the end alone": in_events(
        WORDS, lambda event: event.pop("logprobs", None) and None if "delta" in event else None
    ),
    "nothing heard": on(WORDS, unheard),
    "a voice that is not known": without(SPEECH, "voice"),
    "captions typed as what they are": on(
        WORDS,
        lambda a: (
            a.with_header("content-type", "text/vtt") if _type(a) == "text/plain" and a.body[:6] == b"WEBVTT" else a
        ),
    ),
    "captions in CRLF": on(
        WORDS, lambda a: replace(a, body=a.body.replace(b"\n", b"\r\n")) if _type(a) == "text/plain" else a
    ),
    "ids of another shape": in_json(VERDICTS, lambda body: body | {"id": body["id"][5:]}),
    "more categories": in_json(VERDICTS, each_result(one_vendor_more)),
    "the categories of an older model": by_the_older_model,
    "scores of 0 and 1": in_json(
        VERDICTS,
        each_result(lambda one: one | {"category_scores": {k: float(bool(v)) for k, v in one["categories"].items()}}),
    ),
    "no pictures": not_served(404, PICTURES),
    "no speech": not_served(501, SPEECH),
    "no words": not_served(405, WORDS),
    "no verdicts": not_served(404, VERDICTS),
    "nothing at all": not_served(404, PICTURES, SPEECH, WORDS, VERDICTS),
    "no videos": not_served(404, "/v1/videos"),
}


@cache
def plan() -> Plan:
    return standin_plan(profiles=["media", "legacy-videos"])


@pytest.mark.parametrize("name", VARIATIONS)
def test_a_legal_variation_of_media_raises_no_finding(name: str) -> None:
    run = certified(vary=VARIATIONS[name], plan=plan())
    assert {id: verdict.findings for id, verdict in run.verdicts.items() if verdict.findings} == {}
    assert {id: v.reason for id, v in run.verdicts.items() if v.outcome == "inconclusive"} == {}


def test_a_server_of_whisper_falls_short_of_should_at_most() -> None:
    """It knows json, text and verbose_json, ignores granularities, and says less of its segments."""

    def vary(ask: Ask, serve: Serve) -> Answer:
        if ask.path.startswith(WORDS) and any(b"\r\n\r\n%b\r\n" % name in ask.body for name in (b"srt", b"vtt")):
            return refused(serve(ask), "Only json, text and verbose_json are supported.", param="response_format")
        ask = replace(ask, body=ask.body.replace(b'"timestamp_granularities[]"', b'"prompt"'))
        details = lacking("seek", "tokens", "compression_ratio")
        return in_json(WORDS, lambda body: each_segment(details)(lacking("words", "usage")(body) or body))(ask, serve)

    run = certified(vary=vary, plan=plan())
    assert {run.verdicts[id].clause.level for id in run.failing} <= {"SHOULD", "MAY"}
