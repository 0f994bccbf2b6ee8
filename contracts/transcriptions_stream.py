"""Transcripts as events: deltas, and at the end the whole text.

Older models ignore `stream` by documentation, and answer at once: then these clauses have nothing to judge.
"""

from __future__ import annotations

import re

from wireproof.clause import (
    TRANSCRIPTION_MODEL,
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
)

from ._media import expect_closed, expect_details, expect_events_of_json, expect_sum, is_ok, said, streams, told_events
from ._reading import as_object, as_objects, as_text
from ._samples import wav
from ._shape import expect_schema
from ._transcripts import DELTA, DONE, SEGMENT, TRANSCRIBE, expect_times

STREAMER = (
    ("model", "gpt-4o-transcribe-diarize"),
    ("response_format", "diarized_json"),
    ("chunking_strategy", "auto"),
    ("stream", "true"),
)


@flow(
    "transcriptions.stream", most=2, about="the words as they are heard, and at once", needs=TRANSCRIPTION_MODEL,
    expects="either",
)  # fmt: skip
def words_as_they_are_heard() -> Flow:
    """A model that streams is asked once more without; one that does not leaves the stream to another."""
    file = ("file", File("hum.wav", wav(), "audio/wav"))
    exchange = yield form("/audio/transcriptions", [("model", TRANSCRIPTION_MODEL), ("stream", "true"), file])
    if is_ok(exchange):
        more = [("model", TRANSCRIPTION_MODEL)] if streams(exchange) else STREAMER
        yield form("/audio/transcriptions", [*more, file])


STREAM = answered(TRANSCRIBE, shows=streams)
ELSEWHERE = re.compile("(?!)")


@clause(
    "transcriptions.stream.schema",
    level="MUST",
    source="SPEC TranscriptTextDeltaEvent, TranscriptTextDoneEvent, TranscriptTextSegmentEvent",
    on=STREAM,
)
def events_follow_the_schema(exchange: Exchange) -> None:
    """Every event is JSON: deltas with `delta`, segments with their times and speaker, at the end the whole `text`."""
    expect_events_of_json(exchange)
    schema = load_spec().operations[TRANSCRIBE].event_schema
    assert schema is not None
    for number, event in told_events(exchange):
        expect(isinstance(event.get("type"), str), expected="a type", got=event.get("type"), at="/type", event=number)
        if event["type"] in (DELTA, SEGMENT, DONE):
            expect_schema(schema, said(event), ELSEWHERE, number)


@clause(
    "transcriptions.stream.media-type",
    level="MUST",
    source="SPEC createTranscription 200; WHATWG HTML 9.2.5",
    on=STREAM,
)
def a_stream_is_typed_as_one(exchange: Exchange) -> None:
    """A transcript in events is typed `text/event-stream`."""
    got = exchange.header("content-type") or "no content-type"
    expect(exchange.media_type == "text/event-stream", expected="content-type text/event-stream", got=got)


@clause(
    "transcriptions.stream.done", level="MUST", source="SPEC TranscriptTextDoneEvent", on=STREAM, fields=("stream",)
)
def a_stream_says_that_it_is_done(exchange: Exchange) -> None:
    """A stream ends with exactly one `transcript.text.done`."""
    expect_closed(exchange, DONE)


@clause(
    "transcriptions.stream.text",
    level="MUST",
    source="SPEC TranscriptTextDeltaEvent, TranscriptTextDoneEvent.text",
    on=STREAM,
)
def deltas_make_the_text(exchange: Exchange) -> None:
    """The deltas, joined in their order, are the text of the last event."""
    events = told_events(exchange)
    deltas = [event.get("delta") for _, event in events if event.get("type") == DELTA]
    done = next(((number, event) for number, event in reversed(events) if event.get("type") == DONE), None)
    if done is None or not isinstance(done[1].get("text"), str):
        raise NotApplicable("no text at the end: transcriptions.stream.schema and .done judge that")
    number, event = done
    joined = "".join(map(as_text, deltas))
    expect(
        joined.strip() == event["text"].strip(),
        expected=f"the deltas, {joined!r}",
        got=event["text"],
        at="/text",
        event=number,
    )


@clause(
    "transcriptions.stream.segments",
    level="MUST",
    source="SPEC TranscriptTextSegmentEvent.start, end (seconds)",
    on=STREAM,
)
def segments_lie_within_the_recording(exchange: Exchange) -> None:
    """Segments of a stream follow each other and lie within the recording."""
    segments = as_objects([event for _, event in told_events(exchange) if event.get("type") == SEGMENT])
    if not segments:
        raise NotApplicable("there are no segments")
    expect_times(segments, exchange, "", by="segment")


@clause("transcriptions.stream.usage", level="MUST", source="SPEC TranscriptTextDoneEvent.usage", on=STREAM)
def usage_adds_up(exchange: Exchange) -> None:
    """Where the last event tells usage, `total_tokens` is input and output together."""
    found = [(number, as_object(event.get("usage"))) for number, event in told_events(exchange) if event.get("usage")]
    if not found:
        raise NotApplicable("no usage is told")
    for number, usage in found:
        expect_sum(usage, "total_tokens", ("input_tokens", "output_tokens"), "/usage", number)
        expect_details(usage, "input_tokens", "input_token_details", "/usage", number)
