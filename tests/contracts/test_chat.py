"""Clauses of chat in one piece: the exchange that keeps each, and the nearest one that breaks it."""

from __future__ import annotations

from collections.abc import Callable
from types import ModuleType
from typing import Any

import pytest
from made import answer, clauses_of, outcome_of, verdict_of
from made_chat import MODEL, NOW, WHOLE, body, choice, plain, said, without

from wireproof.clause import Exchange


@pytest.fixture(scope="module")
def chat(contract: Callable[[str], ModuleType]) -> ModuleType:
    return contract("chat")


def lacking(key: str) -> Exchange:
    return answer(without(key, body()), asked={"model": MODEL})


def message_without(key: str) -> Exchange:
    one = choice()
    return said({**one, "message": without(key, one["message"])})


PLAIN = said()
# What other servers send and clients take: none of it breaks anything.
LEGAL = [
    said(service_tier="default", system_fingerprint=None, timings={"predicted_n": 6}),
    said({"index": 0, "message": {"role": "assistant", "content": WHOLE}, "finish_reason": "stop"}),
    said(choice(tool_calls=[], function_call=None, annotations=[], audio=None, reasoning_content="Hm.")),
    said(model="gpt-4.1-mini-2025-04-14"),
    said(model="openai/gpt-4.1-mini"),
    said(id="0195e2f4-7c1e-7b3a"),
    said(choice("", "length"), completion=24, ask={"max_tokens": 24}),
    said(created=NOW - 600),
    said(choice(None, "content_filter")),
]
EVERYWHERE = (
    "answer_keeps_the_schema object_literal id_is_there id_of_the_right_kind created_is_now model_is_named one_choice "
    "role_is_assistant content_is_text_or_null"
)

Pair = tuple[str, list[Exchange], list[Exchange]]
PAIRS: dict[str, Pair] = {
    "number as fingerprint": ("answer_keeps_the_schema", [PLAIN], [said(system_fingerprint=3)]),
    "refusal false": ("answer_keeps_the_schema", [PLAIN], [said(choice(refusal=False))]),
    "no message": ("answer_keeps_the_schema", [PLAIN], [said({"index": 0, "finish_reason": "stop"})]),
    "a list": ("answer_keeps_the_schema", [PLAIN], [answer([body()])]),
    "plural object": ("object_literal", [PLAIN], [said(object="chat.completions")]),
    "object of a chunk": ("object_literal", [PLAIN], [said(object="chat.completion.chunk")]),
    "no object": ("object_literal", [PLAIN], [lacking("object")]),
    "empty id": ("id_is_there", [PLAIN], [said(id="")]),
    "no id": ("id_is_there", [PLAIN], [lacking("id")]),
    "number as id": ("id_is_there", [PLAIN], [said(id=7)]),
    "id twice": ("ids_are_unique", [PLAIN, said(id="chatcmpl-abd")], [PLAIN, said()]),
    "id of completions": ("id_of_the_right_kind", [PLAIN], [said(id="cmpl-abc")]),
    "id of a request": ("id_of_the_right_kind", [PLAIN], [said(id="req_abc")]),
    "milliseconds": ("created_is_now", [PLAIN], [said(created=NOW * 1000)]),
    "a fraction": ("created_is_now", [PLAIN], [said(created=NOW + 0.5)]),
    "text as time": ("created_is_now", [PLAIN], [said(created=str(NOW))]),
    "never": ("created_is_now", [PLAIN], [said(created=0)]),
    "path": ("model_is_named", [PLAIN], [said(model="/srv/models/llama.gguf")]),
    "file name": ("model_is_named", [PLAIN], [said(model="llama-7b.gguf")]),
    "no name": ("model_is_named", [PLAIN], [said(model="")]),
    "path that was asked for": ("model_is_named", [said(model="/m/x", ask={"model": "/m/x"})], [said(model="/m/x")]),
    "no choice": ("one_choice", [PLAIN], [answer(body() | {"choices": []}, asked={"model": MODEL})]),
    "index from 1": ("one_choice", [PLAIN], [said(choice(index=1))]),
    "no index": ("one_choice", [PLAIN], [said(without("index", choice()))]),
    "two for one": ("one_choice", [PLAIN], [said(choice(), choice(index=1))]),
    "index in words": ("one_choice", [PLAIN], [said({**choice(), "index": "0"})]),
    "one for two": (
        "one_choice_for_each_n",
        [said(choice(), choice(index=1), ask={"n": 2})],
        [said(choice(), ask={"n": 2})],
    ),
    "same index": (
        "one_choice_for_each_n",
        [said(choice(index=1), choice(), ask={"n": 2})],
        [said(choice(), choice(), ask={"n": 2})],
    ),
    "role model": ("role_is_assistant", [PLAIN], [said(choice(role="model"))]),
    "no role": ("role_is_assistant", [PLAIN], [message_without("role")]),
    "parts": ("content_is_text_or_null", [PLAIN], [said(choice([{"type": "text", "text": "Hi"}]))]),
    "no content": ("content_is_text_or_null", [said(choice(None))], [message_without("content")]),
    "parts spelled out": (
        "a_part_is_the_text",
        [plain(), said(probe="chat.cap-completion")],
        [plain(), said(probe="chat.cap-completion", prompt=21)],
    ),
    "parts dropped": (
        "a_part_is_the_text",
        [plain(), said(probe="chat.cap-completion", prompt=10)],
        [plain(), said(probe="chat.cap-completion", prompt=3)],
    ),
    "nulls in the prompt": (
        "null_is_absent",
        [plain(), said(probe="chat.stop-list")],
        [plain(), said(probe="chat.stop-list", prompt=10)],
    ),
}


