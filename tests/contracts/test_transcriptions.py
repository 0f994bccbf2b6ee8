"""Clauses of transcripts: the answer that keeps each, the nearest that breaks it, and legal ones that are unusual."""

from __future__ import annotations

from collections.abc import Callable
from types import ModuleType
from typing import Any

import pytest
from made import clauses_of, outcome_of, verdict_of
from made_media import formed, status

from wireproof.clause import Call, Exchange, File
from wireproof.standin.media.sounds import speech

WORDS = "A boat. It came late."
SOUND = speech(WORDS, "alloy", "wav")
LASTS = 2.1
TEXT = (("content-type", "text/plain; charset=utf-8"),)
JSON = (("content-type", "application/json"),)


def segment(id: Any, start: float, end: float, text: str) -> dict[str, Any]:
    return {"id": id, "seek": 0, "start": start, "end": end, "text": text, "tokens": [1], "temperature": 0.0,
            "avg_logprob": -0.2, "compression_ratio": 0.9, "no_speech_prob": 0.01}  # fmt: skip


SEGMENTS = [segment(0, 0.0, 0.9, "A boat."), segment(1, 0.9, LASTS, " It came late.")]
ALL = [{"word": "A", "start": 0.0, "end": 0.3}, {"word": "boat", "start": 0.3, "end": 0.9},
       {"word": "It", "start": 0.9, "end": 1.2}, {"word": "came", "start": 1.2, "end": 1.2},
       {"word": "late", "start": 1.2, "end": LASTS}]  # fmt: skip
VERBOSE: dict[str, Any] = {
    "task": "transcribe",
    "language": "english",
    "duration": LASTS,
    "text": WORDS,
    "segments": SEGMENTS,
    "words": ALL,
    "usage": {"type": "duration", "seconds": 3},
}
TOKENS = {"type": "tokens", "input_tokens": 21, "output_tokens": 7, "total_tokens": 28,
          "input_token_details": {"text_tokens": 0, "audio_tokens": 21}}  # fmt: skip
TURNS = [{"type": "transcript.text.segment", "speaker": "A", **{k: one[k] for k in ("start", "end", "text")},
          "id": f"seg_{one['id']}"} for one in SEGMENTS]  # fmt: skip
DIARIZED = {"task": "transcribe", "duration": LASTS, "text": WORDS, "segments": TURNS, "usage": TOKENS}
SRT = "1\n00:00:00,000 --> 00:00:00,900\nA boat.\n\n2\n00:00:00,900 --> 00:00:02,100\nIt came late.\n\n"
VTT = "WEBVTT\n\n00:00:00.000 --> 00:00:00.900\nA boat.\n\n00:00:00.900 --> 00:00:02.100\nIt came late.\n\n"


@pytest.fixture(scope="module")
def said(contract: Callable[[str], ModuleType]) -> ModuleType:
    return contract("transcriptions")


def heard(
    body: Any,
    format: str | None = "verbose_json",
    type: Any = None,
    words: bool = True,
    data: bytes = SOUND,
    **more: Any,
) -> Exchange:
    """An answer to one upload; text is typed as such."""
    fields: list[tuple[str, str | File]] = [("model", "whisper-1"), ("file", File("a.wav", data, "audio/wav"))]
    if format:
        fields.append(("response_format", format))
    if words and format == "verbose_json":
        fields += [("timestamp_granularities[]", name) for name in ("word", "segment")]
    is_text = isinstance(body, str)
    headers = type or (TEXT if is_text else JSON)
    operation = more.pop("operation", "createTranscription")
    return formed(body.encode() if is_text else body, fields, operation=operation, headers=headers, **more)


def verbose(**fields: Any) -> Exchange:
    return heard({**VERBOSE, **fields})


def lacking(body: dict[str, Any], *names: str) -> dict[str, Any]:
    return {name: value for name, value in body.items() if name not in names}


def times(factor: float) -> list[dict[str, Any]]:
    return [one | {"start": one["start"] * factor, "end": one["end"] * factor} for one in SEGMENTS]


