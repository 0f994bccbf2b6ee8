"""The grammars of streams: complete, and each rule seen to catch what breaks it."""

from __future__ import annotations

from collections.abc import Iterator
from fnmatch import fnmatchcase
from typing import Any

import pytest

from wireproof.spec import load_spec
from wireproof.streams import Said, framing_slips, grammar, said, slips
from wireproof.violations import follow

SPEC = load_spec()
STREAMS: dict[str, Any] = SPEC.catalogue("streams")["streams"]
KEYS = {
    "what", "carrier", "event_line", "opens", "closes", "tidy", "terminator", "terminator_event", "counts", "same",
    "pairs", "inside", "sums", "steps", "each", "laws", "errors", "resume", "source",
}  # fmt: skip


def described() -> Iterator[tuple[str, set[str]]]:
    """Every `x-grammar` of the description, with the names of the events it is about."""
    for operation in SPEC.operations.values():
        for answer in operation.node["responses"].values():
            answer = SPEC.resolved(answer)
            if "x-websocket" in answer:
                yield answer["x-grammar"], types(answer["x-websocket"]["server"])
            for media in answer.get("content", {}).values():
                if "x-grammar" in media:
                    yield media["x-grammar"], set(media.get("x-events", ())) or types(media["x-event"])


def types(schema: Any) -> set[str]:
    if "$ref" in schema and "properties" not in schema:
        return types(follow(SPEC.document, schema["$ref"].removeprefix("#")))
    if branches := schema.get("anyOf"):
        return set().union(*map(types, branches))
    named = schema.get("properties", {}).get("type", {})
    return {value for value in named.get("enum", [named.get("const")]) if value is not None}


def named(rules: Any) -> Iterator[str]:
    yield from rules.get("opens", ())
    yield from rules.get("closes", ())
    yield from rules.get("tidy", ())
    for pair in rules.get("pairs", ()):
        yield from (pair["open"], pair["close"])
    for row in rules.get("inside", ()):
        yield from (row["open"], *row["events"])
    for row in rules.get("sums", ()):
        yield from (row["pieces"][0], row["whole"][0])
    for row in rules.get("steps", ()):
        yield from row["order"]
    yield from rules.get("each", {}).get("besides", ())


def test_every_grammar_of_the_description_is_explained_and_no_other() -> None:
    assert {name for name, _ in described()} == set(STREAMS)


@pytest.mark.parametrize("name", STREAMS)
def test_a_grammar_says_what_it_must(name: str) -> None:
    rules = STREAMS[name]
    assert set(rules) <= KEYS
    assert set(rules) >= {"what", "carrier", "errors", "resume", "source"}
    assert ("event_line" in rules) == (rules["carrier"] == "sse")
    assert set(rules["source"]) <= set(SPEC.catalogue("sources")["sources"])
    opened = {pair["open"] for pair in rules.get("pairs", ())}
    assert {row["open"] for row in rules.get("inside", ())} <= opened


@pytest.mark.parametrize(("name", "known"), list(described()))
def test_a_grammar_names_events_that_there_are(name: str, known: set[str]) -> None:
    for event in named(STREAMS[name]):
        assert any(fnmatchcase(one, event) for one in known), event


@pytest.mark.parametrize("name", ["chat", "completions", "responses", "assistants", "images"])
def test_the_terminator_is_that_of_the_description(name: str) -> None:
    for operation in SPEC.operations.values():
        media = SPEC.resolved(operation.node["responses"].get("200", {})).get("content", {}).get("text/event-stream")
        if media and media["x-grammar"] == name:
            assert media.get("x-terminator") == STREAMS[name].get("terminator")


# ---- a response, told whole, and told wrong

AT = {"output_index": 0, "item_id": "msg_1"}
PART = {**AT, "content_index": 0}
ITEM = {"id": "msg_1", "type": "message"}
RESPONSE = {"id": "resp_1"}
STORY: list[dict[str, Any]] = [
    {"type": "response.created", "response": RESPONSE},
    {"type": "response.in_progress", "response": RESPONSE},
    {"type": "response.output_item.added", "output_index": 0, "item": ITEM},
    {"type": "response.content_part.added", **PART, "part": {}},
    {"type": "response.output_text.delta", **PART, "delta": "Hel"},
    {"type": "response.output_text.delta", **PART, "delta": "lo"},
    {"type": "response.output_text.done", **PART, "text": "Hello"},
    {"type": "response.content_part.done", **PART, "part": {}},
    {"type": "response.output_item.done", "output_index": 0, "item": ITEM},
    {"type": "response.completed", "response": RESPONSE},
]


def told(events: list[dict[str, Any]], *, is_whole: bool = True, numbered: bool = True) -> list[tuple[int | None, str]]:
    rules = grammar("responses")
    if numbered:
        events = [{**event, "sequence_number": number} for number, event in enumerate(events)]
    found = slips(rules, [said(rules, event) for event in events], is_whole=is_whole)
    return [(slip.at, slip.rule) for slip in found]


def without(*indices: int) -> list[dict[str, Any]]:
    return [event for index, event in enumerate(STORY) if index not in indices]


def test_a_response_told_well_breaks_nothing() -> None:
    assert told(STORY) == []


def test_a_new_type_of_event_breaks_nothing() -> None:
    assert told([*STORY[:5], {"type": "response.humming.delta", **PART}, *STORY[5:]]) == []


def test_a_stream_that_was_cut_breaks_nothing_so_far() -> None:
    for length in range(1, len(STORY)):
        assert told(STORY[:length], is_whole=False) == []


