"""Departures of the words of transcripts: lost, added, or told apart wrongly."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from wireproof.standin.faults import fault
from wireproof.standin.faults.edit import edit_both, edit_events, edit_json
from wireproof.standin.wire import Answer, Ask, Serve

PLACE = "/v1/audio/transcriptions"

Edit = Callable[[dict[str, Any]], Any]


def _as_text(ask: Ask, serve: Serve, format: bytes, edit: Callable[[str], str]) -> Answer:
    """`edit` on what is no JSON, in this format."""
    answer = serve(ask)
    is_meant = ask.path == PLACE and answer.status == 200 and b"\r\n\r\n" + format + b"\r\n" in ask.body
    return replace(answer, body=edit(answer.body.decode()).encode()) if is_meant else answer


def _edited(ask: Ask, serve: Serve, edit: Edit) -> Answer:
    """`edit` on an answer in JSON, or on each event."""
    answer = serve(ask)
    kind = (answer.header("content-type") or "").partition(";")[0]
    is_meant = ask.path == PLACE and kind in ("application/json", "text/event-stream")
    return edit_both(answer, edit) if is_meant else answer


@fault("transcriptions.captions-lost", breaks="transcriptions.same-words")
def captions_lost(ask: Ask, serve: Serve) -> Answer:
    """SRT has the first caption alone."""
    return _as_text(ask, serve, b"srt", lambda text: text.partition("\n\n")[0] + "\n")


@fault("transcriptions.text-lost", breaks="transcriptions.same-words")
def text_lost(ask: Ask, serve: Serve) -> Answer:
    """`response_format: text` brings nothing."""
    return _as_text(ask, serve, b"text", lambda text: "")


@fault("transcriptions.captions-unparted", breaks="transcriptions.srt")
def captions_unparted(ask: Ask, serve: Serve) -> Answer:
    """No blank lines between the captions of SRT."""
    return _as_text(ask, serve, b"srt", lambda text: text.replace("\n\n", "\n"))


@fault("transcriptions.control-tokens", breaks="transcriptions.spoken")
def control_tokens(ask: Ask, serve: Serve) -> Answer:
    """The words of JSON answers begin with the language, as decoders write it."""

    def edit(body: dict[str, Any]) -> None:
        if body.get("segments"):
            body["segments"][0]["text"] = "<|en|>" + body["segments"][0]["text"]
        if "words" in body:
            body["words"][0]["word"] = "<|en|>" + body["words"][0]["word"]
        body["text"] = "<|en|>" + body["text"]

    answer = serve(ask)
    is_meant = ask.path == PLACE and (answer.header("content-type") or "").startswith("application/json")
    is_verbose = b"verbose_json" in ask.body
    return edit_json(answer, edit) if is_meant and is_verbose else answer


@fault("transcriptions.last-word-lost", breaks="transcriptions.word-text")
def last_word_lost(ask: Ask, serve: Serve) -> Answer:
    """The last word is not among the words."""
    return _edited(ask, serve, lambda body: body | {"words": body["words"][:-1]} if body.get("words") else None)


@fault("transcriptions.times-zero", breaks="transcriptions.word-times")
def times_zero(ask: Ask, serve: Serve) -> Answer:
    """Words are given, their times are not known and written as 0."""

    def edit(body: dict[str, Any]) -> None:
        for word in body.get("words") or ():
            word.update(start=0.0, end=0.0)

    return _edited(ask, serve, edit)


@fault("transcriptions.probability-percent", breaks="transcriptions.segment-details")
def probability_percent(ask: Ask, serve: Serve) -> Answer:
    """`no_speech_prob` in per cent."""

    def edit(body: dict[str, Any]) -> None:
        for segment in body.get("segments") or ():
            if "no_speech_prob" in segment:
                segment["no_speech_prob"] *= 1000

    return _edited(ask, serve, edit)


@fault("transcriptions.logprobs-ignored", breaks="transcriptions.logprobs")
def logprobs_ignored(ask: Ask, serve: Serve) -> Answer:
    """`include: logprobs` is taken and forgotten."""
    return _edited(ask, serve, lambda body: {name: value for name, value in body.items() if name != "logprobs"})


@fault("transcriptions.logprobs-linear", breaks="transcriptions.logprobs", also=("transcriptions.stream.schema",))
def logprobs_linear(ask: Ask, serve: Serve) -> Answer:
    """Probabilities where their logarithms are meant."""

    def edit(body: dict[str, Any]) -> None:
        for row in body.get("logprobs") or ():
            row["logprob"] = 0.97

    return _edited(ask, serve, edit)


@fault("transcriptions.logprobs-of-others", breaks="transcriptions.logprobs")
def logprobs_of_others(ask: Ask, serve: Serve) -> Answer:
    """The last event tells the probabilities of all tokens but the first."""

    def edit(body: dict[str, Any]) -> None:
        if "text" in body and body.get("logprobs"):
            body["logprobs"] = body["logprobs"][1:]

    return _edited(ask, serve, edit)


@fault("transcriptions.stream.one-id", breaks="transcriptions.segment-ids")
def one_id(ask: Ask, serve: Serve) -> Answer:
    """Every segment of a stream has the same `id`."""

    def edit(event: dict[str, Any]) -> None:
        if re.search(r"\.segment$", str(event.get("type"))):
            event["id"] = "seg_0"

    return edit_events(serve(ask), edit) if ask.path == PLACE else serve(ask)


@fault("transcriptions.stream.segment-lost", breaks="transcriptions.segment-text")
def segment_lost(ask: Ask, serve: Serve) -> Answer:
    """The segments of a stream lack their last words."""

    def edit(event: dict[str, Any]) -> None:
        if re.search(r"\.segment$", str(event.get("type"))):
            event["text"] = event["text"].rpartition(" ")[0]

    return edit_events(serve(ask), edit) if ask.path == PLACE else serve(ask)


@fault("transcriptions.speakers-unknown", breaks="transcriptions.speakers")
def speakers_unknown(ask: Ask, serve: Serve) -> Answer:
    """Who speaks is not known, and left empty."""

    def edit(body: dict[str, Any]) -> None:
        for part in (body, *(body.get("segments") or ())):
            if "speaker" in part:
                part["speaker"] = ""

    return _edited(ask, serve, edit)


@fault("transcriptions.stream.speakers-lost", breaks="transcriptions.speakers")
def speakers_lost(ask: Ask, serve: Serve) -> Answer:
    """A stream has the words, and no segments that tell who said them."""
    answer = serve(ask)
    if ask.path != PLACE or answer.frames is None:
        return answer
    return replace(answer, frames=[frame for frame in answer.frames if b"transcript.text.segment" not in frame.data])


@fault("transcriptions.usage-text", breaks="transcriptions.usage")
def usage_text(ask: Ask, serve: Serve) -> Answer:
    """`usage` of a plain answer is a text."""
    answer = serve(ask)
    is_meant = ask.path == PLACE and (answer.header("content-type") or "").startswith("application/json")
    return edit_json(answer, lambda body: body | {"usage": "5 s"} if "usage" in body else None) if is_meant else answer
