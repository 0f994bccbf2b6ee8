"""Wrong requests for transcripts: the refusal that keeps each clause, and the answer that breaks it."""

from __future__ import annotations

from collections.abc import Callable
from types import ModuleType
from typing import Any

import pytest
from made import clauses_of, outcome_of, verdict_of
from made_media import formed

from wireproof.clause import Exchange, File
from wireproof.standin.media.sounds import speech

SOUND, LETTER = File("a.wav", speech("A boat.", "alloy", "wav")), File("a.wav", b"Dear Ann, a letter.")
MODEL = ("model", "whisper-1")
GRANULAR = [MODEL, ("file", SOUND), ("timestamp_granularities[]", "word")]


@pytest.fixture(scope="module")
def said(contract: Callable[[str], ModuleType]) -> ModuleType:
    return contract("transcriptions_mistakes")


def asked(fields: Any, status: int = 400, param: str | None = "file") -> Exchange:
    error = {"message": "no", "type": "invalid_request_error", "param": param, "code": None}
    body = {"text": ""} if status == 200 else {"error": error}
    return formed(body, fields, operation="createTranscription", status=status)


PAIRS: dict[str, tuple[str, Exchange, Exchange]] = {
    "no file": ("incomplete_requests_are_refused", asked([MODEL]), asked([MODEL], 200)),
    "no model": ("incomplete_requests_are_refused", asked([("file", SOUND)]), asked([("file", SOUND)], 200)),
    "no file and a crash": ("incomplete_requests_are_refused", asked([MODEL], 422), asked([MODEL], 500)),
    "a letter": (
        "what_is_no_recording_is_refused",
        asked([MODEL, ("file", LETTER)]),
        asked([MODEL, ("file", LETTER)], 500),
    ),
    "a letter read": (
        "what_is_no_recording_is_refused",
        asked([MODEL, ("file", LETTER)]),
        asked([MODEL, ("file", LETTER)], 200),
    ),
    "times": ("times_need_a_format_that_has_them", asked(GRANULAR), asked(GRANULAR, 200)),
    "no param": ("refusals_name_the_field", asked([MODEL]), asked([MODEL], param=None)),
    "another param": ("refusals_name_the_field", asked([("file", SOUND)], param="model"), asked([("file", SOUND)])),
}


def test_every_clause_has_a_pair(said: ModuleType) -> None:
    assert {one.__name__ for one in clauses_of(said)} == {clause for clause, _, _ in PAIRS.values()}


@pytest.mark.parametrize("case", PAIRS)
def test_a_clause_tells_the_kept_answer_from_the_broken_one(said: ModuleType, case: str) -> None:
    clause, kept, broken = PAIRS[case]
    assert outcome_of(getattr(said, clause), kept) == "pass"
    assert outcome_of(getattr(said, clause), asked([MODEL, ("file", SOUND)], 200), broken) == "fail"


LEGAL = {
    "a whole request": asked([MODEL, ("file", SOUND)], 200),
    "bytes that we do not know": asked([MODEL, ("file", File("a.amr", b"#!AMR\n\xff\xfe"))], 200),
    "times where they are": asked([*GRANULAR, ("response_format", "verbose_json")], 200),
    "not served": asked([MODEL], 404),
    "nothing behind a gateway": asked([MODEL], 500),
    "throttled": asked([MODEL], 429),
}


@pytest.mark.parametrize("case", LEGAL)
def test_a_legal_answer_raises_no_finding(said: ModuleType, case: str) -> None:
    found = {one.__name__: verdict_of(one, LEGAL[case]).findings for one in clauses_of(said)}
    assert {name: findings for name, findings in found.items() if findings} == {}