@pytest.mark.parametrize(
    ("events", "slip"),
    [
        (without(0), (0, "opens")),
        ([STORY[0], *STORY], (1, "opens")),
        (STORY[:-1], (None, "closes")),
        ([*STORY, STORY[-1]], (9, "closes")),
        ([], (None, "closes")),
        (without(2), (2, "inside")),
        (without(3), (3, "inside")),
        (without(8), (None, "pairs")),
        (without(7), (None, "pairs")),
        ([*STORY[:3], STORY[2], *STORY[3:]], (3, "pairs")),
        (without(5), (5, "sums")),
        ([*STORY[:7], STORY[5], *STORY[7:]], (7, "sums")),
        ([STORY[0], STORY[1], {"type": "response.queued", "response": RESPONSE}, *STORY[2:]], (2, "steps")),
        ([*STORY[:-1], {**STORY[-1], "response": {"id": "resp_2"}}], (9, "same")),
    ],
)
def test_the_nearest_wrong_story_is_told(events: list[dict[str, Any]], slip: tuple[int | None, str]) -> None:
    assert slip in told(events)


@pytest.mark.parametrize("type", ["response.incomplete", "response.failed"])
def test_a_response_that_fails_may_leave_things_open(type: str) -> None:
    assert told([*STORY[:5], {"type": type, "response": RESPONSE}]) == []


def test_a_stream_that_is_taken_up_again_goes_on_where_it_was() -> None:
    rules = grammar("responses")
    rest = [said(rules, {**event, "sequence_number": at}) for at, event in enumerate(STORY)][5:]
    assert slips(rules, rest, after=4) == []
    assert [(slip.at, slip.rule) for slip in slips(rules, rest, after=3)] == [(at, "counts") for at in range(5)]
    assert [slip.rule for slip in slips(rules, rest[:-1], after=4)] == ["closes"]


def test_numbers_rise_by_one_from_nought() -> None:
    numbered = [{**event, "sequence_number": number + 1} for number, event in enumerate(STORY)]
    assert told(numbered, numbered=False) == [(at, "counts") for at in range(len(STORY))]
    numbered = [{**event, "sequence_number": number * 2} for number, event in enumerate(STORY)]
    assert told(numbered, numbered=False)[0] == (1, "counts")


def test_an_item_may_come_again_where_the_grammar_says_so() -> None:
    rules = grammar("realtime")
    added, done = ({"type": f"conversation.item.{step}", "item": {"id": "a"}} for step in ("added", "done"))
    session = {"type": "session.created"}
    again = [said(rules, event) for event in (session, added, done, added, done)]
    assert slips(rules, again, is_whole=False) == []
    twice = [said(rules, event) for event in (session, added, added, done)]
    assert [(slip.at, slip.rule) for slip in slips(rules, twice, is_whole=False)] == [(2, "pairs")]


def on_a_socket(*events: dict[str, Any]) -> list[tuple[int | None, str]]:
    rules = grammar("response_socket")
    return [(slip.at, slip.rule) for slip in slips(rules, [said(rules, event) for event in events], is_whole=False)]


def test_responses_follow_each_other_on_a_socket_and_run_side_by_side() -> None:
    numbered = [{**event, "sequence_number": number} for number, event in enumerate(STORY)]
    lane = [{**event, "stream_id": "b"} for event in numbered]
    refused = {"type": "error", "status": 400, "error": {"message": "no"}}
    steered = {"type": "response.steer.accepted", "sequence_number": 0}
    mixed = [one for pair in zip(numbered, lane, strict=True) for one in pair]
    assert on_a_socket(refused, *numbered, *mixed[:3], steered, *mixed[3:], refused, *numbered[:4]) == []
    assert on_a_socket(*numbered, *numbered[1:])[0] == (10, "opens")
    assert (4, "inside") in on_a_socket(refused, *lane[:3], lane[4])


# ---- event lines and terminators


def framed(name: str, *lines: tuple[str | None, str, Any]) -> list[tuple[int | None, str]]:
    return [(slip.at, slip.rule) for slip in framing_slips(grammar(name), lines)]


def test_event_lines_are_as_the_grammar_says() -> None:
    event = {"type": "response.created"}
    assert framed("responses", ("response.created", "{}", event)) == []
    assert framed("responses", (None, "{}", event)) == [(0, "event line")]
    assert framed("chat", (None, "{}", {}), (None, "[DONE]", None)) == []
    assert framed("chat", ("message", "{}", {}), (None, "[DONE]", None)) == [(0, "event line")]
    image = {"type": "image_generation.completed"}
    assert framed("images", (None, "{}", image)) == framed("images", (image["type"], "{}", image)) == []
    assert framed("images", ("completed", "{}", image)) == [(0, "event line")]
    assert framed("assistants", ("thread.created", "{}", {}), ("done", "[DONE]", None)) == []
    assert framed("assistants", (None, "{}", {}), (None, "[DONE]", None)) == [(0, "event line"), (1, "event line")]


def test_a_terminator_is_the_last_that_comes() -> None:
    assert framed("chat", (None, "{}", {})) == [(None, "terminator")]
    assert framed("chat") == [(None, "terminator")]
    assert framed("chat", (None, "[DONE]", None), (None, "[DONE]", None)) == [(0, "terminator")]


def test_the_data_of_a_run_is_named_by_its_line() -> None:
    rules = grammar("assistants")
    steps = ["thread.run.created", "thread.run.in_progress", "thread.run.queued"]
    events = [said(rules, {"id": "run_1", "type": "no name"}, step) for step in steps]
    assert events[0] == Said("thread.run.created", {"id": "run_1", "type": "no name"})
    assert [(slip.at, slip.rule) for slip in slips(rules, events)] == [(2, "steps")]
