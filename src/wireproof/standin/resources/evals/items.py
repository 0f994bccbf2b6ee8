"""What a run is made of: the items of its data source, each `{item}` or `{item, sample}`."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from wireproof.spec import TooDeep, schema_breaches
from wireproof.standin.conversation import text_of
from wireproof.standin.grading.templates import sample_of
from wireproof.standin.refusals import Refused, invalid
from wireproof.standin.requests import body_of
from wireproof.standin.resources.stored import KIND as STORED
from wireproof.standin.world import World

Item = dict[str, Any]
PURPOSE = "evals"
RESPONSES = "responses"
# What asks for stored answers gets so many of them when it does not say.
USUAL_LIMIT = 100


class NoItems(ValueError):
    """The source cannot be read (any more); the message says why."""


def check_source(world: World, source: Mapping[str, Any]) -> None:
    """Refused when it names a file that is not there, or is there for something else."""
    if source["type"] != "file_id":
        return
    row = world.table("files").get(source["id"])
    if row is None:
        raise invalid(f"File '{source['id']}' does not exist.", "data_source.source.id", "file_not_found")
    if row["purpose"] != PURPOSE:
        raise invalid(f"File '{row['id']}' has the purpose '{row['purpose']}', expected '{PURPOSE}'.",
                      "data_source.source.id", "invalid_file_purpose")  # fmt: skip


def check_items(items: Iterable[Mapping[str, Any]], schema: Mapping[str, Any]) -> None:
    """Refused with the first item that is not of the eval's shape."""
    for at, item in enumerate(items):
        if (problem := _problem(item, schema)) is not None:
            raise invalid(f"Item {at} is not of the eval's schema: {problem}.", f"data_source.source.content[{at}]",
                          "invalid_item")  # fmt: skip


def items_of(world: World, source: Mapping[str, Any], schema: Mapping[str, Any]) -> list[Item]:
    """Every item of a source, in order. NoItems."""
    return SOURCES[source["type"]](world, source, schema)


def _of_content(_: World, source: Mapping[str, Any], __: Mapping[str, Any]) -> list[Item]:
    return [dict(row) for row in source["content"]]


def _of_file(world: World, source: Mapping[str, Any], schema: Mapping[str, Any]) -> list[Item]:
    if source["id"] not in world.table("files"):
        raise NoItems(f"File '{source['id']}' does not exist any more.")
    found = []
    for number, line in enumerate(world.table("files").data(source["id"]).split(b"\n"), 1):
        if not line.strip():
            continue
        try:
            item = body_of(line)
        except Refused:
            raise NoItems(f"Line {number} is not a JSON object.") from None
        if (problem := _problem(item, schema)) is not None:
            raise NoItems(f"Line {number} is not of the eval's schema: {problem}.")
        found.append(item)
    return found


def _of_completions(world: World, source: Mapping[str, Any], _: Mapping[str, Any]) -> list[Item]:
    """Stored completions: what was asked is the item, what was answered its sample."""
    found = []
    for row in world.table(STORED).rows():
        kept = row["completion"]
        if _is_meant(source, kept, kept["created"], row["asked_model"]):
            choice = kept["choices"][0]
            said = choice["message"].get("content") or ""
            sample = sample_of(said, model=kept["model"], finish_reason=choice["finish_reason"])
            found.append({"item": {"input": row["messages"], "output": said}, "sample": sample})
    limit = source.get("limit")
    return found[: USUAL_LIMIT if limit is None else max(0, limit)]


def _of_responses(world: World, source: Mapping[str, Any], _: Mapping[str, Any]) -> list[Item]:
    """Stored responses, likewise. Reasoning effort, temperature, users and tools narrow them down, too."""
    found = []
    for row in world.table(RESPONSES).rows():
        kept = row["response"]
        if kept.get("status") != "completed" or not _is_meant(source, kept, kept["created_at"], kept["model"]):
            continue
        if not all(meant(source[name], kept) for name, meant in NARROWER.items() if source.get(name) is not None):
            continue
        said = said_by(kept)
        sample = sample_of(said, model=kept["model"], finish_reason="stop")
        found.append({"item": {"input": row["input"], "output": said}, "sample": sample})
    return found[:USUAL_LIMIT]


NARROWER: dict[str, Callable[[Any, Mapping[str, Any]], bool]] = {
    "instructions_search": lambda wanted, kept: wanted.lower() in str(kept.get("instructions") or "").lower(),
    "reasoning_effort": lambda wanted, kept: (kept.get("reasoning") or {}).get("effort") == wanted,
    "temperature": lambda wanted, kept: kept.get("temperature") == wanted,
    "top_p": lambda wanted, kept: kept.get("top_p") == wanted,
    "users": lambda wanted, kept: kept.get("user") in wanted,
    "tools": lambda wanted, kept: set(wanted) <= {tool.get("name", tool["type"]) for tool in kept.get("tools") or ()},
}
SOURCES = {
    "file_content": _of_content,
    "file_id": _of_file,
    "stored_completions": _of_completions,
    "responses": _of_responses,
}


def said_by(response: Mapping[str, Any]) -> str:
    """The text of every message of a response."""
    messages = [item for item in response["output"] if item["type"] == "message"]
    return "".join(part.get("text") or "" for message in messages for part in message["content"])


def input_text(message: Mapping[str, Any]) -> str:
    """The words of a message of either kind, for a report of what was asked."""
    content = message.get("content")
    if isinstance(content, list):
        return "".join(part.get("text") or "" for part in content)
    return text_of(message)


def _is_meant(source: Mapping[str, Any], kept: Mapping[str, Any], created: float, model: str) -> bool:
    if source.get("model") not in (None, model, kept["model"]):
        return False
    if not (source.get("metadata") or {}).items() <= (kept.get("metadata") or {}).items():
        return False
    after, before = source.get("created_after"), source.get("created_before")
    return (after is None or created >= after) and (before is None or created <= before)


def _problem(item: Mapping[str, Any], schema: Mapping[str, Any]) -> str | None:
    """How an item departs from the schema of the eval. Its sample may be yet to come."""
    shape = schema["properties"]["item"]
    if not isinstance(item.get("item"), dict) or not isinstance(item.get("sample", {}), dict):
        return "expected an object 'item', and 'sample' to be one, too, when there is any"
    try:
        breach = next(iter(schema_breaches(shape, item["item"])), None)
    except TooDeep as wrong:
        return str(wrong)
    return f"item{breach.pointer.replace('/', '.')}: expected {breach.expected}, got {breach.got}" if breach else None