KEPT = {
    "": verbose(),
    "text_is_text": heard(f"{WORDS}\n", "text"),
    "srt_is_srt": heard(SRT, "srt"),
    "vtt_is_vtt": heard(VTT, "vtt"),
    "each_segment_has_its_speaker": heard(DIARIZED, "diarized_json"),
}
BROKEN: dict[str, tuple[str, Exchange]] = {
    "the text alone": ("answers_follow_the_schema", heard({"text": WORDS})),
    "no text": ("answers_follow_the_schema", heard({"transcript": WORDS}, "json")),
    "no speakers": ("answers_follow_the_schema", heard(VERBOSE, "diarized_json")),
    "segments without ids": ("answers_follow_the_schema", verbose(segments=[lacking(one, "id") for one in SEGMENTS])),
    "a speaker without a name": (
        "each_segment_has_its_speaker",
        heard({**DIARIZED, "segments": [TURNS[0] | {"speaker": ""}]}, "diarized_json"),
    ),
    "nobody speaks": ("each_segment_has_its_speaker", heard({**DIARIZED, "segments": []}, "diarized_json")),
    "usage that is text": ("usage_adds_up", verbose(usage="3 s")),
    "a duration that is text": ("answers_follow_the_schema", verbose(duration="2.1")),
    "a probability above 1": (
        "segments_tell_of_the_model",
        verbose(segments=[SEGMENTS[0] | {"no_speech_prob": 40.0}]),
    ),
    "a logarithm above 0": ("segments_tell_of_the_model", verbose(segments=[SEGMENTS[0] | {"avg_logprob": 0.2}])),
    "words that take no time": (
        "words_lie_within_the_recording",
        verbose(words=[one | {"start": 0.0, "end": 0.0} for one in ALL]),
    ),
    "words that all begin together": (
        "words_lie_within_the_recording",
        verbose(words=[one | {"start": 0.0} for one in ALL]),
    ),
    "segments without seek": ("segments_tell_of_the_model", verbose(segments=[lacking(SEGMENTS[0], "seek")])),
    "text typed as JSON": ("type_follows_the_format", heard(WORDS, "text", JSON)),
    "JSON typed as text": ("type_follows_the_format", heard(VERBOSE, type=TEXT)),
    "JSON for SRT": ("type_follows_the_format", heard({"text": WORDS}, "srt")),
    "a JSON string": ("text_is_text", heard(f'"{WORDS}"', "text")),
    "a JSON document": ("text_is_text", heard('{"text": "A boat."}', "text")),
    "SRT with dots": ("srt_is_srt", heard(SRT.replace(",", "."), "srt")),
    "the text for SRT": ("srt_is_srt", heard(WORDS, "srt")),
    "SRT that goes back": (
        "srt_is_srt",
        heard(SRT.replace("2\n00:00:00,900 --> 00:00:02,100", "2\n00:00:00,900 --> 00:00:00,100"), "srt"),
    ),
    "SRT of another recording": ("srt_is_srt", heard(SRT.replace("00:00:02,100", "00:35:00,000"), "srt")),
    "VTT without a head": ("vtt_is_vtt", heard(VTT[8:], "vtt")),
    "SRT for VTT": ("vtt_is_vtt", heard(SRT, "vtt")),
    "milliseconds": ("duration_is_that_of_the_recording", verbose(duration=2100)),
    "the window of Whisper": ("duration_is_that_of_the_recording", verbose(duration=30.0)),
    "no segments": ("verbose_answers_have_segments", heard(lacking(VERBOSE, "segments"))),
    "none for the words": ("verbose_answers_have_segments", verbose(segments=[])),
    "none where nothing was said of it": (
        "verbose_answers_have_segments",
        heard(lacking(VERBOSE, "segments"), words=False),
    ),
    "segments in milliseconds": ("segments_lie_within_the_recording", verbose(segments=times(1000))),
    "segments in minutes past the end": ("segments_lie_within_the_recording", verbose(segments=times(60))),
    "an end before its start": ("segments_lie_within_the_recording", verbose(segments=[segment(0, 1.0, 0.5, WORDS)])),
    "segments that go back": ("segments_lie_within_the_recording", verbose(segments=SEGMENTS[::-1])),
    "the same id": ("segments_have_ids_of_their_own", verbose(segments=[one | {"id": 0} for one in SEGMENTS])),
    "ids that fall": (
        "segments_have_ids_of_their_own",
        verbose(segments=[one | {"id": -one["id"]} for one in SEGMENTS]),
    ),
    "a segment lost": ("segments_make_the_text", verbose(segments=SEGMENTS[:1])),
    "no words": ("words_come_where_they_are_asked_for", heard(lacking(VERBOSE, "words"))),
    "no word": ("words_come_where_they_are_asked_for", verbose(words=[])),
    "words that go back": ("words_lie_within_the_recording", verbose(words=ALL[::-1])),
    "words in milliseconds": (
        "words_lie_within_the_recording",
        verbose(words=[{"word": "A", "start": 0, "end": 300_000}]),
    ),
    "tokens that do not add up": (
        "usage_adds_up",
        heard({"text": WORDS, "usage": {**TOKENS, "total_tokens": 21}}, "json"),
    ),
    "details that do not": (
        "usage_adds_up",
        heard(
            {"text": WORDS, "usage": {**TOKENS, "input_token_details": {"text_tokens": 9, "audio_tokens": 21}}}, "json"
        ),
    ),
    "tokens that are not counted": ("usage_adds_up", heard({"text": WORDS, "usage": {"type": "tokens"}}, "json")),
    "milliseconds billed": ("usage_adds_up", verbose(usage={"type": "duration", "seconds": 2100})),
}


