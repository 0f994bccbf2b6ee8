"""Clauses of stored and background responses: the flow that keeps each, and the nearest one that breaks it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from types import ModuleType
from typing import Any

import pytest
from made import answer, clauses_of, outcome_of, verdict_of
from made_responses import changed, message, response, streamed, told, usage

from wireproof.clause import Call, Exchange

PATH = "/responses/resp_1"
LABELS = {"purpose": "wireproof"}
TURNS = ("My cat is called Fog.", "Say its name in one word.")
MADE = response(metadata=LABELS)


def turn(number: int, text: str) -> dict[str, Any]:
    part = {"type": "input_text", "text": text}
    return {"id": f"msg_{number}", "type": "message", "role": "user", "status": "completed", "content": [part]}


ITEMS = [turn(number, text) for number, text in enumerate(TURNS)]
PAGE = {"object": "list", "data": ITEMS, "first_id": "msg_0", "last_id": "msg_1", "has_more": False}
AFTER = response(id="resp_2", previous_response_id="resp_1", usage=usage(input_tokens=30, total_tokens=34))
NEWEST = {"object": "list", "data": ITEMS[1:], "first_id": "msg_1", "last_id": "msg_1", "has_more": True}
OLDEST = {"object": "list", "data": ITEMS[:1], "first_id": "msg_0", "last_id": "msg_0", "has_more": False}
ERROR = {"error": {"message": "No.", "type": "invalid_request_error", "param": None, "code": None}}
LIFE: tuple[tuple[str, str, str, Any, int], ...] = (
    ("createResponse", "POST", "/responses", MADE, 200),
    ("getResponse", "GET", PATH, MADE, 200),
    ("listInputItems", "GET", f"{PATH}/input_items", PAGE, 200),
    ("listInputItems", "GET", f"{PATH}/input_items", NEWEST, 200),
    ("createResponse", "POST", "/responses", AFTER, 200),
    ("cancelResponse", "POST", f"{PATH}/cancel", ERROR, 400),
    ("deleteResponse", "DELETE", PATH, {"id": "resp_1", "object": "response", "deleted": True}, 200),
    ("getResponse", "GET", PATH, ERROR, 404),
)
CREATED, READ, LISTED, FIRST, WENT_ON, CANCELLED, DELETED, GONE = range(8)
QUERIES = {LISTED: {"order": "asc", "limit": "10"}, FIRST: {"limit": "1"}}


@pytest.fixture(scope="module")
def clauses(contract: Callable[[str], ModuleType]) -> dict[str, Any]:
    modules = (contract("responses_stored"), contract("responses_resumed"), contract("responses_background"))
    return {one.clause.id.removeprefix("responses.stored."): one for one in clauses_of(*modules)}


def life(body: dict[int, Any] | None = None, status: dict[int, int] | None = None, steps: int = 8) -> list[Exchange]:
    """The flow, with other bodies or statuses at some of its steps."""
    made = []
    for step, (operation, method, path, said, code) in enumerate(LIFE[:steps]):
        one = answer(
            (body or {}).get(step, said),
            operation=operation,
            method=method,
            path=path,
            status=(status or {}).get(step, code),
            probe="responses.stored",
            step=step,
            asked={} if method == "POST" else None,
        )
        made.append(replace(one, request=replace(one.request, query=QUERIES.get(step, {}))))
    return made


def stream_life(read: Any = None, again: Any = None, status: int = 200) -> list[Exchange]:
    made = replace(streamed(probe="responses.stored-stream"), probe="responses.stored-stream")
    looked = answer(
        response() if read is None else read,
        operation="getResponse",
        method="GET",
        path=PATH,
        probe="responses.stored-stream",
        step=1,
        status=status,
    )
    events = [event for event in told() if event["sequence_number"] > 4] if again is None else again
    resumed = streamed(events, probe="responses.stored-stream")
    request = replace(resumed.request, method="GET", body=b"", query={"stream": "true", "starting_after": "4"})
    return [made, looked, replace(resumed, step=2, operation="getResponse", request=request)]


def unstored(status: int) -> list[Exchange]:
    made, read = life(steps=2, status={READ: status})
    return [replace(one, probe="responses.unstored") for one in (made, read)]


QUEUED = response(status="queued", output=[], usage=None, background=True)
OVER = response(background=True)


def background(*bodies: Any, status: int = 200) -> list[Exchange]:
    first, *looks = bodies
    made = [answer(first, operation="createResponse", method="POST", path="/responses", probe="responses.background")]
    for step, body in enumerate(looks, 1):
        made.append(
            answer(
                body,
                operation="getResponse",
                method="GET",
                path=PATH,
                probe="responses.background",
                step=step,
                status=status,
            )
        )
    return made


RENUMBERED = [{**event, "sequence_number": number} for number, event in enumerate(told()[5:])]
CANCELLED_ONE = response(status="cancelled", output=[], usage=None, background=True)


def cut_short(*bodies: Any, status: dict[int, int] | None = None) -> list[Exchange]:
    """A response in the background, its cancellation, and that once more; or a look at it where that was refused."""
    places = (("createResponse", "POST", "/responses"), ("cancelResponse", "POST", f"{PATH}/cancel"),
              ("cancelResponse", "POST", f"{PATH}/cancel"))  # fmt: skip
    made = []
    if (status or {}).get(1, 200) >= 400:
        places = (*places[:2], ("getResponse", "GET", PATH))
    for number, (body, (operation, method, path)) in enumerate(zip(bodies, places, strict=False)):
        code = (status or {}).get(number, 200)
        one = answer(body, operation=operation, method=method, path=path, status=code, step=number)
        made.append(replace(one, probe="responses.cancelled"))
    return made


CUT = cut_short(QUEUED, CANCELLED_ONE, CANCELLED_ONE)
REST = [event for event in told() if event["sequence_number"] > 4]
CASES: dict[str, tuple[str, list[Exchange], list[Exchange]]] = {
    "made anew": ("get", life(), life({READ: {**MADE, "created_at": 1}})),
    "another text": ("get", life(), life({READ: {**MADE, "output": [message("Other.")]}})),
    "other usage": ("get", life(), life({READ: {**MADE, "usage": usage(output_tokens=5)}})),
    "another id": ("id", life(), life({READ: {**MADE, "id": "resp_9"}})),
    "another one deleted": ("id", life(), life({DELETED: {"id": "resp_9", "deleted": True}})),
    "another temperature": ("settings", life(), life({READ: {**MADE, "temperature": 1}})),
    "another end": (
        "settings",
        life({CREATED: {**MADE, "completed_at": 1_760_000_001}, READ: {**MADE, "completed_at": 1_760_000_001}}),
        life({CREATED: {**MADE, "completed_at": 1_760_000_001}, READ: {**MADE, "completed_at": 1_760_000_009}}),
    ),
    "labels lost": ("metadata", life(), life({READ: {**MADE, "metadata": {}}})),
    "not stored by itself": (
        "default",
        [life()[1], stream_life()[1]],
        [*life(status={READ: 404})[:2], stream_life()[1]],
    ),
    "no has_more": ("input-schema", life(), life({LISTED: {"object": "list", "data": []}})),
    "turned round": ("input-items", life(), life({LISTED: {**PAGE, "data": ITEMS[::-1]}})),
    "not listed": ("input-items", life(), life({LISTED: ERROR}, {LISTED: 400})),
    "a wrong cursor": ("input-page", life(), life({LISTED: {**PAGE, "last_id": "x"}})),
    "more than there is": ("input-page", life(), life({LISTED: {**PAGE, "has_more": True}})),
    "oldest first": ("input-pages", life(), life({FIRST: OLDEST})),
    "no limit": ("input-pages", life(), life({FIRST: PAGE})),
    "nothing follows": ("input-pages", life(), life({FIRST: {**NEWEST, "has_more": False}})),
    "other ids": ("input-pages", life(), life({FIRST: {**NEWEST, "data": [turn(7, TURNS[1])]}})),
    "no page of one": ("input-pages", life(), life({FIRST: ERROR}, {FIRST: 400})),
    "forgotten": ("previous", life(), life({WENT_ON: {**AFTER, "usage": usage()}})),
    "refused to go on": ("previous", life(), life({WENT_ON: ERROR}, {WENT_ON: 400})),
    "cancelled": ("cancel", life(), life({CANCELLED: MADE}, {CANCELLED: 200})),
    "not deleted": ("delete", life(), life({DELETED: {"deleted": False}})),
    "a file deleted": ("delete", life(), life({DELETED: {"id": "resp_1", "object": "file", "deleted": True}})),
    "not to be deleted": ("delete", life(), life({DELETED: ERROR}, {DELETED: 400})),
    "still there": ("gone", life(), life({GONE: MADE}, {GONE: 200})),
    "kept anyway": ("unstored", unstored(404), unstored(200)),
    "a stream not kept": ("stream", stream_life(), stream_life({**response(), "output": []})),
    "from the start": ("resume", stream_life(), stream_life(again=told())),
    "one skipped": ("resume", stream_life(), stream_life(again=told()[6:])),
    "numbered anew": ("resume", stream_life(), stream_life(again=RENUMBERED)),
    "other words": (
        "resume-same",
        stream_life(),
        stream_life(again=[{**event, "text": "x"} if "text" in event else event for event in told()[5:]]),
    ),
    "another part": (
        "resume-same",
        stream_life(),
        stream_life(again=changed("response.content_part.done", lambda event: event["part"].update(text=""), REST)),
    ),
    "another item": (
        "resume-same",
        stream_life(),
        stream_life(again=changed("*", lambda event: event.get("item", {}).update(id="msg_9"), REST)),
    ),
    "not found": ("background", background(QUEUED, OVER), background(QUEUED, ERROR, status=404)),
    "back again": (
        "background",
        background(QUEUED, {**QUEUED, "status": "in_progress"}, OVER),
        background({**QUEUED, "status": "in_progress"}, QUEUED, OVER),
    ),
    "without usage": ("background", background(QUEUED, OVER), background(QUEUED, {**OVER, "usage": None})),
    "without output": ("background", background(QUEUED, OVER), background(QUEUED, {**OVER, "output": []})),
    "still running": ("cancelled", CUT, cut_short(QUEUED, QUEUED, CANCELLED_ONE)),
    "ended all the same": ("cancelled", CUT, cut_short(QUEUED, CANCELLED_ONE, OVER)),
    "not to be cancelled": ("cancelled", CUT, cut_short(QUEUED, ERROR, QUEUED, status={1: 400})),
    "another one cancelled": ("cancelled", CUT, cut_short(QUEUED, {**CANCELLED_ONE, "id": "x"}, CANCELLED_ONE)),
    "cancelled once": ("cancel-again", CUT, cut_short(QUEUED, CANCELLED_ONE, ERROR, status={2: 400})),
    "waited for": ("background-start", background(QUEUED, OVER), background(OVER, OVER)),
}


@pytest.mark.parametrize("case", CASES)
def test_a_clause_tells_the_kept_flow_from_the_broken_one(clauses: dict[str, Any], case: str) -> None:
    id, kept, broken = CASES[case]
    assert verdict_of(clauses[id], *kept).outcome == "pass", verdict_of(clauses[id], *kept)
    assert outcome_of(clauses[id], *broken) == "fail"


def test_every_clause_has_a_case(clauses: dict[str, Any]) -> None:
    assert set(clauses) == {id for id, _, _ in CASES.values()}


LEGAL: dict[str, list[Exchange]] = {
    "not stored": life(status={READ: 404}, steps=2),
    "no such method": life(status={READ: 405}, steps=2),
    "no responses": life({CREATED: ERROR}, {CREATED: 404}, steps=1),
    "an empty deletion": life({DELETED: {}}),
    "no body of a deletion": life({DELETED: b""}, {DELETED: 204}),
    "no list of input at all": life(dict.fromkeys((LISTED, FIRST), ERROR), dict.fromkeys((LISTED, FIRST), 404)),
    "no deletion at all": life({DELETED: ERROR, GONE: MADE}, {DELETED: 405, GONE: 200}),
    "no cancelling at all": life({CANCELLED: ERROR}, {CANCELLED: 404}),
    "streams not taken up again": [*stream_life()[:2], replace(stream_life()[2], status=400)],
    "streams answered whole": [*stream_life()[:2], replace(life()[1], probe="responses.stored-stream", step=2)],
    "put away later": stream_life(response(status="in_progress", output=[], usage=None)),
    "no background": background(ERROR)[:1],
    "not in the background after all": background(response(background=False)),
    "background passed over": background(response()),
    "still queued": background(QUEUED, QUEUED, QUEUED),
    "failed": background(QUEUED, response(status="failed", error={"code": "server_error", "message": "x"})),
    "never stored": unstored(405),
    "over before it was cancelled": cut_short(QUEUED, OVER, OVER),
    "too late to be cancelled": cut_short(QUEUED, ERROR, OVER, status={1: 400}),
    "nothing is cancelled here": cut_short(QUEUED, ERROR, OVER, status={1: 404}),
    "over at once": cut_short(OVER),
    "nothing behind that stores": unstored(500),
}


@pytest.mark.parametrize("case", LEGAL)
def test_what_is_legal_is_no_finding(clauses: dict[str, Any], case: str) -> None:
    found = {id: verdict_of(one, *LEGAL[case]).findings for id, one in clauses.items()}
    assert {id: findings for id, findings in found.items() if findings} == {}


@pytest.mark.parametrize("step", range(8))
@pytest.mark.parametrize(
    "said", ["text", [], b"<html>", {"data": 1, "output": [3], "usage": 7, "id": []}], ids=range(4)
)
def test_no_clause_stumbles_over_a_malformed_answer(clauses: dict[str, Any], step: int, said: Any) -> None:
    for clause in clauses.values():
        assert "the clause itself failed" not in verdict_of(clause, *life({step: said})).reason


def walked(flow: Any, answers: list[Exchange]) -> list[Call]:
    """The calls of the probe when it is answered so."""
    calls, run = [], flow.run()
    call = next(run)
    for exchange in answers:
        calls.append(call)
        try:
            call = run.send(exchange)
        except StopIteration:
            return calls
    raise AssertionError("the flow asks for more")


def test_the_flow_walks_through_a_life(contract: Callable[[str], ModuleType]) -> None:
    stored = contract("responses_stored")
    calls = walked(stored.life_of_a_response, life())
    assert [(call.method, call.path) for call in calls] == [(method, path) for _, method, path, _, _ in LIFE]
    assert len(calls) == stored.life_of_a_response.most


@pytest.mark.parametrize("case", ["not stored", "no such method", "no responses"])
def test_the_flow_stops_where_nothing_is_stored(contract: Callable[[str], ModuleType], case: str) -> None:
    assert len(walked(contract("responses_stored").life_of_a_response, LEGAL[case])) == len(LEGAL[case])


@pytest.mark.parametrize("id", ["../files", "a/b", "", ".", 7, None])
def test_a_target_does_not_choose_where_the_next_request_goes(contract: Callable[[str], ModuleType], id: Any) -> None:
    assert len(walked(contract("responses_stored").life_of_a_response, life({CREATED: {**MADE, "id": id}}))) == 1


def test_the_background_is_left_when_it_is_over(contract: Callable[[str], ModuleType]) -> None:
    flow = contract("responses_background").a_life_in_the_background
    deletion = life()[DELETED]
    calls = walked(flow, [*background(QUEUED, QUEUED, OVER), deletion])
    assert [call.method for call in calls] == ["POST", "GET", "GET", "DELETE"]
    assert [call.after_s > 0 for call in calls] == [False, True, True, False]


def test_what_was_over_at_once_is_not_cancelled(contract: Callable[[str], ModuleType]) -> None:
    flow = contract("responses_background").a_life_cut_short
    deletion = life()[DELETED]
    assert [call.method for call in walked(flow, [*CUT, deletion])] == ["POST", "POST", "POST", "DELETE"]
    assert [call.method for call in walked(flow, [*cut_short(OVER), deletion])] == ["POST", "DELETE"]
