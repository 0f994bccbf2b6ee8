"""Translations: what was said in any language, in English. Formats are judged with those of transcriptions."""

from __future__ import annotations

import re

from wireproof.clause import (
    TRANSCRIPTION_MODEL,
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
)

from ._media import is_refused, plain, said
from ._reading import as_number, as_objects
from ._samples import wav
from ._shape import expect_schema
from ._transcripts import TRANSLATE, asks, body_of, expect_joined, expect_times, format_asked, real_s, slack_s

WHISPER = "whisper-1"
ENGLISH = ("english", "en", "en-us", "en-gb")
SCHEMAS = {"json": "Translation", "verbose_json": "TranslationVerbose"}
# As of transcripts: what the model thought of its segments.
OF_THE_MODEL = re.compile(r"/segments/\d+/(seek|tokens|temperature|avg_logprob|compression_ratio|no_speech_prob)\b.*")


def _translate(model: str) -> Call:
    file = File("hum.wav", wav(), "audio/wav")
    return form("/audio/translations", [("model", model), ("response_format", "verbose_json"), ("file", file)])


@flow(
    "translations.verbose",
    most=2,
    about="a recording in English, with times",
    needs=TRANSCRIPTION_MODEL,
    expects="either",
)
def in_english() -> Flow:
    exchange = yield _translate(TRANSCRIPTION_MODEL)
    if is_refused(exchange):
        yield _translate(WHISPER)


VERBOSE = answered(TRANSLATE, shows=asks("verbose_json"))


@clause(
    "translations.schema",
    level="MUST",
    source="SPEC CreateTranslationResponseJson, CreateTranslationResponseVerboseJson",
    on=answered(TRANSLATE, shows=lambda e: plain(e) and format_asked(e) in SCHEMAS),
    fields=("response_format",),
)
def answers_follow_the_schema(exchange: Exchange) -> None:
    """`json` has `text`; `verbose_json` also `language`, `duration` and, where it has segments, their times."""
    expect_schema(load_spec().schema(SCHEMAS[format_asked(exchange)]), said(exchange.json), OF_THE_MODEL)


@clause(
    "translations.language",
    level="SHOULD",
    source="SPEC CreateTranslationResponseVerboseJson.language: always english",
    on=VERBOSE,
)
def translations_are_in_english(exchange: Exchange) -> None:
    """`language` is that of the words in the answer, English: not of what was spoken."""
    language = body_of(exchange).get("language")
    if not isinstance(language, str):
        raise NotApplicable("no language is told: translations.schema judges that")
    expect(language.lower() in ENGLISH, expected="english", got=language, at="/language")


@clause("translations.duration", level="MUST", source="SPEC CreateTranslationResponseVerboseJson.duration", on=VERBOSE)
def duration_is_that_of_the_recording(exchange: Exchange) -> None:
    """`duration` is the length of the recording in seconds."""
    told, real = as_number(body_of(exchange).get("duration")), real_s(exchange)
    if told is None:
        raise NotApplicable("no duration is told as a number: translations.schema judges that")
    expect(abs(told - real) <= slack_s(real), expected=f"{real:.2f} s", got=told, at="/duration")


@clause("translations.segments", level="MUST", source="SPEC TranscriptionSegment.start, end (seconds)", on=VERBOSE)
def segments_lie_within_the_recording(exchange: Exchange) -> None:
    """Segments, where there are any, follow each other and lie within the recording."""
    segments = as_objects(body_of(exchange).get("segments"))
    if not segments:
        raise NotApplicable("there are no segments")
    expect_times(segments, exchange, "/segments", by="segment")


@clause("translations.segment-text", level="SHOULD", source="SPEC TranscriptionSegment.text", on=VERBOSE)
def segments_make_the_text(exchange: Exchange) -> None:
    """The texts of the segments, joined, are the text: but for blanks."""
    expect_joined(body_of(exchange), "segments", "segments")
