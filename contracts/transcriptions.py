"""Transcripts: each format in its own shape and type, with times that lie within the recording.

The probes send a hum that says nothing: whether the right words are heard is for an ear. What is judged is that the
parts of an answer agree with each other, and with the length of what was sent. Streams are judged in
transcriptions_stream.py, translations in translations.py, requests that are wrong in transcriptions_mistakes.py.
"""

from __future__ import annotations

import re
from itertools import pairwise
from math import ceil, inf

from wireproof.clause import (
    TRANSCRIPTION_MODEL,
    Call,
    Exchange,
    File,
    Flow,
    NotApplicable,
    Violation,
    answered,
    clause,
    expect,
    flow,
    form,
    load_spec,
    probe,
    shown,
)

from ._captions import Malformed, srt_in, vtt_in
from ._media import expect_details, expect_sum, is_ok, is_refused, plain, said
from ._reading import as_number, as_object, as_objects, as_text
from ._samples import wav
from ._transcripts import (
    JSON,
    TRANSCRIBE,
    TRANSLATE,
    asks,
    body_of,
    expect_joined,
    expect_times,
    format_asked,
    granularities,
    real_s,
    slack_s,
)

TRANSCRIPTIONS = "/audio/transcriptions"
# The model whose captions and times everybody knows; where it is not served, it is refused and costs nothing.
WHISPER, DIARIZE = "whisper-1", "gpt-4o-transcribe-diarize"


def _hear(model: str, format: str, *more: tuple[str, str]) -> Call:
    fields = [("model", model), ("response_format", format), *more]
    return form(TRANSCRIPTIONS, [*fields, ("file", File("hum.wav", wav(), "audio/wav"))])


@flow(
    "transcriptions.timed", most=4, about="words with their times, then as captions", needs=TRANSCRIPTION_MODEL,
    expects="either",
)  # fmt: skip
def words_with_their_times() -> Flow:
    granular = (("timestamp_granularities[]", "word"), ("timestamp_granularities[]", "segment"))
    model = TRANSCRIPTION_MODEL
    exchange = yield _hear(model, "verbose_json", *granular)
    if is_refused(exchange):
        model = WHISPER
        exchange = yield _hear(model, "verbose_json", *granular)
    if is_ok(exchange):
        yield _hear(model, "srt")
        yield _hear(model, "vtt")


def _probe(id: str, model: str, format: str, about: str) -> object:
    call = _hear(model, format)
    return probe(id, "POST", call.path, call.body, about=about, expects="either", needs=TRANSCRIPTION_MODEL,
                 headers=call.headers)  # fmt: skip


PROBES = (
    _probe("transcriptions.text", TRANSCRIPTION_MODEL, "text", "the words alone"),
    _probe("transcriptions.diarized", DIARIZE, "diarized_json", "who says what"),
)

BOTH = (TRANSCRIBE, TRANSLATE)
HEARD = answered(TRANSCRIBE, shows=plain)
VERBOSE = answered(TRANSCRIBE, shows=asks("verbose_json"))
SEGMENTED = answered(TRANSCRIBE, shows=asks("verbose_json", "diarized_json"))
# As they are told at once, or one by one in a stream.
SEGMENTS = answered(TRANSCRIBE, shows=lambda e: format_asked(e) in ("verbose_json", "diarized_json"))
SCHEMAS = {"json": "Transcription", "verbose_json": "TranscriptionVerbose", "diarized_json": "TranscriptionDiarized"}
USAGE = {"tokens": "AudioUsageTokens", "duration": "AudioUsageDuration"}
BOUNDS = {"avg_logprob": (-inf, 0), "no_speech_prob": (0, 1), "compression_ratio": (0, inf)}
# Captions by names of their own.
OTHER_TEXT = ("application/x-subrip", "application/srt", "application/octet-stream")
# Of a segment, what neither a player nor an editor of captions works with.
OF_THE_MODEL = re.compile(r"/segments/\d+/(seek|tokens|temperature|avg_logprob|compression_ratio|no_speech_prob)\b.*")


# --------------------------------------------------------------------------------------------- form and type


@clause(
    "transcriptions.schema",
    level="MUST",
    source="SPEC CreateTranscriptionResponseJson, -VerboseJson, -DiarizedJson",
    on=answered(TRANSCRIBE, shows=asks(*JSON)),
    fields=("response_format",),
)
def answers_follow_the_schema(exchange: Exchange) -> None:
    """`json` has `text`; `verbose_json` also `language`, `duration` and its segments; `diarized_json` its speakers."""
    for violation in _violations(exchange):
        if not OF_THE_MODEL.fullmatch(_place(violation)) and not violation.pointer.startswith("/usage"):
            expect(False, expected=violation.expected, got=violation.got, at=violation.pointer)


