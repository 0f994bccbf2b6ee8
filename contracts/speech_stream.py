"""Speech as events: deltas that are one sound together, and a last event that tells what it cost."""

from __future__ import annotations

import re

from wireproof.clause import SPEECH_MODEL, Exchange, answered, clause, expect, load_spec, probe

from ._media import expect_closed, expect_events_of_json, expect_sum, said, streams, told_events
from ._reading import as_object
from ._shape import expect_schema
from ._sounds import NoSound
from ._speech import format_asked, sound_of

PROBES = (
    probe(
        "speech.stream",
        "POST",
        "/audio/speech",
        {
            "model": SPEECH_MODEL,
            "input": "The harbour was quiet.",
            "voice": "alloy",
            "response_format": "aac",
            "stream_format": "sse",
        },
        about="a sentence as AAC, in events",
        expects="either",
        needs=SPEECH_MODEL,
    ),
)

DELTA, DONE = "speech.audio.delta", "speech.audio.done"
STREAM = answered("createSpeech", shows=streams)
ELSEWHERE = re.compile("(?!)")


@clause(
    "speech.stream.served",
    level="SHOULD",
    source="SPEC CreateSpeechRequest.stream_format",
    on=answered("createSpeech", asks=lambda body: body.get("stream_format") == "sse"),
    fields=("stream_format",),
)
def events_come_where_they_are_asked_for(exchange: Exchange) -> None:
    """`stream_format: sse` brings an event stream. A model that cannot refuses it."""
    got = exchange.header("content-type") or "no content-type"
    expect(exchange.media_type == "text/event-stream", expected="content-type text/event-stream", got=got)


@clause("speech.stream.schema", level="MUST", source="SPEC SpeechAudioDeltaEvent, SpeechAudioDoneEvent", on=STREAM)
def events_follow_the_schema(exchange: Exchange) -> None:
    """Every event is JSON: `speech.audio.delta` with its `audio`, `speech.audio.done` with its `usage`."""
    expect_events_of_json(exchange)
    schema = load_spec().operations["createSpeech"].event_schema
    assert schema is not None
    for number, event in told_events(exchange):
        expect(isinstance(event.get("type"), str), expected="a type", got=event.get("type"), at="/type", event=number)
        if event["type"] in (DELTA, DONE):
            expect_schema(schema, said(event), ELSEWHERE, number)


@clause("speech.stream.done", level="MUST", source="SPEC SpeechAudioDoneEvent", on=STREAM)
def a_stream_says_that_it_is_done(exchange: Exchange) -> None:
    """A stream ends with exactly one `speech.audio.done`: without it nobody knows that the sound is whole."""
    expect_closed(exchange, DONE)


@clause(
    "speech.stream.sound",
    level="MUST",
    source="SPEC SpeechAudioDeltaEvent.audio: a chunk of Base64-encoded audio data",
    on=STREAM,
)
def deltas_make_a_sound(exchange: Exchange) -> None:
    """The deltas, each of them base64, joined in their order are a whole sound."""
    try:
        sound_of(exchange)
    except NoSound as flaw:
        expect(False, expected=f"a sound ({format_asked(exchange)}) of all deltas", got=str(flaw))


@clause("speech.stream.usage", level="MUST", source="SPEC SpeechAudioDoneEvent.usage", on=STREAM)
def usage_adds_up(exchange: Exchange) -> None:
    """`total_tokens` of the last event is input and output together."""
    for number, event in told_events(exchange):
        if event.get("type") == DONE:
            expect_sum(
                as_object(event.get("usage")), "total_tokens", ("input_tokens", "output_tokens"), "/usage", number
            )
