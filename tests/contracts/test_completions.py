"""Clauses of legacy completions: the exchange that keeps each, and the nearest one that breaks it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import ModuleType
from typing import Any

import pytest
from made import answer, clauses_of, outcome_of, stream, verdict_of

from wireproof.clause import Exchange

NOW = 1_760_000_000
MODEL = "gpt-3.5-turbo-instruct"
PROMPT = "The capital of France is the city of"
TOKENS = [" Paris", ",", " on", " the", " Seine"]
TEXT = "".join(TOKENS)
ASK = {"model": MODEL, "prompt": PROMPT, "max_tokens": 12}


@pytest.fixture(scope="module")
def completions(contract: Callable[[str], ModuleType]) -> Mapping[str, Any]:
    """The clauses by the names of their functions."""
    stems = ("completions", "completions_text", "completions_logprobs", "completions_stream")
    return {one.__name__: one for one in clauses_of(*map(contract, stems))}


def choice(text: Any = TEXT, finish: Any = "stop", index: Any = 0, logprobs: Any = None) -> dict[str, Any]:
    return {"text": text, "index": index, "logprobs": logprobs, "finish_reason": finish}


def counts(completion: int, prompt: int = 8) -> dict[str, int]:
    return {"prompt_tokens": prompt, "completion_tokens": completion, "total_tokens": prompt + completion}


def body(*choices: Any, completion: int = 5, **changed: Any) -> dict[str, Any]:
    return {
        "id": "cmpl-abc",
        "object": "text_completion",
        "created": NOW,
        "model": MODEL,
        "choices": list(choices) or [choice()],
        "usage": counts(completion),
        **changed,
    }


def said(
    *choices: Any, probe: str = "completions.plain", ask: dict[str, Any] | None = None, **changed: Any
) -> Exchange:
    return answer(body(*choices, **changed), asked={**ASK, **(ask or {})}, operation="createCompletion", probe=probe)


def without(key: str, value: dict[str, Any]) -> dict[str, Any]:
    return {name: part for name, part in value.items() if name != key}


def lacking(key: str) -> Exchange:
    return answer(without(key, body()), asked=ASK, operation="createCompletion")


def chunk(*choices: Any, **changed: Any) -> dict[str, Any]:
    return {**without("usage", body()), "choices": list(choices), "usage": None, **changed}


LAST = chunk(choice("", "stop"))
USAGE = chunk(usage=counts(5))


def streamed(chunks: Sequence[Any], asks_usage: bool = True, **ask: Any) -> Exchange:
    options = {"stream_options": {"include_usage": True}} if asks_usage else {}
    asked = {**ASK, **options, **ask}
    return stream(chunks, asked=asked, operation="createCompletion", probe="completions.stream")


PIECES = [chunk(choice(token, None)) for token in TOKENS]
STREAMED = streamed([*PIECES, LAST, USAGE])
PLAIN = said()


def rows(**changed: Any) -> dict[str, Any]:
    logprobs: list[float | None] = [-0.1] * len(TOKENS)
    offsets, at = [], len(PROMPT)
    for token in TOKENS:
        offsets.append(at)
        at += len(token)
    top = [{token: -0.1, " Rome": -3.0} for token in TOKENS]
    return {"tokens": TOKENS, "token_logprobs": logprobs, "top_logprobs": top, "text_offset": offsets, **changed}


def with_rows(logprobs: Any) -> Exchange:
    return said(choice(logprobs=logprobs), ask={"logprobs": 2})


def echoed(added: str, finish: Any = "stop", stop: Any = ("#", "h")) -> Exchange:
    return said(choice(PROMPT + added, finish), probe="completions.echo", ask={"echo": True, "stop": list(stop)})


def told_rows(first: Any = 0, **changed: Any) -> Exchange:
    """The text in a stream, a token a chunk, each with its row; the rows of all changed alike."""
    whole = rows()
    pieces = []
    for at, token in enumerate(TOKENS):
        row = {name: values[at : at + 1] for name, values in whole.items()}
        pieces.append(chunk(choice(token, None, logprobs=None if first is None else {**row, **changed})))
    return streamed([*pieces, LAST, USAGE], logprobs=2)


def echo_rows(tokens: Sequence[str]) -> Exchange:
    offsets = [len("".join(tokens[:at])) for at in range(len(tokens))]
    logprobs = {
        "tokens": list(tokens),
        "token_logprobs": [None, *[-0.5] * (len(tokens) - 1)],
        "top_logprobs": [None, *[{token: -0.5} for token in tokens[1:]]],
        "text_offset": offsets,
    }
    return said(choice(PROMPT + " Paris", "length", logprobs=logprobs), ask={"echo": True, "logprobs": 2})


ECHO_ROWS = echo_rows([*PROMPT.split(" ")[:1], *(f" {word}" for word in PROMPT.split(" ")[1:]), " Paris"])
ECHOED = {"prompt": ["a", "b"], "n": 2, "echo": True}
CHAT_TWICE = {"choices": [{"index": 0, "message": {"content": "Hi"}}]}
TWICE = [answer(CHAT_TWICE, asked={"messages": []}, probe=probe) for probe in ("chat.plain", "chat.plain-again")]
CUT = " Paris, on t"  # what is left of TEXT before "h"
FOUR = [choice(index=index) for index in range(4)]
BATCH = {"prompt": ["a", "b"], "n": 2, "max_tokens": 5}
ROWS = with_rows(rows())

Pair = tuple[str, list[Exchange], list[Exchange]]
PAIRS: dict[str, Pair] = {
    "number as fingerprint": ("answer_keeps_the_schema", [PLAIN], [said(system_fingerprint=3)]),
    "no choices": ("answer_keeps_the_schema", [PLAIN], [answer([1], asked=ASK, operation="createCompletion")]),
    "chunk of wrong type": ("answer_keeps_the_schema", [STREAMED], [streamed([chunk(system_fingerprint=3)])]),
    "object of chat": ("object_literal", [PLAIN], [said(object="chat.completion")]),
    "chunk of chat": ("object_literal", [STREAMED], [streamed([chunk(object="chat.completion.chunk")])]),
    "no id": ("id_is_there", [PLAIN], [lacking("id")]),
    "empty id in a chunk": ("id_is_there", [STREAMED], [streamed([*PIECES, chunk(id="")])]),
    "id twice": ("ids_are_unique", [PLAIN, said(id="cmpl-abd")], [PLAIN, STREAMED]),
    "id of chat": ("id_of_the_right_kind", [said(id="0195-ab")], [said(id="chatcmpl-abc")]),
    "milliseconds": ("created_is_now", [PLAIN], [said(created=NOW * 1000)]),
    "no time in a chunk": ("created_is_now", [STREAMED], [streamed([without("created", LAST)])]),
    "model null": ("model_is_named", [STREAMED], [streamed([chunk(model=None)])]),
    "path": ("model_is_no_path", [PLAIN], [said(model="/models/llama.gguf")]),
    "n ignored": (
        "one_choice_for_each_n_and_prompt",
        [said(*FOUR, ask=BATCH)],
        [said(*FOUR[:2], ask=BATCH)],
    ),
    "first prompt only": (
        "one_choice_for_each_n_and_prompt",
        [said(choice(), ask={"prompt": [1, 2, 3]}), said(*FOUR[:2], ask={"prompt": [[1], [2]]})],
        [said(choice(), ask={"prompt": ["a", "b"]})],
    ),
    "no index": ("one_choice_for_each_n_and_prompt", [STREAMED], [said(without("index", choice()))]),
    "text null": ("text_is_a_string", [PLAIN], [said(choice(None))]),
    "no text in a chunk": ("text_is_a_string", [STREAMED], [streamed([chunk(without("text", choice()))])]),
    "capitals": ("finish_reason_is_known", [PLAIN], [said(choice(finish="LENGTH"))]),
    "null": ("finish_reason_is_known", [PLAIN], [said(choice(finish=None))]),
    "stop for length": (
        "cut_text_says_length",
        [said(*[choice(finish="length", index=at) for at in range(4)], completion=20, ask=BATCH)],
        [said(*FOUR, completion=20, ask=BATCH)],
    ),
    "too long": ("max_tokens_is_a_limit", [said(completion=12)], [said(completion=13)]),
    "too long in four": (
        "max_tokens_is_a_limit",
        [said(*FOUR, completion=20, ask=BATCH)],
        [said(*FOUR, completion=21, ask=BATCH)],
    ),
    "stop in the text": ("stop_never_appears", [echoed(CUT)], [echoed(TEXT)]),
    "stop at the end": ("stop_never_appears", [echoed(CUT)], [echoed(CUT + "h")]),
    "stopped but length": ("stop_ends_with_stop", [PLAIN, echoed(CUT)], [PLAIN, echoed(CUT, "length")]),
    "no echo": ("echo_begins_with_the_prompt", [echoed(CUT)], [said(ask={"echo": True})]),
    "echo": ("no_echo_unless_asked", [PLAIN], [said(choice(PROMPT + TEXT))]),
    "echo in a stream": (
        "no_echo_unless_asked",
        [STREAMED],
        [streamed([chunk(choice(PROMPT, None)), *PIECES, LAST, USAGE])],
    ),
    "no log probabilities": ("logprobs_are_four_lists", [ROWS], [with_rows(None)]),
    "those of chat": ("logprobs_are_four_lists", [ROWS], [with_rows({"content": [{"token": " Paris"}]})]),
    "a list too short": ("logprobs_are_four_lists", [ROWS], [with_rows(rows(text_offset=[1]))]),
    "no candidates": ("logprobs_are_four_lists", [ROWS], [with_rows(rows(top_logprobs=None))]),
    "tokens missing": ("tokens_make_the_text", [ROWS], [with_rows(rows(tokens=TOKENS[1:]))]),
    "probabilities": (
        "no_logprob_above_zero",
        [with_rows(rows(token_logprobs=[0.0, -1, -2.5, -3, -4]))],
        [with_rows(rows(token_logprobs=[0.9, 0.8, 0.7, 0.6, 0.5]))],
    ),
    "null probability": ("no_logprob_above_zero", [ROWS], [with_rows(rows(token_logprobs=[-0.1, None]))]),
    "too many candidates": (
        "as_many_candidates_as_asked",
        [with_rows(rows(top_logprobs=[{"a": -1.0, "b": -2.0, "c": -3.0}]))],
        [with_rows(rows(top_logprobs=[{"a": -1.0, "b": -2.0, "c": -3.0, "d": -4.0}]))],
    ),
    "offsets of zero": (
        "offsets_follow_the_tokens",
        [with_rows(rows(text_offset=[0, 6, 7, 10, 14]))],
        [with_rows(rows(text_offset=[0, 0, 0, 0, 0]))],
    ),
    "candidates of the next": (
        "the_chosen_token_is_a_candidate",
        [with_rows(rows(top_logprobs=[{"a": -0.05, "b": -0.1}] * 5)), ROWS, ECHO_ROWS],
        [with_rows(rows(top_logprobs=[{"a": -0.1, "b": -2.0}] * 5))],
    ),
    "another probability": (
        "the_chosen_token_is_a_candidate",
        [ROWS],
        [with_rows(rows(top_logprobs=[{token: -0.4} for token in TOKENS]))],
    ),
    "none in a stream": ("logprobs_are_four_lists", [told_rows()], [told_rows(None)]),
    "tokens of a stream missing": ("tokens_make_the_text", [told_rows()], [told_rows(tokens=[" Paris"])]),
    "offsets that begin again": ("offsets_follow_the_tokens", [told_rows()], [told_rows(text_offset=[0])]),
    "tokens of the prompt missing": ("tokens_make_the_text", [ECHO_ROWS], [echo_rows([" Paris"])]),
    "choices of another prompt": (
        "echo_begins_with_the_prompt",
        [said(choice("a b"), choice("ac", index=1), choice("bc", index=2), choice("b", index=3), ask=ECHOED)],
        [said(choice("bc"), choice("ac", index=1), choice("ac", index=2), choice("b", index=3), ask=ECHOED)],
    ),
    "word before the stop lost": (
        "stop_loses_nothing",
        [*TWICE, PLAIN, echoed(CUT)],
        [*TWICE, PLAIN, echoed(" Paris,")],
    ),
    "nothing before the stop": ("stop_loses_nothing", [*TWICE, PLAIN, echoed(CUT)], [*TWICE, PLAIN, echoed("")]),
    "unasked": ("none_when_not_asked", [PLAIN], [said(choice(logprobs=rows()))]),
    "unasked in a chunk": (
        "none_when_not_asked",
        [STREAMED],
        [streamed([chunk(choice(" Paris", None, logprobs=rows())), LAST])],
    ),
    "id changes": ("chunks_belong_together", [STREAMED], [streamed([*PIECES, chunk(choice("", "stop"), id="cmpl-z")])]),
    "time changes": ("chunks_belong_together", [STREAMED], [streamed([*PIECES, chunk(created=NOW + 1)])]),
    "no finish": ("each_choice_finishes_once", [STREAMED], [streamed([*PIECES, USAGE])]),
    "two finishes": ("each_choice_finishes_once", [STREAMED], [streamed([*PIECES, LAST, LAST, USAGE])]),
    "text after the finish": ("each_choice_finishes_once", [STREAMED], [streamed([LAST, *PIECES, USAGE])]),
    "null as a word": (
        "each_choice_finishes_once",
        [STREAMED],
        [streamed([chunk(choice(" Paris", "null")), LAST, USAGE])],
    ),
    "no usage": ("usage_comes_last", [STREAMED], [streamed([*PIECES, LAST])]),
    "usage with a choice": (
        "usage_comes_last",
        [STREAMED],
        [streamed([*PIECES, chunk(choice("", "stop"), usage=counts(5))])],
    ),
    "usage that does not add up": (
        "usage_comes_last",
        [STREAMED],
        [streamed([*PIECES, LAST, chunk(usage={**counts(5), "total_tokens": 5})])],
    ),
    "usage all along": (
        "usage_comes_once",
        [STREAMED],
        [streamed([chunk(choice(" Paris", None), usage=counts(1)), LAST, USAGE])],
    ),
    "first piece lost": (
        "the_pieces_make_the_text",
        [PLAIN, echoed(CUT), STREAMED],
        [PLAIN, echoed(CUT), streamed([*PIECES[1:], LAST, USAGE])],
    ),
}


@pytest.mark.parametrize(("name", "kept", "broken"), PAIRS.values(), ids=PAIRS)
def test_a_clause_tells_the_kept_from_the_broken(
    completions: Mapping[str, Any], name: str, kept: list[Exchange], broken: list[Exchange]
) -> None:
    assert outcome_of(completions[name], *kept) == "pass"
    assert outcome_of(completions[name], *broken) == "fail"


def test_every_clause_has_a_pair(completions: Mapping[str, Any]) -> None:
    paired = {name for name, _, _ in PAIRS.values()}
    unpaired = {function.__name__ for function in completions.values()} - paired
    assert unpaired == {"documented_requests_are_served"}


LEGAL = [
    said(system_fingerprint=None, usage={**counts(5), "prompt_tokens_details": None}, kind="vendor"),
    said(without("logprobs", choice())),
    said(choice("")),
    streamed([*PIECES[:-1], chunk(choice(TOKENS[-1], "stop"))], asks_usage=False),
    streamed([b": ping\r\n\r\n", *PIECES, LAST, USAGE]),
    streamed([without("usage", piece) for piece in [*PIECES, LAST]] + [USAGE]),
    streamed([chunk(without("finish_reason", choice(TEXT))), LAST, USAGE]),
]


@pytest.mark.parametrize("exchange", LEGAL)
def test_legal_variations_raise_no_finding(completions: Mapping[str, Any], exchange: Exchange) -> None:
    outcomes = {function.__name__: outcome_of(function, exchange) for function in completions.values()}
    assert {name: outcome for name, outcome in outcomes.items() if outcome not in ("pass", "not-applicable")} == {}


@pytest.mark.parametrize("value", [None, 7, [], {"choices": 3}, {"choices": [None, {"text": 4, "logprobs": 5}]}])
def test_a_malformed_answer_crashes_no_clause(completions: Mapping[str, Any], value: Any) -> None:
    asks: dict[str, dict[str, Any]] = {
        "completions.plain": {"logprobs": 2},
        "completions.echo": {"echo": True, "stop": "e"},
    }
    exchanges = [
        answer(value, asked={**ASK, **asks.get(name, {})}, operation="createCompletion", probe=name)
        for name in ("completions.plain", "completions.echo", "completions.batch")
    ]
    for function in completions.values():
        assert "the clause itself failed" not in verdict_of(function, *exchanges, streamed([value])).reason


def test_a_backend_that_varies_is_not_judged_by_comparison(completions: Mapping[str, Any]) -> None:
    other = [PLAIN, echoed(" Lyon"), streamed([chunk(choice(" Nice", None)), LAST, USAGE])]
    assert outcome_of(completions["the_pieces_make_the_text"], *other) == "not-applicable"
    assert outcome_of(completions["stop_ends_with_stop"], *other) == "not-applicable"


def refusal(status: int, message: str) -> Exchange:
    error = {"error": {"message": message, "type": "invalid_request_error", "param": None, "code": None}}
    return answer(error, status=status, operation="createCompletion", probe="completions.plain", asked=ASK)


@pytest.mark.parametrize(
    ("exchange", "outcome"),
    [
        (PLAIN, "pass"),
        (refusal(404, "This is a chat model and not supported in the v1/completions endpoint."), "not-applicable"),
        (refusal(404, "Invalid URL (POST /v1/completions)"), "not-applicable"),
        (refusal(405, "Method Not Allowed"), "not-applicable"),
        (refusal(400, "x is not a completions model"), "not-applicable"),
        (refusal(400, "echo is not supported"), "not-applicable"),
        (refusal(400, "prompt: Input should be a valid string"), "fail"),
        (refusal(500, "list index out of range"), "fail"),
    ],
)
def test_requests_are_served_or_the_endpoint_is_not_there(
    completions: Mapping[str, Any], exchange: Exchange, outcome: str
) -> None:
    assert outcome_of(completions["documented_requests_are_served"], exchange) == outcome


def test_a_backend_without_the_endpoint_gets_no_finding(completions: Mapping[str, Any]) -> None:
    absent = refusal(404, "Not Found")
    assert {outcome_of(function, absent) for function in completions.values()} == {"not-applicable"}
