"""Each clause of contracts/chat_structured.py with exchanges that keep it and the nearest that break it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import ModuleType
from typing import Any

import pytest
from made import answer, outcome_of, stream, verdict_of

from wireproof.clause import Exchange, contents

OBJECT = {"type": "json_object"}
SCHEMA = {
    "type": "object",
    "properties": {
        "color": {"type": "string", "enum": ["red", "green"]},
        "can": {
            "type": "object",
            "properties": {"size": {"type": "integer"}, "unit": {"type": "string"}},
            "required": ["size", "unit"],
            "additionalProperties": False,
        },
    },
    "required": ["color", "can"],
    "additionalProperties": False,
}
KEPT = '{"color": "red", "can": {"size": 1, "unit": "liter"}}'


def strict(schema: Any = None, **more: Any) -> dict[str, Any]:
    described = {"name": "paint", "strict": True, "schema": SCHEMA if schema is None else schema, **more}
    return {"type": "json_schema", "json_schema": described}


def plain(
    content: Any,
    wanted: Mapping[str, Any] = OBJECT,
    *,
    finish: str = "stop",
    probe: str = "structured.made",
    **more: Any,
) -> Exchange:
    message = {"role": "assistant", "content": content, "refusal": None, **more}
    body = {"choices": [{"index": 0, "message": message, "finish_reason": finish, "logprobs": None}]}
    return answer(body, asked={"response_format": wanted}, probe=probe)


def told(*pieces: Any, wanted: Mapping[str, Any] = OBJECT, finish: str = "stop", field: str = "content") -> Exchange:
    chunks: list[Any] = [{"choices": [{"index": 0, "delta": {"role": "assistant"}, "finish_reason": None}]}]
    chunks += [{"choices": [{"index": 0, "delta": {field: piece}, "finish_reason": None}]} for piece in pieces]
    chunks += [{"choices": [{"index": 0, "delta": {}, "finish_reason": finish}]}, {"choices": [], "usage": {}}]
    return stream(chunks, asked={"response_format": wanted}, probe="structured.made")


def refused(status: int, code: str | None = None, says: str = "type must be json_schema or text") -> Exchange:
    error = {"message": says, "type": "invalid_request_error", "code": code}
    return answer({"error": error}, status=status, asked={"response_format": OBJECT}, probe="structured.made")


# llama.cpp ends so when it can't parse what the model wrote: no finish_reason, no [DONE].
BROKEN_OFF = stream(
    [
        {"choices": [{"index": 0, "delta": {"content": '{ "'}, "finish_reason": None}]},
        {"error": {"code": 500, "message": "no match of the expected format", "type": "server_error"}},
    ],
    asked={"response_format": OBJECT},
    done=False,
)

# clause: (exchanges that keep it, exchanges that break it); each is judged alone.
PAIRS: dict[str, tuple[list[Exchange], list[Exchange]]] = {
    "chat.structured.accepts": ([plain("{}")], [refused(400)]),
    "chat.structured.text": (
        [plain("{}"), plain(None, refusal="I can't help."), plain(None, finish="length"), told("{", "}")],
        [plain({"a": 1}), plain(None), plain(""), told(finish="stop")],
    ),
    "chat.structured.refusal": (
        [plain(None, refusal="No."), plain("", refusal="No."), plain("{}"), told("No.", field="refusal")],
        [plain("{}", refusal="No.")],
    ),
    "chat.structured.json": (
        [plain("{}"), plain(' {"a": [1]}\n'), plain(KEPT, strict()), told('{"a"', ": 1", "}")],
        [
            plain('{"a": 1} I hope that helps!'),
            plain('Here it is: {"a": 1}'),
            plain('```json\n{"a": 1}\n```'),
            plain("{'a': 1}"),
            plain('{"a": 1}{"b": 2}'),
            plain('{"a": NaN}'),
            plain('{"a": 1'),
            plain("It is red.", strict()),
            plain("Well, let me th", finish="length"),
            told('{"a"', " 1", "}"),
            told(KEPT, " Done.", wanted=strict()),
        ],
    ),
    "chat.structured.object": (
        [plain('{"a": 1}'), told("{", "}")],
        [plain("[1]"), plain('"red"'), plain("7"), told("[", "]")],
    ),
    "chat.structured.schema": (
        [plain(KEPT, strict()), told(KEPT[:9], KEPT[9:], wanted=strict())],
        [
            plain('{"color": "red"}', strict()),
            plain(KEPT.replace("red", "pink"), strict()),
            plain(KEPT.replace("1", '"1"'), strict()),
            plain(KEPT[:-1] + ', "more": 1}', strict()),
            plain("[]", strict()),
            told('{"answer": "red"}', wanted=strict()),
        ],
    ),
    "chat.structured.key-order": (
        [plain(KEPT, strict()), plain('{"can": {"unit": "x"}}', strict()), plain('{"z": 1, "color": 1}', strict())],
        [
            plain('{"can": {"size": 1, "unit": "liter"}, "color": "red"}', strict()),
            plain('{"color": "red", "can": {"unit": "liter", "size": 1}}', strict()),
        ],
    ),
}


@pytest.fixture
def clauses(contract: Callable[[str], ModuleType]) -> dict[str, Any]:
    found, _ = contents([contract("chat_structured")])
    return {clause.id: clause for clause in found}


ROWS = [(id, one, held) for id, pair in PAIRS.items() for held in (True, False) for one in pair[not held]]


def test_every_clause_has_a_pair(clauses: dict[str, Any]) -> None:
    assert set(PAIRS) == set(clauses)


@pytest.mark.parametrize(("id", "exchange", "held"), ROWS)
def test_a_clause_tells_kept_from_broken(clauses: dict[str, Any], id: str, exchange: Exchange, held: bool) -> None:
    verdict = verdict_of(clauses[id], exchange)
    assert verdict.outcome == ("pass" if held else "fail"), (verdict.reason, verdict.findings)


LEGAL = {
    "an object": plain('{"a": 1}', reasoning_content="hm", annotations=[]),
    "an object on many lines": plain('\n{\n  "a": 1\n}\n'),
    "a strict answer": plain(KEPT, strict()),
    "a strict answer token by token": told(*KEPT, wanted=strict()),
    "a strict answer in one delta": told(KEPT, wanted=strict()),
    "nulls between pieces": told(None, KEPT, None, "", wanted=strict()),
    "a refusal": plain(None, strict(), refusal="I can't help with that."),
    "a streamed refusal": told("I can't", " help.", field="refusal", wanted=strict()),
    "cut": plain('{"color": "re', strict(), finish="length"),
    "cut before a word": plain(None, strict(), finish="length"),
    "cut in white space": plain(" \n\n", finish="length"),
    "a loose schema": plain("as I like", {"type": "json_schema", "json_schema": {"name": "x", "schema": SCHEMA}}),
    "plain text asked for": plain("words", {"type": "text"}),
}


@pytest.mark.parametrize("exchange", LEGAL.values(), ids=LEGAL)
def test_legal_variations_break_nothing(clauses: dict[str, Any], exchange: Exchange) -> None:
    assert [id for id, clause in clauses.items() if outcome_of(clause, exchange) == "fail"] == []


@pytest.mark.parametrize(
    ("id", "exchange", "outcome"),
    [
        ("chat.structured.json", plain('{"a', finish="length"), "inconclusive"),
        ("chat.structured.schema", plain(KEPT[:9], strict(), finish="length"), "inconclusive"),
        ("chat.structured.schema", plain("red", strict()), "inconclusive"),
        ("chat.structured.schema", plain(KEPT, strict({"$ref": "http://127.0.0.1:9/x"})), "inconclusive"),
        ("chat.structured.schema", plain(None, strict(), refusal="No."), "not-applicable"),
        ("chat.structured.schema", plain("red", strict(strict=False)), "not-applicable"),
        ("chat.structured.accepts", refused(400, "unsupported_parameter"), "not-applicable"),
        ("chat.structured.accepts", refused(400, says="response_format is not supported here"), "not-applicable"),
        ("chat.structured.accepts", refused(400, says="the type json_object is not supported"), "fail"),
        ("chat.structured.accepts", refused(503), "inconclusive"),
        ("chat.structured.accepts", refused(500), "inconclusive"),
        ("chat.structured.json", BROKEN_OFF, "inconclusive"),
        ("chat.structured.text", BROKEN_OFF, "inconclusive"),
    ],
)
def test_what_proves_nothing_is_no_finding(clauses: dict[str, Any], id: str, exchange: Exchange, outcome: str) -> None:
    assert outcome_of(clauses[id], exchange) == outcome


@pytest.mark.parametrize("body", [None, [], {"choices": [None, 1, {}]}, {"choices": [{"index": {}, "message": 3}]}])
@pytest.mark.parametrize("wanted", [OBJECT, strict()])
def test_malformed_answers_crash_no_clause(clauses: dict[str, Any], body: Any, wanted: dict[str, Any]) -> None:
    asked = {"response_format": wanted}
    for one in (answer(body, asked=asked), stream([body, b"data: {\n\n"], asked=asked)):
        reasons = [verdict_of(clause, one).reason for clause in clauses.values()]
        assert not [reason for reason in reasons if "the clause itself failed" in reason]


def test_the_probes_are_three(contract: Callable[[str], ModuleType]) -> None:
    assert len(contents([contract("chat_structured")])[1]) == 3