@clause(
    "transcriptions.segment-details",
    level="SHOULD",
    source="SPEC TranscriptionSegment",
    on=answered(*BOTH, shows=asks("verbose_json")),
)
def segments_tell_of_the_model(exchange: Exchange) -> None:
    """A segment has what the model thought of it too: `seek`, `tokens`, `avg_logprob`, `no_speech_prob`, ...

    A log probability is 0 or less, a probability from 0 to 1, a ratio of lengths not negative.
    """
    if not as_objects(body_of(exchange).get("segments")):
        raise NotApplicable("there are no segments")
    for violation in _violations(exchange):
        if OF_THE_MODEL.fullmatch(_place(violation)):
            expect(False, expected=violation.expected, got=violation.got, at=violation.pointer)
    for number, segment in enumerate(as_objects(body_of(exchange)["segments"])):
        for name, (least, most) in BOUNDS.items():
            value = as_number(segment.get(name))
            fits = value is None or least <= value <= most
            expect(fits, expected=f"{least} to {most}", got=value, at=f"/segments/{number}/{name}")


def _violations(exchange: Exchange) -> list[Violation]:
    name = SCHEMAS[format_asked(exchange)] if exchange.operation == TRANSCRIBE else "TranslationVerbose"
    return list(load_spec().schema(name).breaches(said(exchange.json)))


def _place(violation: Violation) -> str:
    missing = re.fullmatch(r"a key '(.+)'", violation.expected) if violation.keyword == "required" else None
    return f"{violation.pointer}/{missing[1]}" if missing else violation.pointer


@clause(
    "transcriptions.media-type",
    level="MUST",
    source="SPEC AudioResponseFormat: json, text, srt, verbose_json, vtt; SDK transcriptions.create returns str",
    on=answered(*BOTH, shows=plain),
    fields=("response_format",),
)
def type_follows_the_format(exchange: Exchange) -> None:
    """The JSON formats are `application/json`; text, SRT and VTT are text of some kind, never JSON.

    The official SDK decides by the type whether to parse.
    """
    given = exchange.media_type
    is_json = format_asked(exchange) in JSON
    fits = given == "application/json" if is_json else given.startswith("text/") or given in OTHER_TEXT
    wanted = "application/json" if is_json else "text/plain"
    expect(fits, expected=f"content-type {wanted}", got=exchange.header("content-type") or "no content-type")


@clause(
    "transcriptions.text",
    level="MUST",
    source="SPEC AudioResponseFormat: text",
    on=answered(*BOTH, shows=asks("text")),
    fields=("response_format",),
)
def text_is_text(exchange: Exchange) -> None:
    """`response_format: text` brings the words as they are: no JSON document, and no quotes around them."""
    text = exchange.text.strip()
    is_quoted = len(text) > 1 and text[0] == text[-1] == '"' and text.count('"') == 2 and "\n" not in text
    is_json = re.match(r'\{\s*"', text) is not None
    expect(not (is_json or is_quoted), expected="the words alone", got=shown(text))


@clause(
    "transcriptions.srt",
    level="MUST",
    source="SPEC AudioResponseFormat: srt",
    on=answered(*BOTH, shows=asks("srt")),
    fields=("response_format",),
)
def srt_is_srt(exchange: Exchange) -> None:
    """SRT numbers its captions from 1 and writes times as `00:00:01,500 --> 00:00:02,000`, in order."""
    try:
        captions = srt_in(exchange.text)
    except Malformed as flaw:
        expect(False, expected="SRT", got=str(flaw))
    else:
        expect_times([caption._asdict() for caption in captions], exchange, "", by="caption")


@clause(
    "transcriptions.vtt",
    level="MUST",
    source="SPEC AudioResponseFormat: vtt",
    on=answered(*BOTH, shows=asks("vtt")),
    fields=("response_format",),
)
def vtt_is_vtt(exchange: Exchange) -> None:
    """VTT begins with `WEBVTT` and writes times as `00:00:01.500 --> 00:00:02.000`, in order."""
    try:
        captions = vtt_in(exchange.text)
    except Malformed as flaw:
        expect(False, expected="WebVTT", got=str(flaw))
    else:
        expect_times([caption._asdict() for caption in captions], exchange, "", by="caption")


# --------------------------------------------------------------------------------------------------- times


@clause(
    "transcriptions.duration", level="MUST", source="SPEC CreateTranscriptionResponseVerboseJson.duration", on=SEGMENTED
)
def duration_is_that_of_the_recording(exchange: Exchange) -> None:
    """`duration` is the length of the recording in seconds."""
    told, real = as_number(body_of(exchange).get("duration")), real_s(exchange)
    if told is None:
        raise NotApplicable("no duration is told as a number: transcriptions.schema judges that")
    expect(abs(told - real) <= slack_s(real), expected=f"{real:.2f} s", got=told, at="/duration")


@clause(
    "transcriptions.segments",
    level="MUST",
    source="SPEC timestamp_granularities (default segment), CreateTranscriptionResponseVerboseJson.segments",
    on=answered(TRANSCRIBE, shows=lambda e: asks("verbose_json")(e) and "segment" in (granularities(e) or ["segment"])),
)
def verbose_answers_have_segments(exchange: Exchange) -> None:
    """`verbose_json` has `segments`, unless only words were asked for; none where nothing is said."""
    body = body_of(exchange)
    segments = body.get("segments")
    expect(isinstance(segments, list), expected="a list of segments", got=shown(sorted(body)), at="/segments")
    if as_text(body.get("text")).strip():
        expect(bool(segments), expected="a segment for the words", got=segments, at="/segments")


