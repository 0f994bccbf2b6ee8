"""Clauses of stored chat completions: the flow that keeps each, and the nearest one that breaks it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from types import ModuleType
from typing import Any

import pytest
from made import answer, clauses_of, outcome_of, verdict_of

from wireproof.clause import Call, Exchange

ID = "chatcmpl-1"
PATH = f"/chat/completions/{ID}"


@pytest.fixture(scope="module")
def stored(contract: Callable[[str], ModuleType]) -> ModuleType:
    return contract("chat_stored")


def completion(**changed: Any) -> dict[str, Any]:
    message = {"role": "assistant", "content": "The Elbe.", "refusal": None}
    return {
        "id": ID,
        "object": "chat.completion",
        "created": 1_760_000_000,
        "model": "gpt-4.1-mini-2025-04-14",
        "choices": [{"index": 0, "message": message, "logprobs": None, "finish_reason": "stop"}],
        "usage": {"prompt_tokens": 10, "completion_tokens": 3, "total_tokens": 13},
        "metadata": {"purpose": "wireproof", "stage": "made"},
        **changed,
    }


def page(*rows: dict[str, Any], **changed: Any) -> dict[str, Any]:
    ends = {"first_id": rows[0]["id"], "last_id": rows[-1]["id"]} if rows else {"first_id": None, "last_id": None}
    return {"object": "list", "data": list(rows), **ends, "has_more": False, **changed}


DELETED = {"id": ID, "object": "chat.completion.deleted", "deleted": True}
GONE = {"error": {"message": "not found", "type": "invalid_request_error", "param": None, "code": None}}
CHANGED = {"purpose": "wireproof", "stage": "changed"}
LIFE: tuple[tuple[str, str, str, Any, int], ...] = (
    ("createChatCompletion", "POST", "/chat/completions", completion(), 200),
    ("getChatCompletion", "GET", PATH, completion(), 200),
    ("updateChatCompletion", "POST", PATH, completion(metadata=CHANGED), 200),
    ("listChatCompletions", "GET", "/chat/completions", page(completion(metadata=CHANGED)), 200),
    ("deleteChatCompletion", "DELETE", PATH, DELETED, 200),
    ("getChatCompletion", "GET", PATH, GONE, 404),
)
MADE, READ, UPDATED, LISTED, DELETION, AFTER = range(6)


def life(
    changed: dict[int, Any] | None = None, *, status: dict[int, int] | None = None, steps: int = 6
) -> list[Exchange]:
    """The flow, with other bodies or statuses at some of its steps."""
    flow = []
    for step, (operation, method, path, said, code) in enumerate(LIFE[:steps]):
        body, code = (changed or {}).get(step, said), (status or {}).get(step, code)
        one = answer(
            body, operation=operation, method=method, path=path, status=code, probe="chat.stored", step=step, asked={}
        )
        query = {"limit": "1", "order": "desc"} if step == LISTED else {}
        flow.append(replace(one, request=replace(one.request, query=query)))
    return flow


OTHER = completion(id="chatcmpl-2")
PAIRS: dict[str, tuple[str, list[Exchange]]] = {
    "no has_more": ("answers_follow_the_schema", life({LISTED: {"object": "list", "data": [], "first_id": None}})),
    "not kept": ("what_is_to_be_stored_is_kept", life({READ: GONE}, status={READ: 404}, steps=2)),
    "made anew": ("a_stored_completion_reads_as_it_was_made", life({READ: completion(created=1)})),
    "another text": ("a_stored_completion_reads_as_it_was_made", life({READ: completion(choices=[])})),
    "labels lost": ("metadata_comes_back", life({READ: completion(metadata=None)})),
    "labels not kept": (
        "metadata_comes_back",
        life({READ: {k: v for k, v in completion().items() if k != "metadata"}}),
    ),
    "not listed": ("a_stored_completion_is_listed", life({LISTED: page()})),
    "a list refused": ("a_stored_completion_is_listed", life({LISTED: GONE}, status={LISTED: 404})),
    "other counts": ("a_stored_completion_reads_as_it_was_made", life({READ: completion(usage={"prompt_tokens": 1})})),
    "listed otherwise": ("a_stored_completion_is_listed", life({LISTED: page(completion(created=1))})),
    "an update forgotten": ("an_update_is_kept", life({LISTED: page(completion())})),
    "an update ignored": ("an_update_changes_the_metadata", life({UPDATED: completion()})),
    "an update refused": ("an_update_changes_the_metadata", life({UPDATED: GONE}, status={UPDATED: 400})),
    "not said to be deleted": ("a_deletion_says_so", life({DELETION: DELETED | {"deleted": "yes"}})),
    "another one deleted": ("a_deletion_says_so", life({DELETION: DELETED | {"id": "x"}})),
    "still there": ("a_deleted_completion_is_gone", life({AFTER: completion()}, status={AFTER: 200})),
}
UNSTORED = {
    "storing refused": life({MADE: GONE}, status={MADE: 400}, steps=1),
    "not found": life({READ: GONE}, status={READ: 404}, steps=2),
    "no such method": life({READ: GONE}, status={READ: 405}, steps=2),
}


def test_every_clause_has_a_pair(stored: ModuleType) -> None:
    assert {one.__name__ for one in clauses_of(stored)} == {clause for clause, _ in PAIRS.values()}


@pytest.mark.parametrize("case", PAIRS)
def test_a_clause_tells_the_kept_flow_from_the_broken_one(stored: ModuleType, case: str) -> None:
    clause, broken = PAIRS[case]
    assert outcome_of(getattr(stored, clause), *life()) == "pass"
    assert outcome_of(getattr(stored, clause), *broken) == "fail"


@pytest.mark.parametrize("case", UNSTORED)
def test_a_backend_that_does_not_store_breaks_nothing(stored: ModuleType, case: str) -> None:
    """But for the note that the field has no effect."""
    judged = [one for one in clauses_of(stored) if one is not stored.what_is_to_be_stored_is_kept]
    assert {outcome_of(clause, *UNSTORED[case]) for clause in judged} == {"not-applicable"}


@pytest.mark.parametrize("step", range(6))
@pytest.mark.parametrize("said", ["text", [], b"<html>", {"data": 1, "choices": [3], "id": []}], ids=str)
def test_no_clause_stumbles_over_a_malformed_answer(stored: ModuleType, step: int, said: Any) -> None:
    for clause in clauses_of(stored):
        assert "the clause itself failed" not in verdict_of(clause, *life({step: said})).reason


@pytest.mark.parametrize("status", [405, 501])
def test_a_backend_that_keeps_what_it_stored_as_it_is_breaks_nothing(stored: ModuleType, status: int) -> None:
    """It reads and lists, as Llama Stack does; who changes or deletes is told that there is no such method."""
    refused = {UPDATED: status, DELETION: status}
    flow = life({UPDATED: GONE, DELETION: GONE, LISTED: page(completion()), AFTER: completion()}, status=refused)
    outcomes = {clause.__name__: outcome_of(clause, *flow) for clause in clauses_of(stored)}
    for changing in (
        stored.an_update_changes_the_metadata,
        stored.an_update_is_kept,
        stored.a_deletion_says_so,
        stored.a_deleted_completion_is_gone,
    ):
        assert outcomes.pop(changing.__name__) == "not-applicable"
    assert set(outcomes.values()) == {"pass"}


def test_a_list_that_moved_on_is_no_finding(stored: ModuleType) -> None:
    flow = life({LISTED: page(OTHER, has_more=True)})
    assert outcome_of(stored.a_stored_completion_is_listed, *flow) == "inconclusive"


def walked(stored: ModuleType, flow: list[Exchange]) -> list[Call]:
    """The calls of the probe when it is answered so."""
    calls, run = [], stored.life_of_a_completion.run()
    call = next(run)
    for exchange in flow:
        calls.append(call)
        try:
            call = run.send(exchange)
        except StopIteration:
            return calls
    raise AssertionError("the flow asks for more")


def test_the_flow_walks_through_a_life(stored: ModuleType) -> None:
    calls = walked(stored, life())
    assert [(call.method, call.path) for call in calls] == [(method, path) for _, method, path, _, _ in LIFE]
    assert len(calls) == stored.life_of_a_completion.most


@pytest.mark.parametrize("case", UNSTORED)
def test_the_flow_stops_where_nothing_is_stored(stored: ModuleType, case: str) -> None:
    assert len(walked(stored, UNSTORED[case])) == len(UNSTORED[case])
