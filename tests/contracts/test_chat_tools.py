"""Each clause of contracts/chat_tool*.py with exchanges that keep it and the nearest that break it."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from types import ModuleType
from typing import Any

import pytest
from made import answer, outcome_of, stream, verdict_of

from wireproof.clause import Exchange, contents
from wireproof.content import load_file, shelf

TOOL = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "strict": True,
        "parameters": {
            "type": "object",
            "properties": {"city": {"type": "string"}},
            "required": ["city"],
            "additionalProperties": False,
        },
    },
}
OTHER = {"type": "function", "function": {"name": "get_time", "parameters": {"type": "object"}}}
NAMED = {"type": "function", "function": {"name": "get_weather"}}
ARGUMENTS = '{"city": "Paris"}'
PAST = [
    {"role": "user", "content": "hi"},
    {"role": "assistant", "content": None, "tool_calls": [{"id": "call_1"}]},
    {"role": "tool", "tool_call_id": "call_1", "content": "21"},
]


def call(id: Any = "call_1", name: Any = "get_weather", arguments: Any = ARGUMENTS, **more: Any) -> dict[str, Any]:
    return {"id": id, "type": "function", "function": {"name": name, "arguments": arguments}, **more}


def asked(choice: Any = "required", **more: Any) -> dict[str, Any]:
    return {"model": "m", "messages": [], "tools": [TOOL, OTHER], "tool_choice": choice, **more}


def plain(
    calls: Sequence[Any] | None = None,
    *,
    finish: str = "tool_calls",
    choice: Any = "required",
    ask: Mapping[str, Any] | None = None,
    id: str = "chatcmpl-1",
    probe: str = "tools.made",
    without: Sequence[str] = (),
    **message: Any,
) -> Exchange:
    said = {"role": "assistant", "content": None, "refusal": None, **message}
    if calls is not None:
        said["tool_calls"] = list(calls)
    said = {key: value for key, value in said.items() if key not in without}
    body = {"id": id, "choices": [{"index": 0, "message": said, "finish_reason": finish, "logprobs": None}]}
    return answer(body, asked=asked(choice, **(ask or {})), probe=probe)


def words(text: str = "It is fine.", *, finish: str = "stop", choice: Any = "required", **more: Any) -> Exchange:
    return plain(finish=finish, choice=choice, content=text, **more)


def head(index: Any = 0, id: Any = "call_1", name: Any = "get_weather", **more: Any) -> dict[str, Any]:
    return {"index": index, "id": id, "type": "function", "function": {"name": name, "arguments": ""}, **more}


def rest(arguments: Any, index: Any = 0, **more: Any) -> dict[str, Any]:
    function = {"arguments": arguments, **more.pop("function", {})}
    return {"index": index, "function": function, **more}


def without(key: str, delta: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in delta.items() if name != key}


def chunk(delta: Any, finish: str | None = None, **choice: Any) -> dict[str, Any]:
    return {"id": "chatcmpl-2", "choices": [{"index": 0, "delta": delta, "finish_reason": finish, **choice}]}


def told(
    *deltas: dict[str, Any], finish: str = "tool_calls", choice: Any = "required", probe: str = "tools.made"
) -> Exchange:
    chunks = [chunk({"role": "assistant", "content": None})]
    chunks += [chunk({"tool_calls": [delta]}) for delta in deltas]
    return stream([*chunks, chunk({}, finish)], asked=asked(choice), probe=probe)


def refused(
    status: int, code: str | None = None, *, ask: Mapping[str, Any], probe: str = "tools.made", says: str = "no"
) -> Exchange:
    error = {"message": says, "type": "invalid_request_error", "param": None, "code": code}
    return answer({"error": error}, status=status, asked=ask, probe=probe)


ONE = told(head(), rest('{"city": '), rest('"Paris"}'))
TWO = told(head(), rest(ARGUMENTS), head(1, "call_2", "get_time"), rest("{}", 1))
CROSSED = told(head(), head(1, "call_2", "get_time"), rest('{"city"', 0), rest("{}", 1), rest(': "Paris"}', 0))
UNKNOWN = {"type": "function", "function": {"name": "launch"}}
BROKEN_OFF = stream([chunk({"content": "Le"}), {"error": {"code": 500, "message": "no"}}], asked=asked(), done=False)
IN_MESSAGE = stream([chunk({}, "tool_calls", message={"tool_calls": [call()]})], asked=asked())
LEGACY = {"function_call": {"name": "get_weather", "arguments": ARGUMENTS}}

# clause: (exchanges that keep it, exchanges that break it); each is judged alone.
PAIRS: dict[str, tuple[list[Exchange], list[Exchange]]] = {
    "chat.tools.accepts": (
        [plain([call()]), ONE],
        [refused(400, ask=asked())],
    ),
    "chat.tools.result": (
        [words(ask={"messages": PAST}, choice="none")],
        [refused(400, "invalid_type", ask=asked("none", messages=PAST))],
    ),
    "chat.tools.choice-unknown": (
        [refused(400, ask=asked(UNKNOWN)), refused(422, ask=asked(UNKNOWN))],
        [words(choice=UNKNOWN), plain([call()], choice=UNKNOWN), refused(500, ask=asked(UNKNOWN))],
    ),
    "chat.tools.named": (
        [plain([call()], choice=NAMED), plain([call()], choice=NAMED, finish="stop"), told(head(), choice=NAMED)],
        [
            words(choice=NAMED),
            plain([call(name="get_time")], choice=NAMED),
            plain([call(), call("call_2", "get_time")], choice=NAMED),
            told(choice=NAMED, finish="stop"),
        ],
    ),
    "chat.tools.required": ([plain([call()]), ONE, TWO], [words(), plain([]), told(finish="stop")]),
    "chat.tools.none": (
        [words(choice="none"), words(choice="none", finish="length"), told(choice="none", finish="stop")],
        [plain([call()], choice="none"), told(head(), choice="none")],
    ),
    "chat.tools.parallel-false": (
        [plain([call()], ask={"parallel_tool_calls": False})],
        [plain([call(), call("call_2")], ask={"parallel_tool_calls": False})],
    ),
    "chat.tools.id": (
        [plain([call("x")]), plain([call("call_2")]), ONE],
        [plain([call("")]), plain([call(None)]), plain([call(7)]), told(without("id", head()), rest(ARGUMENTS))],
    ),
    "chat.tools.ids-unique": (
        [plain([call(), call("call_2")]), TWO],
        [plain([call(), call()]), told(head(), head(1), rest("{}", 1))],
    ),
    "chat.tools.type": (
        [plain([call()]), ONE, told(without("type", head()), rest("{}"))],
        [plain([call(type="tool")]), plain([without("type", call())]), told(head(type="func"), rest("{}"))],
    ),
    "chat.tools.declared": (
        [plain([call(name="get_time")]), TWO],
        [plain([call(name="functions.get_weather")]), plain([call(name=None)]), told(head(name="Get_Weather"))],
    ),
    "chat.tools.arguments-string": (
        [plain([call(arguments="")]), ONE],
        [plain([call(arguments={"city": "Paris"})]), plain([call(arguments=None)]), told(head(), rest({"city": 1}))],
    ),
    "chat.tools.arguments-json": (
        [plain([call()]), plain([call(arguments=' {"city":"x"}\n')]), ONE, TWO, CROSSED],
        [
            plain([call(arguments="{'city': 'Paris'}")]),
            plain([call(arguments=json.dumps(ARGUMENTS))]),
            plain([call(arguments="")]),
            plain([call(arguments="[]")]),
            plain([call(arguments='{"city": NaN}')]),
            plain([call(arguments=ARGUMENTS + ARGUMENTS)]),
            told(head(), rest('{"city": ')),
            told(head(), rest('{"city": '), rest(ARGUMENTS)),
        ],
    ),
    "chat.tools.arguments-schema": (
        [plain([call()]), plain([call(name="get_time", arguments='{"any": 1}')]), ONE],
        [
            plain([call(arguments="{}")]),
            plain([call(arguments='{"city": 1}')]),
            plain([call(arguments='{"city": "x", "more": 1}')]),
            told(head(), rest("{}")),
        ],
    ),
    "chat.tools.finish": (
        [plain([call()]), plain([call()], finish="stop", choice=NAMED), plain([call()], finish="length"), ONE],
        [
            plain([call()], finish="stop"),
            plain([call()], finish="tool_call"),
            plain([call()], finish="TOOL_CALLS", choice=NAMED),
            told(head(), rest("{}"), finish="stop"),
        ],
    ),
    "chat.tools.finish-needs-call": (
        [plain([call()]), words(), ONE],
        [words(finish="tool_calls"), told(finish="tool_calls")],
    ),
    "chat.tools.content-key": (
        [plain([call()]), plain([call()], content="Let me see."), plain([call()], content="")],
        [plain([call()], without=["content"]), plain([call()], content=[{"type": "text", "text": "x"}])],
    ),
    "chat.tools.empty-array": ([words(), words(tool_calls=None), plain([call()])], [plain([], content="Fine.")]),
    "chat.tools.legacy": (
        [plain([call()], function_call=None), words(), ONE],
        [
            plain(function_call=LEGACY["function_call"]),
            stream([chunk(LEGACY), chunk({}, "function_call")], asked=asked()),
        ],
    ),
    "chat.tools.leak": (
        [
            words("Let me call get_weather for you."),
            words('{"name": "Paris"}'),
            plain([call()]),
            words("<b>no</b>"),
            words('<tool_call>{"name": "get_wea', finish="length"),
        ],
        [
            words('<tool_call>{"name": "get_weather"}</tool_call>'),
            words(f'{{"name": "get_weather", "arguments": {ARGUMENTS}}}'),
            plain([call()], content=f"I call get_weather{ARGUMENTS}"),
            plain([call()], content="null"),
            stream([chunk({"content": "[TOOL_"}), chunk({"content": "CALLS]"}), chunk({}, "stop")], asked=asked()),
        ],
    ),
    "chat.tools.stream.opens": (
        [ONE, TWO, CROSSED, told({**head(), "function": {"name": "get_weather"}})],
        [told(without(key, head()), rest(ARGUMENTS)) for key in ("id", "type", "function")]
        + [told(rest("{"), head(), rest("}"))],
    ),
    "chat.tools.stream.once": (
        [
            ONE,
            CROSSED,
            told(head(), rest(ARGUMENTS, id=None, function={"name": None})),
            told(head(), rest(ARGUMENTS, id="", function={"name": ""})),
            told(head(), rest(ARGUMENTS, type="function")),
        ],
        [told(head(), rest(ARGUMENTS, id="call_1")), told(head(), rest(ARGUMENTS, function={"name": "get_weather"}))],
    ),
    "chat.tools.stream.type-once": (
        [ONE, told(head(), rest(ARGUMENTS, type=None))],
        [told(head(), rest(ARGUMENTS, type="function"))],
    ),
    "chat.tools.stream.type-null": (
        [ONE, CROSSED, told(head(), rest(ARGUMENTS, type="function")), told(head(), rest(ARGUMENTS, id=None))],
        [told(head(), rest(ARGUMENTS, type=None)), told(head(), rest("{"), rest("}", id=None, type=None))],
    ),
    "chat.tools.stream.index": (
        [ONE, TWO, CROSSED],
        [
            told(head(), rest(ARGUMENTS), head(0, "call_2", "get_time"), rest("{}", 0)),
            told(without("index", head()), without("index", rest(ARGUMENTS))),
            told(head(1), rest(ARGUMENTS, 1)),
            told(head("0"), rest(ARGUMENTS, "0")),
            told(head(False), rest(ARGUMENTS, False)),
        ],
    ),
    "chat.tools.stream.in-delta": ([ONE, told(finish="stop")], [IN_MESSAGE]),
}
# Judged on several exchanges at once.
TOGETHER: dict[str, tuple[list[list[Exchange]], list[list[Exchange]]]] = {
    "chat.tools.ids-fresh": (
        [
            [plain([call()]), plain([call("call_2")], probe="tools.later", id="chatcmpl-9")],
            [plain([call()]), plain([call()], probe="tools.later")],
        ],
        [[plain([call()]), plain([call()], probe="tools.later", id="chatcmpl-9")]],
    ),
}


@pytest.fixture
def clauses(contract: Callable[[str], ModuleType]) -> dict[str, Any]:
    found, _ = contents(map(contract, ("chat_tools", "chat_tool_calls", "chat_tool_streams")))
    return {clause.id: clause for clause in found}


ROWS = [(id, [one], held) for id, pair in PAIRS.items() for held in (True, False) for one in pair[not held]]
ROWS += [(id, group, held) for id, pair in TOGETHER.items() for held in (True, False) for group in pair[not held]]


def test_every_clause_has_a_pair(clauses: dict[str, Any]) -> None:
    assert {*PAIRS, *TOGETHER} == set(clauses)


@pytest.mark.parametrize(("id", "exchanges", "held"), ROWS)
def test_a_clause_tells_kept_from_broken(
    clauses: dict[str, Any], id: str, exchanges: list[Exchange], held: bool
) -> None:
    verdict = verdict_of(clauses[id], *exchanges)
    assert verdict.outcome == ("pass" if held else "fail"), (verdict.reason, verdict.findings)


LEGAL = {
    "a plain call": plain([call()]),
    "text beside the call": plain([call()], content="Let me see."),
    "extra keys": plain([call(index=0, custom=None)], reasoning_content="hm", function_call=None, annotations=[]),
    "a named call that ends with stop": plain([call()], choice=NAMED, finish="stop"),
    "a stream": ONE,
    "two calls, one after the other": TWO,
    "two calls, crossed": CROSSED,
    "a call in one delta": told({**head(), "function": {"name": "get_weather", "arguments": ARGUMENTS}}),
    "both calls in one event": stream(
        [
            chunk({"role": "assistant", "tool_calls": [head(), head(1, "call_2", "get_time")]}),
            chunk({"tool_calls": [rest(ARGUMENTS), rest("{}", 1)]}, "tool_calls"),
            {"id": "chatcmpl-2", "choices": [], "usage": {}},
        ],
        asked=asked(),
    ),
    "nulls in later deltas": told(head(), rest(ARGUMENTS, id=None, function={"name": None})),
    "comments between events": stream(
        [b": ping\r\n\r\n", chunk({"tool_calls": [head()]}), b": ping\n\n", chunk({"tool_calls": [rest(ARGUMENTS)]}),
         chunk({}, "tool_calls")],
        asked=asked(),
    ),
    "two choices": answer(
        {"choices": [{"index": at, "message": {"content": None, "tool_calls": [call(f"call_{at}")]},
                      "finish_reason": "tool_calls"} for at in (0, 1)]},
        asked=asked(n=2), probe="tools.made",
    ),
}  # fmt: skip


@pytest.mark.parametrize("exchange", LEGAL.values(), ids=LEGAL)
def test_legal_variations_break_nothing(clauses: dict[str, Any], exchange: Exchange) -> None:
    assert [id for id, clause in clauses.items() if outcome_of(clause, exchange) in ("fail", "inconclusive")] == []


@pytest.mark.parametrize(
    ("id", "exchange", "outcome"),
    [
        ("chat.tools.required", words(finish="length"), "inconclusive"),
        ("chat.tools.named", words(finish="length", choice=NAMED), "inconclusive"),
        ("chat.tools.required", words("", refusal="I can't."), "inconclusive"),
        ("chat.tools.arguments-json", plain([call(arguments='{"ci')], finish="length"), "inconclusive"),
        ("chat.tools.parallel-false", words(ask={"parallel_tool_calls": False}), "not-applicable"),
        ("chat.tools.accepts", refused(400, "unsupported_parameter", ask=asked()), "not-applicable"),
        ("chat.tools.accepts", refused(400, ask=asked(), says="gemma:2b does not support tools"), "not-applicable"),
        ("chat.tools.accepts", refused(400, ask=asked(), says="tool_choice 'required' is not supported"), "fail"),
        ("chat.tools.accepts", refused(429, ask=asked()), "inconclusive"),
        ("chat.tools.accepts", refused(500, ask=asked()), "inconclusive"),
        ("chat.tools.result", refused(500, ask=asked("none", messages=PAST)), "inconclusive"),
        (
            "chat.tools.result",
            refused(400, "context_length_exceeded", ask=asked("none", messages=PAST)),
            "not-applicable",
        ),
        ("chat.tools.required", BROKEN_OFF, "inconclusive"),
        ("chat.tools.choice-unknown", refused(429, ask=asked(UNKNOWN)), "inconclusive"),
        ("chat.tools.arguments-schema", plain([call(arguments="{}"), call("call_2")]), "pass"),
    ],
)
def test_what_proves_nothing_is_no_finding(clauses: dict[str, Any], id: str, exchange: Exchange, outcome: str) -> None:
    assert outcome_of(clauses[id], exchange) == outcome


MALFORMED: list[Any] = [None, [], {}, "x", {"choices": None}, {"choices": [None, 1, {}]}, {"choices": [{"message": 3}]},
                        {"choices": [{"message": {"tool_calls": [None, {}, {"function": 1}]}}]},
                        {"choices": [{"index": [], "delta": {"tool_calls": [{"index": {}, "id": [], "function": []}]},
                                      "finish_reason": {}}]}]  # fmt: skip


@pytest.mark.parametrize("body", MALFORMED)
def test_malformed_answers_crash_no_clause(clauses: dict[str, Any], body: Any) -> None:
    for one in (answer(body, asked=asked()), stream([body, b"data: {\n\n"], asked=asked())):
        reasons = [verdict_of(clause, one).reason for clause in clauses.values()]
        assert not [reason for reason in reasons if "the clause itself failed" in reason]


def test_the_probes_are_seven() -> None:
    _, probes = contents([load_file(shelf("contracts") / "chat_tools.py", "contracts")])
    assert len(probes) == 7
