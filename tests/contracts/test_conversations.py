"""Clauses of conversations: the flow that keeps each, and the nearest one that breaks it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from types import ModuleType
from typing import Any

import pytest
from made import answer, clauses_of, outcome_of, verdict_of
from made_responses import message, response, usage

from wireproof.clause import Call, Exchange

ID = "conv_1"
PATH = f"/conversations/{ID}"
LABELS, NEW = {"purpose": "wireproof", "stage": "made"}, {"purpose": "wireproof", "stage": "changed"}
MADE: dict[str, Any] = {"id": ID, "object": "conversation", "created_at": 1_760_000_000, "metadata": LABELS}
CHANGED = {**MADE, "metadata": NEW}
STORY = "Fog sleeps by day and walks by night. " * 48
TURNS = (f"{STORY}My cat is called Fog.", "My dog is called Rain.", "My horse is called Hail.")
QUESTION = "Say the name of my dog in one word."


def turn(number: int, text: str) -> dict[str, Any]:
    part = {"type": "input_text", "text": text}
    return {"id": f"msg_{number}", "type": "message", "role": "user", "status": "completed", "content": [part]}


FIRST, SECOND, THIRD = (turn(number, text) for number, text in enumerate(TURNS))
SAID = message("Rain.", id="msg_9")
ALL = [FIRST, SECOND, THIRD, turn(3, QUESTION), SAID]


def page(*items: dict[str, Any], **changed: Any) -> dict[str, Any]:
    ends = {"first_id": items[0]["id"], "last_id": items[-1]["id"]} if items else {"first_id": None, "last_id": None}
    return {"object": "list", "data": list(items), **ends, "has_more": False, **changed}


READ_ALL = usage(input_tokens=420, total_tokens=424)
ANSWERED = response(SAID, conversation={"id": ID}, usage=READ_ALL)
GONE = {"error": {"message": "not found", "type": "invalid_request_error", "param": None, "code": None}}
DELETED = {"id": ID, "object": "conversation.deleted", "deleted": True}
LIFE: tuple[tuple[str, str, str, Any, int], ...] = (
    ("createConversation", "POST", "/conversations", MADE, 200),
    ("updateConversation", "POST", PATH, CHANGED, 200),
    ("getConversation", "GET", PATH, CHANGED, 200),
    ("createConversationItems", "POST", f"{PATH}/items", page(THIRD), 200),
    ("listConversationItems", "GET", f"{PATH}/items", page(FIRST, SECOND, has_more=True), 200),
    ("listConversationItems", "GET", f"{PATH}/items", page(THIRD), 200),
    ("createResponse", "POST", "/responses", ANSWERED, 200),
    ("listConversationItems", "GET", f"{PATH}/items", page(*ALL[::-1]), 200),
    ("createResponse", "POST", "/responses", GONE, 400),
    ("getConversationItem", "GET", f"{PATH}/items/msg_0", FIRST, 200),
    ("deleteConversationItem", "DELETE", f"{PATH}/items/msg_0", CHANGED, 200),
    ("getConversationItem", "GET", f"{PATH}/items/msg_0", GONE, 404),
    ("deleteConversation", "DELETE", PATH, DELETED, 200),
    ("getConversation", "GET", PATH, GONE, 404),
    ("createResponse", "POST", "/responses", GONE, 404),
)
(
    CREATE, UPDATE, READ, ADD, PAGE, NEXT, RESPOND, NEWEST, BOTH, ITEM, ITEM_GONE, ITEM_AFTER, DELETE, AFTER,
    NO_MORE,
) = range(15)  # fmt: skip


@pytest.fixture(scope="module")
def clauses(contract: Callable[[str], ModuleType]) -> dict[str, Any]:
    return {one.clause.id.removeprefix("conversations."): one for one in clauses_of(contract("conversations"))}


def life(body: dict[int, Any] | None = None, status: dict[int, int] | None = None, steps: int = 15) -> list[Exchange]:
    """The flow, with other bodies or statuses at some of its steps."""
    made = []
    for step, (operation, method, path, said, code) in enumerate(LIFE[:steps]):
        one = answer(
            (body or {}).get(step, said),
            operation=operation,
            method=method,
            path=path,
            status=(status or {}).get(step, code),
            probe="conversations.life",
            step=step,
            asked={} if method == "POST" else None,
        )
        query = {PAGE: {"order": "asc", "limit": "2"}, NEXT: {"order": "asc", "after": "msg_1"}}.get(step, {})
        made.append(replace(one, request=replace(one.request, query=query)))
    return made


PAIRS: dict[str, tuple[str, list[Exchange]]] = {
    "a thread": ("schema", life({READ: {**CHANGED, "object": "thread"}})),
    "no metadata": ("created", life({CREATE: {**MADE, "metadata": {}}})),
    "another time": ("created", life({CREATE: {**MADE, "created_at": 1}})),
    "not changed": ("update", life({UPDATE: MADE})),
    "not to be changed": ("update", life({UPDATE: GONE}, {UPDATE: 400})),
    "made anew": ("get", life({READ: {**CHANGED, "created_at": 1_760_000_009}})),
    "read as before": ("get", life({READ: MADE})),
    "made anew by an update": ("update", life({UPDATE: {**CHANGED, "created_at": 1_760_000_009}})),
    "added under another id": ("items.added", life({ADD: page({**THIRD, "id": "msg_7"})})),
    "an item still there": ("items.gone", life({ITEM_AFTER: FIRST}, {ITEM_AFTER: 200})),
    "a thread is left": ("items.delete", life({ITEM_GONE: {**CHANGED, "object": "thread"}})),
    "nothing read": ("reach", life({RESPOND: {**ANSWERED, "usage": usage(input_tokens=21, total_tokens=25)}})),
    "made up": ("unknown", life({NO_MORE: response(SAID)}, {NO_MORE: 200})),
    "a server error": ("unknown", life(status={NO_MORE: 500})),
    "two pasts": ("alone", life({BOTH: ANSWERED}, {BOTH: 200})),
    "not deleted": ("delete", life({DELETE: {**DELETED, "deleted": False}})),
    "still there": ("gone", life({AFTER: CHANGED}, {AFTER: 200})),
    "no has_more": ("items.schema", life({PAGE: {"object": "list", "data": []}})),
    "all answered": ("items.added", life({ADD: page(FIRST, SECOND, THIRD)})),
    "added without id": ("items.added", life({ADD: page({**THIRD, "id": ""})})),
    "the first page again": ("items.order", life({NEXT: page(FIRST, SECOND)})),
    "turned round": ("items.order", life({PAGE: page(SECOND, FIRST, has_more=True)})),
    "no more": ("items.more", life({PAGE: page(FIRST, SECOND)})),
    "always more": ("items.more", life({NEXT: page(THIRD, has_more=True)})),
    "one order": ("items.descending", life({NEWEST: page(*ALL)})),
    "another item": ("items.get", life({ITEM: SECOND})),
    "not the conversation": ("items.delete", life({ITEM_GONE: {"id": "msg_0", "deleted": True}})),
    "not named": ("response", life({RESPOND: response(SAID)})),
    "not added": ("appends", life({NEWEST: page(THIRD, SECOND, FIRST)})),
    "output not added": ("appends", life({NEWEST: page(*ALL[-2::-1])})),
}


@pytest.mark.parametrize("case", PAIRS)
def test_a_clause_tells_the_kept_flow_from_the_broken_one(clauses: dict[str, Any], case: str) -> None:
    id, broken = PAIRS[case]
    assert verdict_of(clauses[id], *life()).outcome == "pass", verdict_of(clauses[id], *life())
    assert outcome_of(clauses[id], *broken) == "fail"


def test_every_clause_has_a_pair(clauses: dict[str, Any]) -> None:
    assert set(clauses) == {id for id, _ in PAIRS.values()}


THOUGHT = {"id": "rs_1", "type": "reasoning", "summary": []}
LEGAL = {
    "no conversations": life({CREATE: GONE}, {CREATE: 404}, steps=1),
    "no such method": life({CREATE: GONE}, {CREATE: 405}, steps=1),
    "not implemented": life({CREATE: GONE}, {CREATE: 501}, steps=1),
    "no responses in them": life({RESPOND: GONE, NEWEST: page(THIRD, SECOND, FIRST)}, {RESPOND: 400}),
    "thoughts among the items": life(
        {
            RESPOND: response(THOUGHT, SAID, conversation={"id": ID}, usage=READ_ALL),
            NEWEST: page(SAID, THOUGHT, turn(3, QUESTION), THIRD, SECOND, FIRST),
        }
    ),
    "items without status": life({ADD: page({name: value for name, value in THIRD.items() if name != "status"})}),
    "items whose status is null": life({ADD: page({**THIRD, "status": None})}),
}


@pytest.mark.parametrize("case", LEGAL)
def test_what_is_legal_is_no_finding(clauses: dict[str, Any], case: str) -> None:
    found = {id: verdict_of(one, *LEGAL[case]).findings for id, one in clauses.items()}
    assert {id: findings for id, findings in found.items() if findings} == {}


@pytest.mark.parametrize("step", range(15))
@pytest.mark.parametrize("said", ["text", [], b"<html>", {"data": 1, "output": [3], "id": []}], ids=range(4))
def test_no_clause_stumbles_over_a_malformed_answer(clauses: dict[str, Any], step: int, said: Any) -> None:
    for clause in clauses.values():
        assert "the clause itself failed" not in verdict_of(clause, *life({step: said})).reason


def walked(contract: Callable[[str], ModuleType], answers: list[Exchange]) -> list[Call]:
    """The calls of the probe when it is answered so."""
    calls, run = [], contract("conversations").life_of_a_conversation.run()
    call = next(run)
    for exchange in answers:
        calls.append(call)
        try:
            call = run.send(exchange)
        except StopIteration:
            return calls
    raise AssertionError("the flow asks for more")


def test_the_flow_walks_through_a_life(contract: Callable[[str], ModuleType]) -> None:
    calls = walked(contract, life())
    assert [(call.method, call.path) for call in calls] == [(method, path) for _, method, path, _, _ in LIFE]
    assert len(calls) == contract("conversations").life_of_a_conversation.most
    assert calls[NEXT].query["after"] == "msg_1"


@pytest.mark.parametrize("case", ["no conversations", "no such method", "not implemented"])
def test_the_flow_stops_where_there_are_no_conversations(contract: Callable[[str], ModuleType], case: str) -> None:
    assert len(walked(contract, LEGAL[case])) == 1