@pytest.mark.parametrize(("name", "kept", "broken"), PAIRS.values(), ids=PAIRS)
def test_a_clause_tells_the_kept_from_the_broken(
    chat: ModuleType, name: str, kept: list[Exchange], broken: list[Exchange]
) -> None:
    assert outcome_of(getattr(chat, name), *kept) == "pass"
    assert outcome_of(getattr(chat, name), *broken) == "fail"


@pytest.mark.parametrize("name", EVERYWHERE.split())
@pytest.mark.parametrize("exchange", LEGAL)
def test_legal_variations_raise_no_finding(chat: ModuleType, name: str, exchange: Exchange) -> None:
    assert outcome_of(getattr(chat, name), exchange) == "pass"


@pytest.mark.parametrize(
    "value", [None, 7, [], [1], {"choices": 3}, {"choices": [None]}, {"choices": [{"message": 4}]}]
)
def test_a_malformed_answer_is_the_matter_of_the_clause_it_breaks_alone(
    contract: Callable[[str], ModuleType], value: Any
) -> None:
    """No clause falls over an answer that another one judges."""
    exchanges = [
        answer(value, asked={"model": MODEL, **ask}, probe=probe)
        for probe, ask in (
            ("chat.plain", {"max_tokens": 24}),
            ("chat.plain-again", {"n": 2}),
            ("chat.stop", {"stop": "e"}),
            ("chat.stop-list", {"n": "two", "stop": 7, "max_tokens": "many"}),
            ("chat.cap", {"max_tokens": 2}),
            ("chat.cap-completion", {"max_completion_tokens": 2}),
        )
    ]
    for clause in clauses_of(contract("chat"), contract("chat_limits")):
        assert "the clause itself failed" not in verdict_of(clause, *exchanges).reason


def test_every_clause_has_a_pair(chat: ModuleType) -> None:
    paired = {name for name, _, _ in PAIRS.values()}
    assert {function.__name__ for function in clauses_of(chat)} - paired == {"documented_requests_are_served"}


def refusal(status: int, message: str, code: str | None = None) -> Exchange:
    error = {"message": message, "type": "invalid_request_error", "param": None, "code": code}
    return answer({"error": error}, status=status, probe="chat.stop-list")


@pytest.mark.parametrize(
    ("exchange", "outcome"),
    [
        (said(probe="chat.n"), "pass"),
        (refusal(400, "n: Input should be a valid integer"), "fail"),
        (refusal(422, "Extra inputs"), "fail"),
        (refusal(500, "internal error"), "fail"),
        (refusal(400, "No.", "unsupported_parameter"), "not-applicable"),
        (refusal(400, "This model does not support several choices."), "not-applicable"),
        (refusal(501, "Later."), "not-applicable"),
        (refusal(404, "The model `x` does not exist"), "not-applicable"),
        (refusal(503, "Loading"), "not-applicable"),
    ],
)
def test_documented_requests_are_served_or_refused_as_unsupported(
    chat: ModuleType, exchange: Exchange, outcome: str
) -> None:
    assert outcome_of(chat.documented_requests_are_served, exchange) == outcome
