"""Clauses of translations: the answer that keeps each, and the nearest one that breaks it."""

from __future__ import annotations

from collections.abc import Callable
from types import ModuleType
from typing import Any

import pytest
from made import clauses_of, outcome_of, verdict_of
from made_media import formed

from wireproof.clause import Exchange, File
from wireproof.standin.media.sounds import speech

WORDS, LASTS = "A boat. It came late.", 2.1
SOUND = speech(WORDS, "alloy", "wav")
SEGMENT: dict[str, Any] = {"id": 0, "seek": 0,
                            "start": 0.0, "end": LASTS, "text": WORDS, "tokens": [], "temperature": 0,
                           "avg_logprob": -0.1, "compression_ratio": 1, "no_speech_prob": 0}  # fmt: skip
BODY: dict[str, Any] = {
    "task": "translate",
    "language": "english",
    "duration": LASTS,
    "text": WORDS,
    "segments": [SEGMENT],
}


@pytest.fixture(scope="module")
def said(contract: Callable[[str], ModuleType]) -> ModuleType:
    return contract("translations")


def translated(body: Any, format: str = "verbose_json", **more: Any) -> Exchange:
    fields: list[tuple[str, str | File]] = [
        ("model", "whisper-1"),
        ("response_format", format),
        ("file", File("a.wav", SOUND)),
    ]
    return formed(body, fields, operation="createTranslation", path="/audio/translations", **more)


def changed(**fields: Any) -> Exchange:
    return translated({**BODY, **fields})


BROKEN: dict[str, tuple[str, Exchange]] = {
    "no text": ("answers_follow_the_schema", translated({"translation": WORDS}, "json")),
    "the text alone": ("answers_follow_the_schema", translated({"text": WORDS})),
    "a duration that is text": ("answers_follow_the_schema", changed(duration="2.1")),
    "German": ("translations_are_in_english", changed(language="german")),
    "milliseconds": ("duration_is_that_of_the_recording", changed(duration=2100)),
    "segments in milliseconds": ("segments_lie_within_the_recording", changed(segments=[SEGMENT | {"end": 2100}])),
    "a segment lost": ("segments_make_the_text", changed(text=f"{WORDS} And went.")),
}


def test_every_clause_has_a_pair(said: ModuleType) -> None:
    assert {one.__name__ for one in clauses_of(said)} == {clause for clause, _ in BROKEN.values()}


@pytest.mark.parametrize("case", BROKEN)
def test_a_clause_tells_the_kept_answer_from_the_broken_one(said: ModuleType, case: str) -> None:
    clause, broken = BROKEN[case]
    assert outcome_of(getattr(said, clause), changed()) == "pass"
    assert outcome_of(getattr(said, clause), broken) == "fail"


LEGAL = {
    "plain": translated({"text": WORDS}, "json"),
    "a short code": changed(language="en"),
    "no segments": translated({name: value for name, value in BODY.items() if name != "segments"}),
    "segments without seek": changed(segments=[{k: v for k, v in SEGMENT.items() if k not in ("seek", "tokens")}]),
    "nothing heard": changed(text="", segments=[]),
    "more keys": changed(usage={"type": "duration", "seconds": 3}),
    "no such model": translated({"error": {"message": "no"}}, status=404),
}


@pytest.mark.parametrize("case", LEGAL)
def test_a_legal_answer_raises_no_finding(said: ModuleType, case: str) -> None:
    found = {one.__name__: verdict_of(one, LEGAL[case]).findings for one in clauses_of(said)}
    assert {name: findings for name, findings in found.items() if findings} == {}


@pytest.mark.parametrize("body", [[], 5, None, {"text": 5, "language": 1, "duration": "x", "segments": {}}], ids=str)
def test_no_clause_stumbles_over_a_malformed_answer(said: ModuleType, body: Any) -> None:
    for clause in clauses_of(said):
        assert "the clause itself failed" not in verdict_of(clause, translated(body)).reason
