"""Clauses of the words of transcripts: the answers that keep each, the nearest that break it, and legal ones."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from types import ModuleType
from typing import Any

import pytest
from made import clauses_of, outcome_of, verdict_of
from made_media import SSE, events, formed, status

from wireproof.clause import Call, Exchange, File

WORDS = "A boat. It came late, and nobody asked."
TEXT = (("content-type", "text/plain; charset=utf-8"),)
JSON = (("content-type", "application/json"),)
SRT = (
    "1\n00:00:00,000 --> 00:00:00,900\nA boat.\n\n2\n00:00:00,900 --> 00:00:02,100\nIt came late, and nobody asked.\n\n"
)
VTT = (
    "WEBVTT\n\n00:00:00.000 --> 00:00:00.900\n<v A>A boat.\n\n"
    "00:00:00.900 --> 00:00:02.100\nIt came late, and nobody asked.\n\n"
)
ALL = [
    {"word": word, "start": 0.0, "end": 0.3} for word in ("A", "boat", "It", "came", "late", "and", "nobody", "asked")
]
VERBOSE: dict[str, Any] = {"text": WORDS, "language": "en", "duration": 2.1, "words": ALL}
ROWS = [
    {"token": token, "logprob": -0.2, "bytes": list(token.encode())}
    for token in ("A boat", ".", " It came", " late, and nobody asked.")
]
DELTAS = [{"type": "transcript.text.delta", "delta": row["token"], "logprobs": [row]} for row in ROWS]
DONE = {"type": "transcript.text.done", "text": WORDS, "logprobs": ROWS}
ASKED = (("include[]", "logprobs"), ("stream", "true"))
TELLING = "gpt-4o-mini-transcribe"


@pytest.fixture(scope="module")
def said(contract: Callable[[str], ModuleType]) -> ModuleType:
    return contract("transcriptions_words")


def heard(
    body: Any, format: str, *more: tuple[str, str], model: str = "whisper-1", headers: Any = None, **rest: Any
) -> Exchange:
    fields: list[tuple[str, str | File]] = [("model", model), ("response_format", format), *more]
    kind = headers or (JSON if format.endswith("json") else TEXT)
    body = body.encode() if isinstance(body, str) else body
    fields.append(("file", File("a.wav", b"RIFF", "audio/wav")))
    return formed(body, fields, operation="createTranscription", headers=kind, probe=f"made.{format}", **rest)


def streamed(*bodies: Any, model: str = TELLING) -> Exchange:
    return heard(events(*bodies), "json", *ASKED, model=model, headers=SSE)


def verbose(**fields: Any) -> Exchange:
    return heard({**VERBOSE, **fields}, "verbose_json")


def telling(*rows: Any, text: str = WORDS) -> Exchange:
    return heard({"text": text, "logprobs": list(rows)}, "json", ASKED[0], model=TELLING)


def row(number: int, **fields: Any) -> list[dict[str, Any]]:
    return [*ROWS[:number], {**ROWS[number], **fields}, *ROWS[number + 1 :]]


THREE = (heard({"text": WORDS}, "json"), verbose(), heard(f"{WORDS}\n", "text"))
KEPT: dict[str, tuple[Exchange, ...]] = {
    "words_are_the_same_in_every_format": (*THREE, heard(SRT, "srt"), heard(VTT, "vtt")),
    "words_are_what_was_said": (verbose(), heard(SRT, "srt"), streamed(*DELTAS, DONE)),
    "words_make_the_text": (verbose(),),
    "each_token_has_its_probability": (streamed(*DELTAS, DONE), telling(*ROWS)),
}
BROKEN: dict[str, tuple[str, tuple[Exchange, ...]]] = {
    "a caption lost": ("words_are_the_same_in_every_format", (*THREE, heard(SRT.partition("\n\n")[0], "srt"))),
    "no caption": ("words_are_the_same_in_every_format", (*THREE, heard("WEBVTT\n\n", "vtt"))),
    "no text": ("words_are_the_same_in_every_format", (*THREE, heard("", "text"))),
    "times in the text": ("words_are_the_same_in_every_format", (*THREE, heard(f"[00:00.000] {WORDS}", "text"))),
    "a language": ("words_are_what_was_said", (verbose(text=f"<|en|>{WORDS}"),)),
    "a time in a caption": ("words_are_what_was_said", (heard(SRT.replace("A boat", "<|0.00|>A boat"), "srt"),)),
    "an end in a stream": ("words_are_what_was_said", (streamed({**DONE, "text": f"{WORDS}<|endoftext|>"}),)),
    "a word lost": ("words_make_the_text", (verbose(words=ALL[:-1]),)),
    "a word twice": ("words_make_the_text", (verbose(words=[*ALL, ALL[-1]]),)),
    "other words": ("words_make_the_text", (verbose(words=[{"word": "no", "start": 0.0, "end": 1.0}]),)),
    "probabilities": ("each_token_has_its_probability", (telling(*row(1, logprob=0.9)),)),
    "a token lost": ("each_token_has_its_probability", (telling(*ROWS[1:]),)),
    "a token of another delta": (
        "each_token_has_its_probability",
        (streamed({**DELTAS[0], "logprobs": ROWS[1:2]}, DONE),),
    ),
    "bytes of another": ("each_token_has_its_probability", (telling(*row(0, bytes=[66])),)),
    "a token by its number": ("each_token_has_its_probability", (telling(*row(0, token=5)),)),
    "asked for and forgotten": (
        "each_token_has_its_probability",
        (heard({"text": WORDS}, "json", ASKED[0], model=TELLING),),
    ),
}  # fmt: skip


def test_every_clause_has_a_pair(said: ModuleType) -> None:
    assert {one.__name__ for one in clauses_of(said)} == {clause for clause, _ in BROKEN.values()} == set(KEPT)


@pytest.mark.parametrize("case", BROKEN)
def test_a_clause_tells_the_kept_answer_from_the_broken_one(said: ModuleType, case: str) -> None:
    clause, broken = BROKEN[case]
    assert outcome_of(getattr(said, clause), *KEPT[clause]) == "pass"
    assert outcome_of(getattr(said, clause), *broken) == "fail"


LEGAL: dict[str, tuple[Exchange, ...]] = {
    "a decoder that draws lots": (
        heard({"text": "Thank you."}, "json"), heard("you", "text"), verbose(), heard(SRT, "srt"),
    ),
    "two answers that differ": (heard({"text": WORDS}, "json"), heard("", "text")),
    "another model hears otherwise": (*THREE, heard({"text": "A coat."}, "json", model="tiny")),
    "another prompt": (*THREE, heard("A coat.", "text", ("prompt", "coats"))),
    "nothing is said": (heard({"text": ""}, "json"), heard("", "text"), heard("", "srt"), heard("WEBVTT\n\n", "vtt")),
    "words on lines of their own": (*THREE, heard("A boat.\nIt came late, and nobody asked.\n", "text")),
    "words with their stops and blanks": (
        verbose(words=[{"word": f" {one['word']}."} for one in ALL]),
    ),
    "no words": (verbose(words=[]), verbose(words=None)),
    "less and greater": (verbose(text="a <| b |> c", words=[]),),
    "bytes left out": (telling(*({**one, "bytes": None} for one in ROWS)),),
    "a character in two tokens": (
        telling(*({"token": "\ufffd", "logprob": -1.0, "bytes": [byte]} for byte in "é".encode()), text="é"),
    ),
    "no probabilities of a model without": (heard({"text": WORDS}, "json", ASKED[0]),),
    "probabilities at the end alone": (streamed(*({**one, "logprobs": []} for one in DELTAS), DONE),),
    "nothing heard, and nothing to be sure of": (streamed({"type": "transcript.text.done", "text": ""}),),
    "a word or two": (*[heard("you", "text")] * 3, heard({"text": "Thank you"}, "json")),
    "refused": (heard({"error": {"message": "include"}}, "json", ASKED[0], status=400),),
}  # fmt: skip


@pytest.mark.parametrize("case", LEGAL)
def test_a_legal_answer_raises_no_finding(said: ModuleType, case: str) -> None:
    found = {one.__name__: verdict_of(one, *LEGAL[case]).findings for one in clauses_of(said)}
    assert {name: findings for name, findings in found.items() if findings} == {}


@pytest.mark.parametrize("body", [b"5", b"[]", b"\xff", b'{"text": 5, "words": [1], "logprobs": [null, {}]}'])
def test_no_clause_stumbles_over_a_malformed_answer(said: ModuleType, body: bytes) -> None:
    for format in ("json", "verbose_json", "text", "srt", "vtt"):
        for clause in clauses_of(said):
            assert "the clause itself failed" not in verdict_of(clause, heard(body, format, *ASKED)).reason


def test_a_model_that_tells_no_probabilities_leaves_them_to_one_that_does(said: ModuleType) -> None:
    def models(answered: Exchange) -> list[Any]:
        going = said.words_and_how_sure_they_are.run()
        calls: list[Call] = [next(going)]
        with suppress(StopIteration):
            calls.append(going.send(answered))
        return [TELLING.encode() in call.body for call in calls]

    assert models(streamed(*DELTAS, DONE)) == [False]
    assert models(heard({"text": WORDS}, "json")) == [False, True]
    assert models(status(heard({"text": WORDS}, "json"), 400)) == [False, True]
