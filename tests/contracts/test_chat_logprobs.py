"""Clauses of chat's log probabilities: the exchange that keeps each, and the nearest one that breaks it."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from types import ModuleType
from typing import Any

import pytest
from made import answer, clauses_of, outcome_of, stream, verdict_of

from wireproof.clause import Exchange

ASK = {"logprobs": True, "top_logprobs": 3}


@pytest.fixture(scope="module")
def logprobs(contract: Callable[[str], ModuleType]) -> Mapping[str, Any]:
    """The clauses by the names of their functions."""
    return {one.__name__: one for one in clauses_of(contract("chat_logprobs"), contract("chat_logprobs_top"))}


def one(token: str, logprob: Any = -0.1, **changed: Any) -> dict[str, Any]:
    return {"token": token, "logprob": logprob, "bytes": list(token.encode()), **changed}


def entry(token: str, logprob: Any = -0.1, top: Any = None, **changed: Any) -> dict[str, Any]:
    candidates = [one(token, logprob), one(" blue", -3.0), one(" sea", -4.0)] if top is None else top
    return {**one(token, logprob, **changed), "top_logprobs": candidates}


def told(
    entries: Any, text: str = "Red, green", completion: int = 3, ask: dict[str, Any] | None = None, **message: Any
) -> Exchange:
    listed = {"content": entries, "refusal": None} if isinstance(entries, list) else entries
    choice = {"index": 0, "message": {"role": "assistant", "content": text, **message}, "logprobs": listed}
    usage = {"prompt_tokens": 5, "completion_tokens": completion, "total_tokens": 5 + completion}
    return answer({"choices": [{**choice, "finish_reason": "stop"}], "usage": usage}, asked=ASK if ask is None else ask)


def streamed(pieces: Sequence[tuple[str, Any]], ask: dict[str, Any] | None = None) -> Exchange:
    first = {"choices": [{"index": 0, "delta": {"role": "assistant", "content": ""}, "logprobs": None}]}
    chunks = [
        {"choices": [{"index": 0, "delta": {"content": text}, "logprobs": entries and {"content": entries}}]}
        for text, entries in pieces
    ]
    last = {"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]}
    return stream([first, *chunks, last, {"choices": [], "usage": {}}], asked=ASK if ask is None else ask)


TOKENS = ["Red", ",", " green"]
ENTRIES = [entry(token) for token in TOKENS]
WHOLE = told(ENTRIES)
STREAMED = streamed([(token, [entry(token)]) for token in TOKENS])
NONE_ASKED: dict[str, Any] = {}


def first(changed: dict[str, Any]) -> Exchange:
    return told([changed, *ENTRIES[1:]])


def lacking(key: str) -> Exchange:
    return first({name: value for name, value in ENTRIES[0].items() if name != key})


Pair = tuple[str, list[Exchange], list[Exchange]]
PAIRS: dict[str, Pair] = {
    "two candidates of three": (
        "as_many_candidates_as_asked_somewhere",
        [told([entry("Red", top=[one("Red")]), *ENTRIES[1:]])],
        [told([entry(token, top=[one(token), one(" sea", -4.0)]) for token in TOKENS])],
    ),
    "all at the end": (
        "tokens_come_with_their_text",
        [streamed([("Red", []), (", green", ENTRIES)])],
        [streamed([("Red, green and a long list of other colors", []), (".", ENTRIES)])],
    ),
    "null": ("they_come_when_asked", [WHOLE], [told(None)]),
    "empty": ("they_come_when_asked", [WHOLE], [told([])]),
    "legacy shape": ("they_come_when_asked", [WHOLE], [told({"tokens": TOKENS})]),
    "null in chunks": ("chunks_carry_them", [STREAMED], [streamed([(token, None) for token in TOKENS])]),
    "unasked": ("none_when_not_asked", [told(None, ask=NONE_ASKED)], [told(ENTRIES, ask=NONE_ASKED)]),
    "unasked in a stream": (
        "none_when_not_asked",
        [streamed([("Red", None)], NONE_ASKED)],
        [streamed([("Red", [entry("Red")])], NONE_ASKED)],
    ),
    "no bytes": ("entries_are_whole", [WHOLE], [lacking("bytes")]),
    "no candidates": ("entries_are_whole", [WHOLE], [lacking("top_logprobs")]),
    "null logprob": ("entries_are_whole", [first(entry("Red", bytes=None))], [first(entry("Red", None))]),
    "bytes as text": ("entries_are_whole", [WHOLE], [first(entry("Red", bytes="UmVk"))]),
    "candidates as an object": ("entries_are_whole", [STREAMED], [first(entry("Red", top={"Red": -0.1}))]),
    "a probability": ("no_logprob_above_zero", [first(entry("Red", 0.0))], [first(entry("Red", 0.9))]),
    "a probability in a chunk": ("no_logprob_above_zero", [STREAMED], [streamed([("Red", [entry("Red", 0.9)])])]),
    "other bytes": ("bytes_spell_the_token", [WHOLE], [first(entry("Red", bytes=[82, 101]))]),
    "first missing": ("tokens_make_the_text", [WHOLE], [told(ENTRIES[1:])]),
    "last missing": ("tokens_make_the_text", [STREAMED], [told(ENTRIES[:-1])]),
    "first chunk without": (
        "tokens_make_the_text",
        [STREAMED],
        [streamed([("Red", None), (",", [entry(",")]), (" green", [entry(" green")])])],
    ),
    "fewer than counted": ("as_many_as_were_counted", [told(ENTRIES, completion=4)], [told(ENTRIES, completion=9)]),
    "none of three": ("as_many_candidates_as_asked", [WHOLE], [first(entry("Red", top=[]))]),
    "four of three": (
        "as_many_candidates_as_asked",
        [first(entry("Red", top=[one("Red")]))],
        [first(entry("Red", top=[one("Red"), one("a", -3), one("b", -4), one("c", -5)]))],
    ),
    "reversed": ("likeliest_first", [WHOLE], [first(entry("Red", top=[one(" sea", -4.0), one("Red")]))]),
    "chosen missing": (
        "candidates_are_the_likeliest",
        [first(entry("Red", -6.0, top=[one("a", -1.0), one("b", -2.0)]))],
        [first(entry("Red", -0.1, top=[one("a", -3.0), one("b", -4.0)]))],
    ),
    "two probabilities": (
        "chosen_token_has_one_probability",
        [WHOLE],
        [first(entry("Red", -0.1, top=[one("Red", -0.4), one("b", -4.0)]))],
    ),
    "sum over one": (
        "probabilities_sum_to_one_at_most",
        [WHOLE],
        [first(entry("Red", -0.1, top=[one("Red", -0.1), one("b", -0.1)]))],
    ),
}


@pytest.mark.parametrize(("name", "kept", "broken"), PAIRS.values(), ids=PAIRS)
def test_a_clause_tells_the_kept_from_the_broken(
    logprobs: Mapping[str, Any], name: str, kept: list[Exchange], broken: list[Exchange]
) -> None:
    assert outcome_of(logprobs[name], *kept) == "pass"
    assert outcome_of(logprobs[name], *broken) == "fail"


def test_every_clause_has_a_pair(logprobs: Mapping[str, Any]) -> None:
    paired = {name for name, _, _ in PAIRS.values()}
    assert {function.__name__ for function in logprobs.values()} - paired == {"requests_are_served"}


# An end mark; a token completed to a character; half a character; a reply without the space of its first token.
LEGAL = [
    told([*ENTRIES, entry("<|im_end|>")], completion=4),
    told([entry(" Red"), *ENTRIES[1:]]),
    told([entry("caf"), entry("\ufffd", bytes=[0xC3]), entry("\ufffd", bytes=[0xA9])], text="café"),
    told([entry("\ufffd re", -1.0, bytes=[32, 114, 101], top=[one(" re", -1.0)])], text="\ufffd re", completion=1),
    told([entry("Red", id=17), *ENTRIES[1:]]),
    told([entry("Red", -9999.0, top=[one("a", -0.01), one("b", -9999.0)]), *ENTRIES[1:]]),
]


@pytest.mark.parametrize("exchange", LEGAL)
def test_legal_variations_raise_no_finding(logprobs: Mapping[str, Any], exchange: Exchange) -> None:
    outcomes = {function.__name__: outcome_of(function, exchange) for function in logprobs.values()}
    assert {name: outcome for name, outcome in outcomes.items() if outcome not in ("pass", "not-applicable")} == {}


def test_an_answer_in_half_characters_is_put_together_from_bytes(logprobs: Mapping[str, Any]) -> None:
    assert outcome_of(logprobs["tokens_make_the_text"], LEGAL[2]) == "pass"


def test_tokens_of_the_reasoning_may_be_among_the_entries(logprobs: Mapping[str, Any]) -> None:
    thought = told([entry("Hm."), *ENTRIES], reasoning_content="Hm.")
    assert outcome_of(logprobs["tokens_make_the_text"], thought) == "not-applicable"
    assert outcome_of(logprobs["as_many_as_were_counted"], thought) == "not-applicable"


def test_an_answer_without_text_owes_no_entries(logprobs: Mapping[str, Any]) -> None:
    assert outcome_of(logprobs["they_come_when_asked"], told(None, text="")) == "not-applicable"


def test_other_clauses_leave_a_missing_list_to_the_one_about_it(logprobs: Mapping[str, Any]) -> None:
    failing = {function.__name__ for function in logprobs.values() if outcome_of(function, told(None)) == "fail"}
    assert failing == {"they_come_when_asked"}


@pytest.mark.parametrize("value", [None, 7, {"choices": [{"logprobs": {"content": [3]}, "message": {"content": "a"}}]}])
def test_a_malformed_answer_crashes_no_clause(logprobs: Mapping[str, Any], value: Any) -> None:
    for function in logprobs.values():
        for exchange in (answer(value, asked=ASK), stream([value, json.dumps(value).encode()], asked=ASK)):
            assert "the clause itself failed" not in verdict_of(function, exchange).reason


def test_a_refusal_as_unsupported_is_no_finding(logprobs: Mapping[str, Any]) -> None:
    def refused(status: int, message: str) -> Exchange:
        return answer({"error": {"message": message}}, status=status, asked=ASK, probe="chat.logprobs")

    served = logprobs["requests_are_served"]
    assert outcome_of(served, refused(400, "logprobs is not supported by this model")) == "not-applicable"
    assert outcome_of(served, refused(400, "Extra inputs: top_logprobs")) == "fail"
    assert outcome_of(served, answer({}, asked=ASK, probe="chat.logprobs")) == "pass"
