"""Requests for transcripts and translations that are wrong: what is missing, and what is no recording."""

from __future__ import annotations

from collections.abc import Sequence

from wireproof.clause import TRANSCRIPTION_MODEL, Call, Exchange, File, answered, clause, form, probe, sent, sequence

from ._forms import file_of, has
from ._media import expect_each_refused, expect_named
from ._samples import wav
from ._sounds import NoSound, sound_in
from ._transcripts import TRANSCRIBE, TRANSLATE, format_asked, granularities

BOTH = (TRANSCRIBE, TRANSLATE)
WORDS = b"This is a letter, and no recording of one.\n" * 40


def _wrong(id: str, about: str, *fields: tuple[str, str | File]) -> object:
    call: Call = form("/audio/transcriptions", [("model", TRANSCRIPTION_MODEL), *fields])
    return probe(id, "POST", call.path, call.body, about=about, expects="refusal", needs=TRANSCRIPTION_MODEL,
                 headers=call.headers)  # fmt: skip


PROBES = (
    _wrong("transcriptions.fileless", "no file"),
    _wrong("transcriptions.no-sound", "a file that is no recording", ("file", File("letter.wav", WORDS, "audio/wav"))),
    _wrong(
        "transcriptions.granular-json",
        "times asked for in a format without any",
        ("response_format", "json"),
        ("timestamp_granularities[]", "word"),
        ("file", File("hum.wav", wav(), "audio/wav")),
    ),
)


def missing(exchange: Exchange) -> list[str]:
    return [name for name in ("file", "model") if not has(exchange, name)]


def is_silent_file(exchange: Exchange) -> bool:
    """Whether the file is text: of other bytes we may know less than the server."""
    data = file_of(exchange, "file")
    if data is None or not data.isascii():
        return False
    try:
        sound_in(data)
    except NoSound:
        return True
    return False


def is_granular_without_times(exchange: Exchange) -> bool:
    return bool(granularities(exchange)) and format_asked(exchange) in ("json", "text")


@clause(
    "transcriptions.refuses",
    level="MUST",
    source="SPEC CreateTranscriptionRequest: file, model (required); ERR-LATE 400",
    on=sequence(sent(*BOTH)),
)
def incomplete_requests_are_refused(exchanges: Sequence[Exchange]) -> None:
    """A request without its file or its model is refused with a 4xx."""
    expect_each_refused(exchanges, missing, lambda e: f"{' and '.join(missing(e))} is missing")


@clause(
    "transcriptions.no-sound",
    level="MUST",
    source="SPEC CreateTranscriptionRequest.file: the audio file; ERR-LATE 400, 500",
    on=sequence(sent(*BOTH)),
)
def what_is_no_recording_is_refused(exchanges: Sequence[Exchange]) -> None:
    """A file that is no recording is refused with a 4xx: it is the client's mistake, and no retry mends it."""
    expect_each_refused(exchanges, is_silent_file, lambda e: "the file is text, not a recording")


@clause(
    "transcriptions.granularities",
    level="MAY",
    source="SPEC timestamp_granularities: response_format must be verbose_json",
    on=sequence(sent(TRANSCRIBE)),
)
def times_need_a_format_that_has_them(exchanges: Sequence[Exchange]) -> None:
    """`timestamp_granularities` with a format that has no times is refused with a 4xx, not ignored."""
    expect_each_refused(exchanges, is_granular_without_times, lambda e: f"{format_asked(e)} has no times")


@clause(
    "transcriptions.param",
    level="SHOULD",
    source="SPEC Error.param; ERR-LATE 400",
    on=answered(*BOTH, status="400", shows=lambda e: bool(missing(e))),
)
def refusals_name_the_field(exchange: Exchange) -> None:
    """The refusal of an incomplete request names what is missing in `param`."""
    expect_named(exchange, missing(exchange))
