"""Reading responses, plain and streamed alike: the whole one as it ended, its items, their parts and calls."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from wireproof.clause import (
    Exchange,
    Inconclusive,
    NotApplicable,
    Violation,
    answered,
    expect,
    load_spec,
    remembered,
)

from ._reading import as_count, as_list, as_object, as_objects, as_text, object_of
from ._stream import read_object

RESPONSE = "createResponse"
WHOLE = answered(RESPONSE, "getResponse", "cancelResponse")
ENDED = ("completed", "incomplete")
TERMINAL = ("response.completed", "response.incomplete", "response.failed")
# What a message says, by the type of the part.
SPOKEN = {"output_text": "text", "refusal": "refusal"}
QUOTE = "'"
# What an item is, whatever it says.
ESSENTIAL = ("type", "id", "role", "name", "call_id", "arguments", "input")
# Items that bring text piece by piece, so that their events must name them.
NAMED_ITEMS = ("message", "reasoning", "function_call", "custom_tool_call")


@dataclass(frozen=True)
class Told:
    """A response that an answer told. `at` is where it stands in the body, or in event number `event`."""

    body: dict[str, Any]
    at: str = ""
    event: int | None = None

    def must(self, held: bool, place: str, *, expected: str, got: object) -> None:
        expect(held, expected=expected, got=got, at=f"{self.at}{place}", event=self.event)

    @property
    def status(self) -> Any:
        return self.body.get("status")


@remembered
def told_by(exchange: Exchange) -> Told:
    """The response as the answer left it: the body, or what the last event of a stream holds.

    Raises Inconclusive when there is none: the clauses of streams judge that.
    """
    if not exchange.streamed:
        return Told(object_of(exchange))
    for number in range(len(exchange.events) - 1, -1, -1):
        event = read_object(exchange.events[number].data) or {}
        if event.get("type") in TERMINAL and isinstance(event.get("response"), dict):
            return Told(event["response"], "/response", number)
    raise Inconclusive("the stream has no last event with a response")


def ended(exchange: Exchange) -> Told:
    """The same, once there is an answer: NotApplicable while it is queued or running, and when it failed."""
    told = told_by(exchange)
    if told.status is None and (exchange.operation != RESPONSE or exchange.request.asked.get("background")):
        raise Inconclusive("the response does not say whether it is over")
    if told.status is not None and told.status not in ENDED:
        raise NotApplicable(f"the response is {told.status}")
    return told


def items_of(told: Told, *kinds: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """`(pointer, item)` of each item of the output, of these types alone when any is named."""
    for at, item in enumerate(as_list(told.body.get("output"))):
        if isinstance(item, dict) and (not kinds or item.get("type") in kinds):
            yield f"/output/{at}", item


def parts_of(told: Told) -> Iterator[tuple[str, dict[str, Any]]]:
    """`(pointer, part)` of each part of each message."""
    for at, item in items_of(told, "message"):
        for place, part in enumerate(as_list(item.get("content"))):
            if isinstance(part, dict):
                yield f"{at}/content/{place}", part


def text_of(told: Told) -> str:
    return "".join(as_text(part.get("text")) for _, part in parts_of(told) if part.get("type") == "output_text")


def refuses(told: Told) -> bool:
    return any(part.get("type") == "refusal" for _, part in parts_of(told))


def calls_of(told: Told) -> list[tuple[str, dict[str, Any]]]:
    return list(items_of(told, "function_call"))


def usage_of(told: Told) -> dict[str, Any]:
    usage = told.body.get("usage")
    if not isinstance(usage, dict):
        raise Inconclusive("the response has no usage")
    return usage


def counted(told: Told, name: str) -> int:
    """A count of the usage. Raises Inconclusive when it is missing or no whole number."""
    count = as_count(usage_of(told).get(name))
    if count is None:
        raise Inconclusive(f"usage has no whole number {name}")
    return count


def input_tokens(exchange: Exchange) -> int:
    return counted(ended(exchange), "input_tokens")


def reasoning_tokens(told: Told) -> int:
    """Tokens of thought, as far as the backend says."""
    details = as_object(as_object(told.body.get("usage")).get("output_tokens_details"))
    return as_count(details.get("reasoning_tokens")) or 0


def essence(item: dict[str, Any]) -> dict[str, Any]:
    """What an item says, without what may differ between two tellings of it: its status, probabilities, new keys."""
    kept: dict[str, Any] = {name: item[name] for name in ESSENTIAL if name in item}
    kept["content"] = [part_essence(part) for part in as_objects(item.get("content"))]
    kept["summary"] = [as_text(part.get("text")) for part in as_objects(item.get("summary"))]
    return kept


def part_essence(part: dict[str, Any]) -> dict[str, Any]:
    kept: dict[str, Any] = {name: part[name] for name in ("type", "text", "refusal") if name in part}
    return {**kept, "annotations": as_list(part.get("annotations"))}


# ------------------------------------------------------------------------------------------------- schema


def known_items() -> frozenset[str]:
    """The types of output items that the description knows; others may come at any time."""
    return frozenset(_types("OutputItem"))


def _types(name: str) -> Iterator[str]:
    schemas = load_spec().document["components"]["schemas"]
    node = schemas[name]
    while "$ref" in node and "anyOf" not in node:
        kind = node.get("properties", {}).get("type")
        if kind is not None:
            break
        node = schemas[node["$ref"].rpartition("/")[2]]
    for branch in node.get("anyOf", ()):
        if "$ref" in branch:
            yield from _types(branch["$ref"].rpartition("/")[2])
    kind = node.get("properties", {}).get("type", {})
    yield from [kind["const"]] if "const" in kind else kind.get("enum", ())


def without_strangers(response: dict[str, Any]) -> dict[str, Any]:
    """The response without output items of types that the description does not know."""
    output = response.get("output")
    if not isinstance(output, list):
        return response
    known = known_items()
    kept = [item for item in output if not isinstance(item, dict) or item.get("type") in known]
    return {**response, "output": kept}


# Settings that are told back: newer values come with every year, and others name theirs as they like.
TOLD_BACK = re.compile(r"(/response)?/(service_tier|prompt_cache_retention|truncation|text/verbosity|reasoning/\w+)")


def is_new_value(violation: Violation) -> bool:
    """Whether a setting has a value that the description does not know, of the type that it knows."""
    return (
        violation.keyword == "enum" and violation.got.startswith('"') and bool(TOLD_BACK.fullmatch(violation.pointer))
    )


def where_of(violation: Violation) -> str:
    """Where it is, or where the key is missing that should be there."""
    if violation.keyword != "required":
        return violation.pointer
    return f"{violation.pointer}/{violation.expected.split(QUOTE)[1]}"
