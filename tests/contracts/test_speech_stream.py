"""Clauses of speech as events: the stream that keeps each, and the nearest one that breaks it."""

from __future__ import annotations

import base64
from collections.abc import Callable
from types import ModuleType
from typing import Any

import pytest
from made import answer, clauses_of, outcome_of, verdict_of
from made_media import SSE, events

from wireproof.clause import Exchange
from wireproof.standin.media.sounds import speech

ASKED = {"model": "gpt-4o-mini-tts", "input": "A boat.", "voice": "alloy", "stream_format": "sse"}
SOUND = speech("A boat.", "alloy", "mp3")
USAGE = {"input_tokens": 3, "output_tokens": 20, "total_tokens": 23}


def delta(data: bytes) -> dict[str, Any]:
    return {"type": "speech.audio.delta", "audio": base64.b64encode(data).decode()}


DONE: dict[str, Any] = {"type": "speech.audio.done", "usage": USAGE}
PIECES = [delta(SOUND[at : at + 1_000]) for at in range(0, len(SOUND), 1_000)]


@pytest.fixture(scope="module")
def said(contract: Callable[[str], ModuleType]) -> ModuleType:
    return contract("speech_stream")


def streamed(*bodies: Any, **asked: Any) -> Exchange:
    return answer(
        events(*bodies), asked={**ASKED, **asked}, operation="createSpeech", path="/audio/speech", headers=SSE
    )


KEPT = streamed(*PIECES, DONE)
PLAIN = answer(SOUND, asked=ASKED, operation="createSpeech", headers=(("content-type", "audio/mpeg"),))
BROKEN: dict[str, tuple[str, Exchange]] = {
    "a plain sound": ("events_come_where_they_are_asked_for", PLAIN),
    "no usage": ("events_follow_the_schema", streamed(*PIECES, {"type": "speech.audio.done"})),
    "the sound under another name": (
        "events_follow_the_schema",
        streamed({"type": "speech.audio.delta", "delta": "AA=="}, DONE),
    ),
    "no JSON": ("events_follow_the_schema", streamed("AA==", DONE)),
    "no type": ("events_follow_the_schema", streamed({"audio": "AA=="}, DONE)),
    "no end": ("a_stream_says_that_it_is_done", streamed(*PIECES)),
    "two ends": ("a_stream_says_that_it_is_done", streamed(*PIECES, DONE, DONE)),
    "a delta behind the end": ("a_stream_says_that_it_is_done", streamed(*PIECES[:-1], DONE, PIECES[-1])),
    "a delta lost": ("deltas_make_a_sound", streamed(*PIECES[:-1], DONE)),
    "no base64": ("deltas_make_a_sound", streamed({"type": "speech.audio.delta", "audio": "???"}, DONE)),
    "no delta": ("deltas_make_a_sound", streamed(DONE)),
    "a total that is off": ("usage_adds_up", streamed(*PIECES, {**DONE, "usage": {**USAGE, "total_tokens": 20}})),
}


def test_every_clause_has_a_pair(said: ModuleType) -> None:
    assert {one.__name__ for one in clauses_of(said)} == {clause for clause, _ in BROKEN.values()}


@pytest.mark.parametrize("case", BROKEN)
def test_a_clause_tells_the_kept_stream_from_the_broken_one(said: ModuleType, case: str) -> None:
    clause, broken = BROKEN[case]
    assert outcome_of(getattr(said, clause), KEPT) == "pass"
    assert outcome_of(getattr(said, clause), broken) == "fail"


LEGAL = {
    "one delta": streamed(delta(SOUND), DONE),
    "an end mark": streamed(*PIECES, DONE, "[DONE]"),
    "more keys": streamed({**delta(SOUND), "index": 0}, {**DONE, "usage": {**USAGE, "input_token_details": {}}}),
    "other events": streamed({"type": "speech.audio.started"}, delta(SOUND), DONE),
    "raw samples": streamed(delta(speech("A boat.", "alloy", "pcm")), DONE, response_format="pcm"),
    "an error in its place": streamed(PIECES[0], {"error": {"message": "busy", "type": "server_error"}}),
    "a refusal": answer({"error": {"message": "no", "type": "x"}}, asked=ASKED, status=400, operation="createSpeech"),
}


@pytest.mark.parametrize("case", LEGAL)
def test_a_legal_stream_raises_no_finding(said: ModuleType, case: str) -> None:
    found = {one.__name__: verdict_of(one, LEGAL[case]).findings for one in clauses_of(said)}
    assert {name: findings for name, findings in found.items() if findings} == {}


@pytest.mark.parametrize(
    "body", [[], 5, {"type": 7}, {"type": "speech.audio.done", "usage": 3}, {"error": "x"}], ids=str
)
def test_no_clause_stumbles_over_a_malformed_event(said: ModuleType, body: Any) -> None:
    for clause in clauses_of(said):
        assert "the clause itself failed" not in verdict_of(clause, streamed(body, DONE)).reason