def test_every_clause_has_a_pair(said: ModuleType) -> None:
    assert {one.__name__ for one in clauses_of(said)} == {clause for clause, _ in BROKEN.values()}


@pytest.mark.parametrize("case", BROKEN)
def test_a_clause_tells_the_kept_answer_from_the_broken_one(said: ModuleType, case: str) -> None:
    clause, broken = BROKEN[case]
    assert outcome_of(getattr(said, clause), KEPT.get(clause, KEPT[""])) == "pass"
    assert outcome_of(getattr(said, clause), broken) == "fail"


SILENT = {"task": "transcribe", "language": "en", "duration": LASTS, "text": "", "segments": [], "words": []}
LEGAL: dict[str, Exchange] = {
    "plain": heard({"text": WORDS}, "json"),
    "in no format by name": heard({"text": WORDS}, None),
    "with tokens": heard({"text": WORDS, "usage": TOKENS, "logprobs": []}, "json"),
    "who says what": heard(DIARIZED, "diarized_json"),
    "nothing heard": heard(SILENT),
    "nothing heard, as text": heard("", "text"),
    "nothing heard, as SRT": heard("", "srt"),
    "nothing heard, as VTT": heard("WEBVTT\n\n", "vtt"),
    "no words unasked": heard(lacking(VERBOSE, "words"), words=False),
    "no usage": heard(lacking(VERBOSE, "usage")),
    "usage of an unknown type": verbose(usage={"type": "credits", "credits": 1}),
    "null for what is absent": heard({**VERBOSE, "words": None, "usage": None, "languages": None}, words=False),
    "usage in whole seconds and parts": verbose(usage={"type": "duration", "seconds": 2.1}),
    "a short code for the language": verbose(language="en"),
    "a segment that fills the window of Whisper": verbose(segments=[segment(0, 0.0, 29.98, WORDS)]),
    "a duration that was rounded": verbose(duration=2.0),
    "blanks before every word": verbose(text=" A boat. It came late. "),
    "more keys": verbose(x_groq={"id": "req_1"}, segments=[one | {"words": None} for one in SEGMENTS]),
    "ids from 1": verbose(segments=[one | {"id": one["id"] + 1} for one in SEGMENTS]),
    "captions typed as what they are": heard(VTT, "vtt", (("content-type", "text/vtt; charset=utf-8"),)),
    "subtitles typed as what they are": heard(SRT, "srt", (("content-type", "application/x-subrip"),)),
    "text typed as HTML": heard(WORDS, "text", (("content-type", "text/html; charset=utf-8"),)),
    "a quotation": heard('"A boat." He said: "Late."', "text"),
    "another container": heard(VERBOSE, data=b"\x1a\x45\xdf\xa3" + bytes(40)),
    "not served": heard({"error": {"message": "no"}}, status=404),
    "refused": heard({"error": {"message": "response_format 'verbose_json' is not compatible"}}, status=400),
}


@pytest.mark.parametrize("case", LEGAL)
def test_a_legal_answer_raises_no_finding(said: ModuleType, case: str) -> None:
    found = {one.__name__: verdict_of(one, LEGAL[case]).findings for one in clauses_of(said)}
    assert {name: findings for name, findings in found.items() if findings} == {}


def test_a_server_of_the_first_formats_alone_falls_short_of_should_at_most(said: ModuleType) -> None:
    """Whisper servers know json, text and verbose_json, and ignore granularities."""
    bare = [lacking(one, "seek", "tokens", "compression_ratio") for one in SEGMENTS]
    exchange = heard({**lacking(VERBOSE, "words", "usage"), "segments": bare})
    failing = {one.clause.level for one in clauses_of(said) if outcome_of(one, exchange) == "fail"}
    assert failing == {"SHOULD"}


@pytest.mark.parametrize(
    "body", [[], 5, None, {"text": 5, "segments": [3, {"start": "x"}], "words": {}, "usage": 3}], ids=str
)
def test_no_clause_stumbles_over_a_malformed_answer(said: ModuleType, body: Any) -> None:
    for format in ("json", "text", "srt", "verbose_json", "vtt", "diarized_json"):
        for clause in clauses_of(said):
            assert "the clause itself failed" not in verdict_of(clause, heard(body, format)).reason


def walked(run: Any, *codes: int) -> list[Call]:
    calls, going = [], run.run()
    call = next(going)
    for code in codes:
        calls.append(call)
        try:
            call = going.send(status(verbose(), code))
        except StopIteration:
            break
    return calls


def test_the_flow_asks_whisper_where_the_model_has_no_times(said: ModuleType) -> None:
    assert len(walked(said.words_with_their_times, 200, 200, 200)) == 3
    assert len(walked(said.words_with_their_times, 400, 200, 200, 200)) == 4
    asked = walked(said.words_with_their_times, 400, 404)
    assert [b"whisper-1" in call.body for call in asked] == [False, True]
    assert len(walked(said.words_with_their_times, 500)) == 1