@clause(
    "transcriptions.segment-times", level="MUST", source="SPEC TranscriptionSegment.start, end (seconds)", on=SEGMENTED
)
def segments_lie_within_the_recording(exchange: Exchange) -> None:
    """Segments follow each other, end after they start, and lie within the recording: their times are seconds."""
    expect_times(as_objects(body_of(exchange).get("segments")), exchange, "/segments", by="segment")


@clause(
    "transcriptions.segment-ids", level="MUST", source="SPEC TranscriptionSegment.id: unique identifier", on=SEGMENTS
)
def segments_have_ids_of_their_own(exchange: Exchange) -> None:
    """No two segments of an answer share an `id`; numbers rise."""
    ids = [segment.get("id") for segment in as_objects(body_of(exchange).get("segments")) if "id" in segment]
    for number, (one, other) in enumerate(pairwise(ids), 1):
        held = other > one if isinstance(one, int) and isinstance(other, int) else other != one
        expect(held and ids.count(other) == 1, expected="another id", got=shown(ids), at=f"/segments/{number}/id")


@clause(
    "transcriptions.speakers",
    level="MUST",
    source="SPEC TranscriptionDiarizedSegment.speaker, TranscriptTextSegmentEvent.speaker",
    on=answered(TRANSCRIBE, shows=lambda e: format_asked(e) == "diarized_json"),
    fields=("response_format",),
)
def each_segment_has_its_speaker(exchange: Exchange) -> None:
    """`diarized_json` tells of all that was said who said it: in segments, each with a speaker, streamed or not."""
    body = body_of(exchange)
    segments = as_objects(body.get("segments"))
    if not as_text(body.get("text")).strip():
        raise NotApplicable("nothing was said")
    expect(bool(segments), expected="segments with their speakers", got=shown(sorted(body)), at="/segments")
    for number, segment in enumerate(segments):
        speaker = segment.get("speaker")
        held = isinstance(speaker, str) and bool(speaker.strip())
        expect(held, expected="a speaker", got=shown(speaker), at=f"/segments/{number}/speaker")


@clause("transcriptions.segment-text", level="SHOULD", source="SPEC TranscriptionSegment.text", on=SEGMENTS)
def segments_make_the_text(exchange: Exchange) -> None:
    """The texts of the segments, joined, are the text: but for blanks."""
    expect_joined(body_of(exchange), "segments", "segments")


@clause(
    "transcriptions.words",
    level="SHOULD",
    source="SPEC timestamp_granularities, CreateTranscriptionResponseVerboseJson.words",
    on=answered(TRANSCRIBE, shows=lambda e: asks("verbose_json")(e) and "word" in granularities(e)),
    fields=("timestamp_granularities",),
)
def words_come_where_they_are_asked_for(exchange: Exchange) -> None:
    """`timestamp_granularities: word` brings `words` with their times, as many as the text has."""
    body = body_of(exchange)
    expect(isinstance(body.get("words"), list), expected="a list of words", got=shown(sorted(body)), at="/words")
    if as_text(body.get("text")).strip():
        expect(bool(body["words"]), expected="the words of the text", got=body["words"], at="/words")


@clause("transcriptions.word-times", level="MUST", source="SPEC TranscriptionWord.start, end (seconds)", on=VERBOSE)
def words_lie_within_the_recording(exchange: Exchange) -> None:
    """Words follow each other, end no earlier than they start, and lie within the recording."""
    words = as_objects(body_of(exchange).get("words"))
    if not words:
        raise NotApplicable("there are no words")
    expect_times(words, exchange, "/words", by="word")


# --------------------------------------------------------------------------------------------------- usage


@clause(
    "transcriptions.usage",
    level="MUST",
    source="SPEC TranscriptTextUsageTokens, TranscriptTextUsageDuration",
    on=answered(TRANSCRIBE, shows=asks(*JSON)),
)
def usage_adds_up(exchange: Exchange) -> None:
    """Usage is of one of two types: tokens, which add up, or seconds, which are those of the recording."""
    given = body_of(exchange).get("usage")
    expect(given is None or isinstance(given, dict), expected="an object", got=shown(given), at="/usage")
    usage = as_object(given)
    if usage.get("type") not in USAGE:
        raise NotApplicable("no usage of a known type is told")
    for violation in load_spec().schema(USAGE[usage["type"]]).breaches(said(usage)):
        expect(False, expected=violation.expected, got=violation.got, at=f"/usage{violation.pointer}")
    if usage["type"] == "tokens":
        expect_sum(usage, "total_tokens", ("input_tokens", "output_tokens"), "/usage")
        expect_details(usage, "input_tokens", "input_token_details", "/usage")
        return
    seconds, real = as_number(usage.get("seconds")), real_s(exchange)
    # A second that has begun is billed.
    fits = seconds is not None and real - slack_s(real) <= seconds <= ceil(real) + slack_s(real)
    expect(fits, expected=f"{real:.2f} s, rounded up at most", got=seconds, at="/usage/seconds")
