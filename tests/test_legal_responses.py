"""What correct backends do differently from the stand-in in responses: none of it may raise a finding."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import zip_longest
from typing import Any

import pytest
from certified import certified, standin_plan

from wireproof.standin.faults.edit import edit_both, edit_events, edit_frames, refused, told_again
from wireproof.standin.wire import Answer, Ask, Frame, Serve, event_frame, event_of

Vary = Callable[[Ask, Answer], Answer]
Edit = Callable[[dict[str, Any]], Any]
TEXT_DELTA = "response.output_text.delta"


def each_response(change: Edit) -> Vary:
    def edit(body: dict[str, Any]) -> None:
        held = body if body.get("object") == "response" else body.get("response")
        if isinstance(held, dict) and "output" in held:
            change(held)

    return lambda ask, answer: edit_both(answer, edit)


def each_event(change: Edit) -> Vary:
    return lambda ask, answer: edit_events(answer, change) if _is_response(ask) else answer


def each_item(change: Edit) -> Vary:
    def edit(body: dict[str, Any]) -> None:
        for item in [*(body.get("response") or body).get("output", ()), body.get("item")]:
            if isinstance(item, dict):
                change(item)

    return lambda ask, answer: edit_both(answer, edit) if _is_response(ask) else answer


def each_part(change: Edit) -> Vary:
    def edit(body: dict[str, Any]) -> None:
        items = [*(body.get("response") or body).get("output", ()), body.get("item") or {}]
        for part in [*(part for item in items for part in item.get("content") or ()), body.get("part")]:
            if isinstance(part, dict):
                change(part)

    return lambda ask, answer: edit_both(answer, edit) if _is_response(ask) else answer


def _is_response(ask: Ask) -> bool:
    return ask.path.startswith("/v1/responses")


def dropped(*keys: str) -> Edit:
    def edit(value: dict[str, Any]) -> None:
        for key in keys:
            value.pop(key, None)

    return edit


def streams(change: Callable[[list[Frame]], Iterator[Frame]]) -> Vary:
    """Every stream of a response changed, and its events numbered anew; those that are told again as the first time."""

    def numbered(found: list[Frame]) -> Iterator[Frame]:
        number = 0
        for frame in change(found):
            event = event_of(frame)
            if event is None or "sequence_number" not in event:
                yield frame
            else:
                yield told_again(frame, {**event, "sequence_number": number})
                number += 1

    def vary(ask: Ask, answer: Answer) -> Answer:
        is_resumed = any(name == "starting_after" for name, _ in ask.query)
        return edit_frames(answer, numbered) if _is_response(ask) and not is_resumed else answer

    return vary


def without_resuming(vary: Vary) -> Vary:
    """The variation on a backend that does not tell streams again."""

    def both(ask: Ask, answer: Answer) -> Answer:
        is_resumed = any(name == "starting_after" for name, _ in ask.query)
        return refused(answer, "Streams cannot be resumed.") if is_resumed else vary(ask, answer)

    return both


def strangers(found: list[Frame]) -> Iterator[Frame]:
    for number, frame in enumerate(found):
        yield frame
        if number == 3:
            yield Frame(0, b'event: response.vendor_metrics\ndata: {"type": "response.vendor_metrics", "speed": 7}\n\n')
            yield Frame(0, b"event: ping\ndata: {}\n\n")
            yield event_frame({"type": "keepalive", "sequence_number": 0})


def one_delta_a_text(found: list[Frame]) -> Iterator[Frame]:
    """A short text comes whole; the piece waits as long as its tokens would have."""
    deltas = [event_of(frame) or {} for frame in found if (event_of(frame) or {}).get("type") == TEXT_DELTA]
    if sum(len(delta["delta"]) for delta in deltas) >= 100:
        yield from found
        return
    text, entries = "".join(delta["delta"] for delta in deltas), [one for d in deltas for one in d["logprobs"]]
    waited, is_told = 0.0, False
    for frame in found:
        event = event_of(frame) or {}
        if event.get("type") == TEXT_DELTA:
            waited += frame.delay_ms
            if is_told:
                continue
            is_told = True
            yield told_again(frame, {**event, "delta": text, "logprobs": entries})
        else:
            yield replace(frame, delay_ms=frame.delay_ms + waited)
            waited = 0.0


THOUGHT = {"id": "rs_1", "type": "reasoning", "summary": [], "content": [{"type": "reasoning_text", "text": "Hm."}]}
UNKNOWN = {"id": "x_1", "type": "vendor_call", "payload": 1}


def items_first(*items: dict[str, Any]) -> Vary:
    """Items before the first one, whole in one event, in every place where the output is told."""

    def moved(found: list[Frame]) -> Iterator[Frame]:
        for frame in found:
            event = event_of(frame) or {}
            if "output_index" in event:
                event["output_index"] += len(items)
            if isinstance(event.get("response"), dict) and event["response"]["output"]:
                event["response"]["output"] = [*items, *event["response"]["output"]]
            yield told_again(frame, event)
            if event.get("type") == "response.in_progress":
                for index, item in enumerate(items):
                    for kind in ("added", "done"):
                        name = f"response.output_item.{kind}"
                        told = {"type": name, "output_index": index, "item": item, "sequence_number": 0}
                        yield Frame(0, f"event: {name}\n".encode() + event_frame(told).data)

    def vary(ask: Ask, answer: Answer) -> Answer:
        def plain(body: dict[str, Any]) -> None:
            if body.get("object") == "response" and body.get("output"):
                body["output"] = [*items, *body["output"]]

        return streams(moved)(ask, edit_both(answer, plain))

    return without_resuming(vary)


def no_empty_logprobs(event: dict[str, Any]) -> None:
    if event.get("logprobs") == []:
        del event["logprobs"]


def no_name(event: dict[str, Any]) -> None:
    if "arguments" in event.get("type", ""):
        event.pop("name", None)


def no_cache_writes(body: dict[str, Any]) -> None:
    if body.get("usage"):
        body["usage"]["input_tokens_details"].pop("cache_write_tokens", None)


def empty_details(body: dict[str, Any]) -> None:
    if body.get("usage"):
        body["usage"].update(input_tokens_details={}, output_tokens_details={})


def no_null_usage(body: dict[str, Any]) -> None:
    if body.get("usage", 1) is None:
        del body["usage"]


def created_at_as_a_float(body: dict[str, Any]) -> None:
    body["created_at"] = float(body["created_at"])


def from_one(event: dict[str, Any]) -> None:
    event["sequence_number"] += 1


def other_ids(body: dict[str, Any]) -> None:
    for item in [*(body.get("response") or body).get("output", ()), body.get("item")]:
        if isinstance(item, dict) and "id" in item:
            item["id"] = f"{item['type']}-0-{item['id'][-6:]}"
    if "item_id" in body:
        name = body.get("type", "")
        kind = "custom_tool_call" if "custom" in name else "function_call" if "arguments" in name else "message"
        body["item_id"] = f"{kind}-0-{body['item_id'][-6:]}"


SAID = {
    "id": "msg_1",
    "type": "message",
    "status": "completed",
    "role": "assistant",
    "content": [{"type": "output_text", "text": "Hello there, you.", "annotations": []}],
}
USAGE = {
    "input_tokens": 9,
    "input_tokens_details": {"cached_tokens": 0},
    "output_tokens": 5,
    "output_tokens_details": {"reasoning_tokens": 0},
    "total_tokens": 14,
}
# What a description promises only here and there, or only the newest answers have.
OPTIONAL = ("background", "completed_at", "conversation", "moderation", "prompt_cache_key", "prompt_cache_retention",
            "safety_identifier", "service_tier", "store", "top_logprobs", "truncation", "user", "max_tool_calls",
            "max_output_tokens", "previous_response_id", "reasoning", "text")  # fmt: skip


def not_kept(ask: Ask, answer: Answer) -> Answer:
    """Nothing is stored: no response is found, and no previous one can be named."""
    is_read = ask.path.startswith("/v1/responses/") and not ask.path.endswith("/input_tokens")
    if is_read:
        return refused(answer, "Not Found", status=404)
    if ask.path == "/v1/responses" and ask.asked.get("background"):
        return refused(answer, "background is not supported.", param="background")
    if ask.path == "/v1/responses" and ask.asked.get("previous_response_id"):
        return refused(answer, "previous_response_id is not supported.", param="previous_response_id")
    return answer


def background_passed_over(ask: Ask, answer: Answer) -> Answer:
    """Who keeps nothing may answer at once, and say so."""
    if ask.asked.get("background"):
        body = answer.json | {"status": "completed", "background": False, "usage": USAGE, "output": [SAID]}
        return answer.with_json(body)
    return not_kept(ask, answer)


def not_served(status: int) -> Vary:
    return lambda ask, answer: refused(answer, "Not here.", status=status) if _is_response(ask) else answer


def newer_values(body: dict[str, Any]) -> None:
    """Values that came after ours, or that one provider alone has."""
    body.update(
        service_tier="on_demand", reasoning={"effort": "utmost", "summary": "terse"}, prompt_cache_retention="48h"
    )
    body["text"] = {**body["text"], "verbosity": "tiny"}
    if body.get("usage"):
        body["usage"].update(cost=0.1)


def unknown_until_the_end(event: dict[str, Any]) -> None:
    if event.get("type") in ("response.created", "response.in_progress"):
        event["response"].update(
            temperature=None, top_p=None, max_output_tokens=None, instructions=None, truncation=None
        )


def with_newer_keys(part: dict[str, Any]) -> None:
    part["parsed"] = None


def told_piece_by_piece(*, has_parts: bool) -> Vary:
    """Thoughts before the answer, in deltas of their own; in parts, or in none."""
    thought = {**THOUGHT, "status": "completed"}
    at = {"item_id": thought["id"], "output_index": 0, "content_index": 0}
    part = {"type": "reasoning_text", "text": ""}
    pieces = [
        {"type": "response.output_item.added", "output_index": 0, "item": {**thought, "content": []}},
        {"type": "response.content_part.added", **at, "part": part},
        {"type": "response.reasoning_text.delta", **at, "delta": "H"},
        {"type": "response.reasoning_text.delta", **at, "delta": "m."},
        {"type": "response.reasoning_text.done", **at, "text": "Hm."},
        {"type": "response.content_part.done", **at, "part": {**part, "text": "Hm."}},
        {"type": "response.output_item.done", "output_index": 0, "item": thought},
    ]

    def moved(found: list[Frame]) -> Iterator[Frame]:
        for frame in found:
            event = event_of(frame) or {}
            if "output_index" in event:
                event["output_index"] += 1
            if isinstance(event.get("response"), dict) and event["response"]["output"]:
                event["response"]["output"] = [thought, *event["response"]["output"]]
            yield told_again(frame, event)
            for piece in pieces if event.get("type") == "response.in_progress" else ():
                if has_parts or "part" not in piece:
                    name = f"event: {piece['type']}\n".encode()
                    yield Frame(0, name + event_frame({**piece, "sequence_number": 0}).data)

    def plain(body: dict[str, Any]) -> None:
        if body.get("object") == "response" and body.get("output"):
            body["output"] = [thought, *body["output"]]

    return without_resuming(lambda ask, answer: streams(moved)(ask, edit_both(answer, plain)))


def side_by_side(found: list[Frame]) -> Iterator[Frame]:
    """Items that come about at the same time; of what was cut, nothing is done; each event has an id."""
    events = [(frame, event_of(frame) or {}) for frame in found]
    is_cut = events[-1][1].get("type") == "response.incomplete"
    lanes = [[frame for frame, event in events if event.get("output_index") == index] for index in range(2)]
    mixed = iter([frame for pair in zip_longest(*lanes) for frame in pair if frame is not None])
    for frame, event in events:
        told = frame if event.get("output_index") not in (0, 1) else next(mixed)
        name = (event_of(told) or {}).get("type", "")
        if not (is_cut and name.endswith(".done")):
            yield Frame(frame.delay_ms, b"id: 7\nretry: 3000\n" + told.data)


def less_of_it(ask: Ask, answer: Answer) -> Answer:
    """No list of input, no deletion, no cancelling, no compaction, no custom tools, no later settings."""
    if ask.path.endswith(("/input_items", "/cancel", "/compact")) or (ask.method == "DELETE" and _is_response(ask)):
        return refused(answer, "Not Found", status=405 if ask.method == "DELETE" else 404)
    has_custom = any(tool.get("type") == "custom" for tool in ask.asked.get("tools") or ())
    if has_custom or ask.asked.get("max_tool_calls"):
        return refused(answer, "'type' of tool must be 'function'" if has_custom else "Unknown parameter.")
    return answer


def _of_background(ask: Ask, answer: Answer) -> bool:
    is_meant = _is_response(ask) and answer.status == 200 and not answer.is_stream and ask.method != "DELETE"
    return is_meant and answer.body[:1] == b"{" and bool(answer.json.get("background"))


def over_before_it_is_cancelled(ask: Ask, answer: Answer) -> Answer:
    if not _of_background(ask, answer) or ask.path == "/v1/responses":
        return answer
    over = {"status": "completed", "incomplete_details": None, "usage": USAGE, "output": [SAID]}
    return answer.with_json(answer.json | over)


def slow(ask: Ask, answer: Answer) -> Answer:
    """What runs in the background stays in the queue for as long as anybody looks."""
    if not _of_background(ask, answer) or answer.json["status"] == "cancelled":
        return answer
    return answer.with_json(answer.json | {"status": "queued", "usage": None, "output": [], "completed_at": None})


EMPTY = {"id": "msg_e", "type": "message", "status": "completed", "role": "assistant", "content": []}
SEARCHED = {"id": "ws_1", "type": "web_search_call", "status": "completed", "action": {"type": "search", "query": "x"}}
LISTED = {"id": "mcpl_1", "type": "mcp_list_tools", "server_label": "shop", "tools": []}

VARIATIONS: dict[str, Vary] = {
    "newer values": each_response(newer_values),
    "settings that are not known until the end": each_event(unknown_until_the_end),
    "newer keys of parts": each_part(with_newer_keys),
    "thoughts in parts": told_piece_by_piece(has_parts=True),
    "thoughts without parts": told_piece_by_piece(has_parts=False),
    "items side by side, nothing done of what was cut": without_resuming(streams(side_by_side)),
    "less of it": less_of_it,
    "over before it is cancelled": over_before_it_is_cancelled,
    "slow in the background": slow,
    "tools of the server and an empty message first": items_first(SEARCHED, LISTED, EMPTY),
    "unknown keys in responses": each_response(lambda body: body.update(x_vendor={"region": "eu"})),
    "unknown keys in events": each_event(lambda event: event.update(x_vendor=1)),
    "unknown keys in items": each_item(lambda item: item.update(x_vendor=1)),
    "no optional keys": each_response(dropped(*OPTIONAL)),
    "no status of items": each_item(dropped("status")),
    "no logprobs of texts that have none": each_part(no_empty_logprobs),
    "no logprobs in deltas that have none": each_event(no_empty_logprobs),
    "no obfuscation": each_event(dropped("obfuscation")),
    "no name of finished arguments": each_event(no_name),
    "no count of cache writes": each_response(no_cache_writes),
    "details without counts": each_response(empty_details),
    "no usage key before the end": each_response(no_null_usage),
    "created_at as a float": each_response(created_at_as_a_float),
    "output_text beside the output": each_response(lambda body: body.update(output_text=None)),
    "numbers from 1": without_resuming(each_event(from_one)),
    "unknown events and pings": without_resuming(streams(strangers)),
    "a short text in one delta": without_resuming(streams(one_delta_a_text)),
    "thoughts before the answer": items_first(THOUGHT),
    "unknown items before the answer": items_first(UNKNOWN),
    "ids of another shape": lambda ask, answer: edit_both(answer, other_ids) if _is_response(ask) else answer,
    "no store of responses": not_kept,
    "background passed over, nothing stored": background_passed_over,
    "no resuming": without_resuming(lambda ask, answer: answer),
    "no background": lambda ask, answer: (
        refused(answer, "background is not supported.", param="background") if ask.asked.get("background") else answer
    ),
    "an empty answer to a deletion": lambda ask, answer: (
        replace(answer, body=b"{}") if ask.method == "DELETE" and _is_response(ask) and answer.status == 200 else answer
    ),
    "no responses at all, 404": not_served(404),
    "no responses at all, 405": not_served(405),
    "no responses at all, 501": not_served(501),
    "no counting of input": lambda ask, answer: (
        refused(answer, "No.", status=404) if ask.path.endswith("/input_tokens") else answer
    ),
    "logprobs refused": lambda ask, answer: (
        refused(answer, "logprobs are not supported with reasoning models.", param="include")
        if ask.asked.get("include")
        else answer
    ),
}


@pytest.mark.parametrize("name", VARIATIONS)
def test_a_legal_variation_of_responses_raises_no_finding(name: str) -> None:
    def vary(ask: Ask, serve: Serve) -> Answer:
        return VARIATIONS[name](ask, serve(ask))

    plan = standin_plan(profiles=("core",))
    verdicts = certified(vary=vary, plan=plan).verdicts.values()
    found = {one.clause.id: one.findings for one in verdicts if one.findings and one.clause.level != "MAY"}
    assert found == {}
