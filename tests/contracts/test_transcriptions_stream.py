"""Clauses of streamed transcripts: the stream that keeps each, and the nearest one that breaks it."""

from __future__ import annotations

from collections.abc import Callable
from types import ModuleType
from typing import Any

import pytest
from made import clauses_of, outcome_of, verdict_of
from made_media import SSE, events, formed

from wireproof.clause import Exchange, File
from wireproof.standin.media.sounds import speech

SOUND = speech("A boat. It came late.", "alloy", "wav")
DELTAS = [{"type": "transcript.text.delta", "delta": text} for text in ("A boat.", " It came", " late.")]
TURN: dict[str, Any] = {"type": "transcript.text.segment", "id": "seg_0", "start": 0.0, "end": 2.1, "text": "A boat.",
                        "speaker": "A"}  # fmt: skip
USAGE = {"type": "tokens", "input_tokens": 21, "output_tokens": 7, "total_tokens": 28}
DONE: dict[str, Any] = {"type": "transcript.text.done", "text": "A boat. It came late.", "usage": USAGE}


@pytest.fixture(scope="module")
def said(contract: Callable[[str], ModuleType]) -> ModuleType:
    return contract("transcriptions_stream")


def streamed(*bodies: Any, headers: Any = SSE, **more: Any) -> Exchange:
    fields: list[tuple[str, str | File]] = [
        ("model", "m"),
        ("stream", "true"),
        ("file", File("a.wav", SOUND, "audio/wav")),
    ]
    return formed(events(*bodies), fields, operation="createTranscription", headers=headers, **more)


KEPT = streamed(*DELTAS, TURN, DONE)
BROKEN: dict[str, tuple[str, Exchange]] = {
    "no text at the end": ("events_follow_the_schema", streamed(*DELTAS, {"type": "transcript.text.done"})),
    "text for delta": ("events_follow_the_schema", streamed({"type": "transcript.text.delta", "text": "A"}, DONE)),
    "no JSON": ("events_follow_the_schema", streamed("A boat.", DONE)),
    "no type": ("events_follow_the_schema", streamed({"delta": "A"}, DONE)),
    "typed as JSON": (
        "a_stream_is_typed_as_one",
        streamed(*DELTAS, DONE, headers=(("content-type", "application/json"),)),
    ),
    "no end": ("a_stream_says_that_it_is_done", streamed(*DELTAS)),
    "two ends": ("a_stream_says_that_it_is_done", streamed(*DELTAS, DONE, DONE)),
    "an end before the end": ("a_stream_says_that_it_is_done", streamed(DONE, *DELTAS)),
    "a delta lost": ("deltas_make_the_text", streamed(*DELTAS[1:], DONE)),
    "a delta twice": ("deltas_make_the_text", streamed(*DELTAS, DELTAS[-1], DONE)),
    "no deltas": ("deltas_make_the_text", streamed(DONE)),
    "milliseconds": ("segments_lie_within_the_recording", streamed(*DELTAS, TURN | {"end": 2100.0}, DONE)),
    "a total that is off": ("usage_adds_up", streamed(*DELTAS, {**DONE, "usage": {**USAGE, "total_tokens": 21}})),
}


def test_every_clause_has_a_pair(said: ModuleType) -> None:
    assert {one.__name__ for one in clauses_of(said)} == {clause for clause, _ in BROKEN.values()}


@pytest.mark.parametrize("case", BROKEN)
def test_a_clause_tells_the_kept_stream_from_the_broken_one(said: ModuleType, case: str) -> None:
    clause, broken = BROKEN[case]
    assert outcome_of(getattr(said, clause), KEPT) == "pass"
    assert outcome_of(getattr(said, clause), broken) == "fail"


LEGAL = {
    "no usage": streamed(*DELTAS, {"type": "transcript.text.done", "text": DONE["text"]}),
    "an end mark": streamed(*DELTAS, DONE, "[DONE]"),
    "nothing heard": streamed({"type": "transcript.text.done", "text": ""}),
    "a blank at the beginning": streamed({"type": "transcript.text.delta", "delta": " "}, *DELTAS, DONE),
    "other events": streamed({"type": "transcript.started"}, *DELTAS, DONE),
    "null usage": streamed(*DELTAS, {**DONE, "usage": None, "logprobs": None}),
    "an error in its place": streamed(DELTAS[0], {"error": {"message": "busy", "type": "server_error"}}),
    "one document": formed(
        {"text": "A boat."}, [("model", "whisper-1"), ("stream", "true")], operation="createTranscription"
    ),
}


@pytest.mark.parametrize("case", LEGAL)
def test_a_legal_stream_raises_no_finding(said: ModuleType, case: str) -> None:
    found = {one.__name__: verdict_of(one, LEGAL[case]).findings for one in clauses_of(said)}
    assert {name: findings for name, findings in found.items() if findings} == {}


@pytest.mark.parametrize(
    "body", [[], 5, {"type": 7}, {"type": "transcript.text.done", "text": 3}, {"error": "x"}], ids=str
)
def test_no_clause_stumbles_over_a_malformed_event(said: ModuleType, body: Any) -> None:
    for clause in clauses_of(said):
        assert "the clause itself failed" not in verdict_of(clause, streamed(body, DONE)).reason


def test_a_model_that_ignores_stream_leaves_it_to_another(said: ModuleType) -> None:
    for first, wanted in ((KEPT, b'"stream"'), (LEGAL["one document"], b"gpt-4o-transcribe-diarize")):
        going = said.words_as_they_are_heard.run()
        next(going)
        assert (wanted in going.send(first).body) is (first is not KEPT)
