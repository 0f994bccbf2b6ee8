"""The times of every answer and event: whole seconds since 1970, under the names that the description gives them.

No probes of its own: read by `spec/`, whatever the operation. That a time is of its type is judged with the schema of
each surface. Most surfaces judge more closely when a thing was made: JUDGED_ELSEWHERE.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from fnmatch import fnmatchcase
from functools import cache
from typing import Any

from wireproof.clause import Exchange, NotApplicable, answered, clause, expect, load_spec, shown

from ._reading import promises_json
from ._stream import objects_in

# Nobody's answer is older than the API, and no file is kept for eighty years: what is beyond is of another unit.
EARLIEST, LATEST = 1_420_070_400, 4_102_444_800  # 2015-01-01, 2100-01-01
DEEPEST = 12  # of an item in a list in a response in an event; a schema that holds itself ends here
ANY = "*"
BRANCHES = ("anyOf", "oneOf", "allOf")

# Path of the operation -> the times that clauses of its own surface judge, against the clock or each other.
JUDGED_ELSEWHERE: Mapping[str, tuple[str, ...]] = {
    "/assistants*": ("created_at",),
    "/completions": ("created",),
    "/containers*": ("created_at",),
    "/evals*": ("created_at",),
    "/files*": ("created_at", "expires_at"),
    "/fine_tuning/jobs*": ("created_at", "finished_at"),
    "/images/*": ("created", "created_at"),
    "/models*": ("created",),
    "/realtime/*": ("expires_at",),
    "/responses*": ("created_at",),
    "/threads*": ("created_at", "started_at", "completed_at", "expires_at"),
    "/vector_stores*": ("created_at",),
}

Place = tuple[str, ...]


@cache
def times_of(operation_id: str, streamed: bool) -> frozenset[Place]:
    """Where answers (or events) of an operation tell a time, by the description: `("data", "*", "created_at")`."""
    operation = load_spec().operations.get(operation_id)
    schema = (operation.event_schema if streamed else operation.answer_schema(200)) if operation else None
    if operation is None or schema is None:
        return frozenset()
    elsewhere = {key for glob, keys in JUDGED_ELSEWHERE.items() if fnmatchcase(operation.path, glob) for key in keys}
    if operation.id == "createChatCompletion" and not streamed:
        elsewhere.add("created")
    return frozenset(place for place in _times(schema.resolved, (), frozenset()) if place[-1] not in elsewhere)


@clause(
    "wire.times",
    level="MUST",
    source="SPEC created_at, expires_at and the like: Unix timestamp in seconds",
    on=answered(shows=lambda e: bool(times_of(e.operation or "", e.streamed))),
)
def times_are_unix_seconds(exchange: Exchange) -> None:
    """A time (`created_at`, `expires_at`, `completed_at`, ...) is in seconds since 1970: no milliseconds, no zero.

    What has not happened is null, or left out. Zero is shown as a day in 1970, milliseconds as one in fifty thousand
    years; what is said to expire then is thrown away at once, or never.
    """
    places = times_of(exchange.operation or "", exchange.streamed)
    seen = False
    for event, body in _bodies(exchange):
        for place in places:
            for pointer, value in _at(body, place):
                if isinstance(value, bool) or not isinstance(value, int | float):
                    continue
                seen = True
                expect(
                    EARLIEST <= value < LATEST,
                    expected="seconds since 1970, of these years",
                    got=shown(value),
                    at=pointer,
                    event=event,
                )
    if not seen:
        raise NotApplicable("the answer tells no time")


def _bodies(exchange: Exchange) -> Iterator[tuple[int | None, Any]]:
    if exchange.streamed and exchange.media_type == "text/event-stream":
        for number, _, body in objects_in(exchange):
            if not _is_report(body):
                yield number, body
    elif promises_json(exchange) and exchange.media_type == "application/json":
        yield None, exchange.json


def _is_report(chunk: Mapping[str, Any]) -> bool:
    """What a content filter reports among the chunks of a stream, with an empty id and the time 0.

    Source: learn.microsoft.com/azure, content streaming; recorded streams of three Azure resources.
    """
    return "choices" in chunk and chunk.get("id") == "" and chunk.get("created") == 0


def _times(node: Any, place: Place, above: frozenset[str]) -> Iterator[Place]:
    if not isinstance(node, Mapping) or len(place) > DEEPEST:
        return
    if "$ref" in node and node["$ref"] not in above:  # and what stands beside it
        yield from _times(load_spec().schema(node["$ref"]).resolved, place, above | {node["$ref"]})
    for word in BRANCHES:
        for branch in node.get(word, ()):
            yield from _times(branch, place, above)
    for name, below in node.get("properties", {}).items():
        if _is_time(name, below):
            yield (*place, name)
        else:
            yield from _times(below, (*place, name), above)
    if "items" in node:
        yield from _times(node["items"], (*place, ANY), above)


def _is_time(name: str, node: Any) -> bool:
    return (name == "created" or name.endswith("_at")) and bool({"integer", "number"} & _kinds(node))


def _kinds(node: Any) -> set[str]:
    """The types that a schema allows, of any of its branches."""
    resolved = load_spec().resolved(node)
    told = resolved.get("type", ())
    branches = [branch for word in BRANCHES for branch in resolved.get(word, ())]
    return {told} if isinstance(told, str) else set(told).union(*map(_kinds, branches))


def _at(value: Any, place: Place, pointer: str = "") -> Iterator[tuple[str, Any]]:
    """What stands at a place, each time with its pointer."""
    if not place:
        yield pointer, value
    elif place[0] == ANY and isinstance(value, list):
        for number, item in enumerate(value):
            yield from _at(item, place[1:], f"{pointer}/{number}")
    elif isinstance(value, dict) and place[0] in value:
        yield from _at(value[place[0]], place[1:], f"{pointer}/{place[0]}")
