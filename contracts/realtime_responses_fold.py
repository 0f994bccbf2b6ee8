"""What the events of a realtime response add up to: its texts, parts, items, output, and what all of it cost.

Their order is judged in realtime_responses.py, by whose talk they are brought.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from wireproof.clause import (
    Exchange,
    NotApplicable,
    Undecodable,
    clause,
    expect,
    parse_json,
    shown,
    talked,
)

from ._reading import as_count, as_list, as_number, as_object, as_objects, as_text
from ._realtime import (
    REALTIME,
    TALKS,
    Heard,
    answer_to,
    events_of,
    item_in,
    response_in,
    texts_in,
)
from ._realtime_responses import FOLDS, TOOL, finished, place_of, responses, whole

TEXT = talked(REALTIME, probes="realtime.text")


@clause("realtime.responses.fold", level="MUST", source="SPEC response.output_text.done and its like", on=TALKS)
def pieces_make_the_whole(exchange: Exchange) -> None:
    """The deltas of a text, a transcript or arguments, joined, are what the event that ends them says."""
    judged = False
    for events in responses(exchange).values():
        joined: dict[tuple[Any, ...], str] = {}
        for one in events:
            kind, _, step = one.type.rpartition(".")
            if kind not in FOLDS or step not in ("delta", "done"):
                continue
            key, (piece, name) = (kind, *place_of(one)), FOLDS[kind]
            if step == "delta":
                joined[key] = joined.get(key, "") + as_text(one.data.get(piece))
                continue
            judged, said = True, as_text(one.data.get(name))
            expect(joined.get(key, "") == said, expected=shown(joined.get(key, "")), got=shown(said), at=f"/{name}",
                   event=one.number)  # fmt: skip
    if not judged:
        raise NotApplicable("nothing was said in pieces")


@clause("realtime.responses.part", level="MUST", source="SPEC response.content_part.done.part", on=TALKS)
def a_part_is_what_was_said_in_it(exchange: Exchange) -> None:
    """The part that `content_part.done` has says what the text, or the transcript, in it said."""
    for _, said, part in _parts(exchange):
        got = as_object(part.data.get("part"))
        told = as_text(got.get("text")) or as_text(got.get("transcript"))
        expect(told == said, expected=shown(said), got=shown(told), at="/part", event=part.number)


def _parts(exchange: Exchange) -> Iterator[tuple[str, str, Heard]]:
    """Of each part that was done: its response, the words that were said in it, and its `content_part.done`."""
    found = []
    for id, events in responses(exchange).items():
        said: dict[tuple[Any, ...], str] = {}
        for one in events:
            kind, _, step = one.type.rpartition(".")
            if kind in ("response.output_text", "response.output_audio_transcript") and step == "done":
                said[place_of(one)] = as_text(one.data.get(FOLDS[kind][1]))
            elif one.type == "response.content_part.done" and place_of(one) in said:
                found.append((id, said[place_of(one)], one))
    if not found:
        raise NotApplicable("no part was done")
    return iter(found)


@clause("realtime.responses.item", level="MUST", source="SPEC response.output_item.done.item", on=TALKS)
def an_item_is_what_was_said_in_it(exchange: Exchange) -> None:
    """The item that `output_item.done` has holds the words, or the arguments, that were said in it."""
    judged = False
    for events in responses(exchange).values():
        said = _said_in(events)
        for one in events:
            if one.type == "response.output_item.done" and place_of(one)[:2] in said:
                judged, (words, at), asked = True, _words_of(item_in(one)), said[place_of(one)[:2]]
                expect(words == asked, expected=shown(asked), got=shown(words), at=f"/item/{at}", event=one.number)
    if not judged:
        raise NotApplicable("no item was done")


def _said_in(events: Sequence[Heard]) -> dict[tuple[Any, ...], list[str]]:
    """The whole texts, transcripts and arguments that were said in each item, by its place in the output."""
    said: dict[tuple[Any, ...], list[str]] = {}
    for one in events:
        kind, _, step = one.type.rpartition(".")
        if kind in FOLDS and step == "done":
            said.setdefault(place_of(one)[:2], []).append(as_text(one.data.get(FOLDS[kind][1])))
    return said


def _words_of(item: dict[str, Any]) -> tuple[list[str], str]:
    """The same as an item tells it, and under which key."""
    if item.get("type") == "function_call":
        return [as_text(item.get("arguments"))], "arguments"
    return texts_in(item), "content"


@clause("realtime.responses.output", level="MUST", source="SPEC response.done: all output items", on=TALKS)
def the_end_holds_all_items(exchange: Exchange) -> None:
    """`response.done` has in `output` the items that were done, in their order, with the words said in them."""
    for events, end in whole(exchange):
        done = [one for one in events if one.type == "response.output_item.done"]
        told = as_objects(response_in(end).get("output"))
        names, wanted = [one.get("id") for one in told], [item_in(one).get("id") for one in done]
        expect(names == wanted, expected=shown(wanted), got=shown(names), at="/response/output", event=end.number)
        said = _said_in(events)
        for number, (item, one) in enumerate(zip(told, done, strict=True)):
            words, at = _words_of(item)
            asked = said.get(place_of(one)[:2], words)
            expect(words == asked, expected=shown(asked), got=shown(words), at=f"/response/output/{number}/{at}",
                   event=end.number)  # fmt: skip


@clause("realtime.responses.usage", level="MUST", source="SPEC RealtimeResponse.usage", on=TALKS)
def usage_adds_up(exchange: Exchange) -> None:
    """The tokens of a response that is completed are told, and `total_tokens` is input and output together.

    No detail is more than what it is a detail of.
    """
    for _, end in whole(exchange):
        told = response_in(end).get("usage")
        if told is None and response_in(end).get("status") != "completed":
            continue
        usage = as_object(told)
        counts = {name: as_count(usage.get(name)) for name in ("total_tokens", "input_tokens", "output_tokens")}
        for name, count in counts.items():
            expect(count is not None and count >= 0, expected="a count", got=shown(usage.get(name)),
                   at=f"/response/usage/{name}", event=end.number)  # fmt: skip
        total, parts = counts["total_tokens"] or 0, [counts["input_tokens"] or 0, counts["output_tokens"] or 0]
        expect(total == sum(parts), expected=str(sum(parts)), got=str(total), at="/response/usage/total_tokens",
               event=end.number)  # fmt: skip
        for side, most in zip(("input", "output"), parts, strict=True):
            _expect_details(as_object(usage.get(f"{side}_token_details")), side, most, end.number)


def _expect_details(details: dict[str, Any], side: str, most: int, number: int) -> None:
    """Counts, or null; together no more than what they are details of, and what was cached no more than that."""
    at = f"/response/usage/{side}_token_details"
    cached = as_object(details.get("cached_tokens_details"))
    for told in (details, cached):
        for name, value in told.items():
            count = as_count(value)
            held = value is None or not name.endswith("_tokens") or (count is not None and count >= 0)
            expect(held, expected="a count", got=shown(value), at=f"{at}/{name}", event=number)
    biggest = as_count(details.get("cached_tokens")) or 0
    for told, bound in ((details, most), (cached, biggest)):
        total = sum(as_count(told.get(f"{kind}_tokens")) or 0 for kind in ("text", "audio", "image"))
        expect(total <= bound, expected=f"at most {bound}", got=shown(told), at=at, event=number)
    expect(biggest <= most, expected=f"at most {most}", got=str(biggest), at=f"{at}/cached_tokens", event=number)


@clause("realtime.responses.cap", level="MUST", source="SPEC response.create.response.max_output_tokens", on=TALKS)
def a_cap_holds(exchange: Exchange) -> None:
    """A response has no more `output_tokens` than its `max_output_tokens`."""
    judged = False
    for _, end in finished(exchange):
        cap = as_count(response_in(end).get("max_output_tokens"))
        used = as_count(as_object(response_in(end).get("usage")).get("output_tokens"))
        if cap is not None and used is not None:
            judged = True
            expect(used <= cap, expected=f"at most {cap}", got=str(used), at="/response/usage/output_tokens",
                   event=end.number)  # fmt: skip
    if not judged:
        raise NotApplicable("no response had a cap and told what it used")


@clause("realtime.responses.call", level="MUST", source="SPEC response.create.response.tool_choice; DOCS-0715", on=TEXT)
def a_tool_that_must_be_called_is_called(exchange: Exchange) -> None:
    """With `tool_choice: required` the answer calls the tool, by its name, with arguments that are a JSON object.

    The call has a `call_id`, the same in all its events, for the result is given to it.
    """
    end = answer_to(exchange, "wp_tool", "response.done")
    if response_in(end).get("status") != "completed":
        raise NotApplicable("the response was not completed")
    calls = [item for item in as_objects(response_in(end).get("output")) if item.get("type") == "function_call"]
    for one in events_of(exchange):
        if item_in(one).get("type") == "function_call":
            held = bool(as_text(item_in(one).get("call_id")))
            expect(
                held, expected="a call_id", got=shown(item_in(one).get("call_id")), at="/item/call_id", event=one.number
            )
    expect(bool(calls), expected="a function_call", got=shown([one.get("type") for one in as_objects(
        response_in(end).get("output"))]), at="/response/output", event=end.number)  # fmt: skip
    for call in calls:
        expect(call.get("name") == TOOL["name"], expected=TOOL["name"], got=shown(call.get("name")),
               at="/response/output/*/name", event=end.number)  # fmt: skip
        try:
            arguments: Any = parse_json(as_text(call.get("arguments")))
        except Undecodable:
            arguments = None
        expect(isinstance(arguments, dict), expected="a JSON object", got=shown(call.get("arguments")),
               at="/response/output/*/arguments", event=end.number)  # fmt: skip
        for one in responses(exchange).get(as_text(response_in(end).get("id")), []):
            if one.type.startswith("response.function_call_arguments.") and one.data.get("item_id") == call.get("id"):
                told = one.data.get("call_id")
                expect(bool(told) and told == call.get("call_id"), expected=shown(call.get("call_id")), got=shown(told),
                       at="/call_id", event=one.number)  # fmt: skip


@clause("realtime.rate-limits", level="SHOULD", source="SPEC rate_limits.updated", on=TALKS)
def rate_limits_are_told_as_numbers(exchange: Exchange) -> None:
    """`rate_limits.updated` names each limit once, with no more remaining than there is, and a time until it resets."""
    judged = False
    for one in events_of(exchange):
        if one.type != "rate_limits.updated":
            continue
        judged, seen = True, set()
        for number, row in enumerate(as_list(one.data.get("rate_limits"))):
            row, at = as_object(row), f"/rate_limits/{number}"
            name, limit, left = as_text(row.get("name")), as_number(row.get("limit")), as_number(row.get("remaining"))
            expect(bool(name) and name not in seen, expected="a name of its own", got=shown(row.get("name")),
                   at=f"{at}/name", event=one.number)  # fmt: skip
            seen.add(name)
            held = limit is not None and left is not None and 0 <= left <= limit
            expect(held, expected="no more remaining than the limit", got=shown(row), at=f"{at}/remaining",
                   event=one.number)  # fmt: skip
            reset = as_number(row.get("reset_seconds"))
            expect(reset is not None and reset >= 0, expected="seconds", got=shown(row.get("reset_seconds")),
                   at=f"{at}/reset_seconds", event=one.number)  # fmt: skip
    if not judged:
        raise NotApplicable("no rate limits were told")
